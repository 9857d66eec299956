"""The production functions that are held to their translation, with inputs at their boundaries.

`PRODUCTION` has the inputs on which both must agree, `MISUSED` those on which running raises and
the translation must owe it.
"""

from collections.abc import Iterable
from dataclasses import fields
from itertools import product
from typing import Any, Final, TypeVar

from immutables import Map

from grantproof.core import attributes, constraints, duty, hierarchy, matching, policy
from grantproof.core.attributes import (
    NO_ATTRIBUTES,
    ClockYear,
    Literal,
    Operator,
    Path,
    PrincipalIdentity,
    Root,
    Value,
)
from grantproof.core.constraints import (
    Attribute,
    Constraint,
    Context,
    GeoFence,
    GeoRadius,
    MaxUsage,
    RateLimit,
    Situation,
    TimeWindow,
)
from grantproof.core.geodesy import HALF_TURN, RIGHT_ANGLE, Position
from grantproof.core.identifiers import (
    Action,
    AttributeName,
    Kind,
    PrincipalId,
    Region,
    RoleId,
    SodSetId,
)
from grantproof.core.limits import INSTANT_MAX, INSTANT_MIN, INTEGER_MAX, RADIUS_METRES_MAX
from grantproof.core.matching import Target
from grantproof.core.model import (
    ADMINISTRATIVE_ACTIONS,
    Exactly,
    OfKind,
    SodSet,
    Validity,
    Within,
)
from grantproof.core.model import Any as Anything
from tests.organizations import (
    ANN,
    C2,
    CHIEF,
    CLERK,
    DOCS,
    EU,
    FILE,
    FOLDER,
    HEAD,
    NOON,
    PLAN,
    READ,
    US,
    WRITE,
    asks,
    claim,
    made_of,
    pair,
    people,
    roles,
)

Inputs = tuple[Any, ...]
Object = TypeVar("Object")


def unchecked(kind: type[Object], **fields: object) -> Object:
    """An object that its class would refuse to make."""
    made = object.__new__(kind)
    for name, value in fields.items():
        object.__setattr__(made, name, value)
    return made


