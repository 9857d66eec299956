"""Whether each index of an organization says what the facts say that it is of, and no more.

An organization is what its own facts make exactly if this holds. Nothing is made anew for it, which
would take ten times as long and as much memory again.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeVar

from grantproof.core.organization import Organization
from grantproof.core.relation import Graph, Relation

Key = TypeVar("Key", bound=Hashable)
Member = TypeVar("Member", bound=Hashable)
Node = TypeVar("Node", bound=Hashable)
Left = TypeVar("Left", bound=Hashable)
Right = TypeVar("Right", bound=Hashable)
Payload = TypeVar("Payload")
Entity = TypeVar("Entity")

Index = Mapping[Key, Mapping[Member, None]]


def mirrored(relation: Relation[Left, Right, Payload]) -> bool:
    """Return whether both directions have the same pairs, and no entry that is empty."""
    pairs = ((right, left) for left, right, _ in relation.triples())
    return all(map(len, relation.forward.values())) and _is_index(relation.backward, pairs)


def agreeing(state: Organization) -> bool:
    """Return whether the organization is what its own facts make, added one by one to nothing."""
    return all(holds(state) for holds in (_entities, _resources, _claims, _named, _links))


def _entities(state: Organization) -> bool:
    return (
        _is_named(state.principals, lambda one: one.id)
        and _is_named(state.resources, lambda one: one.id)
        and _is_named(state.claims, lambda one: one.id)
        and _is_named(state.sod_sets, lambda one: one.id)
        and _is_named(state.guardrails, lambda one: one.id)
    )


def _resources(state: Organization) -> bool:
    alike = ((one.kind, one.id) for one in state.resources.values())
    inside = ((one.parent, one.id) for one in state.resources.values() if one.parent is not None)
    # A kind stays declared without resources.
    return _lists(state.resources_of_kind, alike) and _is_index(state.resources_in_parent, inside)


def _claims(state: Organization) -> bool:
    by_role = ((one.role, one.id) for one in state.claims.values())
    by_resource = ((one.resource, one.id) for one in state.claims.values())
    return _is_index(state.claims_by_role, by_role) and _is_index(
        state.claims_by_resource, by_resource
    )


def _named(state: Organization) -> bool:
    by_role = ((role, one.id) for one in state.sod_sets.values() for role in one.roles)
    by_name = ((name, one.id) for one in state.guardrails.values() for name in set(one.names))
    return _is_index(state.sod_sets_by_role, by_role) and _is_index(
        state.guardrails_by_name, by_name
    )


def _links(state: Organization) -> bool:
    return (
        _is_graph(state.groups)
        and _is_graph(state.roles)
        and mirrored(state.memberships)
        and mirrored(state.assignments)
        and mirrored(state.group_assignments)
    )


def _is_named(entities: Mapping[Key, Entity], id_of: Callable[[Entity], Hashable]) -> bool:
    return all(name == id_of(one) for name, one in entities.items())


def _is_graph(graph: Graph[Node]) -> bool:
    """Return whether every node is in both directions, and every edge."""
    downward = ((parent, child) for child, parent in graph.edges())
    return set(graph.parents) == set(graph.children) and _lists(graph.children, downward)


def _is_index(index: Index[Key, Member], pairs: Iterable[tuple[Key, Member]]) -> bool:
    """Return whether the index has these pairs, each told once, no others and nothing empty."""
    return all(map(len, index.values())) and _lists(index, pairs)


def _lists(index: Index[Key, Member], pairs: Iterable[tuple[Key, Member]]) -> bool:
    """Return whether the index has these pairs, each told once, and no others."""
    count = 0
    for key, member in pairs:
        members = index.get(key)
        if members is None or member not in members:
            return False
        count += 1
    return count == sum(map(len, index.values()))
