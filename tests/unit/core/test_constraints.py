"""Illegal constraints cannot be constructed; legal ones hold exactly where they are defined to."""

from dataclasses import replace
from typing import Any as Anything
from typing import get_args

import pytest

from grantproof.core.attributes import (
    ORDERING,
    ClockYear,
    Literal,
    Operand,
    Operator,
    Path,
    PrincipalIdentity,
    Root,
    Value,
    attributes,
)
from grantproof.core.constraints import (
    EVERY_DAY,
    Attribute,
    Constraint,
    Context,
    GeoFence,
    GeoRadius,
    MaxUsage,
    Observation,
    RateLimit,
    Situation,
    TimeWindow,
    all_hold,
    holds,
    observe,
    operand_value,
    read,
)
from grantproof.core.errors import Illegal
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import AttributeName, Region
from grantproof.core.limits import INSTANT_MAX, RADIUS_METRES_MAX
from tests.organizations import ANN, EU, NOON, US

BIG = 2**63
HOME = Position(48_856_600, 2_352_200)
LEVEL = AttributeName("level")
NOWHERE = Situation(NOON, ANN, attributes({}), attributes({}))


def path(root: Root = Root.CONTEXT) -> Path:
    """The attribute `level` of the root."""
    return Path(root, LEVEL)


def within(context: Context) -> Situation:
    """Nothing stored, only the context."""
    return replace(NOWHERE, context=context)


@pytest.mark.parametrize(
    ("start", "end", "field", "rule"),
    [
        (-1, 5, "start", "must be at least 0"),
        (-1, -1, "start", "must be at least 0"),
        (0, 25, "end", "must be at most 24"),
        (24, 25, "end", "must be at most 24"),
        (9, 9, "start", "must be before `end`: write a window over midnight as two claims"),
        (0, 0, "start", "must be before `end`: write a window over midnight as two claims"),
        (24, 24, "start", "must be before `end`: write a window over midnight as two claims"),
        (22, 6, "start", "must be before `end`: write a window over midnight as two claims"),
    ],
)
def test_an_illegal_window_cannot_be_constructed(
    start: int, end: int, field: str, rule: str
) -> None:
    """The hours of a window lie in one day and the start comes first."""
    with pytest.raises(Illegal) as caught:
        TimeWindow(start, end)
    assert (caught.value.field, caught.value.rule) == (field, rule)


@pytest.mark.parametrize(("start", "end"), [(0, 1), (0, 24), (23, 24), (8, 9)])
def test_a_window_may_be_an_hour_or_the_whole_day(start: int, end: int) -> None:
    """The extremes are legal."""
    assert TimeWindow(start, end).weekdays == EVERY_DAY


@pytest.mark.parametrize(
    ("weekdays", "rule"),
    [
        (frozenset(), "must not be empty: leave it out to mean every day"),
        (frozenset({7}), "must be numbers from 0 (Monday) to 6 (Sunday)"),
        (frozenset({-1}), "must be numbers from 0 (Monday) to 6 (Sunday)"),
        (frozenset({0, 7}), "must be numbers from 0 (Monday) to 6 (Sunday)"),
    ],
)
def test_illegal_weekdays_cannot_be_constructed(weekdays: frozenset[int], rule: str) -> None:
    """Weekdays are some of seven, never none."""
    with pytest.raises(Illegal) as caught:
        TimeWindow(9, 17, weekdays)
    assert (caught.value.field, caught.value.rule) == ("weekdays", rule)


def test_a_fence_has_1_to_1000_regions() -> None:
    """1, 999 and 1,000 are legal; 0 and 1,001 are not."""
    regions = [Region(f"r{number}") for number in range(1_001)]
    assert [len(GeoFence(frozenset(regions[:n])).regions) for n in (1, 999, 1_000)] == [
        1,
        999,
        1_000,
    ]
    with pytest.raises(Illegal, match="`regions` must not be empty"):
        GeoFence(frozenset())
    with pytest.raises(Illegal, match="`regions` must have at most 1000 members"):
        GeoFence(frozenset(regions))


@pytest.mark.parametrize("metres", [0, -1, RADIUS_METRES_MAX + 1])
def test_a_radius_reaches_from_1_metre_to_half_the_way_round(metres: int) -> None:
    """The extremes are legal, what is beyond them is not."""
    assert [GeoRadius(HOME, one).metres for one in (1, RADIUS_METRES_MAX)] == [1, 20_015_115]
    with pytest.raises(Illegal, match="`metres` must be between 1 and 20015115"):
        GeoRadius(HOME, metres)


