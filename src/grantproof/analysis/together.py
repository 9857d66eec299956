"""Whether somebody is, at one instant, allowed both of two accesses."""

from collections.abc import Iterable
from dataclasses import replace

from grantproof.analysis.cases import GIVEN_UP_MAX, Case, Shown, first_shown, granting
from grantproof.analysis.lawful import Lawful
from grantproof.analysis.overlaps import Grant
from grantproof.analysis.principals import Phase
from grantproof.analysis.reads import is_personal
from grantproof.analysis.solving import IMPOSSIBLE, Impossible, Solver, Undetermined
from grantproof.core.constraints import Context
from grantproof.core.hierarchy import holders_of
from grantproof.core.identifiers import PrincipalId, RoleId
from grantproof.core.matching import Request
from grantproof.core.organization import Organization

AskedTogether = tuple[tuple[Request, Context], ...]
"""Requests, each in its context."""


def allowed_both(
    state: Organization,
    sides: tuple[tuple[Grant, ...], tuple[Grant, ...]],
    solver: Solver,
    *,
    now: int,
    among: frozenset[PrincipalId] | None = None,
) -> AskedTogether | Impossible | Undetermined:
    """Return two requests of one principal at one instant, a grant of each side allowing one.

    Each has a context of its own: beside the instant those need not agree. It is the least of the
    principals, of those `among` whom it is looked for.
    """
    if any(len(grants) == 0 for grants in sides):
        return IMPOSSIBLE
    first, second = (_Side(state, grants, solver) for grants in sides)
    people = among
    if people is None:
        people = holders_of(state, first.roles) & holders_of(state, second.roles)
    lawful = Lawful(state, first.roles | second.roles, now=now)
    unknown: list[Undetermined] = []
    for principal in sorted(people):
        for phase in lawful.phases(principal):
            shown = [side.allowed(principal, phase) for side in (first, second)]
            contexts = [one for one in shown if isinstance(one, Shown)]
            if len(contexts) == len(shown):
                return _at_one_instant(contexts)
            if all(not isinstance(one, Impossible) for one in shown):
                unknown.extend(one for one in shown if isinstance(one, Undetermined))
            if len(unknown) > GIVEN_UP_MAX:
                return unknown[0]
    return IMPOSSIBLE if len(unknown) == 0 else unknown[0]


def _at_one_instant(shown: Iterable[Shown]) -> AskedTogether:
    """Return the requests at the first one's instant: no constraint looks at that."""
    asked = [(one.case.grant.asked_by(one.case.principal), one.context) for one in shown]
    instant = asked[0][1].instant
    return tuple((request, replace(context, instant=instant)) for request, context in asked)


class _Side:
    """One of the accesses: by which roles it is granted, and which of them turned out not to be."""

    def __init__(self, state: Organization, grants: Iterable[Grant], solver: Solver) -> None:
        self._state = state
        self._solver = solver
        self._by_role: dict[RoleId, list[Grant]] = {}
        for grant in grants:
            self._by_role.setdefault(grant.claim.role, []).append(grant)
        self.roles = frozenset(self._by_role)
        self._alike = frozenset(
            role
            for role, held in self._by_role.items()
            if not any(is_personal(grant.claim.constraints) for grant in held)
        )
        self._never: set[RoleId] = set()

    def allowed(self, principal: PrincipalId, phase: Phase) -> Shown | Impossible | Undetermined:
        """Return a request of the principal that the side allows in the phase, if there is one."""
        roles = (phase.roles & self.roles) - self._never
        if len(roles) == 0:
            return IMPOSSIBLE
        held = [grant for role in sorted(roles) for grant in self._by_role[role]]
        held.sort(key=lambda grant: (len(grant.claim.constraints) > 0, grant.claim.id))
        cases = (
            Case(principal, grant, phase.span, granting(self._state, principal, grant))
            for grant in held
        )
        answer = first_shown(cases, self._solver)
        if isinstance(answer, Impossible):
            self._never |= roles & self._alike
        return answer
