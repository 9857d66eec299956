"""A compiled claim passes exactly when its constraints hold: every kind, alone and with others."""

from dataclasses import replace

import pytest

from grantproof.core.attributes import NO_ATTRIBUTES, ClockYear, Literal, Operator, Path, Root
from grantproof.core.candidates import compile_claim
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
    all_hold,
)
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import AttributeName
from tests.compiled import is_open
from tests.organizations import ANN, EU, NOON, US, claim

HERE, NEAR, FAR = Position(0, 0), Position(0, 1_000), Position(0, 2_000_000)
MORNING, WORKDAYS = TimeWindow(6, 13), TimeWindow(0, 24, frozenset(range(5)))
LEVEL = Path(Root.PRINCIPAL, AttributeName("level"))
SENIOR = Attribute(LEVEL, Operator.EQ, Literal(1))
THIS_YEAR = Attribute(LEVEL, Operator.EQ, ClockYear())
LISTS: list[tuple[Constraint, ...]] = [
    (),
    (MORNING,),
    (WORKDAYS,),
    (MORNING, WORKDAYS),
    (GeoFence(frozenset({EU})),),
    (GeoFence(frozenset({EU, US})),),
    (GeoFence(frozenset({EU, US})), GeoFence(frozenset({US}))),
    (GeoFence(frozenset({EU})), GeoFence(frozenset({US}))),
    (GeoRadius(HERE, 200),),
    (GeoRadius(HERE, 200), GeoRadius(FAR, 200)),
    (MaxUsage(3),),
    (MaxUsage(3), MaxUsage(2)),
    (RateLimit(3),),
    (RateLimit(2), RateLimit(3)),
    (MORNING, GeoFence(frozenset({EU})), GeoRadius(HERE, 200), MaxUsage(3), RateLimit(3)),
]
KNOWN = replace(NOON, region=EU, position=NEAR, usage=0, rate=0)
CONTEXTS: list[Context] = [
    KNOWN,
    NOON,
    *(replace(KNOWN, hour=hour) for hour in (0, 5, 6, 13, 23)),
    *(replace(KNOWN, weekday=day) for day in (0, 4, 5, 6)),
    replace(KNOWN, region=None),
    replace(KNOWN, region=US),
    replace(KNOWN, position=None),
    replace(KNOWN, position=FAR),
    *(replace(KNOWN, usage=usage) for usage in (None, 1, 2, 3, 4)),
    *(replace(KNOWN, rate=rate) for rate in (None, 1, 2, 3, 4)),
]


@pytest.mark.parametrize("constraints", LISTS, ids=lambda told: f"{len(told)} constraints")
def test_p_index_a_compiled_claim_passes_when_its_constraints_hold(
    constraints: tuple[Constraint, ...],
) -> None:
    """P-INDEX: in every context as the reference says."""
    expected = [
        all_hold(constraints, Situation(context, ANN, NO_ATTRIBUTES, NO_ATTRIBUTES))
        for context in CONTEXTS
    ]
    assert [is_open(constraints, context) for context in CONTEXTS] == expected
    # In one of them at least, unless no region is in both fences or no place near both points.
    assert any(expected) == (constraints not in (LISTS[7], LISTS[9]))


def test_a_window_is_a_table_over_the_hours_of_the_week() -> None:
    """Monday first; two windows hold where both do."""
    hours = compile_claim(claim(MORNING, WORKDAYS)).hours
    assert hours is not None
    found = [divmod(place, 24) for place, holds in enumerate(hours) if holds]
    assert found == [(day, hour) for day in range(5) for hour in range(6, 13)]


def test_what_a_claim_does_not_ask_has_no_test() -> None:
    """Nothing is looked up where nothing is asked."""
    bare = compile_claim(claim())
    assert (bare.hours, bare.regions, bare.usage_below, bare.rate_below) == (None,) * 4
    assert (bare.closer, bare.hourly, bare.yearly) == ((), False, False)


@pytest.mark.parametrize(
    ("constraint", "hourly"),
    [
        (MORNING, True),
        (GeoFence(frozenset({EU})), False),
        (GeoRadius(HERE, 200), False),
        (MaxUsage(3), False),
        (RateLimit(3), False),
        (SENIOR, False),
        (THIS_YEAR, True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_constraint_says_whether_the_passing_of_time_could_change_the_answer(
    constraint: Constraint, *, hourly: bool
) -> None:
    """Alone, and beside another."""
    assert compile_claim(claim(constraint)).hourly is hourly
    assert compile_claim(claim(SENIOR, constraint)).hourly is hourly
    assert compile_claim(claim(MORNING, constraint)).yearly is (constraint == THIS_YEAR)


def test_what_is_not_merged_is_kept_as_it_is() -> None:
    """It is asked of the reference itself, when all else has passed, distances at last."""
    near = GeoRadius(HERE, 200)
    compiled = compile_claim(claim(near, SENIOR, MORNING, MaxUsage(1), THIS_YEAR, RateLimit(1)))
    assert compiled.closer == (SENIOR, THIS_YEAR, near)


def test_what_many_claims_demand_is_kept_once() -> None:
    """Of two that demand the same hours and regions, which are then found near at hand."""
    one, other = (compile_claim(claim(MORNING, GeoFence(frozenset({EU, US})))) for _ in range(2))
    assert one.hours is other.hours
    assert one.regions is other.regions


def test_a_compiled_claim_is_one_of_its_own() -> None:
    """What is known of one is not known of another, though they demand the same."""
    assert compile_claim(claim(MORNING)) != compile_claim(claim(MORNING))
