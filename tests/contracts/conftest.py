"""Every store that there is; a test that takes `store` is run against each."""

from collections.abc import Iterator

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.service.ports import Store
from tests.databases import Databases, PostgresqlDatabases, SqliteDatabases, opened


@pytest.fixture(scope="session", params=["memory", "sqlite", "postgresql"])
def kept_by(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Databases | None:
    """Where the databases of stores are made, or nothing where the store is memory."""
    match request.param:
        case "sqlite":
            return SqliteDatabases(tmp_path_factory.mktemp("sqlite"))
        case "postgresql":
            return PostgresqlDatabases(request.getfixturevalue("postgresql_server"))
        case _:
            return None


@pytest.fixture
def store(kept_by: Databases | None) -> Iterator[Store]:
    """A new store without organizations."""
    if kept_by is None:
        yield MemoryStore()
        return
    database = kept_by.copied(kept_by.empty)
    made = opened(database.address)
    yield made
    made.close()
    kept_by.drop(database)
