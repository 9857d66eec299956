"""The administration point: the only way to change an organization.

Propose, check, commit by compare-and-set, publish. A lost race starts again from the state that
won; after a bounded number of lost races the caller is told.
"""

from dataclasses import dataclass
from typing import Final

from grantproof.core.commands import Accepted, Rejected, apply
from grantproof.core.commands.language import Command
from grantproof.core.identifiers import OrganizationId
from grantproof.core.index import Index
from grantproof.core.limits import COMMIT_ATTEMPTS_MAX
from grantproof.service.authors import Author
from grantproof.service.pip import check_time_zone
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

        Raises `Illegal` when `time_zone` is no IANA name.
        """
        zone = check_time_zone(time_zone)
        return self._store.create(
            organization,
            time_zone=zone,
            actor=by.actor,
            instant=self._clock.now(),
            request_id=by.request_id,
            reason=by.reason,
        )

    def dissolve(self, organization: OrganizationId, *, by: Author) -> bool:
        """Delete an organization for good; false when there is none."""
        deleted = self._store.delete(
            organization,
            actor=by.actor,
            instant=self._clock.now(),
            request_id=by.request_id,
            reason=by.reason,
        )
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
        outcome = apply(
            state,
            command,
            actor=by.actor,
            instant=self._clock.now(),
            request_id=by.request_id,
            reason=by.reason,
        )
        if isinstance(outcome, Rejected):
            # A rejection counts only if the state that rejects is still the current one.
            return outcome if self._store.revision(state.id) == state.revision else None
        if not self._store.commit(outcome.event):
            return None
        self._snapshots.publish(outcome)
        return outcome
