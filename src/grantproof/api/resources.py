"""Resources: what is protected. Their ids may hold slashes."""

from fastapi import Response

from grantproof.api.access import ADMINISTRATION
from grantproof.api.problems import Refused, not_found
from grantproof.api.replies import WantedPage, created, gone, page, path, shown
from grantproof.api.schemas.pages import Page
from grantproof.api.schemas.requests import ResourceChange
from grantproof.api.scope import PREFIX, Changing, Seen, State
from grantproof.api.strictness import strict_router
from grantproof.core.commands.language import (
    CreateResource,
    DeleteResource,
    SetResourceAttributes,
)
from grantproof.core.errors import Missing
from grantproof.core.identifiers import ResourceId
from grantproof.core.model import Resource
from grantproof.policyfile import documents
from grantproof.policyfile.fields import ResourceField
from grantproof.service.versions import Entity

router = strict_router(f"{PREFIX}/resources", tag="resources", access=ADMINISTRATION)


@router.get("", response_model=Page[documents.Resource])
def list_resources(state: State, wanted: WantedPage) -> Response:
    """List the registered resources in the order of their ids."""
    return page(
        state.resources,
        wanted,
        write=lambda resource: documents.Resource.of(state.resources[resource]),
        revision=state.revision,
    )


@router.post("", status_code=201, response_model=documents.Resource)
def create_resource(changing: Changing, body: documents.Resource) -> Response:
    """Register a resource."""
    accepted = changing.propose(CreateResource(body.core()))
    location = path(changing.organization, "resources", body.id)
    return created(body, accepted.state.revision, location=location)


@router.get("/{resource:path}", response_model=documents.Resource)
def get_resource(seen: Seen, resource: ResourceField) -> Response:
    """Show a registered resource."""
    stored = seen.state.resources.get(resource)
    if stored is None:
        raise Refused(not_found("resource", resource))
    return shown(documents.Resource.of(stored), seen.versions[_entity(resource)])


@router.patch("/{resource:path}", response_model=documents.Resource)
def change_resource(changing: Changing, resource: ResourceField, body: ResourceChange) -> Response:
    """Replace the attributes of a resource."""
    command = SetResourceAttributes(resource, body.attributes)
    made = changing.propose(command, subject=_missing(resource), of=_entity(resource))
    after = changing.shown(_entity(resource), made)
    return shown(documents.Resource.of(after.state.resources[resource]), after.revision)


@router.delete("/{resource:path}", status_code=204)
def delete_resource(changing: Changing, resource: ResourceField, cascade: bool = False) -> Response:
    """Remove a resource; `cascade` removes its descendants and the claims on them too."""
    command = DeleteResource(resource, cascade=cascade)
    made = changing.propose(command, subject=_missing(resource), of=_entity(resource))
    return gone(made.state.revision)


def _entity(resource: ResourceId) -> Entity:
    return Entity(Resource, resource)


def _missing(resource: ResourceId) -> Missing:
    return Missing("resource", (resource,))
