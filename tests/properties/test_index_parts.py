"""P-INDEX in its parts: merged constraints mean what each meant, and a verdict keeps its word."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.core.attributes import NO_ATTRIBUTES
from grantproof.core.candidates import MERGED
from grantproof.core.constraints import (
    Constraint,
    Context,
    GeoFence,
    GeoRadius,
    MaxUsage,
    RateLimit,
    Situation,
    TimeWindow,
    all_hold,
)
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import ClaimId
from grantproof.core.index import Index
from grantproof.core.messages import reason_message
from grantproof.core.model import Assignment
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow, Decision
from grantproof.core.shortfall import Shortfalls
from grantproof.core.ways import UNMET
from tests.compiled import is_open
from tests.organizations import (
    ANN,
    CLERK,
    EU,
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
from tests.properties import oracle
from tests.properties.tally import Tally
from tests.strategies.crowded import crowds
from tests.strategies.names import FEW
from tests.strategies.questions import contexts
from tests.strategies.surveys import survey
from tests.strategies.values import constraints


def test_p_index_merged_constraints_mean_what_each_of_them_means() -> None:
    """P-INDEX: any list of constraints, merged into a few tests, holds iff each of it holds."""
    tally = Tally("P-INDEX, merged")

    @settings(max_examples=500)
    @given(st.lists(constraints(FEW), max_size=5), contexts())
    def holds(listed: list[Constraint], context: Context) -> None:
        situation = Situation(context, ANN, NO_ATTRIBUTES, NO_ATTRIBUTES)
        assert is_open(listed, context) is all_hold(tuple(listed), situation)
        tally.saw("held", len(listed) > 0 and is_open(listed, context))
        tally.saw("failed", not is_open(listed, context))

    holds()
    tally.expect(held=15, failed=100)


def test_p_index_what_the_nearest_claim_lacks_is_told_word_for_word() -> None:
    """P-INDEX: of any claims that look at hour, region and counts, where none of them grants."""
    tally = Tally("P-INDEX, shortfalls")
    shortfalls = Shortfalls()

    @settings(max_examples=300)
    @given(st.lists(st.lists(constraints(FEW), max_size=3), min_size=1, max_size=3), contexts())
    def holds(listed: list[list[Constraint]], context: Context) -> None:
        merged = [[one for one in several if isinstance(one, MERGED)] for several in listed]
        claims = [claim(*several, id=ClaimId(f"c{at}")) for at, several in enumerate(merged)]
        facts = *people(ANN), *roles(CLERK), *library(), *claims, Assignment(ANN, CLERK)
        index = Index(made_of(*facts))
        unmet = index.ask(asks(), context).answer is UNMET
        tally.saw("unmet", unmet)
        tally.saw("several", unmet and len(claims) > 1)
        if unmet:
            at, grants = 24 * context.weekday + context.hour, index.table[READ][PLAN]
            here = at, context.region, context.usage, context.rate
            reason = index.nearest(asks(), context)
            found = shortfalls.nearest(grants, index.ready[ANN], *here)
            assert found == (reason.claim, reason_message(reason))

    holds()
    tally.expect(unmet=50, several=20)


def test_p_index_several_constraints_of_one_type_are_cut_to_what_all_allow() -> None:
    """P-INDEX: two windows, two fences and two limits of each kind, at every hour and count."""
    windows: list[Constraint] = [TimeWindow(8, 18, frozenset({0, 2})), TimeWindow(12, 20)]
    hours = {
        (day, hour)
        for day in range(7)
        for hour in range(24)
        if is_open(windows, replace(NOON, weekday=day, hour=hour))
    }
    fences: list[Constraint] = [GeoFence(frozenset({EU, US})), GeoFence(frozenset({US}))]
    limits: list[Constraint] = [MaxUsage(3), MaxUsage(2), RateLimit(5), RateLimit(1)]
    regions = [one for one in (EU, US, None) if is_open(fences, replace(NOON, region=one))]
    counts = {
        (usage, rate)
        for usage in (None, 0, 1, 2, 3)
        for rate in (None, 0, 1, 2)
        if is_open(limits, replace(NOON, usage=usage, rate=rate))
    }
    ring: list[Constraint] = [GeoRadius(Position(0, 0), 2_000), GeoRadius(Position(9_000, 0), 1)]
    places = [None, *(Position(north, 0) for north in (0, 9_000, 18_000))]
    inside = [one for one in places if is_open(ring, replace(NOON, position=one))]
    assert hours == {(day, hour) for day in (0, 2) for hour in range(12, 18)}
    assert regions == [US]
    assert inside == [Position(9_000, 0)]
    assert counts == {(0, 0), (1, 0)}
    disjoint: list[Constraint] = [GeoFence(frozenset({EU})), GeoFence(frozenset({US}))]
    assert [is_open(disjoint, replace(NOON, region=one)) for one in (EU, US)] == [False, False]


def granted(decision: Decision) -> bool:
    """Whether it is an allow."""
    return isinstance(decision, Allow)


def test_p_index_a_verdict_changes_only_as_it_says() -> None:
    """P-INDEX: until `until` only; by the hour only if `hourly`; by a count only if `metered`."""
    tally = Tally("P-INDEX, verdicts")

    @settings(max_examples=80)
    @given(crowds(), contexts())
    def holds(state: Organization, context: Context) -> None:
        index, edges = Index(state), oracle.boundaries(oracle.world(state))
        for request, moment in survey(state, context):
            verdict = index.ask(request, moment)
            now = index.decide(request, moment)
            later = [edge for edge in edges if moment.instant < edge < oracle.NEVER - 1]
            for edge in later:
                then = index.decide(request, replace(moment, instant=edge))
                changed = granted(then) != granted(now)
                tally.saw("changed_in_time", changed)
                if verdict.until is None or edge < verdict.until:
                    assert not changed
            for other in (replace(moment, hour=0, weekday=6, year=1), replace(moment, hour=12)):
                changed = granted(index.decide(request, other)) != granted(now)
                tally.saw("changed_by_the_hour", changed)
                assert verdict.hourly or not changed
            for count in (None, 0, 9):
                other = replace(moment, usage=count, rate=count)
                changed = granted(index.decide(request, other)) != granted(now)
                tally.saw("changed_by_a_count", changed)
                assert verdict.metered or not changed

    holds()
    tally.expect(changed_in_time=50, changed_by_the_hour=5, changed_by_a_count=5)
