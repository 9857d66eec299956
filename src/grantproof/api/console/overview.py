"""What there is: the organizations of an operator, and what one of them holds and when it moved."""

from typing import Annotated, Final

from fastapi import Query, Request
from starlette.responses import Response

from grantproof.api.access import ADMINISTRATION, CONSOLE, ORGANIZATIONS
from grantproof.api.console.places import ORGANIZATION, address
from grantproof.api.console.rendering import page, redirect
from grantproof.api.console.visits import Visit, Visiting
from grantproof.api.problems import Refused
from grantproof.api.replies import CURSOR
from grantproof.api.running import Calling, Here, Running
from grantproof.api.strictness import strict_router
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import OrganizationId
from grantproof.core.limits import STRING_LENGTH_MAX
from grantproof.service import holdings
from grantproof.service.expiring import SECONDS_A_DAY
from grantproof.service.history import Entry, EventQuery
from grantproof.service.ports import OrganizationSummary

LISTED: Final = 50
"""So many organizations stand on a page."""
DAYS: Final = 30
"""So many days ahead is soon."""

LABELS: Final = {
    "principals": "principals",
    "groups": "groups",
    "roles": "roles",
    "claims": "claims",
    "resources": "resources",
    "assignments": "assignments",
    "sod_sets": "separation-of-duty sets",
    "guardrails": "guardrails",
}
"""What is counted, in the words of the pages."""

router = strict_router(CONSOLE, tag="console", access=ORGANIZATIONS, in_document=False)
within = strict_router(ORGANIZATION, tag="console", access=ADMINISTRATION, in_document=False)

Search = Annotated[str, Query(max_length=STRING_LENGTH_MAX, description="how the id begins")]
After = Annotated[str, Query(max_length=STRING_LENGTH_MAX, description="the last id before")]


@router.get("")
def organizations(
    request: Request, here: Here, caller: Calling, *, q: Search = "", after: After = ""
) -> Response:
    """List the organizations; who is bound to one is shown that one."""
    if caller.organization is not None:
        return redirect(address("orgs", caller.organization))
    found = _beginning(here, q.strip(), after)
    more = len(found) > LISTED
    return page(
        request,
        "organizations.html",
        q=q.strip(),
        found=found[:LISTED],
        more_after=found[LISTED - 1].id if more else None,
        is_first=after == "",
    )


@within.get("")
def overview(visit: Visiting) -> Response:
    """Show what an organization holds, when it moved last, and what wants a look."""
    state = visit.state
    counted = holdings.counts(state)
    is_large = holdings.is_large(counted)
    now = visit.here.services.decisions.instant()
    soon = DAYS * SECONDS_A_DAY
    return visit.page(
        "overview.html",
        state=state,
        counts=[(LABELS[sort], number) for sort, number in counted.items()],
        last=_last(visit),
        ending=None if is_large else holdings.ending(state, instant=now, within=soon),
        idle=None if is_large else holdings.idle(state),
        days=DAYS,
        looked_at_max=holdings.LOOKED_AT_MAX,
        age=visit.here.following.freshness.age(),
        is_current=visit.here.following.freshness.is_whole(),
        verification=visit.here.services.verification,
    )


def _beginning(here: Running, start: str, after: str) -> tuple[OrganizationSummary, ...]:
    """Return what a page lists of the organizations whose ids begin so, and one more."""
    try:
        first = OrganizationId(start) if start else None
        last = OrganizationId(after) if after else None
    except Illegal:
        if after:
            raise Refused(CURSOR) from None
        # No id has what was typed.
        return ()
    exact: tuple[OrganizationSummary, ...] = ()
    if first is not None and last is None:
        index = here.services.snapshots.load(first)
        if index is not None:
            state = index.state
            exact = (OrganizationSummary(state.id, state.revision, state.time_zone),)
    found = here.services.store.summaries(after=last or first, limit=LISTED + 1 - len(exact))
    return (*exact, *(one for one in found if one.id.startswith(start)))


def _last(visit: Visit) -> Entry | None:
    """Return the event that led to what is shown."""
    query = EventQuery(after=visit.state.revision - 1)
    found = visit.here.services.store.entries(visit.state.id, query, limit=1)
    return found[0] if found else None
