"""Groups: named sets of principals and of groups."""

from fastapi import Response

from grantproof.api.access import ADMINISTRATION
from grantproof.api.problems import Refused, not_found
from grantproof.api.replies import WantedPage, created, gone, page, path, shown
from grantproof.api.schemas.pages import Page
from grantproof.api.scope import PREFIX, Changing, Seen, State
from grantproof.api.strictness import strict_router
from grantproof.core.commands.language import CreateGroup, DeleteGroup
from grantproof.core.errors import Missing
from grantproof.core.identifiers import GroupId
from grantproof.core.model import Group
from grantproof.policyfile import documents
from grantproof.policyfile.fields import GroupField
from grantproof.service.versions import Entity

router = strict_router(f"{PREFIX}/groups", tag="groups", access=ADMINISTRATION)


@router.get("", response_model=Page[documents.Group])
def list_groups(state: State, wanted: WantedPage) -> Response:
    """List the groups in the order of their ids."""
    return page(state.groups, wanted, write=_written, revision=state.revision)


@router.post("", status_code=201, response_model=documents.Group)
def create_group(changing: Changing, body: documents.Group) -> Response:
    """Add an empty group."""
    accepted = changing.propose(CreateGroup(body.id))
    location = path(changing.organization, "groups", body.id)
    return created(body, accepted.state.revision, location=location)


@router.get("/{group}", response_model=documents.Group)
def get_group(seen: Seen, group: GroupField) -> Response:
    """Show a group."""
    if group not in seen.state.groups:
        raise Refused(not_found("group", group))
    return shown(_written(group), seen.versions[Entity(Group, group)])


@router.delete("/{group}", status_code=204)
def delete_group(changing: Changing, group: GroupField, cascade: bool = False) -> Response:
    """Remove a group; `cascade` removes memberships, nestings, assignments and claims on it too."""
    command = DeleteGroup(group, cascade=cascade)
    subject = Missing("group", (group,))
    accepted = changing.propose(command, subject=subject, of=Entity(Group, group))
    return gone(accepted.state.revision)


def _written(group: GroupId) -> documents.Group:
    return documents.Group.of(Group(group))
