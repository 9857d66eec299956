"""A database in one file of SQLite: looked at before it is touched, then made or migrated."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final
from weakref import WeakSet

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from grantproof.adapters.sql import audit_keys
from grantproof.adapters.sql.connections import Connections
from grantproof.adapters.sql.failures import RESTORE, store_errors
from grantproof.adapters.sql.migrations import KNOWN, UNSEALED
from grantproof.adapters.sql.schema import (
    absent,
    belongs_to_another,
    migrate,
    reading_version,
    recognized,
)
from grantproof.service.audit_chain import AuditKey
from grantproof.service.ports import StoreUnavailable, StoreUnusable
from grantproof.service.turns import Turns

APPLICATION_ID: Final = b"GPRF"
"""Stands in the file's header, so that a database of another program is recognized."""

# The format of an SQLite file, https://www.sqlite.org/fileformat.html#the_database_header
MAGIC: Final = b"SQLite format 3\0"
HEADER_BYTES: Final = 100
APPLICATION_ID_AT: Final = slice(68, 72)

VERSIONS: Final = "alembic_version"
"""Where Alembic keeps the version of the schema."""

BUSY_SECONDS_MAX: Final = 5.0
"""How long a writer waits for another before it gives up."""

MIGRATION_SECONDS_MAX: Final = 600.0
"""How long to wait for another process that migrates the same database."""

BUSY_RETRY_SECONDS: Final = 0.01

PRAGMAS: Final = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA synchronous = FULL",  # a commit is on the disk when it returns
    "PRAGMA fullfsync = ON",  # on macOS too
    "PRAGMA cell_size_check = ON",  # damage is found when it is read, not later
    "PRAGMA trusted_schema = OFF",
)

Identity = tuple[int, int]
"""What tells a file from every other, whatever its name."""

BEGIN: Final = "grantproof_begin"
"""The execution option that says how a transaction begins; without it, as a reader does."""

AS_WRITER: Final = {BEGIN: "BEGIN IMMEDIATE"}
"""A writer takes its turn at once, so nothing that it read is changed by another before it ends."""


def opened(path: Path, *, create: bool, key_file: Path | None) -> Connections:
    """Return the ways into the file, its schema up to date; without `create` it must be there.

    `key_file` is by default beside it.
    """
    with store_errors(str(path)):
        version = stored_version(path)
        if version is None and not create:
            raise absent(str(path))
        file = audit_keys.beside(path) if key_file is None else key_file
        key = audit_keys.obtain(file, create=version is None or version in UNSEALED)
        engine = open_engine(path)
        try:
            if version != KNOWN[-1]:
                _migrate(path, engine, key, version=version)
            with engine.connect() as connection:
                audit_keys.check(connection, key, file=file)
        except BaseException:
            engine.dispose()
            raise
    writers = engine.execution_options(**AS_WRITER)
    version_read, turn = reading_version(VERSIONS), Turns(seconds_max=BUSY_SECONDS_MAX)
    return Connections(str(path), engine, writers, damage, key, version_read, turn=turn)


def open_engine(path: Path, *, wait_seconds: float = BUSY_SECONDS_MAX) -> Engine:
    """Return connections to the file, each set up to keep what a store promises."""
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, connect_args={"timeout": wait_seconds})
    file = _OneFile(path)
    event.listen(engine, "do_connect", file.check)
    event.listen(engine, "connect", file.note)
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", file.check)
    event.listen(engine, "begin", _begin)
    return engine


