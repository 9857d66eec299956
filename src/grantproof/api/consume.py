"""`POST /evaluate/consume`: a decision that is counted, in a thread, for it writes to the database.

Read and refused like `POST /evaluate`, but what the server counts may not be supplied by anybody.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from msgspec import UNSET

from grantproof.api.conditions import unmet
from grantproof.api.decisions import READINGS_MAX, Decisions
from grantproof.api.evaluations import encode, evaluation
from grantproof.api.problems import NOT_CURRENT, Refused, illegal, later
from grantproof.api.questions import SingleQuestion, asked, read_single
from grantproof.api.recording import Diary
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import OrganizationId
from grantproof.core.index import Index
from grantproof.core.matching import Request
from grantproof.service.callers import Caller
from grantproof.service.consume import (
    Consumed,
    ConsumptionPoint,
    Keyed,
    check_nothing_counted,
)
from grantproof.service.entering import InSession, SessionUnread
from grantproof.service.pap import Contended
from grantproof.service.pip import Supplied
from grantproof.service.receipts import InProgress, KeyReused, Once, Pledge, Retold

THREADS: Final = 4
"""Writers take turns: more of them would only wait in the database instead of here."""


Counted = tuple[Consumed | None, bytes]
"""What was consumed, unless it is told again, and what the caller is told."""


class Consumptions:
    """Answers and counts. Methods run on the loop, what they hand to threads says so."""

    def __init__(self, decisions: Decisions, point: ConsumptionPoint) -> None:
        self._decisions = decisions
        self._point = point
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="grantproof-consume")

    async def answer(
        self, body: bytes, caller: Caller, diary: Diary | None, *, once: Once | None = None
    ) -> bytes:
        """Return the answer to one question, counted if it is an allow by a metered claim.

        What is asked `once` gets the answer that was counted, however often it is asked.
        Raises `Refused` or `StoreError`; then nothing was counted.
        """
        question = read_single(body)
        request, supplied = _asked(question, trusted=caller.trusted_context)
        index = await self._decisions.index(
            question.org_id, caller, at_least=question.at_least_revision
        )
        if index is None:
            return encode(self._decisions.absent(question, caller, diary))
        pledge = None if once is None else Pledge(caller.author.actor, once)
        organization = index.state.id
        own: Request | InSession = request
        if question.session_id is not None:
            find = partial(self._decisions.session, organization, question)
            own = InSession(request, find)
        consume = partial(
            self._consumed,
            organization,
            own,
            supplied,
            review=caller.review,
            explain=question.explain,
            pledge=pledge,
        )
        consumed, encoded = await self._counted(consume, index, question)
        answer = None if consumed is None else consumed.answer
        # An answer that is told again is no decision, and was noted when it was made.
        if answer is not None:
            self._decisions.count(type(answer.outcome))
        if diary is not None and consumed is not None:
            made = consumed.answer
            diary.start(question.org_id, instant=made.decided_at, revision=made.revision)
            diary.note(question, made, request=consumed.request)
        return encoded

    def close(self) -> None:
        """Wait for the threads; not on the loop, which they may be waiting for."""
        self._threads.shutdown()

    async def _counted(
        self, consume: Callable[[], Counted], index: Index, question: SingleQuestion
    ) -> Counted:
        """Consume, in a thread, once the session of the question is known."""
        for _ in range(READINGS_MAX):
            counting = asyncio.get_running_loop().run_in_executor(self._threads, consume)
            try:
                # What is counted is counted, also for a caller that goes away.
                return await asyncio.shield(counting)
            except SessionUnread:
                await self._decisions.sessions(index, (question,))
        raise Refused(NOT_CURRENT)

    def _consumed(
        self,
        organization: OrganizationId,
        request: Request | InSession,
        supplied: Supplied,
        *,
        review: bool,
        explain: bool,
        pledge: Pledge | None,
    ) -> Counted:
        """Consume, in a thread; return the answer, unless told again, and as the caller is told."""

        def tell(consumed: Consumed) -> bytes:
            proof = self._point.certify(consumed, supplied) if explain else UNSET
            return encode(evaluation(consumed.answer, review=review, certificate=proof))

        keyed = None if pledge is None else Keyed(pledge, lambda found: tell(found).decode())
        match self._point.consume(organization, request, supplied, keyed=keyed):
            case Contended(attempts):
                detail = f"lost {attempts} races, nothing was counted: try again"
                raise Refused(later("contended", detail))
            case Retold(told):
                return None, told.encode()
            case KeyReused() | InProgress() as hindered:
                raise Refused(unmet(hindered))
            case Consumed() as consumed:
                return consumed, tell(consumed)


def _asked(question: SingleQuestion, *, trusted: bool) -> tuple[Request, Supplied]:
    counts = Supplied(usage=question.usage, rate=question.rate)
    try:
        check_nothing_counted(counts)
    except Illegal as broken:
        raise Refused(illegal(broken)) from None
    return asked(question, trusted=trusted)
