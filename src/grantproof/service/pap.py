"""The administration point: the only way to change an organization.

Propose, authorize, apply, check, guard, commit by compare-and-set, publish. The right of the author
is decided on the very state that the command is applied to. A lost race starts all of it again from
the state that won; after a bounded number of lost races the caller is told. Writers of one process
take turns, but for what takes a solver, which nobody waits for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from grantproof.core.authority import unauthorized
from grantproof.core.commands import Accepted, Outcome, Rejected, apply
from grantproof.core.commands.language import Command
from grantproof.core.identifiers import OrganizationId
from grantproof.core.invariants import Violation
from grantproof.core.limits import COMMIT_ATTEMPTS_MAX
from grantproof.core.organization import Organization
from grantproof.service.attempts import Attempts
from grantproof.service.authors import Author
from grantproof.service.contracts import Contracts
from grantproof.service.guarding import Broken, Doubt, Guard, Judgement, Unjudged
from grantproof.service.pip import NOTHING_SUPPLIED, check_time_zone, situate
from grantproof.service.ports import Backoff, Clock, Store
from grantproof.service.receipts import (
    RECEIPT_SECONDS,
    InProgress,
    KeyReused,
    Once,
    Receipt,
    Repeated,
    Underway,
    recalled,
)
from grantproof.service.snapshots import Snapshots
from grantproof.service.turns import Turns
from grantproof.service.versions import Entity, Versioned


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a change is asked for: under a key, and `at` which revisions, if not any.

    The revisions are those that last changed the entity `of`; without one, the organization's.
    """

    once: Once | None = None
    at: frozenset[int] | None = None
    of: Entity | None = None


NO_TERMS: Final = Terms()


@dataclass(frozen=True, slots=True)
class NoOrganization:
    """There is no such organization."""


@dataclass(frozen=True, slots=True)
class Contended:
    """Every attempt lost a race; nothing was changed and the same call may work later."""

    attempts: int


@dataclass(frozen=True, slots=True)
class Stale:
    """What is to be changed has changed since, at `revision`; nothing was changed by this.

    It is the entity `of`; without one, the organization.
    """

    revision: int
    of: Entity | None = None


@dataclass(frozen=True, slots=True)
class Unsound:
    """The change would leave an organization that is not valid, or not do what it says.

    That is a fault of ours, not of whoever asked; nothing was changed.
    """

    violations: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class _Trial:
    """A change that can be made unless a guardrail is broken by it, which is doubtful."""

    doubt: Doubt
    once: Once | None
    by: Author


Proposed = (
    Accepted
    | Rejected
    | NoOrganization
    | Contended
    | Stale
    | Repeated
    | KeyReused
    | InProgress
    | Unsound
    | Broken
    | Unjudged
)

Supposed = Accepted | Rejected | Broken | Unjudged
"""What would become of a change that is only supposed."""

NO_ORGANIZATION: Final = NoOrganization()

TURN_SECONDS_MAX: Final = 0.5
"""So long one writer of an organization waits for others of this process at most."""

DONE: Final = {True: "accepted", False: "rejected"}
ENDINGS: Final[Mapping[type[Proposed], str]] = {
    Accepted: "accepted",
    Rejected: "rejected",
    NoOrganization: "rejected",
    KeyReused: "rejected",
    Contended: "conflict",
    Stale: "conflict",
    InProgress: "conflict",
    Unsound: "unsound",
    Broken: "rejected",
    Unjudged: "undetermined",
}
"""How a change is counted by what became of it; one that is told again is not counted again."""


