"""Usage: what `consume` counted, and setting it back."""

from typing import TYPE_CHECKING, Annotated

import typer

from grantproof.cli import exits
from grantproof.cli.command import command, group
from grantproof.cli.operator import Operator
from grantproof.cli.output import NOTHING, Table, tell, tell_json, tell_table

if TYPE_CHECKING:
    from grantproof.core.identifiers import ClaimId, PrincipalId
    from grantproof.core.organization import Organization

app = group("Usage: what was counted of metered claims.")

Principal = Annotated[
    str | None, typer.Option("--principal", metavar="PRINCIPAL", help="Of this principal only.")
]
Claim = Annotated[str | None, typer.Option("--claim", metavar="CLAIM", help="Of this claim only.")]


@command(app)
def show(operator: Operator, *, principal: Principal = None, claim: Claim = None) -> None:
    """Show what is counted now, by principal, then claim."""
    from grantproof.cli.shown import moment

    who, what = _named(operator.state, principal, claim)
    counted = operator.usage(principal=who, claim=what)
    if operator.json:
        tell_json(counted)
        return
    rows = [
        (
            one["principal"],
            one["claim"],
            one["span"],
            str(one["used"]),
            NOTHING if one["limit"] is None else str(one["limit"]),
            moment(one["from"]),
            NOTHING if one["until"] is None else moment(one["until"]),
        )
        for one in counted
    ]
    tell_table(Table(("principal", "claim", "span", "used", "limit", "from", "until"), rows))


@command(app)
def reset(operator: Operator, *, principal: Principal = None, claim: Claim = None) -> None:
    """Set to 0 what is counted now of a principal, of a claim, or of both."""
    if principal is None and claim is None:
        raise exits.usage("name whose usage to reset with --principal, --claim or both")
    state = operator.state
    who, what = _named(state, principal, claim)
    counters = operator.reset_usage(principal=who, claim=what)
    if operator.json:
        tell_json({"outcome": "reset", "organization": state.id, "counters": counters})
    else:
        tell(f"reset {counters} counters ({state.id})")


def _named(
    state: "Organization", principal: str | None, claim: str | None
) -> "tuple[PrincipalId | None, ClaimId | None]":
    """Return what the options name; raises `Stop` when that is not there."""
    from grantproof.core.identifiers import ClaimId, PrincipalId

    who = None if principal is None else PrincipalId(principal)
    what = None if claim is None else ClaimId(claim)
    if who is not None and who not in state.principals:
        raise exits.absent("principal", who)
    if what is not None and what not in state.claims:
        raise exits.absent("claim", what)
    return who, what
