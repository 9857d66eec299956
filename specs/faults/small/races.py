"""Executable properties of concurrent change: two administrators in real threads, one store.

Their steps are arranged, not left to chance: the second commits before the first proposes on what
it has read earlier, or after it has read and before it decides; or both have decided before either
commits, and then what a commit does in several locked sections is interleaved.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal
from unittest.mock import patch

from grantproof.adapters.memory import MemoryStore
from grantproof.core import model as m
from grantproof.core.commands import Accepted, Event, Rejected, apply
from grantproof.core.commands.delta import ORDER
from grantproof.core.commands.language import AssignRole, CreateRole, RevokeRole, SingleCommand
from grantproof.core.identifiers import RoleId
from grantproof.core.messages import refusal_message
from grantproof.core.organization import Organization, facts
from grantproof.service.authors import Author
from grantproof.service.pap import AdministrationPoint, Contended, Proposed
from grantproof.service.receipts import Receipt
from grantproof.service.snapshots import Snapshots
from specs.faults.small import words
from specs.faults.small.property import Objection, Property, Small
from specs.faults.small.worlds import ACME, ANN, APPROVER, PAYER, PAYMENT, Facts

PATIENCE_SECONDS = 0.2
WAITS_MAX = 40
VALID_BEGINNING: Facts = (m.Principal(ANN), m.Role(PAYER), m.Role(APPROVER), PAYMENT)
HELD: Facts = (*VALID_BEGINNING, m.Assignment(ANN, APPROVER))


@dataclass(frozen=True)
class Race:
    """What two administrators propose, and how their steps meet."""

    first: SingleCommand
    second: SingleCommand
    meeting: Literal["behind", "overtaken", "together"]


class StillTrying(Exception):
    """A proposal has waited for its turn more often than any bound allows."""


@dataclass
class Steps:
    """The clock of an administrator, and how it waits: both are where its steps are arranged."""

    before_deciding: Callable[[], None] = lambda: None
    waits: int = 0

    def now(self) -> int:
        """Return an instant, after what is to happen before the decision."""
        happening, self.before_deciding = self.before_deciding, lambda: None
        happening()
        return 1

    def wait(self, attempt: int) -> None:  # noqa: ARG002 - a backoff is told the attempt
        """Wait no time, but not for ever."""
        self.waits += 1
        if self.waits > WAITS_MAX:
            raise StillTrying


@dataclass
class Meeting:
    """A lock whose first release by each thread waits for the other thread's first release."""

    lock: Any = field(default_factory=threading.Lock)
    barrier: threading.Barrier = field(default_factory=lambda: threading.Barrier(2))
    armed: set[int] = field(default_factory=set)

    def __enter__(self) -> None:
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()
        me = threading.get_ident()
        if me in self.armed:
            self.armed.discard(me)
            _meet(self.barrier)


class Decided(MemoryStore):
    """A store in which both administrators have decided before either commits."""

    def __init__(self) -> None:
        self.meeting = Meeting()
        with patch.object(threading, "Lock", lambda: self.meeting):
            super().__init__()
        self.ready: threading.Barrier | None = None
        self.seen: set[str] = set()

    def commit(
        self, event: Event, *, receipt: Receipt | None = None, onto: str | None = None
    ) -> str | None:
        """Commit, the first time after the other has decided too."""
        if self.ready is not None and event.actor not in self.seen:
            self.seen.add(event.actor)
            _meet(self.ready)
            self.meeting.armed.add(threading.get_ident())
        return super().commit(event, receipt=receipt, onto=onto)


def _meet(barrier: threading.Barrier) -> None:
    try:
        barrier.wait(PATIENCE_SECONDS)
    except threading.BrokenBarrierError:
        return


def run(small: Small, race: Race) -> tuple[Decided, list[Proposed | StillTrying]]:
    """Return the store after the race, and what became of both proposals."""
    store = Decided()
    store.create(ACME, time_zone="UTC", actor="eve", instant=0)
    start = tuple(sorted(small.facts, key=lambda fact: ORDER[type(fact)]))
    store.commit(Event(ACME, 1, 0, "eve", CreateRole(PAYER), m.Delta(added=start)))
    outcomes: list[Proposed | StillTrying | None] = [None, None]
    # Both have read the same revision before anything happens.
    points = [_administrator(store) for _ in "12"]

    def propose(which: int) -> None:
        point, _ = points[which]
        command = (race.first, race.second)[which]
        try:
            outcomes[which] = point.propose(ACME, command, by=Author(f"a{which + 1}"))
        except StillTrying as tired:
            outcomes[which] = tired

    second = threading.Thread(target=propose, args=(1,))
    if race.meeting == "behind":
        _run_through(second)
        propose(0)
    elif race.meeting == "together":
        store.ready = threading.Barrier(2)
        second.start()
        propose(0)
        second.join()
    else:
        points[0][1].before_deciding = lambda: _run_through(second)
        propose(0)
    return store, [outcome for outcome in outcomes if outcome is not None]


