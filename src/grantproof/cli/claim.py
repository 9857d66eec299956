"""Claims: a role may do an action on a resource while every constraint holds."""

from typing import Annotated

import typer

from grantproof.cli.command import command, group
from grantproof.cli.exits import absent
from grantproof.cli.operator import Operator
from grantproof.cli.options import RoleArgument
from grantproof.cli.output import Table, tell_fields, tell_json, tell_table

app = group("Claims: what a role may do.")

ClaimArgument = Annotated[str, typer.Argument(metavar="CLAIM", help="The claim's id.")]
Action = Annotated[
    str, typer.Argument(metavar="ACTION", help="The action, or '*' for all but administrative.")
]
Resource = Annotated[
    str,
    typer.Argument(
        metavar="RESOURCE",
        help="docs, 'docs/**' (and everything inside), kind:document, or '*'.",
    ),
]
Hours = Annotated[
    str | None, typer.Option(metavar="9-17", help="Whole hours, from the first until the second.")
]
Weekdays = Annotated[
    str | None, typer.Option(metavar="mon-fri", help="Days, or ranges of days, with commas.")
]
Regions = Annotated[
    list[str] | None,
    typer.Option("--region", metavar="REGION", help="A region to ask from. Repeatable."),
]
Radii = Annotated[
    list[str] | None,
    typer.Option(
        "--within", metavar="10km@LAT,LON", help="How near to a point, in km or m. Repeatable."
    ),
]
Usages = Annotated[
    list[str] | None,
    typer.Option("--max-usage", metavar="N[/PERIOD]", help="Usage below N: 100, or 100/day."),
]
Rate = Annotated[
    int | None, typer.Option("--rate", metavar="N", help="Fewer than N requests a minute.")
]
Conditions = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="'PATH OP VALUE'",
        help="A comparison, such as 'context.amount lt 10000'. Repeatable.",
    ),
]
Documents = Annotated[
    list[str] | None,
    typer.Option("--constraint", metavar="JSON", help="A constraint as a document. Repeatable."),
]
OfRole = Annotated[
    str | None, typer.Option("--role", metavar="ROLE", help="Only the claims of this role.")
]


@command(app)
def create(
    operator: Operator,
    claim: ClaimArgument,
    role: RoleArgument,
    *,
    action: Action,
    resource: Resource,
    hours: Hours = None,
    weekdays: Weekdays = None,
    region: Regions = None,
    within: Radii = None,
    max_usage: Usages = None,
    rate: Rate = None,
    where: Conditions = None,
    constraint: Documents = None,
) -> None:
    """Give a role a claim; all of its constraints must hold."""
    from grantproof.cli.values import constraints
    from grantproof.core import identifiers, model
    from grantproof.core.commands.language import CreateClaim
    from grantproof.policyfile.fields import read_action, read_resource

    new = model.Claim(
        identifiers.ClaimId(claim),
        identifiers.RoleId(role),
        read_action(action),
        read_resource(resource),
        constraints(
            hours=hours,
            weekdays=weekdays,
            regions=region or [],
            radii=within or [],
            usages=max_usage or [],
            rate=rate,
            conditions=where or [],
            documents=constraint or [],
        ),
    )
    operator.propose(CreateClaim(new), done=f"created claim `{claim}`")


@command(app, "list")
def list_all(operator: Operator, *, role: OfRole = None) -> None:
    """List the claims."""
    from grantproof.cli.shown import constraints_text
    from grantproof.core.identifiers import RoleId
    from grantproof.policyfile import documents
    from grantproof.policyfile.fields import write_action, write_resource

    state = operator.state
    names = state.claims if role is None else state.claims_by_role.get(RoleId(role), ())
    claims = [state.claims[name] for name in sorted(names)]
    if operator.json:
        tell_json([documents.Claim.of(one).written() for one in claims])
        return
    rows = [
        (
            one.id,
            one.role,
            write_action(one.action),
            write_resource(one.resource),
            constraints_text(one.constraints),
        )
        for one in claims
    ]
    tell_table(Table(("claim", "role", "action", "resource", "constraints"), rows))


@command(app)
def show(operator: Operator, claim: ClaimArgument) -> None:
    """Show a claim."""
    from grantproof.cli.shown import constraint_text
    from grantproof.core.identifiers import ClaimId
    from grantproof.policyfile import documents
    from grantproof.policyfile.fields import write_action, write_resource

    found = operator.state.claims.get(ClaimId(claim))
    if found is None:
        raise absent("claim", claim)
    if operator.json:
        tell_json(documents.Claim.of(found).written())
        return
    tell_fields(
        [
            ("claim", found.id),
            ("role", found.role),
            ("action", write_action(found.action)),
            ("resource", write_resource(found.resource)),
            ("constraints", [constraint_text(one) for one in found.constraints]),
        ]
    )


@command(app)
def delete(operator: Operator, claim: ClaimArgument) -> None:
    """Take a claim from its role."""
    from grantproof.core.commands.language import DeleteClaim
    from grantproof.core.identifiers import ClaimId

    operator.propose(DeleteClaim(ClaimId(claim)), done=f"deleted claim `{claim}`")
