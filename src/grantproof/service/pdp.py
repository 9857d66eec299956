"""The decision point: one way to answer a request, for HTTP, the command line and the library."""

from dataclasses import dataclass

from grantproof.core.certificate import Certificate, issue
from grantproof.core.constraints import Context
from grantproof.core.index import Index
from grantproof.core.matching import Request
from grantproof.core.model import Claim
from grantproof.core.policy import Reason, UnknownOrganization
from grantproof.core.ways import Unmet, Verdict
from grantproof.service.pip import Supplied, local_time, situate
from grantproof.service.ports import Clock

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


@dataclass(frozen=True, slots=True)
class Moment:
    """A context with what it was made of; `hour_ends` is the next instant with another hour."""

    time_zone: str
    supplied: Supplied
    context: Context
    hour_ends: int


class DecisionPoint:
    """Answers requests from the followed snapshots; touches no store and no lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._latest: Moment | None = None

    def instant(self) -> int:
        """Return the instant of a decision made now; all of a batch share one."""
        return self._clock.now()

    def decide(self, index: Index, request: Request, supplied: Supplied, *, instant: int) -> Answer:
        """Decide one request on the index's current state."""
        moment = self._moment(instant, index.state.time_zone, supplied)
        verdict = index.ask(request, moment.context)
        outcome = verdict.answer
        if isinstance(outcome, Unmet):
            outcome = index.nearest(request, moment.context)
        until = _valid_until(verdict, supplied, hour_ends=moment.hour_ends)
        return Answer(outcome, index.state.revision, instant, until)

    def _moment(self, instant: int, time_zone: str, supplied: Supplied) -> Moment:
        """Return the moment, the latest one if nothing has changed: most questions share it."""
        latest = self._latest
        if (
            latest is not None
            and latest.supplied is supplied
            and latest.context.instant == instant
            and latest.time_zone == time_zone
        ):
            return latest
        hour_ends = local_time(instant, time_zone).hour_ends
        context = situate(instant, time_zone, supplied)
        self._latest = Moment(time_zone, supplied, context, hour_ends)
        return self._latest

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
