"""The decision point: one way to answer a request, for HTTP, the command line and the library."""

from dataclasses import dataclass
from typing import NamedTuple

from grantproof.core import metering
from grantproof.core.certificate import Certificate, issue
from grantproof.core.constraints import Context, Situation
from grantproof.core.identifiers import OrganizationId, PrincipalId
from grantproof.core.index import Index
from grantproof.core.matching import Request
from grantproof.core.metering import UNUSED, Readings
from grantproof.core.model import Claim
from grantproof.core.organization import Organization
from grantproof.core.policy import Reason, UnknownOrganization
from grantproof.core.sessions import NoSession
from grantproof.core.ways import Unmet, Verdict
from grantproof.core.withheld import Withheld
from grantproof.service.cases import Asked
from grantproof.service.contracts import Contracts
from grantproof.service.entering import NO_SESSION, Entered, is_for_session
from grantproof.service.meters import Meters, Replica
from grantproof.service.outcomes import Outcomes
from grantproof.service.pip import Supplied, local_time, situate
from grantproof.service.ports import Clock

UNKNOWN_ORGANIZATION = UnknownOrganization()


@dataclass(frozen=True, slots=True)
class Metered:
    """The counters that an answer rests on, `age` seconds old; 0 when they were charged with it."""

    readings: Readings
    age: int


class Answer(NamedTuple):
    """A decision with its place in time.

    `outcome` is the granting claim, the reason of the deny, that there is no such session, or that
    an allow is withheld because it did not pass a check; `revision` the state it was made on;
    `decided_at` and `valid_until` epoch seconds, the latter nothing when time alone never changes
    it or when it is metered. `metered` is there when counters mattered.
    """

    outcome: Claim | Reason | NoSession | Withheld
    revision: int
    decided_at: int
    valid_until: int | None
    metered: Metered | None = None

    @property
    def allowed(self) -> bool:
        """Whether the answer is Allow."""
        return isinstance(self.outcome, Claim)


@dataclass(frozen=True, slots=True)
class Contest:
    """A question whose answer is a matter of counters: claims that match, and what they see."""

    request: Request
    context: Context
    matching: tuple[Claim, ...]
    situation: Situation
    state: Organization

    def settled(self, readings: Readings, *, age: int) -> Answer:
        """Return the answer where counters stand at the readings."""
        outcome = metering.choose(self.matching, self.situation, readings=readings)
        metered = Metered(readings, age)
        return Answer(outcome, self.state.revision, self.context.instant, None, metered)


class MeterUnread(Exception):
    """The counters of the organization are not followed yet: follow them, and ask again."""


