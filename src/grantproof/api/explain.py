"""Explanations: a request as `POST /evaluate` takes it, weighed against every claim on it.

Read and refused like a decision, but made by the reference, in a thread: it looks at all claims.
"""

import asyncio
from functools import partial

from grantproof.api.decisions import Decisions
from grantproof.api.questions import asked, read_single
from grantproof.api.recording import Diary
from grantproof.core.constraints import Context
from grantproof.core.metering import Readings
from grantproof.core.organization import Organization
from grantproof.service.callers import Caller
from grantproof.service.entering import Entered
from grantproof.service.explaining import explained
from grantproof.service.outcomes import Ending
from grantproof.service.pdp import DecisionPoint
from grantproof.service.pip import situate


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
        request, supplied = asked(question, trusted=caller.trusted_context)
        index = await self._decisions.index_for(question, caller)
        instant = self._point.instant()
        inside = self._decisions.enter(index.state.id, request, question, instant=instant)
        read = partial(
            self._point.readings, request=inside.request, supplied=supplied, instant=instant
        )
        index, readings = await self._decisions.with_counters(index, read)
        context = situate(instant, index.state.time_zone, supplied)
        ending, encoded = await asyncio.to_thread(
            partial(_explained, index.state, inside, context, readings=readings)
        )
        self._decisions.count(ending)
        return encoded


def _explained(
    state: Organization, inside: Entered, context: Context, *, readings: Readings
) -> tuple[Ending, bytes]:
    """Return how the decision ended, and the explanation as the caller is told."""
    ending, answer = explained(state, inside, context, readings=readings)
    return ending, answer.model_dump_json().encode()
