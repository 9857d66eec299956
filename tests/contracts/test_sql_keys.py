"""API keys in a SQL database: what is stored by hand is refused, and what the database refuses."""

from collections.abc import Iterator

import pytest

from grantproof.adapters.sql import SqlStore
from grantproof.service.ports import StoreUnusable
from tests.contracts.test_keys import ACME, key
from tests.databases import Database, opened


@pytest.fixture
def store(database: Database) -> Iterator[SqlStore]:
    """The store on that database."""
    made = opened(database.address)
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
    database: Database, store: SqlStore, statement: str, words: str
) -> None:
    """Edited by hand, it stops whoever reads it; it is never taken for less or for more."""
    assert store.create(ACME, time_zone="UTC", actor="x", instant=1)
    assert store.keys.create(key())
    database.by_hand(statement)
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
def test_the_database_repeats_the_rules(
    database: Database, store: SqlStore, statement: str
) -> None:
    """What may not be is refused by the database too."""
    assert store.create(ACME, time_zone="UTC", actor="x", instant=1)
    assert store.keys.create(key())
    assert store.keys.create(key("b" * 12))
    with pytest.raises(database.refusal, match="constraint"):
        database.execute(statement)
