"""Races: processes of several threads each, which propose to the same organization at once.

All of them are started once and go from trace to trace together. A trace begins when nobody
proposes and every process follows the organization; it ends when all have their outcome.
"""

import multiprocessing
import random
import threading
from collections.abc import Sequence
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
ORGANIZATIONS: Final = {"sqlite": 56, "postgresql": 32}
"""How many are raced on, by the kind of database; a server costs more time."""

TRACES_EACH: Final = 6
"""How many traces are recorded of an organization, one after the other."""

DRAWS: Final = 3
"""How many commands are drawn, to find one that is legal before the race."""

FIRST: Final = "p0t0"
"""The first thread of the first process: it observes for all of them."""

PATIENCE_SECONDS: Final = 60


class RaceLost(Exception):
    """The race could not be run to its end: the message says what happened."""


def race(places: Sequence[Place]) -> list[Record]:
    """Return what was recorded on all places. Raises `RaceLost`."""
    parties = RACERS * THREADS
    start_line, last = PROCESSES.Barrier(parties), PROCESSES.Value("q", 0)
    pipes = [PROCESSES.Pipe(duplex=False) for _ in range(RACERS)]
    processes = [
        PROCESSES.Process(target=_process, args=(number, tuple(places), (start_line, last), theirs))
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
        policy = start(random.Random(f"{place.name} {name}"))
        point.propose(OrganizationId(name), policy, by=Author("root"))
    store.close()


def _process(
    number: int,
    places: tuple[Place, ...],
    together: tuple[Barrier, "Synchronized[int]"],
    pipe: Pipe,
) -> None:
    """In a process of its own: race on every place in turn, then tell what was recorded."""
    start_line, last = together

    def stamps() -> int:
        with last.get_lock():
            last.value += 1
            return last.value

    journal = Journal(stamps)
    wrong: list[str] = []

    def run(thread: int, place: Place, administrator: Administrator) -> None:
        try:
            _Racer(number, thread, place.name, administrator).run(_names(place), start_line)
        except BaseException as error:  # noqa: BLE001 - told to whoever waits
            wrong.append(f"{type(error).__name__}: {error}")
            start_line.abort()

    for place in places:
        administrator = Administrator(watch(place.connections(), journal), journal)
        threads = [
            threading.Thread(target=run, args=(thread, place, administrator))
            for thread in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        administrator.store.close()
    pipe.send(wrong[0] if wrong else journal.records)


class _Racer:
    """One thread. The first of each process follows the organization, the very first observes."""

    def __init__(self, process: int, thread: int, place: str, administrator: Administrator) -> None:
        self._who = f"p{process}t{thread}"
        self._thread = thread
        self._place = place
        self._administrator = administrator

    def run(self, names: Sequence[str], start_line: Barrier) -> None:
        """Propose once in every trace."""
        for name in names:
            for number in range(TRACES_EACH):
                trace = f"{self._place} {name}.{number}"
                start_line.wait(PATIENCE_SECONDS)
                if self._thread == 0:
                    self._follow(name)
                if self._who == FIRST:
                    self._observe(name, number)
                start_line.wait(PATIENCE_SECONDS)
                command = self._draw(name, random.Random(f"{trace} {self._who}"))
                proposal = Proposal(trace, name, self._who, words_of(command))
                self._administrator.propose(command, proposal)
            start_line.wait(PATIENCE_SECONDS)
            if self._who == FIRST:
                self._observe(name, TRACES_EACH)

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
            observe("ends", f"{self._place} {name}.{number - 1}")
        if number < TRACES_EACH:
            observe("begins", f"{self._place} {name}.{number}")
