"""Opening a database, of whichever kind its address says, and handing out the store on it.

What is not ours, not readable or made by a newer version is refused, and left as it is.
"""

from pathlib import Path

from grantproof.adapters.sql import sqlite
from grantproof.adapters.sql.addresses import read_address
from grantproof.adapters.sql.store import SqlStore


def open_database(
    place: str | Path, *, create: bool = True, key_file: Path | None = None
) -> SqlStore:
    """Return the store at `place`: a path, or an `sqlite:///` or `postgresql://` address.

    Where there is none it is created, or without `create` refused. `key_file` holds the key that
    seals the events: of a file it lies beside it by default, and is created with it; of a server's
    database it must be named, and be there. Raises `StoreMissing`, `StoreUnavailable` or
    `StoreUnusable`.
    """
    address = read_address(place)
    if isinstance(address, Path):
        return SqlStore(sqlite.opened(address, create=create, key_file=key_file))
    # Imported only here: whoever keeps a file needs nothing of a server.
    from grantproof.adapters.sql import postgresql  # noqa: PLC0415 - see above

    return SqlStore(postgresql.opened(address, create=create, key_file=key_file))
