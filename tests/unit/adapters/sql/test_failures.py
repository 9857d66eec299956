"""What the database says becomes one line that tells what to do."""

import sqlite3

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from grantproof.adapters.sql.failures import store_errors
from grantproof.service.ports import StoreError, StoreUnavailable, StoreUnusable


def failing(code: int | None) -> sqlite3.OperationalError:
    """An error of SQLite with a result code, or one that Python itself raises."""
    error = sqlite3.OperationalError("what SQLite says\non two lines")
    if code is not None:
        error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "meaning", "remedy"),
    [
        (sqlite3.SQLITE_BUSY, StoreUnavailable, "try again"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StoreUnavailable, "try again"),
        (sqlite3.SQLITE_CANTOPEN, StoreUnavailable, "check that its folder exists"),
        (sqlite3.SQLITE_READONLY_DBMOVED, StoreUnavailable, "allow this user to write"),
        (sqlite3.SQLITE_FULL, StoreUnavailable, "free some space"),
        (sqlite3.SQLITE_IOERR_FSYNC, StoreUnavailable, "check its disk"),
        (sqlite3.SQLITE_CORRUPT_INDEX, StoreUnusable, "restore it from a backup"),
        (sqlite3.SQLITE_NOTADB, StoreUnusable, "name another file"),
        (sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, StoreUnusable, "restore it from a backup"),
        (sqlite3.SQLITE_TOOBIG, StoreUnusable, "in several parts"),
        (sqlite3.SQLITE_ERROR, StoreUnusable, "(what SQLite says): restore it from a backup"),
        (None, StoreUnusable, "(what SQLite says): restore it from a backup"),
    ],
)
@pytest.mark.parametrize("wrapped", [True, False])
def test_an_error_is_told_by_its_code(
    code: int | None, meaning: type[StoreError], remedy: str, *, wrapped: bool
) -> None:
    """Detailed codes mean what their kind means; the place and the remedy are named."""
    cause = failing(code)
    raised = OperationalError("SELECT 1", {}, cause) if wrapped else cause
    with pytest.raises(meaning) as caught, store_errors("grantproof.db"):
        raise raised
    assert str(caught.value).startswith("the database `grantproof.db` ")
    assert remedy in str(caught.value)
    assert "\n" not in str(caught.value)


def test_too_many_threads_are_told_to_try_again() -> None:
    """No free connection is a matter of waiting."""
    with pytest.raises(StoreUnavailable, match="try again"), store_errors("grantproof.db"):
        raise NoFreeConnection("queue is full")


def test_text_that_is_none_is_damage() -> None:
    """Bytes that are not UTF-8 are not shown to anybody."""
    with pytest.raises(StoreUnusable, match="is damaged"), store_errors("grantproof.db"):
        b"\xff".decode()