class AdministrationPoint:
    """Changes organizations, one command at a time or a change set as one."""

    def __init__(
        self,
        store: Store,
        snapshots: Snapshots,
        *,
        clock: Clock,
        backoff: Backoff,
        contracts: Contracts | None = None,
        guard: Guard | None = None,
    ) -> None:
        self._store = store
        self._guard = Guard() if guard is None else guard
        self._contracts = Contracts() if contracts is None else contracts
        self._snapshots = snapshots
        self._clock = clock
        self._backoff = backoff
        self._underway = Underway()
        self._turns = Turns(seconds_max=TURN_SECONDS_MAX)
        self.attempts = Attempts(ENDINGS.values())

    def found(
        self,
        organization: OrganizationId,
        *,
        time_zone: str,
        by: Author,
        once: Once | None = None,
    ) -> bool:
        """Create an empty organization; false when its id was ever used.

        With `once` a receipt is kept, which `recall` finds.
        Raises `Illegal` when `time_zone` is no IANA name, and `PermissionError` when `by` is a
        principal of some organization: only an operator makes or ends one.
        """
        _for_operators(by)
        zone = check_time_zone(time_zone)
        instant = self._clock.now()
        with self.attempts.at_store():
            created = self._store.create(
                organization,
                time_zone=zone,
                actor=by.actor,
                instant=instant,
                request_id=by.request_id,
                reason=by.reason,
                receipt=_receipt(organization, once, by=by, revision=0, instant=instant),
            )
        self.attempts.count(DONE[created])
        return created

    def recall(
        self, organization: OrganizationId, once: Once | None, *, by: Author
    ) -> Repeated | KeyReused | None:
        """Return what became of the same key before, or nothing where it was not used."""
        if once is None:
            return None
        after = self._clock.now() - RECEIPT_SECONDS
        found = self._store.receipt(organization, actor=by.actor, key=once.key, after=after)
        return recalled(found, once)

    def dissolve(self, organization: OrganizationId, *, by: Author) -> bool:
        """Delete an organization for good; false when there is none.

        Raises `PermissionError` as `found` does.
        """
        _for_operators(by)
        with self.attempts.at_store():
            deleted = self._store.delete(
                organization,
                actor=by.actor,
                instant=self._clock.now(),
                request_id=by.request_id,
                reason=by.reason,
            )
        self.attempts.count(DONE[deleted])
        self._snapshots.catch_up(organization)
        return deleted

    def suppose(self, state: Organization, command: Command, *, by: Author) -> Supposed:
        """Return what would become of the command on the state; nothing is committed or counted.

        Refused as the change itself would be, by a guardrail too; but nobody's right is asked for,
        since nothing is changed.
        """
        outcome = apply(state, command, actor=by.actor, instant=self._clock.now())
        if not isinstance(outcome, Accepted):
            return outcome
        guarded = self._guard.refusal(state, outcome)
        return outcome if guarded is None else guarded

    def propose(
        self,
        organization: OrganizationId,
        command: Command,
        *,
        by: Author,
        terms: Terms = NO_TERMS,
    ) -> Proposed:
        """Return what became of the command; when accepted it is durable and published."""
        with (
            self.attempts.at_store(),
            self._underway.alone(organization, by.actor, terms.once) as alone,
        ):
            proposed: Proposed = InProgress()
            if alone:
                proposed = self._propose(organization, command, by=by, terms=terms)
        if not isinstance(proposed, Repeated):
            self.attempts.count(ENDINGS[type(proposed)])
        return proposed

    def rehearse(
        self,
        organization: OrganizationId,
        command: Command,
        *,
        by: Author,
        terms: Terms = NO_TERMS,
    ) -> Proposed:
        """Return what would become of the command now: all that `propose` asks, nothing is made."""
        seen = self._snapshots.seen(organization)
        if seen is None:
            return NO_ORGANIZATION
        outcome = self._checked(seen, command, by=by, terms=terms)
        if not isinstance(outcome, Accepted):
            return outcome
        refusal = self._guard.refusal(seen.state, outcome)
        return outcome if refusal is None else refusal

    def _propose(
        self, organization: OrganizationId, command: Command, *, by: Author, terms: Terms
    ) -> Proposed:
        judgement = Judgement(self._guard, self._store)
        for attempt in range(COMMIT_ATTEMPTS_MAX):
            if attempt > 0:
                self.attempts.retry()
                self._backoff.wait(attempt - 1)
                # After the wait, not before: another replica may have moved on meanwhile.
                self._snapshots.catch_up(organization)
            trial = self._tried(organization, command, judgement, by=by, terms=terms)
            outcome = self._judged(trial, judgement) if isinstance(trial, _Trial) else trial
            if outcome is not None:
                return outcome
        return Contended(COMMIT_ATTEMPTS_MAX)

    def _tried(
        self,
        organization: OrganizationId,
        command: Command,
        judgement: Judgement,
        *,
        by: Author,
        terms: Terms,
    ) -> "Proposed | _Trial | None":
        """Return the outcome on the state as it is, or nothing when another writer was faster.

        What takes a solver is returned as it was tried: no other writer waits for that.
        """
        with self._turns(organization):
            seen = self._snapshots.seen(organization)
            if seen is None:
                return NO_ORGANIZATION
            # INVARIANT: looked for after the state was taken. Whoever writes the receipt later
            # moves the revision on, and then this attempt cannot commit.
            known = self.recall(organization, terms.once, by=by)
            if known is not None:
                return known
            outcome = self._checked(seen, command, by=by, terms=terms)
            if isinstance(outcome, Unsound):
                return outcome
            if not isinstance(outcome, Accepted):
                return self._if_current(seen.state, outcome)
            doubt = judgement.doubt(seen, outcome)
            if doubt is None:
                return self._commit(seen, outcome, once=terms.once, by=by)
        return _Trial(doubt, terms.once, by)

    def _judged(self, trial: "_Trial", judgement: Judgement) -> Proposed | None:
        """Return the outcome of what takes a solver, or nothing when another writer was faster."""
        doubt = trial.doubt
        refusal = judgement.refusal(doubt)
        if refusal is None:
            return self._commit(doubt.seen, doubt.change, once=trial.once, by=trial.by)
        # What nobody knows is true of any state, and another attempt would take all of the solver's
        # time again.
        is_settled = isinstance(refusal, Unjudged)
        return refusal if is_settled else self._if_current(doubt.seen.state, refusal)

    def _commit(
        self, seen: Versioned, outcome: Accepted, *, once: Once | None, by: Author
    ) -> Accepted | None:
        """Return the outcome, durable and published, or nothing when another writer was faster."""
        event = outcome.event
        receipt = _receipt(
            event.organization, once, by=by, revision=event.revision, instant=event.instant
        )
        seal = self._store.commit(event, receipt=receipt, onto=seen.seal)
        if seal is None:
            return None
        self._snapshots.publish(outcome, seal=seal)
        return outcome

    def _checked(
        self, seen: Versioned, command: Command, *, by: Author, terms: Terms
    ) -> Outcome | Stale | Unsound:
        """Return the outcome on the state as it is, with only the guardrails left to ask."""
        outcome = _outcome(seen, command, by=by, terms=terms, instant=self._clock.now())
        if not isinstance(outcome, Accepted):
            return outcome
        # INVARIANT: what is committed was checked before, not after.
        violations = self._contracts.broken_by(seen.state, outcome)
        return outcome if len(violations) == 0 else Unsound(violations)

    def _if_current(self, state: Organization, refused: Proposed) -> Proposed | None:
        """Return the refusal if the state that refuses is still the current one."""
        return refused if self._store.revision(state.id) == state.revision else None