class _OneFile:
    """The file that connections are to, and that must still have its name when one is used.

    Whoever has a file open that was moved, deleted or replaced goes on writing to it, and nobody
    would ever see that again. With a log beside the file SQLite itself does not look.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = path.absolute()
        self.opened: Identity | None = None

    def note(self, *_: object) -> None:
        """Remember the file that the first connection has opened, before it locks anything."""
        with LOOKING:
            if self.opened is None:
                self.opened = _identity(self._place)
                IN_USE.add(self)

    def check(self, *_: object) -> None:
        """Raise `StoreUnavailable` when another file is there, or none."""
        if self.opened is not None and _identity(self._place) != self.opened:
            raise StoreUnavailable(
                f"the database `{self._path}` was moved, deleted or replaced while it was in use:"
                " put it back, or start grantproof again on what is there now"
            )


IN_USE: Final = WeakSet[_OneFile]()
"""The files to which this process may have connections."""

LOOKING: Final = threading.Lock()
"""Held by whoever opens a file past SQLite, and by whoever adds to `IN_USE`."""


def _identity(path: Path) -> Identity | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def damage(connection: Connection) -> Iterator[str]:
    """Yield what SQLite finds wrong with the file, and each reference to what is not there."""
    for (line,) in connection.exec_driver_sql("PRAGMA integrity_check"):
        if line != "ok":
            yield line
    for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"table `{row[0]}` refers to a missing row of `{row[2]}`"


def stored_version(path: Path) -> str | None:
    """Return the schema version of the file, or nothing when there is no database yet.

    Nothing is changed. Raises `StoreError`.
    """
    if not path.exists():
        if not path.parent.is_dir():
            raise StoreUnavailable(f"there is no folder `{path.parent}`: create it")
        return None
    if not path.is_file():
        raise StoreUnusable(f"the database `{path}` is not a file: name one")
    if not _holds_ours(path):
        return None
    # Whoever is the last to close a database that others left open tidies it up, but a reader.
    mode = "ro" if _has_log(path) else "rw"
    address = f"{path.absolute().as_uri()}?mode={mode}"
    with closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS_MAX)) as connection:
        return _recognized(path, connection)


def _holds_ours(path: Path) -> bool:
    """Return whether anything is in the file; raises `StoreError` for what is not ours."""
    header = _header(path)
    if header is None:
        return True
    if len(header) == 0:
        return False
    if not header.startswith(MAGIC):
        raise StoreUnusable(f"the file `{path}` is no database: name another file, or {RESTORE}")
    if header[APPLICATION_ID_AT] != APPLICATION_ID:
        raise belongs_to_another(str(path), instead="file")
    return True


def _header(path: Path) -> bytes | None:
    """Return the first bytes of the file, read without SQLite, which might tidy up around it.

    Nothing where this process has connections to it. INVARIANT: such a file is never closed but by
    SQLite, for that takes every lock of the process on it, and others then remove its log.
    """
    try:
        with LOOKING:
            found = _identity(path)
            if any(one.opened == found for one in IN_USE):
                return None
            with path.open("rb") as file:
                return file.read(HEADER_BYTES)
    except OSError as error:
        raise StoreUnavailable(
            f"the database `{path}` cannot be read: allow this user to read and write it"
        ) from error


def _has_log(path: Path) -> bool:
    """Say whether changes lie beside the file, by one look: they may be gone at the next."""
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size > 0
    except FileNotFoundError:
        return False


def _recognized(path: Path, connection: sqlite3.Connection) -> str | None:
    connection.execute("PRAGMA query_only = ON")
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if len(names) == 0:
        return None
    read_versions = f"SELECT version_num FROM {VERSIONS}"  # noqa: S608 - the name is a constant
    rows = connection.execute(read_versions).fetchall() if VERSIONS in names else []
    return recognized(str(path), names, [str(version) for (version,) in rows])


def _set_up(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    # Transactions are begun by `_begin`, never by the driver, which would begin them too late.
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(pragma)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(BEGIN, "BEGIN"))


def _migrate(path: Path, engine: Engine, key: AuditKey, *, version: str | None) -> None:
    """Bring the schema to the last version; another process may be doing the same."""
    if version is None:
        claim_file(engine)
    patient = open_engine(path, wait_seconds=MIGRATION_SECONDS_MAX)
    try:
        with patient.execution_options(**AS_WRITER).begin() as connection:
            migrate(connection, key, versions=VERSIONS)
    finally:
        patient.dispose()


def claim_file(engine: Engine) -> None:
    """Mark the file as ours, before anything else is in it, and let readers not wait for writers.

    SQLite does not wait for others when it changes the mode, whatever its time-out, so this does.
    """
    mark = int.from_bytes(APPLICATION_ID, "big")
    deadline = time.monotonic() + BUSY_SECONDS_MAX
    while True:
        try:
            with closing(engine.raw_connection()) as connection:
                connection.cursor().execute(f"PRAGMA application_id = {mark}")
                connection.cursor().execute("PRAGMA journal_mode = WAL")
                return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(BUSY_RETRY_SECONDS)