@pytest.mark.parametrize("limit", [0, -1, BIG])
def test_a_meter_limit_is_positive_and_fits_in_64_bits(limit: int) -> None:
    """Neither a usage nor a rate limit may be zero, negative or too large."""
    rule = "must be greater than 0 and fit in 64 bits"
    with pytest.raises(Illegal, match=f"`limit` {rule}"):
        MaxUsage(limit)
    with pytest.raises(Illegal, match=f"`per_minute` {rule}"):
        RateLimit(limit)


@pytest.mark.parametrize("limit", [1, BIG - 1])
def test_the_extremes_of_meter_limits_are_legal(limit: int) -> None:
    """One, and the largest integer."""
    assert (MaxUsage(limit).limit, RateLimit(limit).per_minute) == (limit, limit)


@pytest.mark.parametrize("operator", sorted(ORDERING))
@pytest.mark.parametrize("value", [True, "1", frozenset({"1"})])
def test_an_ordering_takes_a_whole_number(operator: Operator, value: Value) -> None:
    """`lt`, `le`, `gt` and `ge` against a literal of another type cannot be constructed."""
    rule = f"`operand` must be a whole number for `{operator.value}`"
    with pytest.raises(Illegal, match=rule):
        Attribute(path(), operator, Literal(value))


@pytest.mark.parametrize("value", [True, 1, "a"])
def test_in_takes_a_list_of_strings(value: Value) -> None:
    """`in` against a literal that is no set cannot be constructed."""
    with pytest.raises(Illegal, match="`operand` must be a list of strings for `in`"):
        Attribute(path(), Operator.IN, Literal(value))


def test_every_fitting_operand_is_legal() -> None:
    """Equality takes any literal, orderings an int, `in` a set, all of them what is read later."""
    fitting: dict[Operator, list[Value]] = {
        **{operator: [0, -1] for operator in ORDERING},
        Operator.EQ: [True, 1, "a", frozenset({"a"})],
        Operator.NE: [True, 1, "a", frozenset({"a"})],
        Operator.IN: [frozenset(), frozenset({"a"})],
    }
    later: list[Operand] = [path(Root.PRINCIPAL), PrincipalIdentity(), ClockYear()]
    made = [
        Attribute(path(), operator, operand)
        for operator, values in fitting.items()
        for operand in (*map(Literal, values), *later)
    ]
    assert len(made) == sum(map(len, fitting.values())) + 3 * 7


@pytest.mark.parametrize(
    ("field", "legal", "illegal"),
    [
        ("instant", (0, 1, INSTANT_MAX - 1, INSTANT_MAX), (-1, INSTANT_MAX + 1)),
        ("hour", (0, 1, 22, 23), (-1, 24)),
        ("weekday", (0, 1, 5, 6), (-1, 7)),
        ("usage", (None, 0, 1, BIG - 1), (-1, BIG)),
        ("rate", (None, 0, 1, BIG - 1), (-1, BIG)),
    ],
)
def test_a_context_stays_within_its_bounds(
    field: str, legal: tuple[int | None, ...], illegal: tuple[int, ...]
) -> None:
    """Each number of a context is legal at its bounds and refused one beyond them."""
    made = [getattr(with_number(field, value), field) for value in legal]
    assert made == list(legal)
    for value in illegal:
        with pytest.raises(Illegal, match=f"`{field}` must be"):
            with_number(field, value)


def with_number(field: str, value: int | None) -> Context:
    """A context with one of its numbers changed."""
    changes: dict[str, Anything] = {field: value}
    return replace(NOON, **changes)


def test_a_window_holds_from_start_until_before_end() -> None:
    """Of all hours exactly those in [9, 17) hold."""
    window = TimeWindow(9, 17)
    held = [hour for hour in range(24) if holds(window, within(replace(NOON, hour=hour)))]
    assert held == [9, 10, 11, 12, 13, 14, 15, 16]


def test_a_window_holds_on_its_weekdays_only() -> None:
    """Of all days exactly the listed ones hold, and every day when none is listed."""
    window = TimeWindow(0, 24, frozenset({0, 6}))
    days = [day for day in range(7) if holds(window, within(replace(NOON, weekday=day)))]
    always = [
        day for day in range(7) if holds(TimeWindow(0, 24), within(replace(NOON, weekday=day)))
    ]
    assert (days, always) == ([0, 6], list(range(7)))


def test_a_fence_holds_inside_exactly_its_regions() -> None:
    """A listed region holds; another, one that begins like it, and none at all do not."""
    fence = GeoFence(frozenset({EU}))
    regions = [EU, US, Region("eu-1"), Region("EU"), None]
    found = [holds(fence, within(replace(NOON, region=region))) for region in regions]
    assert found == [True, False, False, False, False]


@pytest.mark.parametrize("constraint", [MaxUsage(3), RateLimit(3)])
def test_a_meter_holds_below_its_limit(constraint: Constraint) -> None:
    """2 is below 3; 3, 4 and an unknown count are not."""
    counts = [0, 2, 3, 4, None]
    found = [holds(constraint, within(replace(NOON, usage=n, rate=n))) for n in counts]
    assert found == [True, True, False, False, False]


