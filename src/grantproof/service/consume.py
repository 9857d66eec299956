"""Consuming: decide and count in one step, so that usage never exceeds a limit. P-CONSUME.

The counters are read at one revision; the first claim with room is charged, if its counters are
still below their limits and the organization is still at that revision. Whoever loses looks again:
the next claim is tried, or the request is denied by what the counters say now.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar, assert_never, overload

from grantproof.core.certificate import Certificate
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import OrganizationId
from grantproof.core.index import Index
from grantproof.core.limits import CHARGE_ATTEMPTS_MAX
from grantproof.core.matching import Request
from grantproof.core.metering import charges
from grantproof.core.model import Claim
from grantproof.core.organization import Organization
from grantproof.service.attempts import Attempts
from grantproof.service.entering import InSession, entered
from grantproof.service.meter import Charged, Keeping, Meter, Uncharged
from grantproof.service.pap import Contended
from grantproof.service.pdp import Answer, Contest, DecisionPoint, Metered, told_of_session
from grantproof.service.pip import Supplied
from grantproof.service.ports import Backoff
from grantproof.service.receipts import (
    RECEIPT_SECONDS,
    Consumption,
    InProgress,
    KeyReused,
    Pledge,
    Retold,
    Underway,
    retold,
)
from grantproof.service.snapshots import Owner, Snapshots

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Consumed:
    """An answer, what was charged with it included, and the state and request it was made on.

    Neither where there is no such organization.
    """

    answer: Answer
    state: Organization | None
    request: Request | None = None


@dataclass(frozen=True, slots=True)
class Keyed:
    """What makes a use be counted once: its pledge, and `tell`, which writes its answer down.

    `tell` is quick and pure: others wait for the meter meanwhile.
    """

    pledge: Pledge
    tell: Callable[[Consumed], str]

    def keeping(self, consumed: Callable[[Charged], Consumed]) -> Keeping:
        """Return what the meter is to keep with the charge."""
        return Keeping(self.pledge, lambda charged: self.tell(consumed(charged)))


Again = Retold | KeyReused | InProgress
"""What becomes of a use under a key, where it is not consumed by this call."""


CHARGED: Final = "charged"
UNCHARGED: Final = "uncharged"
REJECTED: Final = "rejected"
CONFLICT: Final = "conflict"
ENDINGS: Final = (CHARGED, UNCHARGED, REJECTED, CONFLICT)
"""How a use is counted by what became of it; one that is told again is not counted again."""


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
        self._underway = Underway()
        self.attempts = Attempts(ENDINGS)

    @overload
    def consume(
        self, organization: OrganizationId, request: Request | InSession, supplied: Supplied
    ) -> Consumed | Contended: ...

    @overload
    def consume(
        self,
        organization: OrganizationId,
        request: Request | InSession,
        supplied: Supplied,
        *,
        keyed: Keyed | None,
    ) -> Consumed | Contended | Again: ...

    def consume(
        self,
        organization: OrganizationId,
        request: Request | InSession,
        supplied: Supplied,
        *,
        keyed: Keyed | None = None,
    ) -> Consumed | Contended | Again:
        """Decide the request and count it if it is allowed by a metered claim.

        An allow is counted, durably, for the claim that it names and for no other; a deny, and one
        that is contended, counts nothing. Of all calls with one pledge, within a day, one counts:
        its answer is kept in the transaction of the charge. What counts nothing keeps nothing, and
        may be asked again under its key. Raises `Illegal` when usage or rate is supplied, and
        `SessionUnread` when the request is asked in a session that has to be read.
        """
        check_nothing_counted(supplied)
        with self.attempts.at_store():
            consumed = self._consumed(organization, request, supplied, keyed=keyed)
        ending = _ending(consumed)
        if ending is not None:
            self.attempts.count(ending)
        return consumed

    def _consumed(
        self,
        organization: OrganizationId,
        request: Request | InSession,
        supplied: Supplied,
        *,
        keyed: Keyed | None,
    ) -> Consumed | Contended | Again:
        """Consume, alone under its key."""
        if keyed is None:
            return self._consume(organization, request, supplied, keyed=None)
        pledge = keyed.pledge
        with self._underway.alone(organization, pledge.actor, pledge.once) as alone:
            if not alone:
                return InProgress()
            return self._consume(organization, request, supplied, keyed=keyed)

    def _consume(
        self,
        organization: OrganizationId,
        request: Request | InSession,
        supplied: Supplied,
        *,
        keyed: Keyed | None,
    ) -> Consumed | Contended | Again:
        for attempt in range(CHARGE_ATTEMPTS_MAX):
            if attempt > 0:
                self.attempts.retry()
            answer = self._attempted(organization, request, supplied, keyed=keyed)
            if not isinstance(answer, Uncharged):
                return answer
            if answer is Uncharged.STALE:
                self._snapshots.catch_up(organization)
                self._backoff.wait(attempt)
        return Contended(CHARGE_ATTEMPTS_MAX)

    def certify(self, consumed: Consumed, supplied: Supplied) -> Certificate | None:
        """Return the certificate of an allow, with the counts that it found."""
        state, request = consumed.state, consumed.request
        if state is None or request is None:
            return None
        return self._decisions.certify(state, request, supplied, answer=consumed.answer)

    def _attempted(
        self,
        organization: OrganizationId,
        request: Request | InSession,
        supplied: Supplied,
        *,
        keyed: Keyed | None,
    ) -> Consumed | Again | Uncharged:
        """Return the answer, charged if it is to be; or why another attempt is due."""
        index = self._snapshots.load(organization)
        if index is None:
            absent = self._decisions.absent(self._decisions.instant())
            return self._uncounted(organization, Consumed(absent, None), keyed)
        opened = self._opened(index, request, supplied)
        if isinstance(opened, Consumed):
            return self._uncounted(organization, opened, keyed)
        return opened if isinstance(opened, Uncharged) else self._settled(index, opened, keyed)

    def _opened(
        self, index: Index, request: Request | InSession, supplied: Supplied
    ) -> Consumed | Contest | Uncharged:
        """Return the contest, or the answer where no counter matters; or that the index is gone."""
        instant = self._decisions.instant()

        def ask() -> Consumed | Contest | Uncharged:
            if not self._snapshots.holds(index):
                return Uncharged.STALE
            own = entered(request, instant)
            opened = self._decisions.open(
                index, own.request, supplied, instant=instant, ends=own.ends
            )
            if isinstance(opened, Contest):
                return opened
            return Consumed(told_of_session(opened, own), index.state, own.request)

        return _from_owner(self._on_owner, ask)

    def _settled(
        self, index: Index, contest: Contest, keyed: Keyed | None
    ) -> Consumed | Again | Uncharged:
        """Return the answer, charged if it is an allow; or why another attempt is due."""
        state, principal = contest.state, contest.request.principal
        instant = contest.context.instant
        reading = self._meter.read(state.id, principal, instant=instant)
        if reading is None or reading.revision != state.revision:
            return Uncharged.STALE
        # One that was found not valid while the counters were read is not to be answered by.
        if not self._snapshots.holds(index):
            return Uncharged.STALE
        answer = self._decisions.settle(contest, reading.used, age=0)
        if not isinstance(answer.outcome, Claim):
            return self._uncounted(state.id, Consumed(answer, state, contest.request), keyed)

        def consumed(charged: Charged) -> Consumed:
            found = Metered({**reading.used, **charged.before}, 0)
            return Consumed(answer._replace(metered=found), state, contest.request)

        due = charges(answer.outcome, principal, instant)
        done = self._meter.charge(
            state.id,
            due,
            revision=state.revision,
            instant=instant,
            keeping=None if keyed is None else keyed.keeping(consumed),
        )
        if isinstance(done, Charged):
            return consumed(done)
        if isinstance(done, Consumption):
            # Nothing is kept but under a key.
            return KeyReused() if keyed is None else retold(done, keyed.pledge.once)
        return done

    def _uncounted(
        self, organization: OrganizationId, consumed: Consumed, keyed: Keyed | None
    ) -> Consumed | Again:
        """Return the answer that counts nothing, or what became of the same key before."""
        if keyed is None:
            return consumed
        # INVARIANT: looked for after the counters were read. Whoever used up what is found used up
        # has kept its answer by then.
        pledge = keyed.pledge
        known = self._meter.consumption(
            organization,
            actor=pledge.actor,
            key=pledge.once.key,
            after=consumed.answer.decided_at - RECEIPT_SECONDS,
        )
        return consumed if known is None else retold(known, pledge.once)


def _ending(consumed: Consumed | Contended | Again) -> str | None:
    """Return how the use is counted; nothing for one that is told again."""
    match consumed:
        case Consumed(answer):
            # Only an allow that rests on counters has charged them.
            return CHARGED if answer.allowed and answer.metered is not None else UNCHARGED
        case Contended() | InProgress():
            return CONFLICT
        case KeyReused():
            return REJECTED
        case Retold():
            return None
        case _ as never:
            assert_never(never)


def check_nothing_counted(supplied: Supplied) -> None:
    """Raise `Illegal` when the caller says what the server is to count."""
    for field, count in (("usage", supplied.usage), ("rate", supplied.rate)):
        if count is not None:
            raise Illegal(field, "is counted by the server when it is consumed: leave it out")


def _from_owner(on_owner: Owner, ask: Callable[[], Result]) -> Result:
    answers: list[Result] = []
    on_owner(lambda: answers.append(ask()))
    return answers[0]
