"""Reviews of people below `/review`: who has what and why, what ends soon, who comes near a breach.

Pages of one state at one instant, and the access review as a file that is written as it is sent.
"""

from heapq import nsmallest
from itertools import islice
from typing import Annotated, Final

from fastapi import Depends, Query, Response
from fastapi.responses import StreamingResponse

from grantproof.api.access import ADMINISTRATION
from grantproof.api.conditions import ETAG
from grantproof.api.problems import Fault, Refused, invalid, not_found
from grantproof.api.replies import SEPARATOR, WantedPage, etag, told_page
from grantproof.api.running import Here
from grantproof.api.schemas.pages import Page
from grantproof.api.schemas.review import AccessWay, DutyStanding, HolderOfSet, TimedAssignment
from grantproof.api.scope import PREFIX, State
from grantproof.api.sod_sets import NOUN
from grantproof.api.standard_review import (
    KindQuery,
    check_principal,
    check_resource,
    check_role,
)
from grantproof.api.strictness import strict_router
from grantproof.core.identifiers import SodSetId
from grantproof.core.limits import INTEGER_MAX
from grantproof.policyfile.fields import (
    ActionNameField,
    PrincipalField,
    ResourceField,
    RoleField,
    SodSetField,
)
from grantproof.service import review
from grantproof.service.access_csv import Rows, csv_pieces
from grantproof.service.access_review import Sought, access
from grantproof.service.duty_report import counts, standings
from grantproof.service.expiring import SECONDS_A_DAY, Stage, timed
from grantproof.service.provenance import provenance
from grantproof.service.review_documents import (
    counted_document,
    standing_document,
    timed_document,
    way_document,
)

CSV: Final = "text/csv; charset=utf-8; header=present"
DAYS_MAX: Final = INTEGER_MAX // SECONDS_A_DAY
DAYS_DEFAULT: Final = 30

router = strict_router(f"{PREFIX}/review", tag="review", access=ADMINISTRATION)


async def seeking(
    state: State,
    *,
    principal: PrincipalField | None = None,
    role: RoleField | None = None,
    resource: ResourceField | None = None,
    kind: KindQuery = None,
    action: ActionNameField | None = None,
) -> Sought:
    """Return what is sought; raises `Refused` for what there is not."""
    if principal is not None:
        check_principal(state, principal)
    if role is not None:
        check_role(state, role)
    if resource is not None:
        check_resource(state, resource, kind)
    elif kind is not None:
        raise Refused(invalid([Fault("kind", "must come together with `resource`")]))
    return Sought(principal, role, resource, kind, action)


@router.get("/access", response_model=Page[AccessWay])
def list_access(
    state: State, here: Here, wanted: WantedPage, *, sought: Annotated[Sought, Depends(seeking)]
) -> Response:
    """List who holds which role now, by which way, and the claims that this gives.

    Of all, of one principal, of one role, or on one resource and action.
    """
    after = () if wanted.after is None else tuple(wanted.after.split(SEPARATOR))
    instant = here.services.decisions.instant()
    found = list(islice(access(state, sought, instant=instant, after=after), wanted.limit + 1))
    shown = found[: wanted.limit]
    end = SEPARATOR.join(shown[-1].key) if len(found) > wanted.limit else None
    return told_page(list(map(way_document, shown)), state.revision, next_after=end)


@router.get(
    "/access.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def export_access(
    state: State,
    here: Here,
    *,
    rows: Annotated[
        Rows, Query(description="a row for each assignment that reaches a principal, or each claim")
    ] = "assignments",
    history: Annotated[
        bool, Query(description="whether to tell when and by whom: it reads every event")
    ] = True,
) -> Response:
    """Write the access review of everybody as CSV, of one revision and one instant."""
    store, instant = here.services.store, here.services.decisions.instant()
    # Read before anything is sent: a store that fails is answered as everywhere.
    origin = provenance(store, state.id, until=state.revision) if history else None
    pieces = csv_pieces(state, origin, instant=instant, rows=rows)
    name = f"access-{state.id}-r{state.revision}.csv"
    headers = {
        ETAG: etag(state.revision),
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return StreamingResponse(pieces, headers=headers, media_type=CSV)


@router.get("/expiring", response_model=Page[TimedAssignment])
def list_expiring(
    state: State,
    here: Here,
    wanted: WantedPage,
    *,
    within_days: Annotated[
        int, Query(ge=0, le=DAYS_MAX, description="how soon a valid assignment has to end")
    ] = DAYS_DEFAULT,
    stage: Annotated[Stage | None, Query(description="only those of this stage")] = None,
) -> Response:
    """List assignments that end soon, have ended or have not begun, the earliest instant first."""
    instant = here.services.decisions.instant()
    within = within_days * SECONDS_A_DAY
    after = () if wanted.after is None else tuple(wanted.after.split(SEPARATOR))
    some = timed(state, instant=instant, within=within, stage=stage)
    found = nsmallest(
        wanted.limit + 1, (one for one in some if one.key > after), key=lambda one: one.key
    )
    shown = found[: wanted.limit]
    end = SEPARATOR.join(shown[-1].key) if len(found) > wanted.limit else None
    return told_page(list(map(timed_document, shown)), state.revision, next_after=end)


@router.get("/separation-of-duty", response_model=Page[DutyStanding])
def list_duty_standings(state: State, here: Here, wanted: WantedPage) -> Response:
    """List the separation-of-duty sets, and how near their holders come to what is forbidden."""
    instant = here.services.decisions.instant()
    found = review.page(state.sod_sets, after=wanted.after, limit=wanted.limit)
    sets = (state.sod_sets[SodSetId(name)] for name in found.keys)
    items = list(map(standing_document, standings(state, sets, instant)))
    return told_page(items, state.revision, next_after=found.more_after)


@router.get("/separation-of-duty/{sod_set}", response_model=Page[HolderOfSet])
def list_holders_of_set(
    state: State, here: Here, wanted: WantedPage, *, sod_set: SodSetField
) -> Response:
    """List who holds roles of a separation-of-duty set now or later, and which at most."""
    stored = state.sod_sets.get(sod_set)
    if stored is None:
        raise Refused(not_found(NOUN, sod_set))
    instant = here.services.decisions.instant()
    found = list(islice(counts(state, stored, instant, after=wanted.after or ""), wanted.limit + 1))
    shown = found[: wanted.limit]
    end = shown[-1].principal if len(found) > wanted.limit else None
    return told_page(list(map(counted_document, shown)), state.revision, next_after=end)
