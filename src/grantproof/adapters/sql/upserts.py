"""`INSERT ... ON CONFLICT DO UPDATE ... WHERE`: what compares and writes in one statement."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def upsert(table: Table, connection: Connection) -> "postgresql.Insert | sqlite.Insert":
    """Return the statement for the database of the connection: both write it in the same words."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    # Imported only here: a SQLite file needs nothing of it, and it takes long to load.
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - see above

    return postgresql.insert(table)
