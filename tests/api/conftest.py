"""The application in process, over a store in memory, for three kinds of callers."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from grantproof.adapters.memory import MemoryStore
from grantproof.service.callers import EVERY_SCOPE, Scope
from grantproof.service.demo import ACME
from grantproof.service.keyring import KeyRequest
from tests.api.service import Api, serving


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    """Logs go where they went, whatever a test has configured."""
    before, server = structlog.get_config(), logging.getLogger("uvicorn")
    handlers, propagate, level = server.handlers, server.propagate, server.level
    yield
    structlog.configure(**before)
    server.handlers, server.propagate = handlers, propagate
    server.setLevel(level)


@pytest.fixture
def store() -> MemoryStore:
    """The store behind the application, for what other writers do."""
    return MemoryStore()


@pytest.fixture
def api(store: MemoryStore) -> Iterator[Api]:
    """The demo: everybody is bound to `acme`, trusted, and may review."""
    with serving(store, demo=True) as client:
        yield client


@pytest.fixture(scope="module")
def steady() -> Iterator[Api]:
    """The demo, shared by tests that change nothing."""
    with serving(MemoryStore(), demo=True) as client:
        yield client


@pytest.fixture
def operator(store: MemoryStore) -> Iterator[Api]:
    """An operator, bound to no organization and not trusted with the context; `acme` is there."""
    with serving(store, KeyRequest(None, None, EVERY_SCOPE - {Scope.TRUSTED_CONTEXT})) as client:
        yield client


@pytest.fixture
def stranger(store: MemoryStore) -> Iterator[Api]:
    """A caller bound to `acme` that may not know what exists, and is not trusted."""
    with serving(store, KeyRequest(ACME, None, frozenset({Scope.EVALUATE}))) as client:
        yield client
