"""The decision routes: in front of the router, or where a plain question arrives.

Bytes, one strict parse, a lookup in the index that this loop owns, bytes. No middleware, no thread
and no database, unless the organization is not followed yet or a newer revision is demanded.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from grantproof.api.evaluations import ItemError, encode, evaluation
from grantproof.api.following import Following
from grantproof.api.glancing import Asking, Glances
from grantproof.api.problems import NOT_CURRENT, Problem, Refused, forbidden, illegal, later
from grantproof.api.questions import (
    PLAIN_NAMES,
    BatchQuestion,
    LooseBatch,
    PlainBatch,
    PlainQuestion,
    Question,
    SingleQuestion,
    read_batch,
    read_single,
    request_of,
    session_of,
    supplied_of,
    whole,
)
from grantproof.api.recording import Diary
from grantproof.core.certificate import Certificate
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import OrganizationId, SessionId
from grantproof.core.index import Index
from grantproof.core.matching import Request
from grantproof.core.metering import Readings
from grantproof.core.sessions import Session
from grantproof.policyfile.answers import Evaluation
from grantproof.service.callers import Caller
from grantproof.service.entering import Entered, InSession, SessionUnread, entered
from grantproof.service.outcomes import Ending, none
from grantproof.service.pdp import Answer, DecisionPoint, MeterUnread

READINGS_MAX: Final = 4
"""How often the sessions of a request are read: so often they may change while it is answered."""


class Decisions:
    """Answers single questions and batches; methods run on the loop that owns the indexes."""

    def __init__(self, decisions: DecisionPoint, following: Following) -> None:
        self._decisions = decisions
        self._sessions = following.sessions
        self._counted = decisions.outcomes.counts
        self._glances = Glances(decisions)
        self._following = following

    async def single(self, body: bytes, caller: Caller, diary: Diary | None) -> bytes:
        """Return the answer to one question; raises `Refused` or `StoreError`."""
        question = read_single(body)
        index = self._known(question.org_id, caller)
        if index is None or index.state.revision < question.at_least_revision:
            index = await self.index(question.org_id, caller, at_least=question.at_least_revision)
        while True:
            try:
                return self._single(index, question, caller, diary=diary)
            except MeterUnread:
                index = None if index is None else await self.metered(index)
            except SessionUnread:
                index = None if index is None else await self.sessions(index, (question,))

    def at_once(self, body: bytes, caller: Caller, diary: Diary | None) -> bytes | None:
        """Return the answer to one question, nothing if that takes waiting; raises `Refused`."""
        question = read_single(body)
        index = self._known(question.org_id, caller)
        if index is None or index.state.revision < question.at_least_revision:
            return None
        try:
            return self._single(index, question, caller, diary=diary)
        except (MeterUnread, SessionUnread):
            return None

    async def batch(self, body: bytes, caller: Caller, diary: Diary | None) -> bytes:
        """Return the answers to a batch, in its order; raises `Refused` or `StoreError`.

        From the instant on nothing is awaited: all are answered on one state.
        """
        batch = read_batch(body)
        names = PLAIN_NAMES if isinstance(batch, PlainBatch) else None
        index = await self.index(batch.org_id, caller, at_least=batch.at_least_revision)
        while True:
            revision = 0 if index is None else index.state.revision
            # Apart: what is asked anew, with counters, is not counted twice.
            asking = Asking(caller, self._decisions.instant(), diary, none())
            if diary is not None:
                diary.start(batch.org_id, instant=asking.instant, revision=revision, names=names)
            try:
                items = self._items(index, batch, asking)
            except MeterUnread:
                index = None if index is None else await self.metered(index)
            except SessionUnread:
                index = None if index is None else await self.sessions(index, batch.items)
            else:
                self._decisions.outcomes.add(asking.counted)
                return _joined(items, revision, asking.instant)

    def count(self, ending: Ending) -> None:
        """Count a decision that was made elsewhere and is answered now."""
        self._counted[ending] += 1

    def absent(self, question: SingleQuestion, caller: Caller, diary: Diary | None) -> Evaluation:
        """Return the answer about an organization that is absent or not the caller's."""
        asking = Asking(caller, self._decisions.instant(), diary, self._counted)
        if diary is not None:
            diary.start(question.org_id, instant=asking.instant, revision=0)
        return self._answer(None, question, asking)

    async def index_for(self, question: SingleQuestion, caller: Caller) -> Index:
        """Return the index to ask once the session of the question, if it names one, is known.

        Raises `StoreError`, and `Refused` also for an organization that is absent or not the
        caller's.
        """
        index = await self.index(question.org_id, caller, at_least=question.at_least_revision)
        if index is not None and question.session_id is not None:
            index = await self.sessions(index, (question,))
        if index is None:
            raise Refused(forbidden(question.org_id))
        return index

    async def with_counters(
        self, index: Index, read: Callable[[Index], Readings]
    ) -> tuple[Index, Readings]:
        """Return the counters that `read` reads, once they are followed, and the index it read.

        Raises `StoreError`, and `Refused` when the organization is gone by then.
        """
        while True:
            try:
                return index, read(index)
            except MeterUnread:
                followed = await self.metered(index)
            if followed is None:
                raise Refused(forbidden(index.state.id))
            index = followed

    async def metered(self, index: Index) -> Index | None:
        """Return the index once its counters are followed, or nothing when it is gone by then.

        Raises `StoreError`.
        """
        followed = await self._following.meter(index.state.id)
        return await self._following.index(index.state.id) if followed else None

    async def sessions(
        self, index: Index, asked_in: Sequence[PlainQuestion | msgspec.Raw]
    ) -> Index | None:
        """Return the index once the sessions of the questions are known; nothing if it is gone.

        Raises `StoreError`, and `Refused` when they are too old again before all are known.
        """
        organization, wanted = index.state.id, set(_sessions_of(asked_in))
        for _ in range(READINGS_MAX):
            await self._following.read_sessions(organization, wanted)
            found = await self._following.index(organization)
            # Looked at last: from here to the answer nothing is awaited.
            if all(self._sessions.find(organization, one) for one in wanted):
                return found
        raise Refused(NOT_CURRENT)

    def session(self, organization: OrganizationId, question: Question) -> Session | None:
        """Return the stored session that the question names; raises `SessionUnread`, `Refused`."""
        name = session_of(question)
        kept = None if name is None else self._sessions.find(organization, name)
        if kept is None:
            raise SessionUnread(name)
        return kept.session

    def enter(
        self, organization: OrganizationId, request: Request, question: Question, *, instant: int
    ) -> Entered:
        """Return the question as it is decided at the instant; raises as `session` does."""
        if question.session_id is None:
            return Entered(request)
        return entered(InSession(request, partial(self.session, organization, question)), instant)

    async def index(self, organization: str, caller: Caller, *, at_least: int = 0) -> Index | None:
        """Return the index to ask; nothing for an organization that is absent or not the caller's.

        Raises `Refused` when its state is still older than `at_least` after a short while, and
        `StoreError` when it is too old and cannot be confirmed.
        """
        if not caller.may_see(organization):
            _legal(organization)
            return None
        index = self._following.known(organization)
        if index is None:
            index = await self._following.index(_legal(organization))
        if index is None or index.state.revision >= at_least:
            return index
        index = await self._following.reach(index.state.id, at_least)
        if index is not None and index.state.revision < at_least:
            raise Refused(_older(at_least, index.state.revision))
        return index

    def _known(self, organization: str, caller: Caller) -> Index | None:
        """Return the index of an organization that is the caller's and followed already."""
        return self._following.known(organization) if caller.may_see(organization) else None

    def _single(
        self, index: Index | None, question: SingleQuestion, caller: Caller, *, diary: Diary | None
    ) -> bytes:
        if index is None:
            return encode(self.absent(question, caller, diary))
        asking = Asking(caller, self._decisions.instant(), diary, self._counted)
        if diary is not None:
            diary.start(question.org_id, instant=asking.instant, revision=index.state.revision)

        def closely(asked: PlainQuestion) -> str:
            return encode(self._answer(index, whole(asked), asking)).decode()

        (written,) = self._glances.answers(index, (question,), asking, closely=closely)
        return written.encode()

    def _items(
        self, index: Index | None, batch: PlainBatch | BatchQuestion | LooseBatch, asking: Asking
    ) -> list[str]:
        """Return the answers to a batch as they are written, in its order."""

        def closely(item: PlainQuestion | msgspec.Raw) -> str:
            try:
                return encode(self._answer(index, whole(item), asking)).decode()
            except Refused as refused:
                if asking.diary is not None:
                    asking.diary.skip()
                return encode(ItemError(refused.problem.item())).decode()

        if index is not None and not isinstance(batch, LooseBatch):
            plain, answers = isinstance(batch, PlainBatch), self._glances.answers
            return answers(index, batch.items, asking, closely=closely, plain=plain)
        return [closely(item) for item in batch.items]

    def _answer(self, index: Index | None, question: Question, asking: Asking) -> Evaluation:
        supplied = supplied_of(question, trusted=asking.caller.trusted_context)
        instant, request = asking.instant, request_of(question)
        if index is None:
            session_of(question)
            answer = self._decisions.absent(instant)
        elif question.session_id is not None:
            own = self.enter(index.state.id, request, question, instant=instant)
            request = own.request
            answer = self._decisions.decide_entered(index, own, supplied, instant=instant)
        else:
            answer = self._decisions.decide(index, request, supplied, instant=instant)
        proof: Certificate | UnsetType | None = UNSET
        if question.explain:
            proof = None
            if index is not None:
                proof = self._decisions.certify(index.state, request, supplied, answer=answer)
        return _told(question, answer, asking, request=request, certificate=proof)


