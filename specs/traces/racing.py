"""Races: processes of several threads each, which propose to the same organization at once.

All of them are started once and go from trace to trace together. A trace begins when nobody
proposes and every process follows the organization; it ends when all have their outcome.
"""

import multiprocessing
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection as Pipe
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Barrier
from typing import Final

from grantproof.adapters.clock import JitteredBackoff, SystemClock
from grantproof.adapters.sql.store import SqlStore
from grantproof.core.commands.language import SingleCommand
from grantproof.core.commands.refusal import refusal
from grantproof.core.identifiers import OrganizationId
from grantproof.service.authors import Author
from grantproof.service.pap import AdministrationPoint
from grantproof.service.snapshots import Snapshots
from specs.traces.cast import any_command, start, words_of
from specs.traces.journal import Journal, Proposal, Record
from specs.traces.places import Place
from specs.traces.watching import Administrator, stored, watch

PROCESSES: Final = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["alembic.command", "specs.traces.racing"])

RACERS: Final = 2
THREADS: Final = 2
ORGANIZATIONS: Final = {"sqlite": 60, "postgresql": 32}
"""How many are raced on, by the kind of database; a server costs more time."""

TRACES_EACH: Final = 6
"""How many traces are recorded of an organization, one after the other."""

DRAWS: Final = 3
"""How many commands are drawn, to find one that is legal before the race."""

FIRST: Final = "p0t0"
"""The first thread of the first process: it observes for all of them."""

RACE_SECONDS_MAX: Final = 60
"""After this long no further trace is begun on a database; those that are there are judged."""

PATIENCE_SECONDS: Final = 150


class RaceLost(Exception):
    """The race could not be run to its end: the message says what happened."""


@dataclass(frozen=True, slots=True)
class _Together:
    """What all processes of a race share."""

    places: tuple[Place, ...]
    start_line: Barrier
    last: "Synchronized[int]"
    """The last stamp that was drawn."""

    over: "Synchronized[int]"
    """On how many databases the races are over."""

    def stamp(self) -> int:
        """Draw the next stamp."""
        with self.last.get_lock():
            self.last.value += 1
            return self.last.value


def race(places: Sequence[Place]) -> list[Record]:
    """Return what was recorded on all places. Raises `RaceLost`."""
    together = _Together(
        tuple(places),
        PROCESSES.Barrier(RACERS * THREADS),
        PROCESSES.Value("q", 0),
        PROCESSES.Value("q", 0),
    )
    pipes = [PROCESSES.Pipe(duplex=False) for _ in range(RACERS)]
    processes = [
        PROCESSES.Process(target=_process, args=(number, together, theirs))
        for number, (_, theirs) in enumerate(pipes)
    ]
    for place in places:
        _found(place)
    for process in processes:
        process.start()
    try:
        return [record for ours, _ in pipes for record in _told(ours)]
    finally:
        for process in processes:
            process.join(1)
            process.kill()


def _told(pipe: Pipe) -> list[Record]:
    if not pipe.poll(PATIENCE_SECONDS):
        raise RaceLost(f"a racing process said nothing for {PATIENCE_SECONDS} s")
    said: list[Record] | str = pipe.recv()
    if isinstance(said, str):
        raise RaceLost(said)
    return said


def _seeded(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311 - draws what to try, nothing secret


def _names(place: Place) -> tuple[str, ...]:
    return tuple(f"org-{number}" for number in range(ORGANIZATIONS[place.name]))


def _found(place: Place) -> None:
    """Found the organizations, each with a policy of its own."""
    store = SqlStore(place.connections())
    point = AdministrationPoint(
        store, Snapshots(store), clock=SystemClock(), backoff=JitteredBackoff()
    )
    for name in _names(place):
        point.found(OrganizationId(name), time_zone="UTC", by=Author("root"))
        policy = start(_seeded(f"{place.name} {name}"))
        point.propose(OrganizationId(name), policy, by=Author("root"))
    store.close()


def _process(number: int, together: _Together, pipe: Pipe) -> None:
    """In a process of its own: race on every place in turn, then tell what was recorded."""
    journal = Journal(together.stamp)
    wrong: list[str] = []

    def run(racer: "_Racer") -> None:
        try:
            racer.run(together)
        except BaseException as error:  # noqa: BLE001 - told to whoever waits
            wrong.append(f"{racer.who}: {type(error).__name__}: {error}")
            together.start_line.abort()

    for place in together.places:
        administrator = Administrator(watch(place.connections(), journal), journal)
        racers = [_Racer(f"p{number}t{thread}", place, administrator) for thread in range(THREADS)]
        threads = [threading.Thread(target=run, args=(racer,)) for racer in racers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        administrator.store.close()
    pipe.send(wrong[0] if wrong else journal.records)


class _Racer:
    """One thread. The first of each process follows the organization, the very first observes."""

    def __init__(self, who: str, place: Place, administrator: Administrator) -> None:
        self.who = who
        self._place = place
        self._administrator = administrator

    def run(self, together: _Together) -> None:
        """Propose once in every trace, until the races on this database are over."""
        before = together.over.value
        deadline = time.monotonic() + RACE_SECONDS_MAX
        for name in _names(self._place):
            for number in range(TRACES_EACH):
                together.start_line.wait(PATIENCE_SECONDS)
                if self.who == FIRST and time.monotonic() > deadline:
                    together.over.value = before + 1
                if self.who.endswith("t0"):
                    self._follow(name)
                if self.who == FIRST:
                    self._observe(name, number)
                together.start_line.wait(PATIENCE_SECONDS)
                if together.over.value > before:
                    return
                self._propose(name, self._trace(name, number))
            together.start_line.wait(PATIENCE_SECONDS)
            if self.who == FIRST:
                self._observe(name, TRACES_EACH)

    def _propose(self, name: str, trace: str) -> None:
        command = self._draw(name, _seeded(f"{trace} {self.who}"))
        proposal = Proposal(trace, name, self.who, words_of(command))
        self._administrator.propose(command, proposal)

    def _trace(self, name: str, number: int) -> str:
        return f"{self._place.name} {name}.{number}"

    def _draw(self, name: str, draw: random.Random) -> SingleCommand:
        """Return a command that was legal when the trace began, mostly: then the racers meet."""
        index = self._administrator.snapshots.load(OrganizationId(name))
        commands = [any_command(draw) for _ in range(DRAWS)]
        if index is None:
            return commands[0]
        state = index.state
        legal = (command for command in commands if refusal(state, command) is None)
        return next(legal, commands[0])

    def _follow(self, name: str) -> None:
        snapshots = self._administrator.snapshots
        snapshots.load(OrganizationId(name))
        snapshots.catch_up(OrganizationId(name))

    def _observe(self, name: str, number: int) -> None:
        """Record what is there: the end of one trace, and the beginning of the next."""
        with self._administrator.connections.reading() as connection:
            revision, policy = stored(connection, name)
        observe = partial(self._administrator.journal.observe, revision=revision, policy=policy)
        if number > 0:
            observe("ends", self._trace(name, number - 1))
        if number < TRACES_EACH:
            observe("begins", self._trace(name, number))
