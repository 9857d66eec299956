"""What PostgreSQL says becomes one line that tells what to do."""

import psycopg
import pytest
from sqlalchemy.exc import DataError, OperationalError, ProgrammingError
from sqlalchemy.exc import DBAPIError as Failed

from grantproof.adapters.sql.failures import store_errors
from grantproof.adapters.sql.sqlstates import CLASS_LENGTH, MEANINGS, leaves_open
from grantproof.service.ports import StoreError, StoreMissing, StoreUnavailable, StoreUnusable

PLACE = "postgresql://ann@db/grants"


def told(error: Exception) -> StoreError:
    """What the error means: one line that names the place."""
    with pytest.raises(StoreError) as caught, store_errors(PLACE):
        raise error
    message = str(caught.value)
    assert message.startswith(f"the database `{PLACE}` ")
    assert "\n" not in message
    return caught.value


@pytest.mark.parametrize(
    ("code", "meaning", "remedy"),
    [
        ("08006", StoreUnavailable, "check that its server runs"),
        ("08P01", StoreUnavailable, "check that its server runs"),
        ("22021", StoreUnusable, "(what it says): restore it from a backup"),
        ("23503", StoreUnusable, "edited by hand: restore it from a backup"),
        ("23505", StoreUnusable, "edited by hand: restore it from a backup"),
        ("25006", StoreUnavailable, "as a standby cannot: name the primary"),
        ("25P03", StoreUnavailable, "takes too long to answer: try again"),
        ("28P01", StoreUnavailable, "check its name and its password"),
        ("3D000", StoreMissing, "create it on its server, or name another"),
        ("3F000", StoreUnavailable, "has no schema that this role may use: grant it one"),
        ("40001", StoreUnavailable, "try again"),
        ("40P01", StoreUnavailable, "try again"),
        ("42501", StoreUnavailable, "grant it"),
        ("42P01", StoreUnusable, "(what it says): restore it from a backup"),
        ("53100", StoreUnavailable, "free some space"),
        ("53200", StoreUnavailable, "try again, or add some"),
        ("53300", StoreUnavailable, "has no free connection: try again"),
        ("54000", StoreUnusable, "in several parts"),
        ("55P03", StoreUnavailable, "is locked by another program: try again"),
        ("57014", StoreUnavailable, "takes too long to answer: try again"),
        ("57P01", StoreUnavailable, "is being stopped or started: try again"),
        ("57P02", StoreUnavailable, "is being stopped or started: try again"),
        ("57P03", StoreUnavailable, "is being stopped or started: try again"),
        ("58030", StoreUnavailable, "check its disk"),
        ("XX001", StoreUnusable, "is damaged: restore it from a backup"),
    ],
)
def test_an_error_is_told_by_its_code(code: str, meaning: type[StoreError], remedy: str) -> None:
    """A code that is not listed means what its class means."""
    cause = psycopg.errors.lookup(code)("what it says\non two lines")
    error = told(Failed("SELECT 1", {}, cause))
    assert type(error) is meaning
    assert remedy in str(error)


def test_every_listed_code_is_one_of_postgresql() -> None:
    """No code is mistyped: the driver knows each, and of each class at least one."""
    states = (getattr(found, "sqlstate", None) for found in vars(psycopg.errors).values())
    codes = {state for state in states if isinstance(state, str)}
    assert {code for code in MEANINGS if len(code) > CLASS_LENGTH} <= codes
    classes = {code[:CLASS_LENGTH] for code in codes}
    assert {code for code in MEANINGS if len(code) == CLASS_LENGTH} <= classes


@pytest.mark.parametrize(
    ("said", "meaning", "remedy"),
    [
        ('FATAL:  database "grants" does not exist', StoreMissing, "create it on its server"),
        ('FATAL:  password authentication failed for user "ann"', StoreUnavailable, "its password"),
        ('FATAL:  role "ann" does not exist', StoreUnavailable, "check its name"),
        ('FATAL:  role "ann" is not permitted to log in', StoreUnavailable, "check its name"),
        ('FATAL:  no pg_hba.conf entry for host "::1"', StoreUnavailable, "check its name"),
        ("fe_sendauth: no password supplied", StoreUnavailable, "check its name"),
        ('FATAL:  permission denied for database "x"', StoreUnavailable, "grant it"),
        ("FATAL:  sorry, too many clients already", StoreUnavailable, "no free connection"),
        ("FATAL:  remaining connection slots are reserved", StoreUnavailable, "no free connection"),
        ("FATAL:  the database system is starting up", StoreUnavailable, "stopped or started"),
        ("Connection refused\n\tIs the server running?", StoreUnavailable, "its server runs"),
        ("FATAL:  Verbindung verweigert", StoreUnavailable, "its server runs"),
    ],
)
def test_a_refusal_to_connect_is_told_by_its_words(
    said: str, meaning: type[StoreError], remedy: str
) -> None:
    """It has no code; in another language it means that the server cannot be reached."""
    cause = psycopg.OperationalError(f"connection failed: {said}")
    error = told(OperationalError("", {}, cause))
    assert type(error) is meaning
    assert remedy in str(error)


def test_what_the_driver_itself_refuses_is_told() -> None:
    """An unknown option is a mistake in the address; a value that cannot be sent is shown."""
    option = ProgrammingError("", {}, psycopg.ProgrammingError('invalid option "colour"'))
    assert "options are wrong: check them" in str(told(option))
    value = DataError("", {}, psycopg.DataError("no NUL in text"))
    assert "cannot be read (no NUL in text)" in str(told(value))


@pytest.mark.parametrize(
    ("error", "is_open"),
    [
        (psycopg.OperationalError("server closed the connection unexpectedly"), True),
        (psycopg.errors.AdminShutdown("terminating connection"), True),
        (psycopg.errors.ConnectionFailure("lost"), True),
        (psycopg.errors.SerializationFailure("could not serialize"), False),
        (psycopg.errors.ForeignKeyViolation("violates"), False),
        (psycopg.errors.DiskFull("no space left"), False),
    ],
)
def test_only_a_lost_commit_leaves_open_whether_it_was_made(
    error: Exception, *, is_open: bool
) -> None:
    """What the server refused was not made; after silence or its stopping nobody knows."""
    assert leaves_open(error) is is_open
