"""An organization from the parts of a snapshot file, through the core's own constructors.

References are places in lists that were read before: a loose end cannot come out.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final

import msgspec
from immutables import Map

from grantproof.core.attributes import NO_ATTRIBUTES
from grantproof.core.constraints import Constraint
from grantproof.core.errors import Illegal
from grantproof.core.gathering import Gathering
from grantproof.core.identifiers import (
    Action,
    ClaimId,
    GroupId,
    Kind,
    OrganizationId,
    PrincipalId,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.model import Any as Anything
from grantproof.core.model import (
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
    Within,
)
from grantproof.core.organization import Organization
from grantproof.policyfile.wire import Unreadable, decode_guardrail
from grantproof.service.collector import collector_paused
from grantproof.service.shelf import Damaged
from grantproof.service.snapshot_rows import (
    LENGTH,
    Claims,
    Constraints,
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
    read_attributes,
    read_constraint,
    read_validity,
)
from grantproof.service.versions import ENTITY_FACTS, EntityFact, Revisions, Versioned, Versions

HEADER: Final = msgspec.msgpack.Decoder(Header)
PART: Final = msgspec.msgpack.Decoder(Part)
NO_FORM: Final = "not what this version writes"


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


class _Reading:
    """What was read until now; `take` raises `Illegal` or `LookupError` for what must not be."""

    def __init__(self, revision: int) -> None:
        self._revision = revision
        self._rows = 0
        self._told = {one: Revisions().mutate() for one in ENTITY_FACTS}
        self._revisions: dict[int, int] = {}
        self._gathering = Gathering()
        self._groups: list[GroupId] = []
        self._roles: list[RoleId] = []
        self._kinds: list[Kind] = []
        self._resources: dict[str, ResourceId] = {}
        self._actions: dict[str, Exactly[Action]] = {}
        self._constraints: list[Constraint] = []
        self._takers: dict[type[Part], Callable[[Any], None]] = {
            Groups: self._take_groups,
            Roles: self._take_roles,
            Kinds: self._take_kinds,
            Resources: self._take_resources,
            Nestings: self._take_nestings,
            Inheritances: self._take_inheritances,
            SodSets: self._take_sod_sets,
            Guardrails: self._take_guardrails,
            Constraints: self._take_constraints,
            Claims: self._take_claims,
            Principals: self._take_principals,
        }

    def take(self, part: Part) -> None:
        """Take the rows of one part."""
        self._takers[type(part)](part)

    def state(self, said: Header) -> Organization:
        """Return the organization that was read."""
        of = OrganizationId(said.organization)
        empty = Organization(of, said.revision, said.time_zone, said.administered)
        state = self._gathering.organization(empty)
        for parent in state.resources_in_parent:
            if parent not in state.resources:
                raise KeyError(parent)
        return state

    def versions(self) -> Versions:
        """Return the versions that were read."""
        if sum(map(len, self._told.values())) != self._rows:
            raise Illegal("id", "must stand once")
        return Versions(self._revision, Map({one: at.finish() for one, at in self._told.items()}))

    def _tell(self, fact: type[EntityFact], one: str, revision: int) -> None:
        self._told[fact][one] = self._checked(revision)
        self._rows += 1

    def _checked(self, revision: int) -> int:
        """Return the revision, which is one value for all that it changed last."""
        found = self._revisions.get(revision)
        if found is None:
            if not 0 < revision <= self._revision:
                raise Illegal("revision", "must be one that the organization has had")
            found = self._revisions[revision] = revision
        return found

    def _take_groups(self, part: Groups) -> None:
        for text, revision in part.rows:
            id_ = GroupId(text)
            self._groups.append(id_)
            self._gathering.groups.add_node(id_)
            self._tell(Group, id_, revision)

    def _take_roles(self, part: Roles) -> None:
        for text, revision in part.rows:
            id_ = RoleId(text)
            self._roles.append(id_)
            self._gathering.roles.add_node(id_)
            self._tell(Role, id_, revision)

    def _take_kinds(self, part: Kinds) -> None:
        add = self._gathering.adding(KindDeclaration)
        for text, revision in part.rows:
            one = KindDeclaration(Kind(text))
            self._kinds.append(one.kind)
            add(one)
            self._tell(KindDeclaration, one.kind, revision)

    def _take_resources(self, part: Resources) -> None:
        add = self._gathering.adding(Resource)
        for text, kind, inside, told, revision in part.rows:
            id_, parent = self._name(text), None if inside is None else self._name(inside)
            add(Resource(id_, self._kinds[kind], parent, read_attributes(told)))
            self._tell(Resource, id_, revision)

    def _name(self, text: str) -> ResourceId:
        """Return the id of a resource, which is one value however often it is named."""
        found = self._resources.get(text)
        if found is None:
            found = ResourceId(text)
            self._resources[found] = found
        return found

    def _take_nestings(self, part: Nestings) -> None:
        groups, roles, gathering = self._groups, self._roles, self._gathering
        for number, containers, always, timed in part.rows:
            group = groups[number]
            for one in containers:
                gathering.groups.add_edge(group, groups[one])
            if always:
                held = tuple(roles[one] for one in always)
                gathering.group_assignments.add_usual(group, held)
            for role, start, end in timed:
                validity = read_validity(start, end)
                gathering.group_assignments.add(group, roles[role], validity)

    def _take_inheritances(self, part: Inheritances) -> None:
        roles, add_edge = self._roles, self._gathering.roles.add_edge
        for role, parents in part.rows:
            for one in parents:
                add_edge(roles[role], roles[one])

    def _take_sod_sets(self, part: SodSets) -> None:
        add = self._gathering.adding(SodSet)
        for text, numbers, n, mode, revision in part.rows:
            roles = frozenset(self._roles[one] for one in numbers)
            one = SodSet(SodSetId(text), roles, n, mode)
            add(one)
            self._tell(SodSet, one.id, revision)

    def _take_guardrails(self, part: Guardrails) -> None:
        add = self._gathering.adding(Guardrail)
        for text, revision in part.rows:
            one = decode_guardrail(text)
            add(one)
            self._tell(Guardrail, one.id, revision)

    def _take_constraints(self, part: Constraints) -> None:
        self._constraints.extend(map(read_constraint, part.rows))

    def _take_claims(self, part: Claims) -> None:
        add = self._gathering.adding(Claim)
        for text, role, action, pattern, constraints, revision in part.rows:
            one = Claim(
                ClaimId(text),
                self._roles[role],
                Anything() if action is None else self._action(action),
                self._pattern(*pattern),
                tuple([self._constraints[place] for place in constraints]),
            )
            add(one)
            self._tell(Claim, one.id, revision)

    def _action(self, text: str) -> Exactly[Action]:
        found = self._actions.get(text)
        if found is None:
            found = self._actions[text] = Exactly(Action(text))
        return found

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
        roles, gathering = self._roles, self._gathering
        principals, assignments = gathering.principals, gathering.assignments
        ids, told = PrincipalId.each(part.ids), self._told[Principal]
        if not len(ids) == len(part.held) == len(part.revisions):
            raise Illegal("principals", "must have columns of one length")
        for id_, held, revision in zip(ids, part.held, part.revisions, strict=True):
            principals[id_] = Principal(id_)
            if held:
                assignments.add_usual(id_, tuple([roles[one] for one in held]))
            told[id_] = self._checked(revision)
        self._rows += len(ids)
        self._take_rarer(part, ids)

    def _take_rarer(self, part: Principals, ids: list[PrincipalId]) -> None:
        """Take what few principals of the part have."""
        gathering, suspended = self._gathering, frozenset(part.suspended)
        attributes = {place: read_attributes(row) for place, row in part.attributes}
        for place in suspended.union(attributes):
            active, held = place not in suspended, attributes.get(place, NO_ATTRIBUTES)
            gathering.principals[ids[place]] = Principal(ids[place], active, held)
        for place, groups in part.groups:
            of = tuple(self._groups[one] for one in groups)
            gathering.memberships.add_usual(ids[place], of)
        for place, timed in part.timed:
            for role, start, end in timed:
                validity = read_validity(start, end)
                gathering.assignments.add(ids[place], self._roles[role], validity)
