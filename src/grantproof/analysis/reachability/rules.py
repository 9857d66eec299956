"""Can somebody come to hold a role, by what the rules allow? The steps of an answer, in order.

Slice; exclude the goal by an over-approximation whose invariant is checked apart; else search
exactly, the shortest first; else, beyond the limits, hurry to any sequence over fewer users. What
is found is replayed, by the rules and as commands on an organization, before it is an answer.
"""

from grantproof.analysis.reachability.bound import excluding
from grantproof.analysis.reachability.invariant import Invariant, violations
from grantproof.analysis.reachability.problem import Problem, Step, interpreted, reached
from grantproof.analysis.reachability.replay import replayed
from grantproof.analysis.reachability.search import Search, steps_of, with_fewer_users
from grantproof.analysis.reachability.slicing import Slice, sliced
from grantproof.analysis.reachability.verdicts import (
    Exhausted,
    Limits,
    Reachable,
    Undetermined,
    Unreachable,
)

Answer = Reachable[Step] | Unreachable[Invariant | Exhausted] | Undetermined

DEFAULT = Limits()


def reach(problem: Problem, limits: Limits = DEFAULT) -> Answer:
    """Return whether the goal of the problem can be reached, and by which steps."""
    part = sliced(problem)
    invariant = excluding(problem, part, role_sets=limits.role_sets)
    if isinstance(invariant, Invariant):
        found = violations(problem, invariant)
        if not found:
            return Unreachable("over-approximation", invariant)
        return Undetermined(f"the proof did not pass its own check: {found[0]}: report it")
    return _searched(problem, part, limits)


def _searched(problem: Problem, part: Slice, limits: Limits) -> Answer:
    exact = Search(part, states=limits.states)
    changes = exact.run(problem)
    if isinstance(changes, tuple):
        return _replayed(problem, steps_of(problem, exact, changes), shortest=True)
    if isinstance(changes, Exhausted):
        return Unreachable("exhaustive", changes)
    fewer = with_fewer_users(problem, part)
    hasty = Search(part, states=limits.states, greedy=True)
    some = hasty.run(fewer)
    if isinstance(some, tuple):
        steps = shrunk(problem, steps_of(fewer, hasty, some))
        return _replayed(problem, steps, shortest=False)
    return Unreachable("exhaustive", some) if isinstance(some, Exhausted) else some


def _replayed(problem: Problem, steps: tuple[Step, ...], *, shortest: bool) -> Answer:
    against = replayed(problem, steps)
    if against is None:
        return Reachable(steps, shortest)
    return Undetermined(f"a sequence was found that cannot be replayed: {against}")


def shrunk(problem: Problem, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the steps without those, each by itself, that the goal can be reached without."""
    position = len(steps)
    while position > 0:
        position -= 1
        fewer = (*steps[:position], *steps[position + 1 :])
        end = interpreted(problem, fewer)
        if not isinstance(end, str) and reached(problem, end) is not None:
            steps = fewer
    return steps
