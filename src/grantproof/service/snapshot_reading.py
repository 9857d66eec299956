"""An organization from the parts of a snapshot file, through the core's own constructors.

Plain dictionaries are filled, and the persistent maps made of them once, at the end: what comes out
equals what adding fact by fact makes.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, Generic, TypeVar

import msgspec
from immutables import Map

from grantproof.core.errors import Illegal
from grantproof.core.guardrails import Named
from grantproof.core.identifiers import (
    Action,
    ClaimId,
    GroupId,
    GuardrailId,
    Kind,
    OrganizationId,
    PrincipalId,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.model import (
    ALWAYS,
    Claim,
    Exactly,
    Group,
    Guardrail,
    KindDeclaration,
    OfKind,
    Principal,
    Resource,
    ResourcePattern,
    Role,
    SodSet,
    Validity,
    Within,
)
from grantproof.core.model import Any as Anything
from grantproof.core.organization import Organization
from grantproof.core.relation import Graph, Relation
from grantproof.policyfile.wire import Unreadable, decode_guardrail
from grantproof.service.collector import collector_paused
from grantproof.service.shelf import Damaged
from grantproof.service.snapshot_rows import (
    LENGTH,
    Claims,
    Groups,
    Guardrails,
    Header,
    Inheritances,
    Kinds,
    Nestings,
    Part,
    Principals,
    Resources,
    Roles,
    SodSets,
    Timed,
    read_attributes,
    read_constraint,
    read_validity,
)
from grantproof.service.versions import ENTITY_FACTS, EntityFact, Versioned, Versions

HEADER: Final = msgspec.msgpack.Decoder(Header)
PART: Final = msgspec.msgpack.Decoder(Part)
ALIKE_MAX: Final = 10_000
NO_FORM: Final = "not what this version writes"

Key = TypeVar("Key", bound=Hashable)
Member = TypeVar("Member", bound=Hashable)
Left = TypeVar("Left", bound=Hashable)
Right = TypeVar("Right", bound=Hashable)
Payload = TypeVar("Payload")
Node = TypeVar("Node", GroupId, RoleId)
Sets = defaultdict[Key, dict[Member, None]]


def header(content: memoryview) -> Header:
    """Return of what the content is; raises `Damaged`."""
    try:
        return HEADER.decode(next(_split(content)))
    except (StopIteration, msgspec.MsgspecError) as error:
        raise Damaged(NO_FORM) from error


def read(content: memoryview) -> Versioned:
    """Return the state that the content is; raises `Damaged` for what is not a legal one."""
    said = header(content)
    with collector_paused():
        try:
            found = _Reading(said.revision)
            for part in islice(_split(content), 1, None):
                found.take(PART.decode(part))
            state = found.state(said)
            return Versioned(state, found.versions(), said.seal)
        except (Illegal, LookupError, Unreadable, msgspec.MsgspecError) as error:
            raise Damaged(NO_FORM) from error


def _split(content: memoryview) -> Iterator[memoryview]:
    at = 0
    while at < len(content):
        if at + LENGTH.size > len(content):
            raise Damaged(NO_FORM)
        (length,) = LENGTH.unpack_from(content, at)
        at += LENGTH.size
        if at + length > len(content):
            raise Damaged(NO_FORM)
        yield content[at : at + length]
        at += length


class _Pairs(Generic[Left, Right, Payload]):
    """A relation that is being read."""

    def __init__(self) -> None:
        self._forward: dict[Left, Map[Right, Payload]] = {}
        self._backward: Sets[Right, Left] = defaultdict(dict)

    def put(self, left: Left, rights: Map[Right, Payload]) -> None:
        """Take all partners of one at once; there are some."""
        self._forward[left] = rights
        backward = self._backward
        for right in rights:
            backward[right][left] = None

    def made(self) -> Relation[Left, Right, Payload]:
        """Return the relation."""
        return Relation(Map(self._forward), _sets(self._backward))


class _Edges(Generic[Node]):
    """A graph that is being read."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._parents: dict[Node, Map[Node, None]] = {}
        self._children: Sets[Node, Node] = defaultdict(dict)

    def put(self, child: Node, parents: dict[Node, None]) -> None:
        """Take all parents of one at once."""
        self._parents[child] = Map(parents)
        for parent in parents:
            self._children[parent][child] = None

    def made(self) -> Graph[Node]:
        """Return the graph, in which every node has an entry."""
        lonely: Map[Node, Map[Node, None]] = Map(dict.fromkeys(self.nodes, Map()))
        return Graph(lonely.update(self._parents), lonely.update(_sets(self._children)))


