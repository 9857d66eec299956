"""Where a database is: a path of a file, or the address of a server."""

from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from grantproof.service.ports import StoreUnusable

FORMS: Final = "write a path, `sqlite:///` and a path, or `postgresql://user@host/database`"

HIDDEN: Final = "***"
"""What is printed instead of what may hold a secret."""

DRIVER: Final = "postgresql+psycopg"
SERVERS: Final = frozenset({"postgres", "postgresql", DRIVER})
"""How an address of PostgreSQL may begin."""


def read_address(place: str | Path) -> Path | URL:
    """Return the path of a SQLite file, or the address of a PostgreSQL database.

    Raises `StoreUnusable`, which repeats nothing of an address that may hold a password.
    """
    if isinstance(place, Path) or "://" not in place:
        return _file(str(place))
    try:
        url = make_url(place)
    except (ArgumentError, ValueError) as error:
        raise _unreadable() from error
    if url.get_backend_name() == "sqlite":
        return _file(url.database or "")
    if url.drivername not in SERVERS:
        raise StoreUnusable(f"databases of type `{url.drivername}` are not supported: {FORMS}")
    if any("@" in (part or "") for part in (url.username, url.host, url.database)):
        # Part of a password in which `@` or `/` is not written as `%40` or `%2F`.
        raise _unreadable()
    return url.set(drivername=DRIVER)


def name_of(url: URL) -> str:
    """Return the address without its password and options, fit to be shown."""
    shown = {name: url.query[name] for name in ("host", "port") if name in url.query}
    return URL.create(
        "postgresql",
        username=url.username,
        host=url.host,
        port=url.port,
        database=url.database,
        query=shown,
    ).render_as_string()


def shown(place: str) -> str:
    """Return where a database is as it may be printed: without password and options."""
    try:
        address = read_address(place)
    except StoreUnusable:
        return HIDDEN
    return str(address) if isinstance(address, Path) else name_of(address)


def _file(name: str) -> Path:
    if name in {"", ":memory:"}:
        raise StoreUnusable("a database in memory keeps nothing: name a file")
    return Path(name)


def _unreadable() -> StoreUnusable:
    return StoreUnusable(f"the address of the database cannot be read: {FORMS}")
