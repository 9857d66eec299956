"""A shelf of organizations as they were, from which a process starts without reading all facts.

What lies there is a memory and no authority: the store says whether it is of its history, and tells
what has happened since. Whatever is not whole, not ours or not worth it is passed over.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from grantproof.core.identifiers import OrganizationId
from grantproof.core.limits import EVENTS_PAGE_MAX
from grantproof.core.organization import Organization, advance
from grantproof.service.ports import Store, StoreUnusable
from grantproof.service.versions import Versioned

EVENTS_BEHIND_MAX: Final = 10_000
"""So many events are always caught up with, however little there is to read instead."""

ENTITIES_AN_EVENT: Final = 2
"""So many entities are read, each with what is assigned to it, in the time that an event takes."""

GONE: Final = "the store has no such organization"
FAR_BEHIND: Final = "too many events behind"
DIVERGED: Final = "the store has another history"
UNFIT: Final = "the events do not fit it"


def entities(state: Organization) -> int:
    """Return how many things there are in an organization that have an id."""
    held = len(state.principals) + len(state.groups) + len(state.roles)
    return held + len(state.resources) + len(state.claims)


def is_far_behind(events: int, entities_there: int) -> bool:
    """Return whether reading all facts is faster than catching up with that many events."""
    return events > max(EVENTS_BEHIND_MAX, entities_there // ENTITIES_AN_EVENT)


class Damaged(ValueError):
    """What lies on the shelf is not what was put there; the text says why, in a few words."""


@dataclass(frozen=True, slots=True)
class KeptState:
    """What was kept, at the event of that revision and seal. `read` may raise `Damaged`.

    `entities` says how many there are in it.
    """

    revision: int
    seal: str
    entities: int
    read: Callable[[], Versioned]


@dataclass(frozen=True, slots=True)
class ShelfCounts:
    """What was done until now: started from, written, passed over, and not written for an error."""

    used: int = 0
    written: int = 0
    ignored: int = 0
    failed: int = 0


Pace = Callable[[], bool]
"""Is called between parts of the work, may wait, and says whether to go on."""


class Shelf(Protocol):
    """Keeps one state of each organization. Safe to use from several threads; nothing raises."""

    def find(self, organization: OrganizationId) -> KeptState | None:
        """Return what is kept of the organization, if it is whole and ours."""
        ...

    def use(self, kept: KeptState, now: Versioned) -> None:
        """Note that what was kept is served, after it has caught up with the store."""
        ...

    def ignore(self, organization: OrganizationId, why: str) -> None:
        """Note that what was kept is not served, and why."""
        ...

    def keep(self, seen: Versioned, pace: Pace) -> bool:
        """Keep the state in place of the one before, or nothing; return whether it is kept."""
        ...

    def discard(self, organization: OrganizationId) -> None:
        """Remove what is kept of the organization."""
        ...

    def tally(self) -> ShelfCounts:
        """Return what was done until now."""
        ...


def resumed(store: Store, shelf: Shelf, organization: OrganizationId) -> Versioned | None:
    """Return what is kept of an organization, moved to where the store is now; often nothing.

    INVARIANT: what is returned was confirmed by the store after this was called. What the store
    denies is removed. Raises `StoreError` when the store cannot be asked.
    """
    kept = shelf.find(organization)
    if kept is None:
        return None
    try:
        seen = _confirmed(store, kept, organization)
    except _Denied as denied:
        shelf.ignore(organization, str(denied))
        shelf.discard(organization)
    except (Damaged, StoreUnusable) as error:
        shelf.ignore(organization, str(error))
    except (LookupError, ValueError):
        shelf.ignore(organization, UNFIT)
    else:
        shelf.use(kept, seen)
        return seen
    return None


class _Denied(Exception):
    """What is kept is not of the history that the store has."""


def _confirmed(store: Store, kept: KeptState, organization: OrganizationId) -> Versioned:
    head = store.heads((organization,)).get(organization)
    if head is None:
        raise _Denied(GONE)
    behind = head[0] - kept.revision
    if behind < 0:
        raise _Denied(DIVERGED)
    if is_far_behind(behind, kept.entities):
        raise Damaged(FAR_BEHIND)
    seen = caught_up(store, kept.read())
    if seen is None:
        raise _Denied(DIVERGED)
    return seen


def caught_up(store: Store, seen: Versioned) -> Versioned | None:
    """Return the state after every event that is stored; nothing when it is not of this history.

    Raises `LookupError` or `ValueError` when the events are not those of such a state.
    """
    state, versions, last = seen.state, seen.versions, seen.seal
    while True:
        come = store.continued(state.id, after=state.revision, seal=last, limit=EVENTS_PAGE_MAX)
        if come is None:
            return None
        for seal, event in come:
            if event.revision != state.revision + 1:
                raise Damaged(UNFIT)
            state, versions = advance(state, event.delta), versions.after(event.delta)
            last = seal
        if len(come) < EVENTS_PAGE_MAX:
            return Versioned(state, versions, last)
