"""Every store that there is; a test that takes `store` is run against each."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.adapters.sql import open_database
from grantproof.core.identifiers import ClaimId, OrganizationId
from grantproof.core.metering import charges
from grantproof.service.ports import Store
from tests.contracts.histories import ANN, INSTANT, created


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without organizations, to be copied: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("database") / "empty.db"
    open_database(path).close()
    return path


@pytest.fixture(scope="session")
def furnished_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database whose organization `acme` has every kind of fact, and a counter, to be copied."""
    path = tmp_path_factory.mktemp("database") / "furnished.db"
    store = open_database(path)
    state = created(store, OrganizationId("acme"))
    due = charges(state.claims[ClaimId("write")], ANN, INSTANT)
    store.meter.charge(state.id, due, revision=state.revision, instant=INSTANT)
    store.close()
    return path


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path, empty_database: Path) -> Iterator[Store]:
    """A new store without organizations."""
    made: Store = MemoryStore()
    if request.param == "sqlite":
        made = open_database(shutil.copy(empty_database, tmp_path / "grantproof.db"))
    yield made
    made.close()
