"""The semantic difference of two states is what asking about everything finds. P-ANALYSIS."""

from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import given, settings

from grantproof.analysis.changes import Direction, Verdict
from grantproof.analysis.difference import difference
from grantproof.analysis.solving import Solver
from grantproof.core.organization import Organization, facts, with_fact, without_fact
from tests.properties.differences import Asked, brute_force, expanded, requests_of
from tests.properties.tally import Tally
from tests.strategies.commands import command_lists
from tests.strategies.crowded import (
    EDGES,
    HOLDINGS,
    PRINCIPALS,
    ROLES,
    TERMS,
    crowded_claims,
    crowds,
    limited,
)
from tests.strategies.names import FEW
from tests.strategies.organizations import settled
from tests.strategies.values import attribute_maps

SOLVER = Solver()
NOW = 2


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Organization, Organization]:
    """Two small organizations: one and what becomes of it, or two that were made apart."""
    old = draw(crowds())
    way = draw(st.sampled_from(["commands", "facts", "facts", "apart"]))
    if way == "apart":
        return old, draw(crowds())
    new = changed_by_commands(draw, old) if way == "commands" else changed_by_facts(draw, old)
    return (old, new) if draw(st.booleans()) else (new, old)


def changed_by_commands(draw: st.DrawFn, state: Organization) -> Organization:
    """The state after a few commands of any type."""
    for outcome in settled(state, draw(command_lists(FEW, size_max=4))):
        state = outcome.state
    return state


def changed_by_facts(draw: st.DrawFn, state: Organization) -> Organization:
    """The state with links, claims, principals and resources that are not as they were."""
    # As in crowds: drawn links come in too few shapes.
    chance = draw(st.randoms(use_true_random=True))
    for fact in chance.sample([*EDGES, *HOLDINGS], draw(st.integers(0, 4))):
        there = set(facts(state))
        alike = {limited(fact, term) for term in TERMS} & there
        for one in alike:
            state = without_fact(state, one)
        if not alike or chance.random() < 0.5:
            state = with_fact(state, limited(fact, chance.choice(TERMS)))
    for name in chance.sample(sorted(state.claims), draw(st.integers(0, 2))):
        made = draw(crowded_claims(chance.randrange(2)))
        role = chance.choice(ROLES)
        was = state.claims[name]
        now = replace(chance.choice([was, made]), id=name, role=chance.choice([was.role, role]))
        state = with_fact(without_fact(state, was), now)
    if draw(st.booleans()):
        person = state.principals[chance.choice(PRINCIPALS)]
        held = draw(attribute_maps(FEW))
        state = with_fact(state, replace(person, active=True, attributes=held))
    if draw(st.booleans()):
        thing = state.resources[chance.choice(sorted(state.resources))]
        state = with_fact(state, replace(thing, attributes=draw(attribute_maps(FEW))))
    return state


def verdict_of(asked: set[Asked]) -> Verdict:
    """The verdict that brute force comes to."""
    directions = {one[0] for one in asked}
    if len(directions) == 2:
        return Verdict.INCOMPARABLE
    if not directions:
        return Verdict.EQUAL
    return Verdict.MORE if Direction.GAIN in directions else Verdict.LESS


def test_the_difference_is_what_brute_force_finds() -> None:
    """Every change is found once, none is made up, and the verdict is that of all of them."""
    tally = Tally("difference")

    @settings(max_examples=60)
    @given(pairs())
    def check(both: tuple[Organization, Organization]) -> None:
        old, new = both
        found = difference(old, new, SOLVER, now=NOW)
        expected = brute_force(old, new)
        listed = expanded(found)
        open_to = {asked for one in found.undetermined for asked in requests_of(one)}
        assert len(listed) == len(set(listed))
        assert set(listed) | open_to >= expected >= set(listed)
        if not open_to:
            assert found.verdict is verdict_of(expected)
        tally.saw(found.verdict.value)

    check()
    tally.expect(equal=3, more=3, less=3, incomparable=3)
