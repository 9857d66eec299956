"""Real processes that consume at the same time: as much is allowed as the limit says, no use more.

Each process does what the service does, with a snapshot and a clock of its own, on every kind of
database.
"""

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest

from grantproof.bootstrap import assemble
from grantproof.core.commands.language import ChangeSet, CreateClaim, CreateRole, DeleteClaim
from grantproof.core.constraints import MaxUsage
from grantproof.core.identifiers import ClaimId, RoleId
from grantproof.core.metering import Charge
from grantproof.core.model import Claim
from grantproof.core.policy import ConstraintFailed
from grantproof.service.authors import Author
from grantproof.service.consume import Consumed, Keyed
from grantproof.service.meter import Charged, Meter, Uncharged
from grantproof.service.pip import NOTHING_SUPPLIED
from grantproof.service.receipts import Consumption, Once, Pledge, Retold
from tests.contracts.counting import ACME, EXPORT, FAR, claim, metered
from tests.databases import Database
from tests.databases import opened as open_database

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["alembic.command", "grantproof.bootstrap"])

RACERS = 4
USES = 40
"""How often each process tries; together more often than all limits allow."""
LIMIT = 6
KEYS = 60
CLAIMS = 20
PATIENCE_SECONDS = 90
FIRST, SECOND = ClaimId("q00"), ClaimId("q01")


@dataclass(frozen=True)
class Report:
    """What a process was answered: the claims of its allows, its denies, and what it lost."""

    allowed: dict[ClaimId, int]
    denied: int
    lost: int