def test_usage_and_rate_are_read_apart() -> None:
    """A usage limit looks at the usage only, a rate limit at the rate only."""
    context = within(replace(NOON, usage=0, rate=9))
    assert (holds(MaxUsage(5), context), holds(RateLimit(5), context)) == (True, False)


@pytest.mark.parametrize("operator", Operator)
def test_a_missing_attribute_never_holds(operator: Operator) -> None:
    """Whichever side is missing, no operator holds, `ne` included."""
    here = within(replace(NOON, attributes=attributes({"level": 1})))
    constant: Literal = Literal(frozenset({"a"}) if operator is Operator.IN else 1)
    found = [
        holds(Attribute(path(), operator, constant), NOWHERE),
        holds(Attribute(path(), operator, path(Root.PRINCIPAL)), here),
        holds(Attribute(path(Root.PRINCIPAL), operator, path()), here),
        holds(Attribute(path(), operator, path()), NOWHERE),
    ]
    assert found == [False] * 4


def test_each_root_reads_its_own_attribute() -> None:
    """Principals and resources have stored attributes; actions and contexts only given ones."""
    context = replace(
        NOON, attributes=attributes({"level": 1}), action_properties=attributes({"level": 2})
    )
    situation = Situation(context, ANN, attributes({"level": 3}), attributes({"level": 4}))
    found = {root: read(path(root), situation) for root in Root}
    assert found == {Root.CONTEXT: 1, Root.ACTION: 2, Root.PRINCIPAL: 3, Root.RESOURCE: 4}


def test_a_property_of_the_request_overrides_the_stored_attribute() -> None:
    """Given properties win over stored ones, name by name, even when they are false."""
    context = replace(
        NOON,
        principal_properties=attributes({"level": False}),
        resource_properties=attributes({"level": 0}),
    )
    stored = attributes({"level": True, "other": "kept"})
    situation = Situation(context, ANN, stored, stored)
    found = [
        read(Path(root, AttributeName(name)), situation)
        for root in (Root.PRINCIPAL, Root.RESOURCE)
        for name in ("level", "other")
    ]
    assert found == [False, "kept", 0, "kept"]


def test_operands_are_read_where_they_point() -> None:
    """A literal is itself, `principal.id` the asking principal's string, `clock.year` the year."""
    identity = operand_value(PrincipalIdentity(), NOWHERE)
    assert (identity, type(identity)) == ("ann", str)
    assert operand_value(ClockYear(), NOWHERE) == 2026
    assert operand_value(Literal("x"), NOWHERE) == "x"
    assert operand_value(path(), NOWHERE) is None


def test_an_owner_is_recognized_by_principal_id() -> None:
    """`resource.owner eq principal.id` holds for the owner and nobody else."""
    owns = Attribute(Path(Root.RESOURCE, AttributeName("owner")), Operator.EQ, PrincipalIdentity())
    found = [
        holds(owns, replace(NOWHERE, resource_attributes=attributes({"owner": owner})))
        for owner in ("ann", "bob")
    ]
    assert found == [True, False]


def test_the_empty_list_holds_and_one_failure_fails_all() -> None:
    """All constraints must hold; there being none, they do."""
    passing, failing = TimeWindow(12, 13), TimeWindow(0, 1)
    lists = [(), (passing,), (passing, failing), (failing, passing), (failing,)]
    assert [all_hold(listed, NOWHERE) for listed in lists] == [True, True, False, False, False]


def test_an_observation_says_what_each_constraint_saw() -> None:
    """Hour and weekday, region, counts, both sides of an attribute; nothing where missing."""
    full = replace(NOON, region=EU, usage=1, rate=2, attributes=attributes({"level": 3}))
    constraints: list[Constraint] = [
        TimeWindow(9, 10),
        GeoFence(frozenset({EU})),
        MaxUsage(1),
        RateLimit(3),
        Attribute(path(), Operator.GE, Literal(3)),
    ]
    seen = [observe(constraint, within(full)) for constraint in constraints]
    unseen = [observe(constraint, NOWHERE).saw for constraint in constraints]
    values = [((12, 2), False), (("eu",), True), ((1,), False), ((2,), True), ((3, 3), True)]
    assert seen == [
        Observation(constraint, saw, held)
        for constraint, (saw, held) in zip(constraints, values, strict=True)
    ]
    assert unseen == [(12, 2), (None,), (None,), (None,), (None, 3)]


def test_there_are_six_constraints() -> None:
    """The closed union of the constraints."""
    union = {TimeWindow, GeoFence, GeoRadius, MaxUsage, RateLimit, Attribute}
    assert set(get_args(Constraint)) == union
