"""The store in a SQL database: an append-only event table, and its projection for loading.

`open_database` is the door. Both are written in one transaction, so they cannot disagree. What is
not used is not imported: `names` alone takes no SQL library but that of Python.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from grantproof.adapters.sql.database import open_database
    from grantproof.adapters.sql.store import SqlStore

__all__ = ["SqlStore", "open_database"]

LATER: Final = {"SqlStore": "store", "open_database": "database"}
"""The module of each name, which is imported when it is first used."""


def __getattr__(name: str) -> object:
    if name not in LATER:
        message = f"module `{__name__}` has no attribute `{name}`"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{LATER[name]}"), name)
