"""When one claim says everything that another says: what holds the one may pass the other on.

Sound and not complete: what contains another matches all that it matches, now and after any further
change; of two that do the same in another form it may say no. P-ESCALATE.
"""

from typing import assert_never

from grantproof.core.attributes import Path, PrincipalIdentity, Root
from grantproof.core.constraints import METERED, Attribute, Constraint
from grantproof.core.identifiers import ResourceId
from grantproof.core.matching import lineage
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


def claim_contains(state: Organization, outer: Claim, inner: Claim) -> bool:
    """Return whether whoever holds `outer` may do all that `inner` lets anybody do.

    Each constraint of `outer` is one of `inner`, and none of them looks at who asks: what holds for
    one principal says nothing about another.
    """
    return (
        action_contains(outer.action, inner.action)
        and resource_contains(state, outer.resource, inner.resource)
        and not any(map(personal, outer.constraints))
        and all(constraint in inner.constraints for constraint in outer.constraints)
    )


def action_contains(outer: ActionPattern, inner: ActionPattern) -> bool:
    """Return whether `outer` matches every action that `inner` matches."""
    match outer:
        case Exactly():
            return outer == inner
        case Any():
            return not administrative(inner)
        case _:
            assert_never(outer)


def administrative(pattern: ActionPattern) -> bool:
    """Return whether the pattern names an action on Grantproof itself."""
    return isinstance(pattern, Exactly) and pattern.value in ADMINISTRATIVE_ACTIONS


def resource_contains(state: Organization, outer: ResourcePattern, inner: ResourcePattern) -> bool:
    """Return whether `outer` matches every resource that `inner` matches, those to come included.

    A resource keeps its kind and its place for as long as it is registered, so this stays true.
    """
    match outer:
        case Any():
            return True
        case Exactly():
            return outer == inner
        case OfKind(kind):
            named = isinstance(inner, Exactly) and _kind(state, inner.value) == kind
            return outer == inner or named
        case Within(container):
            inside = isinstance(inner, Exactly | Within) and container in _place(state, inner.value)
            return outer == inner or inside
        case _:
            assert_never(outer)


def personal(constraint: Constraint) -> bool:
    """Return whether the constraint depends on who asks: a meter, or a trait of the principal."""
    if not isinstance(constraint, Attribute):
        return isinstance(constraint, METERED)
    sides = (constraint.path, constraint.operand)
    return any(
        isinstance(side, PrincipalIdentity)
        or (isinstance(side, Path) and side.root is Root.PRINCIPAL)
        for side in sides
    )


def _kind(state: Organization, resource: ResourceId) -> str | None:
    stored = state.resources.get(resource)
    return implicit_kind(state, resource) if stored is None else stored.kind


def _place(state: Organization, resource: ResourceId) -> tuple[ResourceId, ...]:
    """Return the resource and all that it lies in; nothing where it is not registered."""
    if resource in state.resources:
        return lineage(state, resource)
    return () if implicit_kind(state, resource) is None else (resource,)
