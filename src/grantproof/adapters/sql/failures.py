"""What a failing database means to whoever called, in one line that says what to do next."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from grantproof.adapters.sql.sqlstates import Meaning, meaning_of, meaning_of_refusal
from grantproof.service.ports import StoreError, StoreUnavailable, StoreUnusable

RESTORE: Final = "restore it from a backup"

UNWRITABLE: Final = "cannot be written: allow this user to write the file and its folder"

PRIMARY_CODE: Final = 0xFF
"""The bits of an SQLite result code that say the kind; the others refine it."""

MEANINGS: Final[dict[int, Meaning]] = {
    sqlite3.SQLITE_BUSY: (StoreUnavailable, "is locked by another program: try again"),
    sqlite3.SQLITE_LOCKED: (StoreUnavailable, "is locked by another program: try again"),
    sqlite3.SQLITE_CANTOPEN: (
        StoreUnavailable,
        "cannot be opened: check that its folder exists and that this user may write there",
    ),
    sqlite3.SQLITE_PERM: (StoreUnavailable, "cannot be opened: allow this user to write there"),
    sqlite3.SQLITE_READONLY: (StoreUnavailable, UNWRITABLE),
    sqlite3.SQLITE_FULL: (StoreUnavailable, "does not fit on its disk: free some space"),
    sqlite3.SQLITE_IOERR: (StoreUnavailable, "cannot be read or written: check its disk"),
    sqlite3.SQLITE_NOMEM: (StoreUnavailable, "needs more memory than there is: free some"),
    sqlite3.SQLITE_NOTADB: (StoreUnusable, "is no database: name another file, or " + RESTORE),
    sqlite3.SQLITE_CORRUPT: (StoreUnusable, "is damaged: " + RESTORE),
    sqlite3.SQLITE_CONSTRAINT: (
        StoreUnusable,
        "contradicts the change, so it was edited by hand: " + RESTORE,
    ),
    sqlite3.SQLITE_TOOBIG: (
        StoreUnusable,
        "cannot hold so large a change: propose it in several parts",
    ),
}

WRONG_OPTION: Final[Meaning] = (StoreUnusable, "has an address whose options are wrong: check them")


@contextmanager
def store_errors(place: str) -> Iterator[None]:
    """Raise what fails inside as the `StoreError` that it means; `place` names the database."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise store_error(place, error) from error
    except UnicodeDecodeError as error:
        raise StoreUnusable(f"the database `{place}` is damaged: {RESTORE}") from error


def store_error(place: str, error: SQLAlchemyError | sqlite3.Error) -> StoreError:
    """Return what the error means."""
    if isinstance(error, NoFreeConnection):
        return StoreUnavailable(f"the database `{place}` has no free connection: try again")
    found = _meaning(error)
    if found is not None:
        meaning, words = found
        return meaning(f"the database `{place}` {words}")
    cause = error.orig if isinstance(error, DBAPIError) else error
    said = str(cause).partition("\n")[0]
    return StoreUnusable(f"the database `{place}` cannot be read ({said}): {RESTORE}")


def _meaning(error: SQLAlchemyError | sqlite3.Error) -> Meaning | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", None)
        return None if code is None else MEANINGS.get(code & PRIMARY_CODE)
    if (state := getattr(cause, "sqlstate", None)) is not None:
        return meaning_of(state)
    # What PostgreSQL's driver finds itself, without an answer of the server.
    if isinstance(error, OperationalError):
        return meaning_of_refusal(str(cause))
    return WRONG_OPTION if isinstance(error, ProgrammingError) else None
