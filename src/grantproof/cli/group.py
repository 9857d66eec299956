"""Groups: named sets of principals and of other groups."""

from typing import Annotated

import typer

from grantproof.cli.command import command, group
from grantproof.cli.exits import absent
from grantproof.cli.operator import Operator
from grantproof.cli.options import Cascade, PrincipalArgument
from grantproof.cli.output import Table, listed, tell_fields, tell_json, tell_table

app = group("Groups of principals and of other groups.")

GroupArgument = Annotated[str, typer.Argument(metavar="GROUP", help="The group's id.")]
Container = Annotated[str, typer.Argument(metavar="CONTAINER", help="The group around it.")]


@command(app)
def create(operator: Operator, name: GroupArgument) -> None:
    """Add an empty group."""
    from grantproof.core.commands.language import CreateGroup
    from grantproof.core.identifiers import GroupId

    operator.propose(CreateGroup(GroupId(name)), done=f"created group `{name}`")


@command(app, "list")
def list_all(operator: Operator) -> None:
    """List the groups, with what they hold."""
    from grantproof.core.model import Group
    from grantproof.policyfile import documents

    state = operator.state
    groups = sorted(state.groups)
    if operator.json:
        tell_json([documents.Group.of(Group(one)).written() for one in groups])
        return
    rows = [
        (
            one,
            str(len(state.memberships.to(one))),
            listed(state.groups.children[one]),
            listed(state.groups.parents[one]),
            listed(state.group_assignments.of(one)),
        )
        for one in groups
    ]
    tell_table(Table(("group", "members", "groups inside", "inside of", "roles"), rows))


@command(app)
def show(operator: Operator, name: GroupArgument) -> None:
    """Show a group: its members, the groups inside and around it, and its roles."""
    from grantproof.cli.shown import held_roles
    from grantproof.core.identifiers import GroupId
    from grantproof.core.model import Group, GroupAssignment
    from grantproof.policyfile import documents

    state, found = operator.state, GroupId(name)
    if found not in state.groups:
        raise absent("group", name)
    assigned = state.group_assignments.of(found)
    related: dict[str, list[str]] = {
        "members": sorted(state.memberships.to(found)),
        "groups": sorted(state.groups.children[found]),
        "containers": sorted(state.groups.parents[found]),
    }
    if operator.json:
        assignments = [GroupAssignment(found, role, assigned[role]) for role in sorted(assigned)]
        written = [documents.GroupAssignment.of(one).written() for one in assignments]
        tell_json({**documents.Group.of(Group(found)).written(), **related, "assignments": written})
        return
    tell_fields(
        [
            ("group", found),
            *((field, listed(names)) for field, names in related.items()),
            ("roles", held_roles(assigned)),
        ]
    )


@command(app)
def add(operator: Operator, name: GroupArgument, principal: PrincipalArgument) -> None:
    """Put a principal into a group."""
    from grantproof.core.commands.language import AddMember
    from grantproof.core.identifiers import GroupId, PrincipalId

    operator.propose(
        AddMember(PrincipalId(principal), GroupId(name)),
        done=f"principal `{principal}` belongs to group `{name}`",
    )


@command(app)
def remove(operator: Operator, name: GroupArgument, principal: PrincipalArgument) -> None:
    """Take a principal out of a group."""
    from grantproof.core.commands.language import RemoveMember
    from grantproof.core.identifiers import GroupId, PrincipalId

    operator.propose(
        RemoveMember(PrincipalId(principal), GroupId(name)),
        done=f"principal `{principal}` no longer belongs to group `{name}`",
    )


@command(app)
def nest(operator: Operator, name: GroupArgument, container: Container) -> None:
    """Put a group into a container: its principals hold the container's roles too."""
    from grantproof.core.commands.language import NestGroup
    from grantproof.core.identifiers import GroupId

    operator.propose(
        NestGroup(GroupId(name), GroupId(container)),
        done=f"group `{name}` is inside of `{container}`",
    )


@command(app)
def unnest(operator: Operator, name: GroupArgument, container: Container) -> None:
    """Take a group out of a container."""
    from grantproof.core.commands.language import UnnestGroup
    from grantproof.core.identifiers import GroupId

    operator.propose(
        UnnestGroup(GroupId(name), GroupId(container)),
        done=f"group `{name}` is no longer inside of `{container}`",
    )


@command(app)
def delete(operator: Operator, name: GroupArgument, *, cascade: Cascade = False) -> None:
    """Delete a group."""
    from grantproof.core.commands.language import DeleteGroup
    from grantproof.core.identifiers import GroupId

    operator.propose(DeleteGroup(GroupId(name), cascade), done=f"deleted group `{name}`")
