"""Explanations: a request as `POST /evaluate` takes it, weighed against every claim on it.

Read and refused like a decision, but made by the reference, in a thread: it looks at all claims.
"""

import asyncio
from dataclasses import dataclass
from functools import partial

from grantproof.api.decisions import Decisions
from grantproof.api.questions import SingleQuestion, asked, read_single
from grantproof.api.recording import Diary
from grantproof.core.constraints import Context
from grantproof.core.index import Index
from grantproof.core.matching import Request
from grantproof.core.metering import Readings
from grantproof.service.callers import Caller
from grantproof.service.entering import Entered
from grantproof.service.explaining import explained
from grantproof.service.outcomes import Ending
from grantproof.service.pdp import DecisionPoint
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
        index = await self._decisions.index_for(question, caller)
        instant = self._point.instant() if supposed is None else supposed
        inside = self._decisions.enter(index.state.id, request, question, instant=instant)
        read = partial(
            self._point.readings, request=inside.request, supplied=supplied, instant=instant
        )
        index, readings = await self._decisions.with_counters(index, read)
        context = situate(instant, index.state.time_zone, supplied)
        return Prepared(index, inside, supplied, context, readings)


def _explained(prepared: Prepared) -> tuple[Ending, bytes]:
    """Return how the decision ended, and the explanation as the caller is told."""
    state, inside = prepared.index.state, prepared.inside
    ending, answer = explained(state, inside, prepared.context, readings=prepared.readings)
    return ending, answer.model_dump_json().encode()