class _Reading:
    """What was read until now; `take` raises `Illegal` or `LookupError` for what must not be."""

    def __init__(self, revision: int) -> None:
        self._revision = revision
        self._rows = 0
        self._told: dict[type[EntityFact], dict[str, int]] = {one: {} for one in ENTITY_FACTS}
        self._groups = _Edges[GroupId]()
        self._roles = _Edges[RoleId]()
        self._kinds: list[Kind] = []
        self._resources: dict[ResourceId, Resource] = {}
        self._of_kind: Sets[Kind, ResourceId] = defaultdict(dict)
        self._in_parent: Sets[ResourceId, ResourceId] = defaultdict(dict)
        self._names: dict[str, ResourceId] = {}
        self._claims: dict[ClaimId, Claim] = {}
        self._claims_by_role: Sets[RoleId, ClaimId] = defaultdict(dict)
        self._claims_by_resource: Sets[ResourcePattern, ClaimId] = defaultdict(dict)
        self._sod_sets: dict[SodSetId, SodSet] = {}
        self._sod_sets_by_role: Sets[RoleId, SodSetId] = defaultdict(dict)
        self._guardrails: dict[GuardrailId, Guardrail] = {}
        self._guardrails_by_name: Sets[Named, GuardrailId] = defaultdict(dict)
        self._principals: dict[PrincipalId, Principal] = {}
        self._memberships = _Pairs[PrincipalId, GroupId, None]()
        self._assignments = _Pairs[PrincipalId, RoleId, Validity]()
        self._group_assignments = _Pairs[GroupId, RoleId, Validity]()
        self._alike: dict[tuple[int, ...], Map[RoleId, Validity]] = {}
        self._takers: dict[type[Part], Callable[[Any], None]] = {
            Groups: self._take_groups,
            Roles: self._take_roles,
            Kinds: self._take_kinds,
            Resources: self._take_resources,
            Nestings: self._take_nestings,
            Inheritances: self._take_inheritances,
            SodSets: self._take_sod_sets,
            Guardrails: self._take_guardrails,
            Claims: self._take_claims,
            Principals: self._take_principals,
        }

    def take(self, part: Part) -> None:
        """Take the rows of one part."""
        self._takers[type(part)](part)

    def state(self, said: Header) -> Organization:
        """Return the organization that was read."""
        for parent in self._in_parent:
            if parent not in self._resources:
                raise KeyError(parent)
        alone: Map[Kind, Map[ResourceId, None]] = Map(dict.fromkeys(self._kinds, Map()))
        return Organization(
            OrganizationId(said.organization),
            said.revision,
            said.time_zone,
            said.administered,
            principals=Map(self._principals),
            groups=self._groups.made(),
            roles=self._roles.made(),
            resources=Map(self._resources),
            resources_of_kind=alone.update(_sets(self._of_kind)),
            resources_in_parent=_sets(self._in_parent),
            claims=Map(self._claims),
            claims_by_role=_sets(self._claims_by_role),
            claims_by_resource=_sets(self._claims_by_resource),
            sod_sets=Map(self._sod_sets),
            sod_sets_by_role=_sets(self._sod_sets_by_role),
            guardrails=Map(self._guardrails),
            guardrails_by_name=_sets(self._guardrails_by_name),
            memberships=self._memberships.made(),
            assignments=self._assignments.made(),
            group_assignments=self._group_assignments.made(),
        )

    def versions(self) -> Versions:
        """Return the versions that were read."""
        if sum(map(len, self._told.values())) != self._rows:
            raise Illegal("id", "must stand once")
        return Versions(self._revision, Map({one: Map(at) for one, at in self._told.items()}))

    def _tell(self, fact: type[EntityFact], one: str, revision: int) -> None:
        if not 0 < revision <= self._revision:
            raise Illegal("revision", "must be one that the organization has had")
        self._told[fact][one] = revision
        self._rows += 1

    def _take_groups(self, part: Groups) -> None:
        for text, revision in part.rows:
            self._groups.nodes.append(GroupId(text))
            self._tell(Group, self._groups.nodes[-1], revision)

    def _take_roles(self, part: Roles) -> None:
        for text, revision in part.rows:
            self._roles.nodes.append(RoleId(text))
            self._tell(Role, self._roles.nodes[-1], revision)

    def _take_kinds(self, part: Kinds) -> None:
        for text, revision in part.rows:
            self._kinds.append(Kind(text))
            self._tell(KindDeclaration, self._kinds[-1], revision)

    def _take_resources(self, part: Resources) -> None:
        for text, kind, inside, told, revision in part.rows:
            id_, parent = self._name(text), None if inside is None else self._name(inside)
            one = Resource(id_, self._kinds[kind], parent, read_attributes(told))
            self._resources[id_] = one
            self._of_kind[one.kind][id_] = None
            if parent is not None:
                self._in_parent[parent][id_] = None
            self._tell(Resource, id_, revision)

    def _name(self, text: str) -> ResourceId:
        """Return the id of a resource, which is one value however often it is named."""
        found = self._names.get(text)
        if found is None:
            found = self._names[text] = ResourceId(text)
        return found

    def _take_nestings(self, part: Nestings) -> None:
        nodes = self._groups.nodes
        for number, containers, always, timed in part.rows:
            group = nodes[number]
            self._groups.put(group, {nodes[one]: None for one in containers})
            if always or timed:
                self._group_assignments.put(group, self._held(always, timed))

    def _take_inheritances(self, part: Inheritances) -> None:
        nodes = self._roles.nodes
        for role, parents in part.rows:
            self._roles.put(nodes[role], {nodes[one]: None for one in parents})

    def _take_sod_sets(self, part: SodSets) -> None:
        for text, numbers, n, mode, revision in part.rows:
            roles = frozenset(self._roles.nodes[one] for one in numbers)
            one = SodSet(SodSetId(text), roles, n, mode)
            self._sod_sets[one.id] = one
            for role in roles:
                self._sod_sets_by_role[role][one.id] = None
            self._tell(SodSet, one.id, revision)

    def _take_guardrails(self, part: Guardrails) -> None:
        for text, revision in part.rows:
            one = decode_guardrail(text)
            self._guardrails[one.id] = one
            for name in one.names:
                self._guardrails_by_name[name][one.id] = None
            self._tell(Guardrail, one.id, revision)

    def _take_claims(self, part: Claims) -> None:
        for text, role, action, pattern, constraints, revision in part.rows:
            one = Claim(
                ClaimId(text),
                self._roles.nodes[role],
                Anything() if action is None else Exactly(Action(action)),
                self._pattern(*pattern),
                tuple(map(read_constraint, constraints)),
            )
            self._claims[one.id] = one
            self._claims_by_role[one.role][one.id] = None
            self._claims_by_resource[one.resource][one.id] = None
            self._tell(Claim, one.id, revision)

    def _pattern(self, sort: str, name: str | None) -> ResourcePattern:
        match sort, name:
            case "exactly", str():
                return Exactly(self._name(name))
            case "within", str():
                return Within(self._name(name))
            case "kind", str():
                return OfKind(name)
            case "any", None:
                return Anything()
            case _:
                raise Illegal("pattern", "must have a name, or be `any`")

    def _take_principals(self, part: Principals) -> None:
        groups, memberships, assignments = self._groups.nodes, self._memberships, self._assignments
        for text, active, told, of, always, timed, revision in part.rows:
            id_ = PrincipalId(text)
            self._principals[id_] = Principal(id_, active, read_attributes(told))
            if of:
                memberships.put(id_, Map({groups[one]: None for one in of}))
            if always or timed:
                assignments.put(id_, self._held(always, timed))
            self._tell(Principal, id_, revision)

    def _held(self, always: list[int], timed: list[Timed]) -> Map[RoleId, Validity]:
        """Return the roles that somebody holds: one value for all who hold the same ones always."""
        if timed:
            return Map(self._validities(always, timed))
        key = tuple(always)
        found = self._alike.get(key)
        if found is None:
            found = Map(self._validities(always, timed))
            if len(self._alike) < ALIKE_MAX:
                self._alike[key] = found
        return found

    def _validities(self, always: list[int], timed: list[Timed]) -> dict[RoleId, Validity]:
        roles = self._roles.nodes
        held = {roles[one]: ALWAYS for one in always}
        for role, start, end in timed:
            held[roles[role]] = read_validity(start, end)
        return held


def _sets(found: Mapping[Key, dict[Member, None]]) -> Map[Key, Map[Member, None]]:
    return Map({key: Map(members) for key, members in found.items()})
