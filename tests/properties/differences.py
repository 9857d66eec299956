"""What two small organizations decide differently, found by asking about everything.

Every request is put to `evaluate`, at every instant at which an assignment of the principal
begins or ends, in every context of a grid: of each part, the values that the claims on that request
name, those beside them, and none. That grid is enough for conditions as few as these.
"""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Final

from grantproof.analysis.findings import Change, Difference, Direction, Unsettled
from grantproof.core.attributes import Attributes, ClockYear, Literal, Path, Root, Value, attributes
from grantproof.core.constraints import (
    Attribute,
    Constraint,
    Context,
    GeoFence,
    GeoRadius,
    MaxUsage,
    RateLimit,
    TimeWindow,
)
from grantproof.core.geodesy import Position
from grantproof.core.hierarchy import effective_roles, validities
from grantproof.core.identifiers import Action, PrincipalId, Region, ResourceId, RoleId
from grantproof.core.limits import INSTANT_MIN
from grantproof.core.matching import Request, claim_matches, resolve
from grantproof.core.model import ADMINISTER, Claim, Exactly
from grantproof.core.organization import Organization, implicit_kind
from grantproof.core.policy import Allow, evaluate

OTHER: Final = Action("unheard-of")
NOBODY: Final = PrincipalId("nobody")
ELSEWHERE: Final = ResourceId("unheard-of")
POSITIONS: Final = [
    None,
    Position(0, 0),
    Position(9_000, 0),
    Position(-9_000, 0),
    Position(9_006, 0),
    Position(-1, 180_000_000),
]
YEARS: Final = (2026, 2027)

Asked = tuple[Direction, str, str, str, str | None]
"""A direction, and the principal, action, resource and kind of a request."""


def brute_force(old: Organization, new: Organization) -> set[Asked]:
    """Every request that one of the states allows in some context in which the other denies it."""
    found: set[Asked] = set()
    known: dict[tuple[object, ...], set[Direction]] = {}
    people = {*old.principals, *new.principals, NOBODY}
    held = [{one: _roles(state, one) for one in people} for state in (old, new)]
    for request in requests(old, new):
        # Requests by one principal that the same claims match, on resources alike, are one case.
        matching = [
            _matching(state, request, roles[request.principal])
            for state, roles in zip((old, new), held, strict=True)
        ]
        if matching == [[], []]:
            continue
        stored = [_attributes(state, request) for state in (old, new)]
        case = (request.principal, str([matching, stored]))
        if case not in known:
            constraints = [claim.constraints for claim in (*matching[0], *matching[1])]
            known[case] = directions(old, new, request, constraints=constraints)
        asked = (request.principal, request.action, request.resource, request.kind)
        found.update((direction, *asked) for direction in known[case])
    return found


def expanded(found: Difference) -> list[Asked]:
    """Every request of the changes, those that stand for others under our names."""
    return [asked for change in (*found.gains, *found.losses) for asked in requests_of(change)]


def requests_of(change: Change | Unsettled) -> Iterator[Asked]:
    """Every request that a change is about."""
    scope = change.scope
    for principal, action, subject in product(scope.principals, scope.actions, scope.subjects):
        named = OTHER if action == scope.actions.other else action
        resource = subject.resource if subject.registered else ELSEWHERE
        yield (change.direction, principal, named, resource, subject.kind)


def requests(old: Organization, new: Organization) -> Iterator[Request]:
    """Requests by everybody and nobody, for every action, on all that is there and what is not."""
    claims = (*old.claims.values(), *new.claims.values())
    named = {claim.action.value for claim in claims if isinstance(claim.action, Exactly)}
    actions = sorted({*named, OTHER, ADMINISTER, Action("review")})
    people = [*sorted({*old.principals, *new.principals}), NOBODY]
    for principal, action, (resource, kind) in product(people, actions, targets(old, new)):
        yield Request(principal, action, resource, kind)


def targets(old: Organization, new: Organization) -> list[tuple[ResourceId, str | None]]:
    """Resources by their id, and by kind where the two states do not agree on it."""
    ids = {
        resource
        for state in (old, new)
        for resource in (*state.resources, *state.implicit_resources())
    }
    found: list[tuple[ResourceId, str | None]] = [(resource, None) for resource in sorted(ids)]
    for resource in sorted(ids):
        kinds = {_kind(state, resource) for state in (old, new)} - {None}
        plain = (_seen(old, resource, None), _seen(new, resource, None))
        found.extend(
            (resource, kind)
            for kind in sorted(map(str, kinds))
            if (_seen(old, resource, kind), _seen(new, resource, kind)) != plain
        )
    kinds_declared = sorted({*old.resources_of_kind, *new.resources_of_kind})
    return [*found, *((ELSEWHERE, str(kind)) for kind in kinds_declared)]


def _kind(state: Organization, resource: ResourceId) -> str | None:
    stored = state.resources.get(resource)
    return implicit_kind(state, resource) if stored is None else stored.kind


def _seen(state: Organization, resource: ResourceId, kind: str | None) -> object:
    return resolve(state, Request(NOBODY, OTHER, resource, kind))


