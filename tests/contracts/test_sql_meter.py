"""What is special about counters in a database: how they came there, and what the rows refuse."""

from collections.abc import Iterator

import pytest
from alembic.command import downgrade
from sqlalchemy import text

from grantproof.adapters.sql import SqlStore, postgresql, sqlite
from grantproof.adapters.sql.migrations import KNOWN
from grantproof.adapters.sql.schema import configuration
from grantproof.service.meter import Uncharged
from grantproof.service.ports import StoreUnavailable, StoreUnusable
from tests.contracts.counting import ACME, DAILY, FAR, INSTANT, charge, counter, counts, metered
from tests.contracts.test_sql_schema import versions, writing
from tests.databases import Database
from tests.databases import opened as open_database


@pytest.fixture
def store(database: Database) -> Iterator[SqlStore]:
    """The store on that database."""
    opened = open_database(database.address)
    yield opened
    opened.close()


def test_a_database_without_counters_gets_them(database: Database) -> None:
    """What it held is kept, and its claims are counted from then on."""
    store = open_database(database.address)
    state = metered(store)
    store.close()
    go_down(database)
    store = open_database(database.address)
    assert store.load(ACME) == state
    assert charge(store.meter, state, DAILY) is True
    assert counts(store.meter) == {counter(DAILY, "day"): 1}
    assert store.damage() == ()
    store.close()


def test_counters_are_not_lost_by_going_down(database: Database, store: SqlStore) -> None:
    """The version that made them is not undone while something is counted."""
    charge(store.meter, metered(store), DAILY)
    with pytest.raises(RuntimeError, match="would be lost"):
        go_down(database)
    assert counts(store.meter) == {counter(DAILY, "day"): 1}


def go_down(database: Database) -> None:
    """Undo the version that made the counters."""
    with writing(database) as connection:
        downgrade(configuration(connection, versions=versions(database)), before("0005"))


def before(version: str) -> str:
    """The version before."""
    return KNOWN[KNOWN.index(version) - 1]


def test_a_charge_is_durable_when_it_returns(database: Database, store: SqlStore) -> None:
    """Another store on the same database finds it, and counts on."""
    state = metered(store)
    charge(store.meter, state, DAILY)
    other = open_database(database.address)
    assert charge(other.meter, state, DAILY) is True
    assert charge(store.meter, state, DAILY) is Uncharged.FULL
    other.close()


@pytest.mark.parametrize(
    "change",
    ["used = -1", "span = 'week'", "ends_at = starts_at", "principal_id = 'zoe'", "claim_id = 'x'"],
)
def test_the_database_repeats_the_rules(database: Database, store: SqlStore, change: str) -> None:
    """A counter below 0, of an unknown span, without a window, of nobody or of nothing."""
    charge(store.meter, metered(store), DAILY)
    with pytest.raises(database.refusal):
        database.execute(f"UPDATE counter SET {change}")  # noqa: S608 - our own words


def test_a_span_that_nobody_knows_is_named(database: Database, store: SqlStore) -> None:
    """A row edited by hand is no counter of ours."""
    charge(store.meter, metered(store), DAILY)
    database.without_checks()
    database.by_hand("UPDATE counter SET span = 'week'")
    with pytest.raises(StoreUnusable, match="`acme` have an unknown span"):
        store.meter.usage(ACME, instant=INSTANT, limit=FAR)


def test_a_locked_database_counts_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for the lock too long is told, and the use is not counted."""
    monkeypatch.setattr(sqlite, "BUSY_SECONDS_MAX", 0.05)
    monkeypatch.setitem(postgresql.SETTINGS, "lock_timeout", "50ms")
    monkeypatch.setattr(
        postgresql,
        "SET_UP",
        postgresql.SET_UP.replace("'lock_timeout', '5s'", "'lock_timeout', '50ms'"),
    )
    store = open_database(database.address)
    state = metered(store)
    blocker = open_database(database.address)
    with blocker._connections.writing() as other:  # noqa: SLF001 - a writer that stays in the way
        other.execute(text("UPDATE organization SET revision = revision"))
        with pytest.raises(StoreUnavailable):
            charge(store.meter, state, DAILY)
    blocker.close()
    assert counts(store.meter) == {}
    assert charge(store.meter, state, DAILY) is True
    store.close()


def test_pruning_waits_for_nobody_when_there_is_nothing_to_do(
    database: Database, store: SqlStore
) -> None:
    """Servers that look for ended counters all the time do not keep writers waiting."""
    charge(store.meter, metered(store), DAILY)
    blocker = open_database(database.address)
    with blocker._connections.writing() as other:  # noqa: SLF001 - a writer that stays in the way
        other.execute(text("UPDATE counter SET used = used"))
        assert store.meter.prune(before=INSTANT, limit=FAR) == 0
    blocker.close()


def test_a_deleted_organization_takes_its_counters(database: Database, store: SqlStore) -> None:
    """The rows themselves go, not only what is shown of them."""
    charge(store.meter, metered(store), DAILY)
    store.delete(ACME, actor="x", instant=INSTANT)
    assert database.rows_of("counter") == 0
