"""What an organization was at an earlier revision, told from its events.

Backward from the present: the latest changes are undone, so that it costs what has changed since.
"""

from collections.abc import Sequence
from dataclasses import replace

from grantproof.core.limits import EVENTS_PAGE_MAX
from grantproof.core.model import Delta
from grantproof.core.organization import Organization, changed
from grantproof.service.ports import Store, StoreUnusable


class TooFarBack(Exception):
    """More has changed since than is looked at."""


def state_at(
    store: Store, current: Organization, revision: int, *, events_max: int | None = None
) -> Organization:
    """Return the state of that revision, which is not after the current one.

    Raises `StoreError`, and `TooFarBack` when more than `events_max` events lie between.
    """
    if events_max is not None and current.revision - revision > events_max:
        raise TooFarBack
    return at_revision(current, _since(store, current, revision), revision)


def at_revision(current: Organization, since: Sequence[Delta], revision: int) -> Organization:
    """Return the state of that revision; `since` are the changes that were made after it."""
    state = current
    for delta in reversed(since):
        state = changed(state, undone(delta))
    return replace(state, revision=revision)


def undone(delta: Delta) -> Delta:
    """Return what takes the delta back: what it added goes, last first, what it removed comes."""
    return Delta(delta.added[::-1], delta.removed[::-1])


def _since(store: Store, current: Organization, revision: int) -> list[Delta]:
    found = list[Delta]()
    while revision + len(found) < current.revision:
        after = revision + len(found)
        page = store.events(current.id, after=after, limit=EVENTS_PAGE_MAX)
        if len(page) == 0:
            message = f"the events of `{current.id}` after revision {after} are not there"
            raise StoreUnusable(message)
        found += [event.delta for event in page if event.revision <= current.revision]
    return found
