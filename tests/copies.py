"""Copies of databases, for tests that change one: a database is of no use without its key."""

import shutil
from pathlib import Path

from grantproof.adapters.sql.audit_keys import beside


def copied(database: Path, to: Path) -> Path:
    """A copy of the database and of its audit key, `to` a path or into a folder."""
    path = to / database.name if to.is_dir() else to
    shutil.copy(beside(database), beside(path))
    return Path(shutil.copy(database, path))
