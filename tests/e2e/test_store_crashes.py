"""Writers killed at random instants: what was acknowledged is there, the rest entirely or not.

A writer tells when its transaction is open (`inside`) and when its commit has returned (`done`), so
that the test knows which kills fell into a transaction and what had been acknowledged. Only clients
are killed: what a server makes of losing its machine is not what is tested.
"""

import multiprocessing
import random
import sqlite3
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from sqlalchemy import Engine, event

from grantproof.adapters.sql import SqlStore
from grantproof.core.commands import Event
from grantproof.core.commands.language import CreateRole
from grantproof.core.identifiers import GroupId, OrganizationId, PrincipalId, RoleId
from grantproof.core.model import Delta, Fact, Group, Membership, Principal
from grantproof.core.organization import Organization, advance
from tests.contracts.histories import ACTOR, INSTANT, created, empty
from tests.databases import Database, Databases, opened

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["alembic.command", "grantproof.adapters.sql"])

ACME = OrganizationId("acme")
KILLS = 16
KILLS_WHILE_MADE = 12
FACTS = (1, 20, 300)
"""How many members a change adds."""
CACHE_PAGES = 4
"""So few of SQLite that larger changes reach the file long before they are committed."""
MARKS_MAX = 8
KILL_SECONDS_MAX = 0.02
PATIENCE_SECONDS = 60

BEGUN, INSIDE, DONE = "begun", "inside", "done"
Mark = tuple[str, int]


def change(revision: int, size: int) -> Event:
    """A change whose facts say which revision they belong to."""
    group = GroupId(f"g{revision}")
    members = tuple(PrincipalId(f"p{revision}-{number}") for number in range(size))
    added: tuple[Fact, ...] = (
        *(Principal(member) for member in members),
        Group(group),
        *(Membership(member, group) for member in members),
    )
    return Event(ACME, revision, INSTANT, ACTOR, CreateRole(RoleId("r")), Delta(added=added))


def write_for_ever(address: str, seed: int, marks: Connection) -> None:
    """In a process of its own: commit change after change until killed."""
    draw, revision = random.Random(seed), -1

    def tell(*arguments: object) -> None:
        if str(arguments[2]).startswith("UPDATE organization"):
            marks.send((INSIDE, revision))

    def keep_little(connection: object, _: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute(f"PRAGMA cache_size = {CACHE_PAGES}")

    event.listen(Engine, "connect", keep_little)
    event.listen(Engine, "after_cursor_execute", tell)
    store = opened(address)
    revision = store.revision(ACME) or 0
    while True:
        revision += 1
        assert store.commit(change(revision, draw.choice(FACTS)))
        marks.send((DONE, revision))


def killed(process: BaseProcess, marks: Connection, draw: random.Random) -> list[Mark]:
    """The marks of a writer that was killed at a random instant, all that it could make."""
    seen = list[Mark]()
    for _ in range(draw.randint(1, MARKS_MAX)):
        assert marks.poll(PATIENCE_SECONDS), "the writer does not write"
        seen.append(marks.recv())
    time.sleep(draw.random() * KILL_SECONDS_MAX)
    process.kill()
    process.join()
    return [*seen, *remaining(marks)]


def remaining(marks: Connection) -> Iterator[Mark]:
    """The marks that a dead writer had made before."""
    try:
        while True:
            yield marks.recv()
    except EOFError:
        return


def following(store: SqlStore, state: Organization) -> Organization:
    """The state after all events that are stored, whose revisions have no gap."""
    for happened in store.events(ACME, after=state.revision, limit=10_000):
        assert happened.revision == state.revision + 1
        state = advance(state, happened.delta)
    return state


def test_a_killed_writer_loses_nothing_acknowledged(database: Database) -> None:
    """After each kill the database is sound, and state and events are those of one revision."""
    address, draw = database.address, random.Random(11)
    store = opened(address)
    state = created(store, ACME, [])
    store.close()
    inside = written = 0
    for seed in range(KILLS):
        marks, theirs = PROCESSES.Pipe(duplex=False)
        process = PROCESSES.Process(target=write_for_ever, args=(address, seed, theirs))
        process.start()
        theirs.close()
        seen = killed(process, marks, draw)
        acknowledged = max(
            (number for mark, number in seen if mark == DONE), default=state.revision
        )

        database.settle()
        store = opened(address)
        state = following(store, state)
        assert store.load(ACME) == state
        assert store.damage() == ()
        store.close()
        assert state.revision in {acknowledged, acknowledged + 1}
        inside += seen[-1][0] == INSIDE
        written += state.revision > acknowledged
    told = f"{KILLS} kills, {inside} inside a transaction, of which {written} were written"
    print(told)  # noqa: T201 - how much the run has shown
    assert inside > 0, "no kill fell inside a transaction, so this run shows nothing"


def make(address: str, marks: Connection) -> None:
    """In a process of its own: make the database."""

    def tell(*arguments: object) -> None:
        if "CREATE TABLE" in str(arguments[2]):
            marks.send((INSIDE, 0))

    event.listen(Engine, "after_cursor_execute", tell)
    marks.send((BEGUN, 0))
    opened(address).close()
    marks.send((DONE, 0))


def test_a_database_whose_making_was_killed_is_made_again(databases: Databases) -> None:
    """Killed anywhere between nothing and a migrated database, it opens the next time."""
    draw, inside = random.Random(12), 0
    for _ in range(KILLS_WHILE_MADE):
        database = databases.fresh()
        address = database.address
        marks, theirs = PROCESSES.Pipe(duplex=False)
        process = PROCESSES.Process(target=make, args=(address, theirs))
        process.start()
        theirs.close()
        seen = {mark for mark, _ in killed(process, marks, draw)}
        database.settle()
        inside += INSIDE in seen and DONE not in seen
        store = opened(address)
        assert created(store, ACME, []) == empty(ACME) == store.load(ACME)
        assert store.damage() == ()
        store.close()
        databases.drop(database)
    told = f"{KILLS_WHILE_MADE} kills, {inside} after the first table was made"
    print(told)  # noqa: T201 - how much the run has shown
    assert inside > 0, "no kill fell into the making, so this run shows nothing"
