"""Where two states of an organization differ, and so the only places where an answer can.

Persistent maps that both states share are passed over at once; in others, entries are compared. So
this costs little where one state came of the other, and a look at every entry where it did not.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from immutables import Map

from grantproof.core.hierarchy import closure
from grantproof.core.identifiers import (
    Kind,
    PrincipalId,
    ResourceId,
    RoleId,
)
from grantproof.core.matching import descendants
from grantproof.core.model import Claim, ResourcePattern
from grantproof.core.organization import Organization

Key = TypeVar("Key", bound=str)
Entry = TypeVar("Entry")
Node = TypeVar("Node", bound=str)


@dataclass(frozen=True, slots=True)
class Touched:
    """What differs between two states, and what that may reach.

    `roles` may have other holders, `patterns` are those of claims that are not in both, `resources`
    are known by other kinds, ancestors or attributes. The `people` store other attributes.
    """

    roles: frozenset[RoleId]
    patterns: frozenset[ResourcePattern]
    resources: frozenset[ResourceId]
    kinds: frozenset[Kind]
    people: frozenset[PrincipalId]


def touched(old: Organization, new: Organization) -> Touched:
    """Return where the two states differ."""
    people = [
        (was, now)
        for _, was, now in _changes(old.principals, new.principals)
        if was is not None and now is not None
    ]
    claims = [both for _, *both in _changes(old.claims, new.claims)]
    kinds = {
        kind
        for kind in {*old.resources_of_kind, *new.resources_of_kind}
        if (kind in old.resources_of_kind) != (kind in new.resources_of_kind)
    }
    return Touched(
        roles=frozenset(_roles(old, new)),
        patterns=frozenset(
            one.resource for both in claims for one in both if isinstance(one, Claim)
        ),
        resources=frozenset(_resources(old, new)),
        kinds=frozenset(kinds),
        people=frozenset(
            was.id
            for was, now in people
            if (was.attributes, was.booleans) != (now.attributes, now.booleans)
        ),
    )


def _roles(old: Organization, new: Organization) -> Iterator[RoleId]:
    """Yield the roles that somebody may hold in one of the states only, or at other times."""
    roles = set(_reassigned(old.assignments.forward, new.assignments.forward))
    roles.update(_reassigned(old.group_assignments.forward, new.group_assignments.forward))
    roles.update(_reassigned(old.roles.parents, new.roles.parents))
    groups = set(_reassigned(old.memberships.forward, new.memberships.forward))
    groups.update(_reassigned(old.groups.parents, new.groups.parents))
    asleep = [
        principal
        for principal, was, now in _changes(old.principals, new.principals)
        if was is not None and now is not None and was.active != now.active
    ]
    for state in (old, new):
        through, given = set(groups), set(roles)
        for principal in asleep:
            through.update(state.memberships.of(principal))
            given.update(state.assignments.of(principal))
        for group in _closed(through, state.groups.parents):
            given.update(state.group_assignments.of(group))
        yield from _closed(given, state.roles.parents)


def _resources(old: Organization, new: Organization) -> Iterator[ResourceId]:
    """Yield the resources that one of the states knows in another way than the other."""
    changes = list(_changes(old.resources, new.resources))
    moved = {
        resource
        for resource, was, now in changes
        if was is None or now is None or was.parent != now.parent
    }
    yield from (resource for resource, _, _ in changes)
    yield from descendants(old, moved)
    yield from descendants(new, moved)
    same = (was is now for was, now in zip(_implicit(old), _implicit(new), strict=True))
    if old.id != new.id or not all(same):
        yield from {*old.implicit_resources()} ^ {*new.implicit_resources()}


def _implicit(state: Organization) -> tuple[object, ...]:
    """Return what the implicit resources are made of, apart from the organization's own."""
    return (state.roles.parents, state.groups.parents, state.sod_sets)


def _closed(some: Iterable[Node], parents: Mapping[Node, Iterable[Node]]) -> frozenset[Node]:
    """Return the nodes that there are, and all above them."""
    return closure((node for node in some if node in parents), parents)


def _reassigned(old: Map[Key, Map[Node, Entry]], new: Map[Key, Map[Node, Entry]]) -> Iterator[Node]:
    """Yield what some key is linked with in one of the relations only, or in another way."""
    for _, was, now in _changes(old, new):
        before: Map[Node, Entry] = Map() if was is None else was
        after: Map[Node, Entry] = Map() if now is None else now
        yield from (node for node, entry in before.items() if after.get(node, before) != entry)
        yield from (node for node in after if node not in before)


def _changes(
    old: Map[Key, Entry], new: Map[Key, Entry]
) -> Iterator[tuple[Key, Entry | None, Entry | None]]:
    """Yield each key with its entry in both maps where the entries are not the same."""
    if old is new:
        return
    for key, was in old.items():
        now = new.get(key)
        if now is not was and now != was:
            yield key, was, now
    for key, now in new.items():
        if key not in old:
            yield key, None, now
