"""A live database of the first release, upgraded while processes of the first release write to it.

Several new processes open it at once: one migrates, the others wait. Whatever an old writer was
told is stored is stored and sealed afterwards; then it can write nothing any more.
"""

import multiprocessing
import os
import random
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy import event as sql_events
from sqlalchemy.exc import DBAPIError

from grantproof.adapters.sql import SqlStore
from grantproof.adapters.sql.audit_keys import beside, obtain
from grantproof.core.commands import Event
from grantproof.core.commands.language import CreatePrincipal
from grantproof.core.identifiers import OrganizationId, PrincipalId
from grantproof.core.invariants import valid
from grantproof.core.model import Delta, Principal
from grantproof.core.organization import Organization, advance
from grantproof.service.audit_chain import adopted_until, faults
from tests import first_release
from tests.contracts.histories import ACTOR, FIRST_HISTORY, INSTANT, empty, event
from tests.databases import Database, SqliteDatabase, opened
from tests.first_release import FirstStore
from tests.processes import bare
from tests.warm import programs

PAGE = (Path(__file__).parents[2] / "docs/upgrade.md").read_text(encoding="utf-8")

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["alembic.command", "grantproof.adapters.sql"])

ACME = OrganizationId("acme")
WRITERS, OPENERS = 3, 4
BEFORE_UPGRADE = 10
"""How many changes each writer makes before anybody upgrades."""
PATIENCE_SECONDS = 240
PAUSE_SECONDS_MAX = 0.01
LOCKED = ("database is locked", "lock timeout", "could not serialize", "deadlock")
"""What an old writer is told while another has what it needs: it tries again."""


def arrival(revision: int, name: str) -> Event:
    """A principal comes."""
    principal = PrincipalId(name)
    delta = Delta(added=(Principal(principal),))
    return Event(ACME, revision, INSTANT, ACTOR, CreatePrincipal(principal), delta)


def write_until_refused(address: str, name: str, told: Connection) -> None:
    """In a process of its own: what the first release does, until the database takes it no more."""
    draw, number = random.Random(name), 0
    with FirstStore(address) as store:
        while True:
            try:
                happened = arrival(store.revision(ACME) + 1, f"{name}-{number}")
                if store.commit(happened):
                    told.send((happened.revision, f"{name}-{number}"))
                    number += 1
            except DBAPIError as error:
                if not any(words in str(error) for words in LOCKED):
                    told.send((None, str(error.orig)))
                    return
            time.sleep(draw.random() * PAUSE_SECONDS_MAX)


def open_and_tell(address: str, start: Barrier, told: Connection) -> None:
    """In a process of its own: open the database, and tell whether that migrated it."""
    migrated = False

    def look(*arguments: object) -> None:
        nonlocal migrated
        migrated = migrated or "CREATE TABLE audit_key" in str(arguments[2])

    sql_events.listen(Engine, "after_cursor_execute", look)
    start.wait(PATIENCE_SECONDS)
    store = opened(address)
    found = store.load(ACME)
    store.close()
    told.send((migrated, 0 if found is None else found.revision))


@contextmanager
def running(
    target: Callable[..., None], *arguments: object
) -> Iterator[tuple[BaseProcess, Connection]]:
    """A process, and what it tells; it is gone at the end."""
    ours, theirs = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=target, args=(*arguments, theirs))
    process.start()
    theirs.close()
    try:
        yield process, ours
    finally:
        process.kill()
        process.join()


def received(connection: Connection) -> tuple[int | None, str]:
    """The next thing that a process tells."""
    assert connection.poll(PATIENCE_SECONDS), "a process says nothing"
    found: tuple[int | None, str] = connection.recv()
    return found


@pytest.fixture
def old(fresh_database: Database) -> Database:
    """A database of the first release with every kind of fact."""
    first_release.make(fresh_database)
    with FirstStore(fresh_database.address) as store:
        store.create(ACME, actor=ACTOR, instant=INSTANT)
        state = empty(ACME)
        for command in FIRST_HISTORY:
            happened = event(state, command)
            assert store.commit(happened)
            state = advance(state, happened.delta)
    return fresh_database


