"""Explanations: a request as `POST /evaluate` takes it, weighed against every claim on it.

Read and refused like a decision, but made by the reference, in a thread: it looks at all claims.
"""

import asyncio

from grantproof.api.decisions import Decisions
from grantproof.api.problems import Refused, forbidden
from grantproof.api.questions import asked, read_single
from grantproof.core.constraints import Context
from grantproof.core.matching import Request
from grantproof.core.organization import Organization
from grantproof.policyfile.answers import Explanation, WeighedClaim
from grantproof.service import review
from grantproof.service.callers import Caller
from grantproof.service.pdp import DecisionPoint
from grantproof.service.pip import situate


class Explanations:
    """Answers why and why not."""

    def __init__(self, decisions: Decisions, point: DecisionPoint) -> None:
        self._decisions = decisions
        self._point = point

    async def answer(self, body: bytes, caller: Caller) -> bytes:
        """Return the explanation of one question; raises `Refused` or `StoreError`."""
        question = read_single(body)
        request, supplied = asked(question, trusted=caller.trusted_context)
        index = await self._decisions.index(
            question.org_id, caller, at_least=question.at_least_revision
        )
        if index is None:
            raise Refused(forbidden(question.org_id))
        context = situate(self._point.instant(), index.state.time_zone, supplied)
        return await asyncio.to_thread(_explained, index.state, request, context)


def _explained(state: Organization, request: Request, context: Context) -> bytes:
    explanation = review.explain(state, request, context)
    answer = Explanation.of(
        explanation.decision,
        effective_roles=explanation.effective_roles,
        active_roles=explanation.active_roles,
        claims=[
            WeighedClaim.of(one.claim, one.observations, active=one.active)
            for one in explanation.weighed
        ],
        revision=state.revision,
        decided_at=context.instant,
    )
    return answer.model_dump_json().encode()
