"""What is said of a guardrail: it holds, it is violated and here is how, or it is not known.

A counterexample is put to the reference before anybody sees it: `confirmed` looks at each request
by the definitions alone and shares nothing with the search that found it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from grantproof.analysis.selection import selected, stores
from grantproof.analysis.solving import Undetermined
from grantproof.core.certificate import Certificate, check
from grantproof.core.constraints import Constraint, Context, holds
from grantproof.core.guardrails import (
    Access,
    Capped,
    Confined,
    Exclusive,
    Forbidden,
    Guardrail,
    Reserved,
    Who,
)
from grantproof.core.matching import Request, action_matches, resolve, resource_matches, situate
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow, evaluate


@dataclass(frozen=True, slots=True)
class Evidence:
    """A request that is allowed in the context, and the certificate of that."""

    request: Request
    context: Context
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class Counterexample:
    """Why a guardrail does not hold, of the state that it was asked of.

    One request; of an `Exclusive` two; of a `Capped` the first of `count`, of as many principals.
    `failing` are the constraints of a `Confined` that do not hold, though the request is allowed.
    """

    guardrail: Guardrail
    evidence: tuple[Evidence, ...]
    count: int = 1
    failing: tuple[Constraint, ...] = ()


@dataclass(frozen=True, slots=True)
class Holds:
    """The guardrail holds: for every request, at every instant and in every context."""


@dataclass(frozen=True, slots=True)
class Violated:
    """The guardrail does not hold."""

    counterexample: Counterexample


Verdict = Holds | Violated | Undetermined

SHOWN_MAX = 10
"""Of so many principals the counterexample of a `Capped` shows the requests."""


def confirmed(
    state: Organization, guardrail: Guardrail, asked: Iterable[tuple[Request, Context]]
) -> Violated | Undetermined:
    """Return the violation that the requests show, or that they show none: a fault of ours."""
    requests = tuple(asked)
    evidence = tuple(_allowed(state, *one) for one in requests)
    proofs = tuple(one for one in evidence if one is not None)
    if len(proofs) < len(requests) or not _contradicted(state, guardrail, proofs):
        return Undetermined("the counterexample does not replay: a fault of ours")
    return Violated(
        Counterexample(
            guardrail, proofs[:SHOWN_MAX], len(proofs), _failing(state, guardrail, proofs)
        )
    )


def _allowed(state: Organization, request: Request, context: Context) -> Evidence | None:
    decision = evaluate(state, request, context)
    plain = request.active_roles is None and not (
        context.principal_properties or context.resource_properties
    )
    if not plain or not isinstance(decision, Allow):
        return None
    certificate = decision.certificate
    if not check(state, request, context, certificate=certificate):
        return None
    return Evidence(request, context, certificate)


def _contradicted(state: Organization, guardrail: Guardrail, proofs: tuple[Evidence, ...]) -> bool:
    """Return whether the requests are what the guardrail says there is not."""
    match guardrail.rule:
        case Forbidden(access, who):
            return _one(state, access, proofs) and (len(who) == 0 or _is_of(state, who, proofs[0]))
        case Reserved(access, who):
            return _one(state, access, proofs) and not _is_of(state, who, proofs[0])
        case Confined(access):
            return _one(state, access, proofs) and len(_failing(state, guardrail, proofs)) > 0
        case Exclusive(first, second):
            return (
                len(proofs) == len((first, second))
                and len({(one.request.principal, one.context.instant) for one in proofs}) == 1
                and falls_under(state, proofs[0].request, first)
                and falls_under(state, proofs[1].request, second)
            )
        case Capped(access, most):
            return (
                len({one.request.principal for one in proofs}) == len(proofs) > most
                and all(one.context == proofs[0].context for one in proofs)
                and all(falls_under(state, one.request, access) for one in proofs)
            )


def _one(state: Organization, access: Access, proofs: tuple[Evidence, ...]) -> bool:
    return len(proofs) == 1 and falls_under(state, proofs[0].request, access)


def _is_of(state: Organization, who: Who, proof: Evidence) -> bool:
    instant = proof.context.instant
    return selected(state, who, proof.request.principal, instant=instant)


def _failing(
    state: Organization, guardrail: Guardrail, proofs: tuple[Evidence, ...]
) -> tuple[Constraint, ...]:
    if not isinstance(guardrail.rule, Confined) or len(proofs) == 0:
        return ()
    request, context = proofs[0].request, proofs[0].context
    target = resolve(state, request)
    if target is None:
        return ()
    situation = situate(state, request, context, target=target)
    return tuple(one for one in guardrail.rule.constraints if not holds(one, situation))


def falls_under(state: Organization, request: Request, access: Access) -> bool:
    """Return whether a claim of the patterns would match the request, and all asked is stored."""
    target = resolve(state, request)
    return (
        target is not None
        and action_matches(access.action, request.action)
        and resource_matches(access.resource, target)
        and stores(target.attributes, access.attributes)
    )
