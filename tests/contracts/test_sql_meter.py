"""What is special about counters in a database: how they came there, and what the rows refuse."""

from collections.abc import Iterator

import pytest

from grantproof.adapters.sql import SqlStore, open_database
from grantproof.service.meter import Uncharged
from grantproof.service.ports import StoreUnusable
from tests.contracts.counting import ACME, DAILY, FAR, INSTANT, charge, metered
from tests.databases import Database


@pytest.fixture
def store(database: Database) -> Iterator[SqlStore]:
    """The store in it."""
    opened = open_database(database.address)
    yield opened
    opened.close()


def test_a_charge_is_durable_when_it_returns(database: Database, store: SqlStore) -> None:
    """Another store on the same file finds it, and counts on."""
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
    statement = f"UPDATE counter SET {change}"  # noqa: S608 - our own words
    with pytest.raises(database.refusal, match="constraint"):
        database.execute(statement)


def test_a_span_that_nobody_knows_is_named(database: Database, store: SqlStore) -> None:
    """A row edited by hand is no counter of ours."""
    charge(store.meter, metered(store), DAILY)
    database.without_checks()
    database.by_hand("UPDATE counter SET span = 'week'")
    with pytest.raises(StoreUnusable, match="`acme` have an unknown span"):
        store.meter.usage(ACME, instant=INSTANT, limit=FAR)


def test_a_deleted_organization_takes_its_counters(database: Database, store: SqlStore) -> None:
    """The rows themselves go, not only what is shown of them."""
    charge(store.meter, metered(store), DAILY)
    store.delete(ACME, actor="x", instant=INSTANT)
    assert database.rows_of("counter") == 0
