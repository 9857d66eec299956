"""`grantproof db backup` and `db restore`: a copy, and what is refused before it takes a place."""

import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from grantproof.adapters.sql import backups
from grantproof.adapters.sql.audit_keys import beside
from tests.unit.cli.conftest import Run
from tests.unit.cli.test_db import altered

Revision = Callable[[], int]


@pytest.fixture
def copy(run: Run, database: Path) -> Path:
    """A copy of the database."""
    path = database.with_name("monday.db")
    assert run("db", "backup", str(path)).code == 0
    return path


def test_a_copy_says_what_is_not_in_it(run: Run, database: Path, tmp_path: Path) -> None:
    """A file of its owner's alone, without the key, and nothing else is left lying about."""
    before = {each.name for each in tmp_path.iterdir()}
    path = tmp_path / "monday.db"
    done = run("db", "backup", str(path))
    assert (done.code, done.err) == (0, "")
    copied, key = done.out.splitlines()
    assert copied == f"copied `{database}` to `{path}`, as of one moment"
    assert f"back up `{beside(database)}` too" in key
    assert path.stat().st_mode & 0o777 == 0o600
    assert bytes.fromhex(beside(database).read_text()) not in path.read_bytes()
    assert beside(database).read_bytes().strip() not in path.read_bytes()
    left = {each.name for each in tmp_path.iterdir()} - before
    assert {name for name in left if not name.startswith(database.name)} == {path.name}


def test_a_copy_for_programs(run: Run, database: Path, tmp_path: Path) -> None:
    """The same as one JSON value."""
    path = tmp_path / "monday.db"
    assert run("db", "backup", str(path), "--json").json == {
        "outcome": "copied",
        "database": str(database),
        "file": str(path),
        "bytes": path.stat().st_size,
        "audit_key_file": str(beside(database)),
    }


def test_a_file_that_exists_is_kept(run: Run, copy: Path) -> None:
    """Nothing is overwritten, not even by the same."""
    before = copy.read_bytes()
    done = run("db", "backup", str(copy))
    assert (done.code, done.line) == (1, f"the file `{copy}` exists: name another, it is kept")
    assert copy.read_bytes() == before


@pytest.mark.parametrize("what", ["backup", "restore"])
def test_who_is_terminated_leaves_no_copy_behind(
    run: Run, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """A service manager that loses its patience costs a copy, not the disk it was begun on."""
    before = {each.name for each in tmp_path.iterdir()}
    seen: list[set[str]] = []

    def terminated(_: Path, draft: Path) -> None:
        draft.write_bytes(b"a part of a copy")
        seen.append({each.name for each in tmp_path.iterdir()} - before)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(backups, "_copy", terminated)
    # What a command does not take for itself would end this test.
    ours = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        words = (str(tmp_path / "tuesday.db"),) if what == "backup" else (str(copy), "--replace")
        assert run("db", what, *words).code == 130
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, ours)
    ((draft,),) = seen
    assert draft.startswith(".")
    # Less what was tidied up beside the database that is in place.
    assert {each.name for each in tmp_path.iterdir()} <= before


def test_a_copy_is_made_nowhere_else(run: Run, tmp_path: Path) -> None:
    """A folder that is not there is not made."""
    done = run("db", "backup", str(tmp_path / "nowhere" / "monday.db"))
    assert done.code == 3
    assert "check that its folder exists" in done.line


def test_what_is_not_there_is_not_copied(run: Run, tmp_path: Path) -> None:
    """No database is made in order to copy it."""
    done = run("db", "backup", str(tmp_path / "copy.db2"), "--database", str(tmp_path / "none.db"))
    assert done.code == 3
    assert "there is no database" in done.line
    assert not (tmp_path / "none.db").exists()
    assert not (tmp_path / "copy.db2").exists()


@pytest.mark.parametrize("what", ["backup", "restore"])
def test_a_servers_database_is_for_the_servers_tools(run: Run, tmp_path: Path, what: str) -> None:
    """One line says which, before anybody is asked for anything."""
    address = "postgresql://somebody@127.0.0.1:1/grants"
    done = run("db", what, str(tmp_path / "x"), "--database", address)
    assert done.code == 2
    assert "`pg_dump`, or `pg_basebackup` and WAL archiving" in done.line


