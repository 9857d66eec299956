"""Organizations: tenants. Only who operates all of them may make or delete one."""

from fastapi import Response

from grantproof.api.access import ORGANIZATIONS
from grantproof.api.authoring import Authoring
from grantproof.api.conditions import WantedOnce, unmet
from grantproof.api.problems import Problem, Refused, forbidden
from grantproof.api.replies import JSON, Paging, WantedPage, created, cursor, path, shown
from grantproof.api.running import Calling, Here, Running
from grantproof.api.schemas.organizations import OrganizationAnswer, OrganizationPage
from grantproof.api.schemas.requests import NewOrganization
from grantproof.api.scope import Own, State
from grantproof.api.strictness import strict_router
from grantproof.bootstrap import Services
from grantproof.core.identifiers import OrganizationId
from grantproof.core.organization import Organization
from grantproof.service.authors import Author
from grantproof.service.callers import Caller
from grantproof.service.ports import OrganizationSummary
from grantproof.service.receipts import KeyReused, Once

router = strict_router("/v1/orgs", tag="organizations", access=ORGANIZATIONS)


@router.get("", response_model=OrganizationPage)
def list_organizations(here: Here, caller: Calling, wanted: WantedPage) -> Response:
    """List the organizations that the caller may see, in the order of their ids."""
    found = _summaries(here.services, caller, wanted)
    items = [_written(summary) for summary in found[: wanted.limit]]
    end = items[-1].id if len(found) > wanted.limit else None
    answer = OrganizationPage.model_construct(items=items, next=end)
    return Response(answer.model_dump_json(), media_type=JSON)


@router.post("", status_code=201, response_model=OrganizationAnswer)
def create_organization(
    here: Here, author: Authoring, body: NewOrganization, *, once: WantedOnce
) -> Response:
    """Create an empty organization."""
    administration = here.services.administration
    if not (
        _created_before(here, author, body.id, once=once)
        or administration.found(body.id, time_zone=body.time_zone, by=author, once=once)
        # The same request may have been a little faster.
        or _created_before(here, author, body.id, once=once)
    ):
        detail = f"organization `{body.id}` exists or existed: an id is used once, choose another"
        raise Refused(Problem("already_exists", detail))
    here.following.forget_misses()
    written = _written(OrganizationSummary(body.id, 0, body.time_zone))
    return created(written, 0, location=path(body.id))


@router.get("/{org}", response_model=OrganizationAnswer)
def get_organization(state: State) -> Response:
    """Show an organization."""
    return shown(_written(_summary(state)), state.revision)


@router.delete("/{org}", status_code=204)
def delete_organization(here: Here, author: Authoring, org: Own) -> Response:
    """Delete an organization for good; its id is never used again."""
    if not here.services.administration.dissolve(org, by=author):
        raise Refused(forbidden(org))
    return Response(status_code=204)


def _created_before(
    here: Running, author: Author, organization: OrganizationId, *, once: Once | None
) -> bool:
    known = here.services.administration.recall(organization, once, by=author)
    if isinstance(known, KeyReused):
        raise Refused(unmet(known))
    return known is not None


def _summaries(
    services: Services, caller: Caller, wanted: Paging
) -> tuple[OrganizationSummary, ...]:
    """Return what the caller may see of the wanted page, and one more when there are more."""
    after = cursor(wanted, OrganizationId)
    if caller.organization is None:
        return services.store.summaries(after=after, limit=wanted.limit + 1)
    if after is not None and after >= caller.organization:
        return ()
    index = services.snapshots.load(caller.organization)
    return () if index is None else (_summary(index.state),)


def _summary(state: Organization) -> OrganizationSummary:
    return OrganizationSummary(state.id, state.revision, state.time_zone)


def _written(summary: OrganizationSummary) -> OrganizationAnswer:
    return OrganizationAnswer.model_construct(
        id=summary.id, revision=summary.revision, time_zone=summary.time_zone
    )
