"""Whether a guardrail holds: of every sessionless request, at every instant, in every context.

Claims first: those that overlap the access, the roles that inherit them, the principals who hold
those. What is left for the solver is in which contexts constraints hold. P-ANALYSIS.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, assert_never

from grantproof.analysis.cases import Case, Shown, first_shown, granting
from grantproof.analysis.counting import counted
from grantproof.analysis.lawful import Lawful, nearest
from grantproof.analysis.overlaps import Grant, Overlaps
from grantproof.analysis.principals import Phase
from grantproof.analysis.reads import Reads, is_personal, reads, restricted
from grantproof.analysis.selection import Selection
from grantproof.analysis.solving import Impossible, Solver, Undetermined
from grantproof.analysis.together import AskedTogether, allowed_both
from grantproof.analysis.verdicts import Holds, Verdict, confirmed
from grantproof.core.attributes import booleans
from grantproof.core.constraints import Constraint
from grantproof.core.guardrails import (
    Capped,
    Confined,
    Exclusive,
    Forbidden,
    Guardrail,
    Reserved,
)
from grantproof.core.hierarchy import holders_of
from grantproof.core.identifiers import PrincipalId, RoleId
from grantproof.core.model import Claim
from grantproof.core.organization import Organization

FEW: Final = 64
"""So many principals are looked at one by one; more are found through the roles they hold."""

Single = Forbidden | Reserved | Confined
"""A rule that one request breaks."""


@dataclass(frozen=True, slots=True)
class Part:
    """The requests that are looked at: of these principals, claims and resources; or of any.

    Among the resources `kind:` and a kind mean the unregistered ones.
    """

    principals: frozenset[PrincipalId] | None = None
    claims: tuple[Claim, ...] | None = None
    resources: Collection[str] | None = None


WHOLE: Final = Part()


def judge(state: Organization, guardrail: Guardrail, solver: Solver, *, now: int) -> Verdict:
    """Return whether the guardrail holds of the organization; `now` in epoch seconds.

    A violation comes with a counterexample, at present if there is one then. Whatever is not known
    for certain, a counterexample that does not replay among it, is undetermined.
    """
    return Inquiry(state, solver, now=now).judge(guardrail)


class Inquiry:
    """Judges guardrails of one organization; what they have in common is worked out once."""

    def __init__(self, state: Organization, solver: Solver, *, now: int) -> None:
        self._state = state
        self._solver = solver
        self._now = now
        self.overlaps = Overlaps(state)

    def judge(self, guardrail: Guardrail, part: Part = WHOLE) -> Verdict:
        """Return whether the guardrail holds of the part.

        A cap counts everybody, whatever the part. Of an exclusion only the principals and claims
        of the part are looked at, which are to be all the claims that could be theirs.
        """
        found = self._found(guardrail, part)
        match found:
            case Impossible():
                return Holds()
            case Undetermined():
                return found
            case _:
                return confirmed(self._state, guardrail, found)

    def _found(self, guardrail: Guardrail, part: Part) -> AskedTogether | Impossible | Undetermined:
        state, solver, now = self._state, self._solver, self._now
        rule = guardrail.rule
        match rule:
            case Forbidden() | Reserved() | Confined():
                beyond = rule.constraints if isinstance(rule, Confined) else ()
                grants = self.overlaps.grants(
                    rule.access, beyond, claims=part.claims, only=part.resources
                )
                search = _Search(state, rule, grants, people=part.principals, now=now)
                shown = first_shown(search.cases(), solver)
                if not isinstance(shown, Shown):
                    return shown
                return ((shown.case.grant.asked_by(shown.case.principal), shown.context),)
            case Exclusive(first, second):
                claims = part.claims
                sides = (
                    self.overlaps.grants(first, claims=claims),
                    self.overlaps.grants(second, claims=claims),
                )
                return allowed_both(state, sides, solver, now=now, among=part.principals)
            case Capped(access, most):
                grants = self.overlaps.grants(access)
                return counted(state, grants, most, solver=solver, now=now)
            case _:
                assert_never(rule)


class _Search:
    """Looks for who could break a rule by one request, before any context is looked for."""

    def __init__(
        self,
        state: Organization,
        rule: Single,
        grants: tuple[Grant, ...],
        *,
        people: frozenset[PrincipalId] | None,
        now: int,
    ) -> None:
        self._state, self._grants, self._people = state, grants, people
        self._beyond = rule.constraints if isinstance(rule, Confined) else ()
        who = frozenset() if isinstance(rule, Confined) else rule.who
        self._anybody = len(who) == 0
        self._inside = isinstance(rule, Forbidden)
        self._selection = Selection(state, who)
        roles = {grant.claim.role for grant in grants}
        self._lawful = Lawful(state, roles | self._selection.roles, self._selection.groups, now=now)
        self._wanted: frozenset[PrincipalId] | None = people
        self._unwanted: frozenset[PrincipalId] = frozenset()
        if people is None and not self._anybody and len(grants) > 0:
            if self._inside:
                self._wanted = self._selection.possible()
            else:
                self._unwanted = self._selection.certain()
        self._first: dict[RoleId, tuple[PrincipalId, Phase] | None] = {}
        self._each: dict[RoleId, tuple[tuple[PrincipalId, Phase], ...]] = {}
        self._reads: Reads | None = None
        self._personal = [one for one in self._constraints() if is_personal((one,))]

    def cases(self) -> Iterator[Case]:
        """Yield who is granted what is looked at: the claims in their order, the nearest holder.

        One principal stands for all that a claim cannot tell apart.
        """
        for grant in self._grants:
            role = grant.claim.role
            if is_personal((*grant.claim.constraints, *self._beyond)):
                holders = self._one_of_each(role)
            else:
                first = self._first_of(role)
                holders = () if first is None else (first,)
            for principal, phase in holders:
                formula = granting(self._state, principal, grant, beyond=self._beyond)
                yield Case(principal, grant, phase.span, formula)

    def _constraints(self) -> Iterator[Constraint]:
        yield from self._beyond
        for grant in self._grants:
            yield from grant.claim.constraints

    def _first_of(self, role: RoleId) -> tuple[PrincipalId, Phase] | None:
        if role not in self._first:
            self._first[role] = next(self._held(role), None)
        return self._first[role]

    def _one_of_each(self, role: RoleId) -> tuple[tuple[PrincipalId, Phase], ...]:
        """Return holders of the role, one of each kind that constraints can tell from others."""
        known = self._each.get(role)
        if known is None:
            found: dict[object, tuple[PrincipalId, Phase]] = {}
            for principal, phase in self._held(role):
                found.setdefault(self._told_apart(principal), (principal, phase))
            known = self._each[role] = tuple(found.values())
        return known

    def _told_apart(self, principal: PrincipalId) -> object:
        """Return what constraints can see of the principal; of a few, each is looked at itself."""
        if self._wanted is not None and len(self._wanted) <= FEW:
            return principal
        if self._reads is None:
            self._reads = reads(self._state, self._personal)
        kept = restricted(self._state.principals[principal].attributes, self._reads.principal)
        texts = self._reads.texts
        identity = principal if texts is not None and principal in texts else None
        return kept, booleans(kept), identity

    def _held(self, role: RoleId) -> Iterator[tuple[PrincipalId, Phase]]:
        """Yield who may use the role and is looked at, the nearest first, and when."""
        for principal in self._candidates(role):
            phase = self._moment(principal, role)
            if phase is not None:
                yield principal, phase

    def _candidates(self, role: RoleId) -> Iterator[PrincipalId]:
        wanted, unwanted = self._wanted, self._unwanted
        if wanted is not None and len(wanted) <= FEW:
            yield from sorted(wanted)
        elif wanted is not None:
            if not wanted.isdisjoint(holders_of(self._state, {role})):
                yield from (one for one in nearest(self._state, role) if one in wanted)
        elif len(unwanted) == 0 or not holders_of(self._state, {role}) <= unwanted:
            yield from (one for one in nearest(self._state, role) if one not in unwanted)

    def _moment(self, principal: PrincipalId, role: RoleId) -> Phase | None:
        """Return when the principal may use the role and is, or is not, of those named."""
        for phase in self._lawful.phases(principal):
            if role in phase.roles:
                if self._anybody:
                    return phase
                groups = self._lawful.profile(principal).groups
                if self._selection.selects(principal, groups, phase.roles) is self._inside:
                    return phase
        return None
