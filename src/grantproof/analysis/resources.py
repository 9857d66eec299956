"""Resources and actions that a question cannot tell apart, taken together."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from grantproof.analysis.formulas import Stored
from grantproof.analysis.principals import PrincipalClass
from grantproof.analysis.reads import restricted
from grantproof.analysis.strangers import fresh, target_of, unregistered
from grantproof.core.attributes import (
    Attributes,
    booleans,
)
from grantproof.core.identifiers import (
    Action,
    AttributeName,
)
from grantproof.core.matching import Target, patterns_on
from grantproof.core.model import (
    ActionPattern,
    Exactly,
    ResourcePattern,
)
from grantproof.core.organization import Organization


@dataclass(frozen=True, slots=True)
class TargetClass:
    """Resources that match the same of the patterns asked about and store the same of what is read.

    `target` stands for them: to ask about it takes its `kind` where it is not registered. `count`
    is how many there are; of unregistered ones of a kind there is no number, and one is counted.
    """

    target: Target
    kind: str | None
    patterns: frozenset[ResourcePattern]
    attributes: Attributes
    count: int


def target_classes(
    state: Organization, patterns: Iterable[ResourcePattern], names: frozenset[AttributeName]
) -> tuple[TargetClass, ...]:
    """Return the classes of all resources that one of the patterns matches, in order of their ids.

    These are the registered ones, the implicit ones, and one of each declared kind that is not
    registered. `names` are the attributes that are read.
    """
    asked = frozenset(patterns)
    found: dict[tuple[object, ...], TargetClass] = {}
    for target, kind in _targets(state):
        matched = asked.intersection(patterns_on(target))
        if len(matched) > 0:
            kept = restricted(target.attributes, names)
            key = (matched, kept, booleans(kept))
            known = found.get(key)
            found[key] = (
                TargetClass(target, kind, matched, kept, 1)
                if known is None
                else replace(known, count=known.count + 1)
            )
    return tuple(found.values())


def _targets(state: Organization) -> Iterator[tuple[Target, str | None]]:
    """Yield each resource there is, in the order of their ids, then those that are not there."""
    for resource in sorted((*state.resources, *state.implicit_resources())):
        target = target_of(state, resource)
        if target is not None:
            yield target, None
    for kind in sorted(state.resources_of_kind):
        target = target_of(state, unregistered(kind, state), kind)
        if target is not None:
            yield target, kind


def actions_of(patterns: Iterable[ActionPattern]) -> tuple[Action, ...]:
    """Return the actions that the patterns can tell apart: those they name, and any other."""
    named = {pattern.value for pattern in patterns if isinstance(pattern, Exactly)}
    return (*sorted(named), Action(fresh("any-other", named)))


def stored(principals: PrincipalClass, resources: TargetClass) -> Stored:
    """Return what constraints read of the two classes."""
    return Stored(principals.representative, principals.profile.attributes, resources.attributes)
