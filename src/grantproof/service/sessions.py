"""Sessions as they are opened, changed and ended: decide, write by compare-and-set, tell.

What may be chosen is decided on the state that the session is written at; whoever loses a race
starts again from what won, a bounded number of times. No revision is made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from grantproof.core.errors import Illegal, Missing, OverLimit
from grantproof.core.identifiers import OrganizationId, PrincipalId, RoleId, SessionId
from grantproof.core.limits import (
    SESSION_ATTEMPTS_MAX,
    SESSION_SECONDS_DEFAULT,
    SESSION_SECONDS_MAX,
    SESSIONS_PER_PRINCIPAL_MAX,
)
from grantproof.core.organization import Organization
from grantproof.core.sessions import (
    Session,
    SessionRefusal,
    refused_to_add,
    refused_to_choose,
    refused_to_drop,
)
from grantproof.service.authors import Author
from grantproof.service.kept_sessions import KeptSessions
from grantproof.service.pap import NO_ORGANIZATION, Contended, NoOrganization
from grantproof.service.ports import Backoff, Clock, Store
from grantproof.service.receipts import (
    RECEIPT_SECONDS,
    Consumption,
    InProgress,
    KeyReused,
    Once,
    Pledge,
    Retold,
    Underway,
    retold,
)
from grantproof.service.sampling import Chance
from grantproof.service.session_store import Told, Writing
from grantproof.service.snapshots import Snapshots

ID_BYTES: Final = 16
"""128 random bits: nobody can guess one, and it is no credential besides."""

TOO_MANY: Final = OverLimit("sessions of a principal", SESSIONS_PER_PRINCIPAL_MAX)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A session that is wanted: whose, of which roles, and for how many seconds."""

    principal: PrincipalId
    roles: frozenset[RoleId]
    seconds: int = SESSION_SECONDS_DEFAULT

    def __post_init__(self) -> None:
        if not 1 <= self.seconds <= SESSION_SECONDS_MAX:
            raise Illegal("seconds", f"must be 1 to {SESSION_SECONDS_MAX}")


def session_document(session: Session) -> dict[str, Any]:
    """Return a session as programs are shown it, at every door."""
    return {
        "id": session.id,
        "principal": session.principal,
        "roles": sorted(session.roles),
        "created_at": session.created_at,
        "expires_at": session.expires_at,
        "opened_by": session.opened_by,
    }


@dataclass(frozen=True, slots=True)
class Written:
    """The session is written, and durable."""

    session: Session


@dataclass(frozen=True, slots=True)
class Unwilling:
    """Why the session is not opened or changed; nothing was done."""

    refusal: SessionRefusal


@dataclass(frozen=True, slots=True)
class OneAnswer:
    """What makes a session be opened or widened once: `tell` writes down how it is answered."""

    once: Once
    tell: Callable[[Session], str]


Outcome = Written | Unwilling | NoOrganization | Contended | Retold | KeyReused | InProgress

Decide = Callable[[Organization, int], Session | SessionRefusal]
"""What is to be written on a state at an instant, or why nothing is."""


class _Write(Protocol):
    def __call__(
        self,
        organization: OrganizationId,
        session: Session,
        *,
        revision: int,
        told: Told | None,
        instant: int,
    ) -> Writing | Consumption: ...


