"""The semantic difference of two states is what asking about everything finds. P-ANALYSIS."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from grantproof.analysis import comparing, holdings
from grantproof.analysis.difference import difference
from grantproof.analysis.findings import Direction, Verdict
from grantproof.analysis.holdings import Holders
from grantproof.analysis.solving import Solver
from grantproof.analysis.subjects import View
from grantproof.core.attributes import (
    NO_ATTRIBUTES,
    Literal,
    Operator,
    Path,
    PrincipalIdentity,
    Root,
    attributes,
)
from grantproof.core.constraints import Attribute
from grantproof.core.identifiers import AttributeName
from grantproof.core.model import (
    Assignment,
    Fact,
    GroupAssignment,
    Inheritance,
    Membership,
    Principal,
    Validity,
)
from grantproof.core.organization import Organization, facts, with_fact, without_fact
from tests.organizations import (
    ANN,
    BOB,
    CLERK,
    HEAD,
    STAFF,
    claim,
    dynamic,
    groups,
    library,
    made_of,
    pair,
    people,
)
from tests.organizations import roles as named_roles
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

    @settings(max_examples=40)
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
        back = difference(new, old, SOLVER, now=NOW)
        assert {asked[1:] for asked in expanded(back)} == {asked[1:] for asked in listed}
        assert (back.gained, back.lost) == (found.lost, found.gained)
        tally.saw(found.verdict.value)
        tally.saw(back.verdict.value)

    check()
    tally.expect(equal=5, more=5, less=5, incomparable=5)


OWNED = Attribute(Path(Root.RESOURCE, AttributeName("owner")), Operator.EQ, PrincipalIdentity())
LOCAL = Attribute(Path(Root.PRINCIPAL, AttributeName("owner")), Operator.EQ, Literal("x"))
BASE: tuple[Fact, ...] = (*people(ANN, BOB), *named_roles(CLERK, HEAD), *groups(STAFF))
HELD = (claim(), Assignment(ANN, CLERK))


@dataclass(frozen=True, slots=True)
class Slip:
    """A fact that a comparison could fail to look at, and two states that only it tells apart."""

    place: object
    name: str
    wrong: Callable[..., object]
    old: tuple[Fact, ...]
    new: tuple[Fact, ...]


SLIPS = {
    "groups": Slip(
        Holders,
        "_in_group",
        lambda *_: 0,
        (*library(), claim(), GroupAssignment(STAFF, CLERK)),
        (*library(), claim(), GroupAssignment(STAFF, CLERK), Membership(BOB, STAFF)),
    ),
    "inheritance": Slip(
        holdings,
        "closure",
        lambda start, _: frozenset(start),
        (*library(), claim(), Assignment(BOB, HEAD)),
        (*library(), claim(), Assignment(BOB, HEAD), Inheritance(HEAD, CLERK)),
    ),
    "validity": Slip(
        holdings,
        "lasts",
        lambda *_: True,
        (*library(), claim(), Assignment(ANN, CLERK, Validity(end=4))),
        (*library(), claim(), Assignment(ANN, CLERK, Validity(end=6))),
    ),
    "dynamic sets": Slip(
        holdings,
        "dynamic_sets",
        lambda _: (),
        (*library(), *HELD, Assignment(ANN, HEAD)),
        (*library(), *HELD, Assignment(ANN, HEAD), dynamic(pair())),
    ),
    "suspension": Slip(
        Holders,
        "_awake",
        lambda _: -1,
        (*library(), *HELD),
        (*library(), *HELD, Principal(ANN, active=False)),
    ),
    "resource attributes": Slip(
        View,
        "reading",
        lambda *_: (),
        (*library(attributes({"owner": "ann"})), claim(OWNED), Assignment(ANN, CLERK)),
        (*library(attributes({"owner": "bob"})), claim(OWNED), Assignment(ANN, CLERK)),
    ),
    "principal attributes": Slip(
        comparing,
        "_stored",
        lambda *_: NO_ATTRIBUTES,
        (*library(), claim(LOCAL), Assignment(ANN, CLERK)),
        (
            *library(),
            claim(LOCAL),
            Assignment(ANN, CLERK),
            Principal(ANN, attributes=attributes({"owner": "x"})),
        ),
    ),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_comparison_that_fails_to_look_is_noticed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Brute force agrees with the comparison, and no more once it overlooks one thing."""
    slip = SLIPS[name]
    old, new = made_of(*BASE, *slip.old), made_of(*BASE, *slip.new)
    expected = brute_force(old, new)
    assert set(expanded(difference(old, new, Solver(), now=NOW))) == expected
    assert expected != set()
    monkeypatch.setattr(slip.place, slip.name, slip.wrong)
    monkeypatch.setattr(comparing, slip.name, slip.wrong, raising=False)
    assert set(expanded(difference(old, new, Solver(), now=NOW))) != expected
