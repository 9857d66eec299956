"""What-if questions: a decision in a supposed context, or after a supposed change.

Read like a decision and refused like a change; made by the reference, in a thread. Whoever may ask
may suppose anything, for nothing is counted, committed or logged.
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final

from msgspec import Meta
from pydantic import Field, ValidationError
from starlette.concurrency import run_in_threadpool

from grantproof.api.changes import command_of
from grantproof.api.decisions import Decisions
from grantproof.api.problems import Refused, rejected
from grantproof.api.questions import SingleQuestion, asked
from grantproof.api.recording import Diary
from grantproof.api.schemas.inquiries import Circumstances
from grantproof.api.schemas.requests import COMMAND_SCHEMA
from grantproof.api.scope import guarded
from grantproof.api.validation import malformed, reader
from grantproof.core.commands import Accepted, Rejected
from grantproof.core.commands.language import ChangeSet
from grantproof.core.constraints import Context
from grantproof.core.index import Index
from grantproof.core.limits import COMMANDS_PER_CHANGE_SET_MAX, INSTANT_MAX
from grantproof.core.matching import Request
from grantproof.core.metering import UNUSED, Readings
from grantproof.core.organization import Organization
from grantproof.core.policy import Decision, Deny
from grantproof.core.sessions import NoSession
from grantproof.policyfile.supposed_answers import WhatIf
from grantproof.service.authors import Author
from grantproof.service.callers import Caller
from grantproof.service.entering import NO_SESSION, Entered, is_for_session
from grantproof.service.guarding import Broken, Unjudged
from grantproof.service.pap import AdministrationPoint
from grantproof.service.pdp import DecisionPoint
from grantproof.service.supposing import Sides, Supposition, contexts_of, decide_both

ContextObject = Annotated[
    dict[str, Any],
    Meta(extra_json_schema={"$ref": "#/components/schemas/SupposedCircumstances"}),
]
CommandObject = Annotated[dict[str, Any], Meta(extra_json_schema=dict(COMMAND_SCHEMA))]
Commands = Annotated[
    list[CommandObject], Meta(min_length=1, max_length=COMMANDS_PER_CHANGE_SET_MAX)
]


class SupposedCircumstances(Circumstances):
    """A context that is supposed; what is left out is as the question says, or as it is now.

    `attributes` replace all that the question has.
    """

    instant: Annotated[int, Field(ge=0, le=INSTANT_MAX)] | None = None
    """When, in epoch seconds: hour and weekday are those of then unless they are supposed too."""


class WhatIfQuestion(SingleQuestion, forbid_unknown_fields=True, frozen=True, gc=False):
    """A question, and what is supposed: another `context`, `commands` as a change set has them.

    The question itself may say hour, weekday, usage and rate too: no trust is asked for.
    """

    context: ContextObject | None = None
    commands: Commands | None = None


read_what_if: Final = reader(WhatIfQuestion)


class Suppositions:
    """Answers what would be decided."""

    def __init__(
        self, decisions: Decisions, point: DecisionPoint, administration: AdministrationPoint
    ) -> None:
        self._decisions = decisions
        self._point = point
        self._administration = administration

    async def answer(self, body: bytes, caller: Caller, _: Diary | None) -> bytes:
        """Return both decisions; raises `Refused` or `StoreError`."""
        question = read_what_if(body)
        request, said = asked(question, trusted=True)
        supposed = _supposition(question.context)
        index = await self._decisions.index_for(question, caller)
        instant = self._point.instant()
        then = instant if supposed.instant is None else supposed.instant
        enter = partial(self._decisions.enter, index.state.id, request, question)
        inside = (enter(instant=instant), enter(instant=then))
        requests = (inside[0].request, inside[1].request)

        def contexts(index: Index) -> tuple[Context, Context]:
            return contexts_of(instant, index.state.time_zone, said, supposed=supposed)

        def read(index: Index) -> Readings:
            always = question.commands is not None
            return self._readings(index, requests, contexts(index), always=always)

        index, readings = await self._decisions.with_counters(index, read)
        state = index.state
        deciding = partial(
            decide_both, state, requests=requests, contexts=contexts(index), readings=readings
        )
        asked_for = question.commands
        return await run_in_threadpool(
            self._told, state, asked_for, deciding, inside=inside, by=caller.author
        )

    def _readings(
        self,
        index: Index,
        requests: tuple[Request, Request],
        contexts: tuple[Context, Context],
        *,
        always: bool,
    ) -> Readings:
        """Return the counters that may bear on it; raises `MeterUnread`.

        An organization without metered claims costs none, but where a change is supposed: `always`
        says that there may be such claims after it.
        """
        asked = zip(requests, contexts, strict=True)
        if always or any(index.ask(*one).metered for one in asked):
            return self._point.counters(index.state.id, requests[0].principal)
        return UNUSED

    def _told(
        self,
        state: Organization,
        commands: list[dict[str, Any]] | None,
        deciding: Callable[[Organization], Sides],
        *,
        inside: tuple[Entered, Entered],
        by: Author,
    ) -> bytes:
        """Return what is answered where the commands, if any, are done; raises `Refused`.

        They are read here, and not on the loop, because they may be many.
        """
        supposed = state if commands is None else self._after(state, _change(commands), by=by)
        sides = deciding(supposed)
        answer = WhatIf.of(
            sides.before,
            sides.after,
            at=(sides.now, sides.then),
            revision=state.revision,
            instead=(_instead(sides.before, inside[0]), _instead(sides.after, inside[1])),
        )
        return answer.model_dump_json().encode()

    def _after(self, state: Organization, change: ChangeSet, *, by: Author) -> Organization:
        outcome = self._administration.suppose(state, change, by=by)
        match outcome:
            case Accepted(state=after):
                return after
            case Rejected(refusal):
                raise Refused(rejected(refusal))
            case Broken() | Unjudged():
                raise Refused(guarded(outcome))


def _instead(decision: Decision, inside: Entered) -> NoSession | None:
    is_denied = isinstance(decision, Deny) and is_for_session(decision.reason, inside)
    return NO_SESSION if is_denied else None


def _supposition(context: dict[str, Any] | None) -> Supposition:
    """Return what is supposed of the context; raises `Refused`."""
    if context is None:
        return Supposition()
    try:
        read = SupposedCircumstances.model_validate(context)
    except ValidationError as error:
        raise Refused(malformed(error, inside=("context",))) from None
    return Supposition(read.supplied(), read.instant)


def _change(commands: list[dict[str, Any]]) -> ChangeSet:
    """Return the change that is supposed; raises `Refused`."""
    return ChangeSet(tuple(command_of(item, place) for place, item in enumerate(commands)))
