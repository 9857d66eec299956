"""What an organization holds to no effect: claims, roles, assignments and sets that trip over it.

A claim is dead when no active principal can ever use it, whatever the context and in whatever
session, as things are stored. Something is redundant when it could go and nobody would be allowed
less.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from grantproof.analysis.formulas import Stored, all_of, conditions, negation
from grantproof.analysis.principals import (
    Interest,
    Profiles,
    never_active,
    principal_classes,
    unactivatable_roles,
)
from grantproof.analysis.reads import reads, reads_stored
from grantproof.analysis.resources import stored, target_classes
from grantproof.analysis.solving import Found, Impossible, Solver, Span, Undetermined
from grantproof.analysis.strangers import SOMEBODY
from grantproof.core.attributes import NO_ATTRIBUTES
from grantproof.core.constraints import Constraint
from grantproof.core.containment import action_contains, resource_contains
from grantproof.core.duty import unholdable_roles
from grantproof.core.hierarchy import closure, groups_of, holders_of, members_of
from grantproof.core.identifiers import GroupId, RoleId, SodSetId
from grantproof.core.limits import INSTANT_MIN
from grantproof.core.model import Assignment, Claim, GroupAssignment
from grantproof.core.organization import Organization
from grantproof.core.rights import claims_of

Held = Assignment | GroupAssignment


@dataclass(frozen=True, slots=True)
class Unused:
    """Nobody holds the role, at any instant, and nobody holds one that inherits from it."""

    role: RoleId


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Whoever holds the role of the claim is suspended, or nobody can have the role active."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """In no context do the constraints of the claim hold together, for anybody who holds it."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class RedundantClaim:
    """Whoever holds the claim holds the other one too, which says at least as much."""

    claim: Claim
    other: Claim


@dataclass(frozen=True, slots=True)
class RedundantAssignment:
    """The role comes with another one that is held at least as long."""

    assignment: Assignment | GroupAssignment
    other: Assignment | GroupAssignment


@dataclass(frozen=True, slots=True)
class Unholdable:
    """Nobody can hold the role: with what it inherits from it breaks the static set."""

    role: RoleId
    sod_set: SodSetId


@dataclass(frozen=True, slots=True)
class Unactivatable:
    """Nobody can have the role active: with what it inherits from it breaks the dynamic set."""

    role: RoleId
    sod_set: SodSetId


@dataclass(frozen=True, slots=True)
class Unsure:
    """It is not known whether the claim is dead."""

    claim: Claim
    why: str


Conflict = Unholdable | Unactivatable
Dead = Unused | Unreachable | Unsatisfiable | RedundantClaim | RedundantAssignment | Unsure


def dead(state: Organization, solver: Solver, *, now: int) -> Iterator[Dead]:
    """Yield what is without effect: roles, then claims, then assignments, in order of their ids."""
    held = _held(state)
    yield from (Unused(role) for role in sorted(state.roles) if role not in held)
    usable = _usable(state, held)
    for _, claim in sorted(state.claims.items()):
        if claim.role in usable:
            yield from _without_context(state, claim, solver, now=now)
        elif claim.role in held:
            yield Unreachable(claim)
    yield from redundant_claims(state, solver)
    yield from redundant_assignments(state)


def conflicts(state: Organization) -> tuple[Conflict, ...]:
    """Return the roles that a separation-of-duty set keeps everybody from, set by set."""
    found: list[Conflict] = []
    for _, sod_set in sorted(state.sod_sets.items()):
        found += [Unholdable(role, sod_set.id) for role in unholdable_roles(state, sod_set)]
        if sod_set.mode == "dynamic":
            found += [
                Unactivatable(role, sod_set.id) for role in unactivatable_roles(state, sod_set)
            ]
    return tuple(found)


def _held(state: Organization) -> frozenset[RoleId]:
    """Return the roles that some principal holds at some instant."""
    groups = (group for group in state.group_assignments.forward if _has_members(state, group))
    through = {role for group in groups for role in state.group_assignments.of(group)}
    return closure({*state.assignments.backward, *through}, state.roles.parents)


def _has_members(state: Organization, group: GroupId) -> bool:
    return len(members_of(state, [group])) > 0


def _usable(state: Organization, held: frozenset[RoleId]) -> frozenset[RoleId]:
    """Return the roles, of those held, that some active principal can have active.

    Whoever holds more than a dynamic set allows may still choose one of them for a session.
    """
    profile_of = Profiles(state, Interest(frozenset(state.roles)))
    never, usable = never_active(state), frozenset[RoleId]()
    for name, principal in state.principals.items():
        if principal.active:
            usable = usable.union(*(given for given, _ in profile_of(name).held))
        if usable >= held - never:
            break
    return usable - never


