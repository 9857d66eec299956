"""Principals: people and service accounts."""

from grantproof.cli import people
from grantproof.cli.command import command, group
from grantproof.cli.exits import absent, usage
from grantproof.cli.operator import Operator
from grantproof.cli.options import Attributes, Cascade, Clear, Pairs, PrincipalArgument
from grantproof.cli.output import Table, listed, tell_fields, tell_json, tell_table

app = group("Principals: people and service accounts.")


@command(app)
def create(
    operator: Operator, principal: PrincipalArgument, *, attribute: Attributes = None
) -> None:
    """Add an active principal."""
    from grantproof.cli.values import typed_attributes
    from grantproof.core.commands.language import CreatePrincipal
    from grantproof.core.identifiers import PrincipalId

    new = CreatePrincipal(PrincipalId(principal), typed_attributes(attribute or []))
    operator.propose(new, done=f"created principal `{principal}`")


@command(app, "list")
def list_all(operator: Operator) -> None:
    """List the principals, with the roles assigned to them and the groups they are in."""
    from grantproof.cli.shown import attribute_pairs
    from grantproof.policyfile import documents

    state = operator.state
    principals = [state.principals[name] for name in sorted(state.principals)]
    if operator.json:
        tell_json([documents.Principal.of(one).written() for one in principals])
        return
    rows = [
        (
            one.id,
            "active" if one.active else "suspended",
            listed(state.assignments.of(one.id)),
            listed(state.memberships.of(one.id)),
            attribute_pairs(one.attributes),
        )
        for one in principals
    ]
    tell_table(Table(("principal", "status", "roles", "groups", "attributes"), rows))


@command(app)
def show(operator: Operator, principal: PrincipalArgument) -> None:
    """Show a principal: its attributes, groups and roles, inherited ones included."""
    from grantproof.cli.shown import attribute_pairs, held_roles
    from grantproof.core.hierarchy import effective_roles, groups_of
    from grantproof.core.identifiers import PrincipalId
    from grantproof.core.model import Assignment
    from grantproof.policyfile import documents

    state = operator.state
    found = state.principals.get(PrincipalId(principal))
    if found is None:
        raise absent("principal", principal)
    effective = sorted(effective_roles(state, found.id, operator.instant()))
    assigned = state.assignments.of(found.id)
    if operator.json:
        assignments = [Assignment(found.id, role, assigned[role]) for role in sorted(assigned)]
        tell_json(
            {
                **documents.Principal.of(found).written(),
                "groups": sorted(state.memberships.of(found.id)),
                "assignments": [documents.Assignment.of(one).written() for one in assignments],
                "effective_roles": effective,
            }
        )
        return
    tell_fields(
        [
            ("principal", found.id),
            ("status", "active" if found.active else "suspended"),
            ("attributes", attribute_pairs(found.attributes)),
            ("groups", listed(state.memberships.of(found.id))),
            ("groups, nested", listed(groups_of(state, found.id))),
            ("roles assigned", held_roles(assigned)),
            ("roles now", listed(effective)),
        ]
    )


@command(app)
def suspend(operator: Operator, principal: PrincipalArgument) -> None:
    """Deny a principal everything, and keep all it holds."""
    from grantproof.core.commands.language import SuspendPrincipal
    from grantproof.core.identifiers import PrincipalId

    operator.propose(
        SuspendPrincipal(PrincipalId(principal)), done=f"suspended principal `{principal}`"
    )


@command(app)
def resume(operator: Operator, principal: PrincipalArgument) -> None:
    """End a suspension."""
    from grantproof.core.commands.language import ResumePrincipal
    from grantproof.core.identifiers import PrincipalId

    operator.propose(
        ResumePrincipal(PrincipalId(principal)), done=f"resumed principal `{principal}`"
    )


@command(app)
def attributes(
    operator: Operator, principal: PrincipalArgument, pairs: Pairs = None, *, clear: Clear = False
) -> None:
    """Replace the attributes of a principal: those that are not given are removed."""
    from grantproof.cli.values import typed_attributes
    from grantproof.core.commands.language import SetPrincipalAttributes
    from grantproof.core.identifiers import PrincipalId

    if clear == bool(pairs):
        raise usage("give all the attributes as name=value, or --clear to remove every one")
    change = SetPrincipalAttributes(PrincipalId(principal), typed_attributes(pairs or []))
    operator.propose(change, done=f"replaced the attributes of principal `{principal}`")


@command(app)
def delete(operator: Operator, principal: PrincipalArgument, *, cascade: Cascade = False) -> None:
    """Delete a principal."""
    from grantproof.core.commands.language import DeletePrincipal
    from grantproof.core.identifiers import PrincipalId

    operator.propose(
        DeletePrincipal(PrincipalId(principal), cascade), done=f"deleted principal `{principal}`"
    )


command(app)(people.join)
command(app)(people.move)
command(app)(people.leave)
