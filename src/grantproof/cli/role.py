"""Roles and their parents: a role inherits every claim of every ancestor."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from grantproof.cli.command import command, group
from grantproof.cli.operator import Operator
from grantproof.cli.options import Cascade, RoleArgument
from grantproof.cli.output import Table, listed, tell_fields, tell_json, tell_table

if TYPE_CHECKING:
    from grantproof.core.identifiers import RoleId

app = group("Roles, and what they inherit.")

Parents = Annotated[
    list[str] | None,
    typer.Option("--parent", metavar="ROLE", help="A role to inherit from. Repeatable."),
]
ParentArgument = Annotated[
    str, typer.Argument(metavar="PARENT", help="The role that it inherits from.")
]


@command(app)
def create(operator: Operator, role: RoleArgument, *, parent: Parents = None) -> None:
    """Add a role."""
    from grantproof.core.commands.language import AddParent, CreateRole
    from grantproof.core.identifiers import RoleId

    new = RoleId(role)
    edges = [AddParent(new, RoleId(one)) for one in parent or []]
    operator.propose(CreateRole(new), *edges, done=f"created role `{role}`")


@command(app, "list")
def list_all(operator: Operator) -> None:
    """List the roles, with their parents."""
    state = operator.state
    roles = sorted(state.roles)
    if operator.json:
        tell_json([_written(role, state.roles.parents[role]) for role in roles])
        return
    rows = [
        (
            role,
            listed(state.roles.parents[role]),
            str(len(state.claims_by_role.get(role, ()))),
            str(len(state.assignments.to(role))),
            str(len(state.group_assignments.to(role))),
        )
        for role in roles
    ]
    tell_table(Table(("role", "parents", "claims", "principals", "groups"), rows))


@command(app)
def show(operator: Operator, role: RoleArgument) -> None:
    """Show a role: what it inherits, what it may do, and who is assigned to it."""
    from grantproof.cli.shown import claim_text
    from grantproof.policyfile import documents

    state, name = operator.role(role)
    claims = [state.claims[claim] for claim in sorted(state.claims_by_role.get(name, ()))]
    related: dict[str, list[str]] = {
        "children": sorted(state.roles.children[name]),
        "principals": sorted(state.assignments.to(name)),
        "groups": sorted(state.group_assignments.to(name)),
        "sod_sets": sorted(state.sod_sets_by_role.get(name, ())),
    }
    if operator.json:
        written = [documents.Claim.of(claim).written() for claim in claims]
        tell_json({**_written(name, state.roles.parents[name]), **related, "claims": written})
        return
    tell_fields(
        [
            ("role", name),
            ("parents", listed(state.roles.parents[name])),
            *((field.replace("_", "-"), listed(names)) for field, names in related.items()),
            ("claims", [f"{claim.id}: {claim_text(claim)}" for claim in claims]),
        ]
    )


@command(app)
def add_parent(operator: Operator, role: RoleArgument, parent: ParentArgument) -> None:
    """Let a role inherit from a parent."""
    from grantproof.core.commands.language import AddParent
    from grantproof.core.identifiers import RoleId

    operator.propose(
        AddParent(RoleId(role), RoleId(parent)), done=f"role `{role}` inherits from `{parent}`"
    )


@command(app)
def remove_parent(operator: Operator, role: RoleArgument, parent: ParentArgument) -> None:
    """End an inheritance."""
    from grantproof.core.commands.language import RemoveParent
    from grantproof.core.identifiers import RoleId

    operator.propose(
        RemoveParent(RoleId(role), RoleId(parent)),
        done=f"role `{role}` no longer inherits from `{parent}`",
    )


@command(app)
def delete(operator: Operator, role: RoleArgument, *, cascade: Cascade = False) -> None:
    """Delete a role."""
    from grantproof.core.commands.language import DeleteRole
    from grantproof.core.identifiers import RoleId

    operator.propose(DeleteRole(RoleId(role), cascade), done=f"deleted role `{role}`")


def _written(role: "RoleId", parents: Iterable["RoleId"]) -> dict[str, Any]:
    from grantproof.policyfile.organization_document import RoleEntry

    return RoleEntry.holding(id=role, parents=frozenset(parents)).written()
