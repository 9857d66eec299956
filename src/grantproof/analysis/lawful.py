"""Who holds roles, and when they may use them: the nearest first."""

from collections.abc import Iterable, Iterator

from grantproof.analysis.principals import (
    Interest,
    Phase,
    Profile,
    Profiles,
    clashes,
    dynamic_sets,
    phases,
)
from grantproof.core.hierarchy import closure, groups_of
from grantproof.core.identifiers import GroupId, PrincipalId, RoleId
from grantproof.core.organization import Organization


class Lawful:
    """When principals hold roles and no dynamic set stands in the way, each worked out once.

    Asked of `roles` and `groups`; `now` is an instant in epoch seconds.
    """

    def __init__(
        self,
        state: Organization,
        roles: Iterable[RoleId],
        groups: Iterable[GroupId] = (),
        *,
        now: int,
    ) -> None:
        self._sets = dynamic_sets(state)
        counted = (role for one in self._sets for role in one.roles)
        self._profile_of = Profiles(
            state, Interest(frozenset(roles).union(counted), frozenset(groups))
        )
        self._now = now
        self._profiles: dict[PrincipalId, Profile] = {}
        self._phases: dict[Profile, tuple[Phase, ...]] = {}

    def profile(self, principal: PrincipalId) -> Profile:
        """Return what is asked of the principal."""
        known = self._profiles.get(principal)
        if known is None:
            known = self._profiles[principal] = self._profile_of(principal)
        return known

    def phases(self, principal: PrincipalId) -> tuple[Phase, ...]:
        """Return the times in which its roles count: the present first, then from the earliest on.

        There is none for a suspended principal.
        """
        profile = self.profile(principal)
        known = self._phases.get(profile)
        if known is None:
            every = phases(profile, now=self._now) if profile.active else ()
            known = tuple(one for one in every if not clashes(self._sets, one.roles))
            self._phases[profile] = known
        return known


def roles_ever(state: Organization, principals: Iterable[PrincipalId]) -> frozenset[RoleId]:
    """Return the roles that any of the principals holds at some instant."""
    assigned: set[RoleId] = set()
    for principal in principals:
        assigned.update(state.assignments.of(principal))
        for group in groups_of(state, principal):
            assigned.update(state.group_assignments.of(group))
    return closure(assigned, state.roles.parents)


def nearest(state: Organization, role: RoleId) -> Iterator[PrincipalId]:
    """Yield who holds the role at some instant: by the shortest way first, then by id.

    Ways without a group come before all others, as in certificates. Each is yielded once.
    """
    seen: set[PrincipalId] = set()
    through: dict[int, set[GroupId]] = {}
    for distance, level in enumerate(_levels(state, role)):
        direct = {one for held in level for one in state.assignments.to(held)} - seen
        yield from sorted(direct)
        seen |= direct
        groups = {one for held in level for one in state.group_assignments.to(held)}
        if len(groups) > 0:
            through.setdefault(distance, set()).update(groups)
    visited: set[GroupId] = set()
    length = 0
    while len(through) > 0:
        found = through.pop(length, set()) - visited
        length += 1
        visited |= found
        members = {one for group in found for one in state.memberships.to(group)} - seen
        yield from sorted(members)
        seen |= members
        inner = {one for group in found for one in state.groups.children[group]}
        if len(inner) > 0:
            through.setdefault(length, set()).update(inner)


def _levels(state: Organization, role: RoleId) -> Iterator[set[RoleId]]:
    """Yield the role, then those that inherit it, by their distance."""
    seen = {role}
    level = {role}
    while len(level) > 0:
        yield level
        level = {child for one in level for child in state.roles.children[one]} - seen
        seen |= level
