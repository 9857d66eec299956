"""Who can do something, and what somebody can do: in one context, or in any.

In any: whoever is allowed it at some instant in some context is named, with a context that shows
it. Whoever holds more roles than a dynamic set allows is asked about in a session of one of them.
Each answer is put to `evaluate` before it is given. P-ANALYSIS.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from grantproof.analysis.choosing import granted
from grantproof.analysis.formulas import Stored, any_of, conditions, negation
from grantproof.analysis.principals import (
    Interest,
    Phase,
    PrincipalClass,
    Profiles,
    dynamic_sets,
    never_active,
    phases,
    principal_classes,
)
from grantproof.analysis.reads import reads, texts_held
from grantproof.analysis.resources import TargetClass, actions_of, stored, target_classes
from grantproof.analysis.solving import Found, Impossible, Solver, Span, Undetermined
from grantproof.core.constraints import Context
from grantproof.core.hierarchy import holders_of
from grantproof.core.identifiers import Action, PrincipalId, RoleId
from grantproof.core.matching import Request, Target, action_matches, claims_on
from grantproof.core.model import Claim
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow
from grantproof.core.rights import claims_of

OURS: Final = "the answer does not hold when it is decided: a fault of ours"


@dataclass(frozen=True, slots=True)
class Question:
    """An action on a known resource; its `kind` where it is not registered."""

    action: Action
    target: Target
    kind: str | None = None

    def asked_by(self, principal: PrincipalId) -> Request:
        """Return the request of the principal, without a session."""
        return Request(principal, self.action, self.target.resource, self.kind)


@dataclass(frozen=True, slots=True)
class Able:
    """Principals who are allowed something, and how the first of them is.

    `span` is a time in which they hold the roles that it takes, the present where that will do.
    `conditional` says whether it then depends on the context.
    """

    principals: tuple[PrincipalId, ...]
    span: Span
    conditional: bool
    request: Request
    context: Context
    allow: Allow


@dataclass(frozen=True, slots=True)
class Usable:
    """A claim that a principal can use, and a request that it grants in the context.

    `span` and `conditional` are as those of `Able`.
    """

    claim: Claim
    span: Span
    conditional: bool
    request: Request
    context: Context
    allow: Allow


@dataclass(frozen=True, slots=True)
class Useless:
    """A claim that a principal holds and can never use, as things are stored."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class Unclear:
    """Principals, or a claim, of which it is not known."""

    of: tuple[PrincipalId, ...] | Claim
    why: str


def who_can(
    state: Organization, question: Question, solver: Solver, *, now: int
) -> tuple[Able | Unclear, ...]:
    """Return everyone who is ever allowed it in any context, in the order of the first of each."""
    never = never_active(state)
    claims = tuple(one for one in matching(state, question) if one.role not in never)
    interest = _interest(state, claims)
    answers = (
        _of_class(state, question, members, claims=claims, solver=solver, now=now)
        for members in _holders(state, claims, interest)
    )
    return tuple(answer for answer in answers if answer is not None)


def who_can_in(state: Organization, question: Question, context: Context) -> tuple[Able, ...]:
    """Return everyone who is allowed it in the context, in the order of the first of each."""
    claims = matching(state, question)
    interest = _interest(state, claims)
    if interest.reads.texts is not None:
        # A principal whom this context names is told from others by it.
        named = {*texts_held(context.attributes), *texts_held(context.action_properties)}
        told = replace(interest.reads, texts=interest.reads.texts | named)
        interest = replace(interest, reads=told)
    span, found = Span(context.instant, context.instant + 1), list[Able]()
    for members in _holders(state, claims, interest):
        request = question.asked_by(members.representative)
        shown = granted(state, request, context, claims=claims)
        if shown is not None:
            asked, allow = shown
            conditional = len(allow.certificate.claim.constraints) > 0
            found.append(Able(members.members, span, conditional, asked, context, allow))
    return tuple(found)


def matching(state: Organization, question: Question) -> tuple[Claim, ...]:
    """Return the claims on the action and the resource, in the order of their ids."""
    on = claims_on(state, question.target)
    granting = (claim for claim in on if action_matches(claim.action, question.action))
    return tuple(sorted(granting, key=lambda claim: claim.id))


