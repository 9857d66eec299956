"""Sessions: the roles that a principal has chosen, kept for a while."""

from typing import TYPE_CHECKING, Annotated

import typer

from grantproof.cli.command import command, group
from grantproof.cli.exits import ExitCode, Stop, absent
from grantproof.cli.key import seconds
from grantproof.cli.operator import Operator
from grantproof.cli.options import PrincipalArgument, RoleArgument
from grantproof.cli.output import Table, listed, tell, tell_fields, tell_json, tell_table

if TYPE_CHECKING:
    from grantproof.core.sessions import Session
    from grantproof.service.sessions import Outcome

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
    outcome = operator.services.sessions.open(operator.organization, wanted, by=operator.author)
    opened = _written(operator, outcome)
    if operator.json:
        tell_json(session_document(opened))
    else:
        # Nothing but the id on the standard output, so that a script can take it.
        tell(opened.id)


@command(app, "list")
def list_all(operator: Operator, *, principal: Principal = None) -> None:
    """List the sessions that last."""
    from grantproof.cli.shown import moment
    from grantproof.core.identifiers import PrincipalId
    from grantproof.core.limits import PAGE_ITEMS_MAX

    state, sessions = operator.state, operator.services.sessions
    who = None if principal is None else PrincipalId(principal)
    found: list[Session] = []
    page = sessions.page(state.id, principal=who, limit=PAGE_ITEMS_MAX)
    while page:
        found.extend(page)
        page = sessions.page(state.id, principal=who, after=page[-1].id, limit=PAGE_ITEMS_MAX)
    if operator.json:
        tell_json([session_document(one) for one in found])
        return
    rows = [(one.id, one.principal, listed(one.roles), moment(one.expires_at)) for one in found]
    tell_table(Table(("session", "principal", "roles", "until"), rows))


@command(app)
def show(operator: Operator, session: SessionArgument) -> None:
    """Show a session that lasts, and which roles are active in it now."""
    from grantproof.cli.shown import moment
    from grantproof.core.identifiers import SessionId
    from grantproof.service.standard_review import session_roles

    state = operator.state
    found = operator.services.sessions.find(state.id, SessionId(session))
    if found is None:
        raise absent("session", session)
    now = operator.services.decisions.instant()
    active = sorted(session_roles(state, found.principal, now, chosen=found.roles))
    if operator.json:
        tell_json({**session_document(found), "active_roles": active})
        return
    tell_fields(
        [
            ("session", found.id),
            ("principal", found.principal),
            ("roles", listed(found.roles)),
            ("active roles", listed(active)),
            ("opened", f"{moment(found.created_at)} by {found.opened_by}"),
            ("until", moment(found.expires_at)),
        ]
    )


@command(app)
def add_role(operator: Operator, session: SessionArgument, role: RoleArgument) -> None:
    """Let a session have one role more, which its principal holds."""
    from grantproof.core.identifiers import RoleId, SessionId

    name, more = SessionId(session), RoleId(role)
    outcome = operator.services.sessions.add_role(
        operator.organization, name, more, by=operator.author
    )
    _tell_changed(operator, _written(operator, outcome), f"added `{role}` to `{session}`")


@command(app)
def drop_role(operator: Operator, session: SessionArgument, role: RoleArgument) -> None:
    """Let a session have one role less."""
    from grantproof.core.identifiers import RoleId, SessionId

    name, less = SessionId(session), RoleId(role)
    outcome = operator.services.sessions.drop_role(
        operator.organization, name, less, by=operator.author
    )
    _tell_changed(operator, _written(operator, outcome), f"dropped `{role}` from `{session}`")


@command(app)
def delete(operator: Operator, session: SessionArgument) -> None:
    """End a session for good; running servers deny what is asked in it within five seconds."""
    from grantproof.core.identifiers import SessionId

    if not operator.services.sessions.end(operator.organization, SessionId(session)):
        raise absent("session", session)
    if operator.json:
        tell_json({"outcome": "ended", "session": session})
    else:
        tell(f"ended session `{session}`")


def session_document(session: "Session") -> dict[str, object]:
    """Return a session as programs are shown it."""
    return {
        "id": session.id,
        "principal": session.principal,
        "roles": sorted(session.roles),
        "created_at": session.created_at,
        "expires_at": session.expires_at,
        "opened_by": session.opened_by,
    }


def _written(operator: Operator, outcome: "Outcome") -> "Session":
    """Return the session as it is now; raises `Stop` where nothing was done."""
    from grantproof.cli.witness import unwilling
    from grantproof.service.pap import Contended
    from grantproof.service.sessions import Unwilling, Written

    match outcome:
        case Written(session):
            return session
        case Unwilling(refusal):
            raise unwilling(refusal)
        case Contended(attempts):
            line = f"others were faster {attempts} times in a row: try again"
            raise Stop(ExitCode.UNDETERMINED, line)
        case _:
            raise absent("organization", operator.organization)


def _tell_changed(operator: Operator, session: "Session", done: str) -> None:
    if operator.json:
        tell_json(session_document(session))
    else:
        tell(done)
