"""Quotas and rates: what is counted for whom, and the decision on given counts.

Counts stand outside of the organization. They are given as readings, never kept here, so a decision
is a function of the state, the request, the context and the readings. What is not among the
readings was not used. A count that the context supplies applies to every claim, instead.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, assert_never

from grantproof.core import certificate as certificates
from grantproof.core import constraints, policy
from grantproof.core.certificate import Certificate
from grantproof.core.constraints import (
    Attribute,
    Constraint,
    Context,
    GeoFence,
    GeoRadius,
    MaxUsage,
    Observation,
    RateLimit,
    Situation,
    TimeWindow,
    rate_holds,
    usage_holds,
)
from grantproof.core.duty import active_roles
from grantproof.core.identifiers import ClaimId, PrincipalId
from grantproof.core.limits import INSTANT_MAX
from grantproof.core.matching import Request, resolve, situate
from grantproof.core.model import Claim
from grantproof.core.organization import Organization
from grantproof.core.policy import (
    Allow,
    ConstraintFailed,
    Decision,
    Deny,
    claim_order,
    matching_claims,
)

Span = Literal["minute", "hour", "day", "month", "total"]
"""How long is counted before counting starts again: `minute` for rates, the others for usage."""

SPANS: Final[tuple[Span, ...]] = ("minute", "hour", "day", "month", "total")

SECONDS_PER_DAY: Final = 86_400
SECONDS: Final[Mapping[str, int]] = MappingProxyType(
    {"minute": 60, "hour": 3_600, "day": SECONDS_PER_DAY}
)
FOREVER: Final = INSTANT_MAX + 1
"""The end of what never starts again: after every instant there is."""

# A year is taken to begin in March, so that the leap day is its last. 719,468 days lie between
# the first of March of the year 0 and the first of January 1970.
DAYS_TO_EPOCH: Final = 719_468
DAYS_PER_ERA: Final = 146_097
YEARS_PER_ERA: Final = 400
MONTHS_PER_YEAR: Final = 12
FEBRUARY: Final = 2


class Window(NamedTuple):
    """From `start` until before `end`, in epoch seconds."""

    start: int
    end: int


class Counter(NamedTuple):
    """What is counted apart: a principal's use of a claim in one window, which `start` names."""

    principal: PrincipalId
    claim: ClaimId
    span: Span
    start: int


class Charge(NamedTuple):
    """A counter that a use of a claim adds one to, unless it has reached `limit`.

    `end` is where the counter's window ends.
    """

    counter: Counter
    end: int
    limit: int


Readings = Mapping[Counter, int]
"""What counters stand at; one that is not there stands at 0."""

UNUSED: Final[Readings] = MappingProxyType({})


def evaluate(
    state: Organization | None, request: Request, context: Context, *, readings: Readings
) -> Decision:
    """Decide the request where counters stand at `readings`: `policy.evaluate`, claim by claim.

    Everything but usage and rate is decided by `policy.evaluate`, as if nothing had been used: no
    count can turn its Deny into an Allow (P-QUOTA-MONO, P-RATE-MONO).
    """
    decision = policy.evaluate(state, request, unused(context))
    contested = isinstance(decision, Allow) or isinstance(decision.reason, ConstraintFailed)
    target = None if state is None else resolve(state, request)
    if state is None or target is None or not contested:
        return decision
    active = active_roles(state, request, context.instant)
    matching = matching_claims(state, active, request.action, target=target)
    situation = situate(state, request, context, target=target)
    chosen = choose(matching, situation, readings=readings)
    if isinstance(chosen, ConstraintFailed):
        return Deny(chosen)
    return Allow(certify(state, request, context, claim=chosen, readings=readings))


def choose(
    matching: Iterable[Claim], situation: Situation, *, readings: Readings
) -> Claim | ConstraintFailed:
    """Return the claim that grants, unmetered first, then by id; else the nearest and its failures.

    `matching` are all that match, at least one. P-CONSUME: the claim to be charged.
    """
    claims = tuple(matching)
    failures = {claim.id: _failures(claim, situation, readings) for claim in claims}
    granting = [claim for claim in claims if len(failures[claim.id]) == 0]
    if len(granting) > 0:
        return min(granting, key=claim_order)
    nearest = min(claims, key=lambda claim: (len(failures[claim.id]), claim.id))
    return ConstraintFailed(nearest.id, failures[nearest.id])


def charges(claim: Claim, principal: PrincipalId, instant: int) -> tuple[Charge, ...]:
    """Return what one use of the claim counts; nothing for a claim that is not metered.

    Constraints that count in the same span share a counter, and the least of their limits binds.
    """
    limits: dict[Span, int] = {}
    for constraint in claim.constraints:
        span = span_of(constraint)
        if span is not None:
            limit = _limit(constraint)
            limits[span] = min(limit, limits.get(span, limit))
    return tuple(
        Charge(Counter(principal, claim.id, span, there.start), there.end, limits[span])
        for span in SPANS
        if span in limits
        for there in (window(span, instant),)
    )


def limit_on(counter: Counter, claim: Claim) -> int | None:
    """Return the limit of the counter, or nothing when the claim has none in its span."""
    due = charges(claim, counter.principal, counter.start)
    return next((charge.limit for charge in due if charge.counter == counter), None)


