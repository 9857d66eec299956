"""Who holds what through groups and inheritance: closures, and what an edge would do.

`closure` is the one worklist of the system; everything that follows groups or parents goes
through it, in either direction.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from grantproof.core.identifiers import GroupId, PrincipalId, RoleId
from grantproof.core.model import Validity
from grantproof.core.organization import Organization

Node = TypeVar("Node", bound=str)


def closure(start: Iterable[Node], parents: Mapping[Node, Iterable[Node]]) -> frozenset[Node]:
    """Return the least set that contains `start` and every parent of its members. P-CLOSURE."""
    seen = set(start)
    work = set(seen)
    while work:
        node = work.pop()
        for parent in parents[node]:
            if parent not in seen:
                seen.add(parent)
                work.add(parent)
    return frozenset(seen)


def effective_roles(state: Organization, principal: PrincipalId, instant: int) -> frozenset[RoleId]:
    """Return the roles the principal holds at the instant (epoch seconds), inherited ones too."""
    return closure(assigned_roles(state, principal, instant), state.roles.parents)


def assigned_roles(state: Organization, principal: PrincipalId, instant: int) -> frozenset[RoleId]:
    """Return the roles assigned to the principal or to a group it is in, valid at the instant."""
    roles = valid_roles(state.assignments.of(principal), instant)
    for group in groups_of(state, principal):
        roles = roles | valid_roles(state.group_assignments.of(group), instant)
    return roles


def valid_roles(assigned: Mapping[RoleId, Validity], instant: int) -> frozenset[RoleId]:
    """Return the roles whose validity contains the instant."""
    return frozenset(role for role, validity in assigned.items() if validity.contains(instant))


def groups_of(state: Organization, principal: PrincipalId) -> frozenset[GroupId]:
    """Return every group the principal is in, directly or through nesting."""
    return closure(state.memberships.of(principal), state.groups.parents)


def validities(state: Organization, principal: PrincipalId) -> frozenset[Validity]:
    """Return the validities of the principal's assignments, direct and through groups."""
    found = frozenset(state.assignments.of(principal).values())
    for group in groups_of(state, principal):
        found = found | frozenset(state.group_assignments.of(group).values())
    return found


def would_cycle(child: Node, parent: Node, parents: Mapping[Node, Iterable[Node]]) -> bool:
    """Return whether an edge from `child` to `parent` would close a cycle. P-DAG."""
    return child in closure({parent}, parents)


def members_of(state: Organization, groups: Iterable[GroupId]) -> frozenset[PrincipalId]:
    """Return the principals of the groups and of every group nested in them."""
    nested = closure(groups, state.groups.children)
    return frozenset(principal for group in nested for principal in state.memberships.to(group))


def holders_of(state: Organization, roles: Iterable[RoleId]) -> frozenset[PrincipalId]:
    """Return the principals that at some instant hold one of the roles, inheritance included."""
    juniors_up = closure(roles, state.roles.children)
    groups = {group for role in juniors_up for group in state.group_assignments.to(role)}
    direct = frozenset(principal for role in juniors_up for principal in state.assignments.to(role))
    return direct | members_of(state, groups)
