"""The seeded workload that every engine answers: plain tables, requests, and our organization.

The tables are what a floor is made of; `organization` says the same in facts of the core. Half the
requests are allowed; with constraints, half of the denied ones match a claim that fails.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple, TypeVar

from immutables import Map

from grantproof.core.constraints import Constraint, Context, GeoFence, MaxUsage, TimeWindow
from grantproof.core.identifiers import (
    Action,
    ClaimId,
    Kind,
    OrganizationId,
    PrincipalId,
    Region,
    ResourceId,
    RoleId,
)
from grantproof.core.matching import Request
from grantproof.core.model import (
    ALWAYS,
    Claim,
    Exactly,
    Principal,
    Resource,
    ResourcePattern,
)
from grantproof.core.organization import Organization
from grantproof.core.relation import Graph, Relation

Key = TypeVar("Key", RoleId, ResourcePattern)
Member = TypeVar("Member", bound=str)

SEED: Final = 20_251_120
ORGANIZATION: Final = OrganizationId("bench")
KIND: Final = Kind("document")
ACTIONS: Final = ("read", "write", "delete", "share")
REGIONS: Final = tuple(f"region-{number}" for number in range(8))
REGIONS_PER_FENCE: Final = 3
USAGE_LIMIT_MAX: Final = 100
ROLES_PER_PRINCIPAL_MAX: Final = 3
PARENTS_PER_ROLE_MAX: Final = 2
INSTANT: Final = 1_780_000_000
WEEKDAY: Final = 2
YEAR: Final = 2026


@dataclass(frozen=True, slots=True)
class Size:
    """How large an organization is; `depth` is the number of layers of its role graph."""

    name: str
    roles: int
    principals: int
    resources: int
    depth: int
    claims_per_role: int


SIZES: Final = {
    size.name: size
    for size in (
        Size("S", 10, 100, 50, depth=3, claims_per_role=5),
        Size("M", 100, 10_000, 1_000, depth=5, claims_per_role=5),
        Size("L", 1_000, 100_000, 10_000, depth=5, claims_per_role=10),
        Size("XL", 10_000, 1_000_000, 100_000, depth=5, claims_per_role=10),
    )
}


class Condition(NamedTuple):
    """What a claim demands of the context: hour in [start, end), region, usage below the limit."""

    start: int
    end: int
    regions: frozenset[str]
    limit: int


class Grant(NamedTuple):
    """A claim as a plain row; no condition where the workload has no constraints."""

    role: str
    action: str
    resource: str
    condition: Condition | None


class Question(NamedTuple):
    """A request and its context as a plain row."""

    principal: str
    action: str
    resource: str
    hour: int
    region: str
    usage: int


@dataclass(frozen=True, slots=True)
class Tables:
    """An organization as plain tables: role to parents, principal to roles, and the claims."""

    size: Size
    resources: tuple[str, ...]
    parents: dict[str, tuple[str, ...]]
    assigned: dict[str, tuple[str, ...]]
    grants: tuple[Grant, ...]
    actions: tuple[str, ...] = ACTIONS


@dataclass(frozen=True, slots=True)
class Workload:
    """Tables, the questions asked of them, and the answer that each must get."""

    tables: Tables
    constrained: bool
    questions: tuple[Question, ...]
    expected: tuple[bool, ...]


def workload(size: Size, *, constrained: bool, count: int, seed: int = SEED) -> Workload:
    """Return the workload of the seed, with `count` questions."""
    draw = random.Random(f"{seed}/{size.name}/{constrained}")
    tables = make_tables(size, constrained=constrained, draw=draw)
    return asked_of(tables, constrained=constrained, count=count, draw=draw)


def asked_of(tables: Tables, *, constrained: bool, count: int, draw: random.Random) -> Workload:
    """Draw questions about the tables, every other of them allowed, in any order."""
    ask = _Asker(tables, draw)
    answered = [
        (ask.allowed(), True) if number % 2 == 0 else (ask.denied(nearly=number % 4 == 1), False)
        for number in range(count)
    ]
    draw.shuffle(answered)
    return Workload(
        tables,
        constrained,
        tuple(question for question, _ in answered),
        tuple(expected for _, expected in answered),
    )


def make_tables(size: Size, *, constrained: bool, draw: random.Random) -> Tables:
    """Draw an organization: layered roles, a few roles a principal, claims on single resources."""
    roles = [_role(number) for number in range(size.roles)]
    resources = tuple(f"doc-{number}" for number in range(size.resources))
    return Tables(
        size,
        resources,
        {role: _draw_parents(size, index, draw) for index, role in enumerate(roles)},
        {
            f"user-{number}": tuple(
                draw.sample(roles, k=draw.randint(1, min(ROLES_PER_PRINCIPAL_MAX, size.roles)))
            )
            for number in range(size.principals)
        },
        tuple(
            Grant(role, action, resource, draw_condition(draw) if constrained else None)
            for role in roles
            for action, resource in _draw_targets(size.claims_per_role, resources, draw)
        ),
    )


def organization(tables: Tables) -> Organization:
    """Return the tables as an organization of the core, at revision 1.

    It is put together map by map; fact by fact takes ten times as long and gives the same.
    """
    resources = [Resource(ResourceId(resource), KIND) for resource in tables.resources]
    claims = [_claim(number, grant) for number, grant in enumerate(tables.grants)]
    held = {
        PrincipalId(principal): {RoleId(role): ALWAYS for role in roles}
        for principal, roles in tables.assigned.items()
    }
    pairs = [(principal, role) for principal, roles in held.items() for role in roles]
    return Organization(
        ORGANIZATION,
        revision=1,
        principals=Map({principal: Principal(principal) for principal in held}),
        roles=_role_graph(tables),
        resources=Map({resource.id: resource for resource in resources}),
        resources_of_kind=Map({KIND: Map({resource.id: None for resource in resources})}),
        claims=Map({claim.id: claim for claim in claims}),
        claims_by_role=_sets((claim.role, claim.id) for claim in claims),
        claims_by_resource=_sets((claim.resource, claim.id) for claim in claims),
        assignments=Relation(
            Map({principal: Map(roles) for principal, roles in held.items()}),
            _sets((role, principal) for principal, role in pairs),
        ),
    )


def request_of(question: Question) -> Request:
    """Return the question's request, its ids validated."""
    return Request(
        PrincipalId(question.principal), Action(question.action), ResourceId(question.resource)
    )


