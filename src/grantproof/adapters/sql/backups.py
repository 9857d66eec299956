"""Copies of a database in one file: made while others write to it, checked, and put in its place.

A copy is what SQLite's `VACUUM INTO` writes: everything that was committed at one moment, none of
what was removed before, in a file of its own. The audit key is not in it.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from grantproof.adapters.sql import audit_keys
from grantproof.adapters.sql.addresses import read_address
from grantproof.adapters.sql.drafts import companions, draft_beside, keep, put
from grantproof.adapters.sql.failures import store_errors
from grantproof.adapters.sql.schema import absent
from grantproof.adapters.sql.sqlite import BUSY_SECONDS_MAX, stored_version
from grantproof.service.ports import StoreUnavailable, StoreUnusable

ALONE: Final = (
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",
    # From the first access on nobody else may have the file open, until the connection is closed.
    "PRAGMA locking_mode = EXCLUSIVE",
    "BEGIN EXCLUSIVE",
    "COMMIT",
)

UNWRITTEN: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE})
"""What only the copy can meet: what is copied is not written."""


def file_of(address: str) -> Path | None:
    """Return the file that the address names; nothing for the database of a server.

    Raises `StoreUnusable` when it cannot be read.
    """
    place = read_address(address)
    return place if isinstance(place, Path) else None


def key_of(database: Path, key_file: Path | None) -> Path:
    """Return the file of the database's audit key, which by default lies beside it."""
    return audit_keys.beside(database) if key_file is None else key_file


def back_up(database: Path, to: Path) -> None:
    """Copy the database as of one moment into a new file; whoever writes meanwhile does not wait.

    Its schema may be an older one, and is not touched. Raises `FileExistsError` when there is a
    file already, and `StoreError`.
    """
    with _folder_errors(to), store_errors(str(database)):
        if stored_version(database) is None:
            raise absent(str(database))
        if os.path.lexists(to):
            raise FileExistsError(to)
        with draft_beside(to) as draft:
            _copy(database, draft)
            put(draft, to)


@contextmanager
def draft_of(backup: Path, database: Path, *, replace: bool) -> Iterator[Path]:
    """Yield a copy of the backup beside the database, to be checked, and gone at the end.

    Raises `FileExistsError` when there is a database already, unless it may be replaced, and
    `StoreError`.
    """
    with _folder_errors(database):
        if os.path.lexists(database) and not replace:
            raise FileExistsError(database)
        _check_alone(database)
        with draft_beside(database) as draft:
            with store_errors(str(backup)):
                if stored_version(backup) is None:
                    raise StoreUnusable(f"the backup `{backup}` holds no database")
                _copy(backup, draft)
            with store_errors(str(draft)), closing(sqlite3.connect(draft)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
            yield draft


def put_in_place(draft: Path, database: Path, *, replace: bool) -> None:
    """Let the draft be the database, entirely or not at all.

    One that is there is overwritten in a transaction of its own, so that nobody ever has the file
    of before open under the name of the new one. Raises `FileExistsError` and `StoreError`.
    """
    with _folder_errors(database), store_errors(str(database)):
        if not (replace and database.exists()):
            _check_alone(database)
            put(draft, database)
            return
        with closing(_alone(database)) as theirs, closing(sqlite3.connect(draft)) as ours:
            ours.backup(theirs)
        keep(database)


def _copy(database: Path, draft: Path) -> None:
    """Write what the database holds at this moment into the draft, which is empty."""
    address = f"{database.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS_MAX)) as connection:
        connection.isolation_level = None
        try:
            connection.execute("VACUUM INTO ?", (str(draft),))
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in UNWRITTEN:
                raise
            raise StoreUnavailable(
                f"the copy does not fit into the folder `{draft.parent}`, or its disk fails: free"
                " some space there"
            ) from error


def _check_alone(database: Path) -> None:
    """Raise `StoreError` unless a database may be put there: no other has left anything behind."""
    if database.exists():
        _alone(database).close()
        return
    for left in companions(database):
        if left.exists():
            raise StoreUnusable(
                f"there is `{left}` without its database: move it away, for it would be taken for"
                " a part of what is restored"
            )


def _alone(database: Path) -> sqlite3.Connection:
    """Return a connection to the database while nobody else has one.

    Raises `StoreUnavailable` when somebody has, and `StoreUnusable` when it is no database.
    """
    with store_errors(str(database)):
        connection = sqlite3.connect(database, timeout=0)
        try:
            connection.isolation_level = None
            for statement in ALONE:
                connection.execute(statement)
        except sqlite3.OperationalError as error:
            connection.close()
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            raise StoreUnavailable(
                f"the database `{database}` is in use: stop the server and whatever else has it"
                " open, then try again"
            ) from error
        except sqlite3.DatabaseError as error:
            connection.close()
            raise StoreUnusable(
                f"what is at `{database}` is no database: move it away, then restore without"
                " --replace"
            ) from error
    return connection


@contextmanager
def _folder_errors(file: Path) -> Iterator[None]:
    """Raise that a file cannot be made as the `StoreUnavailable` that it means."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise StoreUnavailable(
            f"the file `{file}` cannot be written ({error.strerror}): check that its folder exists"
            " and that this user may write there"
        ) from error
