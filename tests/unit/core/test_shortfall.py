"""What the nearest claim lacks, by example; for all claims in `properties/test_index_parts.py`."""

from dataclasses import replace

import pytest

from grantproof.core import shortfall
from grantproof.core.attributes import Literal, Operator, Path, Root
from grantproof.core.constraints import (
    Attribute,
    Constraint,
    GeoFence,
    MaxUsage,
    RateLimit,
    TimeWindow,
)
from grantproof.core.identifiers import AttributeName, ClaimId, Region, RoleId
from grantproof.core.index import Index
from grantproof.core.messages import reason_message
from grantproof.core.model import Assignment, Claim
from grantproof.core.shortfall import Shortfalls
from grantproof.core.ways import UNMET, WAYS_SCANNED_MAX, Grants
from tests.organizations import (
    ANN,
    CLERK,
    EU,
    HEAD,
    NOON,
    PLAN,
    READ,
    US,
    asks,
    claim,
    library,
    made_of,
    people,
    roles,
)

CH = Region("ch")
AT = 24 * NOON.weekday + NOON.hour


def asked(*claims: Claim) -> Index:
    """An index of the claims, of which ann has asked one thing."""
    facts = *people(ANN), *roles(CLERK, HEAD), *library(), *claims, Assignment(ANN, CLERK)
    index = Index(made_of(*facts))
    assert index.ask(asks(), NOON).answer is UNMET
    return index


def grants_of(index: Index) -> Grants:
    """The grants on what she has asked."""
    return index.table[READ][PLAN]


def nearest(shortfalls: Shortfalls, index: Index) -> tuple[str, str]:
    """The nearest claim and what it lacks, as it is compiled."""
    return shortfalls.nearest(grants_of(index), index.ready[ANN], AT, None, None, None)


def told(index: Index) -> tuple[str, str]:
    """The same, as the reference says."""
    reason = index.nearest(asks(), NOON)
    return reason.claim, reason_message(reason)


def test_every_failure_of_the_nearest_claim_is_told() -> None:
    """In the order of its constraints; a claim that lacks more is farther."""
    far = claim(TimeWindow(1, 2), GeoFence(frozenset({EU})), MaxUsage(5), id=ClaimId("a"))
    near = claim(MaxUsage(5), TimeWindow(0, 24), TimeWindow(3, 4), id=ClaimId("b"))
    index = asked(far, near)
    found = nearest(Shortfalls(), index)
    assert found == told(index)
    assert found == (
        "b",
        "usage missing is not below 5 a total; time window 3-4 does not hold at hour 12 on Wed",
    )


def test_of_claims_as_near_the_least_id_is_told() -> None:
    """Metered ones come last among the claims, and first by id."""
    index = asked(claim(MaxUsage(5), id=ClaimId("a")), claim(TimeWindow(1, 2), id=ClaimId("b")))
    assert nearest(Shortfalls(), index)[0] == "a"
    assert nearest(Shortfalls(), index) == told(index)


@pytest.mark.parametrize("usage", [None, 4, 5, 6])
@pytest.mark.parametrize("rate", [None, 1, 2, 3])
@pytest.mark.parametrize("region", [None, EU, Region("us")])
def test_what_was_given_is_told(region: Region | None, usage: int | None, rate: int | None) -> None:
    """Below, at and above each limit, beside a window that fails at any rate."""
    limits = GeoFence(frozenset({EU})), MaxUsage(5), RateLimit(2), TimeWindow(1, 2)
    context = replace(NOON, region=region, usage=usage, rate=rate)
    index = asked(claim(*limits))
    reason = index.nearest(asks(), context)
    found = Shortfalls().nearest(grants_of(index), index.ready[ANN], AT, region, usage, rate)
    assert found == (reason.claim, reason_message(reason))


