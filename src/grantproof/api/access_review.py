"""Reviews of who has what and why, below `/review`: pages, and a file for reviewers."""

from itertools import islice
from typing import Annotated

from fastapi import Depends, Response

from grantproof.api.access import ADMINISTRATION
from grantproof.api.problems import Fault, Refused, invalid
from grantproof.api.replies import SEPARATOR, WantedPage, paged
from grantproof.api.running import Here
from grantproof.api.schemas.inquiries import ActionName
from grantproof.api.schemas.pages import Page
from grantproof.api.schemas.review import AccessWay
from grantproof.api.scope import PREFIX, State
from grantproof.api.standard_review import (
    KindQuery,
    check_principal,
    check_resource,
    check_role,
)
from grantproof.api.strictness import strict_router
from grantproof.policyfile.fields import PrincipalField, ResourceField, RoleField
from grantproof.service.access_review import Sought, access

router = strict_router(f"{PREFIX}/review", tag="review", access=ADMINISTRATION)


async def seeking(
    state: State,
    *,
    principal: PrincipalField | None = None,
    role: RoleField | None = None,
    resource: ResourceField | None = None,
    kind: KindQuery = None,
    action: ActionName | None = None,
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
    return paged([AccessWay.of(way) for way in shown], state.revision, next_after=end)
