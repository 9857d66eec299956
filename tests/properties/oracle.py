"""What the design says, computed the slow way: sets of tuples, and every chain enumerated.

Written from the semantics alone and shaped unlike the product: no worklists, no indexes, no early
returns. It reads the facts of an organization once and then knows nothing but sets.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import atan2, ceil, cos, hypot, radians, sin
from operator import mul

from grantproof.core import constraints as c
from grantproof.core import model as m
from grantproof.core.attributes import (
    Attributes,
    ClockYear,
    Literal,
    Operand,
    Path,
    PrincipalIdentity,
    Value,
)
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import Action, ResourceId
from grantproof.core.matching import Request
from grantproof.core.organization import Organization, facts

Pairs = frozenset[tuple[str, str]]
Holding = tuple[str, str, int, int]
"""Holder, role, first instant, first instant no more."""

BEGINNING, NEVER = 0, 10**15
ADMINISTRATIVE = {"administer", "assign", "revoke", "review", "delegate"}


@dataclass(frozen=True)
class World:
    """An organization as relations."""

    id: str
    active: Mapping[str, bool]
    traits: Mapping[tuple[str, str], Mapping[str, Value]]
    entities: frozenset[tuple[str, str]]
    inside: Pairs
    kind_of: Mapping[str, str]
    kinds: frozenset[str]
    member: Pairs
    nested: Pairs
    inherits: Pairs
    holds: frozenset[Holding]
    group_holds: frozenset[Holding]
    claims: tuple[m.Claim, ...]
    sets: tuple[m.SodSet, ...]


@dataclass(frozen=True)
class Chain:
    """One way to hold roles: groups from the nearest outward, then role to parent to parent."""

    groups: tuple[str, ...]
    roles: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Answer:
    """`granted` is the claim of the certificate, or nothing; then `why` says why not."""

    granted: str | None
    why: tuple[object, ...] = ()


def world(state: Organization) -> World:
    """Read the facts of an organization."""
    every = list(facts(state))
    people = [fact for fact in every if isinstance(fact, m.Principal)]
    things = [fact for fact in every if isinstance(fact, m.Resource)]
    sets = tuple(fact for fact in every if isinstance(fact, m.SodSet))
    named = (m.Role, m.Group, m.SodSet)
    return World(
        id=state.id,
        active={fact.id: fact.active for fact in people},
        traits={
            **{("principal", str(fact.id)): plainly(fact.attributes) for fact in people},
            **{("resource", str(fact.id)): plainly(fact.attributes) for fact in things},
        },
        entities=frozenset(
            (
                {"Role": "role", "Group": "group", "SodSet": "sod-set"}[type(fact).__name__],
                str(fact.id),
            )
            for fact in every
            if isinstance(fact, named)
        )
        | {("organization", str(state.id))},
        inside=frozenset((str(f.id), str(f.parent)) for f in things if f.parent is not None),
        kind_of={fact.id: fact.kind for fact in things},
        kinds=frozenset(f.kind for f in every if isinstance(f, m.KindDeclaration)),
        member=frozenset((f.principal, f.group) for f in every if isinstance(f, m.Membership)),
        nested=frozenset((f.group, f.container) for f in every if isinstance(f, m.Nesting)),
        inherits=frozenset((f.role, f.parent) for f in every if isinstance(f, m.Inheritance)),
        holds=frozenset(
            (f.principal, f.role, *term(f.validity)) for f in every if isinstance(f, m.Assignment)
        ),
        group_holds=frozenset(
            (f.group, f.role, *term(f.validity)) for f in every if isinstance(f, m.GroupAssignment)
        ),
        claims=tuple(fact for fact in every if isinstance(fact, m.Claim)),
        sets=sets,
    )


def plainly(traits: Attributes) -> dict[str, Value]:
    """Attributes by their names as strings."""
    return {str(name): value for name, value in traits.items()}


def term(validity: m.Validity) -> tuple[int, int]:
    """The first instant of a validity, and the first one after it."""
    start = BEGINNING if validity.start is None else validity.start
    return start, NEVER if validity.end is None else validity.end


def paths(start: str, steps: Pairs) -> Iterator[tuple[str, ...]]:
    """Every path along the steps from `start`, of every length; the steps hold no cycle."""
    yield (start,)
    for one, other in steps:
        if one == start:
            yield from ((start, *rest) for rest in paths(other, steps))


def chains(of: World, principal: str) -> list[Chain]:
    """Every way in which the principal ever holds a role."""
    upward = {role: list(paths(role, of.inherits)) for role in roles_of(of)}
    found = [
        Chain((), way, start, end)
        for holder, role, start, end in of.holds
        if holder == principal
        for way in upward[role]
    ]
    for one, group in of.member:
        if one != principal:
            continue
        for outward in paths(group, of.nested):
            found += [
                Chain(outward, way, start, end)
                for holder, role, start, end in of.group_holds
                if holder == outward[-1]
                for way in upward[role]
            ]
    return found


def roles_of(of: World) -> list[str]:
    """The roles that exist."""
    return [name for kind, name in of.entities if kind == "role"]


def live(of: World, principal: str, instant: int) -> list[Chain]:
    """The chains that hold at the instant."""
    return [chain for chain in chains(of, principal) if chain.start <= instant < chain.end]


def effective(of: World, principal: str, instant: int) -> frozenset[str]:
    """The roles at the ends of all chains that hold at the instant."""
    return frozenset(chain.roles[-1] for chain in live(of, principal, instant))


def active(of: World, request: Request, instant: int) -> frozenset[str]:
    """The roles at the ends of chains; in a session, of those that pass a chosen role."""
    return frozenset(
        chain.roles[-1]
        for chain in live(of, request.principal, instant)
        if request.active_roles is None or set(chain.roles) & request.active_roles
    )


def boundaries(of: World) -> set[int]:
    """The instants at which an assignment starts or ends, and those beside them."""
    edges = {edge for held in of.holds | of.group_holds for edge in held[2:]}
    return {max(BEGINNING, edge + off) for edge in {BEGINNING, *edges} for off in (-1, 0, 1)}


def breaches(of: World) -> set[tuple[str, str]]:
    """Every (set, principal) of a static set that is broken at some boundary."""
    return {
        (str(sod_set.id), principal)
        for sod_set, principal, instant in product(of.sets, of.active, boundaries(of))
        if sod_set.mode == "static"
        and sum(role in sod_set.roles for role in effective(of, principal, instant)) >= sod_set.n
    }


def administrators(of: World) -> set[str]:
    """Active principals that hold for ever an unconstrained claim to administer the whole."""
    itself = ResourceId(f"organization:{of.id}")
    whole = {m.Exactly(itself), m.Within(itself), m.OfKind("organization"), m.Any()}
    ruling = {
        str(claim.role)
        for claim in of.claims
        if claim.action == m.Exactly(Action("administer"))
        and claim.resource in whole
        and claim.constraints == ()
    }
    always = {
        (principal, chain.roles[-1])
        for principal in of.active
        for chain in chains(of, principal)
        if (chain.start, chain.end) == (BEGINNING, NEVER)
    }
    return {one for one, role in always if role in ruling and of.active[one]}


def closed(edges: Pairs) -> Pairs:
    """The transitive closure of the edges, by composing until nothing is new."""
    while True:
        longer = {(a, d) for a, b in edges for c_, d in edges if b == c_} | set(edges)
        if longer == edges:
            return edges
        edges = frozenset(longer)


def acyclic(edges: Pairs) -> bool:
    """Whether no node reaches itself."""
    return all(one != other for one, other in closed(edges))


def kind(of: World, request: Request) -> str | None:
    """The kind of the requested resource, or nothing when it is unknown."""
    prefix, _, rest = request.resource.partition(":")
    if request.resource in of.kind_of:
        own: str | None = of.kind_of[request.resource]
    elif (prefix, rest) in of.entities:
        own = prefix
    else:
        return request.kind if request.kind in of.kinds else None
    return own if request.kind in {None, own} else None


def extension(of: World, pattern: m.ResourcePattern, resource_kind: str) -> set[str] | None:
    """The registered and implicit resources that a pattern means; nothing for "every one"."""
    there = {*of.kind_of, *(f"{prefix}:{name}" for prefix, name in of.entities)}
    match pattern:
        case m.Exactly(value):
            return {str(value)} & there
        case m.Within(value):
            below = {inner for inner, outer in closed(of.inside) if outer == value}
            return ({str(value)} | below) & there
        case m.OfKind(named):
            return None if named == resource_kind else set()
        case m.Any():
            return None


def speaks(of: World, claim: m.Claim, request: Request, resource_kind: str) -> bool:
    """Whether the claim's action and resource are the request's."""
    if isinstance(claim.action, m.Any):
        named = str(request.action) not in ADMINISTRATIVE
    else:
        named = claim.action.value == request.action
    meant = extension(of, claim.resource, resource_kind)
    return named and (meant is None or str(request.resource) in meant)


def typed(value: Value | None) -> tuple[str, object]:
    """A value with its type, so that no two types compare."""
    name = type(value).__name__
    if isinstance(value, bool):
        name = "bool"
    elif isinstance(value, str):
        name = "str"
    return name, value


def true(operator: str, left: Value | None, right: Value | None) -> bool:
    """The definition of each comparison, on values with their types."""
    (a, x), (b, y) = typed(left), typed(right)
    if "NoneType" in {a, b}:
        return False
    if isinstance(y, frozenset) and operator == "in":
        return a == "str" and any(x == member for member in y)
    if a != b or operator == "in":
        return False
    if operator in {"eq", "ne"}:
        return (x == y) == (operator == "eq")
    if not (isinstance(x, int) and isinstance(y, int) and a == b == "int"):
        return False
    below, same = x - y < 0, x - y == 0
    return {"lt": below, "le": below or same, "gt": not (below or same), "ge": not below}[operator]


def value_at(of: World, request: Request, context: c.Context, path: Path) -> Value | None:
    """What the request says at the path, or else what is stored."""
    root, name = path.root.value, str(path.name)
    told: Mapping[str, Mapping[str, Value]] = {
        "principal": plainly(context.principal_properties),
        "resource": plainly(context.resource_properties),
        "action": plainly(context.action_properties),
        "context": plainly(context.attributes),
    }
    whose = {"principal": str(request.principal), "resource": str(request.resource)}.get(root, "")
    return {**of.traits.get((root, whose), {}), **told[root]}.get(name)


def meant(of: World, request: Request, context: c.Context, operand: Operand) -> Value | None:
    """The value that the operand stands for."""
    match operand:
        case Literal():
            return operand.value
        case PrincipalIdentity():
            return str(request.principal)
        case ClockYear():
            return context.year
        case Path():
            return value_at(of, request, context, operand)


def met(of: World, request: Request, context: c.Context, constraint: c.Constraint) -> bool:
    """The declarative definition of each constraint."""
    match constraint:
        case c.TimeWindow():
            hours = set(range(constraint.start, constraint.end))
            return context.hour in hours and context.weekday in constraint.weekdays
        case c.GeoFence():
            return any(context.region == region for region in constraint.regions)
        case c.GeoRadius():
            here = context.position
            return here is not None and ceil(away(here, constraint.centre)) <= constraint.metres
        case c.MaxUsage():
            return context.usage in range(constraint.limit)
        case c.RateLimit():
            return context.rate in range(constraint.per_minute)
        case c.Attribute():
            left = value_at(of, request, context, constraint.path)
            right = meant(of, request, context, constraint.operand)
            return true(constraint.operator.value, left, right)


def away(here: Position, there: Position) -> float:
    """How far apart two places are in metres: by their vectors, in floating point."""
    one, other = direction(here), direction(there)
    crossed = [one[i] * other[j] - one[j] * other[i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return EARTH_RADIUS_METRES * atan2(hypot(*crossed), sum(map(mul, one, other)))


def direction(place: Position) -> tuple[float, float, float]:
    """The unit vector from the centre of the earth to a place."""
    latitude, longitude = radians(place.latitude / 1e6), radians(place.longitude / 1e6)
    around = cos(latitude)
    return around * cos(longitude), around * sin(longitude), sin(latitude)


EARTH_RADIUS_METRES = 6_371_008.7714


def clash(of: World, active_roles: Iterable[str]) -> tuple[object, ...]:
    """The first dynamic set that is broken by the active roles, with those of it that are."""
    held = set(active_roles)
    broken = [s for s in of.sets if s.mode == "dynamic" and len(s.roles & held) >= s.n]
    first = min(broken, key=lambda one: one.id, default=None)
    return () if first is None else (str(first.id), tuple(sorted(first.roles & held)), first.n)


def answer(state: Organization | None, request: Request, context: c.Context) -> Answer:
    """What the design says of the request: rules 3, 4 and 7."""
    return Answer(None, ("organization",)) if state is None else ask(world(state), request, context)


def ask(of: World, request: Request, context: c.Context) -> Answer:
    """The same for an organization that has been read: collect every objection, take the first."""
    resource_kind = kind(of, request)
    roles = active(of, request, context.instant)
    broken = clash(of, roles)
    failures = {
        (claim.id, claim.metered): [
            constraint
            for constraint in claim.constraints
            if not met(of, request, context, constraint)
        ]
        for claim in of.claims
        if claim.role in roles
        and resource_kind is not None
        and speaks(of, claim, request, resource_kind)
    }
    granting = [(metered, name) for (name, metered), failed in failures.items() if not failed]
    ranked = sorted(((len(f), n, tuple(f)) for (n, _), f in failures.items()), key=lambda r: r[:2])
    objections: list[tuple[bool, tuple[object, ...]]] = [
        (request.principal not in of.active, ("principal",)),
        (not of.active.get(request.principal, False), ("suspended",)),
        (resource_kind is None, ("resource",)),
        (broken != (), ("session", *broken)),
        (not roles, ("no role",)),
        (not failures, ("no claim",)),
        (not granting, ("constraint", *(ranked[0][1:] if ranked else ()))),
    ]
    why = next((reason for applies, reason in objections if applies), ())
    return Answer(str(min(granting)[1]) if why == () else None, why)
