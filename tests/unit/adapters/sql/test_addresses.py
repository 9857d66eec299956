"""What GRANTPROOF_DATABASE_URL may say, and what of it is ever shown."""

from pathlib import Path

import pytest
from sqlalchemy import URL

from grantproof.adapters.sql.addresses import name_of, read_address
from grantproof.service.ports import StoreUnusable

WORD = "open-sesame"


@pytest.mark.parametrize(
    ("place", "path"),
    [
        (Path("a.db"), "a.db"),
        ("a.db", "a.db"),
        ("data/a.db", "data/a.db"),
        ("sqlite:///a.db", "a.db"),
        ("sqlite:////var/lib/a.db", "/var/lib/a.db"),
    ],
)
def test_a_path_is_a_file(place: str | Path, path: str) -> None:
    """A path, or an address of SQLite, which holds one."""
    assert read_address(place) == Path(path)


@pytest.mark.parametrize("place", ["", ":memory:", "sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(place: str) -> None:
    """It would keep nothing."""
    with pytest.raises(StoreUnusable, match="keeps nothing: name a file"):
        read_address(place)


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgres"])
def test_every_scheme_of_postgresql_is_taken(scheme: str) -> None:
    """As people, SQLAlchemy and hosting services write it; the driver is always the same."""
    url = read_address(f"{scheme}://ann:{WORD}@db.example:6543/grants?sslmode=verify-full")
    assert isinstance(url, URL)
    assert url.drivername == "postgresql+psycopg"
    assert (url.username, url.password, url.host, url.port) == ("ann", WORD, "db.example", 6543)
    assert (url.database, url.query) == ("grants", {"sslmode": "verify-full"})


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        (f"postgresql://ann:{WORD}@db/grants", "postgresql://ann@db/grants"),
        (f"postgresql://ann:{WORD}@[::1]:5433/grants", "postgresql://ann@[::1]:5433/grants"),
        (f"postgresql://ann@db/grants?password={WORD}", "postgresql://ann@db/grants"),
        (f"postgresql://ann@db/grants?sslpassword={WORD}", "postgresql://ann@db/grants"),
        ("postgresql:///grants?host=/run/pg", "postgresql:///grants?host=%2Frun%2Fpg"),
        ("postgresql://db", "postgresql://db"),
        ("postgresql://ann:%0A@db/a%0Ab", "postgresql://ann@db/a%0Ab"),
    ],
)
def test_a_name_shows_where_and_never_a_password(place: str, shown: str) -> None:
    """It names role, server and database on one line; options stay out, but where the server is."""
    url = read_address(place)
    assert isinstance(url, URL)
    assert name_of(url) == shown


@pytest.mark.parametrize(
    "place",
    [
        f"mysql://ann:{WORD}@db/grants",
        f"postgresql+psycopg2://ann:{WORD}@db/grants",
        f"postgresql+asyncpg://ann:{WORD}@db/grants",
        f"postgresql://ann:{WORD}@db:port/grants",
        f"postgresql://ann:x@{WORD}@db/grants",
        f"postgresql://ann:x/{WORD}@db/grants@",
        f"post gresql://ann:{WORD}@db/grants",
        f"://ann:{WORD}@db/grants",
    ],
)
def test_what_cannot_be_read_is_refused_without_showing_it(place: str) -> None:
    """Any part of a mistyped address may be one of the password."""
    with pytest.raises(StoreUnusable) as caught:
        read_address(place)
    message = str(caught.value)
    assert WORD not in message
    assert "postgresql://user@host/database" in message
    assert "\n" not in message
