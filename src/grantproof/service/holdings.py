"""What an organization holds, in numbers, and what of it does nothing: for whoever looks it over.

Only what the graphs tell at once is looked for here; `analysis.dead` asks the solver for more.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from grantproof.core.duty import unholdable_roles
from grantproof.core.hierarchy import closure, members_of
from grantproof.core.identifiers import RoleId
from grantproof.core.organization import Organization
from grantproof.service.expiring import Timed, timed

NAMED_MAX: Final = 5
"""So many of what is found are named; of the others their number is told."""
LOOKED_AT_MAX: Final = 100_000
"""Of larger organizations only what can be counted without looking at each part is told."""


@dataclass(frozen=True, slots=True)
class Found:
    """How many there are of a sort, and the first of them in the order of their ids."""

    count: int
    first: tuple[str, ...]

    @property
    def more(self) -> int:
        """How many are not named."""
        return self.count - len(self.first)


@dataclass(frozen=True, slots=True)
class Idle:
    """What is stored and does nothing.

    `unheld` roles reach nobody, `unholdable` ones nobody may hold, claims that are `unused` are of
    roles that reach nobody, and `suspended` principals are denied everything.
    """

    unheld: Found
    unholdable: Found
    unused: Found
    suspended: Found


@dataclass(frozen=True, slots=True)
class Ending:
    """Assignments that end soon, the earliest first, and how many of the others matter in time."""

    soon: tuple[Timed, ...]
    expiring: int
    expired: int
    not_begun: int


def counts(state: Organization) -> Mapping[str, int]:
    """Return how many there are of each sort."""
    given = state.assignments.backward, state.group_assignments.backward
    return {
        "principals": len(state.principals),
        "groups": len(state.groups),
        "roles": len(state.roles),
        "claims": len(state.claims),
        "resources": len(state.resources),
        # By the roles, of which there are far fewer than of principals.
        "assignments": sum(len(held) for backward in given for held in backward.values()),
        "sod_sets": len(state.sod_sets),
        "guardrails": len(state.guardrails),
    }


def is_large(counted: Mapping[str, int]) -> bool:
    """Return whether looking at each part would take long."""
    return sum(counted.values()) > LOOKED_AT_MAX


def idle(state: Organization) -> Idle:
    """Return what of the organization does nothing."""
    held = _held(state)
    barred = {
        role for sod_set in state.sod_sets.values() for role in unholdable_roles(state, sod_set)
    }
    return Idle(
        unheld=_found(role for role in state.roles if role not in held),
        unholdable=_found(barred),
        unused=_found(name for name, claim in state.claims.items() if claim.role not in held),
        suspended=_found(name for name, one in state.principals.items() if not one.active),
    )


def ending(state: Organization, *, instant: int, within: int) -> Ending:
    """Return what ends less than `within` seconds after the instant, and what has ended already."""
    found = sorted(timed(state, instant=instant, within=within), key=lambda one: one.key)
    stages = Counter(one.stage for one in found)
    soon = tuple(one for one in found if one.stage == "expiring")
    return Ending(soon[:NAMED_MAX], stages["expiring"], stages["expired"], stages["not_begun"])


def _held(state: Organization) -> frozenset[RoleId]:
    """Return the roles that reach somebody at some instant, themselves or through others."""
    groups = (group for group in state.group_assignments.forward if members_of(state, [group]))
    through = {role for group in groups for role in state.group_assignments.of(group)}
    return closure({*state.assignments.backward, *through}, state.roles.parents)


def _found(names: Iterable[str]) -> Found:
    ordered = sorted(names)
    return Found(len(ordered), tuple(ordered[:NAMED_MAX]))