def _run_through(thread: threading.Thread) -> None:
    thread.start()
    thread.join()


def _administrator(store: MemoryStore) -> tuple[AdministrationPoint, Steps]:
    steps = Steps()
    snapshots = Snapshots(store)
    snapshots.load(ACME)
    return AdministrationPoint(store, snapshots, clock=steps, backoff=steps), steps


def lost(small: Small, race: Race) -> Objection | None:
    """Object to an end that no order of the two proposals gives. P-CAS."""
    store, outcomes = run(small, race)
    state = store.load(ACME)
    assert state is not None  # noqa: S101 - it was created above
    found = (frozenset(facts(state)), sum(isinstance(one, Accepted) for one in outcomes))
    orders = [(race.second, race.first)]
    if race.meeting != "behind":
        orders.append((race.first, race.second))
    if found in [in_turn(small.state, order) for order in orders]:
        return None
    must = "as if one had come after the other" if len(orders) > 1 else "as if a1 came after a2"
    return Objection(must, _told(state, outcomes))


def in_turn(
    state: Organization, commands: tuple[SingleCommand, ...]
) -> tuple[frozenset[m.Fact], int]:
    """Return the facts after the commands, one after the other, and how many were accepted."""
    accepted = 0
    for command in commands:
        outcome = apply(state, command, actor="eve", instant=1)
        if isinstance(outcome, Accepted):
            state, accepted = outcome.state, accepted + 1
    return frozenset(facts(state)), accepted


def undecided(small: Small, race: Race) -> Objection | None:
    """Object to a proposal that is never decided though nobody is in its way any more. P-LIVE."""
    _, outcomes = run(small, race)
    if all(isinstance(one, Accepted | Rejected) for one in outcomes):
        return None
    return Objection("both are decided", "; ".join(map(_outcome, outcomes)))


def _told(state: Organization, outcomes: list[Proposed | StillTrying]) -> str:
    said = [f"a{number}: {_outcome(one)}" for number, one in enumerate(outcomes, 1)]
    held = [words.sentence(fact) for fact in facts(state) if isinstance(fact, m.Assignment)]
    return "; ".join(chain(said, held, [f"{len(said)} proposals, revision {state.revision}"]))


def _outcome(outcome: Proposed | StillTrying) -> str:
    match outcome:
        case Accepted():
            return f"accepted as revision {outcome.event.revision}"
        case Rejected():
            return f"refused, {refusal_message(outcome.refusal)}"
        case Contended():
            return "gives up, contended"
        case StillTrying():
            return f"is still trying after {WAITS_MAX} attempts"
        case _:
            return "finds no organization"


def races(facts_: Facts) -> Iterator[Race]:
    """Yield what two administrators may do at the same time."""
    held = any(isinstance(fact, m.Assignment) for fact in facts_)
    first = AssignRole(ANN, PAYER)
    rivals: list[SingleCommand] = (
        [RevokeRole(ANN, APPROVER)]
        if held
        else [AssignRole(ANN, APPROVER), CreateRole(RoleId("new"))]
    )
    for second in rivals:
        yield Race(first, second, "behind")
        yield Race(first, second, "overtaken")
        yield Race(first, second, "together")


def told(race: Race) -> str:
    """Return a race in words."""
    one, other = words.command(race.first), words.command(race.second)
    if race.meeting == "behind":
        return f"a1 follows revision 1; a2 commits: {other}; then a1 proposes to {one}"
    if race.meeting == "overtaken":
        return f"a1 reads revision 1 to {one}; before it decides, a2 commits: {other}"
    return f"on revision 1 a1 decides to {one}, and a2 to {other}; then both commit"


PROPERTIES = {
    "P-CAS": Property((VALID_BEGINNING, HELD), races, lost, told),
    "P-LIVE": Property((VALID_BEGINNING, HELD), races, undecided, told),
}
