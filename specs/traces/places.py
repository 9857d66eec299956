"""The databases that are raced on: a file of SQLite, and a database of a PostgreSQL server."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import URL

from grantproof.adapters.sql import audit_keys, postgresql, sqlite
from grantproof.adapters.sql.addresses import read_address
from grantproof.adapters.sql.connections import Connections
from tests.postgresql import running_server

IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
"""Where a file costs no wait for a disk, on a system that has such a place."""


@dataclass(frozen=True)
class Place:
    """A database that is up to date, and the key under which its events are sealed."""

    name: str
    address: str
    key_file: Path

    def connections(self) -> Connections:
        """Return the ways into the database, as the store gets them."""
        address = read_address(self.address)
        if isinstance(address, URL):
            return postgresql.opened(address, create=True, key_file=self.key_file)
        return sqlite.opened(address, create=True, key_file=self.key_file)


@contextmanager
def places() -> Iterator[tuple[Place, ...]]:
    """Yield a new database of each kind; they are gone afterwards."""
    memory = IN_MEMORY if IN_MEMORY.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="grantproof-traces-", dir=memory))
    try:
        key_file = folder / "audit-key"
        audit_keys.obtain(key_file, create=True)
        with running_server() as server:
            found = (
                Place("sqlite", str(folder / "raced.db"), key_file),
                Place("postgresql", server.address(server.create()), key_file),
            )
            for place in found:
                place.connections().dispose()
            yield found
    finally:
        shutil.rmtree(folder, ignore_errors=True)
