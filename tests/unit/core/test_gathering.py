"""Gathering facts makes what adding them one by one makes, and refuses what is not there."""

import random

import pytest
from immutables import Map

from grantproof.core import gathering
from grantproof.core.gathering import Gathering, Pairs
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
    monkeypatch.setattr(gathering, "ALIKE_MAX", 1)
    held = [gathered(*EVERYTHING).assignments.of(one) for one in (ANN, BOB)]
    first, second = (PrincipalId(f"{name}") for name in ("x", "y"))
    for rights, shared in (((CLERK,), True), ((HEAD,), False)):
        pairs = Pairs[PrincipalId, RoleId, Validity](ALWAYS)
        pairs.add_usual(ANN, (CLERK,))
        pairs.add_usual(first, rights)
        pairs.add_usual(second, rights)
        made = pairs.made()
        assert made.of(first) == made.of(second) == Map(dict.fromkeys(rights, ALWAYS))
        assert (made.of(first) is made.of(second)) == shared
    assert held[0] != held[1]


def test_pairs_may_come_one_by_one_or_together() -> None:
    """With the usual payload or another; what is there twice has the other one."""
    expected: Relation[PrincipalId, RoleId, Validity] = Relation()
    pairs = Pairs[PrincipalId, RoleId, Validity](ALWAYS)
    for role in (CLERK, HEAD):
        pairs.add(BOB, role, ALWAYS)
        expected = expected.with_pair(BOB, role, ALWAYS)
    pairs.add_usual(ANN, (CLERK, HEAD))
    pairs.add(ANN, HEAD, Validity(1, 2))
    expected = expected.with_pair(ANN, CLERK, ALWAYS).with_pair(ANN, HEAD, Validity(1, 2))
    assert pairs.made() == expected