def _interest(state: Organization, claims: Iterable[Claim]) -> Interest:
    some = tuple(claims)
    roles = {claim.role for claim in some}
    for one in dynamic_sets(state):
        roles |= one.roles
    read = reads(state, (constraint for claim in some for constraint in claim.constraints))
    return Interest(frozenset(roles), reads=read)


def _holders(
    state: Organization, claims: Iterable[Claim], interest: Interest
) -> Iterator[PrincipalClass]:
    """Yield the classes of active principals who ever hold the role of one of the claims."""
    among = holders_of(state, {claim.role for claim in claims})
    for members in principal_classes(state, interest, among):
        if members.profile.active:
            yield members


def _of_class(
    state: Organization,
    question: Question,
    members: PrincipalClass,
    *,
    claims: tuple[Claim, ...],
    solver: Solver,
    now: int,
) -> Able | Unclear | None:
    profile = members.profile
    seen = Stored(members.representative, profile.attributes, question.target.attributes)
    request, unclear = question.asked_by(members.representative), None
    for phase in phases(profile, now=now):
        held = tuple(claim for claim in claims if claim.role in phase.roles)
        shown = _shown(state, request, (held, seen), phase=phase, solver=solver)
        match shown:
            case Showing(conditional, asked, context, allow):
                return Able(members.members, phase.span, conditional, asked, context, allow)
            case Undetermined(why):
                unclear = Unclear(members.members, why)
            case Impossible():
                pass
    return unclear


@dataclass(frozen=True, slots=True)
class Showing:
    """A context in which a request is allowed, and whether in others of the time it is not."""

    conditional: bool
    request: Request
    context: Context
    allow: Allow


def _shown(
    state: Organization,
    request: Request,
    grounds: tuple[tuple[Claim, ...], Stored],
    *,
    phase: Phase,
    solver: Solver,
) -> Showing | Impossible | Undetermined:
    """Return the request as one of the claims grants it, where their constraints see what is so."""
    claims, seen = grounds
    formula = any_of(conditions(claim.constraints, seen) for claim in claims)
    solution = solver.solve(formula, phase.span)
    if not isinstance(solution, Found):
        return solution
    found = granted(state, request, solution.context, claims=claims)
    if found is None:
        return Undetermined(OURS)
    always = isinstance(solver.solve(negation(formula), phase.span), Impossible)
    asked, allow = found
    return Showing(not always, asked, solution.context, allow)


def what_can(
    state: Organization, principal: PrincipalId, solver: Solver, *, now: int
) -> tuple[Usable | Useless | Unclear, ...]:
    """Return each claim that the principal ever holds and what it is good for, in order of ids.

    The principal must exist. A suspended one can use none.
    """
    everything = Interest(frozenset(state.roles))
    held = Profiles(state, everything)(principal).held
    roles = frozenset[RoleId]().union(*(given for given, _ in held))
    claims = tuple(claim for role in roles for claim in claims_of(state, role))
    interest = _interest(state, claims)
    members = PrincipalClass(Profiles(state, interest)(principal), (principal,))
    resources = target_classes(state, {claim.resource for claim in claims}, interest.reads.resource)
    never = never_active(state)
    return tuple(
        Useless(claim)
        if claim.role in never
        else _use(state, claim, members, resources=resources, solver=solver, now=now)
        for claim in sorted(claims, key=lambda claim: claim.id)
    )


def _use(
    state: Organization,
    claim: Claim,
    members: PrincipalClass,
    *,
    resources: tuple[TargetClass, ...],
    solver: Solver,
    now: int,
) -> Usable | Useless | Unclear:
    unclear: Unclear | None = None
    action = actions_of([claim.action])[0]
    for phase in phases(members.profile, now=now) if members.profile.active else ():
        for resource in resources if claim.role in phase.roles else ():
            if claim.resource not in resource.patterns:
                continue
            question = Question(action, resource.target, resource.kind)
            request = question.asked_by(members.representative)
            grounds = ((claim,), stored(members, resource))
            shown = _shown(state, request, grounds, phase=phase, solver=solver)
            match shown:
                case Showing(conditional, asked, context, allow):
                    return Usable(claim, phase.span, conditional, asked, context, allow)
                case Undetermined(why):
                    unclear = Unclear(claim, why)
                case Impossible():
                    pass
    return Useless(claim) if unclear is None else unclear
