"""What the use cases need of the outside world: contracts that adapters keep.

One suite in `tests/contracts` runs against every store. A store never judges a change; it commits
exactly what the core accepted, or nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from grantproof.core.commands import Event
from grantproof.core.identifiers import OrganizationId
from grantproof.core.organization import Organization
from grantproof.service.audit_chain import Anchor, AuditKey, Sealed
from grantproof.service.credentials import Keys
from grantproof.service.history import History
from grantproof.service.meter import Meter
from grantproof.service.receipts import Receipt
from grantproof.service.session_store import SessionStore
from grantproof.service.versions import Versioned

ERASED: Final = "(erased)"
"""Stands for the actor of an event whose author was erased."""


Head = tuple[int, str]
"""A revision, and the seal of the event that led there."""

Heard = Callable[[frozenset[str] | None], None]
"""Is told which organizations have changed, or that any may have."""


class StoreError(Exception):
    """The store cannot be used: its text says what is wrong and what to do about it, in a line."""


class StoreUnavailable(StoreError):
    """The store cannot be reached now; the same call may work later."""


class FileUnavailable(StoreUnavailable):
    """A file or folder of this machine that a setting names cannot be used; waiting is in vain."""


class StoreUncertain(StoreUnavailable):
    """The store was lost while it committed: the change was made or not, entirely.

    Whoever proposed it looks, once the store is back, before trying again.
    """


class StoreUnusable(StoreError):
    """The store holds what this version cannot read: corrupt, foreign, or made by a newer one."""


class StoreMissing(StoreError):
    """There is no store where one was expected, and none was to be created."""


@dataclass(frozen=True, slots=True)
class OrganizationSummary:
    """An organization as a list shows it."""

    id: OrganizationId
    revision: int
    time_zone: str


class Store(History, Protocol):
    """Organizations, their current facts and their events. Safe to use from several threads.

    Several processes may hold a store on the same data. Any method may raise `StoreError`; then
    nothing was changed, except perhaps after a `StoreUncertain`.
    """

    @property
    def keys(self) -> Keys:
        """The API keys that are kept with the organizations."""
        ...

    @property
    def meter(self) -> Meter:
        """The counters of the same organizations, kept in the same place."""
        ...

    @property
    def sessions(self) -> SessionStore:
        """The sessions of principals of the same organizations, kept in the same place."""
        ...

    def create(
        self,
        organization: OrganizationId,
        *,
        time_zone: str,
        actor: str,
        instant: int,
        request_id: str | None = None,
        reason: str | None = None,
        receipt: Receipt | None = None,
    ) -> bool:
        """Store a new, empty organization at revision 0; false when its id was ever used.

        `time_zone` is an IANA name. What says who and why is kept in the first entry of its
        history, the founding; `instant` is in epoch seconds. The receipt is kept in the same
        transaction, or not at all.
        """
        ...

    def delete(
        self,
        organization: OrganizationId,
        *,
        actor: str,
        instant: int,
        request_id: str | None = None,
        reason: str | None = None,
    ) -> bool:
        """Delete an organization and its facts, keep its events; false when there is none.

        The last entry of its history says who did so. The id is never used again, so that nothing
        of the old one can be mistaken for the new.
        """
        ...

    def summaries(
        self, *, after: OrganizationId | None = None, limit: int
    ) -> tuple[OrganizationSummary, ...]:
        """Return organizations in the order of their ids, after `after`, at most `limit`."""
        ...

    def revision(self, organization: OrganizationId) -> int | None:
        """Return the current revision, or nothing when there is no such organization."""
        ...

    def heads(self, organizations: Sequence[OrganizationId]) -> Mapping[str, Head]:
        """Return at which event each that is there stands, in few queries."""
        ...

    def hear(self, heard: Heard) -> None:
        """Let `heard` be told, from another thread, what other processes change; once at most.

        Word may be late, come twice, or be lost: a store that has no way to carry it never calls.
        Whoever wants certainty asks for `heads`.
        """
        ...

    def load(self, organization: OrganizationId) -> Organization | None:
        """Return the organization, all its facts at one revision, or nothing.

        The number of queries does not depend on its size. Raises `StoreUnusable` when what is
        stored is not a legal organization.
        """
        ...

    def load_versioned(self, organization: OrganizationId) -> Versioned | None:
        """Return what `load` does, and which revision last changed each entity, in as many queries.

        Every store tells the same as the events, folded by `Versions.after`.
        """
        ...

    def commit(
        self, event: Event, *, receipt: Receipt | None = None, onto: str | None = None
    ) -> str | None:
        """Write the event, its delta and the receipt in one transaction; return the event's seal.

        Compare-and-set: only when the stored revision is the one before the event's, and the last
        event has the seal `onto`, if one is named. Otherwise nothing is written and the answer is
        nothing. When it returns, the change is durable. A seal is never empty.
        Receipts of the organization that are outdated by this one's instant are forgotten, and an
        older one under its key is replaced.
        """
        ...

    def receipt(
        self, organization: OrganizationId, *, actor: str, key: str, after: int
    ) -> Receipt | None:
        """Return the receipt of the actor under the key, unless its instant is not past `after`."""
        ...

    def events(
        self, organization: OrganizationId, *, after: int = 0, limit: int
    ) -> tuple[Event, ...]:
        """Return the events with a revision greater than `after`, oldest first, at most `limit`.

        Founding and dissolution are none: they are in the history. The actor of an event whose
        author was erased reads `ERASED`.
        """
        ...

    def continued(
        self, organization: OrganizationId, *, after: int, seal: str | None, limit: int
    ) -> tuple[tuple[str, Event], ...] | None:
        """Return what `events` does, each with its seal, if the event at `after` has that seal.

        Nothing when it has not: the store was put back to a point before it, whatever happened
        since; and nothing when there is no such organization any more. One look at one moment.
        """
        ...

    def damage(self) -> tuple[str, ...]:
        """Return what is wrong with how things are kept, a line each; may read all of it.

        What is kept may still break rules of the core, which are not the store's to judge.
        """
        ...

    def close(self) -> None:
        """Release everything held; the store is not used again."""
        ...


@dataclass(frozen=True, slots=True)
class Difference:
    """A stored row that is not what the events make of it: its table, its key, and what differs."""

    table: str
    key: tuple[str, ...]
    what: str


class Ledger(Protocol):
    """The chain in which a store seals events, and what it keeps apart from it."""

    @property
    def key(self) -> AuditKey:
        """The key under which events are sealed."""
        ...

    def organizations(self) -> tuple[str, ...]:
        """Return the ids of all that have a row or an event, deleted ones too, in order."""
        ...

    def chain(
        self, organization: str
    ) -> AbstractContextManager[tuple[Anchor | None, Iterator[Sealed]]]:
        """Read the organization's own row, and all of its events in order, as of one moment."""
        ...

    def strays(self, organization: str) -> tuple[int, ...]:
        """Return the revisions of authors that are kept for no event."""
        ...

    def erase(
        self, organization: str, *, instant: int, actor: str | None, revision: int | None
    ) -> int:
        """Erase who made the events of an actor, or one event, and why; return how many.

        The events stay, and a mark that says when this was done, which nobody makes without the
        key. What is erased already stays as it is.
        """
        ...

    def differences(self, organization: str) -> Iterator[Difference]:
        """Yield how the stored rows differ from what the events, folded anew, make. P-REPLAY."""
        ...


class Clock(Protocol):
    """The time of day."""

    def now(self) -> int:
        """Return the instant in epoch seconds; never less than an earlier answer."""
        ...


class Backoff(Protocol):
    """How long to wait between attempts."""

    def wait(self, attempt: int) -> None:
        """Wait a random while that grows with `attempt` (from 0), to let another writer finish."""
        ...
