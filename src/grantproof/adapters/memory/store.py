"""Organizations, events and counters in memory. One lock makes every method one step."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from grantproof.adapters.memory.keys import MemoryKeys
from grantproof.adapters.memory.sessions import MemorySessions
from grantproof.adapters.memory.tenants import Count, Tenant
from grantproof.core.commands import Event
from grantproof.core.identifiers import ClaimId, OrganizationId, PrincipalId
from grantproof.core.limits import EVENTS_SEARCHED_MAX
from grantproof.core.metering import Charge, Counter
from grantproof.core.model import Claim, Principal
from grantproof.core.organization import Organization, advance
from grantproof.core.sessions import ended_by
from grantproof.service import audit_chain
from grantproof.service.authors import Author
from grantproof.service.history import Entry, EventQuery, entry, entry_of, matches
from grantproof.service.meter import Charged, Keeping, Reading, Uncharged, Used
from grantproof.service.ports import Head, Heard, OrganizationSummary
from grantproof.service.receipts import Consumption, Receipt
from grantproof.service.versions import Versioned


class MemoryStore:
    """A `Store` in memory. One lock makes every method one step; nothing is durable."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tenants: dict[OrganizationId, Tenant] = {}
        self.keys = MemoryKeys()
        self.meter: MemoryMeter = MemoryMeter(self._lock, self._tenants)
        self.sessions = MemorySessions(self._lock, self._tenants)

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
        """Store a new, empty organization at revision 0; false when its id was ever used."""
        state = Organization(organization, time_zone=time_zone)
        by = Author(actor, request_id=request_id, reason=reason)
        told = audit_chain.founding(time_zone)
        founded = entry(organization, 0, "found", instant=instant, by=by, command=told)
        with self._lock:
            if organization in self._tenants:
                return False
            self._tenants[organization] = Tenant(state, founded)
            self._tenants[organization].keep(receipt)
            return True

    def delete(
        self,
        organization: OrganizationId,
        *,
        actor: str,
        instant: int,
        request_id: str | None = None,
        reason: str | None = None,
    ) -> bool:
        """Delete an organization and its facts, keep its events; false when there is none."""
        by = Author(actor, request_id=request_id, reason=reason)
        with self._lock:
            last = self._state(organization)
            if last is None:
                return False
            ended = entry(
                organization,
                last.revision + 1,
                "dissolve",
                instant=instant,
                by=by,
                command=audit_chain.DISSOLVE,
            )
            self._tenants[organization].state = None
            self._tenants[organization].ended = ended
            self._tenants[organization].counts.clear()
            self._tenants[organization].receipts.clear()
            self._tenants[organization].consumptions.clear()
            self._tenants[organization].sessions.clear()
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

    def heads(self, organizations: Sequence[OrganizationId]) -> Mapping[str, Head]:
        """Return at which event each that is there stands."""
        with self._lock:
            states = [self._state(one) for one in organizations]
        known = [state for state in states if state is not None]
        return {state.id: (state.revision, _seal(state.revision)) for state in known}

    def hear(self, heard: Heard) -> None:
        """Hear nothing: there is no other process."""

    def load(self, organization: OrganizationId) -> Organization | None:
        """Return the organization, or nothing. It is immutable, so it is never a copy."""
        with self._lock:
            return self._state(organization)

    def load_versioned(self, organization: OrganizationId) -> Versioned | None:
        """Return the organization and the versions of its entities, or nothing."""
        with self._lock:
            state = self._state(organization)
            if state is None:
                return None
            return Versioned(state, self._tenants[organization].versions, _seal(state.revision))

    def commit(
        self,
        event: Event,
        *,
        receipt: Receipt | None = None,
        onto: str | None = None,  # noqa: ARG002 - nobody puts memory back
    ) -> str | None:
        """Keep the event, the state after it and the receipt, if it is the next; else nothing."""
        with self._lock:
            state = self._state(event.organization)
            if state is None or state.revision != event.revision - 1:
                return None
            tenant = self._tenants[event.organization]
            tenant.state = advance(state, event.delta)
            tenant.versions = tenant.versions.after(event.delta)
            tenant.events.append(event)
            if any(isinstance(fact, Claim | Principal) for fact in event.delta.removed):
                _drop_orphans(tenant)
            ended = ended_by(event.command)
            if len(ended) > 0:
                tenant.end_sessions(ended)
            tenant.keep(receipt)
            return _seal(event.revision)

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

    def continued(
        self, organization: OrganizationId, *, after: int, seal: str | None, limit: int
    ) -> tuple[tuple[str, Event], ...] | None:
        """Return what `events` does, each with its seal; nothing when the organization is gone."""
        now = self.revision(organization)
        if now is None or now < after or seal not in {None, _seal(after)}:
            return None
        found = self.events(organization, after=after, limit=limit)
        return tuple((_seal(event.revision), event) for event in found)

    def latest(self, organization: OrganizationId) -> int | None:
        """Return the revision of the last event, or nothing when there never was one."""
        with self._lock:
            tenant = self._tenants.get(organization)
            return None if tenant is None else len(tenant.events) + (tenant.ended is not None)

    def entries(
        self, organization: OrganizationId, query: EventQuery, *, limit: int
    ) -> tuple[Entry, ...]:
        """Return wanted entries in the order of their revisions or, looking back, newest first."""
        with self._lock:
            tenant = self._tenants.get(organization)
            if tenant is None:
                return ()
            searched = _searched(tenant, query)
            wanted = (entry for entry in searched if matches(entry, query))
            return tuple(islice(wanted, max(limit, 0)))

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


