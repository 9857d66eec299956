"""How near principals come to what separation of duty forbids, set by set.

Counted is what a principal holds now, or will at the start of an assignment, inheritance and groups
included: as the checks count it that keep the sets.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from grantproof.core.duty import exceeds, starts, unholdable_roles
from grantproof.core.hierarchy import closure, effective_roles, holders_of
from grantproof.core.identifiers import PrincipalId, RoleId
from grantproof.core.model import SodSet
from grantproof.core.organization import Organization


@dataclass(frozen=True, slots=True)
class Counted:
    """A principal and the most roles of a set that it holds together, the first time it does.

    `start` is when an assignment starts with which it first does; nothing means that it does so at
    the instant that was asked about.
    """

    principal: PrincipalId
    roles: tuple[RoleId, ...]
    start: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A set, and how its holders stand to it.

    `holders` counts principals by how many roles of the set they hold together, at most. `near` are
    those who hold one less than is forbidden. `over` hold as many as are forbidden, or more: of a
    dynamic set they must choose for each session; of a static one there are none. Both in order.
    `unusable` are the roles that nobody can hold, or of a dynamic set have active.
    """

    sod_set: SodSet
    unusable: tuple[RoleId, ...]
    holders: dict[int, int]
    near: tuple[Counted, ...]
    over: tuple[Counted, ...]


def standing(state: Organization, sod_set: SodSet, instant: int) -> Standing:
    """Return how principals stand to the set at the instant and later."""
    counted = list(counts(state, sod_set, instant))
    return Standing(
        sod_set=sod_set,
        unusable=unusable_roles(state, sod_set),
        holders=dict(sorted(Counter(len(one.roles) for one in counted).items())),
        near=tuple(one for one in counted if len(one.roles) == sod_set.n - 1),
        over=tuple(one for one in counted if len(one.roles) >= sod_set.n),
    )


def counts(
    state: Organization, sod_set: SodSet, instant: int, *, after: str = ""
) -> Iterator[Counted]:
    """Yield who holds roles of the set at the instant or later, by id, those after an id."""
    holders = holders_of(state, sod_set.roles)
    for principal in sorted(one for one in holders if one > after):
        most = _most(state, sod_set, principal, instant=instant)
        if len(most.roles) > 0:
            yield most


def unusable_roles(state: Organization, sod_set: SodSet) -> tuple[RoleId, ...]:
    """Return the roles whose own closure has too many of the set: held or active they break it."""
    if sod_set.mode == "static":
        return unholdable_roles(state, sod_set)
    below = closure(sod_set.roles, state.roles.children)
    parents = state.roles.parents
    return tuple(role for role in sorted(below) if exceeds(sod_set, closure({role}, parents)))


def _most(state: Organization, sod_set: SodSet, principal: PrincipalId, *, instant: int) -> Counted:
    # Roles are only ever gained where an assignment starts.
    later = (start for start in starts(state, principal) if start > instant)
    now = sod_set.roles & effective_roles(state, principal, instant)
    best = Counted(principal, tuple(sorted(now)))
    for at in later:
        held = sod_set.roles & effective_roles(state, principal, at)
        if len(held) > len(best.roles):
            best = Counted(principal, tuple(sorted(held)), at)
    return best
