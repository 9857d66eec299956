"""A compiled claim passes exactly when its constraints hold: every kind, alone and with others."""

from dataclasses import replace

import pytest

from grantproof.core.attributes import NO_ATTRIBUTES, ClockYear, Literal, Operator, Path, Root
from grantproof.core.candidates import compile_claim, passes
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
    compiled = compile_claim(claim(*constraints))
    expected = [
        all_hold(constraints, Situation(context, ANN, NO_ATTRIBUTES, NO_ATTRIBUTES))
        for context in CONTEXTS
    ]
    assert [passes(compiled, context) for context in CONTEXTS] == expected
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
    assert (bare.hours, bare.regions, bare.radii) == (None, None, ())
    assert (bare.usage_below, bare.rate_below, bare.attributes) == (None, None, ())


@pytest.mark.parametrize(
    ("constraint", "hourly", "metered"),
    [
        (MORNING, True, False),
        (GeoFence(frozenset({EU})), False, False),
        (GeoRadius(HERE, 200), False, False),
        (MaxUsage(3), False, True),
        (RateLimit(3), False, True),
        (SENIOR, False, False),
        (THIS_YEAR, True, False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_constraint_makes_a_claim_unfree(
    constraint: Constraint, *, hourly: bool, metered: bool
) -> None:
    """And says what could change the answer: the passing of time, or what is counted."""
    compiled = compile_claim(claim(constraint))
    assert (compiled.free, compiled.hourly, compiled.metered) == (False, hourly, metered)
    with_another = compile_claim(claim(SENIOR, constraint))
    assert (with_another.hourly, with_another.metered) == (hourly, metered)


def test_a_claim_without_constraints_is_free() -> None:
    """Nothing could change what it grants."""
    compiled = compile_claim(claim())
    assert (compiled.free, compiled.hourly, compiled.metered) == (True, False, False)


def test_constraints_on_attributes_are_kept_as_they_are() -> None:
    """They are asked of the reference itself, when all else has passed."""
    compiled = compile_claim(claim(SENIOR, MORNING, THIS_YEAR))
    assert compiled.attributes == (SENIOR, THIS_YEAR)
    assert passes(compiled, NOON)
