"""Windows, charges and the decision on given counts, by example."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from grantproof.core.constraints import Constraint, Context, MaxUsage, RateLimit, TimeWindow
from grantproof.core.identifiers import PrincipalId, ResourceId
from grantproof.core.limits import INSTANT_MAX
from grantproof.core.metering import (
    FOREVER,
    UNUSED,
    Charge,
    Counter,
    Readings,
    Span,
    charges,
    check,
    evaluate,
    limit_on,
    span_of,
    unused,
    window,
)
from grantproof.core.model import Assignment, Claim
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow, ConstraintFailed, Decision, Deny
from tests.organizations import ANN, BOB, C1, C2, C3, CLERK, asks, claim, library, made_of

from tests.organizations import people, roles  # isort: skip

LEAP_DAY = int(datetime(2024, 2, 29, 12, 34, 56, tzinfo=UTC).timestamp())
NOON = Context(instant=LEAP_DAY, hour=12, weekday=3, year=2024)
CLOSED = TimeWindow(0, 1)


def at(text: str) -> int:
    """Epoch seconds of a moment in UTC."""
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp())


@pytest.mark.parametrize(
    ("span", "start", "end"),
    [
        ("minute", "2024-02-29T12:34:00", "2024-02-29T12:35:00"),
        ("hour", "2024-02-29T12:00:00", "2024-02-29T13:00:00"),
        ("day", "2024-02-29T00:00:00", "2024-03-01T00:00:00"),
        ("month", "2024-02-01T00:00:00", "2024-03-01T00:00:00"),
    ],
)
def test_a_window_is_a_piece_of_the_calendar(span: Span, start: str, end: str) -> None:
    """Minutes, hours, days and months of UTC, the leap day included."""
    assert window(span, LEAP_DAY) == (at(start), at(end))
    assert window(span, at(start)) == (at(start), at(end))
    assert window(span, at(end) - 1) == (at(start), at(end))
    assert window(span, at(end)).start == at(end)


@pytest.mark.parametrize(
    ("moment", "start", "end"),
    [
        ("1970-01-01T00:00:00", "1970-01-01T00:00:00", "1970-02-01T00:00:00"),
        ("1999-12-31T23:59:59", "1999-12-01T00:00:00", "2000-01-01T00:00:00"),
        ("2000-02-29T23:59:59", "2000-02-01T00:00:00", "2000-03-01T00:00:00"),
        ("2100-02-28T23:59:59", "2100-02-01T00:00:00", "2100-03-01T00:00:00"),
        ("2026-11-30T00:00:00", "2026-11-01T00:00:00", "2026-12-01T00:00:00"),
    ],
)
def test_months_end_where_the_calendar_says(moment: str, start: str, end: str) -> None:
    """At new year, in leap years and in years that only look like one."""
    assert window("month", at(moment)) == (at(start), at(end))


def test_a_total_never_starts_again() -> None:
    """Its window holds every instant there is."""
    assert window("total", 0) == window("total", INSTANT_MAX) == (0, FOREVER)
    assert INSTANT_MAX < FOREVER


def test_constraints_of_one_span_share_a_counter_and_the_least_limit_binds() -> None:
    """One charge a span, in the order of the spans, whatever the order of the constraints."""
    metered = claim(
        MaxUsage(9), MaxUsage(7, "day"), CLOSED, RateLimit(4), MaxUsage(5, "day"), RateLimit(6)
    )
    assert charges(metered, ANN, LEAP_DAY) == (
        Charge(Counter(ANN, C1, "minute", at("2024-02-29T12:34:00")), at("2024-02-29T12:35:00"), 4),
        Charge(Counter(ANN, C1, "day", at("2024-02-29T00:00:00")), at("2024-03-01T00:00:00"), 5),
        Charge(Counter(ANN, C1, "total", 0), FOREVER, 9),
    )
    assert charges(claim(CLOSED), ANN, LEAP_DAY) == ()


def test_the_limit_of_a_counter_is_that_of_its_span() -> None:
    """Nothing where the claim does not count in that span any more."""
    metered = claim(MaxUsage(9), RateLimit(4))
    minute = window("minute", LEAP_DAY).start
    assert limit_on(Counter(ANN, C1, "minute", minute), metered) == 4
    assert limit_on(Counter(ANN, C1, "total", 0), metered) == 9
    assert limit_on(Counter(ANN, C1, "day", 0), metered) is None


def test_only_limits_count() -> None:
    """A constraint that counts says in which span; the others count nothing."""
    assert [span_of(one) for one in (MaxUsage(1, "month"), RateLimit(1), CLOSED)] == [
        "month",
        "minute",
        None,
    ]


def office(*claims: Claim) -> Organization:
    """Ann and Bob are clerks; the claims are what clerks have."""
    held = (Assignment(ANN, CLERK), Assignment(BOB, CLERK))
    return made_of(*people(ANN, BOB), *roles(CLERK), *library(), *claims, *held)


def used(times: int, *spans: Span, by: PrincipalId = ANN, of: Claim | None = None) -> Readings:
    """Counters of a claim, at the instant of `NOON`."""
    return {
        Counter(by, C1 if of is None else of.id, span, window(span, LEAP_DAY).start): times
        for span in spans
    }


def granting(decision: Decision) -> str:
    """The claim of an allow, or why not."""
    if isinstance(decision, Deny):
        reason = decision.reason
        assert isinstance(reason, ConstraintFailed)
        return f"{reason.claim} saw {[one.saw[0] for one in reason.failures]}"
    return str(decision.certificate.claim.id)


@pytest.mark.parametrize(
    ("constraint", "span"),
    [
        (RateLimit(2), "minute"),
        (MaxUsage(2, "hour"), "hour"),
        (MaxUsage(2, "day"), "day"),
        (MaxUsage(2, "month"), "month"),
        (MaxUsage(2), "total"),
    ],
)
def test_a_limit_holds_until_it_is_reached(constraint: Constraint, span: Span) -> None:
    """In its own span, for the principal who asks, in the present window."""
    state = office(claim(constraint))
    for times, expected in ((0, "c1"), (1, "c1"), (2, "c1 saw [2]"), (3, "c1 saw [3]")):
        readings = used(times, span)
        assert granting(evaluate(state, asks(), NOON, readings=readings)) == expected
    full = used(2, span)
    assert granting(evaluate(state, asks(BOB), NOON, readings=full)) == "c1"
    if span != "total":
        later = replace(NOON, instant=window(span, LEAP_DAY).end)
        assert granting(evaluate(state, asks(), later, readings=full)) == "c1"


def test_every_limit_of_a_claim_has_its_own_count() -> None:
    """Quotas of several periods and a rate on one claim: each sees its own counter."""
    state = office(claim(MaxUsage(2, "day"), MaxUsage(9, "month"), RateLimit(3)))
    readings = {**used(1, "day"), **used(8, "month"), **used(2, "minute")}
    decision = evaluate(state, asks(), NOON, readings=readings)
    assert isinstance(decision, Allow)
    assert [seen.saw for seen in decision.certificate.observations] == [(1,), (8,), (2,)]
    limits: list[tuple[Span, int]] = [("day", 2), ("month", 9), ("minute", 3)]
    for span, times in limits:
        full = {**readings, **used(times, span)}
        assert granting(evaluate(state, asks(), NOON, readings=full)) == f"c1 saw [{times}]"


def test_claims_are_tried_unmetered_first_then_by_id() -> None:
    """A full claim is passed over for the next; an unmetered one goes before them all."""
    first, second = claim(MaxUsage(1), id=C1), claim(MaxUsage(1), id=C2)
    free = claim(id=C3)
    both = {**used(1, "total", of=first), **used(1, "total", of=second)}
    metered = office(first, second)
    assert granting(evaluate(metered, asks(), NOON, readings=UNUSED)) == "c1"
    assert granting(evaluate(metered, asks(), NOON, readings=used(1, "total"))) == "c2"
    assert granting(evaluate(metered, asks(), NOON, readings=both)) == "c1 saw [1]"
    assert granting(evaluate(office(first, second, free), asks(), NOON, readings=UNUSED)) == "c3"


def test_a_supplied_count_goes_before_every_counter() -> None:
    """Usage and rate that the context supplies apply to every claim, each in place of its own."""
    state = office(claim(MaxUsage(2, "day"), RateLimit(2)))
    full = {**used(2, "day"), **used(2, "minute")}
    for usage, rate, expected in (
        (0, 0, "c1"),
        (None, 0, "c1 saw [2]"),
        (0, None, "c1 saw [2]"),
        (2, 3, "c1 saw [2, 3]"),
    ):
        context = replace(NOON, usage=usage, rate=rate)
        assert granting(evaluate(state, asks(), context, readings=full)) == expected


def test_what_is_denied_without_counters_is_denied_as_before() -> None:
    """No counter can help: the reason is that of the decision without them."""
    state = office(claim(MaxUsage(2), CLOSED))
    unknown = evaluate(state, asks(PrincipalId("zoe")), NOON, readings=UNUSED)
    assert isinstance(unknown, Deny)
    assert evaluate(None, asks(), NOON, readings=UNUSED) != unknown
    assert granting(evaluate(state, asks(), NOON, readings=UNUSED)) == "c1 saw [12]"
    assert granting(evaluate(state, asks(), NOON, readings=used(2, "total"))) == "c1 saw [2, 12]"


def test_a_certificate_is_checked_against_the_counters_that_it_names() -> None:
    """Other counters, other observations and full ones are refused."""
    state, ask = office(claim(MaxUsage(2, "day"), RateLimit(2))), asks()
    readings = used(1, "day")
    decision = evaluate(state, ask, NOON, readings=readings)
    assert isinstance(decision, Allow)
    certificate = decision.certificate
    assert check(state, ask, NOON, readings=readings, certificate=certificate)
    for wrong in (UNUSED, used(2, "day"), used(1, "day", "minute")):
        assert not check(state, ask, NOON, readings=wrong, certificate=certificate)
    lies = replace(certificate, observations=certificate.observations[:1])
    assert not check(state, ask, NOON, readings=readings, certificate=lies)
    stranger = replace(ask, principal=PrincipalId("zoe"))
    assert not check(state, stranger, NOON, readings=readings, certificate=certificate)
    supplied = replace(NOON, usage=2, rate=2)
    assert not check(state, ask, supplied, readings=readings, certificate=certificate)
    assert not check(office(), ask, NOON, readings=readings, certificate=certificate)


def test_an_honest_certificate_of_a_full_counter_proves_nothing() -> None:
    """It says what was seen, and that one of its limits does not hold."""
    state, ask = office(claim(MaxUsage(2, "day"), RateLimit(2))), asks()
    decision = evaluate(state, ask, NOON, readings=UNUSED)
    assert isinstance(decision, Allow)
    usage, rate = decision.certificate.observations
    seen = (replace(usage, saw=(2,), held=False), rate)
    honest = replace(decision.certificate, observations=seen)
    assert not check(state, ask, NOON, readings=used(2, "day"), certificate=honest)
    nowhere = replace(ask, resource=ResourceId("nowhere"))
    assert not check(state, nowhere, NOON, readings=UNUSED, certificate=decision.certificate)


def test_nothing_was_used_but_what_is_supplied() -> None:
    """The context with counts that every limit allows, unless it says something else."""
    assert (unused(NOON).usage, unused(NOON).rate) == (0, 0)
    supplied = replace(NOON, usage=5)
    assert (unused(supplied).usage, unused(supplied).rate) == (5, 0)
    assert unused(replace(NOON, rate=6)).usage == 0
    whole = replace(NOON, usage=5, rate=6)
    assert unused(whole) is whole
