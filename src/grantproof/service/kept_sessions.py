"""The sessions in use, as this process last read them, so that a decision waits for no store.

One that is asked for is read once and kept; those that are used are confirmed in the background.
What was read too long ago is not answered from. What is changed here shows at once, what is changed
elsewhere once it is confirmed, and a deleted principal's sessions with the event that deletes it.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from grantproof.core.identifiers import OrganizationId, PrincipalId, SessionId
from grantproof.core.limits import (
    COUNTER_GRACE_SECONDS,
    SESSION_STALENESS_SECONDS_MAX,
    SESSIONS_KEPT_MAX,
    SESSIONS_PRUNED_MAX,
)
from grantproof.core.sessions import Session
from grantproof.service.ports import Clock
from grantproof.service.session_store import SessionStore
from grantproof.service.snapshots import Owner

CONFIRM_SECONDS: Final = 1.0
"""How old what is known of a session in use is when it is read again, at the least."""

CONFIRMATIONS: Final = 2
"""How often a session in use is read, at the least, within the time that it may be old."""

PRUNE_SECONDS: Final = 60
"""How often expired sessions are looked for."""

Key = tuple[str, str]
"""An organization, and the session of it."""

Found = dict[Key, Session | None]


@dataclass(slots=True)
class KeptSession:
    """A session as of `read_at`; none where there was none. `used` since it was read."""

    session: Session | None
    read_at: float
    used: bool = False


@dataclass(slots=True, eq=False)
class _Reading:
    """A look at the store that is under way, and what has been overtaken meanwhile."""

    began: float
    sessions: set[Key] = field(default_factory=set)
    organizations: set[str] = field(default_factory=set)


class KeptSessions:
    """Sessions by organization and id. `find` is for the owner; the rest is for any thread.

    `seconds` is a clock that is never set.
    """

    def __init__(
        self,
        store: SessionStore,
        *,
        clock: Clock,
        seconds: Callable[[], float],
        on_owner: Owner,
        max_staleness: float = SESSION_STALENESS_SECONDS_MAX,
        kept_max: int = SESSIONS_KEPT_MAX,
    ) -> None:
        self._store = store
        self._clock = clock
        self._seconds = seconds
        self._on_owner = on_owner
        self._max_staleness = min(max_staleness, SESSION_STALENESS_SECONDS_MAX)
        self._kept_max = kept_max
        self._confirm_seconds = min(CONFIRM_SECONDS, self._max_staleness / CONFIRMATIONS)
        # INVARIANT: in the order in which they were put here, and only the owner touches it.
        self._kept: dict[Key, KeptSession] = {}
        self._readings: set[_Reading] = set()
        self._prune_at = 0

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._kept)

    def find(self, organization: str, session: str) -> KeptSession | None:
        """Return what is known of a session, unless it is nothing or too old: then read it."""
        kept = self._kept.get((organization, session))
        if kept is None or self._seconds() - kept.read_at > self._max_staleness:
            return None
        kept.used = True
        return kept

    def read(self, organization: OrganizationId, sessions: Collection[SessionId]) -> None:
        """Read what the store has of the sessions, and keep that; raises `StoreError`.

        What this process has changed meanwhile stays as it was changed. After a principal was
        deleted meanwhile nothing is kept: whoever still wants it reads again.
        """
        reading = _Reading(self._seconds())
        self._on_owner(lambda: self._readings.add(reading))
        try:
            found = self._store.read(organization, sessions)
        except BaseException:
            self._on_owner(lambda: self._readings.discard(reading))
            raise
        read: Found = {(str(organization), str(one)): found.get(one) for one in sessions}
        self._on_owner(lambda: self._adopt(reading, organization, read))

    def put(self, organization: OrganizationId, session: Session, *, began: float) -> None:
        """Keep a session that this process has written, beginning at `began`."""
        key = (str(organization), str(session.id))
        self._on_owner(lambda: self._put(key, session, began=began))

    def end(self, organization: OrganizationId, session: SessionId, *, began: float) -> None:
        """Remember that this process has ended a session."""
        key = (str(organization), str(session))
        self._on_owner(lambda: self._put(key, None, began=began))

    def now(self) -> float:
        """Return when what begins now begins."""
        return self._seconds()

    def forget(self, organization: str, principals: Collection[PrincipalId] | None) -> None:
        """Forget the sessions of principals that were deleted, or all of an organization.

        For the owner. Nobody who makes a namesake is answered from what was read before.
        """
        gone = [
            key
            for key, kept in self._kept.items()
            if key[0] == organization
            and (
                principals is None
                or (kept.session is not None and kept.session.principal in principals)
            )
        ]
        for key in gone:
            del self._kept[key]
        for reading in self._readings:
            reading.organizations.add(organization)

    def confirm(self) -> None:
        """Read again what is in use and was not read for a while; raises `StoreError`."""
        due: dict[str, list[str]] = {}
        self._on_owner(lambda: self._take_due(due))
        for organization, sessions in due.items():
            self.read(OrganizationId(organization), [SessionId(one) for one in sessions])

    def prune(self) -> None:
        """Let the store remove what expired long ago, now and then; raises `StoreError`."""
        now = self._clock.now()
        if now < self._prune_at:
            return
        until = now - COUNTER_GRACE_SECONDS
        more = self._store.prune(until=until, limit=SESSIONS_PRUNED_MAX) == SESSIONS_PRUNED_MAX
        self._prune_at = now if more else now + PRUNE_SECONDS

    def _take_due(self, due: dict[str, list[str]]) -> None:
        """Add what is to be confirmed, and forget what is old and was not used since."""
        now, forgotten = self._seconds(), list[Key]()
        for key, kept in self._kept.items():
            age = now - kept.read_at
            if kept.used and age >= self._confirm_seconds:
                kept.used = False
                due.setdefault(key[0], []).append(key[1])
            elif age > self._max_staleness:
                forgotten.append(key)
        for key in forgotten:
            del self._kept[key]

    def _adopt(self, reading: _Reading, organization: str, found: Found) -> None:
        self._readings.discard(reading)
        if organization in reading.organizations:
            return
        for key, session in found.items():
            known = self._kept.get(key)
            if key in reading.sessions or (known is not None and known.read_at > reading.began):
                continue
            self._keep(key, KeptSession(session, reading.began))

    def _put(self, key: Key, session: Session | None, *, began: float) -> None:
        for reading in self._readings:
            reading.sessions.add(key)
        known = self._kept.get(key)
        # Of two threads that have changed it the later one may have told so first.
        if session is None or known is None or _is_before(known.session, session):
            self._keep(key, KeptSession(session, began))

    def _keep(self, key: Key, kept: KeptSession) -> None:
        self._kept.pop(key, None)
        self._kept[key] = kept
        if len(self._kept) > self._kept_max:
            del self._kept[next(iter(self._kept))]


def _is_before(known: Session | None, session: Session) -> bool:
    """Return whether the session is a later version; none comes after its end."""
    return known is not None and known.version < session.version
