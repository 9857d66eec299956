"""The review functions of NIST/ANSI INCITS 359 that ask about one role or one principal."""

from typing import Annotated

from fastapi import Query, Response

from grantproof.api.access import ADMINISTRATION
from grantproof.api.problems import Refused, not_found
from grantproof.api.replies import WantedPage, page, shown
from grantproof.api.running import Here
from grantproof.api.schemas.pages import Page
from grantproof.api.schemas.review import AuthorizedUser, Operations
from grantproof.api.scope import PREFIX, State
from grantproof.api.strictness import strict_router
from grantproof.core.identifiers import PrincipalId, ResourceId, RoleId
from grantproof.core.model import ActionPattern, Claim
from grantproof.core.organization import Organization
from grantproof.policyfile import documents
from grantproof.policyfile.fields import (
    AnyKindField,
    PrincipalField,
    ResourceField,
    RoleField,
    write_action,
)
from grantproof.service import standard_review

router = strict_router(PREFIX, tag="review", access=ADMINISTRATION)

KindQuery = Annotated[
    AnyKindField | None, Query(description="makes a resource known that is not registered")
]


@router.get("/roles/{role}/claims", response_model=Page[documents.Claim])
def list_role_claims(state: State, wanted: WantedPage, role: RoleField) -> Response:
    """List the claims of a role, inherited ones too, in the order of their ids."""
    check_role(state, role)
    return _claims(state, wanted, standard_review.role_permissions(state, role))


@router.get("/principals/{principal}/claims", response_model=Page[documents.Claim])
def list_principal_claims(
    state: State, here: Here, wanted: WantedPage, *, principal: PrincipalField
) -> Response:
    """List the claims of all roles that a principal holds now, in the order of their ids."""
    check_principal(state, principal)
    instant = here.services.decisions.instant()
    return _claims(state, wanted, standard_review.user_permissions(state, principal, instant))


@router.get("/roles/{role}/principals", response_model=Page[AuthorizedUser])
def list_role_principals(
    state: State, here: Here, wanted: WantedPage, *, role: RoleField
) -> Response:
    """List who is assigned a role, or one that inherits from it, now."""
    check_role(state, role)
    instant = here.services.decisions.instant()
    assigned = standard_review.assigned_users(state, role, instant)

    def write(principal: PrincipalId) -> AuthorizedUser:
        return AuthorizedUser.model_construct(principal=principal, assigned=principal in assigned)

    authorized = standard_review.authorized_users(state, role, instant)
    return page(authorized, wanted, write=write, revision=state.revision)


@router.get("/roles/{role}/operations", response_model=Operations)
def list_role_operations(
    state: State, here: Here, role: RoleField, *, resource: ResourceField, kind: KindQuery = None
) -> Response:
    """List the actions that the claims of a role name for a resource."""
    check_role(state, role)
    check_resource(state, resource, kind)
    found = standard_review.role_operations_on_object(state, role, resource, kind=kind)
    return _operations(state, resource, found, instant=here.services.decisions.instant())


@router.get("/principals/{principal}/operations", response_model=Operations)
def list_principal_operations(
    state: State,
    here: Here,
    principal: PrincipalField,
    *,
    resource: ResourceField,
    kind: KindQuery = None,
) -> Response:
    """List the actions that the claims of a principal name for a resource now."""
    check_principal(state, principal)
    check_resource(state, resource, kind)
    instant = here.services.decisions.instant()
    found = standard_review.user_operations_on_object(
        state, principal, resource, instant=instant, kind=kind
    )
    return _operations(state, resource, found, instant=instant)


def check_role(state: Organization, role: RoleId) -> None:
    """Raise `Refused` for a role that there is not."""
    if role not in state.roles:
        raise Refused(not_found("role", role))


def check_principal(state: Organization, principal: PrincipalId) -> None:
    """Raise `Refused` for a principal that there is not."""
    if principal not in state.principals:
        raise Refused(not_found("principal", principal))


def check_resource(state: Organization, resource: ResourceId, kind: str | None) -> None:
    """Raise `Refused` for a resource that is not known."""
    if not standard_review.known(state, resource, kind):
        raise Refused(not_found("resource", resource))


def _claims(state: Organization, wanted: WantedPage, claims: tuple[Claim, ...]) -> Response:
    return page(
        [claim.id for claim in claims],
        wanted,
        write=lambda claim: documents.Claim.of(state.claims[claim]),
        revision=state.revision,
    )


def _operations(
    state: Organization, resource: ResourceId, found: frozenset[ActionPattern], *, instant: int
) -> Response:
    answer = Operations.model_construct(
        resource=resource,
        operations=sorted(map(write_action, found)),
        instant=instant,
        revision=state.revision,
    )
    return shown(answer, state.revision)