def plain_fields(value: Context) -> dict[str, object]:
    """The fields of a context by name."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def attribute_map(**values: Value) -> attributes.Attributes:
    """Attributes by name."""
    return attributes.attributes(values)


WINDOW: Final = TimeWindow(8, 18, frozenset({0, 4}))
FENCE: Final = GeoFence(frozenset({EU, US}))
HERE, AWAY = Position(48_856_600, 2_352_200), Position(48_865_600, 2_352_200)
"""1,001 m apart."""
RADIUS: Final = GeoRadius(HERE, 1_001)
VALUES: Final[tuple[Value, ...]] = (True, 0, 1, "a", frozenset({"a"}))
COUNTS: Final = (None, 0, 1, 2, 3)
OWNER, LEVEL = AttributeName("owner"), AttributeName("level")
PATHS: Final = tuple(Path(root, name) for root in Root for name in (OWNER, LEVEL))
SITUATION: Final = Situation(
    Context(
        instant=0,
        hour=8,
        weekday=4,
        year=1970,
        region=EU,
        position=AWAY,
        usage=2,
        rate=1,
        attributes=attribute_map(level=1),
        principal_properties=attribute_map(level=frozenset({"ann"})),
        action_properties=attribute_map(owner="ann"),
    ),
    ANN,
    attribute_map(level=2, owner="ann"),
    attribute_map(level=True),
)
OPERANDS: Final = (
    Literal(1970),
    Literal(value=True),
    Literal("ann"),
    PrincipalIdentity(),
    ClockYear(),
    PATHS[0],
    PATHS[2],
)
HELD: Final[tuple[Constraint, ...]] = (
    WINDOW,
    FENCE,
    RADIUS,
    MaxUsage(3),
    RateLimit(2),
    Attribute(Path(Root.PRINCIPAL, OWNER), Operator.EQ, PrincipalIdentity()),
    Attribute(Path(Root.ACTION, OWNER), Operator.IN, Path(Root.PRINCIPAL, LEVEL)),
)
FAILING: Final[tuple[Constraint, ...]] = (
    TimeWindow(9, 10),
    GeoFence(frozenset({US})),
    GeoRadius(HERE, 1_000),
    MaxUsage(2),
    RateLimit(1),
    Attribute(Path(Root.RESOURCE, LEVEL), Operator.EQ, Literal(1)),
    Attribute(Path(Root.CONTEXT, OWNER), Operator.NE, Literal("ann")),
)
TARGETS: Final = (
    Target(PLAN, FILE, (PLAN, DOCS), NO_ATTRIBUTES),
    Target(DOCS, FOLDER, (DOCS,), NO_ATTRIBUTES),
    Target(PLAN, FILE, (), NO_ATTRIBUTES),
)
PATTERNS: Final = (
    Anything(),
    Exactly(PLAN),
    Exactly(DOCS),
    Within(DOCS),
    Within(PLAN),
    OfKind(FILE),
    OfKind(Kind("other")),
)
ACTIONS: Final = (Anything(), Exactly(READ), Exactly(Action("assign")))
CLAIMS: Final = (claim(), claim(id=C2, role=HEAD, action=Exactly(WRITE)))
CLASH: Final = SodSet(SodSetId("clash"), frozenset({CLERK, CHIEF}), 2, "dynamic")
STATE: Final = made_of(*people(ANN), *roles(CLERK, HEAD, CHIEF), *CLAIMS, pair(), CLASH)
ROLES: Final = tuple(
    frozenset[RoleId](some) for some in ((), (CLERK,), (CLERK, HEAD), (CHIEF, CLERK), (CHIEF,))
)
VALIDITIES: Final = (Validity(), Validity(5), Validity(end=9), Validity(5, 9))
ASSIGNED: Final[tuple[Map[RoleId, Validity], ...]] = (
    Map(),
    Map(zip((CLERK, HEAD, CHIEF), VALIDITIES[1:], strict=True)),
)
INSTANTS: Final = (0, 4, 5, 6, 8, 9, 10)

PRODUCTION: Final[dict[object, Iterable[Inputs]]] = {
    attributes.compare: tuple(product(Operator, VALUES, VALUES)),
    constraints.window_holds: tuple(product([WINDOW], (7, 8, 9, 17, 18, 19), (0, 4, 5))),
    constraints.fence_holds: tuple(product([FENCE], (None, EU, US, Region("asia")))),
    constraints.radius_holds: tuple(
        product([RADIUS, GeoRadius(HERE, 1_000), GeoRadius(AWAY, 1)], (None, HERE, AWAY))
    ),
    constraints.usage_holds: tuple(product([MaxUsage(2)], COUNTS)),
    constraints.rate_holds: tuple(product([RateLimit(2)], COUNTS)),
    constraints.attribute_holds: tuple(
        product((Operator.EQ, Operator.LE), (None, 1, "a"), (None, 0, 1, True))
    ),
    constraints.read: tuple(product(PATHS, [SITUATION])),
    constraints.operand_value: tuple(product(OPERANDS, [SITUATION])),
    constraints.holds: tuple(product((*HELD, *FAILING), [SITUATION])),
    constraints.all_hold: tuple(
        product(((), HELD, HELD[:1], FAILING[:1], (*HELD, FAILING[5])), [SITUATION])
    ),
    constraints._seen: tuple(product((*HELD, *FAILING), [SITUATION])),  # noqa: SLF001 - it is read
    constraints.observe: tuple(product((HELD[1], HELD[2], HELD[5], FAILING[4]), [SITUATION])),
    TimeWindow.__post_init__: ((WINDOW,), (TimeWindow(0, 24, frozenset({6})),)),
    GeoFence.__post_init__: ((FENCE,),),
    GeoRadius.__post_init__: ((GeoRadius(HERE, 1),), (GeoRadius(HERE, RADIUS_METRES_MAX),)),
    Position.__post_init__: (
        (Position(RIGHT_ANGLE, HALF_TURN),),
        (Position(-RIGHT_ANGLE, -HALF_TURN),),
    ),
    MaxUsage.__post_init__: ((MaxUsage(1),), (MaxUsage(INTEGER_MAX),)),
    RateLimit.__post_init__: ((RateLimit(1),), (RateLimit(INTEGER_MAX),)),
    Attribute.__post_init__: tuple((one,) for one in (*HELD, *FAILING) if type(one) is Attribute),
    Context.__post_init__: (
        (NOON,),
        (Context(INSTANT_MIN, 0, 0, 1970, usage=0, rate=0),),
        (Context(INSTANT_MAX, 23, 6, 9999, usage=INTEGER_MAX, rate=INTEGER_MAX),),
    ),
    Validity.contains: tuple(product(VALIDITIES, INSTANTS)),
    Validity.__post_init__: tuple((one,) for one in (*VALIDITIES, Validity(INSTANT_MIN))),
    SodSet.__post_init__: ((SodSet(SodSetId("pair"), frozenset({CHIEF, CLERK}), 2),),),
    hierarchy.valid_roles: tuple(product(ASSIGNED, INSTANTS)),
    matching.action_matches: tuple(
        product(ACTIONS, (READ, WRITE, *map(Action, sorted(ADMINISTRATIVE_ACTIONS))))
    ),
    matching.resource_matches: tuple(product(PATTERNS, TARGETS)),
    matching.claim_matches: tuple(product(CLAIMS, (READ, WRITE), TARGETS)),
    matching.situate: ((STATE, asks(), NOON, TARGETS[0]),),
    duty.exceeds: tuple(product((pair(), pair(3, CLERK, HEAD, CHIEF)), ROLES)),
    duty.sets_naming: tuple(product([STATE], ROLES[:2])),
    duty.breached: ((STATE, ROLES[1], "static"), (STATE, ROLES[2], "static")),
    duty.dynamic_clash: tuple(product([STATE], ROLES[2:4])),
    policy.matching_claims: tuple(product([STATE], ROLES[1:3], [READ], TARGETS[:1])),
    policy.failing: ((claim(*FAILING[:3], *HELD[:2]), SITUATION), (claim(), SITUATION)),
    policy.nearest_failure: (((claim(FAILING[2], HELD[0]),), SITUATION),),
}
MISUSED: Final[dict[object, Iterable[Inputs]]] = {
    TimeWindow.__post_init__: tuple(
        (unchecked(TimeWindow, start=start, end=end, weekdays=days),)
        for start, end, days in (
            (-1, 5, WINDOW.weekdays),
            (5, 5, WINDOW.weekdays),
            (5, 25, WINDOW.weekdays),
            (5, 6, frozenset[int]()),
            (5, 6, frozenset({7})),
        )
    ),
    GeoFence.__post_init__: ((unchecked(GeoFence, regions=frozenset[Region]()),),),
    GeoRadius.__post_init__: tuple(
        (unchecked(GeoRadius, centre=HERE, metres=metres),)
        for metres in (0, -1, RADIUS_METRES_MAX + 1)
    ),
    Position.__post_init__: tuple(
        (unchecked(Position, latitude=latitude, longitude=longitude),)
        for latitude, longitude in (
            (RIGHT_ANGLE + 1, 0),
            (-RIGHT_ANGLE - 1, 0),
            (0, HALF_TURN + 1),
            (0, -HALF_TURN - 1),
        )
    ),
    MaxUsage.__post_init__: tuple(
        (unchecked(MaxUsage, limit=limit, period="day"),) for limit in (0, INTEGER_MAX + 1)
    ),
    RateLimit.__post_init__: tuple(
        (unchecked(RateLimit, per_minute=limit),) for limit in (0, INTEGER_MAX + 1)
    ),
    Attribute.__post_init__: tuple(
        (unchecked(Attribute, path=PATHS[0], operator=operator, operand=Literal("ann")),)
        for operator in (Operator.LT, Operator.IN)
    ),
    Validity.__post_init__: tuple(
        (unchecked(Validity, start=start, end=end),)
        for start, end in (
            (INSTANT_MIN - 1, None),
            (None, INSTANT_MAX + 1),
            (5, 5),
            (6, 5),
        )
    ),
    SodSet.__post_init__: tuple(
        (unchecked(SodSet, id=SodSetId("pair"), roles=roles, n=n, mode="static"),)
        for roles, n in (
            (frozenset({CHIEF, CLERK}), 1),
            (frozenset({CHIEF, CLERK}), 3),
            (frozenset({CHIEF}), 2),
        )
    ),
    Context.__post_init__: tuple(
        (unchecked(Context, **{**plain_fields(NOON), **changed}),)
        for changed in (
            {"instant": INSTANT_MIN - 1},
            {"instant": INSTANT_MAX + 1},
            {"hour": -1},
            {"hour": 24},
            {"weekday": 7},
            {"usage": -1},
            {"rate": INTEGER_MAX + 1},
        )
    ),
    matching.situate: ((STATE, asks(PrincipalId("nobody")), NOON, TARGETS[0]),),
}
