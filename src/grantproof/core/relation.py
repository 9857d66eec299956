"""Persistent maps indexed both ways, so that a change costs what it touches.

A `Graph` is total: every node has an entry, so a lookup of a node that exists cannot fail. A
`Relation` is partial: what has no partner has no entry.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from immutables import Map

Node = TypeVar("Node", bound=Hashable)
Left = TypeVar("Left", bound=Hashable)
Right = TypeVar("Right", bound=Hashable)
Payload = TypeVar("Payload")
Key = TypeVar("Key", bound=Hashable)
Member = TypeVar("Member", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Graph(Generic[Node]):
    """A directed graph from each node to its parents. `parents` and `children` have every node."""

    parents: Map[Node, Map[Node, None]] = Map()
    children: Map[Node, Map[Node, None]] = Map()

    def __contains__(self, node: object) -> bool:
        return node in self.parents

    def __len__(self) -> int:
        return len(self.parents)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.parents)

    def has_edge(self, child: Node, parent: Node) -> bool:
        """Return whether `parent` is a parent of `child`."""
        return child in self.parents and parent in self.parents[child]

    def edges(self) -> Iterator[tuple[Node, Node]]:
        """Yield every (child, parent)."""
        for child, parents in self.parents.items():
            for parent in parents:
                yield child, parent

    def with_node(self, node: Node) -> "Graph[Node]":
        """Return the graph with one more node, which has no edges."""
        return Graph(self.parents.set(node, Map()), self.children.set(node, Map()))

    def without_node(self, node: Node) -> "Graph[Node]":
        """Return the graph without a node whose edges are gone already."""
        return Graph(self.parents.delete(node), self.children.delete(node))

    def with_edge(self, child: Node, parent: Node) -> "Graph[Node]":
        """Return the graph with one more edge between two of its nodes."""
        return Graph(
            self.parents.set(child, self.parents[child].set(parent, None)),
            self.children.set(parent, self.children[parent].set(child, None)),
        )

    def without_edge(self, child: Node, parent: Node) -> "Graph[Node]":
        """Return the graph without one of its edges."""
        return Graph(
            self.parents.set(child, self.parents[child].delete(parent)),
            self.children.set(parent, self.children[parent].delete(child)),
        )


@dataclass(frozen=True, slots=True)
class Relation(Generic[Left, Right, Payload]):
    """Pairs of a left and a right, each with a payload; at most one payload a pair."""

    forward: Map[Left, Map[Right, Payload]] = Map()
    backward: Map[Right, Map[Left, None]] = Map()

    def __len__(self) -> int:
        return sum(len(partners) for partners in self.forward.values())

    def of(self, left: Left) -> Map[Right, Payload]:
        """Return the partners of `left`, each with its payload."""
        partners = self.forward.get(left)
        return Map() if partners is None else partners

    def to(self, right: Right) -> Map[Left, None]:
        """Return everything whose partner is `right`."""
        partners = self.backward.get(right)
        return Map() if partners is None else partners

    def triples(self) -> Iterator[tuple[Left, Right, Payload]]:
        """Yield every (left, right, payload)."""
        for left, partners in self.forward.items():
            for right, payload in partners.items():
                yield left, right, payload

    def with_pair(
        self, left: Left, right: Right, payload: Payload
    ) -> "Relation[Left, Right, Payload]":
        """Return the relation with the pair, its payload replaced where the pair was there."""
        return Relation(
            self.forward.set(left, self.of(left).set(right, payload)),
            self.backward.set(right, self.to(right).set(left, None)),
        )

    def with_all(
        self, pairs: Mapping[Left, Mapping[Right, Payload]]
    ) -> "Relation[Left, Right, Payload]":
        """Return what `with_pair` makes of many in turn; each left has at least one right."""
        forward, backward = self.forward.mutate(), self.backward.mutate()
        lefts: dict[Right, dict[Left, None]] = {}
        for left, partners in pairs.items():
            forward[left] = self.of(left).update(partners)
            for right in partners:
                lefts.setdefault(right, {})[left] = None
        for right, some in lefts.items():
            backward[right] = self.to(right).update(some)
        return Relation(forward.finish(), backward.finish())

    def without_pair(self, left: Left, right: Right) -> "Relation[Left, Right, Payload]":
        """Return the relation without one of its pairs."""
        rights, lefts = self.of(left).delete(right), self.to(right).delete(left)
        return Relation(
            self.forward.set(left, rights) if rights else self.forward.delete(left),
            self.backward.set(right, lefts) if lefts else self.backward.delete(right),
        )


def with_member(
    index: Map[Key, Map[Member, None]], key: Key, member: Member
) -> Map[Key, Map[Member, None]]:
    """Return an index of sets with `member` added under `key`."""
    members = index.get(key)
    alone: Map[Member, None] = Map()
    return index.set(key, (alone if members is None else members).set(member, None))


def without_member(
    index: Map[Key, Map[Member, None]], key: Key, member: Member
) -> Map[Key, Map[Member, None]]:
    """Return an index of sets with `member` removed under `key`; an empty set leaves no entry."""
    members = index[key].delete(member)
    return index.set(key, members) if members else index.delete(key)
