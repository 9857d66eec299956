"""An organization from the parts of a snapshot file, through the core's own constructors.

References are places in lists that were read before: a loose end cannot come out.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, Final

import msgspec
from immutables import Map

from grantproof.core.attributes import NO_ATTRIBUTES
from grantproof.core.constraints import Constraint
from grantproof.core.errors import Illegal
from grantproof.core.evolving import each_like
from grantproof.core.gathering import Among, Gathering, near
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
    Validity,
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
    Places,
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
USUAL: Final = Principal(PrincipalId("usual"))
"""What most principals are like, but for their ids: active, without attributes."""


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


@dataclass(slots=True)
class _People:
    """The principals that were read, column by column; each is in the maps at the end."""

    ids: list[PrincipalId] = field(default_factory=list)
    themselves: list[Principal] = field(default_factory=list)
    held: list[Map[RoleId, Validity]] = field(default_factory=list)
    revisions: list[int] = field(default_factory=list)


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
        self._people = _People()
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
        self._settle_people()
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

    def _tell_each(
        self, fact: type[EntityFact], ids: Sequence[str], revisions: Sequence[int]
    ) -> None:
        told = map(self._checked, revisions)
        self._told[fact].update(zip(ids, told, strict=True))
        self._rows += len(ids)

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
        add, kinds, name = self._gathering.adding(Resource), self._kinds, self._name
        ids = [name(text) for text, *_ in part.rows]
        for id_, (_, kind, inside, told, _) in zip(ids, part.rows, strict=True):
            parent = None if inside is None else name(inside)
            add(Resource(id_, kinds[kind], parent, read_attributes(told)))
        self._tell_each(Resource, ids, [row[-1] for row in part.rows])

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
            _add(self._assigned_to_groups, [group], [always])
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
        add, roles, constraints = self._gathering.adding(Claim), self._roles, self._constraints
        ids = ClaimId.each([text for text, *_ in part.rows])
        for id_, (_, role, action, pattern, under, _) in zip(ids, part.rows, strict=True):
            one = Claim(
                id_,
                roles[role],
                Anything() if action is None else self._action(action),
                self._pattern(*pattern),
                tuple([constraints[place] for place in under]),
            )
            add(one)
        self._tell_each(Claim, ids, [row[-1] for row in part.rows])

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
        ids, known = PrincipalId.each(part.ids), self._revisions
        if not len(ids) == len(part.held) == len(part.revisions):
            raise Illegal("principals", "must have columns of one length")
        for revision in part.revisions:
            if revision not in known:
                self._checked(revision)
        people = self._people
        people.ids += ids
        people.themselves += _principals(part, ids)
        people.held += self._assigned.add_backward(ids, part.held)
        people.revisions += map(known.__getitem__, part.revisions)
        self._rows += len(ids)
        self._take_rarer(part, ids)

    def _settle_people(self) -> None:
        """Take the principals that were read, in the order in which they lie in maps."""
        people, self._people = self._people, _People()
        order = list(near(people.ids))
        ids = [people.ids[place] for place in order]
        themselves = map(people.themselves.__getitem__, order)
        self._gathering.principals.update(zip(ids, themselves, strict=True))
        held = map(people.held.__getitem__, order)
        self._assigned.add_forward(zip(ids, held, strict=True))
        revisions = map(people.revisions.__getitem__, order)
        self._told[Principal].update(zip(ids, revisions, strict=True))

    def _take_rarer(self, part: Principals, ids: list[PrincipalId]) -> None:
        """Take what few principals of the part are assigned."""
        gathering = self._gathering
        in_groups = [ids[place] for place, _ in part.groups]
        _add(self._members, in_groups, [groups for _, groups in part.groups])
        for place, timed in part.timed:
            for role, start, end in timed:
                validity = read_validity(start, end)
                gathering.assignments.add(ids[place], self._roles[role], validity)

    # Made when they are first asked for: after all groups and roles, which come before.

    @cached_property
    def _assigned(self) -> Among[PrincipalId, RoleId, Validity]:
        return self._gathering.assignments.among(self._roles)

    @cached_property
    def _assigned_to_groups(self) -> Among[GroupId, RoleId, Validity]:
        return self._gathering.group_assignments.among(self._roles)

    @cached_property
    def _members(self) -> Among[PrincipalId, GroupId, None]:
        return self._gathering.memberships.among(self._groups)


def _add(pairs: Among[Any, Any, Any], lefts: Sequence[Any], places: Sequence[Places]) -> None:
    pairs.add_forward(zip(lefts, pairs.add_backward(lefts, places), strict=True))


def _principals(part: Principals, ids: list[PrincipalId]) -> list[Principal]:
    """Return the principals of the part by themselves."""
    found, suspended = each_like(USUAL, "id", ids), frozenset(part.suspended)
    attributes = {place: read_attributes(row) for place, row in part.attributes}
    for place in suspended.union(attributes):
        active, held = place not in suspended, attributes.get(place, NO_ATTRIBUTES)
        found[place] = Principal(ids[place], active, held)
    return found
