"""A database that cannot be used is one clear line, and its file is left as it was."""

import multiprocessing
import os
import random
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from grantproof.adapters.sql import open_database
from grantproof.core.commands import Event
from grantproof.core.identifiers import OrganizationId
from grantproof.core.organization import Organization
from grantproof.service.ports import StoreError, StoreMissing, StoreUnavailable, StoreUnusable
from tests.contracts.histories import created
from tests.databases import copied

ACME = OrganizationId("acme")
SQLITE_HEADER = b"SQLite format 3\0"
NOBODY = 65534

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["alembic.command", "grantproof.adapters.sql"])

Contents = tuple[Organization | None, tuple[Event, ...]]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with an organization in it, closed."""
    path = tmp_path_factory.mktemp("sound") / "sound.db"
    store = open_database(path)
    created(store, ACME)
    store.close()
    return path


def read(path: Path) -> Contents:
    """Everything that a store reads of the organization."""
    store = open_database(path)
    try:
        return store.load(ACME), store.events(ACME, limit=1000)
    finally:
        store.close()


def refusal(path: Path) -> StoreError:
    """Why the database cannot be used; the file and its folder are the same before and after."""
    before = {each.name: each.read_bytes() for each in path.parent.iterdir() if each.is_file()}
    with pytest.raises(StoreError) as caught:
        read(path)
    after = {each.name: each.read_bytes() for each in path.parent.iterdir() if each.is_file()}
    assert after == before
    message = str(caught.value)
    assert "\n" not in message
    assert message[0].islower()
    assert not message.endswith(".")
    return caught.value


def edited(path: Path, *statements: str) -> None:
    """Run the statements on the database, making it where there is none."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


# ---------------------------------------------------------------- not a database of ours


@pytest.mark.parametrize(
    "content",
    [b"dear diary\n", b"\0" * 8192, b"\xff" * 8192, SQLITE_HEADER, SQLITE_HEADER + b"\xff" * 8192],
)
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    """Text, zeros, noise and a lone header are not databases."""
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    reason = refusal(path)
    assert isinstance(reason, StoreUnusable)
    assert "name another file" in str(reason) or "restore it from a backup" in str(reason)


def test_a_spoilt_header_is_refused(tmp_path: Path, sound: Path) -> None:
    """Our own database with garbage at its beginning is no database."""
    path = copied(sound, tmp_path)
    path.write_bytes(b"garbage!" * 2 + path.read_bytes()[16:])
    assert "is no database: name another file" in str(refusal(path))


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE recipe (name TEXT)"],
        ["CREATE TABLE alembic_version (version_num TEXT)"],
        [
            "CREATE TABLE alembic_version (version_num TEXT)",
            "INSERT INTO alembic_version VALUES ('0001')",
            "CREATE TABLE organization (id TEXT)",
        ],
        ["PRAGMA application_id = 252006674"],
        ["PRAGMA journal_mode = WAL", "CREATE TABLE recipe (name TEXT)"],
    ],
)
def test_a_database_of_another_program_is_refused(tmp_path: Path, statements: list[str]) -> None:
    """A foreign SQLite database is not taken over, whatever its tables are called."""
    path = tmp_path / "recipes.db"
    edited(path, *statements)
    reason = refusal(path)
    assert isinstance(reason, StoreUnusable)
    assert "belongs to another program: name another file" in str(reason)


def test_a_newer_schema_is_refused(tmp_path: Path, sound: Path) -> None:
    """A database of a later version says so, and which version, before anything is read."""
    path = copied(sound, tmp_path)
    edited(path, "UPDATE alembic_version SET version_num = '0099'")
    reason = refusal(path)
    assert isinstance(reason, StoreUnusable)
    assert "newer version of grantproof" in str(reason)
    assert "`0099`" in str(reason)
    assert str(reason).endswith(": upgrade grantproof")


@pytest.mark.parametrize(
    ("statement", "lacking"),
    [
        ("DELETE FROM alembic_version", "lacks its schema version"),
        ("DROP TABLE alembic_version", "lacks its schema version"),
        ("DROP TABLE sod_set_role", "lacks `sod_set_role`"),
        ("DROP TRIGGER event_is_never_removed", "lacks `event_is_never_removed`"),
    ],
)
def test_an_incomplete_schema_is_refused(
    tmp_path: Path, sound: Path, statement: str, lacking: str
) -> None:
    """What is missing is named, the guards of the events included."""
    path = copied(sound, tmp_path)
    edited(path, statement)
    reason = refusal(path)
    assert isinstance(reason, StoreUnusable)
    assert lacking in str(reason)


# ---------------------------------------------------------------- damage


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_a_truncated_database_is_refused(tmp_path: Path, sound: Path, share: float) -> None:
    """Of a database that is cut off anywhere nothing is believed."""
    path = copied(sound, tmp_path)
    os.truncate(path, int(path.stat().st_size * share))
    assert isinstance(refusal(path), StoreUnusable)


def test_a_spoilt_page_is_never_believed(tmp_path: Path, sound: Path) -> None:
    """With any one page inverted the database is refused, or the page was of no use."""
    size, whole, expected = 4096, sound.read_bytes(), read(sound)
    refused = 0
    for start in range(0, len(whole), size):
        page = bytes(byte ^ 0xFF for byte in whole[start : start + size])
        path = copied(sound, tmp_path / "spoilt.db")
        path.write_bytes(whole[:start] + page + whole[start + size :])
        try:
            assert read(path) == expected
        except StoreUnusable:
            refused += 1
        assert path.read_bytes()[start : start + size] == page
    assert refused > len(whole) / size / 2


