"""API keys in a SQL database: what is stored by hand is refused, and what the database refuses."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from grantproof.adapters.sql import SqlStore, open_database
from grantproof.service.ports import StoreUnusable
from tests.contracts.test_keys import ACME, key
from tests.contracts.test_sql_store import by_hand


@pytest.fixture
def path(tmp_path: Path, empty_database: Path) -> Path:
    """A database without organizations."""
    return Path(shutil.copy(empty_database, tmp_path / "grantproof.db"))


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    """The store on that database."""
    made = open_database(path)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE api_key SET scopes = 'everything'", "'everything' is not a valid Scope"),
        ("UPDATE api_key SET scopes = ''", "'' is not a valid Scope"),
        ("UPDATE api_key SET scopes = 'operate'", "must not include `operate`"),
        ("UPDATE api_key SET organization_id = NULL, principal_id = NULL, digest = 'x'", "digest"),
        ("UPDATE api_key SET principal_id = 'a b'", "principal_id"),
    ],
)
def test_a_stored_key_that_cannot_be_is_refused(
    path: Path, store: SqlStore, statement: str, words: str
) -> None:
    """Edited by hand, it stops whoever reads it; it is never taken for less or for more."""
    assert store.create(ACME, time_zone="UTC", actor="x", instant=1)
    assert store.keys.create(key())
    by_hand(path, statement)
    with pytest.raises(StoreUnusable, match="the stored key `0123456789ab` is illegal") as refused:
        store.keys.usable()
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE api_key SET organization_id = NULL",
        "UPDATE api_key SET revoked_at = 5",
        "UPDATE api_key SET digest = (SELECT min(digest) FROM api_key)",
        "UPDATE api_key SET organization_id = 'nobody'",
    ],
)
def test_the_database_repeats_the_rules(path: Path, store: SqlStore, statement: str) -> None:
    """What may not be is refused by the database too."""
    assert store.create(ACME, time_zone="UTC", actor="x", instant=1)
    assert store.keys.create(key())
    assert store.keys.create(key("b" * 12))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError, match="constraint failed"):
            connection.execute(statement)


def test_a_database_without_keys_is_brought_up_to_date(path: Path, store: SqlStore) -> None:
    """One of the version before gets the table when it is opened, and keeps what it has."""
    assert store.create(ACME, time_zone="UTC", actor="x", instant=1)
    store.close()
    by_hand(path, "DROP TABLE api_key", "UPDATE alembic_version SET version_num = '0001'")
    upgraded = open_database(path)
    assert upgraded.revision(ACME) == 0
    assert upgraded.keys.create(key())
    upgraded.close()
