"""Consuming: decide and count in one step, so that usage never exceeds a limit. P-CONSUME.

The counters are read at one revision; the first claim with room is charged, if its counters are
still below their limits and the organization is still at that revision. Whoever loses looks again:
the next claim is tried, or the request is denied by what the counters say now.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from grantproof.core.certificate import Certificate
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import OrganizationId
from grantproof.core.limits import CHARGE_ATTEMPTS_MAX
from grantproof.core.matching import Request
from grantproof.core.metering import charges
from grantproof.core.model import Claim
from grantproof.core.organization import Organization
from grantproof.service.meter import Charged, Meter, Uncharged
from grantproof.service.pap import Contended
from grantproof.service.pdp import Answer, Contest, DecisionPoint, Metered
from grantproof.service.pip import Supplied
from grantproof.service.ports import Backoff
from grantproof.service.snapshots import Owner, Snapshots


@dataclass(frozen=True, slots=True)
class Consumed:
    """An answer, what was charged with it included, and the state that it was made on.

    No state where there is no such organization.
    """

    answer: Answer
    state: Organization | None


class ConsumptionPoint:
    """Decides and counts. Methods may be called from any thread but the owner's, which they use."""

    def __init__(
        self,
        meter: Meter,
        snapshots: Snapshots,
        decisions: DecisionPoint,
        *,
        backoff: Backoff,
        on_owner: Owner,
    ) -> None:
        self._meter = meter
        self._snapshots = snapshots
        self._decisions = decisions
        self._backoff = backoff
        self._on_owner = on_owner

    def consume(
        self, organization: OrganizationId, request: Request, supplied: Supplied
    ) -> Consumed | Contended:
        """Decide the request and count it if it is allowed by a metered claim.

        An allow is counted, durably, for the claim that it names and for no other; a deny, and one
        that is contended, counts nothing. Raises `Illegal` when usage or rate is supplied.
        """
        check_nothing_counted(supplied)
        for attempt in range(CHARGE_ATTEMPTS_MAX):
            opened = self._opened(organization, request, supplied)
            if isinstance(opened, Consumed):
                return opened
            answer = self._settled(opened)
            if isinstance(answer, Answer):
                return Consumed(answer, opened.state)
            if answer is Uncharged.STALE:
                self._snapshots.catch_up(organization)
                self._backoff.wait(attempt)
        return Contended(CHARGE_ATTEMPTS_MAX)

    def certify(
        self, consumed: Consumed, request: Request, supplied: Supplied
    ) -> Certificate | None:
        """Return the certificate of an allow, with the counts that it found."""
        state, answer = consumed.state, consumed.answer
        if state is None:
            return None
        return self._decisions.certify(state, request, supplied, answer=answer)

    def _opened(
        self, organization: OrganizationId, request: Request, supplied: Supplied
    ) -> Consumed | Contest:
        """Return the contest, or the answer where no counter matters."""
        index = self._snapshots.load(organization)
        instant = self._decisions.instant()
        if index is None:
            return Consumed(self._decisions.absent(instant), None)

        def ask() -> Consumed | Contest:
            opened = self._decisions.open(index, request, supplied, instant=instant)
            return opened if isinstance(opened, Contest) else Consumed(opened, index.state)

        return _from_owner(self._on_owner, ask)

    def _settled(self, contest: Contest) -> Answer | Uncharged:
        """Return the answer, charged if it is an allow; or why another attempt is due."""
        state, principal = contest.state, contest.request.principal
        instant = contest.context.instant
        reading = self._meter.read(state.id, principal, instant=instant)
        if reading is None or reading.revision != state.revision:
            return Uncharged.STALE
        answer = contest.settled(reading.used, age=0)
        if not isinstance(answer.outcome, Claim):
            return answer
        due = charges(answer.outcome, principal, instant)
        charged = self._meter.charge(state.id, due, revision=state.revision, instant=instant)
        if isinstance(charged, Charged):
            found = Metered({**reading.used, **charged.before}, 0)
            return replace(answer, metered=found)
        return charged


def check_nothing_counted(supplied: Supplied) -> None:
    """Raise `Illegal` when the caller says what the server is to count."""
    for field, count in (("usage", supplied.usage), ("rate", supplied.rate)):
        if count is not None:
            raise Illegal(field, "is counted by the server when it is consumed: leave it out")


def _from_owner(on_owner: Owner, ask: Callable[[], Consumed | Contest]) -> Consumed | Contest:
    answers: list[Consumed | Contest] = []
    on_owner(lambda: answers.append(ask()))
    return answers[0]
