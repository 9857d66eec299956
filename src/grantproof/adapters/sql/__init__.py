"""The store in a SQL database: an append-only event table, and its projection for loading.

`open_database` is the door. Both are written in one transaction, so they cannot disagree.
"""

from grantproof.adapters.sql.database import open_database
from grantproof.adapters.sql.store import SqlStore

__all__ = ["SqlStore", "open_database"]
