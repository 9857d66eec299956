"""The decision: the shortest program that is obviously the semantics.

A request is allowed if and only if everything it names exists, the principal is active, its
session is lawful, and some active role holds a claim that matches and whose constraints all hold.
The compiled `index` answers in production and is held to this one.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from grantproof.core.certificate import Certificate, issue
from grantproof.core.constraints import (
    Constraint,
    Context,
    Observation,
    Situation,
    all_hold,
    holds,
    observe,
)
from grantproof.core.duty import active_roles, dynamic_clash
from grantproof.core.identifiers import Action, ClaimId, RoleId, SodSetId
from grantproof.core.matching import Request, Target, claim_matches, resolve, situate
from grantproof.core.model import Claim
from grantproof.core.organization import Organization


@dataclass(frozen=True, slots=True)
class UnknownOrganization:
    """There is no such organization."""


@dataclass(frozen=True, slots=True)
class UnknownPrincipal:
    """The organization has no such principal."""


@dataclass(frozen=True, slots=True)
class Suspended:
    """The principal is suspended."""


@dataclass(frozen=True, slots=True)
class UnknownResource:
    """The resource is not registered, and not of a declared kind; or of another kind than named."""


@dataclass(frozen=True, slots=True)
class SessionClash:
    """Too many roles of a dynamic separation-of-duty set are active together: choose fewer."""

    sod_set: SodSetId
    roles: tuple[RoleId, ...]
    n: int


@dataclass(frozen=True, slots=True)
class NoRole:
    """The principal has no active role at the instant."""


@dataclass(frozen=True, slots=True)
class NoMatchingClaim:
    """No active role holds a claim on this action and resource."""


@dataclass(frozen=True, slots=True)
class ConstraintFailed:
    """The nearest matching claim, and every constraint of it that does not hold."""

    claim: ClaimId
    failures: tuple[Observation, ...]


Reason = (
    UnknownOrganization
    | UnknownPrincipal
    | Suspended
    | UnknownResource
    | SessionClash
    | NoRole
    | NoMatchingClaim
    | ConstraintFailed
)


@dataclass(frozen=True, slots=True)
class Allow:
    """Yes, and the evidence."""

    certificate: Certificate


@dataclass(frozen=True, slots=True)
class Deny:
    """No, and the first reason that applies."""

    reason: Reason


Decision = Allow | Deny


def evaluate(state: Organization | None, request: Request, context: Context) -> Decision:
    """Decide the request on the state, here and now. P-SOUND, P-COMPLETE, P-DENY-DEFAULT."""
    if state is None:
        return Deny(UnknownOrganization())
    principal = state.principals.get(request.principal)
    if principal is None:
        return Deny(UnknownPrincipal())
    if not principal.active:
        return Deny(Suspended())
    target = resolve(state, request)
    if target is None:
        return Deny(UnknownResource())
    active = active_roles(state, request, context.instant)
    clash = dynamic_clash(state, active)
    if clash is not None:
        return Deny(SessionClash(clash.id, tuple(sorted(clash.roles & active)), clash.n))
    if len(active) == 0:
        return Deny(NoRole())
    matching = matching_claims(state, active, request.action, target=target)
    if len(matching) == 0:
        return Deny(NoMatchingClaim())
    situation = situate(state, request, context, target=target)
    granting = [claim for claim in matching if all_hold(claim.constraints, situation)]
    if len(granting) == 0:
        return Deny(nearest_failure(matching, situation))
    return Allow(issue(state, request, context, claim=min(granting, key=claim_order)))


def matching_claims(
    state: Organization, active: frozenset[RoleId], action: Action, *, target: Target
) -> list[Claim]:
    """Return the claims of the active roles that match the action and the target."""
    return [
        state.claims[claim]
        for role in active
        if role in state.claims_by_role
        for claim in state.claims_by_role[role]
        if claim_matches(state.claims[claim], action, target)
    ]


def nearest_failure(matching: Iterable[Claim], situation: Situation) -> ConstraintFailed:
    """Return the claim with the fewest failing constraints, the least id first, and its failures.

    `matching` is not empty and none of its claims grants.
    """
    nearest = min(matching, key=lambda claim: (len(failing(claim, situation)), claim.id))
    failures = tuple(observe(constraint, situation) for constraint in failing(nearest, situation))
    return ConstraintFailed(nearest.id, failures)


def failing(claim: Claim, situation: Situation) -> tuple[Constraint, ...]:
    """Return the constraints of the claim that do not hold, in the claim's order."""
    return tuple(constraint for constraint in claim.constraints if not holds(constraint, situation))


def claim_order(claim: Claim) -> tuple[bool, ClaimId]:
    """Order granting claims: unmetered first, then by id; the least is the certificate's."""
    return (claim.metered, claim.id)
