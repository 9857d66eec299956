"""The decision point: one way to answer a request, for HTTP, the command line and the library."""

from dataclasses import dataclass

from grantproof.core.certificate import Certificate, issue
from grantproof.core.index import Index, Verdict
from grantproof.core.matching import Request
from grantproof.core.model import Claim
from grantproof.core.policy import Reason, UnknownOrganization
from grantproof.service.pip import Supplied, local_time, situate
from grantproof.service.ports import Clock
from grantproof.service.snapshots import Snapshots

UNKNOWN_ORGANIZATION = UnknownOrganization()


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision with its place in time.

    `outcome` is the granting claim or the reason of the deny; `revision` the state it was made on;
    `decided_at` and `valid_until` epoch seconds, the latter nothing when time alone never changes
    it or when it is metered.
    """

    outcome: Claim | Reason
    revision: int
    decided_at: int
    valid_until: int | None

    @property
    def allowed(self) -> bool:
        """Whether the answer is Allow."""
        return isinstance(self.outcome, Claim)


class DecisionPoint:
    """Answers requests from the followed snapshots; touches no store and no lock."""

    def __init__(self, snapshots: Snapshots, clock: Clock) -> None:
        self._snapshots = snapshots
        self._clock = clock

    def instant(self) -> int:
        """Return the instant of a decision made now; all of a batch share one."""
        return self._clock.now()

    def decide(self, index: Index, request: Request, supplied: Supplied, *, instant: int) -> Answer:
        """Decide one request on the index's current state."""
        time_zone = index.state.time_zone
        verdict = index.ask(request, situate(instant, time_zone, supplied))
        until = _valid_until(verdict, supplied, hour_ends=local_time(instant, time_zone).hour_ends)
        return Answer(verdict.answer, index.state.revision, instant, until)

    def certify(
        self, index: Index, request: Request, supplied: Supplied, *, answer: Answer
    ) -> Certificate | None:
        """Return the certificate of an allow just made on the index's current state."""
        if not isinstance(answer.outcome, Claim):
            return None
        context = situate(answer.decided_at, index.state.time_zone, supplied)
        return issue(index.state, request, context, claim=answer.outcome)

    def absent(self, instant: int) -> Answer:
        """Return the answer about an organization that does not exist."""
        return Answer(UNKNOWN_ORGANIZATION, 0, instant, None)


def _valid_until(verdict: Verdict, supplied: Supplied, *, hour_ends: int) -> int | None:
    if verdict.metered:
        return None
    on_the_clock = verdict.hourly and (supplied.hour is None or supplied.weekday is None)
    if not on_the_clock:
        return verdict.until
    return hour_ends if verdict.until is None else min(verdict.until, hour_ends)