def _without_context(
    state: Organization, claim: Claim, solver: Solver, *, now: int
) -> Iterator[Unsatisfiable | Unsure]:
    """Yield the claim if nobody who may use its role finds its constraints to hold together."""
    if len(claim.constraints) == 0:
        return
    unsure: str | None = None
    for seen in _seen(state, claim):
        solution = solver.solve(conditions(claim.constraints, seen), Span(now))
        if isinstance(solution, Found):
            return
        if isinstance(solution, Undetermined):
            unsure = solution.why
    yield Unsatisfiable(claim) if unsure is None else Unsure(claim, unsure)


def _seen(state: Organization, claim: Claim) -> Iterator[Stored]:
    """Yield what the constraints may see: of each class of holders and of resources."""
    if not reads_stored(claim.constraints):
        # Somebody may use the role, and whoever does makes no difference.
        yield NOBODY
        return
    read = reads(state, claim.constraints)
    interest = Interest(frozenset({claim.role}), reads=read)
    resources = target_classes(state, [claim.resource], read.resource)
    for members in principal_classes(state, interest, holders_of(state, [claim.role])):
        if members.profile.active:
            yield from (stored(members, resource) for resource in resources)


def redundant_claims(state: Organization, solver: Solver) -> Iterator[RedundantClaim]:
    """Yield each claim that another one of the same role, or that it inherits, makes needless.

    Sound and not complete: what several others say together is not put together.
    """
    for role in sorted(state.roles):
        inherited = closure({role}, state.roles.parents)
        others = [other for one in sorted(inherited) for other in claims_of(state, one)]
        for claim in claims_of(state, role):
            found = (
                other
                for other in others
                if other.id != claim.id
                and _says_as_much(state, other, claim, solver=solver)
                # Of two of one role that say the same, the first stays.
                and (
                    other.role != role
                    or other.id < claim.id
                    or not _says_as_much(state, claim, other, solver=solver)
                )
            )
            better = next(found, None)
            if better is not None:
                yield RedundantClaim(claim, better)


def _says_as_much(state: Organization, outer: Claim, inner: Claim, *, solver: Solver) -> bool:
    # What counts its own use is used up on its own: two of them are more than one.
    return (
        not outer.metered
        and action_contains(outer.action, inner.action)
        and resource_contains(state, outer.resource, inner.resource)
        and _implied(outer.constraints, inner.constraints, solver)
    )


def _implied(
    weaker: tuple[Constraint, ...], stronger: tuple[Constraint, ...], solver: Solver
) -> bool:
    """Return whether all of the weaker hold wherever all of the stronger do, of one principal."""
    if all(constraint in stronger for constraint in weaker):
        return True
    if reads_stored((*weaker, *stronger)):
        return False
    between = all_of([conditions(stronger, NOBODY), negation(conditions(weaker, NOBODY))])
    return isinstance(solver.solve(between, Span(INSTANT_MIN)), Impossible)


NOBODY: Final = Stored(SOMEBODY, NO_ATTRIBUTES, NO_ATTRIBUTES)
"""For constraints that read nothing that is stored."""


def redundant_assignments(state: Organization) -> Iterator[RedundantAssignment]:
    """Yield each assignment whose role the same principal or group has by another one as long."""

    @cache
    def up(role: RoleId) -> frozenset[RoleId]:
        return closure({role}, state.roles.parents)

    for principal in sorted(state.assignments.forward):
        direct = [Assignment(principal, *pair) for pair in state.assignments.of(principal).items()]
        given = _given(state, groups_of(state, principal))
        yield from _needless(direct, [*direct, *given], up)
    for group in sorted(state.group_assignments.forward):
        own = _given(state, [group])
        around = closure({group}, state.groups.parents) - {group}
        yield from _needless(own, [*own, *_given(state, around)], up)


def _given(state: Organization, groups: Iterable[GroupId]) -> list[GroupAssignment]:
    return [
        GroupAssignment(group, role, validity)
        for group in sorted(groups)
        for role, validity in state.group_assignments.of(group).items()
    ]


def _needless(
    own: Sequence[Held], all_held: Sequence[Held], up: Callable[[RoleId], frozenset[RoleId]]
) -> Iterator[RedundantAssignment]:
    for one in sorted(own, key=lambda held: held.role):
        for other in all_held:
            if other != one and one.role in up(other.role) and _covers(other, one):
                yield RedundantAssignment(one, other)
                break


def _covers(other: Held, one: Held) -> bool:
    """Return whether the other lasts at least as long."""
    longer, shorter = other.validity, one.validity
    starts = longer.start is None or (shorter.start is not None and longer.start <= shorter.start)
    ends = longer.end is None or (shorter.end is not None and shorter.end <= longer.end)
    return starts and ends
