"""An over-approximation: what each user might come to hold, if administrators were always there.

Each user's roles then evolve by themselves, so the states are sets of roles, not their product. An
administrative role acts as soon as anybody might hold it, and for ever. A pure role, which no rule
wants not to be held, is taken as soon as it can be, so only roles that are wanted both ways
multiply the sets: the mixed roles of Stoller, Yang, Ramakrishnan, Gofman 2007.
"""

from collections.abc import Iterable
from functools import reduce
from operator import or_

from grantproof.analysis.reachability.invariant import Invariant
from grantproof.analysis.reachability.masks import Masks, Move
from grantproof.analysis.reachability.problem import Problem
from grantproof.analysis.reachability.slicing import Slice
from grantproof.analysis.reachability.verdicts import Undetermined


def excluding(problem: Problem, part: Slice, *, role_sets: int) -> Invariant | Undetermined | None:
    """Return an invariant that excludes the goal, or nothing when the goal is not excluded so.

    `Undetermined` when more than `role_sets` sets of roles would have to be looked at.
    """
    masks = Masks(part)
    starts = {masks.mask(assigned) for assigned in problem.users.values()}
    held = _held(masks, starts)
    while True:
        anyone = _explored(masks, starts, held, role_sets=role_sets)
        if anyone is None:
            return Undetermined(f"more than {role_sets} sets of roles may come about")
        before, held = held, _held(masks, anyone)
        if before & masks.admins == held & masks.admins:
            break
    user = problem.goal.user
    aimed = (
        anyone
        if user is None
        else _explored(masks, {masks.mask(problem.users[user])}, held, role_sets=role_sets)
        or anyone
    )
    if any(masks.goal & masks.effective(roles) for roles in aimed):
        return None
    return Invariant(
        positive=part.positive | part.never,
        negative=part.negative,
        admins=masks.named(held),
        anyone=frozenset(map(masks.named, anyone)),
        goal_user=frozenset() if user is None else frozenset(map(masks.named, aimed)),
    )


def _explored(masks: Masks, starts: Iterable[int], held: int, *, role_sets: int) -> set[int] | None:
    """Return the sets of roles that come of `starts`, or nothing when they are too many."""
    moves = [move for move in masks.moves if move.admin & ~held == 0]
    pure = [move for move in moves if move.target & masks.pure]
    mixed = [move for move in moves if not move.target & masks.pure]
    work = [_saturated(masks, start, pure) for start in starts]
    seen = set(work)
    while work:
        if len(seen) > role_sets:
            return None
        assigned = work.pop()
        effective = masks.effective(assigned)
        for move in mixed:
            after = move.result(assigned, effective)
            if after != assigned:
                full = _saturated(masks, after, pure)
                if full not in seen:
                    seen.add(full)
                    work.append(full)
    return seen


def _saturated(masks: Masks, assigned: int, pure: list[Move]) -> int:
    """Return the roles with every pure one that can be had."""
    before = None
    while before != assigned:
        before = assigned
        for move in pure:
            assigned = move.result(assigned, masks.effective(assigned))
    return assigned


def _held(masks: Masks, sets: Iterable[int]) -> int:
    return reduce(or_, map(masks.effective, sets), 0)
