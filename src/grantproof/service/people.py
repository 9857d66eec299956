"""Somebody comes, moves or goes: the commands of each, to be made as one change.

What goes comes before what comes, so that separation of duty judges what is held at the end, never
the old and the new together.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from grantproof.core.attributes import NO_ATTRIBUTES, Attributes
from grantproof.core.commands.language import (
    AddMember,
    AssignRole,
    CreatePrincipal,
    DeletePrincipal,
    RemoveMember,
    RevokeRole,
    SingleCommand,
    SuspendPrincipal,
)
from grantproof.core.identifiers import GroupId, PrincipalId, RoleId
from grantproof.core.model import ALWAYS, Validity
from grantproof.core.organization import Organization


@dataclass(frozen=True, slots=True)
class Place:
    """Groups to be in and roles to hold; `validity` is that of the roles."""

    groups: frozenset[GroupId] = frozenset()
    roles: frozenset[RoleId] = frozenset()
    validity: Validity = ALWAYS


def joining(
    principal: PrincipalId, place: Place, *, attributes: Attributes = NO_ATTRIBUTES
) -> tuple[SingleCommand, ...]:
    """Return what makes a principal and puts it in its place."""
    return (CreatePrincipal(principal, attributes), *_into(principal, place))


def moving(
    state: Organization, principal: PrincipalId, *, out_of: Place, into: Place
) -> tuple[SingleCommand, ...]:
    """Return what takes a principal of the state from one place to another.

    What is in both stays as it is; a role only if it is held for just the time that is wanted.
    """
    held = state.assignments.of(principal)
    groups = out_of.groups & into.groups
    roles = {role for role in out_of.roles & into.roles if held.get(role) == into.validity}
    return (
        *_out_of(principal, Place(out_of.groups - groups, out_of.roles - roles)),
        *_into(principal, Place(into.groups - groups, into.roles - roles, into.validity)),
    )


def leaving(
    state: Organization, principal: PrincipalId, *, delete: bool = False
) -> tuple[SingleCommand, ...]:
    """Return what suspends a principal and takes what it has in the state, or deletes it.

    Nothing where it is suspended and has nothing already. That there is none is for the commands to
    say.
    """
    if delete:
        return (DeletePrincipal(principal, cascade=True),)
    stored = state.principals.get(principal)
    suspend = (SuspendPrincipal(principal),) if stored is None or stored.active else ()
    return (*suspend, *_out_of(principal, place_of(state, principal)))


def place_of(state: Organization, principal: PrincipalId) -> Place:
    """Return the groups that a principal is in and the roles that it is assigned, both directly."""
    return Place(
        frozenset(state.memberships.of(principal)), frozenset(state.assignments.of(principal))
    )


def _out_of(principal: PrincipalId, place: Place) -> Iterator[SingleCommand]:
    yield from (RemoveMember(principal, group) for group in sorted(place.groups))
    yield from (RevokeRole(principal, role) for role in sorted(place.roles))


def _into(principal: PrincipalId, place: Place) -> Iterator[SingleCommand]:
    yield from (AddMember(principal, group) for group in sorted(place.groups))
    yield from (AssignRole(principal, role, place.validity) for role in sorted(place.roles))