class DecisionPoint:
    """Answers requests from the followed snapshots and counters; touches no store and no lock.

    Doors count in `outcomes` what they answer: a decision may be made anew before it is told.
    Without `meters` no counters are followed. May be asked from several threads, as may an index
    that follows nothing.
    """

    def __init__(
        self, clock: Clock, meters: Meters | None, *, contracts: Contracts | None = None
    ) -> None:
        self._clock = clock
        self.inspection = (Contracts() if contracts is None else contracts).inspection
        self._meters = meters
        self.outcomes = Outcomes()

    def instant(self) -> int:
        """Return the instant of a decision made now; all of a batch share one."""
        return self._clock.now()

    def decide(self, index: Index, request: Request, supplied: Supplied, *, instant: int) -> Answer:
        """Decide one request on the index's current state.

        Raises `MeterUnread` when that takes counters that are not followed.
        """
        decided = self.open(index, request, supplied, instant=instant)
        return decided if isinstance(decided, Answer) else self._counted(decided)

    def decide_entered(
        self, index: Index, entered: Entered, supplied: Supplied, *, instant: int
    ) -> Answer:
        """Decide a request of a stored session; raises as `decide` does."""
        decided = self.open(index, entered.request, supplied, instant=instant, ends=entered.ends)
        if isinstance(decided, Answer):
            return told_of_session(decided, entered)
        return self._counted(decided)

    def _counted(self, contest: Contest) -> Answer:
        """Return the answer where counters stand as they were last read; raises `MeterUnread`."""
        replica = self._read(contest.state.id)
        age = max(0, contest.context.instant - replica.read_at)
        return self.settle(contest, replica.of(contest.request.principal), age=age)

    def settle(self, contest: Contest, readings: Readings, *, age: int) -> Answer:
        """Return the answer to a contest where counters stand at the readings, `age` seconds ago.

        An allow that does not pass a check of itself is withheld.
        """
        answer = contest.settled(readings, age=age)
        inspection = self.inspection
        inspection.left -= 1
        if inspection.left <= 0:
            asked = Asked(contest.state, contest.request, contest.context, readings)
            return self._looked_at(answer, asked)
        return answer

    def _looked_at(self, answer: Answer, asked: Asked) -> Answer:
        """Return the answer as it passed its checks; one that is withheld holds no longer."""
        outcome = answer.outcome
        if isinstance(outcome, Withheld | NoSession):
            return answer
        checked = self.inspection.look(asked, outcome)
        if checked is outcome:
            return answer
        return answer._replace(outcome=checked, valid_until=answer.decided_at)

    def readings(
        self, index: Index, request: Request, supplied: Supplied, *, instant: int
    ) -> Readings:
        """Return the counters that claims on the request look at; raises `MeterUnread`."""
        if not index.ask(request, situate(instant, index.state.time_zone, supplied)).metered:
            return UNUSED
        return self.counters(index.state.id, request.principal)

    def counters(self, organization: OrganizationId, principal: PrincipalId) -> Readings:
        """Return all counters of the principal as they were last read; raises `MeterUnread`."""
        return self._read(organization).of(principal)

    def _read(self, organization: OrganizationId) -> Replica:
        replica = None if self._meters is None else self._meters.get(organization)
        if replica is None:
            raise MeterUnread(organization)
        return replica

    def open(
        self,
        index: Index,
        request: Request,
        supplied: Supplied,
        *,
        instant: int,
        ends: int | None = None,
    ) -> Answer | Contest:
        """Decide what can be decided without counters; return the contest of what cannot.

        `ends` is when the session does that the request is asked in, if it is. An allow that does
        not pass a check of itself is withheld.
        """
        state = index.state
        context = situate(instant, state.time_zone, supplied)
        verdict = index.ask(request, context)
        outcome = verdict.answer
        if verdict.hangs_on(supplied.usage, supplied.rate):
            matching, situation = index.contest(request, context)
            return Contest(request, context, tuple(matching), situation, state)
        if isinstance(outcome, Unmet):
            outcome = index.nearest(request, context)
        hour_ends = local_time(instant, state.time_zone).hour_ends
        until = _valid_until(verdict, supplied, hour_ends=hour_ends, ends=ends)
        answer = Answer(outcome, state.revision, instant, until)
        inspection = self.inspection
        inspection.left -= 1
        if inspection.left <= 0:
            return self._looked_at(answer, Asked(state, request, context))
        return answer

    def certify(
        self, state: Organization, request: Request, supplied: Supplied, *, answer: Answer
    ) -> Certificate | None:
        """Return the certificate of an allow just made on the state."""
        claim, metered = answer.outcome, answer.metered
        if not isinstance(claim, Claim):
            return None
        context = situate(answer.decided_at, state.time_zone, supplied)
        if metered is None:
            return issue(state, request, context, claim=claim)
        return metering.certify(state, request, context, claim=claim, readings=metered.readings)

    @staticmethod
    def unknown(index: Index, reason: Reason, instant: int) -> Answer:
        """Return the answer about what is named as nothing here can be: nobody, or nothing."""
        return Answer(reason, index.state.revision, instant, None)

    def absent(self, instant: int) -> Answer:
        """Return the answer about an organization that does not exist."""
        return Answer(UNKNOWN_ORGANIZATION, 0, instant, None)


def told_of_session(answer: Answer, entered: Entered) -> Answer:
    """Return the answer, for the reason of its session where that is not there.

    Time alone never makes it be there.
    """
    if not is_for_session(answer.outcome, entered):
        return answer
    return answer._replace(outcome=NO_SESSION, valid_until=None)


def _valid_until(
    verdict: Verdict, supplied: Supplied, *, hour_ends: int, ends: int | None
) -> int | None:
    """Return until when the verdict holds, on which no counter bears: nothing means for ever."""
    until = verdict.until
    moves = verdict.hourly and (supplied.hour is None or supplied.weekday is None)
    if moves or verdict.yearly:
        until = hour_ends if until is None else min(until, hour_ends)
    if ends is None:
        return until
    return ends if until is None else min(until, ends)
