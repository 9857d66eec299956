"""Can somebody come to hold a role, by what the rules allow?

Only the slice of the problem that bears on the goal is looked at. Each of these steps is taken
where those before it give no answer:

1. Without inheritance, a way of one user is sought backward from the goal, as if every
   administrator were there. Where there is none, the goal is out of reach. Where one user gets
   there as fast while all others stay as they are, that is a shortest way.
2. The goal is excluded forward, by what each user might come to hold.
3. All users are searched together, the shortest sequence first.
4. Where that is too much, any sequence is taken that fewer users lead to.

A proof is checked by itself before it is an answer. A sequence is replayed, by the rules and as
commands on an organization.
"""

from collections.abc import Iterator
from typing import Final

from grantproof.analysis.reachability.bound import excluding
from grantproof.analysis.reachability.invariant import Invariant, NeverMet, gaps, violations
from grantproof.analysis.reachability.masks import Masks
from grantproof.analysis.reachability.problem import Problem, Step, interpreted, reached
from grantproof.analysis.reachability.regression import Way, never_met, regress
from grantproof.analysis.reachability.replay import replayed
from grantproof.analysis.reachability.search import Change, Search, steps_of, with_fewer_users
from grantproof.analysis.reachability.slicing import Slice, sliced
from grantproof.analysis.reachability.verdicts import (
    USUAL,
    Exhausted,
    Limits,
    Reachable,
    Undetermined,
    Unreachable,
)

Evidence = Invariant | NeverMet | Exhausted
Answer = Reachable[Step] | Unreachable[Evidence] | Undetermined

ALL: Final = -1
"""The bits of every administrative role."""


def reach(problem: Problem, limits: Limits = USUAL) -> Answer:
    """Return whether the goal of the problem can be reached, and by which steps."""
    part = sliced(problem)
    masks = Masks(part)
    way: tuple[Masks, Way] | None = None
    if not any(problem.parents.values()):
        found = regress(masks, _starts(problem, masks), others=ALL, conditions=limits.conditions)
        if isinstance(found, frozenset):
            proof = never_met(masks, problem, never=part.never, found=found)
            return _proved(proof, gaps(problem, proof))
        best = _alone(problem, masks, limits)
        if best is not None and found is not None and len(best.moves) == len(found.moves):
            return _replayed(problem, _steps(problem, masks, best), shortest=True)
        way = None if best is None else (masks, best)
    if way is None:
        invariant = excluding(problem, part, role_sets=limits.role_sets)
        if isinstance(invariant, Invariant):
            return _proved(invariant, violations(problem, invariant))
    return _searched(problem, part, limits, best=way)


def _proved(evidence: Evidence, against: tuple[str, ...]) -> Answer:
    if not against:
        return Unreachable("over-approximation", evidence)
    return Undetermined(f"the proof did not pass its own check: {against[0]}: report it")


def _starts(problem: Problem, masks: Masks) -> frozenset[int]:
    """Return the roles with which who is to meet the goal may begin."""
    aimed = problem.goal.user
    asked = problem.users if aimed is None else [aimed]
    return frozenset(masks.mask(problem.users[user]) for user in asked)


def _alone(problem: Problem, masks: Masks, limits: Limits) -> Way | None:
    """Return the shortest way of one user while all others stay as they are, if one is found."""
    ways = [
        way
        for others, starts in _apart(problem, masks).items()
        if isinstance(
            way := regress(masks, starts, others=others, conditions=limits.conditions), Way
        )
    ]
    return min(ways, key=lambda way: len(way.moves), default=None)


def _apart(problem: Problem, masks: Masks) -> dict[int, set[int]]:
    """Return, for the bits that the others hold, the roles of the users whose others they are."""
    once = twice = 0
    for assigned in problem.users.values():
        mask = masks.mask(assigned)
        twice |= once & mask
        once |= mask
    found: dict[int, set[int]] = {}
    for start in _starts(problem, masks):
        others = (once & ~start) | twice
        found.setdefault(others & masks.admins, set()).add(start)
    return found


def _searched(
    problem: Problem, part: Slice, limits: Limits, *, best: tuple[Masks, Way] | None
) -> Answer:
    """Return the shortest sequence, or that there is none; at worst any, or that it is not known.

    `best` is a way that is known: then only shorter ones are looked for.
    """
    known = None if best is None else _steps(problem, *best)
    exact = Search(part, states=limits.states)
    changes = exact.run(problem, below=None if known is None else len(known))
    if isinstance(changes, tuple):
        return _replayed(problem, steps_of(problem, exact.masks, changes), shortest=True)
    if known is not None:
        return _replayed(problem, known, shortest=isinstance(changes, Exhausted))
    if isinstance(changes, Exhausted):
        return Unreachable("exhaustive", changes)
    fewer = with_fewer_users(problem, part)
    hasty = Search(part, states=limits.states, greedy=True)
    some = hasty.run(fewer)
    if isinstance(some, tuple):
        steps = shrunk(problem, steps_of(fewer, hasty.masks, some))
        return _replayed(problem, steps, shortest=False)
    return Unreachable("exhaustive", some) if isinstance(some, Exhausted) else some


def _steps(problem: Problem, masks: Masks, way: Way) -> tuple[Step, ...]:
    return steps_of(problem, masks, tuple(_changes(way, aimed=problem.goal.user is not None)))


def _changes(way: Way, *, aimed: bool) -> Iterator[Change]:
    roles = way.start
    for move in way.moves:
        after = roles | move.target if move.assigns else roles & ~move.target
        yield Change(roles, after, move, aimed)
        roles = after


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
