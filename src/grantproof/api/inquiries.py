"""Questions about what is possible: who can, what can, why not, what is dead. They change nothing.

Whatever needs the solver, or time, is done apart from the process that serves.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import Query, Response
from starlette.concurrency import run_in_threadpool

from grantproof.api.access import INQUIRY
from grantproof.api.problems import Fault, Refused, forbidden, invalid, later, not_found
from grantproof.api.replies import told
from grantproof.api.running import Here, Running
from grantproof.api.schemas.inquiries import (
    Abilities,
    Ability,
    Conflicts,
    Dead,
    Diagnosis,
    Difference,
    NotGranted,
    Verdict,
    WhoCan,
    WhyNot,
)
from grantproof.api.scope import PREFIX, Own, State
from grantproof.api.standard_review import check_principal
from grantproof.api.strictness import strict_router
from grantproof.core.limits import EVENTS_SEARCHED_MAX, INTEGER_MAX
from grantproof.policyfile.fields import PrincipalField
from grantproof.service.past import TooFarBack, state_at
from grantproof.service.pip import situate, uncounted
from grantproof.service.solving import Undetermined

if TYPE_CHECKING:
    from grantproof.service.inquiries import Finding

TOO_FAR_BACK: Final = Fault(
    "from_revision", f"must be at most {EVENTS_SEARCHED_MAX} changes ago: compare copies instead"
)

router = strict_router(PREFIX, tag="questions", access=INQUIRY)


@router.post("/who-can", response_model=Ability)
def who_can(here: Here, state: State, body: WhoCan) -> Response:
    """Tell who is allowed an action: in the context that is given, or in any."""
    from grantproof.service import inquiries  # noqa: PLC0415 - it loads the solver

    instant, context = here.services.decisions.instant(), None
    if body.context is not None:
        context = situate(instant, state.time_zone, uncounted(body.context.supplied()))
    deed = inquiries.Deed(body.action, body.resource_id, body.resource_kind)
    work = partial(inquiries.who_can, state, deed, context, now=instant)
    return _answer(here, work)


@router.get("/principals/{principal}/abilities", response_model=Abilities)
def list_principal_abilities(here: Here, state: State, principal: PrincipalField) -> Response:
    """Tell what a principal can do, in any context: each of its claims, and what it is good for."""
    from grantproof.service import inquiries  # noqa: PLC0415 - it loads the solver

    check_principal(state, principal)
    instant = here.services.decisions.instant()
    return _answer(here, partial(inquiries.what_can, state, principal, now=instant))


@router.post("/why-not", response_model=Diagnosis)
async def why_not(org: Own, here: Here, body: WhyNot) -> Response:
    """Tell why a request is denied, and what would make it be allowed, the least first."""
    from grantproof.service import inquiries  # noqa: PLC0415 - it loads the solver

    request, supplied = body.request(), body.supplied()
    point = here.services.decisions
    instant = point.instant()
    index = await here.following.index(org)
    if index is None:
        raise Refused(forbidden(org))
    read = partial(point.readings, request=request, supplied=supplied, instant=instant)
    index, readings = await here.decisions.with_counters(index, read)
    context = situate(instant, index.state.time_zone, supplied)
    work = partial(inquiries.why_not, index.state, request, context, readings=readings)
    return await run_in_threadpool(_answer, here, work)


@router.post("/not-granted", response_model=Verdict)
def not_granted(here: Here, state: State, body: NotGranted) -> Response:
    """Tell whether nobody is ever allowed an access, by proof; otherwise who is, and how."""
    from grantproof.service import inquiries  # noqa: PLC0415 - it loads the solver

    instant = here.services.decisions.instant()
    return _answer(here, partial(inquiries.not_granted, state, body.core(), now=instant))


@router.get("/dead", response_model=Dead)
def list_dead(here: Here, state: State) -> Response:
    """Tell what is without effect: roles, claims and assignments."""
    from grantproof.service import inquiries  # noqa: PLC0415 - it loads the solver

    instant = here.services.decisions.instant()
    return _answer(here, partial(inquiries.dead, state, now=instant))


@router.get("/conflicts", response_model=Conflicts)
def list_conflicts(here: Here, state: State) -> Response:
    """Tell which roles separation of duty keeps everybody from."""
    from grantproof.service import inquiries  # noqa: PLC0415 - it loads the solver

    return _answer(here, partial(inquiries.conflicts, state))


@router.get("/diff", response_model=Difference)
def compare_with_an_earlier_state(
    here: Here, state: State, *, from_revision: Annotated[int, Query(ge=0, le=INTEGER_MAX)]
) -> Response:
    """Tell who has gained and who has lost what since a revision, over every context."""
    from grantproof.service import inquiries  # noqa: PLC0415 - it loads the solver

    if from_revision > state.revision:
        raise Refused(not_found("revision", str(from_revision)))
    try:
        before = state_at(here.services.store, state, from_revision, events_max=EVENTS_SEARCHED_MAX)
    except TooFarBack:
        raise Refused(invalid([TOO_FAR_BACK])) from None
    instant = here.services.decisions.instant()
    return _answer(here, partial(inquiries.compared, before, state, now=instant))


def _answer(here: Running, work: "Callable[[], Finding]") -> Response:
    """Return what comes of the work, done apart; raises `Refused` where that is not known."""
    found = here.services.solver.ask(work)
    if isinstance(found, Undetermined) or found.yes is None:
        raise Refused(later("undetermined", f"the answer is not known: {found.why}"))
    return told(found.document)
