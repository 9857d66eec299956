"""`INSERT ... ON CONFLICT DO UPDATE ... WHERE`: what compares and writes in one statement."""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

Upsert = postgresql.Insert | sqlite.Insert
INSERTS: Final[Mapping[str, Callable[[Table], Upsert]]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}
"""Both write `ON CONFLICT` in the same words."""
