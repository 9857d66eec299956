"""What an organization was at an earlier revision, told from its events.

Backward from the present: the latest changes are undone, so that it costs what has changed since.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from grantproof.core.commands import Event
from grantproof.core.identifiers import OrganizationId
from grantproof.core.limits import EVENTS_PAGE_MAX
from grantproof.core.model import Delta
from grantproof.core.organization import Organization, changed
from grantproof.service.ports import Store, StoreUnusable
from grantproof.service.versions import Versioned


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
    since = events_between(store, current.id, after=revision, until=current.revision)
    return at_revision(current, [event.delta for event in since], revision)


def at_revision(current: Organization, since: Sequence[Delta], revision: int) -> Organization:
    """Return the state of that revision; `since` are the changes that were made after it."""
    state = current
    for delta in reversed(since):
        state = changed(state, undone(delta))
    return replace(state, revision=revision)


def between(store: Store, earlier: Versioned, later: Versioned) -> tuple[Delta, ...] | None:
    """Return what has led from one state to the other, in turn.

    Nothing where that is not known: the later one does not come of the earlier, as after a restore.
    Raises `StoreError`.
    """
    found = list[Delta]()
    reached, seal = earlier.state.revision, earlier.seal
    while reached < later.state.revision and seal is not None:
        page = store.continued(later.state.id, after=reached, seal=seal, limit=EVENTS_PAGE_MAX)
        way = [] if page is None else page[: later.state.revision - reached]
        if len(way) == 0:
            return None
        found += [event.delta for _, event in way]
        reached, seal = reached + len(way), way[-1][0]
    same = seal is not None and (reached, seal) == (later.state.revision, later.seal)
    return tuple(found) if same else None


def events_between(
    store: Store,
    organization: OrganizationId,
    *,
    after: int,
    until: int,
    at_once: int = EVENTS_PAGE_MAX,
) -> Iterator[Event]:
    """Yield the events after one revision, up to another, in turn, read `at_once` at a time.

    Raises `StoreError`, also where some are not there.
    """
    while after < until:
        page = store.events(organization, after=after, limit=at_once)
        if len(page) == 0:
            message = f"the events of `{organization}` after revision {after} are not there"
            raise StoreUnusable(message)
        yield from (event for event in page if event.revision <= until)
        after = page[-1].revision


def undone(delta: Delta) -> Delta:
    """Return what takes the delta back: what it added goes, last first, what it removed comes."""
    return Delta(delta.added[::-1], delta.removed[::-1])
