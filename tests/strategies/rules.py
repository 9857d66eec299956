"""Small problems of administrative reachability, and the plain search that answers them."""

from collections import deque
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from grantproof.analysis.reachability.problem import (
    CanAssign,
    CanRevoke,
    Goal,
    Problem,
    Roles,
    State,
    Step,
    moved,
    objection,
    reached,
)
from grantproof.core.identifiers import PrincipalId, RoleId
from tests.strategies.names import once

ROLES: Final = tuple(map(RoleId, "abcd"))
USERS: Final = tuple(map(PrincipalId, ("u", "v")))
NO_ROLES: Final[Roles] = frozenset()


@once
def role_sets(most: int = 2) -> SearchStrategy[Roles]:
    """A few of the roles."""
    return st.frozensets(st.sampled_from(ROLES), max_size=most)


ROLE: Final = st.sampled_from(ROLES)
ADMINISTRATOR: Final = st.sampled_from((*ROLES, None))
EDGES: Final = st.lists(st.tuples(ROLE, ROLE), max_size=1)
ASSIGNING: Final = st.lists(
    st.builds(CanAssign, ADMINISTRATOR, role_sets(), role_sets(), ROLE), max_size=4
)
REVOKING: Final = st.lists(st.builds(CanRevoke, ADMINISTRATOR, ROLE), max_size=4)


@once
@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """A problem of four roles and up to two users, often with inheritance."""
    goal = draw(ROLE)
    users = USERS[: draw(st.integers(1, len(USERS)))]
    edges = draw(EDGES)
    parents: dict[RoleId, Roles] = {}
    for one, other in edges:
        if one < other:
            parents[one] = parents.get(one, NO_ROLES) | {other}
    others = [one for one in ROLES if one != goal]
    first, second, third = draw(st.permutations(others))
    # A way that may be there: what else there is shortens it, forbids it or lets it be.
    path = (
        CanAssign(first, NO_ROLES, draw(role_sets(1)), second),
        CanAssign(draw(ADMINISTRATOR), frozenset({second}), draw(role_sets(1)), third),
        CanAssign(draw(st.sampled_from((second, third))), NO_ROLES, draw(role_sets(1)), goal),
    )
    return Problem(
        roles=frozenset(ROLES),
        users={user: draw(role_sets(1)) - {goal} | {first} for user in users[:1]}
        | {user: draw(role_sets(1)) - {goal} for user in users[1:]},
        can_assign=(*path, *draw(ASSIGNING)),
        can_revoke=tuple(draw(REVOKING)),
        goal=Goal(goal, draw(st.sampled_from((*users, None)))),
        parents=parents,
    )


def fewest_steps(problem: Problem) -> int | None:
    """How few steps reach the goal, of every interleaving of every step; nothing if none do."""
    known = {_key(problem.users)}
    queue: deque[tuple[State, int]] = deque([(problem.users, 0)])
    while queue:
        state, steps = queue.popleft()
        if reached(problem, state) is not None:
            return steps
        for step in _steps(state):
            if objection(problem, state, step) is None:
                after = moved(state, step)
                if _key(after) not in known:
                    known.add(_key(after))
                    queue.append((after, steps + 1))
    return None


def _steps(state: State) -> list[Step]:
    return [
        Step("revoke" if role in state[user] else "assign", author, user, role)
        for author in state
        for user in state
        for role in ROLES
    ]


def _key(state: State) -> frozenset[tuple[PrincipalId, RoleId]]:
    return frozenset((user, role) for user, held in state.items() for role in held)
