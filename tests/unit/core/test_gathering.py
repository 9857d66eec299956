"""Gathering facts makes what adding them one by one makes, and refuses what is not there."""

import random
from itertools import groupby

import pytest
from immutables import Map

from grantproof.core import gathering
from grantproof.core.gathering import NEIGHBOURHOODS, Gathering, Pairs, near
from grantproof.core.identifiers import Kind, PrincipalId, ResourceId, RoleId
from grantproof.core.model import (
    ALWAYS,
    Administered,
    Assignment,
    Fact,
    GroupAssignment,
    Guardrail,
    Inheritance,
    KindDeclaration,
    Membership,
    Nesting,
    Resource,
    Validity,
    Within,
)
from grantproof.core.organization import Organization, facts
from grantproof.core.relation import Relation
from tests.organizations import (
    ACME,
    ANN,
    BOARD,
    BOB,
    C2,
    CLERK,
    DOCS,
    HEAD,
    STAFF,
    claim,
    groups,
    guardrail,
    library,
    made_of,
    pair,
    people,
    roles,
)

EVERYTHING: tuple[Fact, ...] = (
    *people(ANN, BOB),
    *groups(STAFF, BOARD),
    *roles(CLERK, HEAD, RoleId("base")),
    *library(),
    KindDeclaration(Kind("unused")),
    claim(),
    claim(id=C2, resource=Within(DOCS)),
    pair(),
    guardrail(on=Within(DOCS)),
    Membership(ANN, STAFF),
    Membership(BOB, STAFF),
    Nesting(STAFF, BOARD),
    Inheritance(HEAD, RoleId("base")),
    Assignment(ANN, CLERK, Validity(1, 2)),
    Assignment(ANN, RoleId("base")),
    Assignment(BOB, CLERK),
    Assignment(BOB, RoleId("base")),
    GroupAssignment(BOARD, CLERK),
    Administered(),
)


EMPTY = Organization(ACME)


def gathered(*all_of: Fact, empty: Organization = EMPTY) -> Organization:
    """The organization that gathering makes of the facts."""
    gathers = Gathering()
    for fact in all_of:
        gathers.adding(type(fact))(fact)
    return gathers.organization(empty)


def test_facts_that_are_gathered_make_what_adding_them_makes() -> None:
    """Facts of every type, those of a type in any order."""
    state = made_of(*EVERYTHING)
    assert {type(fact) for fact in facts(state)} == {type(fact) for fact in EVERYTHING}
    assert any(isinstance(fact, Guardrail) for fact in EVERYTHING)
    draw = random.Random(1)
    by_type = list(dict.fromkeys(map(type, facts(state))))
    for _ in range(20):
        some = sorted(facts(state), key=lambda fact: (by_type.index(type(fact)), draw.random()))
        assert gathered(*some) == state


def test_what_the_empty_one_says_of_itself_stays() -> None:
    """Its revision, its time zone, and that it was administered."""
    empty = Organization(ACME, 7, "Europe/Paris", administered=True)
    state = gathered(*people(ANN), empty=empty)
    assert (state.revision, state.time_zone, state.administered) == (7, "Europe/Paris", True)
    assert not gathered(*people(ANN)).administered


@pytest.mark.parametrize(
    ("fact", "missing"),
    [
        (Nesting(STAFF, type(STAFF)("ghost")), "ghost"),
        (Nesting(type(STAFF)("ghost"), STAFF), "ghost"),
        (Inheritance(CLERK, RoleId("ghost")), "ghost"),
        (Inheritance(RoleId("ghost"), CLERK), "ghost"),
        (Resource(ResourceId("loose"), Kind("ghost")), "ghost"),
    ],
)
def test_what_a_fact_needs_must_be_there(fact: Fact, missing: str) -> None:
    """The error says what is not."""
    with pytest.raises(KeyError) as raised:
        gathered(*EVERYTHING, fact)
    assert raised.value.args == (missing,)