def test_a_flipped_bit_never_escapes_as_a_traceback(tmp_path: Path, sound: Path) -> None:
    """Whatever bit is wrong, the answer is an organization or one line, never another error."""
    draw, whole = random.Random(1), sound.read_bytes()
    path = copied(sound, tmp_path / "flipped.db")
    refused = 0
    for _ in range(60):
        spoilt = bytearray(whole)
        spoilt[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        path.write_bytes(spoilt)
        try:
            read(path)
        except StoreError as reason:
            refused += "\n" not in str(reason)
        assert path.read_bytes() == spoilt
    assert refused > 0


# ---------------------------------------------------------------- out of reach


def test_a_folder_is_refused(tmp_path: Path) -> None:
    """A folder is not a database, and no file is made in it."""
    reason = refusal(tmp_path)
    assert isinstance(reason, StoreUnusable)
    assert "is not a file: name one" in str(reason)


def test_a_device_is_refused() -> None:
    """What is neither a file nor a folder is left alone."""
    with pytest.raises(StoreUnusable, match="is not a file: name one"):
        open_database(Path(os.devnull))


def test_a_missing_folder_is_unavailable(tmp_path: Path) -> None:
    """Folders are not made by guessing."""
    with pytest.raises(StoreUnavailable, match="there is no folder"):
        open_database(tmp_path / "missing" / "grantproof.db")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_database_can_be_refused(tmp_path: Path) -> None:
    """Whoever only reads wants none to be made."""
    path = tmp_path / "grantproof.db"
    with pytest.raises(StoreMissing, match="there is no database at"):
        open_database(path, create=False)
    assert list(tmp_path.iterdir()) == []
    open_database(path).close()
    open_database(path, create=False).close()


def test_a_file_where_a_folder_should_be_is_unavailable(tmp_path: Path) -> None:
    """A path through a file leads nowhere."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="there is no folder"):
        open_database(tmp_path / "file" / "grantproof.db")


@pytest.mark.parametrize("place", ["", ":memory:", "sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(place: str) -> None:
    """Nobody keeps an organization in memory by leaving out a name."""
    with pytest.raises(StoreUnusable, match="name a file"):
        open_database(place)


@pytest.mark.parametrize("place", ["oracle://me:secret@host/db", "mysql://me:secret@host/db"])
def test_another_database_is_refused_without_its_password(place: str) -> None:
    """An address of a database that is not supported is not repeated."""
    with pytest.raises(StoreUnusable, match="not supported") as caught:
        open_database(place)
    assert "secret" not in str(caught.value)


def test_an_address_that_is_none_is_refused() -> None:
    """What cannot be read as an address says what to write."""
    with pytest.raises(StoreUnusable, match="write a path, `sqlite:///` and a path, or `postg"):
        open_database("://")


@pytest.mark.parametrize(
    "name", ["with space.db", "100%.db", "a?mode=ro.db", "#1.db", "ünïcode.db"]
)
def test_any_name_of_a_file_will_do(tmp_path: Path, name: str) -> None:
    """Characters that mean something in addresses mean nothing in a path, twice over."""
    for _ in range(2):
        open_database(tmp_path / name).close()
    assert {each.name for each in tmp_path.iterdir()} == {name, f"{name}.audit-key"}


def test_an_address_and_a_path_are_the_same(tmp_path: Path, sound: Path) -> None:
    """`sqlite:///` and a path names the file of that path."""
    path = copied(sound, tmp_path)
    store = open_database(f"sqlite:///{path}")
    assert store.revision(ACME) == len(read(sound)[1])
    store.close()


# ---------------------------------------------------------------- without permission


@pytest.fixture
def public(sound: Path) -> Iterator[Path]:
    """Folders that everybody may enter, each with a copy of the database."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for protection in ("file", "folder", "empty"):
            (folder / protection).mkdir(mode=0o755)
            copied(sound, folder / protection / "grantproof.db")
        yield folder
        for inside in folder.iterdir():
            inside.chmod(0o755)


def unprivileged(paths: list[Path], answers: Connection) -> None:
    """In a process of its own: give up all privileges, open each database, tell what happened."""
    if os.geteuid() == 0:
        # What opening imports may be out of reach afterwards.
        with tempfile.TemporaryDirectory() as folder:
            open_database(Path(folder) / "first.db").close()
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    for path in paths:
        try:
            read(path)
            answers.send(None)
        except StoreError as error:
            answers.send(error)


def test_without_permission_it_is_unavailable(public: Path) -> None:
    """A file or a folder that this user may not use is one line that says to check that."""
    paths = [public / protection / "grantproof.db" for protection in ("file", "folder", "empty")]
    paths[0].chmod(0o000)
    paths[1].chmod(0o444)
    paths[1].parent.chmod(0o555)
    paths[2].unlink()
    paths[2].parent.chmod(0o555)
    answers, theirs = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=unprivileged, args=(paths, theirs))
    process.start()
    reasons = [answers.recv() if answers.poll(20) else None for _ in paths]
    process.join()
    assert all(isinstance(reason, StoreUnavailable) for reason in reasons)
    assert all("this user" in str(reason) for reason in reasons)
