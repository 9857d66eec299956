"""Who is in a group: principals, by membership, and other groups, by nesting."""

from collections.abc import Iterator

from fastapi import Response

from grantproof.api.access import ADMINISTRATION
from grantproof.api.replies import WantedPage, created, gone, page_of_pairs, path
from grantproof.api.schemas.pages import Page
from grantproof.api.scope import PREFIX, Changing, State
from grantproof.api.strictness import strict_router
from grantproof.core.commands.language import AddMember, NestGroup, RemoveMember, UnnestGroup
from grantproof.core.errors import Missing
from grantproof.core.identifiers import GroupId, PrincipalId
from grantproof.core.model import Membership, Nesting
from grantproof.core.organization import Organization
from grantproof.policyfile import documents
from grantproof.policyfile.fields import GroupField, PrincipalField

router = strict_router(f"{PREFIX}/memberships", tag="groups", access=ADMINISTRATION)
nestings = strict_router(f"{PREFIX}/nestings", tag="groups", access=ADMINISTRATION)


@router.get("", response_model=Page[documents.Membership])
def list_memberships(
    state: State,
    wanted: WantedPage,
    *,
    principal: PrincipalField | None = None,
    group: GroupField | None = None,
) -> Response:
    """List memberships by principal, then group; of one principal, of one group, or all."""
    return page_of_pairs(
        _memberships(state, principal, group),
        wanted,
        write=lambda pair: documents.Membership.of(Membership(*pair)),
        revision=state.revision,
    )


@router.post("", status_code=201, response_model=documents.Membership)
def create_membership(changing: Changing, body: documents.Membership) -> Response:
    """Put a principal into a group."""
    accepted = changing.propose(AddMember(body.principal, body.group))
    location = path(
        changing.organization, "memberships", principal=body.principal, group=body.group
    )
    return created(body, accepted.state.revision, location=location)


@router.delete("", status_code=204)
def delete_membership(changing: Changing, principal: PrincipalField, group: GroupField) -> Response:
    """Take a principal out of a group."""
    subject = Missing("membership", (principal, group))
    return gone(changing.propose(RemoveMember(principal, group), subject=subject).state.revision)


@nestings.get("", response_model=Page[documents.Nesting])
def list_nestings(state: State, wanted: WantedPage) -> Response:
    """List nestings by group, then container."""
    return page_of_pairs(
        state.groups.edges(),
        wanted,
        write=lambda pair: documents.Nesting.of(Nesting(*pair)),
        revision=state.revision,
    )


@nestings.post("", status_code=201, response_model=documents.Nesting)
def create_nesting(changing: Changing, body: documents.Nesting) -> Response:
    """Put a group into a container."""
    accepted = changing.propose(NestGroup(body.group, body.container))
    location = path(changing.organization, "nestings", group=body.group, container=body.container)
    return created(body, accepted.state.revision, location=location)


@nestings.delete("", status_code=204)
def delete_nesting(changing: Changing, group: GroupField, container: GroupField) -> Response:
    """Take a group out of a container."""
    subject = Missing("nesting", (group, container))
    return gone(changing.propose(UnnestGroup(group, container), subject=subject).state.revision)


def _memberships(
    state: Organization, principal: PrincipalId | None, group: GroupId | None
) -> Iterator[tuple[PrincipalId, GroupId]]:
    """Yield the memberships of what is given, by whichever index costs less."""
    if principal is not None:
        pairs = ((principal, held) for held in state.memberships.of(principal))
        return (pair for pair in pairs if group in {None, pair[1]})
    if group is not None:
        return ((member, group) for member in state.memberships.to(group))
    return ((member, of) for member, of, _ in state.memberships.triples())
