"""Access evaluation, one question or several: the decisions of `POST /evaluate`, in other words.

https://openid.net/specs/authorization-api-1_0.html, sections 6 and 7.
"""

from typing import Final, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from grantproof.api import decisions, evaluations
from grantproof.api.authzen import shapes
from grantproof.api.authzen.meaning import AuthzenQuestion, Meaning
from grantproof.api.authzen.shapes import (
    AccessEvaluation,
    AccessEvaluations,
    Decision,
    DecisionContext,
    FaultContext,
    Item,
    ItemFault,
    Semantic,
    Undecided,
    encode,
)
from grantproof.api.problems import Fault, Problem, Refused, invalid
from grantproof.api.recording import Diary
from grantproof.api.validation import reader
from grantproof.core.index import Index
from grantproof.service.callers import Caller
from grantproof.service.outcomes import Counts, none
from grantproof.service.pdp import Answer, DecisionPoint, MeterUnread

SEMANTIC: Final = invalid(
    [Fault("options.evaluations_semantic", f"must be one of {', '.join(Semantic)}")]
)

Part = TypeVar("Part")


read_evaluation: Final = reader(AccessEvaluation)
read_evaluations: Final = reader(AccessEvaluations)
read_item: Final = reader(Item)


class Evaluations:
    """Answers one question and several; methods run on the loop that owns the indexes."""

    def __init__(
        self, following: decisions.Decisions, point: DecisionPoint, meaning: Meaning
    ) -> None:
        self._following = following
        self._point = point
        self._meaning = meaning

    async def single(
        self, body: bytes, caller: Caller, diary: Diary | None, *, organization: str
    ) -> bytes:
        """Return the answer to one question; raises `Refused` or `StoreError`."""
        question = read_evaluation(body)
        asked = self._asked(question, caller)
        index = await self._following.index(organization, caller)
        while True:
            instant = self._point.instant()
            try:
                answer = self._answer(index, asked, instant=instant)
            except MeterUnread:
                index = None if index is None else await self._following.metered(index)
                continue
            self._following.count(type(answer.outcome))
            if diary is not None:
                diary.start(organization, instant=instant, revision=answer.revision)
                diary.add(_put(asked), answer)
            return encode(decision_of(answer, review=caller.review))

    async def several(
        self, body: bytes, caller: Caller, diary: Diary | None, *, organization: str
    ) -> bytes:
        """Return the answers to several questions; raises `Refused` or `StoreError`.

        From the instant on nothing is awaited: all are answered on one state.
        """
        batch = read_evaluations(body)
        items = () if batch.evaluations is UNSET else batch.evaluations
        semantic = _semantic(batch)
        if len(items) == 0:
            return await self.single(body, caller, diary, organization=organization)
        index = await self._following.index(organization, caller)
        while True:
            # Apart: what is asked anew, with counters, is not counted twice.
            instant, counted, told = self._point.instant(), none(), list[Decision | Undecided]()
            if diary is not None:
                revision = 0 if index is None else index.state.revision
                diary.start(organization, instant=instant, revision=revision)
            try:
                for raw in items:
                    one = self._item(index, batch, raw, caller=caller, instant=instant)
                    told.append(_told(one, counted, caller, diary=diary))
                    if semantic.ends_with(told[-1].decision):
                        break
            except MeterUnread:
                index = None if index is None else await self._following.metered(index)
            else:
                self._point.outcomes.add(counted)
                return encode(shapes.Decisions(told))

    def _item(
        self,
        index: Index | None,
        whole: AccessEvaluations,
        raw: msgspec.Raw,
        *,
        caller: Caller,
        instant: int,
    ) -> tuple[AuthzenQuestion, Answer] | Problem:
        try:
            item = read_item(raw)
            asked = self._asked(
                AccessEvaluation(
                    _part(item.subject, whole.subject, "subject"),
                    _part(item.action, whole.action, "action"),
                    _part(item.resource, whole.resource, "resource"),
                    whole.context if item.context is UNSET else item.context,
                ),
                caller,
            )
        except Refused as refused:
            return refused.problem
        return asked, self._answer(index, asked, instant=instant)

    def _asked(self, question: AccessEvaluation, caller: Caller) -> AuthzenQuestion:
        return self._meaning.asked(
            question.subject,
            question.action,
            question.resource,
            context=question.context,
            may_override=caller.trusted_context,
        )

    def _answer(self, index: Index | None, asked: AuthzenQuestion, *, instant: int) -> Answer:
        if index is None:
            return self._point.absent(instant)
        return self._meaning.answer(self._point, index, asked, instant=instant)


def decision_of(answer: Answer, *, review: bool) -> Decision:
    """Return the answer for a caller with or without review scope."""
    told = evaluations.evaluation(answer, review=review)
    context = DecisionContext(
        told.reason,
        told.reason_code,
        told.revision,
        told.decided_at,
        told.valid_until,
        told.claim_id,
        told.meter_age,
    )
    return Decision(told.decision == "Allow", context)


def _told(
    one: tuple[AuthzenQuestion, Answer] | Problem,
    counted: Counts,
    caller: Caller,
    *,
    diary: Diary | None,
) -> Decision | Undecided:
    """Return an item's answer as the caller is told; one that is no question is denied."""
    if isinstance(one, Problem):
        if diary is not None:
            diary.skip()
        return Undecided(FaultContext(ItemFault(one.status, one.code, one.detail)))
    asked, answer = one
    counted[type(answer.outcome)] += 1
    if diary is not None:
        diary.add(_put(asked), answer)
    return decision_of(answer, review=caller.review)


def _put(asked: AuthzenQuestion) -> dict[str, object]:
    """Return what was asked, as the log has it: by the names of the own routes where they do."""
    return {
        "principal_id": asked.subject.id,
        "subject_type": asked.subject.type,
        "action": asked.action,
        "resource_id": asked.resource.id,
        "resource_kind": asked.resource.type,
        **asked.context,
    }


def _part(own: Part | UnsetType, common: Part | UnsetType, name: str) -> Part:
    """Return the item's own part, or all of the common one: they are not merged."""
    found = common if own is UNSET else own
    if found is UNSET:
        raise Refused(invalid([Fault(name, "is required")]))
    return found


def _semantic(batch: AccessEvaluations) -> Semantic:
    if batch.options is UNSET:
        return Semantic.EXECUTE_ALL
    try:
        return Semantic(batch.options.evaluations_semantic)
    except ValueError:
        raise Refused(SEMANTIC) from None
