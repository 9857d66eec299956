"""Assignments: which principals and groups hold which roles, and when."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Response

from grantproof.api.access import ADMINISTRATION
from grantproof.api.problems import Fault, Refused, invalid
from grantproof.api.replies import WantedPage, created, gone, page_of_pairs, path
from grantproof.api.schemas.pages import Page
from grantproof.api.schemas.requests import AnyAssignment
from grantproof.api.scope import PREFIX, Changing, State
from grantproof.api.strictness import strict_router
from grantproof.core.commands.language import (
    AssignGroupRole,
    AssignRole,
    RevokeGroupRole,
    RevokeRole,
)
from grantproof.core.errors import Missing
from grantproof.core.identifiers import GroupId, PrincipalId, RoleId
from grantproof.core.model import Assignment, GroupAssignment
from grantproof.core.organization import Organization
from grantproof.policyfile import documents
from grantproof.policyfile.fields import GroupField, PrincipalField, RoleField

GROUP: Final = "group"
PRINCIPAL: Final = "principal"

router = strict_router(f"{PREFIX}/assignments", tag="assignments", access=ADMINISTRATION)

Key = tuple[str, str, str]
"""Whether a group or a principal holds the role, which one, and the role."""

AssignmentDocument = documents.Assignment | documents.GroupAssignment


@dataclass(frozen=True, slots=True)
class Holder:
    """A principal or a group; neither means all of both."""

    principal: PrincipalId | None
    group: GroupId | None


async def named_holder(
    principal: PrincipalField | None = None, group: GroupField | None = None
) -> Holder:
    """Return the holder that the query names; both at once are refused."""
    if principal is not None and group is not None:
        raise Refused(invalid([Fault(GROUP, "must not come together with `principal`")]))
    return Holder(principal, group)


NamedHolder = Annotated[Holder, Depends(named_holder)]


@router.get("", response_model=Page[AssignmentDocument])
def list_assignments(
    state: State, wanted: WantedPage, holder: NamedHolder, *, role: RoleField | None = None
) -> Response:
    """List assignments, those of groups first; of one holder, of one role, or all."""
    return page_of_pairs(
        _keys(state, holder, role),
        wanted,
        write=lambda key: _written(state, key),
        revision=state.revision,
    )


@router.post("", status_code=201, response_model=AssignmentDocument)
def create_assignment(changing: Changing, body: AnyAssignment) -> Response:
    """Let a principal, or every principal of a group, hold a role while the validity lasts."""
    if isinstance(body, documents.Assignment):
        held = body.core()
        accepted = changing.propose(AssignRole(held.principal, held.role, held.validity))
        query = {PRINCIPAL: str(held.principal), "role": str(held.role)}
    else:
        shared = body.core()
        accepted = changing.propose(AssignGroupRole(shared.group, shared.role, shared.validity))
        query = {GROUP: str(shared.group), "role": str(shared.role)}
    location = path(changing.organization, "assignments", **query)
    return created(body, accepted.state.revision, location=location)


@router.delete("", status_code=204)
def delete_assignment(changing: Changing, holder: NamedHolder, role: RoleField) -> Response:
    """Take a role from the principal or from the group that it is assigned to."""
    if holder.principal is not None:
        revoke: RevokeRole | RevokeGroupRole = RevokeRole(holder.principal, role)
        subject = Missing("assignment", (holder.principal, role))
    elif holder.group is not None:
        revoke = RevokeGroupRole(holder.group, role)
        subject = Missing("assignment", (holder.group, role))
    else:
        raise Refused(invalid([Fault(PRINCIPAL, "or `group` is required")]))
    return gone(changing.propose(revoke, subject=subject).state.revision)


def _keys(state: Organization, holder: Holder, role: RoleId | None) -> Iterator[Key]:
    """Yield the keys of the wanted assignments, by whichever index costs less."""
    if holder.principal is not None:
        held = state.assignments.of(holder.principal)
        yield from ((PRINCIPAL, holder.principal, one) for one in held if role in {None, one})
    elif holder.group is not None:
        shared = state.group_assignments.of(holder.group)
        yield from ((GROUP, holder.group, one) for one in shared if role in {None, one})
    elif role is not None:
        yield from ((GROUP, group, role) for group in state.group_assignments.to(role))
        yield from ((PRINCIPAL, principal, role) for principal in state.assignments.to(role))
    else:
        yield from ((GROUP, group, one) for group, one, _ in state.group_assignments.triples())
        yield from ((PRINCIPAL, who, one) for who, one, _ in state.assignments.triples())


def _written(state: Organization, key: Key) -> AssignmentDocument:
    kind, holder, name = key
    role = RoleId(name)
    if kind == GROUP:
        group = GroupId(holder)
        validity = state.group_assignments.of(group)[role]
        return documents.GroupAssignment.of(GroupAssignment(group, role, validity))
    principal = PrincipalId(holder)
    validity = state.assignments.of(principal)[role]
    return documents.Assignment.of(Assignment(principal, role, validity))
