"""The resources on which two states may differ, each as both of them see it.

A request may name a resource by its id alone or with a kind. Here the kind is one by which one of
the states knows the resource: to call it anything else is to ask about another thing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grantproof.analysis.findings import Subject
from grantproof.analysis.reads import restricted
from grantproof.analysis.strangers import target_of, unregistered
from grantproof.analysis.touched import Touched
from grantproof.core.attributes import NO_ATTRIBUTES, Attributes, booleans
from grantproof.core.identifiers import AttributeName, Kind, ResourceId
from grantproof.core.matching import Target, descendants, patterns_on
from grantproof.core.model import Any, Exactly, OfKind, ResourcePattern, Within
from grantproof.core.organization import Organization, implicit_kind

Patterns = frozenset[ResourcePattern]


@dataclass(frozen=True, slots=True)
class View:
    """A resource as a state knows it: the claims' patterns that match it, and its attributes."""

    patterns: Patterns
    attributes: Attributes

    def reading(self, names: frozenset[AttributeName]) -> tuple[object, ...]:
        """Return what constraints that read these attributes can tell of it."""
        kept = restricted(self.attributes, names)
        return (kept, booleans(kept))


UNKNOWN = View(frozenset(), NO_ATTRIBUTES)


@dataclass(frozen=True, slots=True)
class Sight:
    """A resource as both states know it; `moved` if they know it in different ways."""

    subject: Subject
    old: View
    new: View
    moved: bool


def sights(
    old: Organization, new: Organization, patterns: Iterable[ResourcePattern], *, where: Touched
) -> Iterator[Sight]:
    """Yield the resources that the patterns match, and those that were touched, in their order."""
    asked = frozenset(patterns)
    known = set(where.resources)
    for state in (old, new):
        known.update(*(_matched(state, pattern) for pattern in asked))
    for resource in sorted(known):
        yield from _sights(old, new, resource)
    for kind in sorted({*old.resources_of_kind, *new.resources_of_kind}):
        if kind in where.kinds or Any() in asked or OfKind(kind) in asked:
            subject = Subject(unregistered(kind, old, new), kind, registered=False)
            yield _sight(old, new, subject)


def _sights(old: Organization, new: Organization, resource: ResourceId) -> Iterator[Sight]:
    """Yield the resource under its id alone, then under its kinds where that makes a difference."""
    plain = _targets(old, new, Subject(resource))
    yield _sight(old, new, Subject(resource))
    if plain[0] == plain[1]:
        return
    for kind in sorted({*_kind(old, resource), *_kind(new, resource)}):
        if _targets(old, new, Subject(resource, kind)) != plain:
            yield _sight(old, new, Subject(resource, kind))


def _sight(old: Organization, new: Organization, subject: Subject) -> Sight:
    was, now = _targets(old, new, subject)
    moved = was != now or _booleans(was) != _booleans(now)
    return Sight(subject, _view(old, was), _view(new, now), moved)


def _targets(
    old: Organization, new: Organization, subject: Subject
) -> tuple[Target | None, Target | None]:
    resource, kind = subject.resource, subject.kind
    return target_of(old, resource, kind), target_of(new, resource, kind)


def _booleans(target: Target | None) -> frozenset[AttributeName]:
    return frozenset() if target is None else booleans(target.attributes)


def _view(state: Organization, target: Target | None) -> View:
    if target is None:
        return UNKNOWN
    claimed = frozenset(one for one in patterns_on(target) if one in state.claims_by_resource)
    return View(claimed, target.attributes)


def _kind(state: Organization, resource: ResourceId) -> Iterator[str]:
    stored = state.resources.get(resource)
    kind = implicit_kind(state, resource) if stored is None else stored.kind
    if kind is not None:
        yield kind


def _matched(state: Organization, pattern: ResourcePattern) -> Iterable[ResourceId]:
    """Return the ids that the pattern may match, in this state."""
    match pattern:
        case Exactly(resource):
            return (resource,)
        case Within(resource):
            return descendants(state, {resource})
        case OfKind(kind) if kind in state.resources_of_kind:
            return state.resources_of_kind[Kind(kind)]
        case OfKind(kind):
            return (one for one in state.implicit_resources() if one.startswith(f"{kind}:"))
        case Any():
            return (*state.resources, *state.implicit_resources())
