"""The exact search: over who holds what, up to which user it is, with the shortest sequence first.

Users whose roles that matter are the same are interchangeable, so a state says how many users hold
each set of roles, and what the goal's user holds if it names one. That keeps shortest sequences.
The search is A* (Hart, Nilsson, Raphael 1968). Its estimate is the number of rounds in which one
user gets the goal where nothing forbids and everybody acts, and a round takes every step that can
be taken. A sequence has at least as many steps, so the estimate never overrates.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from grantproof.analysis.reachability.masks import Masks, Move
from grantproof.analysis.reachability.problem import Problem, Step
from grantproof.analysis.reachability.slicing import Slice
from grantproof.analysis.reachability.verdicts import Exhausted, Undetermined
from grantproof.core.identifiers import PrincipalId

NEVER: Final = 1 << 30
"""More steps than any sequence has."""
NOBODY: Final = -1

Node = tuple[int, tuple[tuple[int, int], ...]]
"""The roles of the goal's user (NOBODY: it names none), and of the others: roles, how many."""


@dataclass(frozen=True, slots=True)
class Change:
    """Someone whose roles were `before` has `after`; `aimed` is whether it is the goal's user."""

    before: int
    after: int
    move: Move
    aimed: bool


class Search:
    """A search of one slice. With `greedy` it hurries to the goal and takes any way there."""

    def __init__(self, part: Slice, *, states: int, greedy: bool = False) -> None:
        self.masks = Masks(part)
        self._states = states
        self._weight = 1_000 if greedy else 1
        self._changes: dict[int, list[tuple[int, Move]]] = {}
        self._estimates: dict[int, int] = {}

    def run(
        self, problem: Problem, *, below: int | None = None
    ) -> tuple[Change, ...] | Exhausted | Undetermined:
        """Return the changes that lead to the goal, or why there are none to be returned.

        With `below`, only sequences of fewer changes are looked for.
        """
        end = NEVER if below is None else below
        start = self._start(problem)
        came: dict[Node, tuple[Node, Change] | None] = {start: None}
        steps = {start: 0}
        queue: dict[int, list[Node]] = {self._estimate(start) * self._weight: [start]}
        closed: set[Node] = set()
        while queue:
            least = min(queue)
            node = queue[least].pop()
            if not queue[least]:
                del queue[least]
            if node in closed or least >= end:
                continue
            closed.add(node)
            if self._met(node):
                return _way(came, node)
            for change, after in self._successors(node):
                if len(steps) > self._states:
                    return Undetermined(f"more than {self._states} states may come about")
                if steps.get(after, NEVER) > steps[node] + 1:
                    steps[after] = steps[node] + 1
                    came[after] = (node, change)
                    rank = steps[after] + self._estimate(after) * self._weight
                    queue.setdefault(rank, []).append(after)
        return Exhausted(len(closed))

    def _start(self, problem: Problem) -> Node:
        aimed = problem.goal.user
        others = Counter(
            self.masks.mask(assigned) for user, assigned in problem.users.items() if user != aimed
        )
        own = NOBODY if aimed is None else self.masks.mask(problem.users[aimed])
        return own, tuple(sorted(others.items()))

    def _met(self, node: Node) -> bool:
        return any(self.masks.effective(roles) & self.masks.goal for roles in _aimed(node))

    def _successors(self, node: Node) -> Iterator[tuple[Change, Node]]:
        own, others = node
        held = 0 if own == NOBODY else self.masks.effective(own)
        for roles, _ in others:
            held |= self.masks.effective(roles)
        if own != NOBODY:
            for after, move in self._changed(own, held):
                yield Change(own, after, move, aimed=True), (after, others)
        for roles, _ in others:
            for after, move in self._changed(roles, held):
                counts = dict(others)
                counts[after] = counts.get(after, 0) + 1
                counts[roles] -= 1
                rest = tuple(sorted((each, many) for each, many in counts.items() if many > 0))
                yield Change(roles, after, move, aimed=False), (own, rest)

    def _changed(self, roles: int, held: int) -> Iterator[tuple[int, Move]]:
        if roles not in self._changes:
            effective = self.masks.effective(roles)
            found = ((move.result(roles, effective), move) for move in self.masks.moves)
            self._changes[roles] = [one for one in found if one[0] != roles]
        return (one for one in self._changes[roles] if one[1].admin & ~held == 0)

    def _estimate(self, node: Node) -> int:
        return min(map(self._rounds, _aimed(node)), default=NEVER)

    def _rounds(self, roles: int) -> int:
        """Return the fewest rounds in which a holder of the roles may get the goal."""
        known = self._estimates.get(roles)
        if known is None:
            known = self._estimates[roles] = self._counted(self.masks.effective(roles))
        return known

    def _counted(self, held: int) -> int:
        waiting = [move for move in self.masks.moves if move.assigns]
        rounds = 0
        while not held & self.masks.goal:
            ready = [move for move in waiting if move.positive & ~held == 0]
            if not ready:
                return NEVER
            waiting = [move for move in waiting if move.positive & ~held != 0]
            gained = 0
            for move in ready:
                gained |= self.masks.effective(move.target)
            held |= gained
            rounds += 1
        return rounds


def with_fewer_users(problem: Problem, part: Slice) -> Problem:
    """Return the problem with no more users of the same roles than it takes to reach the goal.

    With k administrative roles that is k + 1, the bound of Ferrara, Madhusudan, Parlato 2013. Of a
    sequence to the goal, keep for each administrative role the user of these roles that holds it
    first: a copy does what that user does until then, and nothing after, so that it can act for
    whoever acts by the role later. One more is for the user that meets the goal. Copies repeat
    steps: the sequence need not be the shortest.
    """
    most = len({rule.admin for rule in part.problem.rules} - {None}) + 1
    matter = part.positive | part.negative
    count: Counter[frozenset[str]] = Counter()
    kept = {}
    for user in sorted(problem.users):
        alike = frozenset(problem.users[user] & matter)
        if user == problem.goal.user or count[alike] < most:
            count[alike] += user != problem.goal.user
            kept[user] = problem.users[user]
    return replace(problem, users=kept)


def steps_of(problem: Problem, masks: Masks, changes: tuple[Change, ...]) -> tuple[Step, ...]:
    """Return the changes as steps of users: the first, by id, of those that could make each."""
    aimed = problem.goal.user
    now = {user: masks.mask(assigned) for user, assigned in sorted(problem.users.items())}
    steps: list[Step] = []
    for change in changes:
        user = next(
            user
            for user, roles in now.items()
            if (user == aimed) == change.aimed and roles == change.before
        )
        author = _author(now, masks, change.move)
        role = next(iter(masks.named(change.move.target)))
        steps.append(Step("assign" if change.move.assigns else "revoke", author, user, role))
        now[user] = change.after
    return tuple(steps)


def _author(now: dict[PrincipalId, int], masks: Masks, move: Move) -> PrincipalId:
    return next(user for user in now if move.admin & ~masks.effective(now[user]) == 0)


def _aimed(node: Node) -> tuple[int, ...]:
    own, others = node
    return tuple(roles for roles, _ in others) if own == NOBODY else (own,)


def _way(came: dict[Node, tuple[Node, Change] | None], node: Node) -> tuple[Change, ...]:
    way: list[Change] = []
    while (link := came[node]) is not None:
        node, change = link
        way.append(change)
    return tuple(reversed(way))
