"""The schema of a database: is it ours, which version is it, and how it becomes the last one."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Select, Text, column, select, table

from grantproof.adapters.sql import audit_keys
from grantproof.adapters.sql.failures import RESTORE
from grantproof.adapters.sql.migrations import AUDIT_KEY, KNOWN
from grantproof.adapters.sql.rows import TRIGGERS, Row
from grantproof.service.audit_chain import AuditKey
from grantproof.service.ports import StoreMissing, StoreUnusable

if TYPE_CHECKING:
    from alembic.config import Config

VERSION: Final = column("version_num", Text())

SCRIPTS: Final = "grantproof.adapters.sql:migrations"


def recognized(place: str, names: Collection[str], versions: Sequence[str]) -> str:
    """Return the version of the schema, given the names of its tables and triggers.

    `versions` is what stands in the table that Alembic keeps. Raises `StoreUnusable` when the
    schema is a newer one, or not whole.
    """
    if len(versions) != 1:
        raise StoreUnusable(f"the database `{place}` lacks its schema version: {RESTORE}")
    version = versions[0]
    if version not in KNOWN:
        raise _newer(place, version)
    missing = sorted({*Row.metadata.tables, *TRIGGERS}.difference(names))
    if version == KNOWN[-1] and len(missing) > 0:
        raise StoreUnusable(f"the database `{place}` lacks `{missing[0]}`: {RESTORE}")
    return version


def check_current(place: str, versions: Sequence[str]) -> None:
    """Raise `StoreUnusable` unless the schema is still the one that this program works with.

    Somebody may have migrated the database, or put it back, since this process opened it.
    """
    if versions == [KNOWN[-1]]:
        return
    if len(versions) != 1:
        raise StoreUnusable(f"the database `{place}` lacks its schema version: {RESTORE}")
    if versions[0] not in KNOWN:
        raise _newer(place, versions[0])
    raise StoreUnusable(
        f"the database `{place}` was put back to schema `{versions[0]}` (this program works with"
        f" `{KNOWN[-1]}`): start grantproof again, which brings it up to date"
    )


def _newer(place: str, version: str) -> StoreUnusable:
    return StoreUnusable(
        f"the database `{place}` was made by a newer version of grantproof"
        f" (schema `{version}`, this one knows up to `{KNOWN[-1]}`): upgrade grantproof"
    )


def absent(place: str) -> StoreMissing:
    """Return the error of a database that is not there and shall not be made."""
    return StoreMissing(
        f"there is no database at `{place}`: create an organization first, or name another"
    )


def belongs_to_another(place: str, *, instead: str) -> StoreUnusable:
    """Return the error of a database that another program made; name another `instead`."""
    return StoreUnusable(
        f"the database `{place}` belongs to another program: name another {instead}"
    )


def reading_version(versions: str) -> Select[str]:
    """Return the query for the version of the schema; `versions` is the table where it is kept."""
    return select(VERSION).select_from(table(versions))


def migrate(connection: Connection, key: AuditKey, *, versions: str) -> None:
    """Bring the schema to the last version, within the transaction that the caller has begun.

    `versions` is the table in which Alembic keeps the version. A new database is given the key.
    """
    # Imported only here: an up-to-date database is opened without waiting for Alembic.
    from alembic.command import upgrade  # noqa: PLC0415 - see above

    found = configuration(connection, versions=versions)
    found.attributes[AUDIT_KEY] = key
    upgrade(found, "head")
    audit_keys.record(connection, key)


def configuration(connection: Connection, *, versions: str) -> "Config":
    """Return what Alembic's commands need to work on the connection."""
    from alembic.config import Config  # noqa: PLC0415 - see `migrate`

    found = Config()
    found.set_main_option("script_location", SCRIPTS)
    found.attributes.update(connection=connection, versions=versions)
    return found
