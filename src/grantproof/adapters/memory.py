"""A store that lives and dies with the process: for tests, trials and what-if."""

import threading
from dataclasses import dataclass, field

from grantproof.core.commands import Event
from grantproof.core.identifiers import OrganizationId
from grantproof.core.organization import Organization, advance
from grantproof.service.ports import OrganizationSummary
from grantproof.service.receipts import Receipt


@dataclass(slots=True)
class _Tenant:
    """An organization that is or was: `state` is nothing once it is deleted."""

    state: Organization | None
    events: list[Event] = field(default_factory=list)
    receipts: dict[tuple[str, str], Receipt] = field(default_factory=dict)

    def keep(self, receipt: Receipt | None) -> None:
        """Keep the receipt and forget those that it outdates."""
        if receipt is not None:
            self.receipts[receipt.actor, receipt.once.key] = receipt
            kept = self.receipts.items()
            self.receipts = {k: one for k, one in kept if one.instant > receipt.outdated}


class MemoryStore:
    """A `Store` in memory. One lock makes every method one step; nothing is durable."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tenants: dict[OrganizationId, _Tenant] = {}

    def create(
        self,
        organization: OrganizationId,
        *,
        time_zone: str,
        actor: str,  # noqa: ARG002 - kept with the organization only where something is kept
        instant: int,  # noqa: ARG002 - the same
        receipt: Receipt | None = None,
    ) -> bool:
        """Store a new, empty organization at revision 0; false when its id was ever used."""
        state = Organization(organization, time_zone=time_zone)
        with self._lock:
            if organization in self._tenants:
                return False
            self._tenants[organization] = _Tenant(state)
            self._tenants[organization].keep(receipt)
            return True

    def delete(
        self,
        organization: OrganizationId,
        *,
        actor: str,  # noqa: ARG002 - kept with the organization only where something is kept
        instant: int,  # noqa: ARG002 - the same
    ) -> bool:
        """Delete an organization and its facts, keep its events; false when there is none."""
        with self._lock:
            if self._state(organization) is None:
                return False
            self._tenants[organization].state = None
            self._tenants[organization].receipts.clear()
            return True

    def summaries(
        self, *, after: OrganizationId | None = None, limit: int
    ) -> tuple[OrganizationSummary, ...]:
        """Return organizations in the order of their ids, after `after`, at most `limit`."""
        with self._lock:
            states = [each.state for each in self._tenants.values() if each.state is not None]
        found = (
            OrganizationSummary(state.id, state.revision, state.time_zone)
            for state in states
            if after is None or state.id > after
        )
        return tuple(sorted(found, key=lambda summary: summary.id)[: max(limit, 0)])

    def revision(self, organization: OrganizationId) -> int | None:
        """Return the current revision, or nothing when there is no such organization."""
        state = self.load(organization)
        return None if state is None else state.revision

    def load(self, organization: OrganizationId) -> Organization | None:
        """Return the organization, or nothing. It is immutable, so it is never a copy."""
        with self._lock:
            return self._state(organization)

    def commit(self, event: Event, *, receipt: Receipt | None = None) -> bool:
        """Keep the event, the state after it and the receipt, if it is the next; else false."""
        with self._lock:
            state = self._state(event.organization)
            if state is None or state.revision != event.revision - 1:
                return False
            tenant = self._tenants[event.organization]
            tenant.state = advance(state, event.delta)
            tenant.events.append(event)
            tenant.keep(receipt)
            return True

    def receipt(
        self, organization: OrganizationId, *, actor: str, key: str, after: int
    ) -> Receipt | None:
        """Return the receipt of the actor under the key, unless its instant is not past `after`."""
        with self._lock:
            tenant = self._tenants.get(organization)
            found = None if tenant is None else tenant.receipts.get((actor, key))
        return found if found is not None and found.instant > after else None

    def events(
        self, organization: OrganizationId, *, after: int = 0, limit: int
    ) -> tuple[Event, ...]:
        """Return the events with a revision greater than `after`, oldest first, at most `limit`."""
        with self._lock:
            if organization not in self._tenants:
                return ()
            # Revisions count from 1 without a gap, so they are positions in the list.
            start = max(after, 0)
            return tuple(self._tenants[organization].events[start : start + max(limit, 0)])

    def damage(self) -> tuple[str, ...]:
        """Return nothing: memory is taken at its word."""
        return ()

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._tenants.clear()

    def _state(self, organization: OrganizationId) -> Organization | None:
        tenant = self._tenants.get(organization)
        return None if tenant is None else tenant.state