@pytest.mark.parametrize(
    "alike",
    [
        (TimeWindow(1, 2), TimeWindow(3, 4)),
        (TimeWindow(0, 24), TimeWindow(3, 4)),
        (GeoFence(frozenset({EU})), GeoFence(frozenset({EU, US}))),
        (GeoFence(frozenset({EU})), GeoFence(frozenset({CH}))),
        (MaxUsage(5), MaxUsage(6)),
        (MaxUsage(5), MaxUsage(7)),
        (RateLimit(5), RateLimit(6)),
        (RateLimit(5), RateLimit(7)),
    ],
)
def test_of_constraints_that_look_at_one_thing_each_that_fails_is_told(
    alike: tuple[Constraint, ...],
) -> None:
    """Of two, one or both fail: a claim is as far as it has constraints that do."""
    context = replace(NOON, region=US, usage=6, rate=6)
    index = asked(claim(*alike))
    reason = index.nearest(asks(), context)
    found = Shortfalls().nearest(grants_of(index), index.ready[ANN], AT, US, 6, 6)
    assert found == (reason.claim, reason_message(reason))


@pytest.mark.parametrize(
    "failing", [TimeWindow(1, 2), GeoFence(frozenset({EU})), MaxUsage(5), RateLimit(5)]
)
@pytest.mark.parametrize(
    "holding", [TimeWindow(0, 24), GeoFence(frozenset({US})), MaxUsage(9), RateLimit(9)]
)
def test_of_two_constraints_the_one_that_fails_is_told(
    failing: Constraint, holding: Constraint
) -> None:
    """Whatever each of them looks at, in any order."""
    context = replace(NOON, region=US, usage=6, rate=6)
    for both in ((failing, holding), (holding, failing)):
        index = asked(claim(*both))
        reason = index.nearest(asks(), context)
        found = Shortfalls().nearest(grants_of(index), index.ready[ANN], AT, US, 6, 6)
        assert found == (reason.claim, reason_message(reason))


@pytest.mark.parametrize("others", [1, WAYS_SCANNED_MAX + 1])
def test_claims_of_other_roles_are_not_near(others: int) -> None:
    """Where few are looked through and where those of the roles are found."""
    foreign = [
        claim(TimeWindow(1, 2), id=ClaimId(f"a{number}"), role=RoleId("head"))
        for number in range(others)
    ]
    own = claim(TimeWindow(1, 2), MaxUsage(1), id=ClaimId("b"))
    index = asked(*foreign, own)
    assert (grants_of(index).by_role is None) is (others == 1)
    assert nearest(Shortfalls(), index) == told(index)
    assert nearest(Shortfalls(), index)[0] == "b"


def test_what_is_remembered_is_bounded_and_of_the_claim_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that is changed says what it says now."""
    monkeypatch.setattr(shortfall, "REMEMBERED_MAX", 2)
    shortfalls = Shortfalls()
    kept: list[int] = []
    for hour in range(1, 6):
        index = asked(claim(TimeWindow(hour, hour + 1)))
        for _ in range(2):
            assert nearest(shortfalls, index) == told(index)
        kept.append(len(shortfalls._known))  # noqa: SLF001 - nothing else shows how much it keeps
    assert kept == [1, 2, 1, 2, 1]


@pytest.mark.parametrize("others", [0, WAYS_SCANNED_MAX + 1])
def test_what_is_known_of_a_claim_is_made_once(others: int) -> None:
    """However often it is asked for, among few and among many."""
    foreign = [
        claim(TimeWindow(1, 2), id=ClaimId(f"a{number}"), role=RoleId("head"))
        for number in range(others)
    ]
    index, shortfalls = asked(*foreign, claim(TimeWindow(1, 2), id=ClaimId("b"))), Shortfalls()
    nearest(shortfalls, index)
    first = dict(shortfalls._known)  # noqa: SLF001 - nothing else shows what it keeps
    nearest(shortfalls, index)
    again = shortfalls._known  # noqa: SLF001 - nothing else shows what it keeps
    assert [one is again[key] for key, one in first.items()] == [True] * len(again)


def test_what_looks_at_more_is_refused() -> None:
    """It has no words for what it does not see."""
    level = Path(Root.PRINCIPAL, AttributeName("level"))
    index = asked(claim(Attribute(level, Operator.EQ, Literal(1))))
    with pytest.raises(TypeError, match="looks at more"):
        nearest(Shortfalls(), index)
