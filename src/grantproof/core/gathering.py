"""An organization made of many facts at once: equal to adding them one by one, in a tenth of it.

Each index is filled in place and persistent from the end on. Whoever reads all facts there are goes
through here, and whoever changes some through `organization.changed`; a property test holds the
two together. What is equal becomes one value where that is cheap, for most principals have one of
few sets of roles.
"""

from array import array
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Final, Generic, TypeVar

from immutables import Map, MapMutation

from grantproof.core.guardrails import Named
from grantproof.core.identifiers import (
    ClaimId,
    GroupId,
    GuardrailId,
    Kind,
    PrincipalId,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.model import (
    ALWAYS,
    Administered,
    Assignment,
    Claim,
    Fact,
    Group,
    GroupAssignment,
    Guardrail,
    Inheritance,
    KindDeclaration,
    Membership,
    Nesting,
    Principal,
    Resource,
    ResourcePattern,
    Role,
    SodSet,
    Validity,
)
from grantproof.core.organization import Organization
from grantproof.core.relation import Graph, Relation

ALIKE_MAX: Final = 65_536
"""So many sets of partners are remembered, to be shared by all who have the same ones."""

NEIGHBOURHOODS: Final = 1_024
"""The first two levels of a map, each of 32 branches."""

NOTHING: Final[Map[Any, Any]] = Map()

Key = TypeVar("Key", bound=Hashable)
Member = TypeVar("Member", bound=Hashable)
Node = TypeVar("Node", bound=Hashable)
Left = TypeVar("Left", bound=Hashable)
Right = TypeVar("Right", bound=Hashable)
Payload = TypeVar("Payload")

Lists = defaultdict[Key, list[Member]]


class Edges(Generic[Node]):
    """A graph that is being gathered: nodes first, then the edges between them."""

    def __init__(self) -> None:
        self._nodes: dict[Node, None] = {}
        self._parents: Lists[Node, Node] = defaultdict(list)
        self._children: Lists[Node, Node] = defaultdict(list)

    def add_node(self, node: Node) -> None:
        """Take one more node."""
        self._nodes[node] = None

    def add_edge(self, child: Node, parent: Node) -> None:
        """Take an edge; raises `KeyError` with the first of both that is no node."""
        for node in (child, parent):
            if node not in self._nodes:
                raise KeyError(node)
        self._parents[child].append(parent)
        self._children[parent].append(child)

    def made(self) -> Graph[Node]:
        """Return the graph, in which every node has an entry; most have the same empty one."""
        lonely: Map[Node, Map[Node, None]] = Map(dict.fromkeys(self._nodes, Map()))
        return Graph(lonely.update(_sets(self._parents)), lonely.update(_sets(self._children)))


class Pairs(Generic[Left, Right, Payload]):
    """A relation that is being gathered; most pairs have the payload that is `usual`."""

    def __init__(self, usual: Payload) -> None:
        self._usual = usual
        self._forward: MapMutation[Left, Map[Right, Payload]] = _none()
        self._alike: dict[tuple[Right, ...], Map[Right, Payload]] = {}
        self._rights: dict[Left, tuple[Right, ...]] = {}
        self._unusual: dict[Left, dict[Right, Payload]] = {}
        self._lefts: Lists[Right, Left] = defaultdict(list)

    def add(self, left: Left, right: Right, payload: Payload) -> None:
        """Take a pair."""
        if payload is self._usual:
            self._rights[left] = (*self._rights.get(left, ()), right)
        else:
            self._unusual.setdefault(left, {})[right] = payload
        self._lefts[right].append(left)

    def among(self, rights: Sequence[Right]) -> "Among[Left, Right, Payload]":
        """Return what takes pairs by where the right one of each stands in `rights`."""
        lefts = [self._lefts[one] for one in rights]
        return Among(rights, self._usual, forward=self._forward, lefts=lefts)

    def made(self) -> Relation[Left, Right, Payload]:
        """Return the relation; what was gathered is used up."""
        forward = self._forward
        for left, rights in self._rights.items():
            forward[left] = self._partners(rights)
        self._rights.clear()
        for left, others in self._unusual.items():
            partners: MapMutation[Right, Payload] = forward.get(left, NOTHING).mutate()
            for right, payload in others.items():
                partners[right] = payload
            forward[left] = partners.finish()
        lefts = {right: some for right, some in self._lefts.items() if some}
        return Relation(forward.finish(), _sets(lefts))

    def _partners(self, rights: tuple[Right, ...]) -> Map[Right, Payload]:
        found = self._alike.get(rights)
        if found is None:
            found = _filled(rights, self._usual)
            if len(self._alike) < ALIKE_MAX:
                self._alike[rights] = found
        return found


class Among(Generic[Left, Right, Payload]):
    """Pairs with the usual payload whose rights are told by their places: for a million of them.

    What is taken goes to the `Pairs` that it is of: by the right side when it is read, by the left
    side when `add_forward` is told of it, in an order that suits a large map.
    """

    def __init__(
        self,
        rights: Sequence[Right],
        usual: Payload,
        *,
        forward: MapMutation[Left, Map[Right, Payload]],
        lefts: Iterable[list[Left]],
    ) -> None:
        self._rights = rights
        self._usual = usual
        self._forward = forward
        self._adding = [some.append for some in lefts]
        self._alike: dict[tuple[int, ...], Map[Right, Payload]] = {(): NOTHING}

    def add_backward(
        self, lefts: Iterable[Left], places: Iterable[tuple[int, ...]]
    ) -> list[Map[Right, Payload]]:
        """Take all pairs of each left, those with the rights at its places; return its partners.

        No left is told of twice. Raises `IndexError` for a place at which nothing stands.
        """
        alike, adding, found = self._alike, self._adding, list[Map[Right, Payload]]()
        for left, held in zip(lefts, places, strict=True):
            for place in held:
                adding[place](left)
            partners = alike.get(held)
            if partners is None:
                partners = _filled(map(self._rights.__getitem__, held), self._usual)
                if len(alike) < ALIKE_MAX:
                    alike[held] = partners
            found.append(partners)
        return found

    def add_forward(self, partners: Iterable[tuple[Left, Map[Right, Payload]]]) -> None:
        """Take lefts, each with the partners that `add_backward` returned: some, or none."""
        self._forward.update((left, some) for left, some in partners if some)


class Gathering:
    """Facts that are being gathered, those that others name first. See `organization.facts`."""

    def __init__(self) -> None:
        self.principals: MapMutation[PrincipalId, Principal] = _none()
        self.groups = Edges[GroupId]()
        self.roles = Edges[RoleId]()
        self._resources: MapMutation[ResourceId, Resource] = _none()
        self._of_kind: dict[Kind, list[ResourceId]] = {}
        self._in_parent: Lists[ResourceId, ResourceId] = defaultdict(list)
        self._claims: dict[ClaimId, Claim] = {}
        self._claims_by_role: Lists[RoleId, ClaimId] = defaultdict(list)
        self._claims_by_resource: Lists[ResourcePattern, ClaimId] = defaultdict(list)
        self._sod_sets: dict[SodSetId, SodSet] = {}
        self._sod_sets_by_role: Lists[RoleId, SodSetId] = defaultdict(list)
        self._guardrails: dict[GuardrailId, Guardrail] = {}
        self._guardrails_by_name: Lists[Named, GuardrailId] = defaultdict(list)
        self.memberships = Pairs[PrincipalId, GroupId, None](None)
        self.assignments = Pairs[PrincipalId, RoleId, Validity](ALWAYS)
        self.group_assignments = Pairs[GroupId, RoleId, Validity](ALWAYS)
        self._administered = False
        self._adding: dict[type, Callable[[Any], None]] = {
            Principal: self._add_principal,
            Group: lambda fact: self.groups.add_node(fact.id),
            Role: lambda fact: self.roles.add_node(fact.id),
            KindDeclaration: self._add_kind,
            Resource: self._add_resource,
            Claim: self._add_claim,
            SodSet: self._add_sod_set,
            Guardrail: self._add_guardrail,
            Membership: lambda fact: self.memberships.add(fact.principal, fact.group, None),
            Nesting: lambda fact: self.groups.add_edge(fact.group, fact.container),
            Inheritance: lambda fact: self.roles.add_edge(fact.role, fact.parent),
            Assignment: self._add_assignment,
            GroupAssignment: self._add_group_assignment,
            Administered: self._administer,
        }

    def adding(self, kind: type[Fact]) -> Callable[[Any], None]:
        """Return what takes a fact of the type; it raises `KeyError` for what must be there."""
        return self._adding[kind]

    def organization(self, empty: Organization) -> Organization:
        """Return `empty` with all that was gathered, which is used up; at the same revision."""
        return replace(
            empty,
            administered=empty.administered or self._administered,
            principals=self.principals.finish(),
            groups=self.groups.made(),
            roles=self.roles.made(),
            resources=self._resources.finish(),
            resources_of_kind=_sets(self._of_kind),
            resources_in_parent=_sets(self._in_parent),
            claims=Map(self._claims),
            claims_by_role=_sets(self._claims_by_role),
            claims_by_resource=_sets(self._claims_by_resource),
            sod_sets=Map(self._sod_sets),
            sod_sets_by_role=_sets(self._sod_sets_by_role),
            guardrails=Map(self._guardrails),
            guardrails_by_name=_sets(self._guardrails_by_name),
            memberships=self.memberships.made(),
            assignments=self.assignments.made(),
            group_assignments=self.group_assignments.made(),
        )

    def _add_principal(self, fact: Principal) -> None:
        self.principals[fact.id] = fact

    def _add_kind(self, fact: KindDeclaration) -> None:
        self._of_kind[fact.kind] = []

    def _add_resource(self, fact: Resource) -> None:
        self._of_kind[fact.kind].append(fact.id)
        self._resources[fact.id] = fact
        if fact.parent is not None:
            self._in_parent[fact.parent].append(fact.id)

    def _add_claim(self, fact: Claim) -> None:
        self._claims[fact.id] = fact
        self._claims_by_role[fact.role].append(fact.id)
        self._claims_by_resource[fact.resource].append(fact.id)

    def _add_sod_set(self, fact: SodSet) -> None:
        self._sod_sets[fact.id] = fact
        for role in fact.roles:
            self._sod_sets_by_role[role].append(fact.id)

    def _add_guardrail(self, fact: Guardrail) -> None:
        self._guardrails[fact.id] = fact
        for name in fact.names:
            self._guardrails_by_name[name].append(fact.id)

    def _add_assignment(self, fact: Assignment) -> None:
        self.assignments.add(fact.principal, fact.role, fact.validity)

    def _add_group_assignment(self, fact: GroupAssignment) -> None:
        self.group_assignments.add(fact.group, fact.role, fact.validity)

    def _administer(self, _: Administered) -> None:
        self._administered = True


def near(keys: Iterable[Hashable]) -> Iterable[int]:
    """Return the places of keys, one after the other those that lie together in a map.

    A large map is filled sooner in that order, for what is touched in turn is in the caches. The
    lowest bits of the hash of a key say first where in a map it lies.
    """
    neighbourhoods = [array("L") for _ in range(NEIGHBOURHOODS)]
    for place, key in enumerate(keys):
        spread = hash(key)
        neighbourhoods[(spread ^ spread >> 32) % NEIGHBOURHOODS].append(place)
    return chain.from_iterable(neighbourhoods)


def _sets(lists: Mapping[Key, list[Member]]) -> Map[Key, Map[Member, None]]:
    """Return the lists as sets of what stands in them."""
    found: MapMutation[Key, Map[Member, None]] = _none()
    for key, members in lists.items():
        found[key] = _filled(members, None)
    return found.finish()


def _filled(keys: Iterable[Key], value: Payload) -> Map[Key, Payload]:
    filled: MapMutation[Key, Payload] = NOTHING.mutate()
    for key in keys:
        filled[key] = value
    return filled.finish()


def _none() -> MapMutation[Any, Any]:
    """Return a map to be filled in place: that takes half as long as making one of a dictionary."""
    return NOTHING.mutate()
