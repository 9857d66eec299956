"""Who holds what through groups and inheritance: closures, paths, and what an edge would do.

`closure` is the one worklist of the system; everything that follows groups or parents goes
through it, in either direction.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from grantproof.core.errors import HeldRole
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


def cycle_through(
    child: Node, parent: Node, parents: Mapping[Node, Iterable[Node]]
) -> tuple[str, ...]:
    """Return the cycle that the edge would close: `child`, `parent`, ..., `child`."""
    back = shortest_path([parent], child, parents)
    return (child,) if back is None else (child, *back)


def shortest_path(
    starts: Iterable[Node], goal: Node, parents: Mapping[Node, Iterable[Node]]
) -> tuple[Node, ...] | None:
    """Return a shortest path from one of `starts` to `goal`, both included, or nothing.

    Ties are broken by the order of ids, so that equal states give equal paths.
    """
    came_from: dict[Node, Node | None] = dict.fromkeys(sorted(starts))
    frontier = list(came_from)
    while frontier and goal not in came_from:
        following: list[Node] = []
        for node in frontier:
            for parent in sorted(parents[node]):
                if parent not in came_from:
                    came_from[parent] = node
                    following.append(parent)
        frontier = following
    return _trace_back(goal, came_from) if goal in came_from else None


def _trace_back(goal: Node, came_from: Mapping[Node, Node | None]) -> tuple[Node, ...]:
    path: list[Node] = []
    node: Node | None = goal
    while node is not None:
        path.append(node)
        node = came_from[node]
    return tuple(reversed(path))


def longest_chain(start: Node, parents: Mapping[Node, Iterable[Node]]) -> int:
    """Return the number of edges of the longest chain from `start`; the graph must be acyclic."""
    length = 0
    level: set[Node] = set(parents[start])
    while level:
        length += 1
        level = {parent for node in level for parent in parents[node]}
    return length


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


def how_held(
    state: Organization, principal: PrincipalId, role: RoleId, *, instant: int
) -> HeldRole | None:
    """Return how the principal holds the role at the instant: shortest, a direct one first."""
    direct = valid_roles(state.assignments.of(principal), instant)
    path = shortest_path(direct, role, state.roles.parents)
    if path is not None:
        return HeldRole((), path)
    through = [
        HeldRole(group_path, role_path)
        for group in sorted(groups_of(state, principal))
        if (role_path := _role_path(state, group, role, instant=instant)) is not None
        and (group_path := _group_path(state, principal, group)) is not None
    ]
    return min(
        through, key=lambda held: (len(held.groups) + len(held.roles), held.groups), default=None
    )


def _role_path(
    state: Organization, group: GroupId, role: RoleId, *, instant: int
) -> tuple[RoleId, ...] | None:
    assigned = valid_roles(state.group_assignments.of(group), instant)
    return shortest_path(assigned, role, state.roles.parents)


def _group_path(
    state: Organization, principal: PrincipalId, group: GroupId
) -> tuple[GroupId, ...] | None:
    return shortest_path(state.memberships.of(principal), group, state.groups.parents)
