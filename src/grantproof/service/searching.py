"""Whom, what and which actions a search has to look at: all that can be among its answers.

What is left out here cannot be allowed, whatever the context; the rest is decided one by one. All
of it is pure, on one state, so that it may be found in a thread.
"""

from collections.abc import Iterable, Iterator

from grantproof.core.hierarchy import closure, groups_of, holders_of, members_of
from grantproof.core.identifiers import Action, GroupId, PrincipalId, ResourceId, RoleId
from grantproof.core.matching import (
    Request,
    action_matches,
    claim_matches,
    claims_on,
    descendants,
    resolve,
    resource_matches,
)
from grantproof.core.model import Any, Claim, Exactly, OfKind, Within
from grantproof.core.organization import Organization
from grantproof.core.rights import claims_of
from grantproof.service.standard_review import target_of


def principals(
    state: Organization, request: Request, *, group: GroupId | None = None
) -> Iterable[PrincipalId]:
    """Return whoever may do the action on the resource, of the group if there is one.

    The principal of the request does not matter.
    """
    target = resolve(state, request)
    if target is None:
        return ()
    roles = {
        claim.role
        for claim in claims_on(state, target)
        if claim_matches(claim, request.action, target)
    }
    holders = holders_of(state, roles)
    if group is None:
        return holders
    # A type may be set to a group that this organization does not have.
    return holders & members_of(state, (group,)) if group in state.groups else ()


def resources(state: Organization, request: Request) -> Iterable[str]:
    """Return the resources of the request's kind on which its principal may do the action.

    Registered and implicit ones: what is only named in passing cannot be listed.
    """
    granting = [
        claim
        for claim in _held(state, request.principal)
        if action_matches(claim.action, request.action)
    ]
    named = frozenset[ResourceId]()
    for claim in granting:
        match claim.resource:
            case Any():
                return _of_kind(state, request.kind)
            case OfKind(kind):
                if kind == request.kind:
                    return _of_kind(state, request.kind)
            case Exactly(resource):
                named |= {resource}
            case Within(resource):
                named |= descendants(state, (resource,))
    return (one for one in named if _kind_of(state, one) == request.kind)


def actions(state: Organization, request: Request) -> Iterable[Action]:
    """Return the actions that the principal may do on the resource, of those that claims name.

    The action of the request does not matter.
    """
    target = resolve(state, request)
    if target is None:
        return ()
    granting = [
        claim
        for claim in _held(state, request.principal)
        if resource_matches(claim.resource, target)
    ]
    if any(isinstance(claim.action, Any) for claim in granting):
        return _named(state.claims.values())
    return _named(granting)


def _named(claims: Iterable[Claim]) -> frozenset[Action]:
    return frozenset(claim.action.value for claim in claims if isinstance(claim.action, Exactly))


def _held(state: Organization, principal: PrincipalId) -> Iterator[Claim]:
    """Yield the claims that the principal holds at some instant, inherited ones too."""
    groups = groups_of(state, principal)
    roles: set[RoleId] = set(state.assignments.of(principal))
    roles.update(role for group in groups for role in state.group_assignments.of(group))
    for role in closure(roles, state.roles.parents):
        yield from claims_of(state, role)


def _of_kind(state: Organization, kind: str | None) -> Iterable[str]:
    if kind in state.resources_of_kind:
        return state.resources_of_kind[kind]  # type: ignore[index]  # a key, as was just found
    return (one for one in state.implicit_resources() if one.partition(":")[0] == kind)


def _kind_of(state: Organization, resource: ResourceId) -> str | None:
    target = target_of(state, resource)
    return None if target is None else target.kind