def test_a_copy_is_restored_in_place(run: Run, copy: Path, revision: Revision) -> None:
    """What happened since is gone, and said to be; without a word nothing is given up."""
    before = revision()
    run("role", "create", "later")
    done = run("db", "restore", str(copy))
    assert done.code == 1
    assert "say --replace to give it up" in done.line
    assert revision() == before + 1
    done = run("db", "restore", str(copy), "--replace")
    assert (done.code, done.err) == (0, "")
    assert "1 organizations, checked" in done.out
    assert revision() == before
    assert run("db", "check").code == 0
    assert run("role", "create", "later").code == 0


def test_a_copy_is_restored_where_nothing_is(
    run: Run, copy: Path, database: Path, tmp_path: Path
) -> None:
    """The database is the copy, in the mode in which readers do not wait for writers."""
    there = tmp_path / "there.db"
    shutil.copy(beside(database), beside(there))
    done = run("db", "restore", str(copy), "--database", str(there), "--json")
    assert done.json["outcome"] == "restored"
    assert [one["id"] for one in done.json["organizations"]] == ["acme"]
    assert there.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(there)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert run("db", "check", "--database", str(there)).code == 0
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE organization SET time_zone = 'Asia/Tokyo'", "has another time zone"),
        ("UPDATE principal SET active = 1 - active", "table `principal`"),
        ("DELETE FROM event_personal WHERE revision = 1", "who made the event was removed"),
        ("DELETE FROM role", "refers to a missing row of `role`"),
        ("UPDATE alembic_version SET version_num = '9999'", "made by a newer version"),
        ("UPDATE audit_key SET id = 'other'", "is not the one"),
    ],
)
def test_a_copy_that_is_not_whole_is_not_restored(
    run: Run, copy: Path, revision: Revision, statement: str, said: str
) -> None:
    """Whatever was done to it, what is in place stays."""
    run("role", "create", "later")
    before = revision()
    altered(copy, statement)
    done = run("db", "restore", str(copy), "--replace")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("nothing was restored")
    assert said in done.err
    assert revision() == before


def test_what_is_no_copy_is_not_restored(run: Run, tmp_path: Path, revision: Revision) -> None:
    """Another file, an empty one, and none."""
    before = revision()
    other, empty = tmp_path / "other", tmp_path / "empty"
    other.write_text("dear diary")
    empty.touch()
    assert "is no database" in run("db", "restore", str(other), "--replace").line
    assert "holds no database" in run("db", "restore", str(empty), "--replace").line
    missing = run("db", "restore", str(tmp_path / "none"), "--replace")
    assert (missing.code, missing.line) == (2, f"there is no file `{tmp_path / 'none'}`")
    assert revision() == before


def test_a_database_in_use_stays(run: Run, copy: Path, database: Path, revision: Revision) -> None:
    """Whoever has it open must be stopped first: a server would go on with what was."""
    run("role", "create", "later")
    before = revision()
    with closing(sqlite3.connect(database)) as server:
        server.execute("SELECT count(*) FROM role").fetchall()
        done = run("db", "restore", str(copy), "--replace")
        assert done.code == 3
        assert "is in use: stop the server" in done.line
    assert revision() == before


def test_remains_of_another_database_are_not_taken_in(
    run: Run, copy: Path, database: Path, tmp_path: Path
) -> None:
    """SQLite would take a log that lies there for a part of the database."""
    there = tmp_path / "there.db"
    shutil.copy(beside(database), beside(there))
    there.with_name("there.db-wal").write_bytes(b"left behind")
    done = run("db", "restore", str(copy), "--database", str(there))
    assert done.code == 1
    assert "there.db-wal` without its database: move it away" in done.line
    assert not there.exists()


def test_what_is_in_place_and_no_database_is_not_overwritten(
    run: Run, copy: Path, database: Path, tmp_path: Path
) -> None:
    """A diary is not a database to be given up."""
    there = tmp_path / "there.db"
    shutil.copy(beside(database), beside(there))
    there.write_text("dear diary, today I was mistaken for a database\n" * 100)
    done = run("db", "restore", str(copy), "--database", str(there), "--replace")
    assert done.code == 1
    assert "is no database: move it away" in done.line
    assert there.read_text().startswith("dear diary")
