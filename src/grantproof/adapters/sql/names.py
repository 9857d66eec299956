"""The names that a SQLite file holds, for whoever types one: read at once, or not at all.

Nothing but the standard library is imported, so that a shell need not wait. Nothing is written,
checked or brought up to date: a file that cannot be read that way has no names.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

ORGANIZATIONS: Final = 'SELECT id FROM "organization" WHERE id >= ? AND id < ?'
QUERIES: Final[Mapping[str, str]] = {
    noun: ORGANIZATIONS.replace("organization", noun) + " AND organization_id = ?"
    for noun in (
        "principal",
        "group",
        "role",
        "kind",
        "resource",
        "claim",
        "sod_set",
        "guardrail",
        "session",
    )
}
"""How the names of each table are found: through its key, however many rows there are."""
LAST: Final = "\x7f"
"""After every character that an id may have."""
NAMES_MAX: Final = 100
BUSY_SECONDS_MAX: Final = 0.1


def names_in(file: Path, noun: str, *, organization: str | None, beginning: str) -> list[str]:
    """Return the first names of that noun which begin so, in order; none where there are none.

    `organization` is whose they are, and nothing for organizations themselves. Raises
    `sqlite3.Error` when the file cannot be read.
    """
    if not file.is_file():
        return []
    query = ORGANIZATIONS if noun == "organization" else QUERIES[noun]
    owner = () if noun == "organization" else (organization,)
    wanted = (beginning, beginning + LAST, *owner, NAMES_MAX)
    # A reader of a file that nobody has open would leave files beside it, unless told so.
    is_open = file.with_name(f"{file.name}-wal").exists()
    place = f"{file.resolve().as_uri()}?mode=ro{'' if is_open else '&immutable=1'}"
    with closing(sqlite3.connect(place, uri=True, timeout=BUSY_SECONDS_MAX)) as opened:
        return [name for (name,) in opened.execute(f"{query} ORDER BY id LIMIT ?", wanted)]
