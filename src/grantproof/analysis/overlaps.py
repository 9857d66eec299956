"""Which claims speak about an access, and on which resources: claims first, then what they name.

Resources that are stored alike in all that is read are one place, and the least of them stands for
the others.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

from grantproof.analysis.reads import read_of_resources, restricted
from grantproof.analysis.selection import stores
from grantproof.analysis.strangers import target_of, unregistered
from grantproof.core.attributes import Attributes, booleans
from grantproof.core.constraints import Constraint
from grantproof.core.guardrails import Access
from grantproof.core.identifiers import (
    IMPLICIT_KINDS,
    KIND_PREFIX,
    Action,
    AttributeName,
    Kind,
    PrincipalId,
    ResourceId,
)
from grantproof.core.matching import (
    Request,
    Target,
    action_matches,
    descendants,
    patterns_on,
    resource_matches,
)
from grantproof.core.model import (
    ActionPattern,
    Any,
    Claim,
    Exactly,
    OfKind,
    ResourcePattern,
    Within,
)
from grantproof.core.organization import Organization, implicit_kind

ANY_ACTION: Final = Action("any-action")
"""Stands for every action that is not administrative, where no pattern names one."""

RANK: Final = {Exactly: 0, Within: 1, OfKind: 2, Any: 3}


@dataclass(frozen=True, slots=True)
class Place:
    """A resource that stands for all that store the same of what is read.

    To ask about it takes its `kind` where it is not registered.
    """

    resource: ResourceId
    kind: str | None
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Grant:
    """A claim and what it grants under an access: an action on a place."""

    claim: Claim
    action: Action
    place: Place

    def asked_by(self, principal: PrincipalId) -> Request:
        """Return the request that the grant is about."""
        return Request(principal, self.action, self.place.resource, self.place.kind)


def common_action(one: ActionPattern, other: ActionPattern) -> Action | None:
    """Return an action that both patterns match, or nothing."""
    if isinstance(one, Exactly):
        return one.value if action_matches(other, one.value) else None
    if isinstance(other, Exactly):
        return other.value if action_matches(one, other.value) else None
    return ANY_ACTION


class Overlaps:
    """The places that patterns share in one organization, each pattern looked up once."""

    def __init__(self, state: Organization) -> None:
        self._state = state
        self._targets: dict[str, tuple[Target, str | None] | None] = {}
        self._members: dict[ResourcePattern, tuple[str, ...]] = {}
        self._places: dict[tuple[object, ...], tuple[Place, ...]] = {}

    def grants(
        self,
        access: Access,
        extra: Iterable[Constraint] = (),
        *,
        claims: Iterable[Claim] | None = None,
        only: Collection[str] | None = None,
    ) -> tuple[Grant, ...]:
        """Return what the claims grant under the access: unconstrained claims first, then by id.

        `extra` are constraints whose reading of resources counts too; `claims` are all of the
        organization unless told; `only` are the resources, and kinds for unregistered ones, that
        are looked at where not all are.
        """
        read = read_of_resources(extra)
        found = [
            Grant(claim, action, place)
            for claim in (self.claims_on(access) if claims is None else claims)
            if (action := common_action(access.action, claim.action)) is not None
            for place in self._shared(
                claim.resource, access, read | read_of_resources(claim.constraints), only=only
            )
        ]
        found.sort(key=lambda grant: (len(grant.claim.constraints) > 0, grant.claim.id))
        return tuple(found)

    def claims_on(self, access: Access) -> Iterator[Claim]:
        """Yield the claims whose patterns may speak about the access."""
        state, by_resource = self._state, self._state.claims_by_resource
        patterns: Iterable[ResourcePattern] = by_resource
        if isinstance(access.resource, Exactly | Within):
            patterns = self.patterns_on(self._inside(access.resource))
        for pattern in patterns:
            for name in by_resource.get(pattern, ()):
                claim = state.claims[name]
                if common_action(access.action, claim.action) is not None:
                    yield claim

    def patterns_on(self, resources: Iterable[str]) -> frozenset[ResourcePattern]:
        """Return the patterns that match one of the resources; a kind means unregistered ones."""
        found: set[ResourcePattern] = set()
        for resource in resources:
            known = self._target(resource)
            if known is not None:
                target, _ = known
                found.update(patterns_on(target))
        return frozenset(found)

    def _shared(
        self,
        pattern: ResourcePattern,
        access: Access,
        read: frozenset[AttributeName],
        *,
        only: Collection[str] | None,
    ) -> tuple[Place, ...]:
        if only is not None:
            return self._among(only, (pattern, access.resource), access=access, read=read)
        key = (pattern, access.resource, access.attributes, access.booleans, read)
        known = self._places.get(key)
        if known is None:
            narrow, wide = sorted((pattern, access.resource), key=lambda one: RANK[type(one)])
            if isinstance(narrow, OfKind) and isinstance(wide, OfKind) and narrow != wide:
                known = ()
            else:
                known = self._among(self._of(narrow), (narrow, wide), access=access, read=read)
            self._places[key] = known
        return known

    def _among(
        self,
        names: Iterable[str],
        patterns: Iterable[ResourcePattern],
        *,
        access: Access,
        read: frozenset[AttributeName],
    ) -> tuple[Place, ...]:
        patterns = tuple(patterns)
        found: dict[tuple[object, ...], Place] = {}
        for name in names:
            known = self._target(name)
            if known is None:
                continue
            target, kind = known
            if not all(resource_matches(pattern, target) for pattern in patterns):
                continue
            if not stores(target.attributes, access.attributes):
                continue
            kept = restricted(target.attributes, read)
            place = Place(target.resource, kind, kept)
            found.setdefault((kept, booleans(kept)), place)
            if len(read) == 0:
                break
        return tuple(found.values())

    def _of(self, pattern: ResourcePattern) -> tuple[str, ...]:
        """Return what the pattern may match: registered, implicit, then kinds, each in order."""
        known = self._members.get(pattern)
        if known is None:
            known = self._members[pattern] = tuple(self._listed(pattern))
        return known

    def _listed(self, pattern: ResourcePattern) -> Iterable[str]:
        state = self._state
        match pattern:
            case Exactly() | Within():
                return self._inside(pattern)
            case OfKind(kind) if kind in IMPLICIT_KINDS:
                return sorted(
                    one for one in state.implicit_resources() if one.startswith(f"{kind}:")
                )
            case OfKind(kind):
                declared = state.resources_of_kind.get(Kind(kind))
                return () if declared is None else chain(sorted(declared), (of_kind(kind),))
            case Any():
                kinds = map(of_kind, sorted(state.resources_of_kind))
                return chain(sorted(state.resources), sorted(state.implicit_resources()), kinds)

    def _inside(self, pattern: Exactly[ResourceId] | Within) -> Iterable[ResourceId]:
        state = self._state
        if isinstance(pattern, Within) and pattern.value in state.resources:
            return sorted(descendants(state, {pattern.value}))
        there = pattern.value in state.resources or implicit_kind(state, pattern.value) is not None
        return (pattern.value,) if there else ()

    def _target(self, name: str) -> tuple[Target, str | None] | None:
        if name not in self._targets:
            self._targets[name] = self._resolved(name)
        return self._targets[name]

    def _resolved(self, name: str) -> tuple[Target, str | None] | None:
        if not name.startswith(KIND_PREFIX):
            target = target_of(self._state, ResourceId(name))
            return None if target is None else (target, None)
        kind = Kind(name.removeprefix(KIND_PREFIX))
        target = target_of(self._state, unregistered(kind, self._state), kind)
        return None if target is None else (target, kind)


def of_kind(kind: str) -> str:
    """Return the name under which the unregistered resources of a kind are looked up."""
    return f"{KIND_PREFIX}{kind}"
