"""The decision routes: plain ASGI in front of the router, in the same application.

Bytes, one strict parse, a lookup in the index that this loop owns, bytes. No middleware, no thread
and no database, unless the organization is not followed yet or a newer revision is demanded.
"""

import msgspec

from grantproof.api.evaluations import BatchEvaluation, ItemError, encode, evaluation
from grantproof.api.following import Following
from grantproof.api.problems import Problem, Refused, illegal, later
from grantproof.api.questions import Question, asked, read_batch, read_item, read_single
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import OrganizationId
from grantproof.core.index import Index
from grantproof.policyfile.answers import Evaluation
from grantproof.service.callers import Caller
from grantproof.service.pdp import DecisionPoint


class Decisions:
    """Answers single questions and batches; methods run on the loop that owns the indexes."""

    def __init__(self, decisions: DecisionPoint, following: Following) -> None:
        self._decisions = decisions
        self._following = following

    async def single(self, body: bytes, caller: Caller) -> bytes:
        """Return the answer to one question; raises `Refused` or `StoreError`."""
        question = read_single(body)
        index = self._known(question.org_id, caller)
        if index is None or index.state.revision < question.at_least_revision:
            index = await self.index(question.org_id, caller, at_least=question.at_least_revision)
        instant = self._decisions.instant()
        return encode(self._answer(index, question, caller=caller, instant=instant))

    async def batch(self, body: bytes, caller: Caller) -> bytes:
        """Return the answers to a batch, in its order; raises `Refused` or `StoreError`.

        From the instant on nothing is awaited: all are answered on one state.
        """
        batch = read_batch(body)
        index = await self.index(batch.org_id, caller, at_least=batch.at_least_revision)
        instant = self._decisions.instant()
        items = [
            self._item_answer(index, item, caller=caller, instant=instant) for item in batch.items
        ]
        revision = 0 if index is None else index.state.revision
        return encode(BatchEvaluation(items, revision, instant))

    async def index(self, organization: str, caller: Caller, *, at_least: int = 0) -> Index | None:
        """Return the index to ask; nothing for an organization that is absent or not the caller's.

        Raises `Refused` when its state is older than `at_least` even after catching up.
        """
        if not caller.may_see(organization):
            _legal(organization)
            return None
        index = self._following.known(organization)
        if index is None:
            index = await self._following.index(_legal(organization))
        if index is None or index.state.revision >= at_least:
            return index
        await self._following.catch_up(index.state.id)
        if index.state.revision < at_least:
            raise Refused(_older(at_least, index.state.revision))
        return index

    def _known(self, organization: str, caller: Caller) -> Index | None:
        """Return the index of an organization that is the caller's and followed already."""
        return self._following.known(organization) if caller.may_see(organization) else None

    def _item_answer(
        self, index: Index | None, item: Question | msgspec.Raw, *, caller: Caller, instant: int
    ) -> Evaluation | ItemError:
        try:
            question = item if isinstance(item, Question) else read_item(item)
            return self._answer(index, question, caller=caller, instant=instant)
        except Refused as refused:
            return ItemError(refused.problem.item())

    def _answer(
        self, index: Index | None, question: Question, *, caller: Caller, instant: int
    ) -> Evaluation:
        request, supplied = asked(question, trusted=caller.trusted_context)
        if index is None:
            answer = self._decisions.absent(instant)
        else:
            answer = self._decisions.decide(index, request, supplied, instant=instant)
        if not question.explain:
            return evaluation(answer, review=caller.review)
        proof = None
        if index is not None:
            proof = self._decisions.certify(index, request, supplied, answer=answer)
        return evaluation(answer, review=caller.review, certificate=proof)


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