def test_a_live_database_is_upgraded_under_its_writers(old: Database) -> None:
    """One of the new processes migrates; nothing acknowledged is lost, nothing half written."""
    acknowledged = dict[int, str]()
    with (
        running(write_until_refused, old.address, "a") as (_, first),
        running(write_until_refused, old.address, "b") as (_, second),
        running(write_until_refused, old.address, "c") as (_, third),
    ):
        writers = (first, second, third)
        for writer in writers:
            for _ in range(BEFORE_UPGRADE):
                revision, name = received(writer)
                assert revision is not None, name
                acknowledged[revision] = name
        opened_at = upgraded(old.address)
        refusals = list[str]()
        for writer in writers:
            while (said := received(writer))[0] is not None:
                acknowledged[said[0]] = said[1]
            refusals.append(said[1])
    assert len(refusals) == WRITERS
    assert all("column" in said for said in refusals), refusals
    told = f"{len(acknowledged)} changes of old writers, upgraded at {opened_at}"
    print(told)  # noqa: T201 - how much the run has shown

    store = opened(old.address)
    events = store.events(ACME, limit=100_000)
    there = {each.revision: each.command for each in events}
    assert sorted(there) == list(range(1, len(events) + 1))
    assert {
        revision: command.principal
        for revision, command in there.items()
        if isinstance(command, CreatePrincipal)
        and "-" in command.principal
        and revision > len(FIRST_HISTORY)
    } == acknowledged
    # Old writers could write nothing after the first of the new processes was ready.
    assert opened_at == {len(events)}
    assert sound(store) == len(events)
    store.close()


def upgraded(address: str) -> set[int]:
    """The revisions that new processes found when they opened the database at once."""
    start = PROCESSES.Barrier(OPENERS)
    ours, theirs = PROCESSES.Pipe(duplex=False)
    for _ in range(OPENERS):
        PROCESSES.Process(target=open_and_tell, args=(address, start, theirs)).start()
    found = [ours.recv() for _ in range(OPENERS) if ours.poll(PATIENCE_SECONDS)]
    assert len(found) == OPENERS
    assert [migrated for migrated, _ in found].count(True) == 1
    return {revision for _, revision in found}


def sound(store: SqlStore) -> int | None:
    """Up to where events were sealed later, after finding nothing wrong with anything."""
    with store.ledger.chain(ACME) as (anchor, chain):
        entries = list(chain)
    assert list(faults(store.ledger.key, anchor, entries)) == []
    assert list(store.ledger.differences(ACME)) == []
    assert store.damage() == ()
    state = store.load(ACME)
    assert isinstance(state, Organization)
    assert list(valid(state)) == []
    return adopted_until(entries[0].content)


MIDWAY = ("CREATE TABLE event_before", "DROP TABLE event_before", "CREATE TABLE key_receipt")
"""Early, in the middle and late: after such a statement the process is killed."""


def open_and_hang(address: str, after: str, told: Connection) -> None:
    """In a process of its own: migrate, and go no further when the statement was executed."""

    def hang(*arguments: object) -> None:
        if after in " ".join(str(arguments[2]).split()):
            told.send((0, after))
            time.sleep(PATIENCE_SECONDS)

    sql_events.listen(Engine, "after_cursor_execute", hang)
    opened(address).close()


@pytest.mark.parametrize("after", MIDWAY)
def test_a_migration_that_was_killed_leaves_the_old_schema(old: Database, after: str) -> None:
    """Killed midway, all is as it was: old writers go on, and the next open completes."""
    with FirstStore(old.address) as writer:
        before = writer.contents()
        with running(open_and_hang, old.address, after) as (process, told):
            assert received(told) == (0, after)
            process.kill()
            process.join()
        assert writer.contents() == before
        assert writer.commit(arrival(len(FIRST_HISTORY) + 1, "late-0"))
    store = opened(old.address)
    assert sound(store) == len(FIRST_HISTORY) + 1
    store.close()


def test_the_page_works_when_pasted(tmp_path: Path) -> None:
    """The commands of `docs/upgrade.md`, on a file of the first release."""
    old_file = SqliteDatabase(tmp_path / "grantproof.db")
    first_release.make(old_file)
    with FirstStore(old_file.address) as store:
        store.create(ACME, actor=ACTOR, instant=INSTANT)
    # The first release had no key; whoever copies one for a rehearsal has it already.
    obtain(beside(old_file.path), create=True)
    (block,) = re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    script = "\n".join(line.removeprefix("$ ") for line in block.splitlines())
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=tmp_path,
        env=bare(PATH=f"{programs()}:{os.environ['PATH']}"),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "(events up to 0 were sealed later than they were made)" in done.stdout
    assert done.stdout.count("1 organizations, no violation") == 2
