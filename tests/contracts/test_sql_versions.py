"""Versions in a SQL database: they last, are checked, and old databases are given them."""

from collections.abc import Iterator

import pytest

from grantproof.adapters.sql import SqlStore
from grantproof.core.commands.language import (
    AddParent,
    CreateRole,
    DeleteRole,
    RemoveParent,
    SingleCommand,
)
from grantproof.core.identifiers import OrganizationId, RoleId
from grantproof.core.model import Role
from grantproof.core.organization import Organization
from grantproof.service.ports import StoreUnusable
from grantproof.service.versions import Versions
from tests.contracts.histories import commit_all, created
from tests.contracts.test_sql_schema import go_down
from tests.databases import Database, opened

ACME, OTHER = OrganizationId("acme"), OrganizationId("other")
CHILD, BASE, TOP = RoleId("child"), RoleId("base"), RoleId("top")
PAST: list[SingleCommand] = [
    CreateRole(BASE),
    CreateRole(TOP),
    CreateRole(CHILD),
    AddParent(CHILD, TOP),
    AddParent(TOP, BASE),
    RemoveParent(CHILD, TOP),
    DeleteRole(TOP, cascade=True),
    CreateRole(TOP),
]
NOW = {"base": 1, "top": 8, "child": 6}
"""Which revision last changed each role; the deletion of the parent at 7 was of no child's."""
BEFORE = [("acme", "base", 1), ("acme", "child", 3), ("acme", "top", 8)]
"""What the rows told of the roles alone."""
ROWS = "SELECT organization_id, id, revision FROM role WHERE organization_id = 'acme' ORDER BY id"


@pytest.fixture
def store(database: Database) -> Iterator[SqlStore]:
    """The store on that database, with an organization that has such a past."""
    made = opened(database.address)
    created(made, ACME, PAST)
    created(made, OTHER, PAST[:4])
    yield made
    made.close()


def versions(store: SqlStore) -> Versions:
    """The versions of `acme`."""
    found = store.load_versioned(ACME)
    assert found is not None
    return found.versions


def test_versions_outlive_the_process(database: Database, store: SqlStore) -> None:
    """Another one finds them as they were."""
    assert dict(versions(store).of_type[Role]) == NOW
    store.close()
    again = opened(database.address)
    assert versions(again) == versions(store)
    again.close()


def test_rows_that_tell_another_revision_are_found(database: Database, store: SqlStore) -> None:
    """P-REPLAY: what the events make of it is held against the row."""
    assert list(store.ledger.differences(ACME)) == []
    database.execute("UPDATE role SET revision = 3 WHERE id = 'child'")
    (found,) = store.ledger.differences(ACME)
    assert (found.table, found.key) == ("role", ("child",))
    assert found.what == "`revision` is `3`, the events make it `6`"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE role SET revision = -1 WHERE id = 'base'",
        "UPDATE role SET revision = 0 WHERE id = 'base'",
        "UPDATE role SET revision = 9 WHERE id = 'base'",
    ],
)
def test_a_revision_that_never_was_is_not_loaded(
    database: Database, store: SqlStore, statement: str
) -> None:
    """Nobody is shown a tag that may come to mean something else."""
    database.execute(statement)
    with pytest.raises(StoreUnusable, match="table `role`, row `base`: `revision` must be one"):
        store.load_versioned(ACME)


def test_a_row_that_is_to_be_touched_must_be_there(database: Database, store: SqlStore) -> None:
    """An edge that goes has a child; without one somebody was at the database by hand."""
    state = commit_all(store, held(store), [AddParent(CHILD, BASE)])
    database.without_checks()
    database.by_hand("DELETE FROM role WHERE organization_id = 'acme' AND id = 'child'")
    with pytest.raises(StoreUnusable, match="lacks rows of table `role`"):
        commit_all(store, state, [RemoveParent(CHILD, BASE)])


def held(store: SqlStore) -> Organization:
    """The organization `acme`."""
    state = store.load(ACME)
    assert state is not None
    return state


def test_an_older_database_is_given_versions(database: Database, store: SqlStore) -> None:
    """What its rows did not tell is found in its events; going back they tell what they did."""
    expected = versions(store)
    store.close()
    go_down(database, "0006")
    assert database.query(ROWS) == BEFORE
    again = opened(database.address)
    assert versions(again) == expected
    assert list(again.ledger.differences(ACME)) == []
    assert list(again.ledger.differences(OTHER)) == []
    again.close()
