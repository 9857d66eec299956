"""Separation of duty: what nobody may hold together, and what may not be active together.

NIST/ANSI INCITS 359 SSD and DSD with `n` the smallest forbidden count. Inheritance and groups
count: the checks are on effective roles, never on assignments.
"""

from collections.abc import Iterable
from typing import Literal

from grantproof.core.errors import BreaksSod
from grantproof.core.hierarchy import closure, effective_roles, validities
from grantproof.core.identifiers import PrincipalId, RoleId
from grantproof.core.limits import INSTANT_MIN
from grantproof.core.matching import Request
from grantproof.core.model import SodSet
from grantproof.core.organization import Organization
from grantproof.core.paths import how_held


def exceeds(sod_set: SodSet, roles: frozenset[RoleId]) -> bool:
    """Return whether `roles` hold `n` or more of the set. Order plays no part. P-SOD-SYM."""
    return len(sod_set.roles & roles) >= sod_set.n


def active_roles(state: Organization, request: Request, instant: int) -> frozenset[RoleId]:
    """Return the roles that count for the request: all effective ones, or those of its session.

    Of a session count the chosen roles that are effective at the instant, closed under parents.
    """
    effective = effective_roles(state, request.principal, instant)
    if request.active_roles is None:
        return effective
    return closure(request.active_roles & effective, state.roles.parents)


def breached(
    state: Organization, roles: frozenset[RoleId], mode: Literal["static", "dynamic"]
) -> SodSet | None:
    """Return the first set of the mode, by id, of which `roles` hold too many, or nothing."""
    for sod_set in sets_naming(state, roles):
        if sod_set.mode == mode and exceeds(sod_set, roles):
            return sod_set
    return None


def dynamic_clash(state: Organization, active: frozenset[RoleId]) -> SodSet | None:
    """Return the first dynamic set, by id, of which too many roles are active. P-DSD."""
    return breached(state, active, "dynamic")


def static_clash(state: Organization, principal: PrincipalId) -> BreaksSod | None:
    """Return the first breach of a static set by the principal, or nothing. P-SOD-SAFE.

    Effective roles only grow where an assignment starts, so these instants suffice for all.
    """
    for instant in starts(state, principal):
        sod_set = breached(state, effective_roles(state, principal, instant), "static")
        if sod_set is not None:
            return _breach(state, principal, sod_set, instant=instant)
    return None


def starts(state: Organization, principal: PrincipalId) -> tuple[int, ...]:
    """Return the instants at which an assignment of the principal starts, earliest first."""
    instants = {
        INSTANT_MIN if validity.start is None else validity.start
        for validity in validities(state, principal)
    }
    return tuple(sorted(instants))


def sets_naming(state: Organization, roles: Iterable[RoleId]) -> tuple[SodSet, ...]:
    """Return the separation-of-duty sets that name one of the roles, in the order of their ids."""
    ids = {
        sod_set
        for role in roles
        if role in state.sod_sets_by_role
        for sod_set in state.sod_sets_by_role[role]
    }
    return tuple(state.sod_sets[sod_set] for sod_set in sorted(ids))


def unholdable_roles(state: Organization, sod_set: SodSet) -> tuple[RoleId, ...]:
    """Return the roles whose own closure breaks the set: legal, but nobody can hold them.

    A dynamic set has none: it binds what is active, not what is held.
    """
    if sod_set.mode != "static":
        return ()
    below = closure(sod_set.roles, state.roles.children)
    parents = state.roles.parents
    return tuple(role for role in sorted(below) if exceeds(sod_set, closure({role}, parents)))


def _breach(
    state: Organization, principal: PrincipalId, sod_set: SodSet, *, instant: int
) -> BreaksSod:
    held = (how_held(state, principal, role, instant=instant) for role in sorted(sod_set.roles))
    return BreaksSod(
        sod_set=sod_set.id,
        n=sod_set.n,
        principal=principal,
        instant=None if instant == INSTANT_MIN else instant,
        held=tuple(path for path in held if path is not None),
    )
