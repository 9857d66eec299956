"""P-CONSUME: the decision on given counts, for all calendars, organizations and counters.

That no race breaks it is shown by `tla/Consume.tla`, `tests/stateful/test_meter.py` and
`tests/e2e/test_meter_races.py`.
"""

from dataclasses import replace
from datetime import UTC, datetime
from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from grantproof.core import metering, policy
from grantproof.core.constraints import Constraint, Context, MaxUsage, RateLimit
from grantproof.core.identifiers import ClaimId, PrincipalId, RoleId
from grantproof.core.index import Index
from grantproof.core.limits import INSTANT_MAX
from grantproof.core.matching import Request
from grantproof.core.metering import SPANS, UNUSED, Counter, Readings, Span, choose, span_of, window
from grantproof.core.model import Any, Claim, Exactly
from grantproof.core.organization import Organization, with_fact, without_fact
from grantproof.core.policy import Allow, ConstraintFailed, Decision, Deny
from grantproof.core.ways import Unmet
from tests.properties.tally import Tally
from tests.strategies.crowded import crowds
from tests.strategies.surveys import ACTIONS, survey

SILENT = Context(instant=0, hour=12, weekday=2, year=1970)
LIMITS: list[tuple[Constraint, ...]] = [
    (MaxUsage(1),),
    (MaxUsage(2, "day"), RateLimit(1)),
    (RateLimit(2), MaxUsage(1, "hour"), MaxUsage(2, "month")),
    (MaxUsage(3, "hour"), MaxUsage(1, "hour")),
]
FEW = 0.2
BELOW, REACHED = MaxUsage(2), MaxUsage(1)
"""Where the usage is 1: a limit that holds, and one that does not."""


@given(st.sampled_from(SPANS), st.integers(0, INSTANT_MAX))
@example("month", INSTANT_MAX)
@example("month", 951_782_400)
def test_p_consume_windows_are_those_of_the_calendar(span: Span, instant: int) -> None:
    """P-CONSUME: a window is what the calendar calls so, and the next begins where it ends."""
    found = window(span, instant)
    assert found.start <= instant < found.end
    assert window(span, found.start) == window(span, found.end - 1) == found
    if span == "total":
        return
    there = datetime.fromtimestamp(instant, UTC).replace(second=0)
    firsts = {
        "minute": there,
        "hour": there.replace(minute=0),
        "day": there.replace(minute=0, hour=0),
        "month": there.replace(minute=0, hour=0, day=1),
    }
    assert found.start == int(firsts[span].timestamp())
    if found.end <= INSTANT_MAX:
        assert window(span, found.end).start == found.end


def metered(state: Organization, chance: Random) -> Organization:
    """The organization with metered claims of every kind, among some of those that it has."""
    for claim in sorted(state.claims.values(), key=lambda claim: claim.id):
        state = state if chance.random() < FEW else without_fact(state, claim)
    for number, limits in enumerate(LIMITS * 2):
        role = RoleId(chance.choice(sorted(state.roles)))
        action = Exactly(ACTIONS[0]) if chance.random() < 0.8 else Any()
        state = with_fact(state, Claim(ClaimId(f"m{number}"), role, action, Any(), limits))
    return state


def counted(state: Organization, chance: Random, instants: set[int]) -> Readings:
    """Counters of some principals and claims, in the windows of some of the instants."""
    return {
        Counter(principal, claim, span, window(span, instant).start): chance.randrange(4)
        for principal in sorted(state.principals)
        for claim in sorted(state.claims)
        for constraint in state.claims[claim].constraints
        for span in [span_of(constraint)]
        if span is not None
        for instant in sorted(instants)
        if chance.random() < 0.5
    }


def rewritten(
    state: Organization, instant: int, *, principal: PrincipalId, readings: Readings
) -> Organization:
    """The organization in which every limit is one on a usage of 1 that says the same."""

    def plain(claim: Claim, constraint: Constraint) -> Constraint:
        span = span_of(constraint)
        if span is None:
            return constraint
        counter = Counter(principal, claim.id, span, window(span, instant).start)
        return BELOW if readings.get(counter, 0) < limit(constraint) else REACHED

    for claim in list(state.claims.values()):
        constraints = tuple(plain(claim, one) for one in claim.constraints)
        state = with_fact(without_fact(state, claim), replace(claim, constraints=constraints))
    return state


