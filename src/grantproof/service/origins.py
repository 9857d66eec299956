"""How assignments came about: the latest event that made each, sought backward from the present.

For a page of them. What is looked at is bounded, so that a long history does not make a page slow;
`provenance` reads all of it, for a whole review.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from grantproof.core.identifiers import OrganizationId
from grantproof.service.history import Entry, EventQuery, History, look_back

Key = tuple[str, str, str]
"""Whether a group or a principal holds the role, which one, and the role."""

SEARCHED_MAX: Final = 2_000
"""So many events are looked at for one page."""
READ_AT_ONCE: Final = 50
LETTERS_MAX: Final = 8 * 1024 * 1024
"""When the events looked at have done so much, as it is written, no more are looked at."""

HOLDERS: Final[Mapping[str, str]] = {"Assignment": "principal", "GroupAssignment": "group"}
"""The member that names the holder, by the type of the fact."""


def origins(
    history: History, organization: OrganizationId, keys: Iterable[Key], *, until: int
) -> dict[Key, Entry]:
    """Return the event that made each of the assignments, which stand at the revision `until`.

    What was made longer ago than is looked at has none. Raises `StoreError`.
    """
    sought, found = set(keys), dict[Key, Entry]()
    letters, before = 0, until + 1
    while sought and letters < LETTERS_MAX and until + 1 - before < SEARCHED_MAX:
        page = look_back(history, organization, EventQuery(), before=before, limit=READ_AT_ONCE)
        for entry in page.entries:
            letters += len(entry.delta)
            for key in _made(entry):
                if key in sought:
                    sought.remove(key)
                    found[key] = entry
        if page.more_before is None:
            break
        before = page.more_before
    return found


def _made(entry: Entry) -> Iterator[Key]:
    for fact in json.loads(entry.delta)["added"]:
        kind = HOLDERS.get(fact["type"])
        if kind is not None:
            yield (kind, fact[kind], fact["role"])
