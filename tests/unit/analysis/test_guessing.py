"""What is guessed without a solver: likely contexts, each put to the test."""

import pytest

from grantproof.analysis.formulas import (
    AllOf,
    Comparison,
    Formula,
    Not,
    all_of,
    any_of,
    true_in,
)
from grantproof.analysis.guessing import guess
from grantproof.analysis.solving import Impossible, Solver, Span
from grantproof.core.attributes import Literal, Operator, Path, Root
from grantproof.core.constraints import GeoFence, GeoRadius, MaxUsage, RateLimit, TimeWindow
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import AttributeName
from tests.organizations import EU, US

DAY, LONGER = TimeWindow(9, 17), TimeWindow(9, 20, frozenset({5}))
AMOUNT = Path(Root.CONTEXT, AttributeName("amount"))
TAGS = Path(Root.ACTION, AttributeName("tags"))
FORMULAS: dict[str, Formula] = {
    "hours": DAY,
    "only the longer": all_of([LONGER, Not(DAY)]),
    "one fence, not the other": all_of(
        [GeoFence(frozenset({EU, US})), Not(GeoFence(frozenset({EU})))]
    ),
    "a place": GeoRadius(Position(0, 0), 100),
    "away": Not(GeoRadius(Position(0, 0), 100)),
    "counts": all_of([MaxUsage(5), Not(MaxUsage(3)), RateLimit(2)]),
    "an amount": all_of(
        [Comparison(Operator.LT, AMOUNT, Literal(9)), Comparison(Operator.GE, AMOUNT, Literal(8))]
    ),
    "a member": Comparison(Operator.IN, TAGS, Literal(frozenset({"a"}))),
    "either": any_of([all_of([DAY, Not(DAY)]), MaxUsage(1)]),
    "nothing at all": AllOf(()),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_what_is_likely_is_guessed(name: str) -> None:
    """Without a solver, and true by the predicates of the core."""
    found = guess(FORMULAS[name])
    assert found is not None
    assert true_in(FORMULAS[name], found)


def test_what_is_guessed_is_not_asked() -> None:
    """The solver is asked what no guess decides, and only that."""
    solver = Solver()
    solver.solve(FORMULAS["only the longer"], Span(0))
    assert solver.asked == 0
    assert isinstance(solver.solve(all_of([DAY, Not(TimeWindow(8, 18))]), Span(0)), Impossible)
    assert solver.asked == 1
