"""Somebody comes, moves or goes: each is one change, shown before it is made."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from grantproof.cli.exits import usage
from grantproof.cli.operator import Operator
from grantproof.cli.options import Attributes, From, PrincipalArgument, Until
from grantproof.cli.planned import Consent, carry_out

if TYPE_CHECKING:
    from grantproof.service.people import Place

Names = list[str] | None
Groups = Annotated[
    Names, typer.Option("--group", metavar="GROUP", help="A group to be in. Repeatable.")
]
Roles = Annotated[Names, typer.Option("--role", metavar="ROLE", help="A role to hold. Repeatable.")]
Delete = Annotated[
    bool, typer.Option("--delete", help="Delete the principal, with all that refers to it.")
]


@dataclass(frozen=True, slots=True)
class Move:
    """From where somebody moves, and to where."""

    from_group: Annotated[
        Names, typer.Option("--from-group", metavar="GROUP", help="A group to leave. Repeatable.")
    ] = None
    from_role: Annotated[
        Names, typer.Option("--from-role", metavar="ROLE", help="A role to lose. Repeatable.")
    ] = None
    from_all: Annotated[
        bool, typer.Option("--from-all", help="Every group and role but those to move to.")
    ] = False
    to_group: Annotated[
        Names, typer.Option("--to-group", metavar="GROUP", help="A group to be in. Repeatable.")
    ] = None
    to_role: Annotated[
        Names, typer.Option("--to-role", metavar="ROLE", help="A role to hold. Repeatable.")
    ] = None


def join(
    operator: Operator,
    principal: PrincipalArgument,
    *,
    attribute: Attributes = None,
    group: Groups = None,
    role: Roles = None,
    start: From = None,
    until: Until = None,
    consent: Consent,
) -> None:
    """Add a principal, put it into groups and let it hold roles: all of it, or nothing."""
    from grantproof.cli.values import typed_attributes
    from grantproof.core.identifiers import PrincipalId
    from grantproof.service.people import joining

    place = _place(group, role, start=start, until=until)
    commands = joining(PrincipalId(principal), place, attributes=typed_attributes(attribute or []))
    done = f"principal `{principal}` has joined"
    carry_out(operator, commands, consent, of=operator.state, done=done)


def move(
    operator: Operator,
    principal: PrincipalArgument,
    *,
    move: Move,
    start: From = None,
    until: Until = None,
    consent: Consent,
) -> None:
    """Move a principal from groups and roles to others, at once: what it loses goes first."""
    from grantproof.service.people import moving, place_of

    if move == Move():
        raise usage("say from where or to where: --from-group, --from-role, --to-group, --to-role")
    if move.from_all and (move.from_group or move.from_role):
        raise usage("--from-all names every group and role: leave --from-group and --from-role out")
    state, name = operator.principal(principal)
    into = _place(move.to_group, move.to_role, start=start, until=until)
    out_of = place_of(state, name) if move.from_all else _place(move.from_group, move.from_role)
    commands = moving(state, name, out_of=out_of, into=into)
    carry_out(operator, commands, consent, of=state, done=f"principal `{principal}` has moved")


def leave(
    operator: Operator,
    principal: PrincipalArgument,
    *,
    delete: Delete = False,
    consent: Consent,
) -> None:
    """Suspend a principal and take its groups and roles away, or delete it: at once."""
    from grantproof.service.people import leaving

    state, name = operator.principal(principal)
    commands = leaving(state, name, delete=delete)
    carry_out(operator, commands, consent, of=state, done=f"principal `{principal}` has left")


def _place(
    groups: Names, roles: Names, *, start: str | None = None, until: str | None = None
) -> "Place":
    from grantproof.cli.values import validity
    from grantproof.core.identifiers import GroupId, RoleId
    from grantproof.service.people import Place

    return Place(
        frozenset(map(GroupId, groups or [])),
        frozenset(map(RoleId, roles or [])),
        validity(start, until),
    )