def limit(constraint: Constraint) -> int:
    """The limit of a constraint that counts."""
    if isinstance(constraint, MaxUsage):
        return constraint.limit
    assert isinstance(constraint, RateLimit)
    return constraint.per_minute


def essence(decision: Decision, state: Organization) -> object:
    """What must agree: the claim of an allow; of a deny the reason, with failures by position."""
    if isinstance(decision, Allow):
        return decision.certificate.claim.id
    reason = decision.reason
    if not isinstance(reason, ConstraintFailed):
        return reason
    constraints = state.claims[reason.claim].constraints
    failed = [failure.constraint for failure in reason.failures]
    return reason.claim, [one in failed for one in constraints], len(failed)


def by_index(
    index: Index, request: Request, context: Context, readings: Readings
) -> Claim | object:
    """What the index and its contest say, as the decision point puts them together."""
    answer = index.ask(request, context).answer
    if isinstance(answer, Unmet) or (isinstance(answer, Claim) and answer.metered):
        answer = choose(*index.contest(request, context), readings=readings)
    return answer.id if isinstance(answer, Claim) else answer


def told(decision: Decision) -> object:
    """A decision as `by_index` says it."""
    return decision.reason if isinstance(decision, Deny) else decision.certificate.claim.id


@settings(max_examples=60)
@given(crowds(), st.integers(0, 2**32))
def check_counts(state: Organization, seed: int) -> None:
    """Ask many questions of one organization, at counters drawn for it."""
    chance = Random(seed)
    state = metered(state, chance)
    asked = [replace_counts(one, chance) for one in survey(state, SILENT)]
    readings = counted(state, chance, {context.instant for _, context in asked[:3]} | {0, 90_000})
    index = Index(state)
    for request, context in asked:
        decision = metering.evaluate(state, request, context, readings=readings)
        assert by_index(index, request, context, readings) == told(decision)
        agrees_with_the_proved(state, request, context, readings=readings)
        never_helps(state, request, context, readings=readings)
        if isinstance(decision, Allow):
            proof = decision.certificate
            assert metering.check(state, request, context, readings=readings, certificate=proof)
            COUNTS.saw("allow_metered", proof.claim.metered)
        else:
            COUNTS.saw("deny_limit", isinstance(decision.reason, ConstraintFailed))


COUNTS = Tally("P-CONSUME")


def replace_counts(asked: tuple[Request, Context], chance: Random) -> tuple[Request, Context]:
    """The question, with both counts supplied, or one of them, or as often as not none."""
    usage, rate = chance.choice([(None, None), (None, None), (1, None), (None, 1), (1, 2)])
    return asked[0], replace(asked[1], usage=usage, rate=rate)


def agrees_with_the_proved(
    state: Organization, request: Request, context: Context, *, readings: Readings
) -> None:
    """`policy.evaluate` says the same: where all is supplied, and of limits written out."""
    decision = metering.evaluate(state, request, context, readings=readings)
    if context.usage is not None and context.rate is not None:
        assert decision == policy.evaluate(state, request, context)
        COUNTS.saw("supplied")
    elif context.usage is None and context.rate is None:
        plain = rewritten(state, context.instant, principal=request.principal, readings=readings)
        expected = policy.evaluate(plain, request, replace(context, usage=1))
        assert essence(decision, state) == essence(expected, plain)
        COUNTS.saw("counted")


def never_helps(
    state: Organization, request: Request, context: Context, *, readings: Readings
) -> None:
    """Who is allowed with these counters is allowed with none: using more never helps."""
    decision = metering.evaluate(state, request, context, readings=readings)
    fresh = metering.evaluate(state, request, context, readings=UNUSED)
    assert isinstance(decision, Deny) or isinstance(fresh, Allow)
    COUNTS.saw("counters_deny", isinstance(decision, Deny) and isinstance(fresh, Allow))
    COUNTS.saw("next_claim", both_allow_otherwise(decision, fresh))


def both_allow_otherwise(decision: Decision, fresh: Decision) -> bool:
    """Whether the counters made another claim grant."""
    if isinstance(decision, Deny) or isinstance(fresh, Deny):
        return False
    return decision.certificate.claim != fresh.certificate.claim


def test_p_consume_counts_are_decided_as_the_proved_function_decides() -> None:
    """P-CONSUME: index, reference and the proved `policy.evaluate` agree at any counters."""
    check_counts()
    COUNTS.expect(
        allow_metered=100,
        deny_limit=100,
        supplied=100,
        counted=100,
        counters_deny=100,
        next_claim=20,
    )