def _receipt(
    organization: OrganizationId, once: Once | None, *, by: Author, revision: int, instant: int
) -> Receipt | None:
    return None if once is None else Receipt(organization, by.actor, once, revision, instant)


def _outcome(
    seen: Versioned, command: Command, *, by: Author, terms: Terms, instant: int
) -> Outcome | Stale:
    """Return what becomes of the command on the state, the right of its author looked at first.

    So whoever may not make a change is not told whether it could be made, nor what has changed
    since. A change says nothing of its context: a right that is fenced or metered is not there, one
    with a time window is in time.
    """
    state = seen.state
    if by.principal is not None:
        context = situate(instant, state.time_zone, NOTHING_SUPPLIED)
        lacking = unauthorized(state, command, by.principal, context=context)
        if lacking is not None:
            return Rejected(lacking)
    stale = _stale(seen, terms)
    if stale is not None:
        return stale
    return apply(
        state,
        command,
        actor=by.actor,
        instant=instant,
        request_id=by.request_id,
        reason=by.reason,
    )


def _stale(seen: Versioned, terms: Terms) -> Stale | None:
    """Return what has changed since the terms were made; nothing if they are met.

    What is not there has not changed: that it is missing is for the command to say.
    """
    if terms.at is None:
        return None
    last = seen.state.revision if terms.of is None else seen.versions.of(terms.of)
    return None if last is None or last in terms.at else Stale(last, terms.of)


def _for_operators(by: Author) -> None:
    """Raise `PermissionError` for the principal of an organization: there is none to ask."""
    if by.principal is not None:
        message = f"`{by.principal}` belongs to an organization: only an operator makes or ends one"
        raise PermissionError(message)
