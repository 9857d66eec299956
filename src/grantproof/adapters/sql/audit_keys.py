"""The key that seals events: a file outside the database, and its id inside it.

The file is made with a new database and never again: with another key nobody could tell any more
whether what happened before was changed.
"""

import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, insert, select

from grantproof.adapters.sql.drafts import draft_beside, put
from grantproof.adapters.sql.rows import table
from grantproof.service.audit_chain import KEY_BYTES, AuditKey
from grantproof.service.ports import FileUnavailable, StoreUnusable

SUFFIX: Final = ".audit-key"
SETTING: Final = "GRANTPROOF_AUDIT_KEY_FILE"
READ_MAX: Final = 1_024

AUDIT_KEY_ROWS: Final = table("audit_key")


def beside(database: Path) -> Path:
    """Return where the key of a database lies when nothing else is said."""
    return database.with_name(database.name + SUFFIX)


def obtain(file: Path, *, create: bool) -> AuditKey:
    """Return the key in the file, which with `create` is made where there is none.

    Whoever makes it first makes it for everybody. Raises `FileUnavailable` or `StoreUnusable`.
    """
    try:
        if create and not file.exists():
            _make(file)
        with file.open("rb") as opened:
            content = opened.read(READ_MAX)
    except FileNotFoundError:
        raise StoreUnusable(
            f"the audit key `{file}` is not there, and the database has events sealed under it:"
            f" put it back from its backup, or name it with {SETTING}"
        ) from None
    except OSError as error:
        raise FileUnavailable(
            f"the audit key `{file}` cannot be used: allow this user to read it and to write its"
            " folder"
        ) from error
    return _read(file, content)


def check(connection: Connection, key: AuditKey, *, file: Path) -> None:
    """Raise `StoreUnusable` unless the key is the one of the database."""
    recorded = connection.execute(select(AUDIT_KEY_ROWS.c.id)).scalars().all()
    if recorded != [key.id]:
        raise StoreUnusable(
            f"the audit key `{file}` is not the one that the events of the database are sealed"
            f" under: name the right one with {SETTING}"
        )


def record(connection: Connection, key: AuditKey) -> None:
    """Write into a new database which key is its own, unless somebody has done so."""
    if connection.execute(select(AUDIT_KEY_ROWS.c.id)).first() is None:
        connection.execute(insert(AUDIT_KEY_ROWS), {"id": key.id})


def _read(file: Path, content: bytes) -> AuditKey:
    try:
        secret = bytes.fromhex(content.decode("ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise StoreUnusable(
            f"the file `{file}` is no audit key: it must hold {2 * KEY_BYTES} hexadecimal digits"
        )
    return AuditKey(secret)


def _make(file: Path) -> None:
    """Make the file with a new key, whole or not at all; leave the one that is there."""
    with draft_beside(file) as draft:
        draft.write_text(f"{secrets.token_hex(KEY_BYTES)}\n")
        with suppress(FileExistsError):
            put(draft, file)
