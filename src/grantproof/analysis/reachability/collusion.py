"""Can these people, by any changes that they may make, bring that about? Asked of an organization.

At first it is excluded by what they might come to be able to do, if it can be: in every context and
at every instant, or else in the context asked about. That proof is checked by itself. Otherwise
every state is searched that their commands lead to in that context, the shortest sequence first.
What is found is replayed.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from grantproof.analysis.reachability.powers import Powers, excluded, powers
from grantproof.analysis.reachability.powers_check import violations
from grantproof.analysis.reachability.question import Change, Question, met, replayed
from grantproof.analysis.reachability.verdicts import (
    USUAL,
    Exhausted,
    Limits,
    Reachable,
    Undetermined,
    Unreachable,
)
from grantproof.analysis.reachability.vocabulary import vocabulary
from grantproof.core.authority import unauthorized
from grantproof.core.commands import Rejected, apply
from grantproof.core.commands.language import AssignGroupRole, RevokeRole, SingleCommand
from grantproof.core.errors import BreaksSod, LastAdministrator, OverLimit
from grantproof.core.hierarchy import members_of
from grantproof.core.identifiers import PrincipalId
from grantproof.core.model import Delta, Fact
from grantproof.core.organization import Organization

Answer = Reachable[Change] | Unreachable[Powers | Exhausted] | Undetermined
Facts = frozenset[Fact]


def collude(state: Organization, question: Question, limits: Limits = USUAL) -> Answer:
    """Return whether the people can bring it about, and by which changes."""
    if met(state, question):
        return Reachable((), shortest=True)
    bound = powers(state, question, timeless=True)
    if not excluded(state, question, bound):
        bound = powers(state, question, timeless=False)
    if excluded(state, question, bound):
        found = violations(state, question, bound)
        if not found:
            return Unreachable("over-approximation", bound)
        return Undetermined(f"the proof did not pass its own check: {found[0]}: report it")
    return _Search(question, vocabulary(state, question, bound), limits).answer(state, bound)


@dataclass(frozen=True, slots=True)
class _Node:
    """A state, what of the first one is gone, what is new, and how it came about."""

    state: Organization
    removed: Facts
    added: Facts
    last: Change | None
    before: "_Node | None"

    def changes(self) -> tuple[Change, ...]:
        """Return the changes that lead here, the first one first."""
        found: list[Change] = []
        node: _Node | None = self
        while node is not None and node.last is not None:
            found.append(node.last)
            node = node.before
        return tuple(reversed(found))


@dataclass(slots=True)
class _Search:
    """A breadth-first search.

    `narrowed` says why what it does not find may still be there, `longer` whether there may be less
    than what it finds.
    """

    question: Question
    commands: tuple[SingleCommand, ...]
    limits: Limits
    attempts: int = 0
    narrowed: str | None = None
    longer: bool = False

    def answer(self, state: Organization, bound: Powers) -> Answer:
        """Return what the search comes to."""
        if bound.structural:
            self.narrowed = "they may come to administer: not every change of that kind is tried"
            self.longer = True
        found = self._run(state)
        if isinstance(found, _Node):
            changes = found.changes()
            against = replayed(state, self.question, changes)
            if against is not None:
                return Undetermined(f"a sequence was found that cannot be replayed: {against}")
            return Reachable(changes, shortest=len(changes) == 1 or not self.longer)
        if isinstance(found, Undetermined):
            return found
        if self.narrowed is not None:
            return Undetermined(f"no sequence was found, yet {self.narrowed}")
        return Unreachable("exhaustive", found)

    def _run(self, state: Organization) -> _Node | Exhausted | Undetermined:
        start = _Node(state, frozenset(), frozenset(), None, None)
        known = {(start.removed, start.added)}
        queue = deque([start])
        while queue:
            node = queue.popleft()
            for after in self._successors(node, known):
                if met(after.state, self.question):
                    return after
                known.add((after.removed, after.added))
                queue.append(after)
            if self.attempts > self.limits.attempts:
                return Undetermined(f"more than {self.limits.attempts} commands were tried")
            if len(known) > self.limits.revisions:
                return Undetermined(f"more than {self.limits.revisions} states may come about")
        return Exhausted(len(known))

    def _successors(self, node: _Node, known: set[tuple[Facts, Facts]]) -> Iterator[_Node]:
        """Yield what one command more makes of the node, but for what is known already."""
        for command in self.commands:
            self.attempts += 1
            instant = self.question.context.instant
            outcome = apply(node.state, command, actor="analysis", instant=instant)
            if isinstance(outcome, Rejected):
                self._refused(node, command, outcome)
                continue
            removed, added = _net(node, outcome.event.delta)
            if (removed, added) in known:
                continue
            author = self._author(node.state, command)
            if author is not None:
                yield _Node(outcome.state, removed, added, Change(author, command), node)

    def _author(self, state: Organization, command: SingleCommand) -> PrincipalId | None:
        """Return the first of the people, in order of ids, who may make the change."""
        context = self.question.context
        able = (
            person
            for person in sorted(self.question.people)
            if unauthorized(state, command, person, context=context) is None
        )
        return next(able, None)

    def _refused(self, node: _Node, command: SingleCommand, outcome: Rejected) -> None:
        """Note a refusal that a change which is not tried might get out of the way."""
        refusal = outcome.refusal
        if isinstance(refusal, LastAdministrator | OverLimit):
            if self._author(node.state, command) is not None:
                self.narrowed = "a limit or the last administrator stood in the way"
                self.longer = True
        elif isinstance(refusal, BreaksSod) and refusal.principal not in self.question.affected:
            # Another member of a group: to give the role to each by itself comes to the same.
            self.longer = True
            if isinstance(command, AssignGroupRole) and self._only_by_group(node.state, command):
                self.narrowed = "another member of a group stood in the way of giving it a role"

    def _only_by_group(self, state: Organization, command: AssignGroupRole) -> bool:
        """Return whether some member whose roles matter can be given the role in no other way.

        That is one whose own assignment of it is not valid, and not theirs to revoke.
        """
        role, instant = command.role, self.question.context.instant
        members = members_of(state, {command.group}) & self.question.affected
        blocked = (
            member
            for member in members
            if (own := state.assignments.of(member).get(role)) is not None
            and not own.contains(instant)
            and self._author(state, RevokeRole(member, role)) is None
        )
        return next(blocked, None) is not None and self._author(state, command) is not None


def _net(node: _Node, delta: Delta) -> tuple[Facts, Facts]:
    """Return what, of the first state, is gone and what is new after the change."""
    gone, new = frozenset(delta.removed), frozenset(delta.added)
    return (
        (node.removed | (gone - node.added)) - new,
        (node.added - gone) | (new - node.removed),
    )