def test_equal_sets_of_partners_are_one_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as are remembered; those beyond are equal all the same."""
    monkeypatch.setattr(gathering, "ALIKE_MAX", 2)
    held = [gathered(*EVERYTHING).assignments.of(one) for one in (ANN, BOB)]
    first, second = (PrincipalId(f"{name}") for name in ("x", "y"))
    for places, shared in (((0,), True), ((1,), False)):
        pairs = Pairs[PrincipalId, RoleId, Validity](ALWAYS)
        take(pairs, (CLERK, HEAD), {ANN: (0,), first: places, second: places})
        made = pairs.made()
        expected = Map({(CLERK, HEAD)[place]: ALWAYS for place in places})
        assert made.of(first) == made.of(second) == expected
        assert (made.of(first) is made.of(second)) == shared
    assert held[0] != held[1]


def test_equal_sets_of_partners_told_one_by_one_are_one_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many as are remembered; those beyond are equal all the same."""
    monkeypatch.setattr(gathering, "ALIKE_MAX", 1)
    first, second = (PrincipalId(f"{name}") for name in ("x", "y"))
    for role, shared in ((CLERK, True), (HEAD, False)):
        pairs = Pairs[PrincipalId, RoleId, Validity](ALWAYS)
        for one, of in ((ANN, CLERK), (first, role), (second, role)):
            pairs.add(one, of, ALWAYS)
        made = pairs.made()
        assert made.of(first) == made.of(second) == Map({role: ALWAYS})
        assert (made.of(first) is made.of(second)) == shared


def take(
    pairs: Pairs[PrincipalId, RoleId, Validity],
    rights: tuple[RoleId, ...],
    places: dict[PrincipalId, tuple[int, ...]],
) -> None:
    """Take for each left the rights that stand at the places."""
    among = pairs.among(rights)
    partners = among.add_backward(places, places.values())
    among.add_forward(zip(places, partners, strict=True))


def test_pairs_may_come_one_by_one_or_together() -> None:
    """With the usual payload or another; what is there twice has the other one."""
    expected: Relation[PrincipalId, RoleId, Validity] = Relation()
    pairs = Pairs[PrincipalId, RoleId, Validity](ALWAYS)
    for role in (CLERK, HEAD):
        pairs.add(BOB, role, ALWAYS)
        expected = expected.with_pair(BOB, role, ALWAYS)
    take(pairs, (HEAD, CLERK), {ANN: (1, 0)})
    pairs.add(ANN, HEAD, Validity(1, 2))
    expected = expected.with_pair(ANN, CLERK, ALWAYS).with_pair(ANN, HEAD, Validity(1, 2))
    assert pairs.made() == expected


def test_who_has_no_partner_and_what_has_none_are_not_there() -> None:
    """Neither side has an entry that is empty."""
    pairs = Pairs[PrincipalId, RoleId, Validity](ALWAYS)
    take(pairs, (CLERK, HEAD), {ANN: (), BOB: (1,)})
    nothing: Relation[PrincipalId, RoleId, Validity] = Relation()
    assert pairs.made() == nothing.with_pair(BOB, HEAD, ALWAYS)


def test_partners_stand_at_a_place() -> None:
    """What no right stands at is refused, and so are columns of two lengths."""
    among = Pairs[PrincipalId, RoleId, Validity](ALWAYS).among((CLERK, HEAD))
    with pytest.raises(IndexError):
        among.add_backward([ANN], [(2,)])
    with pytest.raises(ValueError, match="shorter"):
        among.add_backward([ANN, BOB], [(0,)])


def test_keys_are_near_that_lie_in_one_branch_of_a_map() -> None:
    """By their lowest ten bits; those of the upper half are mixed into the lower."""
    upper = 1 << 32
    keys = [1_024, 3, 0, 1_026, 1_027, 2 * upper, 3 * upper + 1, 2, upper - 1, 1_023]
    found = [keys[place] for place in near(keys)]
    assert found == [1_024, 0, 1_026, 2 * upper, 3 * upper + 1, 2, 3, 1_027, upper - 1, 1_023]


def test_a_map_is_as_near_supposes() -> None:
    """What lies in one branch stands together: else the order would be of no use."""
    texts = Map({f"user-{at}": None for at in range(20_000)})
    branches = [(hash(text) ^ hash(text) >> 32) % NEIGHBOURHOODS for text in texts]
    together = [branch for branch, _ in groupby(branches)]
    assert len(together) == len(set(together)) == NEIGHBOURHOODS
