"""Ways through the graphs of roles and groups: the shortest as evidence, the longest for a bound.

No access is decided here. What is found is shown to people or put into a certificate: tests hold
the finders to their word, and `certificate.check`, which is proved, accepts no path that is none.
"""

from collections.abc import Iterable, Mapping

from grantproof.core.errors import HeldRole
from grantproof.core.hierarchy import Node, groups_of, valid_roles
from grantproof.core.identifiers import GroupId, PrincipalId, RoleId
from grantproof.core.organization import Organization


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


def cycle_through(
    child: Node, parent: Node, parents: Mapping[Node, Iterable[Node]]
) -> tuple[str, ...]:
    """Return the cycle that the edge would close: `child`, `parent`, ..., `child`."""
    back = shortest_path([parent], child, parents)
    return (child,) if back is None else (child, *back)


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


def longest_chain(start: Node, parents: Mapping[Node, Iterable[Node]]) -> int:
    """Return the number of edges of the longest chain from `start`; the graph must be acyclic."""
    length = 0
    level: set[Node] = set(parents[start])
    while level:
        length += 1
        level = {parent for node in level for parent in parents[node]}
    return length
