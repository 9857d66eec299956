"""Serving processes killed amid changes asked for over HTTP: nothing acknowledged is lost.

A kill is a SIGSTOP at a random instant, a look from outside whether a transaction that writes is
open in the database, and a SIGKILL: between them the process does nothing, so the look tells where
the kill fell. Half of the kills are aimed: the process goes on until the look finds one open.
"""

import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.databases import Database, PostgresqlDatabase, SqliteDatabase
from tests.survival.scales import SCALE
from tests.survival.serving import LOST, Answer, Caller, Process, process_on, serving
from tests.survival.sound import check_audit, history, touches

CLIENTS: Final = 4
SIZES: Final = (1, 1, 2, 40)
"""How many members a change adds: few take long to write."""
REFUSED_EVERY: Final = 5
LOOKS_MAX: Final = 2_000
PAUSE_SECONDS_MAX: Final = 0.01
PATIENCE_SECONDS: Final = 60
OPEN: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'grantproof'"
    " AND datname = current_database() AND backend_xid IS NOT NULL"
)
"""Sessions whose transaction has written: PostgreSQL numbers a transaction when it first writes."""


@dataclass(slots=True)
class Write:
    """A change that is asked for once, under its own name, and what became of it."""

    name: str
    commands: list[dict[str, Any]]
    facts: int
    """How many facts it adds; none for a change that must be refused."""
    answers: list[Answer] = field(default_factory=list)

    def ask(self, caller: Caller, organization: str) -> Answer:
        """Ask for it, under the same key each time; raises one of `LOST`.

        Who lost every race against the others is told so, and asks again.
        """
        answer = Answer(503, {"code": "contended"})
        while answer.code == "contended":
            answer = caller.ask(
                "POST",
                f"/v1/orgs/{organization}/changes",
                {"commands": self.commands},
                headers={"Idempotency-Key": self.name, "X-Request-ID": self.name},
            )
        self.answers.append(answer)
        return answer

    @property
    def acknowledged(self) -> set[int]:
        """The revisions that it was told; one at most, if all is well."""
        return {answer.told["revision"] for answer in self.answers if answer.status == 200}


def writes(prefix: str, count: int, draw: random.Random) -> Iterator[Write]:
    """Changes of several facts each; every fifth must be refused, for its last command."""
    for number in range(count):
        name, size = f"{prefix}-{number}", draw.choice(SIZES)
        members = [f"p{number}-{each}" for each in range(size)]
        commands: list[dict[str, Any]] = [
            {"type": "CreateGroup", "group": f"g{number}"},
            *({"type": "CreatePrincipal", "principal": one, "attributes": {}} for one in members),
            *({"type": "AddMember", "principal": one, "group": f"g{number}"} for one in members),
        ]
        legal = number % REFUSED_EVERY != 0
        if not legal:
            commands.append({"type": "AddMember", "principal": members[0], "group": "nowhere"})
        yield Write(name, commands, len(commands) if legal else 0)


@dataclass(slots=True)
class Fates:
    """What clients see until all that was to be asked for is asked; safe for several threads."""

    waiting: list[Write]
    asked: list[Write] = field(default_factory=list)
    lost: list[Write] = field(default_factory=list)
    parked: int = 0
    back: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> Write | None:
        """The next that nobody has asked for."""
        with self.lock:
            return self.waiting.pop() if self.waiting else None

    def work(self, process: Process, organization: str) -> None:
        """Ask for one after the other; where the server is gone, wait until it is back."""
        with closing(process.caller()) as caller:
            while (write := self.take()) is not None:
                try:
                    write.ask(caller, organization)
                except LOST:
                    with self.lock:
                        self.lost.append(write)
                        self.parked += 1
                    assert self.back.wait(PATIENCE_SECONDS)
                with self.lock:
                    self.asked.append(write)
        with self.lock:
            self.parked += 1


