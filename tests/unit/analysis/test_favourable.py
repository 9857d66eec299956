"""Contexts that are found without a solver, and what one condition says of another."""

import pytest

from grantproof.analysis.favourable import entails, guess
from grantproof.analysis.formulas import (
    ALWAYS,
    NEVER,
    AtLeast,
    Comparison,
    Condition,
    Formula,
    Not,
    all_of,
    any_of,
    true_in,
)
from grantproof.core.attributes import ClockYear, Literal, Operator, Path, Root, Value
from grantproof.core.constraints import (
    Context,
    GeoFence,
    GeoRadius,
    MaxUsage,
    RateLimit,
    TimeWindow,
)
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import AttributeName
from tests.organizations import EU, US

IN = {Operator.IN}
HERE, THERE = Position(0, 0), Position(0, 1_000_000)
X = Path(Root.CONTEXT, AttributeName("x"))
Y = Path(Root.ACTION, AttributeName("y"))


def compared(operator: Operator, right: Value) -> Comparison:
    """The attribute x compared with a constant."""
    return Comparison(operator, X, Literal(right))


@pytest.mark.parametrize(
    "formula",
    [
        ALWAYS,
        TimeWindow(20, 23, frozenset({6})),
        Not(TimeWindow(0, 23)),
        all_of([TimeWindow(8, 18), TimeWindow(17, 24), Not(TimeWindow(0, 24, frozenset({0, 1})))]),
        all_of([GeoFence(frozenset({EU, US})), Not(GeoFence(frozenset({EU})))]),
        Not(GeoFence(frozenset({EU}))),
        all_of([GeoRadius(HERE, 200_000), Not(GeoRadius(THERE, 1_000))]),
        all_of([MaxUsage(5), Not(MaxUsage(3)), RateLimit(2), Not(RateLimit(1))]),
        *(compared(operator, 5) for operator in sorted({*Operator} - IN)),
        *(compared(Operator.NE, right) for right in (True, "other", frozenset({"other"}))),
        compared(Operator.NE, frozenset[str]()),
        compared(Operator.IN, frozenset({"a", "b"})),
        *(Comparison(operator, Literal(5), Y) for operator in sorted({*Operator} - IN)),
        Comparison(Operator.IN, Literal("a"), Y),
        Comparison(Operator.LT, X, ClockYear()),
        *(
            Comparison(operator, Literal(2030), ClockYear())
            for operator in Operator
            if operator != "in"
        ),
        any_of([NEVER, all_of([compared(Operator.EQ, 1), compared(Operator.EQ, 2)]), MaxUsage(1)]),
        Not(compared(Operator.EQ, 1)),
    ],
)
def test_a_context_is_guessed(formula: Formula) -> None:
    """What is asked of one thing each is met, and so it is tested."""
    context = guess(formula)
    assert context is not None
    assert true_in(formula, context)


@pytest.mark.parametrize(
    "formula",
    [
        NEVER,
        all_of([TimeWindow(8, 9), TimeWindow(9, 10)]),
        all_of([GeoFence(frozenset({EU})), GeoFence(frozenset({US}))]),
        all_of([GeoRadius(HERE, 1_000), GeoRadius(THERE, 1_000)]),
        all_of([compared(Operator.EQ, 1), compared(Operator.EQ, 3)]),
        AtLeast(1, ((1, MaxUsage(1)),)),
        compared(Operator.LT, -(2**63)),
        compared(Operator.GT, 2**63 - 1),
        compared(Operator.IN, frozenset[str]()),
        Comparison(Operator.EQ, Literal(2), ClockYear()),
        Comparison(Operator.LT, X, Path(Root.CONTEXT, AttributeName("z"))),
    ],
)
def test_nothing_is_guessed_where_it_takes_more(formula: Formula) -> None:
    """What cannot be, and what only a solver finds, is left to the solver."""
    assert guess(formula) is None


def test_a_guess_is_as_plain_as_can_be() -> None:
    """Noon on a Monday, and nothing that was not asked for."""
    assert guess(ALWAYS) == Context(0, 12, 0, 2026)
    assert guess(all_of([MaxUsage(5), RateLimit(5)])) == Context(0, 12, 0, 2026, usage=0, rate=0)


ENTAILED: list[tuple[Condition, Condition]] = [
    (TimeWindow(9, 17), TimeWindow(8, 18)),
    (TimeWindow(9, 17, frozenset({1})), TimeWindow(9, 17, frozenset({1, 2}))),
    (GeoFence(frozenset({EU})), GeoFence(frozenset({EU, US}))),
    (GeoRadius(HERE, 100), GeoRadius(HERE, 101)),
    (GeoRadius(THERE, 100), GeoRadius(HERE, 200_000)),
    (GeoRadius(THERE, 100), GeoRadius(HERE, 20_015_115)),
    (MaxUsage(1, "day"), MaxUsage(2)),
    (RateLimit(1), RateLimit(2)),
]


@pytest.mark.parametrize(("one", "other"), ENTAILED)
def test_a_tighter_condition_entails_a_looser_one(one: Condition, other: Condition) -> None:
    """And not the other way round; each entails itself."""
    assert entails(one, other)
    assert not entails(other, one)
    assert entails(one, one)


def test_conditions_of_two_types_entail_nothing_of_each_other() -> None:
    """Usage is not a rate, and a comparison entails itself alone."""
    kinds: list[Condition] = [
        TimeWindow(0, 24),
        GeoFence(frozenset({EU})),
        GeoRadius(HERE, 5),
        MaxUsage(1),
        RateLimit(1),
        compared(Operator.EQ, 1),
        compared(Operator.EQ, True),
    ]
    found = [[entails(one, other) for other in kinds] for one in kinds]
    assert found == [[one is other for other in kinds] for one in kinds]
