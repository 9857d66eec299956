"""How near principals come to what separation of duty forbids, set by set.

Counted is what a principal holds now, or will at the start of an assignment, inheritance and groups
included: as the checks count it that keep the sets.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from grantproof.core.duty import exceeds, unholdable_roles
from grantproof.core.hierarchy import closure, groups_of, holders_of
from grantproof.core.identifiers import PrincipalId, RoleId
from grantproof.core.limits import PAGE_ITEMS_DEFAULT
from grantproof.core.model import SodSet, Validity
from grantproof.core.organization import Organization

NAMED_MAX: Final = PAGE_ITEMS_DEFAULT
"""So many principals are named, with the count of all."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A principal and the most roles of a set that it holds together, the first time it does.

    `start` is when an assignment starts with which it first does; nothing means that it does so at
    the instant that was asked about.
    """

    principal: PrincipalId
    roles: tuple[RoleId, ...]
    start: int | None = None


@dataclass(slots=True)
class Named:
    """How many principals these are, and the first of them by id."""

    count: int = 0
    first: list[Counted] = field(default_factory=list)

    def add(self, counted: Counted) -> None:
        """Take in the next one."""
        self.count += 1
        if len(self.first) < NAMED_MAX:
            self.first.append(counted)


@dataclass(frozen=True, slots=True)
class Standing:
    """A set, and how its holders stand to it.

    `holders` counts principals by how many roles of the set they hold together, at most. `near` are
    those who hold one less than is forbidden. `over` hold as many as are forbidden, or more: of a
    dynamic set they must choose for each session; of a static one there are none. `unusable` are
    the roles that nobody can hold, or of a dynamic set have active.
    """

    sod_set: SodSet
    unusable: tuple[RoleId, ...]
    holders: Counter[int] = field(default_factory=Counter)
    near: Named = field(default_factory=Named)
    over: Named = field(default_factory=Named)


def standings(
    state: Organization, sod_sets: Iterable[SodSet], instant: int
) -> tuple[Standing, ...]:
    """Return how principals stand to each of the sets at the instant and later: in one look."""
    found = tuple(Standing(one, unusable_roles(state, one)) for one in sod_sets)
    moments = _Moments(state, instant)
    roles = {role for one in found for role in one.sod_set.roles}
    for principal in sorted(holders_of(state, roles)):
        held = moments.of(principal)
        for standing in found:
            _take(standing, principal, held)
    return found


def _take(standing: Standing, principal: PrincipalId, moments: "list[Moment]") -> None:
    sod_set = standing.sod_set
    most = max(len(sod_set.roles & roles) for _, roles in moments)
    if most > 0:
        standing.holders[most] += 1
    if most >= sod_set.n:
        standing.over.add(_most(sod_set, principal, moments))
    elif most == sod_set.n - 1:
        standing.near.add(_most(sod_set, principal, moments))


def counts(
    state: Organization, sod_set: SodSet, instant: int, *, after: str = ""
) -> Iterator[Counted]:
    """Yield who holds roles of the set at the instant or later, by id, those after an id."""
    moments = _Moments(state, instant)
    holders = holders_of(state, sod_set.roles)
    for principal in sorted(one for one in holders if one > after):
        most = _most(sod_set, principal, moments.of(principal))
        if len(most.roles) > 0:
            yield most


def unusable_roles(state: Organization, sod_set: SodSet) -> tuple[RoleId, ...]:
    """Return the roles whose own closure has too many of the set: held or active they break it."""
    if sod_set.mode == "static":
        return unholdable_roles(state, sod_set)
    below = closure(sod_set.roles, state.roles.children)
    parents = state.roles.parents
    return tuple(role for role in sorted(below) if exceeds(sod_set, closure({role}, parents)))


Moment = tuple[int | None, frozenset[RoleId]]
"""An instant from which roles are held, nothing for the one asked about, and all these roles."""


class _Moments:
    """What principals hold, at the instant and where assignments start later.

    Roles are only ever gained at a start. What a role inherits is worked out once.
    """

    def __init__(self, state: Organization, instant: int) -> None:
        self._state = state
        self._instant = instant
        self._closures: dict[RoleId, frozenset[RoleId]] = {}

    def of(self, principal: PrincipalId) -> list[Moment]:
        state, instant = self._state, self._instant
        held = [*state.assignments.of(principal).items()]
        for group in groups_of(state, principal):
            held.extend(state.group_assignments.of(group).items())
        starts = {one.start for _, one in held if one.start is not None and one.start > instant}
        return [(None, self._at(held, instant))] + [
            (start, self._at(held, start)) for start in sorted(starts)
        ]

    def _at(self, held: Iterable[tuple[RoleId, Validity]], at: int) -> frozenset[RoleId]:
        then = (self._closure(role) for role, validity in held if validity.contains(at))
        return frozenset().union(*then)

    def _closure(self, role: RoleId) -> frozenset[RoleId]:
        found = self._closures.get(role)
        if found is None:
            found = self._closures[role] = closure((role,), self._state.roles.parents)
        return found


def _most(sod_set: SodSet, principal: PrincipalId, moments: Iterable[Moment]) -> Counted:
    best = Counted(principal, ())
    for start, roles in moments:
        held = sod_set.roles & roles
        if len(held) > len(best.roles):
            best = Counted(principal, tuple(sorted(held)), start)
    return best