def _seal(revision: int) -> str:
    """Return what stands for a seal: nobody can put memory back to an earlier point."""
    return str(revision)


def _searched(tenant: Tenant, query: EventQuery) -> Iterator[Entry]:
    """Yield the entries that are looked at, in the order in which they are wanted."""
    first, end = max(query.after + 1, 0), query.after + 1 + EVENTS_SEARCHED_MAX
    if query.before is None:
        return islice(_entries(tenant), first, max(first, end))
    first = max(first, query.before - EVENTS_SEARCHED_MAX)
    return reversed(tuple(islice(_entries(tenant), first, max(first, query.before))))


def _entries(tenant: Tenant) -> Iterator[Entry]:
    yield tenant.founded
    yield from map(entry_of, tenant.events)
    if tenant.ended is not None:
        yield tenant.ended


class MemoryMeter:
    """The `Meter` of a store in memory, under the store's own lock."""

    def __init__(self, lock: threading.Lock, tenants: dict[OrganizationId, Tenant]) -> None:
        self._lock = lock
        self._tenants = tenants

    def read(
        self, organization: OrganizationId, principal: PrincipalId, *, instant: int
    ) -> Reading | None:
        """Return the principal's counters whose windows have not ended at the instant."""
        with self._lock:
            return self._reading(
                organization, self._live(organization, instant, principal=principal)
            )

    def charge(
        self,
        organization: OrganizationId,
        charges: Sequence[Charge],
        *,
        revision: int,
        instant: int,
        keeping: Keeping | None = None,
    ) -> Charged | Uncharged | Consumption:
        """Add one to every counter if all are below their limits; else to none. P-CONSUME."""
        with self._lock:
            tenant = self._tenants.get(organization)
            if tenant is None or tenant.state is None or tenant.state.revision != revision:
                return Uncharged.STALE
            known = None if keeping is None else tenant.kept(keeping.pledge, instant)
            if known is not None:
                return known
            counts = tenant.counts
            before = {one.counter: _used(counts, one.counter) for one in charges}
            if any(before[counter] >= limit for counter, _, limit in charges):
                return Uncharged.FULL
            charged = Charged(before)
            if keeping is not None:
                tenant.keep_answer(keeping.pledge, instant, keeping.answer(charged))
            for counter, end, _ in charges:
                counts[counter] = Count(before[counter] + 1, end, instant)
            return charged

    def consumption(
        self, organization: OrganizationId, *, actor: str, key: str, after: int
    ) -> Consumption | None:
        """Return what was kept under the key, unless its instant is not past `after`."""
        with self._lock:
            tenant = self._tenants.get(organization)
            return None if tenant is None else tenant.consumption(actor, key, after=after)

    def forget(self, *, until: int, limit: int) -> int:
        """Forget at most `limit` consumptions from `until` or before; return how many."""
        with self._lock:
            old = [
                (tenant.consumptions, name)
                for tenant in self._tenants.values()
                for name, one in tenant.consumptions.items()
                if one.instant <= until
            ][: max(limit, 0)]
            for kept, name in old:
                del kept[name]
            return len(old)

    def usage(
        self,
        organization: OrganizationId,
        *,
        instant: int,
        principal: PrincipalId | None = None,
        claim: ClaimId | None = None,
        after: Counter | None = None,
        limit: int,
    ) -> tuple[Used, ...]:
        """Return counters whose windows have not ended, of the principal and claim where given."""
        with self._lock:
            found = sorted(
                Used(counter, count.used)
                for counter, count in self._live(
                    organization, instant, principal=principal, claim=claim
                )
                if after is None or counter > after
            )
        return tuple(found[: max(limit, 0)])

    def reset(
        self,
        organization: OrganizationId,
        *,
        instant: int,
        principal: PrincipalId | None = None,
        claim: ClaimId | None = None,
    ) -> int:
        """Set the counters that `usage` would return to 0; return how many they are."""
        with self._lock:
            found = list(self._live(organization, instant, principal=principal, claim=claim))
            for _, count in found:
                count.used, count.changed = 0, instant
            return len(found)

    def changed(
        self, organization: OrganizationId, *, since: int | None, instant: int
    ) -> Reading | None:
        """Return every counter whose window has not ended, changed at `since` or later."""
        with self._lock:
            live = self._live(organization, instant)
            found = ((of, count) for of, count in live if since is None or count.changed >= since)
            return self._reading(organization, found)

    def prune(self, *, before: int, limit: int) -> int:
        """Remove at most `limit` counters whose windows ended before then; return how many."""
        with self._lock:
            ended = [
                (tenant.counts, counter)
                for tenant in self._tenants.values()
                for counter, count in tenant.counts.items()
                if count.end < before
            ][: max(limit, 0)]
            for counts, counter in ended:
                del counts[counter]
            return len(ended)

    def _live(
        self,
        organization: OrganizationId,
        instant: int,
        *,
        principal: PrincipalId | None = None,
        claim: ClaimId | None = None,
    ) -> Iterator[tuple[Counter, Count]]:
        tenant = self._tenants.get(organization)
        for counter, count in () if tenant is None else tenant.counts.items():
            wanted = principal in {None, counter.principal} and claim in {None, counter.claim}
            if wanted and count.end > instant:
                yield counter, count

    def _reading(
        self, organization: OrganizationId, found: Iterator[tuple[Counter, Count]]
    ) -> Reading | None:
        tenant = self._tenants.get(organization)
        if tenant is None or tenant.state is None:
            return None
        return Reading(tenant.state.revision, {counter: count.used for counter, count in found})


def _used(counts: dict[Counter, Count], counter: Counter) -> int:
    return counts[counter].used if counter in counts else 0


def _drop_orphans(tenant: Tenant) -> None:
    """Forget the counters of claims and principals that are not there any more."""
    state = tenant.state
    for counter in tuple(tenant.counts):
        there = state is not None and counter.principal in state.principals
        if state is None or not there or counter.claim not in state.claims:
            del tenant.counts[counter]
