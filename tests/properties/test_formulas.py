"""What the solver says of formulas is what the predicates of the core say of contexts."""

import hypothesis.strategies as st
from hypothesis import given

from grantproof.analysis.formulas import (
    AllOf,
    AnyOf,
    AtLeast,
    Comparison,
    Formula,
    Not,
    all_of,
    any_of,
    negation,
    true_in,
)
from grantproof.analysis.solving import Found, Impossible, Solver, Span
from grantproof.core.attributes import ClockYear, Literal, Operator, Path, Root, Value, attributes
from grantproof.core.constraints import (
    Context,
    GeoFence,
    GeoRadius,
    MaxUsage,
    RateLimit,
    TimeWindow,
)
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import AttributeName, Region

NOW = Span(1_800_000_000)

TEXTS = ["a", "b", "c"]
VALUES: list[Value] = [True, False, 0, 1, 2, *TEXTS, frozenset(), frozenset("a"), frozenset("bc")]
NAMES = [AttributeName("x"), AttributeName("y")]
CENTRES = [Position(0, 0), Position(0, 1_000_000), Position(50_000_000, 8_000_000)]
CIRCLES = [GeoRadius(at, metres) for at in CENTRES for metres in (1_000, 150_000, 20_015_115)]
REGIONS = [Region("eu"), Region("us")]
YEARS = [2026, 2027, 2028]

windows = st.builds(
    lambda start, hours, days: TimeWindow(start, start + hours, days),
    st.sampled_from([0, 9, 20]),
    st.sampled_from([1, 4]),
    st.sampled_from([frozenset(range(7)), frozenset({5, 6})]),
)
fences = st.sets(st.sampled_from(REGIONS), min_size=1).map(lambda some: GeoFence(frozenset(some)))
limits = st.sampled_from([1, 3])
paths = st.builds(Path, st.sampled_from([Root.CONTEXT, Root.ACTION]), st.sampled_from(NAMES))
terms = st.one_of(
    paths, st.sampled_from(VALUES).map(Literal), st.just(ClockYear()), st.just(Literal(2027))
)
comparisons = st.builds(Comparison, st.sampled_from(Operator), terms, terms)
conditions: st.SearchStrategy[Formula] = st.one_of(
    windows,
    fences,
    st.sampled_from(CIRCLES),
    limits.map(MaxUsage),
    limits.map(RateLimit),
    comparisons,
    comparisons,
)


def larger(smaller: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    """Return formulas made of smaller ones."""
    parts = st.lists(smaller, max_size=3).map(tuple)
    weighted = st.lists(st.tuples(st.integers(1, 3), smaller), max_size=3).map(tuple)
    return st.one_of(
        st.builds(Not, smaller),
        st.builds(AllOf, parts),
        st.builds(AnyOf, parts),
        st.builds(AtLeast, st.integers(0, 5), weighted),
    )


formulas = st.recursive(conditions, larger, max_leaves=6)

some_values = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES)).map(
    lambda values: attributes({str(name): value for name, value in values.items()})
)
contexts = st.builds(
    Context,
    instant=st.just(0),
    hour=st.sampled_from([0, 3, 9, 12, 20, 23]),
    weekday=st.sampled_from([0, 5]),
    year=st.sampled_from(YEARS),
    region=st.sampled_from([None, *REGIONS, Region("jp")]),
    position=st.sampled_from([None, *CENTRES, Position(-50_000_000, 100_000_000)]),
    usage=st.sampled_from([None, 0, 2, 5]),
    rate=st.sampled_from([None, 0, 2, 5]),
    attributes=some_values,
    action_properties=some_values,
)


@given(formulas, st.lists(contexts, min_size=10, max_size=10))
def test_an_answer_is_what_the_core_says_of_contexts(
    formula: Formula, drawn: list[Context]
) -> None:
    """A context that is found has the property, and where there is none no drawn one has it."""
    solution = Solver().solve(formula, NOW)
    if isinstance(solution, Found):
        assert true_in(formula, solution.context)
    else:
        assert isinstance(solution, Impossible)
        assert [context for context in drawn if true_in(formula, context)] == []


@given(formulas, formulas, contexts)
def test_what_is_made_shorter_means_the_same(
    one: Formula, other: Formula, context: Context
) -> None:
    """Conjunctions, disjunctions and negations that are simplified as they are made."""
    first, second = true_in(one, context), true_in(other, context)
    made: list[tuple[Formula, bool]] = [
        (all_of([one, other]), first and second),
        (any_of([one, other]), first or second),
        (negation(one), not first),
        (all_of([]), True),
        (any_of([]), False),
    ]
    assert [true_in(formula, context) for formula, _ in made] == [value for _, value in made]


def test_both_answers_are_drawn() -> None:
    """The formulas above hold somewhere and nowhere often enough to show anything."""
    answers = {True: 0, False: 0}

    @given(formulas)
    def count(formula: Formula) -> None:
        answers[isinstance(Solver().solve(formula, NOW), Found)] += 1

    count()
    assert min(answers.values()) >= 5, answers
