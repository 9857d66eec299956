"""Usage: what was counted by `POST /evaluate/consume`, and setting it back."""

from typing import Annotated, Final, cast

import structlog
from fastapi import Query, Request, Response

from grantproof.api.access import ADMINISTRATION
from grantproof.api.problems import Fault, Refused, invalid, not_found
from grantproof.api.replies import SEPARATOR, WantedPage, cursor, paged, shown
from grantproof.api.running import Calling, Here
from grantproof.api.schemas.pages import Page
from grantproof.api.schemas.usage import Reset
from grantproof.api.scope import PREFIX, State
from grantproof.api.strictness import strict_router
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import ClaimId, PrincipalId
from grantproof.core.limits import INSTANT_MAX
from grantproof.core.metering import SPANS, Counter, Span
from grantproof.core.organization import Organization
from grantproof.policyfile.answers import Usage
from grantproof.policyfile.fields import ClaimField, PrincipalField

OfPrincipal = Annotated[PrincipalField | None, Query(description="of this principal only")]
OfClaim = Annotated[ClaimField | None, Query(description="of this claim only")]

WHOSE: Final = invalid([Fault("principal", "is required, or `claim`: name whose usage to reset")])

router = strict_router(f"{PREFIX}/usage", tag="usage", access=ADMINISTRATION)

log = structlog.get_logger(__name__)


@router.get("", response_model=Page[Usage])
def list_usage(
    here: Here,
    state: State,
    wanted: WantedPage,
    *,
    principal: OfPrincipal = None,
    claim: OfClaim = None,
) -> Response:
    """List what is counted now, by principal, then claim: exact, read from the database."""
    found = here.services.store.meter.usage(
        state.id,
        instant=here.services.decisions.instant(),
        principal=principal,
        claim=claim,
        after=cursor(wanted, _counter),
        limit=wanted.limit + 1,
    )
    page = found[: wanted.limit]
    items = [Usage.of(one, times, claim=state.claims.get(one.claim)) for one, times in page]
    end = SEPARATOR.join(map(str, page[-1].counter)) if len(found) > wanted.limit else None
    return paged(list(items), state.revision, next_after=end)


@router.delete("", response_model=Reset)
def reset_usage(
    here: Here,
    caller: Calling,
    state: State,
    *,
    request: Request,
    principal: OfPrincipal = None,
    claim: OfClaim = None,
) -> Response:
    """Set to 0 what is counted now of a principal, of a claim, or of a principal's use of one."""
    if principal is None and claim is None:
        raise Refused(WHOSE)
    _check_there(state, principal, claim)
    reset = here.services.store.meter.reset(
        state.id,
        instant=here.services.decisions.instant(),
        principal=principal,
        claim=claim,
    )
    log.info(
        "usage reset",
        organization=state.id,
        principal=principal,
        claim=claim,
        actor=caller.author.actor,
        request_id=request.state.request_id,
        counters=reset,
    )
    return shown(Reset(counters=reset), state.revision)


def _check_there(state: Organization, principal: PrincipalId | None, claim: ClaimId | None) -> None:
    if principal is not None and principal not in state.principals:
        raise Refused(not_found("principal", principal))
    if claim is not None and claim not in state.claims:
        raise Refused(not_found("claim", claim))


def _counter(text: str) -> Counter:
    principal, claim, span, start = text.split(SEPARATOR)
    counter = Counter(PrincipalId(principal), ClaimId(claim), cast(Span, span), int(start))
    if counter.span not in SPANS or not 0 <= counter.start <= INSTANT_MAX:
        raise Illegal("after", "must name a counter")
    return counter