def context_of(question: Question) -> Context:
    """Return the question's context."""
    return Context(
        instant=INSTANT,
        hour=question.hour,
        weekday=WEEKDAY,
        year=YEAR,
        region=Region(question.region),
        usage=question.usage,
    )


def holds(condition: Condition | None, question: Question) -> bool:
    """Return whether the condition of a claim holds for the question."""
    return condition is None or (
        condition.start <= question.hour < condition.end
        and question.region in condition.regions
        and question.usage < condition.limit
    )


class _Asker:
    """Draws questions of which the answer is known."""

    def __init__(self, tables: Tables, draw: random.Random) -> None:
        self._tables = tables
        self._draw = draw
        self._principals = tuple(tables.assigned)
        self._closed = cache(self._closure)
        self._by_role: dict[str, list[Grant]] = {}
        self._by_target: dict[tuple[str, str], list[Grant]] = {}
        for grant in tables.grants:
            self._by_role.setdefault(grant.role, []).append(grant)
            self._by_target.setdefault((grant.action, grant.resource), []).append(grant)

    def allowed(self) -> Question:
        """Draw a question that some claim of the principal grants."""
        principal, grant = self._holder()
        return self._satisfying(principal, grant)

    def denied(self, *, nearly: bool) -> Question:
        """Draw a question that no claim grants; `nearly`: one matches, one condition of it fails.

        Without constraints there is no nearly.
        """
        while True:
            question = self._failing() if nearly else self._anything()
            if not self._answer(question):
                return question

    def _anything(self) -> Question:
        draw = self._draw
        principal, resource = draw.choice(self._principals), draw.choice(self._tables.resources)
        return self._satisfying(
            principal, Grant("", draw.choice(self._tables.actions), resource, None)
        )

    def _failing(self) -> Question:
        principal, grant = self._holder()
        if grant.condition is None:
            return self._anything()
        question, condition = self._satisfying(principal, grant), grant.condition
        outside = tuple(set(REGIONS) - condition.regions)
        match self._draw.randrange(3):
            case 0:
                return question._replace(hour=self._draw.randint(condition.end, 23))
            case 1:
                return question._replace(region=_as_parsed(self._draw.choice(sorted(outside))))
            case _:
                return question._replace(usage=condition.limit)

    def _holder(self) -> tuple[str, Grant]:
        principal = self._draw.choice(self._principals)
        role = self._draw.choice(self._tables.assigned[principal])
        return principal, self._draw.choice(self._by_role[self._draw.choice(self._closed(role))])

    def _satisfying(self, principal: str, grant: Grant) -> Question:
        condition = grant.condition or Condition(0, 24, frozenset(REGIONS), USAGE_LIMIT_MAX)
        return Question(
            _as_parsed(principal),
            _as_parsed(grant.action),
            _as_parsed(grant.resource),
            self._draw.randrange(condition.start, condition.end),
            _as_parsed(self._draw.choice(sorted(condition.regions))),
            self._draw.randrange(condition.limit),
        )

    def _answer(self, question: Question) -> bool:
        held = {
            up for role in self._tables.assigned[question.principal] for up in self._closed(role)
        }
        return any(
            grant.role in held and holds(grant.condition, question)
            for grant in self._by_target.get((question.action, question.resource), ())
        )

    def _closure(self, role: str) -> tuple[str, ...]:
        seen = {role: None}
        work = [role]
        while work:
            for parent in self._tables.parents[work.pop()]:
                if parent not in seen:
                    seen[parent] = None
                    work.append(parent)
        return tuple(seen)


