"""P-MONO-CLAIM and P-MONO-CONSTRAINT: what more can take away, and what it cannot."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.core.constraints import Constraint, Context, Situation, all_hold
from grantproof.core.identifiers import ClaimId
from grantproof.core.model import Claim, Fact
from grantproof.core.organization import Organization, facts, with_fact, without_fact
from grantproof.core.policy import Allow, Deny, SessionClash, evaluate
from tests.properties import oracle
from tests.properties.tally import Tally
from tests.strategies.crowded import EDGES, HOLDINGS, crowds
from tests.strategies.entities import claims
from tests.strategies.names import FEW
from tests.strategies.questions import contexts
from tests.strategies.surveys import survey
from tests.strategies.values import constraints


def test_p_mono_claim_one_more_claim_never_takes_access_away() -> None:
    """P-MONO-CLAIM: whatever was allowed stays allowed beside any further claim."""
    tally = Tally("P-MONO-CLAIM, claims")

    @settings(max_examples=100)
    @given(crowds(), claims(FEW), contexts())
    def holds(state: Organization, more: Claim, context: Context) -> None:
        richer = with_fact(state, replace(more, id=ClaimId("more")))
        for request, moment in survey(state, context):
            before = evaluate(state, request, moment)
            after = evaluate(richer, request, moment)
            assert not (isinstance(before, Allow) and isinstance(after, Deny))
            tally.saw("stayed", isinstance(before, Allow))
            tally.saw("gained", isinstance(before, Deny) and isinstance(after, Allow))

    holds()
    tally.expect(stayed=100, gained=5)


def test_p_mono_claim_one_more_link_takes_away_through_dynamic_duty_only() -> None:
    """P-MONO-CLAIM: after one more assignment, group or parent only a clash denies."""
    tally = Tally("P-MONO-CLAIM, links")

    @settings(max_examples=100)
    @given(crowds(), st.lists(st.sampled_from([*EDGES, *HOLDINGS]), min_size=5), contexts())
    def holds(state: Organization, links: list[Fact], context: Context) -> None:
        there = {replace_validity(fact) for fact in facts(state)}
        asked = [(one, evaluate(state, *one)) for one in survey(state, context)]
        for link in links[:5]:
            if link in there:
                continue
            richer = with_fact(state, link)
            for one, before in asked:
                after = evaluate(richer, *one)
                if isinstance(before, Allow) and isinstance(after, Deny):
                    assert isinstance(after.reason, SessionClash)
                    tally.saw("clashed")
                tally.saw("stayed", isinstance(before, Allow) and isinstance(after, Allow))
                tally.saw("gained", isinstance(before, Deny) and isinstance(after, Allow))

    holds()
    tally.expect(stayed=200, gained=50, clashed=3)


def replace_validity(fact: Fact) -> Fact:
    """The fact as the link it is, whenever it holds."""
    for link in HOLDINGS:
        if type(link) is type(fact) and str(link).split(", validity")[0] in str(fact):
            return link
    return fact


def test_p_mono_constraint_one_more_constraint_never_gives_access() -> None:
    """P-MONO-CONSTRAINT: whatever was denied stays denied when any claim is constrained further."""
    tally = Tally("P-MONO-CONSTRAINT")

    @settings(max_examples=100)
    @given(crowds(), constraints(FEW), contexts())
    def holds(state: Organization, more: Constraint, context: Context) -> None:
        stricter = state
        for claim in list(state.claims.values()):
            tightened = replace(claim, constraints=(*claim.constraints, more))
            stricter = with_fact(without_fact(stricter, claim), tightened)
        for request, moment in survey(state, context):
            before = evaluate(state, request, moment)
            after = evaluate(stricter, request, moment)
            assert not (isinstance(before, Deny) and isinstance(after, Allow))
            tally.saw("stayed", isinstance(before, Deny))
            tally.saw("lost", isinstance(before, Allow) and isinstance(after, Deny))
            tally.saw("kept", isinstance(before, Allow) and isinstance(after, Allow))

    holds()
    tally.expect(stayed=1_000, lost=50, kept=10)


def test_p_mono_constraint_a_list_holds_iff_each_of_it_does() -> None:
    """P-MONO-CONSTRAINT: the empty list holds, a longer one holds no more than a shorter one."""
    tally = Tally("P-MONO-CONSTRAINT, lists")

    @settings(max_examples=200)
    @given(crowds(), st.lists(constraints(FEW), max_size=4), contexts())
    def holds(state: Organization, listed: list[Constraint], context: Context) -> None:
        request = next(survey(state, context))[0]
        stored = state.principals[request.principal].attributes
        resource = state.resources[request.resource].attributes
        situation = Situation(context, request.principal, stored, resource)
        of = oracle.world(state)
        each = [oracle.met(of, request, context, one) for one in listed]
        found = [all_hold(tuple(listed[:n]), situation) for n in range(len(listed) + 1)]
        assert found == [all(each[:n]) for n in range(len(listed) + 1)]
        assert found == sorted(found, reverse=True)
        tally.saw("empty", found[0])
        tally.saw("held", len(listed) > 0 and found[-1])
        tally.saw("failed", not found[-1])

    holds()
    tally.expect(empty=200, held=5, failed=50)
