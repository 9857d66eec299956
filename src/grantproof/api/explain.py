"""Explanations: a request as `POST /evaluate` takes it, weighed against every claim on it.

Read and refused like a decision, but made by the reference, in a thread: it looks at all claims.
"""

import asyncio
from dataclasses import dataclass
from functools import partial

from grantproof.api.decisions import Decisions
from grantproof.api.problems import Refused, forbidden
from grantproof.api.questions import SingleQuestion, asked, read_single
from grantproof.api.recording import Diary
from grantproof.core.constraints import Context
from grantproof.core.index import Index
from grantproof.core.matching import Request
from grantproof.core.metering import Readings
from grantproof.core.model import Claim
from grantproof.core.policy import Deny
from grantproof.policyfile.answers import Explanation, WeighedClaim
from grantproof.service import review
from grantproof.service.callers import Caller
from grantproof.service.entering import NO_SESSION, Entered, is_for_session
from grantproof.service.outcomes import Ending
from grantproof.service.pdp import DecisionPoint, MeterUnread
from grantproof.service.pip import Supplied, situate


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question as it is to be weighed: on which state, in which context, on which counters."""

    index: Index
    inside: Entered
    supplied: Supplied
    context: Context
    readings: Readings


class Explanations:
    """Answers why and why not."""

    def __init__(self, decisions: Decisions, point: DecisionPoint) -> None:
        self._decisions = decisions
        self._point = point

    async def answer(self, body: bytes, caller: Caller, _: Diary | None) -> bytes:
        """Return the explanation of one question; raises `Refused` or `StoreError`.

        It decides nothing for anybody, so it is not logged.
        """
        question = read_single(body)
        said = asked(question, trusted=caller.trusted_context)
        prepared = await self.prepared(question, caller, said=said)
        ending, encoded = await asyncio.to_thread(partial(_explained, prepared))
        self._decisions.count(ending)
        return encoded

    async def prepared(
        self,
        question: SingleQuestion,
        caller: Caller,
        *,
        said: tuple[Request, Supplied],
        supposed: int | None = None,
    ) -> Prepared:
        """Return the question with all that bears on it; raises `Refused` or `StoreError`.

        `said` is what `asked` makes of it. It is asked at the instant that is `supposed` (epoch
        seconds), or now. From the last reading to the return nothing is awaited.
        """
        request, supplied = said
        index = await self._decisions.index(
            question.org_id, caller, at_least=question.at_least_revision
        )
        if index is None:
            raise Refused(forbidden(question.org_id))
        if question.session_id is not None:
            index = await self._decisions.sessions(index, (question,))
            if index is None:
                raise Refused(forbidden(question.org_id))
        instant = self._point.instant() if supposed is None else supposed
        inside = self._decisions.enter(index.state.id, request, question, instant=instant)
        request = inside.request
        try:
            readings = self._point.readings(index, request, supplied, instant=instant)
        except MeterUnread:
            index = await self._decisions.metered(index)
            if index is None:
                raise Refused(forbidden(question.org_id)) from None
            readings = self._point.readings(index, request, supplied, instant=instant)
        context = situate(instant, index.state.time_zone, supplied)
        return Prepared(index, inside, supplied, context, readings)


def explained(prepared: Prepared) -> review.Explanation:
    """Return what the reference says of the question: for a thread, as it looks at all claims."""
    state, request = prepared.index.state, prepared.inside.request
    return review.explain(state, request, prepared.context, readings=prepared.readings)


def _explained(prepared: Prepared) -> tuple[Ending, bytes]:
    """Return how the decision ended, and the explanation as the caller is told."""
    explanation = explained(prepared)
    decision = explanation.decision
    reason = decision.reason if isinstance(decision, Deny) else None
    instead = NO_SESSION if is_for_session(reason, prepared.inside) else None
    answer = Explanation.of(
        decision,
        effective_roles=explanation.effective_roles,
        active_roles=explanation.active_roles,
        claims=[
            WeighedClaim.of(one.claim, one.observations, active=one.active)
            for one in explanation.weighed
        ],
        revision=prepared.index.state.revision,
        decided_at=prepared.context.instant,
        instead=instead,
    )
    ending: Ending = Claim if reason is None else type(instead or reason)
    return ending, answer.model_dump_json().encode()
