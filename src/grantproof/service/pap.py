"""The administration point: the only way to change an organization.

Propose, authorize, check, commit by compare-and-set, publish. The right of the author is decided on
the very state that the command is applied to. A lost race starts all of it again from the state
that won; after a bounded number of lost races the caller is told.
"""

from dataclasses import dataclass
from typing import Final

from grantproof.core.authority import unauthorized
from grantproof.core.commands import Accepted, Outcome, Rejected, apply
from grantproof.core.commands.language import Command
from grantproof.core.identifiers import OrganizationId
from grantproof.core.index import Index
from grantproof.core.limits import COMMIT_ATTEMPTS_MAX
from grantproof.core.organization import Organization
from grantproof.service.authors import Author
from grantproof.service.pip import NOTHING_SUPPLIED, check_time_zone, situate
from grantproof.service.ports import Backoff, Clock, Store
from grantproof.service.snapshots import Snapshots


@dataclass(frozen=True, slots=True)
class NoOrganization:
    """There is no such organization."""


@dataclass(frozen=True, slots=True)
class Contended:
    """Every attempt lost a race; nothing was changed and the same call may work later."""

    attempts: int


Proposed = Accepted | Rejected | NoOrganization | Contended

NO_ORGANIZATION: Final = NoOrganization()


class AdministrationPoint:
    """Changes organizations, one command at a time or a change set as one."""

    def __init__(
        self, store: Store, snapshots: Snapshots, *, clock: Clock, backoff: Backoff
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._clock = clock
        self._backoff = backoff

    def found(self, organization: OrganizationId, *, time_zone: str, by: Author) -> bool:
        """Create an empty organization; false when its id was ever used.

        Raises `Illegal` when `time_zone` is no IANA name, and `PermissionError` when `by` is a
        principal of some organization: only an operator makes or ends one.
        """
        _for_operators(by)
        zone = check_time_zone(time_zone)
        return self._store.create(
            organization, time_zone=zone, actor=by.actor, instant=self._clock.now()
        )

    def dissolve(self, organization: OrganizationId, *, by: Author) -> bool:
        """Delete an organization for good; false when there is none.

        Raises `PermissionError` as `found` does.
        """
        _for_operators(by)
        deleted = self._store.delete(organization, actor=by.actor, instant=self._clock.now())
        self._snapshots.catch_up(organization)
        return deleted

    def propose(self, organization: OrganizationId, command: Command, *, by: Author) -> Proposed:
        """Return what became of the command; when accepted it is durable and published."""
        for attempt in range(COMMIT_ATTEMPTS_MAX):
            index = self._snapshots.load(organization)
            if index is None:
                return NO_ORGANIZATION
            outcome = self._attempt(index, command, by=by)
            if outcome is not None:
                return outcome
            self._snapshots.catch_up(organization)
            self._backoff.wait(attempt)
        return Contended(COMMIT_ATTEMPTS_MAX)

    def _attempt(self, index: Index, command: Command, *, by: Author) -> Proposed | None:
        """Return the outcome on the state as it is, or nothing when another writer was faster."""
        state = index.state
        outcome = _judged(state, command, by=by, instant=self._clock.now())
        if isinstance(outcome, Rejected):
            # A rejection counts only if the state that rejects is still the current one.
            return outcome if self._store.revision(state.id) == state.revision else None
        if not self._store.commit(outcome.event):
            return None
        self._snapshots.publish(outcome)
        return outcome


def _judged(state: Organization, command: Command, *, by: Author, instant: int) -> Outcome:
    """Return what becomes of the command on the state, the right of its author looked at first.

    So whoever may not make a change is not told whether it could be made. A change says nothing of
    its context: a right that is fenced or metered is not there, one with a time window is in time.
    """
    if by.principal is not None:
        context = situate(instant, state.time_zone, NOTHING_SUPPLIED)
        lacking = unauthorized(state, command, by.principal, context=context)
        if lacking is not None:
            return Rejected(lacking)
    return apply(state, command, actor=by.actor, instant=instant)


def _for_operators(by: Author) -> None:
    """Raise `PermissionError` for the principal of an organization: there is none to ask."""
    if by.principal is not None:
        message = f"`{by.principal}` belongs to an organization: only an operator makes or ends one"
        raise PermissionError(message)