class SessionPoint:
    """Opens, changes and ends sessions. Methods may be called from any thread."""

    def __init__(
        self,
        store: Store,
        snapshots: Snapshots,
        kept: KeptSessions,
        *,
        clock: Clock,
        chance: Chance,
        backoff: Backoff,
    ) -> None:
        self._store = store.sessions
        self._revision = store.revision
        self._snapshots = snapshots
        self._kept = kept
        self._clock = clock
        self._chance = chance
        self._backoff = backoff
        self._underway = Underway()

    def open(
        self,
        organization: OrganizationId,
        wanted: Wanted,
        *,
        by: Author,
        answer: OneAnswer | None = None,
    ) -> Outcome:
        """Open a session [CreateSession]; raises `Illegal`, `StoreError`.

        With `answer` one session at most is opened, however often the same is asked within a day.
        """
        name = SessionId(self._chance.draw(ID_BYTES).hex())

        def decide(state: Organization, instant: int) -> Session | SessionRefusal:
            refusal = refused_to_choose(state, wanted.principal, wanted.roles, instant=instant)
            if refusal is not None:
                return refusal
            ends = instant + wanted.seconds
            return Session(name, wanted.principal, wanted.roles, instant, ends, by.actor)

        return self._once(organization, decide, by=by, answer=answer, write=self._open)

    def add_role(
        self,
        organization: OrganizationId,
        session: SessionId,
        role: RoleId,
        *,
        by: Author,
        answer: OneAnswer | None = None,
    ) -> Outcome:
        """Let a session have one role more [AddActiveRole]; raises `StoreError`."""

        def decide(state: Organization, instant: int) -> Session | SessionRefusal:
            known = self.find(organization, session, instant=instant)
            if known is None:
                return Missing("session", (session,))
            refusal = refused_to_add(state, known, role, instant=instant)
            return known.having(known.roles | {role}) if refusal is None else refusal

        return self._once(organization, decide, by=by, answer=answer, write=self._store.change)

    def drop_role(
        self, organization: OrganizationId, session: SessionId, role: RoleId, *, by: Author
    ) -> Outcome:
        """Let a session have one role less [DropActiveRole]; raises `StoreError`."""

        def decide(_: Organization, instant: int) -> Session | SessionRefusal:
            known = self.find(organization, session, instant=instant)
            if known is None:
                return Missing("session", (session,))
            refusal = refused_to_drop(known, role)
            return known.having(known.roles - {role}) if refusal is None else refusal

        return self._once(organization, decide, by=by, answer=None, write=self._store.change)

    def end(self, organization: OrganizationId, session: SessionId) -> bool:
        """End a session for good [DeleteSession]: here at once; false when there is none.

        Raises `StoreError`.
        """
        began = self._kept.now()
        ended = self._store.end(organization, session, instant=self._clock.now())
        if ended:
            self._kept.end(organization, session, began=began)
        return ended

    def find(
        self, organization: OrganizationId, session: SessionId, *, instant: int | None = None
    ) -> Session | None:
        """Return a session that lasts, as the store has it; raises `StoreError`."""
        now = self._clock.now() if instant is None else instant
        found = self._store.read(organization, (session,)).get(session)
        return found if found is not None and found.lasts(now) else None

    def page(
        self,
        organization: OrganizationId,
        *,
        principal: PrincipalId | None = None,
        after: SessionId | None = None,
        limit: int,
    ) -> tuple[Session, ...]:
        """Return sessions that last, in the order of their ids; raises `StoreError`."""
        now = self._clock.now()
        return self._store.page(
            organization, instant=now, principal=principal, after=after, limit=limit
        )

    def _open(
        self,
        organization: OrganizationId,
        session: Session,
        *,
        revision: int,
        told: Told | None,
        instant: int,  # noqa: ARG002 - a session is opened when it says
    ) -> Writing | Consumption:
        most = SESSIONS_PER_PRINCIPAL_MAX
        return self._store.open(organization, session, revision=revision, most=most, told=told)

    def _once(
        self,
        organization: OrganizationId,
        decide: Decide,
        *,
        by: Author,
        answer: OneAnswer | None,
        write: _Write,
    ) -> Outcome:
        once = None if answer is None else answer.once
        with self._underway.alone(organization, by.actor, once) as alone:
            if not alone:
                return InProgress()
            for attempt in range(SESSION_ATTEMPTS_MAX):
                outcome = self._attempt(organization, decide, by=by, answer=answer, write=write)
                if outcome is not None:
                    return outcome
                self._snapshots.catch_up(organization)
                self._backoff.wait(attempt)
            return Contended(SESSION_ATTEMPTS_MAX)

    def _attempt(
        self,
        organization: OrganizationId,
        decide: Decide,
        *,
        by: Author,
        answer: OneAnswer | None,
        write: _Write,
    ) -> Outcome | None:
        """Return the outcome on things as they are, or nothing when another was faster."""
        index = self._snapshots.load(organization)
        if index is None:
            return NO_ORGANIZATION
        state, instant, began = index.state, self._clock.now(), self._kept.now()
        pledge = None if answer is None else Pledge(by.actor, answer.once)
        session = decide(state, instant)
        # INVARIANT: looked for after the session was. Whoever has changed what was found there has
        # kept its answer by then.
        known = self._answered(organization, pledge, instant)
        if known is not None:
            return known
        if not isinstance(session, Session):
            return self._if_current(state, Unwilling(session))
        told = None
        if answer is not None and pledge is not None:
            told = Told(pledge, answer.tell(session))
        done = write(organization, session, revision=state.revision, told=told, instant=instant)
        if isinstance(done, Consumption):
            return None if pledge is None else retold(done, pledge.once)
        if done is Writing.FULL:
            return Unwilling(TOO_MANY)
        if done is Writing.STALE:
            return None
        self._kept.put(organization, session, began=began)
        return Written(session)

    def _answered(
        self, organization: OrganizationId, pledge: Pledge | None, instant: int
    ) -> Outcome | None:
        """Return what became of the same key before, or nothing where it was not used."""
        if pledge is None:
            return None
        after = instant - RECEIPT_SECONDS
        known = self._store.answered(organization, pledge, after=after)
        return None if known is None else retold(known, pledge.once)

    def _if_current(self, state: Organization, refused: Unwilling) -> Unwilling | None:
        """Return the refusal if the state that refuses is still the current one."""
        return refused if self._revision(state.id) == state.revision else None
