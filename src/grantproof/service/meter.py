"""The meter: what the use cases need of whatever keeps the counters.

Counters belong to claims and principals of an organization, but stand outside of its revisions.
One suite in `tests/contracts` runs against every meter.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

from grantproof.core.identifiers import ClaimId, OrganizationId, PrincipalId
from grantproof.core.metering import Charge, Counter, Readings
from grantproof.service.receipts import Consumption, Pledge


class Used(NamedTuple):
    """A counter and what it stands at."""

    counter: Counter
    times: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What counters stand at while the organization is at `revision`."""

    revision: int
    used: Readings


@dataclass(frozen=True, slots=True)
class Charged:
    """The charge is made and durable; `before` is what each counter stood at just before it."""

    before: Readings


class Uncharged(Enum):
    """Why a charge was not made; nothing was changed."""

    FULL = "full"
    """A counter has reached its limit."""
    STALE = "stale"
    """The organization is not at the revision that was decided on, or is gone."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is to be kept with a charge: under which pledge, and how the charge is answered.

    `answer` must be quick and pure: others wait for the meter meanwhile.
    """

    pledge: Pledge
    answer: Callable[[Charged], str]


class Meter(Protocol):
    """Counts what claims are used. Safe from several threads; several processes may hold one.

    Any method may raise `StoreError`; then nothing was changed. Counters go with the claim or the
    principal that they count for, in the change that removes it, and with the organization; a
    change set that replaces a claim by one of the same id keeps them.
    """

    def read(
        self, organization: OrganizationId, principal: PrincipalId, *, instant: int
    ) -> Reading | None:
        """Return the principal's counters whose windows have not ended at the instant.

        Nothing when there is no such organization.
        """
        ...

    def charge(
        self,
        organization: OrganizationId,
        charges: Sequence[Charge],
        *,
        revision: int,
        instant: int,
        keeping: Keeping | None = None,
    ) -> Charged | Uncharged | Consumption:
        """Add one to every counter if all are below their limits, in one step; else to none.

        Only while the organization is at `revision`. `charges`, at least one, are of one claim and
        one principal that exist at the revision, in the order of `metering.SPANS`. P-CONSUME.
        What is to be kept is kept in the same step; when something is kept under that key already,
        not a day old, it is returned and nothing is counted.
        """
        ...

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
        """Return counters whose windows have not ended, of the principal and claim where given.

        In the order of their fields, after `after`, at most `limit`.
        """
        ...

    def reset(
        self,
        organization: OrganizationId,
        *,
        instant: int,
        principal: PrincipalId | None = None,
        claim: ClaimId | None = None,
    ) -> int:
        """Set the counters that `usage` would return to 0; return how many they are.

        In one step: a charge that races with it counts before or after.
        """
        ...

    def changed(
        self, organization: OrganizationId, *, since: int | None, instant: int
    ) -> Reading | None:
        """Return every counter whose window has not ended, changed at `since` or later where given.

        Nothing when there is no such organization. A counter that is gone is not told: whoever
        follows reads everything again when the revision has moved.
        """
        ...

    def consumption(
        self, organization: OrganizationId, *, actor: str, key: str, after: int
    ) -> Consumption | None:
        """Return what a charge under the actor's key kept, if its instant is past `after`."""
        ...

    def forget(self, *, until: int, limit: int) -> int:
        """Forget at most `limit` consumptions, of any organization, from `until` or before.

        Return how many were forgotten.
        """
        ...

    def prune(self, *, before: int, limit: int) -> int:
        """Remove at most `limit` counters, of any organization, whose windows ended before then.

        Return how many were removed.
        """
        ...