def is_open(database: Database) -> bool:
    """Whether a transaction that writes is open, as the database itself tells."""
    if isinstance(database, PostgresqlDatabase):
        return bool(database.query(OPEN)[0][0])
    assert isinstance(database, SqliteDatabase)
    with closing(sqlite3.connect(database.path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            return True
        connection.execute("ROLLBACK")
    return False


def kill(process: Process, database: Database, draw: random.Random, *, aimed: bool) -> bool:
    """Kill the process; whether it was inside a transaction that writes."""
    inside, looks = False, 0
    while not inside and looks < (LOOKS_MAX if aimed else 1):
        if looks > 0:
            process.signal(signal.SIGCONT)
        time.sleep(draw.random() * PAUSE_SECONDS_MAX)
        process.signal(signal.SIGSTOP)
        inside, looks = is_open(database), looks + 1
    process.kill()
    return inside


@contextmanager
def working(fates: Fates, process: Process, organization: str) -> Iterator[None]:
    """Meanwhile clients ask; afterwards all has been asked."""
    threads = [
        threading.Thread(target=fates.work, args=(process, organization)) for _ in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        fates.back.set()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
    assert not any(thread.is_alive() for thread in threads)


def until(condition: Callable[[], bool], what: str) -> None:
    """Return when it is so; fails when that takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.001)


def present(database: Database, organization: str) -> dict[str, list[int]]:
    """The revisions by the change that made them, each of them whole."""
    found = history(database, organization)
    for event in found.events:
        groups = [fact for fact in event.delta.added if type(fact).__name__ == "Group"]
        members = [fact for fact in event.delta.added if type(fact).__name__ == "Membership"]
        assert (len(groups), touches(event.delta)) == (1, 1 + 2 * len(members))
    return found.made()


@dataclass(slots=True)
class Count:
    """What a run has shown."""

    inside: int = 0
    lost: int = 0
    lost_but_made: int = 0
    asked_again: int = 0
    acknowledged: int = 0
    refused: int = 0


def ask_again(
    fates: Fates, process: Process, organization: str, *, made: dict[str, list[int]]
) -> int:
    """Ask anew, under the old keys, for half of what was lost and some of what was answered."""
    again = [*fates.lost[::2], *fates.asked[:: max(1, len(fates.asked) // 10)]]
    with closing(process.caller()) as caller:
        for write in again:
            before = list(write.answers)
            answer = write.ask(caller, organization)
            if before:
                assert (answer.status, answer.code) == (before[0].status, before[0].code)
            elif write.facts == 0:
                assert answer.status == 409, answer
            else:
                assert answer.status == 200, answer
            if write.name in made:
                assert write.acknowledged == set(made[write.name])
    return len(again)


def round_of(
    number: int, process: Process, database: Database, *, draw: random.Random, count: Count
) -> None:
    """One kill amid the changes of a new organization, and what is there before and after it."""
    organization = f"round-{number}"
    with closing(process.caller()) as caller:
        assert caller.ask("POST", "/v1/orgs", {"id": organization}).status == 201
    fates = Fates(list(writes(f"w{number}", SCALE.writes, draw))[::-1])
    due = int(SCALE.writes * (0.2 + 0.6 * draw.random()))
    with working(fates, process, organization):
        until(lambda: len(fates.asked) >= due, "the service does not write")
        count.inside += kill(process, database, draw, aimed=number % 2 == 0)
        until(lambda: fates.parked == CLIENTS, "a client still waits for a killed server")
        database.settle()
        made = present(database, organization)
        count.lost += len(fates.lost)
        count.lost_but_made += sum(write.name in made for write in fates.lost)
        process.launch()
        process.wait()
        count.asked_again += ask_again(fates, process, organization, made=made)
    check(fates, present(database, organization), made, count=count)


def check(
    fates: Fates, after: dict[str, list[int]], made: dict[str, list[int]], *, count: Count
) -> None:
    """What was acknowledged is there once, what was refused is not, nothing else has changed."""
    assert len(fates.asked) == SCALE.writes
    known = {write.name for write in fates.asked}
    assert set(after) <= known
    for write in fates.asked:
        statuses = {answer.status for answer in write.answers}
        assert statuses <= ({200} if write.facts else {409}), write
        if write.acknowledged:
            count.acknowledged += 1
            assert after[write.name] == sorted(write.acknowledged)
        elif write.answers:
            count.refused += 1
            assert write.name not in after
        else:
            assert after.get(write.name) == made.get(write.name)
        assert write.facts > 0 or write.name not in after


def test_a_service_killed_amid_changes_loses_none_that_it_acknowledged(
    database: Database, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Each is there once or not at all, a retry is told the same, chain, rows and replay agree."""
    draw, count = random.Random(17), Count()
    process = process_on(database, tmp_path / "service")
    with serving(process):
        for number in range(SCALE.kills):
            round_of(number, process, database, draw=draw, count=count)
        process.stop()
    check_audit(process)
    told = (
        f"{type(database).__name__}: {SCALE.kills} kills amid {SCALE.writes} changes each,"
        f" {count.inside} inside a transaction; {count.acknowledged} acknowledged and there,"
        f" {count.refused} refused and not there; {count.lost} unanswered, of which"
        f" {count.lost_but_made} were made; {count.asked_again} asked again and answered the same"
    )
    record_property("figure", told)
    assert count.inside > 0, "no kill fell inside a transaction, so this run shows nothing"
    assert count.lost > 0, "no client was cut off, so this run shows nothing"
