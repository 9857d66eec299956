"""The counters of followed organizations as this process last read them.

Followed from the first question that takes them. What was used elsewhere shows after the next
round, so an answer that rests on them says how old they are. `consume` reads the meter itself.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from grantproof.core.identifiers import OrganizationId, PrincipalId
from grantproof.core.limits import COUNTER_GRACE_SECONDS, COUNTERS_PRUNED_MAX
from grantproof.core.metering import UNUSED, Counter, Readings
from grantproof.service.meter import Meter, Reading
from grantproof.service.ports import Clock
from grantproof.service.receipts import RECEIPT_SECONDS
from grantproof.service.snapshots import Owner

OVERLAP_SECONDS: Final = 5
"""Changes are read again for so long: clocks differ, and what began earlier may end later."""

WHOLE_SECONDS: Final = 300
"""After so long all is read again, whatever the clocks of others said."""

PRUNE_SECONDS: Final = 60
"""How often ended counters are looked for."""

Counts = dict[PrincipalId, dict[Counter, int]]


@dataclass(slots=True)
class Replica:
    """The counters of an organization, as they stood at `revision` at `read_at` (epoch seconds)."""

    revision: int
    read_at: int
    whole_at: int
    counts: Counts = field(default_factory=dict)

    def of(self, principal: PrincipalId) -> Readings:
        """Return the principal's counters, as they stand from now on: a copy."""
        known = self.counts.get(principal)
        return UNUSED if known is None else dict(known)


class Meters:
    """Replicas by organization. `get` is for the owner; the rest may be called from any thread."""

    def __init__(self, meter: Meter, *, clock: Clock, on_owner: Owner) -> None:
        self._meter = meter
        self._clock = clock
        self._on_owner = on_owner
        self._replicas: dict[OrganizationId, Replica] = {}
        self._prune_at = 0

    def get(self, organization: OrganizationId) -> Replica | None:
        """Return the counters of an organization that are followed already."""
        return self._replicas.get(organization)

    def followed(self) -> tuple[OrganizationId, ...]:
        """Return the organizations whose counters are followed."""
        return tuple(self._replicas)

    def refresh(self, organization: OrganizationId) -> None:
        """Read what has changed since the last time, the first time everything.

        An organization that is gone is forgotten. Raises `StoreError`.
        """
        now = self._clock.now()
        known = self._replicas.get(organization)
        if known is not None and now - known.whole_at < WHOLE_SECONDS:
            since = known.read_at - OVERLAP_SECONDS
            found = self._meter.changed(organization, since=since, instant=now)
            if found is not None and found.revision == known.revision:
                self._on_owner(lambda: _apply(known, found, now))
                return
        # A change may have taken counters away, which only reading all of them shows.
        whole = self._meter.changed(organization, since=None, instant=now)
        if whole is None:
            self._on_owner(lambda: self._drop(organization))
            return
        replica = Replica(whole.revision, now, now, _by_principal(whole))
        self._on_owner(lambda: self._adopt(organization, replica))

    def prune(self) -> None:
        """Let the meter remove what ended or was kept long ago, now and then.

        Raises `StoreError`.
        """
        now = self._clock.now()
        if now < self._prune_at:
            return
        before = now - COUNTER_GRACE_SECONDS
        pruned = self._meter.prune(before=before, limit=COUNTERS_PRUNED_MAX)
        forgotten = self._meter.forget(until=now - RECEIPT_SECONDS, limit=COUNTERS_PRUNED_MAX)
        more = COUNTERS_PRUNED_MAX in {pruned, forgotten}
        self._prune_at = now if more else now + PRUNE_SECONDS

    def _adopt(self, organization: OrganizationId, replica: Replica) -> None:
        self._replicas[organization] = replica

    def _drop(self, organization: OrganizationId) -> None:
        self._replicas.pop(organization, None)


def _apply(replica: Replica, found: Reading, read_at: int) -> None:
    for principal, counts in _by_principal(found).items():
        replica.counts.setdefault(principal, {}).update(counts)
    replica.read_at = read_at


def _by_principal(found: Reading) -> Counts:
    counts: defaultdict[PrincipalId, dict[Counter, int]] = defaultdict(dict)
    for counter, used in found.used.items():
        counts[counter.principal][counter] = used
    return dict(counts)
