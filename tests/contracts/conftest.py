"""Every store that there is; a test that takes `store` is run against each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.adapters.sql import open_database
from grantproof.core.identifiers import OrganizationId
from grantproof.service.ports import Store
from tests.contracts.histories import created
from tests.copies import copied


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without organizations, to be copied: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("database") / "empty.db"
    open_database(path).close()
    return path


@pytest.fixture(scope="session")
def furnished_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database whose organization `acme` has every kind of fact, to be copied."""
    path = tmp_path_factory.mktemp("database") / "furnished.db"
    store = open_database(path)
    created(store, OrganizationId("acme"))
    store.close()
    return path


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path, empty_database: Path) -> Iterator[Store]:
    """A new store without organizations."""
    made: Store = MemoryStore()
    if request.param == "sqlite":
        made = open_database(copied(empty_database, tmp_path / "grantproof.db"))
    yield made
    made.close()