def _joined(items: list[str], revision: int, instant: int) -> bytes:
    """Return the answer to a batch: a `BatchEvaluation`, of which the items are written already."""
    end = f'],"revision":{revision},"decided_at":{instant}}}'
    return ('{"items":[' + ",".join(items) + end).encode()


def _told(
    question: Question,
    answer: Answer,
    asking: Asking,
    *,
    request: Request | None = None,
    certificate: Certificate | UnsetType | None = UNSET,
) -> Evaluation:
    """Return the answer as its caller is told, counted and noted."""
    asking.counted[type(answer.outcome)] += 1
    if asking.diary is not None:
        asking.diary.note(question, answer, request=request)
    return evaluation(answer, review=asking.caller.review, certificate=certificate)


def _sessions_of(questions: Iterable[PlainQuestion | msgspec.Raw]) -> Iterator[SessionId]:
    """Yield the sessions that the questions name; what is malformed is told with its answer."""
    for question in questions:
        with suppress(Refused):
            name = session_of(whole(question))
            if name is not None:
                yield name


def _legal(organization: str) -> OrganizationId:
    try:
        return OrganizationId(organization)
    except Illegal as broken:
        raise Refused(illegal(broken)) from None


def _older(wanted: int, known: int) -> Problem:
    return later(
        "revision_not_reached",
        f"revision {wanted} is not known yet, the last one is {known}: try again",
    )
