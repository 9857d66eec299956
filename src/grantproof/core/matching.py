"""Which claims speak about a request: resources resolved, patterns matched.

A resource need not be registered: a request may name its kind. Anything else that is not
registered is unknown, and so is a registered resource named with another kind.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

from grantproof.core.attributes import NO_ATTRIBUTES, Attributes
from grantproof.core.constraints import Context, Situation
from grantproof.core.identifiers import Action, Kind, PrincipalId, ResourceId, RoleId
from grantproof.core.model import (
    ADMINISTRATIVE_ACTIONS,
    ActionPattern,
    Any,
    Claim,
    Exactly,
    OfKind,
    ResourcePattern,
    Within,
)
from grantproof.core.organization import Organization, implicit_kind


@dataclass(frozen=True, slots=True)
class Request:
    """Who wants to do what, on which resource.

    `kind` makes an unregistered resource known and must agree with a registered one's.
    `active_roles` are the roles chosen for a session; nothing means no session.
    """

    principal: PrincipalId
    action: Action
    resource: ResourceId
    kind: str | None = None
    active_roles: frozenset[RoleId] | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A known resource: `lineage` is the resource and its ancestors, empty when unregistered."""

    resource: ResourceId
    kind: str
    lineage: tuple[ResourceId, ...]
    attributes: Attributes


def resolve(state: Organization, request: Request) -> Target | None:
    """Return what the request is about, or nothing when that is unknown."""
    target = _registered(state, request.resource)
    if target is None:
        return _unregistered(state, request)
    return target if request.kind is None or request.kind == target.kind else None


def claim_matches(claim: Claim, action: Action, target: Target) -> bool:
    """Return whether the claim speaks about the action on the target, constraints apart."""
    return action_matches(claim.action, action) and resource_matches(claim.resource, target)


def action_matches(pattern: ActionPattern, action: Action) -> bool:
    """Return whether the pattern matches; `Any` matches no administrative action."""
    match pattern:
        case Exactly(value):
            return value == action
        case Any():
            return action not in ADMINISTRATIVE_ACTIONS
        case _:
            assert_never(pattern)


def resource_matches(pattern: ResourcePattern, target: Target) -> bool:
    """Return whether the pattern matches; only a registered resource matches by its id."""
    match pattern:
        case Exactly(value):
            return value == target.resource and value in target.lineage
        case Within(value):
            return value in target.lineage
        case OfKind(kind):
            return kind == target.kind
        case Any():
            return True
        case _:
            assert_never(pattern)


def patterns_on(target: Target) -> tuple[ResourcePattern, ...]:
    """Return every pattern that matches the target: what `resource_matches` says, turned round."""
    return (
        *map(Exactly, target.lineage[:1]),
        *map(Within, target.lineage),
        OfKind(target.kind),
        Any(),
    )


def claims_on(state: Organization, target: Target) -> Iterator[Claim]:
    """Yield the claims whose resource the target is, whatever their actions."""
    for pattern in patterns_on(target):
        for claim in state.claims_by_resource.get(pattern, ()):
            yield state.claims[claim]


def situate(
    state: Organization, request: Request, context: Context, *, target: Target
) -> Situation:
    """Return what constraints see of the request; the principal must exist."""
    stored = state.principals[request.principal].attributes
    return Situation(context, request.principal, stored, target.attributes)


def lineage(state: Organization, resource: ResourceId) -> tuple[ResourceId, ...]:
    """Return the registered resource and its ancestors, nearest first."""
    found = [resource]
    parent = state.resources[resource].parent
    while parent is not None:
        found.append(parent)
        parent = state.resources[parent].parent
    return tuple(found)


def descendants(state: Organization, roots: Iterable[ResourceId]) -> frozenset[ResourceId]:
    """Return the resources and everything inside them, at any depth."""
    found = set(roots)
    work = set(found)
    while work:
        resource = work.pop()
        if resource in state.resources_in_parent:
            for inside in state.resources_in_parent[resource]:
                if inside not in found:
                    found.add(inside)
                    work.add(inside)
    return frozenset(found)


def _registered(state: Organization, resource: ResourceId) -> Target | None:
    stored = state.resources.get(resource)
    if stored is not None:
        return Target(resource, stored.kind, lineage(state, resource), stored.attributes)
    kind = implicit_kind(state, resource)
    return None if kind is None else Target(resource, kind, (resource,), NO_ATTRIBUTES)


def _unregistered(state: Organization, request: Request) -> Target | None:
    if request.kind is None or request.kind not in state.resources_of_kind:
        return None
    return Target(request.resource, Kind(request.kind), (), NO_ATTRIBUTES)
