"""The key that seals events: a file outside the database, and its id inside it.

The file is made with a new database and never again: with another key nobody could tell any more
whether what happened before was changed.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, insert, select

from grantproof.adapters.sql.rows import table
from grantproof.service.audit_chain import KEY_BYTES, AuditKey
from grantproof.service.ports import FileUnavailable, StoreUnusable

SUFFIX: Final = ".audit-key"
SETTING: Final = "GRANTPROOF_AUDIT_KEY_FILE"
READ_MAX: Final = 1_024
OWNER_ONLY: Final = 0o600

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
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "w") as opened:
            opened.write(f"{secrets.token_hex(KEY_BYTES)}\n")
            opened.flush()
            os.fsync(opened.fileno())
        with suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink()
    _keep(file.parent)


def _keep(folder: Path) -> None:
    """Let the name of a new file outlive a loss of power, as its content does."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
