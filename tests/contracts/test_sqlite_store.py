"""What a store promises when its database is a file of SQLite, and only then."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Engine, event

from grantproof.adapters.sql import SqlStore, open_database, sqlite
from grantproof.adapters.sql.sqlite import open_engine
from grantproof.core.commands import Event
from grantproof.core.commands.language import CreateRole
from grantproof.core.identifiers import OrganizationId, PrincipalId
from grantproof.core.model import Delta, Principal
from grantproof.service.ports import StoreUnavailable
from tests.contracts.histories import ACTOR, HISTORY, INSTANT, READER, created
from tests.contracts.histories import event as happening
from tests.databases import copied

ACME = OrganizationId("acme")


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without organizations, to be copied."""
    path = tmp_path_factory.mktemp("database") / "empty.db"
    open_database(path).close()
    return path


@pytest.fixture
def path(tmp_path: Path, empty_file: Path) -> Path:
    """A database without organizations."""
    return copied(empty_file, tmp_path / "grantproof.db")


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    """The store on that database."""
    made = open_database(path)
    yield made
    made.close()


def test_a_closed_database_is_one_file(path: Path) -> None:
    """After the last store is closed the database and its key are left to be copied."""
    made = open_database(path)
    created(made, ACME)
    made.close()
    assert {entry.name for entry in path.parent.iterdir()} == {path.name, f"{path.name}.audit-key"}


def test_a_look_leaves_everything_as_it_was(
    path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A closed database stays one file; what others left open is tidied up by nobody who looks."""

    def files() -> dict[str, bytes]:
        # What SQLite shares in memory is not of the database.
        found = [entry for entry in path.parent.iterdir() if not entry.name.endswith("-shm")]
        return {entry.name: entry.read_bytes() for entry in found}

    closed = files()
    assert sqlite.stored_version(path) is not None
    assert files() == closed
    other = copied(path, tmp_path_factory.mktemp("other") / path.name)
    with closing(sqlite3.connect(other)) as opened:
        opened.execute("CREATE TABLE more (id INTEGER)")
        path.with_name(f"{path.name}-wal").write_bytes(Path(f"{other}-wal").read_bytes())
    left = files()
    assert left.keys() == closed.keys() | {f"{path.name}-wal"}
    assert sqlite.stored_version(path) is not None
    assert files() == left


def test_a_log_that_another_takes_away_is_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever closes the database tidies up, maybe between two looks of one who opens it."""
    log, look = path.with_name(f"{path.name}-wal"), Path.stat
    log.write_bytes(b"changes of another")

    def seen_last(file: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = look(file, follow_symlinks=follow_symlinks)
        if file == log:
            log.unlink()
        return found

    monkeypatch.setattr(Path, "stat", seen_last)
    open_database(path).close()
    assert not log.exists()


def test_connections_are_set_up_to_keep_promises(path: Path, store: SqlStore) -> None:
    """Commits reach the disk, references are checked, readers do not wait for writers."""
    created(store, ACME, HISTORY[:1])
    engine = open_engine(path)
    with engine.connect() as connection:
        found = {
            pragma: connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()
            for pragma in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    full, on = 2, 1
    assert found == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": on,
        "busy_timeout": sqlite.BUSY_SECONDS_MAX * 1000,
    }


def test_a_locked_database_is_unavailable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that waits too long gives up with what to do; readers do not wait."""
    monkeypatch.setattr(sqlite, "BUSY_SECONDS_MAX", 0.05)
    store = open_database(path)
    state = created(store, ACME, HISTORY[:2])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="is locked by another program: try again"):
            store.commit(happening(state, CreateRole(READER)))
        assert store.load(ACME) == state
    assert store.commit(happening(state, CreateRole(READER)))
    store.close()


def replaced(path: Path, away: Path) -> None:
    """Another file of the same content takes its name."""
    shutil.copy(path, away)
    away.replace(path)


@pytest.mark.parametrize("taken", [Path.rename, replaced, lambda path, _: path.unlink()])
def test_a_file_that_is_taken_away_is_used_no_more(
    taken: Callable[[Path, Path], object], path: Path, store: SqlStore
) -> None:
    """What is written to it nobody would ever see again."""
    state = created(store, ACME, HISTORY[:2])
    taken(path, path.with_name("away.db"))
    with pytest.raises(StoreUnavailable, match="moved, deleted or replaced"):
        store.commit(happening(state, CreateRole(READER)))
    with pytest.raises(StoreUnavailable, match="moved, deleted or replaced"):
        store.load(ACME)


def test_no_empty_file_takes_the_place_of_one_that_is_gone(path: Path) -> None:
    """One more connection would make it, and the next start would take it for a new database."""
    engine = open_engine(path)
    with engine.connect():
        path.unlink()
        with pytest.raises(StoreUnavailable, match="moved, deleted or replaced"):
            engine.connect()
    engine.dispose()
    assert not path.exists()


def test_a_file_that_is_put_back_is_used_again(path: Path, store: SqlStore) -> None:
    """It is the one that was opened, with all that was written to it."""
    state, away = created(store, ACME, HISTORY[:2]), path.with_name("away.db")
    path.rename(away)
    with pytest.raises(StoreUnavailable, match="put it back"):
        store.commit(happening(state, CreateRole(READER)))
    away.rename(path)
    assert store.commit(happening(state, CreateRole(READER)))
    assert store.revision(ACME) == state.revision + 1


LOOK: Final = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
print(connection.execute("SELECT revision FROM organization").fetchone()[0])
connection.close()
"""


def test_a_file_that_is_opened_twice_stays_locked(path: Path, store: SqlStore) -> None:
    """Else whoever closes it elsewhere takes itself for the last, and removes the log of others."""

    def seen_elsewhere() -> int:
        words = [sys.executable, "-c", LOOK, str(path)]
        return int(subprocess.run(words, check=True, capture_output=True).stdout)

    state = created(store, ACME, HISTORY[:2])
    open_database(path).close()
    assert seen_elsewhere() == state.revision
    assert store.commit(happening(state, CreateRole(READER)))
    assert seen_elsewhere() == state.revision + 1


def test_a_full_disk_is_unavailable_and_changes_nothing(store: SqlStore) -> None:
    """A change that does not fit is not written at all."""
    state = created(store, ACME)

    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")

    event.listen(Engine, "connect", limit)
    event.listen(Engine, "checkout", limit)
    many = tuple(Principal(PrincipalId(f"p{number}")) for number in range(3_000))
    change = Event(ACME, state.revision + 1, INSTANT, ACTOR, CreateRole(READER), Delta(added=many))
    with pytest.raises(StoreUnavailable, match="free some space"):
        store.commit(change)
    event.remove(Engine, "connect", limit)
    event.remove(Engine, "checkout", limit)
    assert store.load(ACME) == state