def span_of(constraint: Constraint) -> Span | None:
    """Return in which span the constraint counts, or nothing when it counts nothing."""
    match constraint:
        case MaxUsage():
            return constraint.period
        case RateLimit():
            return "minute"
        case TimeWindow() | GeoFence() | GeoRadius() | Attribute():
            return None
        case _:
            assert_never(constraint)


def window(span: Span, instant: int) -> Window:
    """Return the window (UTC) in which the instant lies."""
    if span == "total":
        return Window(0, FOREVER)
    if span == "month":
        return _month(instant)
    start = instant - instant % SECONDS[span]
    return Window(start, start + SECONDS[span])


def observe(
    constraint: Constraint, situation: Situation, *, claim: ClaimId, readings: Readings
) -> Observation:
    """Return the constraint of the claim with what it saw, its own counter included."""
    match constraint:
        case MaxUsage():
            count = _count(constraint.period, situation, claim=claim, readings=readings)
            return Observation(constraint, (count,), usage_holds(constraint, count))
        case RateLimit():
            count = _count("minute", situation, claim=claim, readings=readings)
            return Observation(constraint, (count,), rate_holds(constraint, count))
        case _:
            return constraints.observe(constraint, situation)


def certify(
    state: Organization, request: Request, context: Context, *, claim: Claim, readings: Readings
) -> Certificate:
    """Return the certificate that `claim` grants, which the caller has established."""
    issued = certificates.issue(state, request, unused(context), claim=claim)
    target = resolve(state, request)
    if target is None:
        return issued
    situation = situate(state, request, context, target=target)
    return replace(issued, observations=_observe_all(claim, situation, readings))


def check(
    state: Organization,
    request: Request,
    context: Context,
    *,
    readings: Readings,
    certificate: Certificate,
) -> bool:
    """Return whether the certificate proves that `state` allows `request`, given the readings.

    The counts are compared here; all else by `certificate.check`, as if nothing had been used.
    """
    target = resolve(state, request)
    if target is None or request.principal not in state.principals:
        return False
    claim, fresh = certificate.claim, unused(context)
    seen = _observe_all(claim, situate(state, request, context, target=target), readings)
    at_first = situate(state, request, fresh, target=target)
    before = tuple(constraints.observe(constraint, at_first) for constraint in claim.constraints)
    return (
        certificate.observations == seen
        and all(observation.held for observation in seen)
        and certificates.check(
            state, request, fresh, certificate=replace(certificate, observations=before)
        )
    )


def unused(context: Context) -> Context:
    """Return the context in which nothing was used, but for what is supplied."""
    if context.usage is not None and context.rate is not None:
        return context
    return replace(
        context,
        usage=0 if context.usage is None else context.usage,
        rate=0 if context.rate is None else context.rate,
    )


def _failures(claim: Claim, situation: Situation, readings: Readings) -> tuple[Observation, ...]:
    observed = _observe_all(claim, situation, readings)
    return tuple(observation for observation in observed if not observation.held)


def _observe_all(claim: Claim, situation: Situation, readings: Readings) -> tuple[Observation, ...]:
    return tuple(
        observe(constraint, situation, claim=claim.id, readings=readings)
        for constraint in claim.constraints
    )


def _count(span: Span, situation: Situation, *, claim: ClaimId, readings: Readings) -> int:
    context = situation.context
    supplied = context.rate if span == "minute" else context.usage
    if supplied is not None:
        return supplied
    start = window(span, context.instant).start
    return readings.get(Counter(situation.principal, claim, span, start), 0)


def _limit(constraint: Constraint) -> int:
    match constraint:
        case MaxUsage():
            return constraint.limit
        case RateLimit():
            return constraint.per_minute
        case _:
            message = "only a limit on usage or rate has a limit"
            raise TypeError(message)


def _month(instant: int) -> Window:
    year, month = _year_and_month(instant // SECONDS_PER_DAY)
    after = (year + 1, 1) if month == MONTHS_PER_YEAR else (year, month + 1)
    return Window(
        _days_before(year, month) * SECONDS_PER_DAY, _days_before(*after) * SECONDS_PER_DAY
    )


def _year_and_month(days: int) -> tuple[int, int]:
    """Return the year and the month of a day, counted from the epoch.

    The algorithm `civil_from_days` of https://howardhinnant.github.io/date_algorithms.html
    """
    era, of_era = divmod(days + DAYS_TO_EPOCH, DAYS_PER_ERA)
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    since_march = (5 * of_year + 2) // 153
    month = (since_march + 2) % MONTHS_PER_YEAR + 1
    return year + era * YEARS_PER_ERA + (month <= FEBRUARY), month


def _days_before(year: int, month: int) -> int:
    """Return how many days lie between the epoch and the first of the month.

    The algorithm `days_from_civil` of the same source.
    """
    era, of_era = divmod(year - (month <= FEBRUARY), YEARS_PER_ERA)
    of_year = (153 * ((month + 9) % MONTHS_PER_YEAR) + 2) // 5
    days = of_era * 365 + of_era // 4 - of_era // 100 + of_year
    return era * DAYS_PER_ERA + days - DAYS_TO_EPOCH