def _as_parsed(text: str) -> str:
    """Return an equal string that is another object, as one that comes out of a body is."""
    return text.encode().decode()


def _draw_parents(size: Size, index: int, draw: random.Random) -> tuple[str, ...]:
    """Draw parents from the layer above; the roles of the first layer have none."""
    layer = index * size.depth // size.roles
    above = range(_first_of(size, layer - 1), _first_of(size, layer)) if layer > 0 else range(0)
    count = draw.randint(1, PARENTS_PER_ROLE_MAX)
    return tuple(_role(at) for at in draw.sample(above, k=min(count, len(above))))


def _first_of(size: Size, layer: int) -> int:
    """Return the number of the first role of a layer: its share of the roles, rounded up."""
    return -(-layer * size.roles // size.depth)


def _draw_targets(
    count: int, resources: tuple[str, ...], draw: random.Random
) -> list[tuple[str, str]]:
    targets: dict[tuple[str, str], None] = {}
    while len(targets) < count:
        targets[draw.choice(ACTIONS), draw.choice(resources)] = None
    return list(targets)


def draw_condition(draw: random.Random) -> Condition:
    """Draw what a claim demands: some hours of the day, some regions, a limit of usage."""
    return Condition(
        start=draw.randint(6, 10),
        end=draw.randint(16, 20),
        regions=frozenset(draw.sample(REGIONS, k=REGIONS_PER_FENCE)),
        limit=draw.randint(10, USAGE_LIMIT_MAX),
    )


def _role(number: int) -> str:
    return f"role-{number}"


def _role_graph(tables: Tables) -> Graph[RoleId]:
    edges = [
        (RoleId(role), RoleId(parent))
        for role, parents in tables.parents.items()
        for parent in parents
    ]
    lonely: Map[RoleId, Map[RoleId, None]] = Map({RoleId(role): Map() for role in tables.parents})
    return Graph(
        lonely.update(_sets(edges)),
        lonely.update(_sets((parent, role) for role, parent in edges)),
    )


def _sets(pairs: Iterable[tuple[Key, Member]]) -> Map[Key, Map[Member, None]]:
    sets: dict[Key, dict[Member, None]] = {}
    for key, member in pairs:
        sets.setdefault(key, {})[member] = None
    return Map({key: Map(members) for key, members in sets.items()})


def _claim(number: int, grant: Grant) -> Claim:
    return Claim(
        ClaimId(f"claim-{number}"),
        RoleId(grant.role),
        Exactly(Action(grant.action)),
        Exactly(ResourceId(grant.resource)),
        _constraints(grant.condition),
    )


def _constraints(condition: Condition | None) -> tuple[Constraint, ...]:
    if condition is None:
        return ()
    return (
        TimeWindow(condition.start, condition.end),
        GeoFence(frozenset(Region(region) for region in condition.regions)),
        MaxUsage(condition.limit),
    )
