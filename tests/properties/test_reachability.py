"""What is said of reachability is what trying every sequence of every step shows."""

from dataclasses import replace

from hypothesis import event, given, settings
from hypothesis import strategies as st

from grantproof.analysis.reachability.bound import excluding
from grantproof.analysis.reachability.invariant import Invariant, NeverMet, gaps, violations
from grantproof.analysis.reachability.problem import Problem
from grantproof.analysis.reachability.replay import replayed
from grantproof.analysis.reachability.rules import reach
from grantproof.analysis.reachability.slicing import sliced
from grantproof.analysis.reachability.verdicts import (
    Limits,
    Reachable,
    Undetermined,
    Unreachable,
)
from tests.strategies.rules import fewest_steps, problems


@settings(max_examples=60)
@given(problems())
def test_the_answer_is_that_of_the_plain_search(problem: Problem) -> None:
    """Yes with as few steps as can be, replayed; no where every sequence misses the goal."""
    fewest = fewest_steps(problem)
    answer = reach(problem)
    match answer:
        case Reachable(steps, shortest):
            event(f"reachable in {len(steps)}")
            assert (len(steps), shortest) == (fewest, True)
            assert replayed(problem, steps) is None
        case Unreachable(how):
            event(f"unreachable: {how}")
            assert fewest is None
        case Undetermined(why):
            raise AssertionError(why)


@settings(max_examples=60)
@given(problems(), st.integers(0, 3), st.integers(0, 6))
def test_with_little_room_no_answer_is_wrong(problem: Problem, room: int, states: int) -> None:
    """Limits may cost the answer or the shortest sequence, never the truth."""
    fewest = fewest_steps(problem)
    answer = reach(problem, Limits(role_sets=room, conditions=room, states=states))
    event(type(answer).__name__)
    match answer:
        case Reachable(steps, shortest):
            assert fewest is not None
            assert len(steps) == fewest if shortest else len(steps) >= fewest
            assert replayed(problem, steps) is None
        case Unreachable():
            assert fewest is None
        case Undetermined():
            pass


@settings(max_examples=60)
@given(problems(), problems())
def test_a_proof_that_passes_its_check_excludes_the_goal(problem: Problem, other: Problem) -> None:
    """A proof is held to rules that it was not made for: where it passes, it is true of them."""
    forward = excluding(problem, sliced(problem), role_sets=1_000)
    answer = reach(problem)
    changed = replace(other, users=problem.users, goal=problem.goal)
    proved = False
    if isinstance(forward, Invariant):
        assert violations(problem, forward) == ()
        proved = not violations(changed, forward)
    if isinstance(answer, Unreachable) and isinstance(answer.evidence, NeverMet):
        assert gaps(problem, answer.evidence) == ()
        proved = proved or not gaps(changed, answer.evidence)
    if proved:
        event("the proof holds of other rules too")
        assert fewest_steps(changed) is None