def directions(
    old: Organization,
    new: Organization,
    request: Request,
    *,
    constraints: list[tuple[Constraint, ...]],
) -> set[Direction]:
    """In which directions the decision on the request changes, in some context."""
    found: set[Direction] = set()
    for context in contexts(old, new, request, constraints=constraints):
        before = isinstance(evaluate(old, request, context), Allow)
        after = isinstance(evaluate(new, request, context), Allow)
        if before != after:
            found.add(Direction.GAIN if after else Direction.LOSS)
            if len(found) == 2:
                break
    return found


def _attributes(state: Organization, request: Request) -> Attributes | None:
    target = resolve(state, request)
    return None if target is None else target.attributes


def _roles(state: Organization, principal: PrincipalId) -> frozenset[RoleId]:
    """The roles that the principal holds at some time."""
    held = (effective_roles(state, principal, instant) for instant in instants(state, principal))
    return frozenset[RoleId]().union(*held)


def _matching(state: Organization, request: Request, roles: frozenset[RoleId]) -> list[Claim]:
    """The claims of the roles on the request, by id."""
    target = resolve(state, request)
    if target is None:
        return []
    return [
        claim
        for _, claim in sorted(state.claims.items())
        if claim.role in roles and claim_matches(claim, request.action, target)
    ]


def contexts(
    old: Organization,
    new: Organization,
    request: Request,
    *,
    constraints: list[tuple[Constraint, ...]],
) -> Iterator[Context]:
    """The grid of contexts for the request."""
    named = [one for several in constraints for one in several]
    values = _values(old, new, request, named=named)
    paths = sorted(
        {
            side
            for one in named
            if isinstance(one, Attribute)
            for side in (one.path, one.operand)
            if isinstance(side, Path) and side.root in {Root.CONTEXT, Root.ACTION}
        },
        key=str,
    )
    hours = {12} | {
        hour % 24
        for one in named
        if isinstance(one, TimeWindow)
        for hour in (one.start - 1, one.start, one.end - 1, one.end)
    }
    windows = [one for one in named if isinstance(one, TimeWindow)]
    days = {tuple(day in one.weekdays for one in windows): day for day in range(7)}
    fences = [one for one in named if isinstance(one, GeoFence)]
    regions = [None, *sorted({*(r for one in fences for r in one.regions), Region("else")})]
    places = POSITIONS if any(isinstance(one, GeoRadius) for one in named) else [None]
    usages = _counts(one.limit for one in named if isinstance(one, MaxUsage))
    rates = _counts(one.per_minute for one in named if isinstance(one, RateLimit))
    yearly = any(isinstance(one, Attribute) and one.operand == ClockYear() for one in named)
    years = YEARS if yearly else YEARS[:1]
    held = product([None, *values], repeat=len(paths))
    for instant, hour, day, region, place, usage, rate, year, chosen in product(
        sorted({*instants(old, request.principal), *instants(new, request.principal)}),
        sorted(hours),
        days.values(),
        regions if fences else [None],
        places,
        usages,
        rates,
        years,
        list(held),
    ):
        given = dict(zip(paths, chosen, strict=True))
        yield Context(
            instant=instant,
            hour=hour,
            weekday=day,
            year=year,
            region=region,
            position=place,
            usage=usage,
            rate=rate,
            attributes=_under(Root.CONTEXT, given),
            action_properties=_under(Root.ACTION, given),
        )


def _counts(limits: Iterable[int]) -> list[int | None]:
    known = set(limits)
    if not known:
        return [None]
    return [None, *sorted({0, *known, *(limit - 1 for limit in known)})]


def _under(root: Root, given: dict[Path, Value | None]) -> Attributes:
    return attributes(
        {str(p.name): value for p, value in given.items() if p.root is root and value is not None}
    )


def _values(
    old: Organization, new: Organization, request: Request, *, named: list[Constraint]
) -> list[Value]:
    """What is worth trying for an attribute: of each type what is named, and something else."""
    operands = (one.operand for one in named if isinstance(one, Attribute))
    found: list[Value] = [one.value for one in operands if isinstance(one, Literal)]
    for state in (old, new):
        principal = state.principals.get(request.principal)
        resource = state.resources.get(request.resource)
        for stored in (principal, resource):
            found.extend(() if stored is None else stored.attributes.values())
    numbers = {*YEARS, *(value for value in found if type(value) is int)}
    texts = {"stranger", str(request.principal)}
    for value in found:
        texts |= {value} if isinstance(value, str) else set()
        texts |= value if isinstance(value, frozenset) else frozenset()
    sets = {frozenset[str](), *(value for value in found if isinstance(value, frozenset))}
    return [
        *(False, True),
        *sorted({near for number in numbers for near in (number - 1, number, number + 1)}),
        *sorted(texts),
        *sorted({*sets, *(frozenset({text}) for text in texts)}, key=sorted),
    ]


def instants(state: Organization, principal: PrincipalId) -> set[int]:
    """The instants at which what the principal holds may change, and the first of all."""
    held = validities(state, principal)
    edges = {edge for one in held for edge in (one.start, one.end) if edge is not None}
    return {INSTANT_MIN, *edges}
