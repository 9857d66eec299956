"""Word of changes between the processes on one PostgreSQL database: soon, and never waited for."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine

from grantproof.adapters.sql import SqlStore, notices
from grantproof.adapters.sql.notices import PostgresqlNotices
from grantproof.core.identifiers import OrganizationId
from tests.contracts.cut_connections import cutter
from tests.contracts.histories import ACTOR, HISTORY, INSTANT, commit_all, empty
from tests.databases import Database, PostgresqlDatabases, opened
from tests.postgresql import Server

ACME = OrganizationId("acme")
PATIENCE_SECONDS = 20
ANYTHING = frozenset({"*"})
"""What stands for the word that anything may have changed."""


@pytest.fixture(scope="module")
def databases(postgresql_server: Server) -> PostgresqlDatabases:
    """Where databases are made."""
    return PostgresqlDatabases(postgresql_server)


class Ear:
    """Hears, and lets a test wait for it."""

    def __init__(self) -> None:
        self.heard: list[frozenset[str]] = []
        self._more = threading.Condition()

    def __call__(self, organizations: frozenset[str] | None) -> None:
        with self._more:
            self.heard.append(ANYTHING if organizations is None else organizations)
            self._more.notify_all()

    def hears(self, wanted: frozenset[str], *, times: int = 1) -> None:
        """Wait until it was told that so often; fail if it never is."""
        self.waits_until(lambda: self.heard.count(wanted) >= times)

    def waits_until(self, enough: Callable[[], bool]) -> None:
        """Wait until what was heard is enough; fail if it never is."""
        with self._more:
            assert self._more.wait_for(enough, PATIENCE_SECONDS), self.heard


@contextmanager
def listening(address: str) -> Iterator[tuple[SqlStore, Ear]]:
    """A process that listens already."""
    store, ear = opened(address), Ear()
    try:
        store.hear(ear)
        ear.hears(ANYTHING)
        yield store, ear
    finally:
        store.close()


def test_a_change_is_heard_of_elsewhere(database: Database) -> None:
    """Founding, every change, and the end: whoever listens is told which organization."""
    with listening(database.address) as (_, ear):
        writer = opened(database.address)
        assert writer.create(ACME, time_zone="UTC", actor=ACTOR, instant=INSTANT)
        ear.hears(frozenset({ACME}))
        assert writer.delete(ACME, actor=ACTOR, instant=INSTANT)
        ear.hears(frozenset({ACME}), times=2)
        writer.close()


def test_what_is_told_is_committed(database: Database) -> None:
    """Whoever looks when told sees it: nobody is told before there is something to see."""
    reader, seen = opened(database.address), list[int | None]()
    ready, looked = threading.Event(), threading.Event()

    def look(organizations: frozenset[str] | None) -> None:
        if organizations is None:
            ready.set()
        else:
            seen.append(reader.revision(ACME))
            looked.set()

    reader.hear(look)
    assert ready.wait(PATIENCE_SECONDS)
    writer = opened(database.address)
    assert writer.create(ACME, time_zone="UTC", actor=ACTOR, instant=INSTANT)
    assert looked.wait(PATIENCE_SECONDS)
    looked.clear()
    commit_all(writer, empty(ACME), HISTORY[:1])
    assert looked.wait(PATIENCE_SECONDS)
    assert seen == [0, 1]
    writer.close()
    reader.close()


def test_nobody_hears_of_what_they_did_themselves(database: Database) -> None:
    """A process looks at what others did; its own changes it has."""
    with listening(database.address) as (store, ear):
        assert store.create(ACME, time_zone="UTC", actor=ACTOR, instant=INSTANT)
        other = opened(database.address)
        assert other.create(OrganizationId("last"), time_zone="UTC", actor=ACTOR, instant=INSTANT)
        other.close()
        ear.hears(frozenset({"last"}))
        assert frozenset({ACME}) not in ear.heard


def test_a_process_that_ends_has_told(database: Database) -> None:
    """As a command does, which commits and is gone."""
    with listening(database.address) as (_, ear):
        command = opened(database.address)
        assert command.create(ACME, time_zone="UTC", actor=ACTOR, instant=INSTANT)
        command.close()
        ear.hears(frozenset({ACME}))


def test_much_at_once_is_all_told(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """More ids than one notice holds take several."""
    monkeypatch.setattr(notices, "IDS_A_NOTICE", 3)
    with listening(database.address) as (_, ear):
        writer = opened(database.address)
        wanted = {f"org-{number}" for number in range(10)}
        for one in sorted(wanted):
            writer.create(OrganizationId(one), time_zone="UTC", actor=ACTOR, instant=INSTANT)
        writer.close()
        ear.waits_until(lambda: frozenset[str]().union(*ear.heard) >= wanted)


def test_a_listener_that_was_cut_off_looks_at_everything(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was told meanwhile is lost, so anything may have changed."""
    monkeypatch.setattr(notices, "PAUSE_SECONDS", 0.05)
    with cutter(database.address) as between, listening(between.address) as (_, ear):
        database.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        )
        ear.hears(ANYTHING, times=2)


def test_a_database_that_is_gone_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Telling returns at once and the word is lost; closing waits for a moment at most."""
    monkeypatch.setattr(notices, "LAST_WORD_SECONDS_MAX", 0.5)
    nowhere = create_engine("postgresql+psycopg://nobody@/nothing?host=/nowhere")
    word = PostgresqlNotices(nowhere)
    word.hear(lambda _: pytest.fail("there is nothing to hear"))
    word.tell(ACME)
    began = time.monotonic()
    word.close()
    assert time.monotonic() - began < PATIENCE_SECONDS
