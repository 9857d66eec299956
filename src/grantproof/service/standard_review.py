"""The review functions of NIST/ANSI INCITS 359, by its names, on one state at one instant.

Assigned is what an assignment names, to a principal or a group it is in; authorized is that and all
that it inherits. The standard knows neither constraints nor validity: a claim is listed whatever
its constraints, an assignment only while it is valid.
"""

from typing import Final

from grantproof.core import sessions
from grantproof.core.hierarchy import assigned_roles as roles_assigned
from grantproof.core.hierarchy import closure, effective_roles, members_of
from grantproof.core.identifiers import Action, PrincipalId, ResourceId, RoleId, SodSetId
from grantproof.core.matching import Request, Target, resolve, resource_matches
from grantproof.core.model import ActionPattern, Claim
from grantproof.core.organization import Organization

ANY_ACTION: Final = Action("review")
"""Fills a request of which only the principal, the roles or the resource are looked at."""


def assigned_users(state: Organization, role: RoleId, instant: int) -> frozenset[PrincipalId]:
    """Return who is assigned the role at the instant, directly or through a group."""
    direct = (
        one
        for one in state.assignments.to(role)
        if state.assignments.of(one)[role].contains(instant)
    )
    groups = (
        one
        for one in state.group_assignments.to(role)
        if state.group_assignments.of(one)[role].contains(instant)
    )
    return frozenset(direct) | members_of(state, groups)


def authorized_users(state: Organization, role: RoleId, instant: int) -> frozenset[PrincipalId]:
    """Return who is assigned the role, or one that inherits from it, at the instant."""
    seniors = closure({role}, state.roles.children)
    return frozenset(one for each in seniors for one in assigned_users(state, each, instant))


def assigned_roles(state: Organization, user: PrincipalId, instant: int) -> frozenset[RoleId]:
    """Return the roles that the principal is assigned at the instant."""
    return roles_assigned(state, user, instant)


def authorized_roles(state: Organization, user: PrincipalId, instant: int) -> frozenset[RoleId]:
    """Return the roles that the principal is assigned at the instant, and all they inherit from."""
    return effective_roles(state, user, instant)


def role_permissions(state: Organization, role: RoleId) -> tuple[Claim, ...]:
    """Return the claims of the role, inherited ones too, in the order of their ids."""
    return _claims(state, closure({role}, state.roles.parents))


def user_permissions(state: Organization, user: PrincipalId, instant: int) -> tuple[Claim, ...]:
    """Return the claims of the principal's roles at the instant, in the order of their ids."""
    return _claims(state, effective_roles(state, user, instant))


def session_roles(
    state: Organization,
    user: PrincipalId,
    instant: int,
    *,
    chosen: frozenset[RoleId] | None = None,
) -> frozenset[RoleId]:
    """Return the roles of a session at the instant: those chosen that are held, and inherited ones.

    Nothing chosen means no session: then all roles of the principal are active.
    """
    return sessions.session_roles(state, user, chosen, instant=instant)


def session_permissions(
    state: Organization,
    user: PrincipalId,
    instant: int,
    *,
    chosen: frozenset[RoleId] | None = None,
) -> tuple[Claim, ...]:
    """Return the claims of the roles of a session at the instant, in the order of their ids."""
    return _claims(state, session_roles(state, user, instant, chosen=chosen))


def role_operations_on_object(
    state: Organization, role: RoleId, resource: ResourceId, *, kind: str | None = None
) -> frozenset[ActionPattern]:
    """Return the actions that the role's claims, inherited ones too, name for the resource.

    None where the resource is unknown; `kind` makes one known that is not registered.
    """
    roles = closure({role}, state.roles.parents)
    return _operations(state, roles, resource, kind=kind)


def user_operations_on_object(
    state: Organization,
    user: PrincipalId,
    resource: ResourceId,
    *,
    instant: int,
    kind: str | None = None,
) -> frozenset[ActionPattern]:
    """Return the actions that the claims of the principal's roles name for the resource.

    At the instant; none where the resource is unknown.
    """
    return _operations(state, effective_roles(state, user, instant), resource, kind=kind)


def known(state: Organization, resource: ResourceId, kind: str | None = None) -> bool:
    """Return whether the resource is registered, or is of a declared kind that is named."""
    return target_of(state, resource, kind) is not None


def target_of(state: Organization, resource: ResourceId, kind: str | None = None) -> Target | None:
    """Return what the resource is, or nothing where it is unknown."""
    # Who asks plays no part in what a resource is.
    return resolve(state, Request(PrincipalId("anybody"), ANY_ACTION, resource, kind))


def sod_role_sets(state: Organization, mode: str) -> tuple[SodSetId, ...]:
    """Return the separation-of-duty sets of the mode [SsdRoleSets, DsdRoleSets], in order."""
    return tuple(sorted(name for name, each in state.sod_sets.items() if each.mode == mode))


def sod_role_set_roles(state: Organization, sod_set: SodSetId) -> frozenset[RoleId]:
    """Return the roles of the set [SsdRoleSetRoles, DsdRoleSetRoles]."""
    return state.sod_sets[sod_set].roles


def sod_role_set_cardinality(state: Organization, sod_set: SodSetId) -> int:
    """Return the smallest forbidden count [SsdRoleSetCardinality, DsdRoleSetCardinality]."""
    return state.sod_sets[sod_set].n


def _claims(state: Organization, roles: frozenset[RoleId]) -> tuple[Claim, ...]:
    names = sorted(claim for role in roles for claim in state.claims_by_role.get(role, ()))
    return tuple(state.claims[name] for name in names)


def _operations(
    state: Organization, roles: frozenset[RoleId], resource: ResourceId, *, kind: str | None
) -> frozenset[ActionPattern]:
    target = target_of(state, resource, kind)
    if target is None:
        return frozenset()
    claims = _claims(state, roles)
    return frozenset(one.action for one in claims if resource_matches(one.resource, target))