class Watched:
    """A meter that counts lost increments: charges that were refused though a reading had room."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self.lost = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._meter, name)

    def charge(
        self, organization: Any, charges: tuple[Charge, ...], **terms: Any
    ) -> Charged | Uncharged | Consumption:
        """Charge, and note a loss."""
        done = self._meter.charge(organization, charges, **terms)
        self.lost += done is Uncharged.FULL
        return done


def use(address: str, start: Barrier, answers: Connection) -> None:
    """In a process of its own: consume as fast as the others let it."""
    store = open_database(address)
    watched = Watched(store.meter)
    store.meter = watched  # type: ignore[assignment]  # stands in for the meter that it wraps
    services = assemble(store)
    services.snapshots.load(ACME)
    allowed, denied = Counter[ClaimId](), 0
    start.wait(PATIENCE_SECONDS)
    for _ in range(USES):
        consumed = services.consumption.consume(ACME, EXPORT, NOTHING_SUPPLIED)
        assert isinstance(consumed, Consumed)
        outcome = consumed.answer.outcome
        if isinstance(outcome, Claim):
            allowed[outcome.id] += 1
        else:
            assert isinstance(outcome, ConstraintFailed)
            denied += 1
    services.close()
    answers.send(Report(dict(allowed), denied, watched.lost))


def change(address: str, start: Barrier, answers: Connection) -> None:
    """In a process of its own: change the organization again and again, and lower a limit."""
    services = assemble(open_database(address))
    start.wait(PATIENCE_SECONDS)
    for number in range(USES // 4):
        services.administration.propose(ACME, CreateRole(RoleId(f"r{number}")), by=Author("root"))
    lower = CreateClaim(claim(FIRST, MaxUsage(LIMIT // 2)))
    services.administration.propose(ACME, ChangeSet((DeleteClaim(FIRST), lower)), by=Author("root"))
    services.close()
    answers.send(None)


def raced(database: Database, *others: Callable[..., None]) -> list[Report]:
    """What the racing processes report, once all have ended."""
    return [one for one in race(database, [*[use] * RACERS, *others]) if one is not None]


def race(database: Database, workers: list[Callable[..., None]]) -> list[Any]:
    """What each of the workers sends, once all have ended."""
    start = PROCESSES.Barrier(len(workers))
    answers, theirs = PROCESSES.Pipe(duplex=False)
    for worker in workers:
        PROCESSES.Process(target=worker, args=(database.address, start, theirs)).start()
    found = [answers.recv() for _ in workers if answers.poll(PATIENCE_SECONDS)]
    assert len(found) == len(workers), "a process ended early"
    return found


def furnished(database: Database) -> None:
    """Claims for the same, each with a small quota: at the end of each the processes meet."""
    store = open_database(database.address)
    metered(store, ACME, *(claim(ClaimId(f"q{n:02}"), MaxUsage(LIMIT)) for n in range(CLAIMS)))
    store.close()


def stored(database: Database) -> dict[ClaimId, int]:
    """What the counters of each claim say in the end."""
    store = open_database(database.address)
    found = store.meter.usage(ACME, instant=int(time.time()), limit=FAR)
    store.close()
    return {one.counter.claim: one.times for one in found}


def test_p_consume_processes_that_race_use_exactly_the_limit(database: Database) -> None:
    """P-CONSUME: every claim is used as often as its limit allows; the rest is denied."""
    furnished(database)
    reports = raced(database)
    allowed = sum((Counter(report.allowed) for report in reports), Counter[ClaimId]())
    lost = [report.lost for report in reports]
    print(f"lost increments of each process: {lost}")  # noqa: T201 - what was shown
    assert sum(lost) > 0, "the processes never met, so this run shows nothing"
    assert allowed == {ClaimId(f"q{n:02}"): LIMIT for n in range(CLAIMS)}
    assert stored(database) == allowed
    assert sum(report.denied for report in reports) == RACERS * USES - LIMIT * CLAIMS


def use_once(address: str, start: Barrier, answers: Connection) -> None:
    """In a process of its own: ask for each use under its key, as all others do."""
    services = assemble(open_database(address))
    services.snapshots.load(ACME)
    told: list[str] = []
    for number in range(KEYS):
        # Together for each key: else who leads once leads all the way.
        start.wait(PATIENCE_SECONDS)
        pledge = Pledge("key:same", Once(f"k{number}", "digest"))
        keyed = Keyed(pledge, lambda made: f"{os.getpid()} {made.answer.outcome}")
        done = services.consumption.consume(ACME, EXPORT, NOTHING_SUPPLIED, keyed=keyed)
        match done:
            case Retold(answer):
                told.append(answer)
            case Consumed():
                told.append(keyed.tell(done))
            case _:
                pytest.fail(f"neither counted nor told again: {done}")
    services.close()
    answers.send(told)


@pytest.mark.parametrize("limit", [KEYS, KEYS * RACERS])
def test_processes_that_race_under_the_same_keys_count_each_once(
    database: Database, limit: int
) -> None:
    """P-CONSUME: one use a key; who loses is told the winner's answer, though all is used up."""
    store = open_database(database.address)
    metered(store, ACME, claim(FIRST, MaxUsage(limit)))
    store.close()
    reports = race(database, [use_once] * RACERS)
    answers = [set(told) for told in zip(*reports, strict=True)]
    assert [len(told) for told in answers] == [1] * KEYS
    assert len({told.split()[0] for (told,) in answers}) > 1, "one process won every key"
    assert stored(database) == {FIRST: KEYS}
    assert database.rows_of("consumption") == KEYS


def test_p_consume_a_changing_organization_is_counted_right(database: Database) -> None:
    """P-CONSUME: an administrator in the race costs attempts, and no use; a lower limit binds."""
    furnished(database)
    reports = raced(database, change)
    allowed = sum((Counter(report.allowed) for report in reports), Counter[ClaimId]())
    assert stored(database) == allowed
    assert max(allowed.values()) <= LIMIT
    assert allowed[FIRST] >= LIMIT // 2
    assert {n: allowed[n] for n in allowed if n != FIRST} == {
        ClaimId(f"q{n:02}"): LIMIT for n in range(1, CLAIMS)
    }
