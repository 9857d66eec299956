"""Roles and what they inherit from."""

from fastapi import Response

from grantproof.api.access import ADMINISTRATION
from grantproof.api.problems import Refused, not_found
from grantproof.api.replies import WantedPage, created, gone, page, path, shown
from grantproof.api.schemas.pages import Page
from grantproof.api.schemas.requests import ParentChoice, RoleWithParents
from grantproof.api.scope import PREFIX, Changing, Seen, State
from grantproof.api.strictness import strict_router
from grantproof.core.commands.language import (
    AddParent,
    ChangeSet,
    CreateRole,
    DeleteRole,
    RemoveParent,
)
from grantproof.core.errors import Missing
from grantproof.core.identifiers import RoleId
from grantproof.core.model import Inheritance, Role
from grantproof.core.organization import Organization
from grantproof.policyfile import documents
from grantproof.policyfile.fields import RoleField
from grantproof.service.versions import Entity

router = strict_router(f"{PREFIX}/roles", tag="roles", access=ADMINISTRATION)


@router.get("", response_model=Page[RoleWithParents])
def list_roles(state: State, wanted: WantedPage) -> Response:
    """List the roles in the order of their ids."""
    return page(
        state.roles, wanted, write=lambda role: _written(state, role), revision=state.revision
    )


@router.post("", status_code=201, response_model=RoleWithParents)
def create_role(changing: Changing, body: RoleWithParents) -> Response:
    """Add a role, and let it inherit from its parents, all at once."""
    create = CreateRole(body.id)
    parents = tuple(AddParent(body.id, parent) for parent in sorted(body.parents))
    accepted = changing.propose(ChangeSet((create, *parents)) if parents else create)
    location = path(changing.organization, "roles", body.id)
    return created(body, accepted.state.revision, location=location)


@router.get("/{role}", response_model=RoleWithParents)
def get_role(seen: Seen, role: RoleField) -> Response:
    """Show a role and its parents."""
    if role not in seen.state.roles:
        raise Refused(not_found("role", role))
    return shown(_written(seen.state, role), seen.versions[_entity(role)])


@router.delete("/{role}", status_code=204)
def delete_role(changing: Changing, role: RoleField, cascade: bool = False) -> Response:
    """Remove a role; `cascade` removes its assignments, edges and claims too.

    A role that a separation-of-duty set names stays.
    """
    command = DeleteRole(role, cascade=cascade)
    made = changing.propose(command, subject=_missing(role), of=_entity(role))
    return gone(made.state.revision)


@router.post("/{role}/parents", status_code=201, response_model=documents.Inheritance)
def add_parent(changing: Changing, role: RoleField, body: ParentChoice) -> Response:
    """Let a role inherit from a parent."""
    command = AddParent(role, body.parent)
    accepted = changing.propose(command, subject=_missing(role), of=_entity(role))
    written = documents.Inheritance.of(Inheritance(role, body.parent))
    location = path(changing.organization, "roles", role, "parents", body.parent)
    return created(written, accepted.state.revision, location=location)


@router.delete("/{role}/parents/{parent}", status_code=204)
def remove_parent(changing: Changing, role: RoleField, parent: RoleField) -> Response:
    """End an inheritance."""
    subject = Missing("parent", (role, parent))
    made = changing.propose(RemoveParent(role, parent), subject=subject, of=_entity(role))
    return gone(made.state.revision)


def _written(state: Organization, role: RoleId) -> RoleWithParents:
    return RoleWithParents.model_construct(id=role, parents=frozenset(state.roles.parents[role]))


def _entity(role: RoleId) -> Entity:
    return Entity(Role, role)


def _missing(role: RoleId) -> Missing:
    return Missing("role", (role,))
