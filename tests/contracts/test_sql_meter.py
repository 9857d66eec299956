"""What is special about counters in a database: how they came there, and what the rows refuse."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from grantproof.adapters.sql import SqlStore, open_database
from grantproof.service.meter import Uncharged
from grantproof.service.ports import StoreUnavailable, StoreUnusable
from tests.contracts.counting import ACME, DAILY, FAR, INSTANT, charge, counter, counts, metered


@pytest.fixture
def path(tmp_path: Path, empty_database: Path) -> Path:
    """A database without organizations."""
    return Path(shutil.copy(empty_database, tmp_path / "grantproof.db"))


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    """The store in it."""
    opened = open_database(path)
    yield opened
    opened.close()


def by_hand(path: Path, *statements: str) -> None:
    """Change the database behind the back of the store."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_a_database_of_the_first_version_gets_counters(path: Path) -> None:
    """What it held is kept, and its claims are counted from then on."""
    store = open_database(path)
    state = metered(store)
    store.close()
    by_hand(path, "DROP TABLE counter", "UPDATE alembic_version SET version_num = '0001'")
    store = open_database(path)
    assert store.load(ACME) == state
    assert charge(store.meter, state, DAILY) is True
    assert counts(store.meter) == {counter(DAILY, "day"): 1}
    assert store.damage() == ()
    store.close()


def test_a_charge_is_durable_when_it_returns(path: Path, store: SqlStore) -> None:
    """Another store on the same file finds it, and counts on."""
    state = metered(store)
    charge(store.meter, state, DAILY)
    other = open_database(path)
    assert charge(other.meter, state, DAILY) is True
    assert charge(store.meter, state, DAILY) is Uncharged.FULL
    other.close()


@pytest.mark.parametrize(
    "change",
    ["used = -1", "span = 'week'", "ends_at = starts_at", "principal_id = 'zoe'", "claim_id = 'x'"],
)
def test_the_database_repeats_the_rules(path: Path, store: SqlStore, change: str) -> None:
    """A counter below 0, of an unknown span, without a window, of nobody or of nothing."""
    charge(store.meter, metered(store), DAILY)
    statement = f"UPDATE counter SET {change}"  # noqa: S608 - our own words
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)


def test_a_span_that_nobody_knows_is_named(path: Path, store: SqlStore) -> None:
    """A row edited by hand is no counter of ours."""
    charge(store.meter, metered(store), DAILY)
    by_hand(path, "UPDATE counter SET span = 'week'")
    with pytest.raises(StoreUnusable, match="`acme` have an unknown span"):
        store.meter.usage(ACME, instant=INSTANT, limit=FAR)


def test_a_locked_database_counts_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for the lock too long is told, and the use is not counted."""
    monkeypatch.setattr("grantproof.adapters.sql.database.BUSY_SECONDS_MAX", 0.05)
    store = open_database(path)
    state = metered(store)
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            charge(store.meter, state, DAILY)
    assert counts(store.meter) == {}
    store.close()


def test_pruning_waits_for_nobody_when_there_is_nothing_to_do(path: Path, store: SqlStore) -> None:
    """Servers that look for ended counters all the time do not keep writers waiting."""
    charge(store.meter, metered(store), DAILY)
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert store.meter.prune(before=INSTANT, limit=FAR) == 0


def test_a_deleted_organization_takes_its_counters(path: Path, store: SqlStore) -> None:
    """The rows themselves go, not only what is shown of them."""
    charge(store.meter, metered(store), DAILY)
    store.delete(ACME, actor="x", instant=INSTANT)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM counter").fetchone() == (0,)
