"""Backward from the goal, for one user alone: what must be so before, for the goal to be so after.

A condition says which roles must be held and which must not. The goal is one; a step before it
makes another of it. Every step changes one role, so to come from some roles to a condition takes at
least as many steps as there are roles that differ: the estimate of an A* whose first hit is the
shortest. When administrators are taken to be always there, the conditions of a search that ends
without a hit are a proof: nobody ever meets one. Only for rules without inheritance.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grantproof.analysis.reachability.invariant import NeverMet
from grantproof.analysis.reachability.masks import Masks, Move
from grantproof.analysis.reachability.problem import Problem, Roles

Condition = tuple[int, int]
"""The bits that must be held, and those that must not."""


@dataclass(frozen=True, slots=True)
class Way:
    """Roles to begin with, and the moves that lead from them to the goal."""

    start: int
    moves: tuple[Move, ...]


def regress(
    masks: Masks, starts: Iterable[int], *, others: int, conditions: int
) -> Way | frozenset[Condition] | None:
    """Return a shortest way, or all the conditions where there is none; nothing if too many.

    `others` are the bits by which somebody else acts; by any other bit the user acts itself, which
    then must hold it.
    """
    begins = sorted(set(starts))
    goal: Condition = (masks.goal, 0)
    steps: dict[Condition, int] = {goal: 0}
    after: dict[Condition, tuple[Condition, Move]] = {}
    queue: dict[int, list[Condition]] = {_distance(begins, goal)[0]: [goal]}
    closed: set[Condition] = set()
    while queue:
        least = min(queue)
        condition = queue[least].pop()
        if not queue[least]:
            del queue[least]
        if condition in closed:
            continue
        closed.add(condition)
        away, start = _distance(begins, condition)
        if away == 0:
            return Way(start, tuple(_moves(after, condition)))
        if len(steps) > conditions:
            return None
        for before, move in _before(masks, condition, others):
            if steps.get(before, steps[condition] + 2) > steps[condition] + 1:
                steps[before] = steps[condition] + 1
                after[before] = (condition, move)
                rank = steps[before] + _distance(begins, before)[0]
                queue.setdefault(rank, []).append(before)
    return frozenset(closed)


def never_met(
    masks: Masks, problem: Problem, *, never: Roles, found: Iterable[Condition]
) -> NeverMet:
    """Return the proof that a search of every condition is."""
    nothing: Roles = frozenset()
    dead = frozenset((frozenset({role}), nothing) for role in never)
    named = frozenset((masks.named(held), masks.named(unheld)) for held, unheld in found)
    if problem.goal.user is None:
        return NeverMet(dead | named, frozenset())
    return NeverMet(dead, named)


def _before(masks: Masks, condition: Condition, others: int) -> Iterator[tuple[Condition, Move]]:
    held, unheld = condition
    for move in masks.moves:
        acting = move.admin & ~others
        if move.assigns and move.target & held:
            needed = (held & ~move.target) | move.positive | acting
            avoided = unheld | move.negative
        elif not move.assigns and move.target & unheld:
            needed, avoided = held | acting, unheld & ~move.target
        else:
            continue
        # What must be held to be given was there already: the way is shorter without.
        if needed & avoided == 0 and not (move.assigns and needed & move.target):
            yield (needed, avoided), move


def _distance(starts: list[int], condition: Condition) -> tuple[int, int]:
    """Return how many roles differ from the nearest start, and that start."""
    held, unheld = condition
    return min((((held & ~start) | (unheld & start)).bit_count(), start) for start in starts)


def _moves(after: dict[Condition, tuple[Condition, Move]], condition: Condition) -> Iterator[Move]:
    while condition in after:
        condition, move = after[condition]
        yield move
