"""Principals: people and service accounts, what they hold, and the short form of assignment."""

from typing import Final

from fastapi import Response

from grantproof.api.access import ADMINISTRATION
from grantproof.api.authoring import Authoring
from grantproof.api.conditions import WantedTerms
from grantproof.api.problems import Fault, Problem, Refused, invalid, not_found
from grantproof.api.replies import WantedPage, created, gone, page, path, shown
from grantproof.api.running import Calling, Here
from grantproof.api.schemas.holdings import AssignedRole, EffectiveRole, Holdings
from grantproof.api.schemas.pages import Page
from grantproof.api.schemas.requests import PrincipalChange, RoleChoice
from grantproof.api.scope import PREFIX, Changes, Changing, Seen, Shown, State
from grantproof.api.strictness import strict_router
from grantproof.core.commands.language import (
    AssignRole,
    ChangeSet,
    CreatePrincipal,
    DeletePrincipal,
    ResumePrincipal,
    SetPrincipalAttributes,
    SingleCommand,
    SuspendPrincipal,
    as_one,
)
from grantproof.core.errors import Missing
from grantproof.core.identifiers import PrincipalId
from grantproof.core.model import Assignment, Principal
from grantproof.core.organization import Organization
from grantproof.policyfile import documents
from grantproof.policyfile.fields import PrincipalField
from grantproof.service import review
from grantproof.service.versions import Entity

UNBOUND: Final = Problem(
    "unbound_caller",
    "the short form is for callers bound to one organization:"
    " use `POST /v1/orgs/{org}/assignments`",
)

router = strict_router(f"{PREFIX}/principals", tag="principals", access=ADMINISTRATION)
short_form = strict_router("/principals", tag="principals", access=ADMINISTRATION)


@router.get("", response_model=Page[documents.Principal])
def list_principals(state: State, wanted: WantedPage) -> Response:
    """List the principals in the order of their ids."""
    return page(
        state.principals,
        wanted,
        write=lambda principal: documents.Principal.of(state.principals[principal]),
        revision=state.revision,
    )


@router.post("", status_code=201, response_model=documents.Principal)
def create_principal(changing: Changing, body: documents.Principal) -> Response:
    """Add a principal; one that is not active is suspended from the start."""
    create = CreatePrincipal(body.id, body.attributes)
    command = create if body.active else ChangeSet((create, SuspendPrincipal(body.id)))
    accepted = changing.propose(command)
    location = path(changing.organization, "principals", body.id)
    return created(body, accepted.state.revision, location=location)


@router.get("/{principal}", response_model=documents.Principal)
def get_principal(seen: Seen, principal: PrincipalField) -> Response:
    """Show a principal."""
    stored = _stored(seen.state, principal)
    return shown(documents.Principal.of(stored), seen.versions[_entity(principal)])


@router.patch("/{principal}", response_model=documents.Principal)
def change_principal(
    changing: Changing, principal: PrincipalField, body: PrincipalChange
) -> Response:
    """Suspend or resume a principal, or replace its attributes, or both at once."""
    if body.active is None and body.attributes is None:
        raise Refused(invalid([Fault("active", "or `attributes` is required")]))
    after = _changed(changing, principal, body)
    return shown(documents.Principal.of(after.state.principals[principal]), after.revision)


@router.delete("/{principal}", status_code=204)
def delete_principal(
    changing: Changing, principal: PrincipalField, cascade: bool = False
) -> Response:
    """Remove a principal; `cascade` removes its assignments and memberships too."""
    command = DeletePrincipal(principal, cascade=cascade)
    made = changing.propose(command, subject=_missing(principal), of=_entity(principal))
    return gone(made.state.revision)


@router.get("/{principal}/roles", response_model=Holdings)
def list_principal_roles(state: State, here: Here, principal: PrincipalField) -> Response:
    """Show what a principal holds: its assignments, and its roles now with their paths."""
    _stored(state, principal)
    instant = here.services.decisions.instant()
    held = review.holdings(state, principal)
    effective = review.effective(state, principal, instant)
    answer = Holdings.model_construct(
        principal=principal,
        instant=instant,
        assigned=[AssignedRole.of(holding, instant) for holding in held],
        effective=[EffectiveRole.of(way) for way in effective],
        revision=state.revision,
    )
    return shown(answer, state.revision)


@short_form.post("/{principal}/roles", status_code=201, response_model=documents.Assignment)
def assign_role_to_principal(
    here: Here,
    caller: Calling,
    principal: PrincipalField,
    *,
    author: Authoring,
    body: RoleChoice,
    terms: WantedTerms,
) -> Response:
    """Assign a role for ever, in the organization that the caller is bound to."""
    if caller.organization is None:
        raise Refused(UNBOUND)
    changing = Changes(here.services, caller.organization, author, terms)
    command = AssignRole(principal, body.role_id)
    accepted = changing.propose(command, subject=_missing(principal))
    assignment = documents.Assignment.of(Assignment(principal, body.role_id))
    location = path(changing.organization, "assignments", principal=principal, role=body.role_id)
    return created(assignment, accepted.state.revision, location=location)


def _changed(changing: Changes, principal: PrincipalId, body: PrincipalChange) -> Shown:
    status: list[SingleCommand] = []
    if body.active is not None:
        status = [ResumePrincipal(principal) if body.active else SuspendPrincipal(principal)]
    rest: list[SingleCommand] = []
    if body.attributes is not None:
        rest = [SetPrincipalAttributes(principal, body.attributes)]
    entity, subject = _entity(principal), _missing(principal)
    try:
        made = changing.propose(as_one([*status, *rest]), subject=subject, of=entity)
        return changing.shown(entity, made)
    except Refused as refused:
        if refused.problem.code != "already_so":
            raise
    # It has that status already, and it was not this state that was asked to change.
    if not rest:
        return changing.shown(entity)
    return changing.shown(entity, changing.propose(as_one(rest), subject=subject, of=entity))


def _stored(state: Organization, principal: PrincipalId) -> Principal:
    stored = state.principals.get(principal)
    if stored is None:
        raise Refused(not_found("principal", principal))
    return stored


def _entity(principal: PrincipalId) -> Entity:
    return Entity(Principal, principal)


def _missing(principal: PrincipalId) -> Missing:
    return Missing("principal", (principal,))
