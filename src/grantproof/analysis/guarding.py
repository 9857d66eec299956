"""What a change may have done to guardrails that held before it: only what it touches is looked at.

A request that breaks a guardrail now and did not before is one of somebody whose roles, groups or
attributes changed, or granted by a claim that is new, or about a resource that is. INVARIANT: that
all guardrails held before is for the caller to keep; one that is new is judged in full.

What only takes access away needs no look at all, and so no solver: see `skips`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from grantproof.analysis.guardrails import WHOLE, Inquiry, Part
from grantproof.analysis.lawful import Lawful, roles_ever
from grantproof.analysis.overlaps import of_kind
from grantproof.analysis.principals import dynamic_sets
from grantproof.analysis.solving import Solver, Span, Undetermined
from grantproof.analysis.verdicts import Holds, Verdict, Violated
from grantproof.core.guardrails import (
    Access,
    Capped,
    Exclusive,
    Guardrail,
    HolderOf,
    MemberOf,
    Reserved,
)
from grantproof.core.hierarchy import closure, holders_of, members_of
from grantproof.core.identifiers import GroupId, GuardrailId, PrincipalId, RoleId
from grantproof.core.matching import descendants
from grantproof.core.model import (
    Administered,
    Assignment,
    Claim,
    Delta,
    Fact,
    Group,
    GroupAssignment,
    Inheritance,
    KindDeclaration,
    Membership,
    Nesting,
    Principal,
    Resource,
    Role,
    SodSet,
)
from grantproof.core.organization import Organization

MANY: Final = 1_000
"""Of more principals the claims are not listed: all are looked at."""


def judge_change(
    before: Organization,
    after: Organization,
    delta: Delta,
    *,
    guardrails: Iterable[Guardrail],
    solver: Solver,
    now: int,
    new: frozenset[GuardrailId] = frozenset(),
) -> dict[GuardrailId, Verdict]:
    """Return of each guardrail whether it holds after the change, as `judge` would.

    `guardrails` are those of `after`. All hold of `before` but those that the delta adds and those
    that are said to be `new`. `now` is in epoch seconds.
    """
    new |= {fact.id for fact in delta.added if isinstance(fact, Guardrail)}
    look = _Look(before, after, delta, solver=solver, now=now)
    return {one.id: look.whole(one) if one.id in new else look.changed(one) for one in guardrails}


def skips(delta: Delta, guardrail: Guardrail, before: Organization) -> bool:
    """Return whether the change cannot break the guardrail, because it only takes access away.

    By P-MONO-CLAIM whoever is allowed something after claims, assignments, memberships or parents
    are taken away was allowed it before, unless a dynamic set denied it then; by P-MONO-CONSTRAINT
    that is so of constraints that are added. A request that breaks the guardrail after the change
    broke it before, then. Two things are looked at: whether a dynamic set counts a role that is
    lost, so that a session may stop clashing; and, where an access is reserved, whether somebody
    may have ceased to be one of those it is reserved to. The id of a resource that is deleted is
    one more that is not registered, and of those there were others before.
    """
    if not all(_is_less(delta.removed, fact) for fact in delta.added):
        return False
    if any(isinstance(fact, SodSet) and fact.mode == "dynamic" for fact in delta.removed):
        return False
    lost = closure(
        (role for fact in delta.removed for role in _given(before, fact)), before.roles.parents
    )
    if any(not one.roles.isdisjoint(lost) for one in dynamic_sets(before)):
        return False
    if not isinstance(guardrail.rule, Reserved):
        return True
    left = {group for fact in delta.removed for group in _left(before, fact)}
    return not any(
        (isinstance(one, MemberOf) and one.group in left)
        or (isinstance(one, HolderOf) and one.role in lost)
        for one in guardrail.rule.who
    )


def _is_less(removed: Iterable[Fact], fact: Fact) -> bool:
    """Return whether the added fact says less than a removed one: suspended, or constrained."""
    if isinstance(fact, Administered | Guardrail):
        return True
    match fact:
        case Principal(active=False):
            stored = Principal(fact.id, active=True, attributes=fact.attributes)
            return stored in removed
        case Claim():
            return any(
                isinstance(one, Claim)
                and (one.id, one.role, one.action, one.resource)
                == (fact.id, fact.role, fact.action, fact.resource)
                and all(kept in fact.constraints for kept in one.constraints)
                for one in removed
            )
        case _:
            return False


def _given(before: Organization, fact: Fact) -> Iterable[RoleId]:
    """Return the roles that the link gives, those they inherit from apart."""
    match fact:
        case Assignment(_, role) | GroupAssignment(_, role):
            return (role,)
        case Inheritance(_, parent):
            return (parent,)
        case Membership() | Nesting():
            around = _left(before, fact)
            return (role for group in around for role in before.group_assignments.of(group))
        case _:
            return ()


def _left(before: Organization, fact: Fact) -> frozenset[GroupId]:
    """Return the groups to which the link leads."""
    match fact:
        case Membership(_, group) | Nesting(_, group):
            return closure({group}, before.groups.parents)
        case _:
            return frozenset()


@dataclass(frozen=True, slots=True)
class Affected:
    """Whom and what a change touches, of what there is after it; resources as in a `Part`."""

    principals: frozenset[PrincipalId]
    claims: tuple[Claim, ...]
    resources: frozenset[str]


def affected(before: Organization, after: Organization, delta: Delta) -> Affected:
    """Return what could be allowed, or counted among those named, because of the change."""
    gone = (one for fact in delta.removed for one in _people(before, fact))
    come = (one for fact in delta.added for one in _people(after, fact))
    people = frozenset(gone) | frozenset(come)
    return Affected(
        frozenset(one for one in people if one in after.principals),
        tuple(fact for fact in delta.added if isinstance(fact, Claim)),
        frozenset(one for fact in delta.added for one in _resources(after, fact)),
    )


def _people(state: Organization, fact: Fact) -> Iterable[PrincipalId]:
    """Return whose roles, groups or attributes the fact, which the state has, bears on."""
    match fact:
        case Principal():
            return (fact.id,)
        case Membership() | Assignment():
            return (fact.principal,)
        case GroupAssignment() | Nesting():
            return members_of(state, {fact.group})
        case Inheritance():
            return holders_of(state, {fact.role})
        case SodSet(mode="dynamic"):
            return holders_of(state, fact.roles)
        case _:
            return ()


def _resources(after: Organization, fact: Fact) -> Iterable[str]:
    match fact:
        case Resource():
            return descendants(after, {fact.id})
        case KindDeclaration():
            return (of_kind(fact.kind),)
        case Role():
            return (f"role:{fact.id}",)
        case Group():
            return (f"group:{fact.id}",)
        case SodSet():
            return (f"sod-set:{fact.id}",)
        case _:
            return ()


class _Look:
    """What one change touches, worked out once for all guardrails."""

    def __init__(
        self,
        before: Organization,
        after: Organization,
        delta: Delta,
        *,
        solver: Solver,
        now: int,
    ) -> None:
        self._before, self._after, self._delta = before, after, delta
        self._now = now
        self._inquiry = Inquiry(after, solver, now=now)
        self._affected: Affected | None = None
        self._parts: tuple[Part, ...] = ()

    def whole(self, guardrail: Guardrail) -> Verdict:
        """Return the verdict on the whole."""
        return self._inquiry.judge(guardrail, WHOLE)

    def changed(self, guardrail: Guardrail) -> Verdict:
        """Return the verdict on what the change touches of a guardrail that held before."""
        if skips(self._delta, guardrail, self._before):
            return Holds()
        verdict: Verdict = Holds()
        for part in self._looked_at(guardrail):
            found = self._inquiry.judge(guardrail, part)
            if isinstance(found, Violated):
                return found
            verdict = found if isinstance(found, Undetermined) else verdict
        return verdict

    def _looked_at(self, guardrail: Guardrail) -> Iterator[Part]:
        match guardrail.rule:
            case Exclusive(first, second):
                people = self._concerned((first, second))
                if len(people) > 0:
                    yield self._of_people(people)
            case Capped(access):
                if any(self._counts_more(access, part) for part in self._every_part()):
                    yield WHOLE
            case _:
                yield from self._every_part()

    def _every_part(self) -> tuple[Part, ...]:
        """Return the requests that may be new: of whom, by which claims, about what."""
        if self._affected is None:
            found = self._affected = affected(self._before, self._after, self._delta)
            parts = []
            if len(found.principals) > 0:
                parts.append(self._of_people(found.principals))
            if len(found.claims) > 0:
                parts.append(Part(claims=found.claims))
            if len(found.resources) > 0:
                patterns = self._inquiry.overlaps.patterns_on(found.resources)
                by_resource = self._after.claims_by_resource
                names = (name for one in patterns for name in by_resource.get(one, ()))
                claims = tuple(self._after.claims[name] for name in names)
                parts.append(Part(claims=claims, resources=found.resources))
            self._parts = tuple(parts)
        return self._parts

    def _of_people(self, people: frozenset[PrincipalId]) -> Part:
        if len(people) > MANY:
            return Part(principals=people)
        return Part(
            principals=people, claims=tuple(self._claims_of(roles_ever(self._after, people)))
        )

    def _claims_of(self, roles: Iterable[RoleId]) -> Iterator[Claim]:
        for role in roles:
            for name in self._after.claims_by_role.get(role, ()):
                yield self._after.claims[name]

    def _counts_more(self, access: Access, part: Part) -> bool:
        """Return whether the part may grant the access to more people, or in more contexts."""
        grants = self._inquiry.overlaps.grants(access, claims=part.claims, only=part.resources)
        if len(grants) == 0:
            return False
        people = part.principals
        if people is None or len(people) > MANY:
            return True
        roles = frozenset(grant.claim.role for grant in grants)
        earlier, later = (
            Lawful(state, roles, now=self._now) for state in (self._before, self._after)
        )
        return any(
            self._before.principals.get(one) != self._after.principals[one]
            or _use(earlier, one, roles) != _use(later, one, roles)
            for one in people
        )

    def _concerned(self, accesses: tuple[Access, ...]) -> frozenset[PrincipalId]:
        """Return who is touched, and who holds what grants something new under an access."""
        people: frozenset[PrincipalId] = frozenset()
        for part in self._every_part():
            if part.principals is not None:
                people |= part.principals
                continue
            roles = {
                grant.claim.role
                for access in accesses
                for grant in self._inquiry.overlaps.grants(
                    access, claims=part.claims, only=part.resources
                )
            }
            people |= holders_of(self._after, roles)
        return people


def _use(
    lawful: Lawful, principal: PrincipalId, roles: frozenset[RoleId]
) -> list[tuple[Span, frozenset[RoleId]]]:
    """Return when the principal may use which of the roles."""
    used = ((phase.span, phase.roles & roles) for phase in lawful.phases(principal))
    return [(span, held) for span, held in used if len(held) > 0]
