"""What every test shares: how Hypothesis runs, the databases, the real data, the figures."""

import gc
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from tests.databases import Database, Databases, PostgresqlDatabases, SqliteDatabases
from tests.postgresql import Server, running_server

# The gate draws the same examples on every run and every machine, however slow that machine is.
settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
# For hunting: `pytest --hypothesis-profile=explore` draws new and many more examples.
settings.register_profile("explore", max_examples=5_000, deadline=None, print_blob=True)
settings.load_profile("ci")

# What is compiled is kept beside the sources, whatever the environment wishes: tests start hundreds
# of processes, each of which would compile all that it imports, and every worker all of the tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # So a shell starts what it runs in the background, and processes that are tested would inherit
    # it: they are interrupted all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)

TESTS: Final = Path(__file__).resolve().parent
LONGEST_FIRST: Final = ("survival", "e2e")
"""Folders of tests that take seconds each."""

GARBAGE_MIN: Final = 50_000
"""After so many new objects garbage is looked for. Tests make many that are gone at once: to look
after a few hundred, as Python does by itself, took a fifth of the time of the property tests."""
gc.disable()  # until everything is imported


def pytest_collection_finish(session: pytest.Session) -> None:  # noqa: ARG001 - pytest gives it
    """Look for garbage among what the tests make: what is imported by now is there for good."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_MIN)
    gc.enable()


@pytest.hookimpl(trylast=True)  # what pytest brings together first stays together
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take longest: at the end, no worker is to wait for another's."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    """When the tests of its folder are run: the earlier the longer one of them takes."""
    folder = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
    return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data beside the checkout, or GRANTPROOF_REAL_DATA; skips without it."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("GRANTPROOF_REAL_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} does not exist; GRANTPROOF_REAL_DATA names another")
    return folder


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """A real PostgreSQL server, started when first asked for; without it tests fail, none skips."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def databases(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Databases:
    """Where databases are made: a test that takes them is run with every kind."""
    if request.param == "sqlite":
        return SqliteDatabases(tmp_path_factory.mktemp("sqlite"))
    return PostgresqlDatabases(request.getfixturevalue("postgresql_server"))


@pytest.fixture
def database(databases: Databases) -> Iterator[Database]:
    """A database without organizations."""
    made = databases.copied(databases.empty)
    yield made
    databases.drop(made)


@pytest.fixture
def furnished_database(databases: Databases) -> Iterator[Database]:
    """A database whose organization `acme` has every kind of fact."""
    made = databases.copied(databases.furnished)
    yield made
    databases.drop(made)


@pytest.fixture
def fresh_database(databases: Databases) -> Iterator[Database]:
    """A place for a database where nothing is yet."""
    made = databases.fresh()
    yield made
    databases.drop(made)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print every property named `figure` that a test recorded, one line each."""
    figures = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, value in report.user_properties
        if name == "figure"
    ]
    if figures:
        terminalreporter.section("figures")
        for figure in figures:
            terminalreporter.write_line(str(figure))
