"""Closures and what an edge would do, on graphs drawn by hand."""

from collections.abc import Mapping

from grantproof.core.hierarchy import (
    closure,
    effective_roles,
    groups_of,
    holders_of,
    members_of,
    validities,
    would_cycle,
)
from grantproof.core.model import (
    ALWAYS,
    Assignment,
    GroupAssignment,
    Inheritance,
    Membership,
    Nesting,
    Validity,
)
from tests.organizations import (
    ANN,
    BOARD,
    BOB,
    CHIEF,
    CLERK,
    CLUB,
    EVE,
    HEAD,
    STAFF,
    groups,
    made_of,
    people,
    roles,
)

# d reaches a over b and over c; e stands alone.
DIAMOND: Mapping[str, list[str]] = {"a": [], "b": ["a"], "c": ["a"], "d": ["c", "b"], "e": []}
OFFICE = made_of(
    *people(ANN, BOB, EVE),
    *groups(STAFF, BOARD, CLUB),
    *roles(CLERK, HEAD, CHIEF),
    Inheritance(CHIEF, HEAD),
    Inheritance(HEAD, CLERK),
    Nesting(STAFF, BOARD),
    Membership(ANN, STAFF),
    Membership(BOB, BOARD),
    GroupAssignment(BOARD, HEAD, Validity(10, 20)),
    Assignment(ANN, CLERK, Validity(20, 30)),
    Assignment(EVE, CHIEF),
)


def test_closure_follows_every_parent() -> None:
    """The start, its parents, theirs, and nothing beside them."""
    found = [closure(start, DIAMOND) for start in (["d"], ["b", "e"], [], ["a"])]
    assert found == [{"a", "b", "c", "d"}, {"a", "b", "e"}, set(), {"a"}]


def test_closure_draws_from_where_it_starts_once() -> None:
    """Callers give generators, too, which are empty the second time."""
    assert closure((node for node in "d"), DIAMOND) == {"a", "b", "c", "d"}


def test_closure_ends_on_a_cycle() -> None:
    """Even on a graph that no command makes, every node is visited once."""
    assert closure(["a"], {"a": ["b"], "b": ["a"]}) == {"a", "b"}


def test_an_edge_back_closes_a_cycle() -> None:
    """To itself, or from an ancestor; never sideways or towards an ancestor."""
    edges = [("a", "a"), ("a", "d"), ("a", "b"), ("d", "a"), ("b", "c"), ("a", "e")]
    found = [would_cycle(child, parent, DIAMOND) for child, parent in edges]
    assert found == [True, True, True, False, False, False]


def test_effective_roles_follow_assignments_groups_and_parents() -> None:
    """At each instant: what is assigned then, through all groups, with all parents."""
    found = {t: effective_roles(OFFICE, ANN, t) for t in (9, 10, 19, 20, 29, 30)}
    inherited, own = {HEAD, CLERK}, {CLERK}
    assert found == {9: set(), 10: inherited, 19: inherited, 20: own, 29: own, 30: set()}
    assert effective_roles(OFFICE, EVE, 0) == {CHIEF, HEAD, CLERK}


def test_a_container_does_not_belong_to_what_it_contains() -> None:
    """Nesting leads from the inner group outward only."""
    assert [groups_of(OFFICE, one) for one in (ANN, BOB)] == [{STAFF, BOARD}, {BOARD}]
    assert [members_of(OFFICE, {one}) for one in (BOARD, STAFF)] == [{ANN, BOB}, {ANN}]


def test_holders_are_found_from_roles() -> None:
    """Everybody who at some instant holds the role, inheritance and groups included."""
    assert holders_of(OFFICE, {CLERK}) == {ANN, BOB, EVE}
    assert holders_of(OFFICE, {CHIEF}) == {EVE}
    assert holders_of(OFFICE, set()) == set()


def test_validities_are_those_of_all_assignments() -> None:
    """Direct and through groups."""
    assert validities(OFFICE, ANN) == {Validity(10, 20), Validity(20, 30)}
    assert validities(OFFICE, EVE) == {ALWAYS}
