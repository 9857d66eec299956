"""Resources: what is protected. Their ids may hold slashes."""

from fastapi import Response

from grantproof.api.access import ADMINISTRATION
from grantproof.api.problems import Refused, not_found
from grantproof.api.replies import WantedPage, created, gone, page, path, shown
from grantproof.api.schemas.pages import Page
from grantproof.api.schemas.requests import ResourceChange
from grantproof.api.scope import PREFIX, Changing, State
from grantproof.api.strictness import strict_router
from grantproof.core.commands.language import (
    CreateResource,
    DeleteResource,
    SetResourceAttributes,
)
from grantproof.core.errors import Missing
from grantproof.core.identifiers import ResourceId
from grantproof.policyfile import documents
from grantproof.policyfile.fields import ResourceField

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
def get_resource(state: State, resource: ResourceField) -> Response:
    """Show a registered resource."""
    stored = state.resources.get(resource)
    if stored is None:
        raise Refused(not_found("resource", resource))
    return shown(documents.Resource.of(stored), state.revision)


@router.patch("/{resource:path}", response_model=documents.Resource)
def change_resource(changing: Changing, resource: ResourceField, body: ResourceChange) -> Response:
    """Replace the attributes of a resource."""
    command = SetResourceAttributes(resource, body.attributes)
    state = changing.propose(command, subject=_missing(resource)).state
    return shown(documents.Resource.of(state.resources[resource]), state.revision)


@router.delete("/{resource:path}", status_code=204)
def delete_resource(changing: Changing, resource: ResourceField, cascade: bool = False) -> Response:
    """Remove a resource; `cascade` removes its descendants and the claims on them too."""
    command = DeleteResource(resource, cascade=cascade)
    return gone(changing.propose(command, subject=_missing(resource)).state.revision)


def _missing(resource: ResourceId) -> Missing:
    return Missing("resource", (resource,))
