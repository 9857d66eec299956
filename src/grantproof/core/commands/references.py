"""What refers to an entity: the witness of a refused deletion, and what a cascade removes.

One answer for both, so that a cascade removes exactly what a refusal lists.
"""

from collections.abc import Iterable, Iterator
from typing import assert_never

from grantproof.core.commands.language import (
    DeleteGroup,
    DeleteKind,
    DeletePrincipal,
    DeleteResource,
    DeleteRole,
    DeleteSodSet,
)
from grantproof.core.errors import Noun, Reference
from grantproof.core.identifiers import GroupId, Kind, PrincipalId, ResourceId, RoleId
from grantproof.core.matching import descendants
from grantproof.core.model import (
    Assignment,
    Claim,
    Exactly,
    GroupAssignment,
    Inheritance,
    Membership,
    Nesting,
    OfKind,
    Resource,
    ResourcePattern,
    Within,
)
from grantproof.core.organization import Organization

Deletion = DeletePrincipal | DeleteGroup | DeleteRole | DeleteKind | DeleteResource | DeleteSodSet
Dependent = Assignment | GroupAssignment | Membership | Nesting | Inheritance | Claim | Resource


def dependents(state: Organization, deletion: Deletion) -> tuple[Dependent, ...]:
    """Return every fact that refers to the entity to be deleted, directly or through others."""
    match deletion:
        case DeletePrincipal():
            found = _of_principal(state, deletion.principal)
        case DeleteGroup():
            found = _of_group(state, deletion.group)
        case DeleteRole():
            found = _of_role(state, deletion.role)
        case DeleteKind():
            found = _of_kind(state, deletion.kind)
        case DeleteResource():
            found = _of_resources(state, [deletion.resource], besides=deletion.resource)
        case DeleteSodSet():
            found = _claims_on(state, ResourceId(f"sod-set:{deletion.sod_set}"))
        case _:
            assert_never(deletion)
    # A claim of a role may also be on that role: a fact is listed once.
    return tuple(dict.fromkeys(found))


def named(deletion: Deletion) -> tuple[Noun, str]:
    """Return the noun and the id of what is to be deleted."""
    match deletion:
        case DeletePrincipal(principal):
            return "principal", principal
        case DeleteGroup(group):
            return "group", group
        case DeleteRole(role):
            return "role", role
        case DeleteKind(kind):
            return "kind", kind
        case DeleteResource(resource):
            return "resource", resource
        case DeleteSodSet(sod_set):
            return "separation-of-duty set", sod_set
        case _:
            assert_never(deletion)


def reference(fact: Dependent) -> Reference:
    """Return how a dependent is named to people."""
    match fact:
        case Assignment():
            return Reference("assignment", (fact.principal, fact.role))
        case GroupAssignment():
            return Reference("assignment", (fact.group, fact.role))
        case Membership():
            return Reference("membership", (fact.principal, fact.group))
        case Nesting():
            return Reference("nesting", (fact.group, fact.container))
        case Inheritance():
            return Reference("parent", (fact.role, fact.parent))
        case Claim():
            return Reference("claim", (fact.id,))
        case Resource():
            return Reference("resource", (fact.id,))
        case _:
            assert_never(fact)


def _of_principal(state: Organization, principal: PrincipalId) -> Iterator[Dependent]:
    yield from (Membership(principal, group) for group in state.memberships.of(principal))
    for role, validity in state.assignments.of(principal).items():
        yield Assignment(principal, role, validity)


def _of_group(state: Organization, group: GroupId) -> Iterator[Dependent]:
    yield from (Membership(principal, group) for principal in state.memberships.to(group))
    yield from (Nesting(group, container) for container in state.groups.parents[group])
    yield from (Nesting(nested, group) for nested in state.groups.children[group])
    for role, validity in state.group_assignments.of(group).items():
        yield GroupAssignment(group, role, validity)
    yield from _claims_on(state, ResourceId(f"group:{group}"))


def _of_role(state: Organization, role: RoleId) -> Iterator[Dependent]:
    yield from (Inheritance(role, parent) for parent in state.roles.parents[role])
    yield from (Inheritance(child, role) for child in state.roles.children[role])
    for principal in state.assignments.to(role):
        yield Assignment(principal, role, state.assignments.of(principal)[role])
    for group in state.group_assignments.to(role):
        yield GroupAssignment(group, role, state.group_assignments.of(group)[role])
    if role in state.claims_by_role:
        yield from (state.claims[claim] for claim in state.claims_by_role[role])
    yield from _claims_on(state, ResourceId(f"role:{role}"))


def _of_kind(state: Organization, kind: Kind) -> Iterator[Dependent]:
    yield from _of_resources(state, state.resources_of_kind[kind], besides=None)
    yield from _claims_naming(state, OfKind(kind))


def _of_resources(
    state: Organization, roots: Iterable[ResourceId], *, besides: ResourceId | None
) -> Iterator[Dependent]:
    for resource in sorted(descendants(state, roots)):
        yield from _claims_on(state, resource)
        if resource != besides:
            yield state.resources[resource]


def _claims_on(state: Organization, resource: ResourceId) -> Iterator[Claim]:
    yield from _claims_naming(state, Exactly(resource))
    yield from _claims_naming(state, Within(resource))


def _claims_naming(state: Organization, pattern: ResourcePattern) -> Iterator[Claim]:
    if pattern in state.claims_by_resource:
        yield from (state.claims[claim] for claim in state.claims_by_resource[pattern])
