"""P-DSD: what may be opened is never denied for its session, and dropping a role gives nothing.

A session is a request's `active_roles`, kept. So its laws are laws about `evaluate`.
"""

from dataclasses import replace
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.core.constraints import Context
from grantproof.core.hierarchy import effective_roles
from grantproof.core.identifiers import Action, PrincipalId, ResourceId, RoleId, SessionId, SodSetId
from grantproof.core.matching import Request
from grantproof.core.model import SodSet
from grantproof.core.organization import Organization, with_fact
from grantproof.core.policy import Allow, Decision, Deny, SessionClash, evaluate
from grantproof.core.sessions import (
    NotHeld,
    Session,
    refused_to_add,
    refused_to_choose,
    session_roles,
    within,
)
from tests.properties import oracle
from tests.properties.tally import Tally
from tests.strategies.crowded import crowds
from tests.strategies.questions import contexts
from tests.strategies.surveys import survey


def clashes(decision: Decision) -> bool:
    """Whether the decision is a deny for its session."""
    return isinstance(decision, Deny) and isinstance(decision.reason, SessionClash)


def opened(principal: PrincipalId, chosen: frozenset[RoleId], instant: int) -> Session:
    """A session of the roles, whether or not they may be chosen."""
    return Session(SessionId("s"), principal, chosen, instant, instant + 1, "portal")


def bound(state: Organization) -> Organization:
    """The organization with one dynamic set more, over every role: two of it are too many."""
    every = SodSet(SodSetId("every"), frozenset(state.roles), 2, "dynamic")
    return with_fact(state, every)


BOUND = crowds().map(bound)


def choices(state: Organization, principal: PrincipalId, instant: int) -> list[frozenset[RoleId]]:
    """All that the principal holds, and each pair of roles that there are."""
    held = effective_roles(state, principal, instant)
    return [held, *map(frozenset[RoleId], combinations(sorted(state.roles), 2))]


def test_what_may_be_opened_is_never_denied_for_its_session() -> None:
    """P-DSD: asked at the same instant and state; what is refused for a clash always is."""
    tally = Tally("P-DSD")

    @settings(max_examples=20)
    @given(crowds() | BOUND, contexts())
    def holds(state: Organization, context: Context) -> None:
        instant, place = context.instant, ResourceId(f"organization:{state.id}")
        for principal in sorted(state.principals):
            if not state.principals[principal].active:
                continue
            held = oracle.effective(oracle.world(state), principal, instant)
            for chosen in choices(state, principal, instant):
                refusal = refused_to_choose(state, principal, chosen, instant=instant)
                bare = Request(principal, Action("read"), place)
                asked = within(bare, opened(principal, chosen, instant), instant)
                assert asked == replace(bare, active_roles=chosen)
                decision = evaluate(state, asked, context)
                assert isinstance(refusal, NotHeld) == (not chosen <= held)
                tally.saw("not_held", isinstance(refusal, NotHeld))
                if refusal is None:
                    assert not clashes(decision)
                    tally.saw("opened")
                elif isinstance(refusal, SessionClash):
                    assert decision == Deny(refusal)
                    tally.saw("clash")

    holds()
    tally.expect(opened=20, clash=5, not_held=60)


def test_what_may_be_added_leaves_a_session_that_is_never_denied_for_itself() -> None:
    """P-DSD, step by step: what was opened and widened by what is not refused."""
    tally = Tally("P-DSD widened")

    @settings(max_examples=20)
    @given(crowds() | BOUND, contexts(), st.data())
    def holds(state: Organization, context: Context, draw: st.DataObject) -> None:
        for principal in sorted(state.principals):
            if not state.principals[principal].active:
                continue
            session = opened(principal, frozenset(), context.instant)
            sets = [one for one in state.sod_sets.values() if one.mode == "dynamic"]
            for role in draw.draw(st.permutations(sorted(state.roles))):
                refusal = refused_to_add(state, session, role, instant=context.instant)
                tally.saw("clash", isinstance(refusal, SessionClash))
                if refusal is None:
                    session = session.having(session.roles | {role})
                    tally.saw("two", len(session.roles) == 2)
                active = session_roles(state, principal, session.roles, instant=context.instant)
                assert all(len(one.roles & active) < one.n for one in sets)

    holds()
    tally.expect(clash=3, two=5)


def test_dropping_a_role_allows_nothing_that_was_denied_for_another_reason() -> None:
    """Only what a clash denied may be allowed with one role less."""
    tally = Tally("P-DSD dropped")

    @settings(max_examples=20)
    @given(crowds(), contexts())
    def holds(state: Organization, context: Context) -> None:
        for bare, moment in survey(state, context):
            held = effective_roles(state, bare.principal, moment.instant)
            request = replace(bare, active_roles=held)
            before = evaluate(state, request, moment)
            for role in sorted(held):
                after = evaluate(state, replace(request, active_roles=held - {role}), moment)
                if isinstance(after, Allow):
                    assert isinstance(before, Allow) or clashes(before)
                    tally.saw("still_allowed", isinstance(before, Allow))
                    tally.saw("freed", clashes(before))
                tally.saw("denied_now", isinstance(before, Allow) and isinstance(after, Deny))

    holds()
    tally.expect(still_allowed=3, freed=1, denied_now=1)
