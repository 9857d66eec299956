"""Principals that a question cannot tell apart, taken together.

A question is about some roles, groups and attributes. Principals who are the same in all of those
get the same answers, so one of each class is asked about and stands for the others: the solver's
work is in proportion to the policy, not to the number of its users.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from grantproof.analysis.reads import NOTHING, Reads, restricted
from grantproof.analysis.solving import Span
from grantproof.core.attributes import (
    Attributes,
    booleans,
)
from grantproof.core.duty import exceeds
from grantproof.core.hierarchy import closure, holders_of
from grantproof.core.identifiers import (
    AttributeName,
    GroupId,
    PrincipalId,
    RoleId,
)
from grantproof.core.limits import INSTANT_MAX, INSTANT_MIN
from grantproof.core.model import (
    SodSet,
    Validity,
)
from grantproof.core.organization import Organization


@dataclass(frozen=True, slots=True)
class Interest:
    """What a question asks of principals: which roles and groups, and what constraints read.

    A question about decisions asks of the roles of dynamic sets too: see `clashes`.
    """

    roles: frozenset[RoleId]
    groups: frozenset[GroupId] = frozenset()
    reads: Reads = NOTHING


@dataclass(frozen=True, slots=True)
class Profile:
    """All that a question can see of a principal.

    `held` are the roles that each assignment gives, of those asked about, and while it lasts;
    `identity` is the id of one that constraints can tell from others by it.
    """

    active: bool
    held: frozenset[tuple[frozenset[RoleId], Validity]]
    groups: frozenset[GroupId]
    attributes: Attributes
    identity: PrincipalId | None
    booleans: frozenset[AttributeName] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "booleans", booleans(self.attributes))


@dataclass(frozen=True, slots=True)
class PrincipalClass:
    """Principals of one profile, in the order of their ids; the first stands for them."""

    profile: Profile
    members: tuple[PrincipalId, ...]

    @property
    def representative(self) -> PrincipalId:
        """The least member."""
        return self.members[0]


def principal_classes(
    state: Organization, interest: Interest, among: Iterable[PrincipalId] | None = None
) -> tuple[PrincipalClass, ...]:
    """Return the classes of the principals, in the order of their representatives.

    Of those who at some instant hold a role that is asked about, unless told `among` whom.
    """
    found: dict[Profile, list[PrincipalId]] = {}
    profile_of = Profiles(state, interest)
    for principal in holders_of(state, interest.roles) if among is None else among:
        found.setdefault(profile_of(principal), []).append(principal)
    classes = (PrincipalClass(profile, tuple(sorted(ids))) for profile, ids in found.items())
    return tuple(sorted(classes, key=lambda one: one.members[0]))


class Profiles:
    """Profiles of principals; what a role or a group gives is worked out once."""

    def __init__(self, state: Organization, interest: Interest) -> None:
        self._state = state
        self._interest = interest
        self._given: dict[RoleId, frozenset[RoleId]] = {}
        self._groups: dict[GroupId, tuple[frozenset[GroupId], Held]] = {}

    def __call__(self, principal: PrincipalId) -> Profile:
        """Return the profile of a principal of the organization."""
        stored, asked = self._state.principals[principal], self._interest
        held = set(self._held(self._state.assignments.of(principal).items()))
        groups: set[GroupId] = set()
        for group in self._state.memberships.of(principal):
            around, given = self._in_group(group)
            groups |= around
            held |= given
        texts = asked.reads.texts
        return Profile(
            active=stored.active,
            held=frozenset(held),
            groups=frozenset(groups),
            attributes=restricted(stored.attributes, asked.reads.principal),
            identity=principal if texts is not None and principal in texts else None,
        )

    def _in_group(self, group: GroupId) -> "tuple[frozenset[GroupId], Held]":
        known = self._groups.get(group)
        if known is None:
            around = closure({group}, self._state.groups.parents)
            held = frozenset(
                pair
                for one in around
                for pair in self._held(self._state.group_assignments.of(one).items())
            )
            known = self._groups[group] = (around & self._interest.groups, held)
        return known

    def _held(self, assigned: Iterable[tuple[RoleId, Validity]]) -> "Iterator[HeldPair]":
        for role, validity in assigned:
            given = self._given.get(role)
            if given is None:
                given = closure({role}, self._state.roles.parents) & self._interest.roles
                self._given[role] = given
            if len(given) > 0:
                yield given, validity


HeldPair = tuple[frozenset[RoleId], Validity]
Held = frozenset[HeldPair]


@dataclass(frozen=True, slots=True)
class Phase:
    """A time in which the principals of a profile hold the same roles, of those asked about."""

    span: Span
    roles: frozenset[RoleId]


def phases(profile: Profile, *, now: int) -> tuple[Phase, ...]:
    """Return the times in which any role is held: the present first, then from the earliest on.

    The present's span begins at `now`, an instant in epoch seconds.
    """
    bounds = {INSTANT_MIN, INSTANT_MAX + 1, now}
    for _, validity in profile.held:
        bounds |= {bound for bound in (validity.start, validity.end) if bound is not None}
    edges = sorted(bounds)
    found: list[Phase] = []
    for first, end in pairwise(edges):
        held = (roles for roles, validity in profile.held if validity.contains(first))
        roles = frozenset().union(*held)
        if len(roles) > 0:
            found.append(Phase(Span(first, end), roles))
    return tuple(sorted(found, key=lambda phase: (phase.span.first != now, phase.span.first)))


def dynamic_sets(state: Organization) -> tuple[SodSet, ...]:
    """Return the dynamic sets of the organization: a question about decisions asks of them too."""
    return tuple(one for one in state.sod_sets.values() if one.mode == "dynamic")


def clashes(sets: Iterable[SodSet], roles: frozenset[RoleId]) -> bool:
    """Return whether so many roles of a dynamic set are held that no request is allowed."""
    return any(exceeds(one, roles) for one in sets)


def unactivatable_roles(state: Organization, sod_set: SodSet) -> tuple[RoleId, ...]:
    """Return the roles that nobody can have active: what they inherit breaks the dynamic set."""
    below = closure(sod_set.roles, state.roles.children)
    parents = state.roles.parents
    return tuple(role for role in sorted(below) if exceeds(sod_set, closure({role}, parents)))


def never_active(state: Organization) -> frozenset[RoleId]:
    """Return the roles that nobody can have active, whatever is chosen for a session.

    Every other role that is held can be: alone, where a dynamic set forbids all that is held.
    """
    sets = dynamic_sets(state)
    return frozenset(role for one in sets for role in unactivatable_roles(state, one))
