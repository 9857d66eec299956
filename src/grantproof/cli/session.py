"""Sessions: the roles that a principal has chosen, kept for a while."""

from typing import TYPE_CHECKING, Annotated

import typer

from grantproof.cli.command import command, group
from grantproof.cli.exits import absent
from grantproof.cli.key import seconds
from grantproof.cli.operator import Operator
from grantproof.cli.options import PrincipalArgument, RoleArgument
from grantproof.cli.output import Table, listed, tell, tell_fields, tell_json, tell_table

if TYPE_CHECKING:
    from grantproof.policyfile.contexts import Written

app = group("Sessions: the roles that a principal has chosen, kept for a while.")

SessionArgument = Annotated[str, typer.Argument(metavar="SESSION", help="The session's id.")]
Chosen = Annotated[
    list[str] | None,
    typer.Option("--role", metavar="ROLE", help="A role that it chooses. Repeatable."),
]
Lasting = Annotated[
    str | None,
    typer.Option("--expires-in", metavar="TIME", help="Such as 8h. Default: 12h; 30d at most."),
]
Principal = Annotated[
    str | None, typer.Option("--principal", metavar="PRINCIPAL", help="Of this principal only.")
]


@command(app)
def create(
    operator: Operator,
    principal: PrincipalArgument,
    *,
    role: Chosen = None,
    expires_in: Lasting = None,
) -> None:
    """Open a session of roles that the principal holds, and print its id; it lasts 12 hours."""
    from grantproof.core.identifiers import PrincipalId, RoleId
    from grantproof.core.limits import SESSION_SECONDS_DEFAULT
    from grantproof.service.sessions import Wanted

    lasting = SESSION_SECONDS_DEFAULT if expires_in is None else seconds(expires_in)
    wanted = Wanted(PrincipalId(principal), frozenset(map(RoleId, role or ())), lasting)
    opened = operator.sessions().open(wanted)
    if operator.json:
        tell_json(opened)
    else:
        # Nothing but the id on the standard output, so that a script can take it.
        tell(opened["id"])


@command(app, "list")
def list_all(operator: Operator, *, principal: Principal = None) -> None:
    """List the sessions that last."""
    from grantproof.cli.shown import moment
    from grantproof.core.identifiers import PrincipalId

    found = operator.sessions().of(None if principal is None else PrincipalId(principal))
    if operator.json:
        tell_json(found)
        return
    rows = [
        (one["id"], one["principal"], listed(one["roles"]), moment(one["expires_at"]))
        for one in found
    ]
    tell_table(Table(("session", "principal", "roles", "until"), rows))


@command(app)
def show(operator: Operator, session: SessionArgument) -> None:
    """Show a session that lasts, and which roles are active in it now."""
    from grantproof.cli.shown import moment
    from grantproof.core.identifiers import SessionId

    found = operator.sessions().show(SessionId(session))
    if operator.json:
        tell_json(found)
        return
    tell_fields(
        [
            ("session", found["id"]),
            ("principal", found["principal"]),
            ("roles", listed(found["roles"])),
            ("active roles", listed(found["active_roles"])),
            ("opened", f"{moment(found['created_at'])} by {found['opened_by']}"),
            ("until", moment(found["expires_at"])),
        ]
    )


@command(app)
def add_role(operator: Operator, session: SessionArgument, role: RoleArgument) -> None:
    """Let a session have one role more, which its principal holds."""
    from grantproof.core.identifiers import RoleId, SessionId

    changed = operator.sessions().add_role(SessionId(session), RoleId(role))
    _tell_changed(operator, changed, f"added `{role}` to `{session}`")


@command(app)
def drop_role(operator: Operator, session: SessionArgument, role: RoleArgument) -> None:
    """Let a session have one role less."""
    from grantproof.core.identifiers import RoleId, SessionId

    changed = operator.sessions().drop_role(SessionId(session), RoleId(role))
    _tell_changed(operator, changed, f"dropped `{role}` from `{session}`")


@command(app)
def delete(operator: Operator, session: SessionArgument) -> None:
    """End a session for good; running servers deny what is asked in it within five seconds."""
    from grantproof.core.identifiers import SessionId

    if not operator.sessions().end(SessionId(session)):
        raise absent("session", session)
    if operator.json:
        tell_json({"outcome": "ended", "session": session})
    else:
        tell(f"ended session `{session}`")


def _tell_changed(operator: Operator, session: "Written", done: str) -> None:
    if operator.json:
        tell_json(session)
    else:
        tell(done)
