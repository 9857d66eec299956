"""Shortest and longest ways through groups and roles, on graphs drawn by hand."""

from collections.abc import Mapping

from grantproof.core.errors import HeldRole
from grantproof.core.model import (
    Assignment,
    GroupAssignment,
    Inheritance,
    Membership,
    Nesting,
    Validity,
)
from grantproof.core.paths import cycle_through, how_held, longest_chain, shortest_path
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


def test_a_cycle_is_named_edge_by_edge() -> None:
    """From the child over its new parent back to itself."""
    assert cycle_through("a", "d", DIAMOND) == ("a", "d", "b", "a")
    assert cycle_through("a", "a", DIAMOND) == ("a", "a")


def test_the_shortest_path_breaks_ties_by_id() -> None:
    """Of two equally short paths the one over the lesser id."""
    assert shortest_path(["d"], "a", DIAMOND) == ("d", "b", "a")
    assert shortest_path(["d", "c"], "a", DIAMOND) == ("c", "a")
    assert shortest_path(["a", "d"], "a", DIAMOND) == ("a",)


def test_there_may_be_no_path() -> None:
    """Downwards, to a stranger, and from nowhere."""
    found = [shortest_path(["a"], "d", DIAMOND), shortest_path(["d"], "e", DIAMOND)]
    assert [*found, shortest_path([], "a", DIAMOND)] == [None] * 3


def test_the_longest_chain_counts_edges() -> None:
    """Of two ways the longer one counts."""
    parents = {"a": [], "b": ["a"], "c": ["b", "a"], "d": ["a", "c"]}
    assert [longest_chain(node, parents) for node in "abcd"] == [0, 1, 2, 3]


def test_how_held_names_groups_and_roles() -> None:
    """From the nearest group outward, from the assigned role to the one held."""
    assert how_held(OFFICE, ANN, CLERK, instant=10) == HeldRole((STAFF, BOARD), (HEAD, CLERK))
    assert how_held(OFFICE, BOB, HEAD, instant=10) == HeldRole((BOARD,), (HEAD,))
    assert how_held(OFFICE, ANN, CLERK, instant=20) == HeldRole((), (CLERK,))
    assert how_held(OFFICE, EVE, CLERK, instant=0) == HeldRole((), (CHIEF, HEAD, CLERK))


def test_how_held_is_nothing_when_it_is_not() -> None:
    """Another role, another instant."""
    assert how_held(OFFICE, ANN, CHIEF, instant=10) is None
    assert how_held(OFFICE, ANN, CLERK, instant=30) is None


def test_a_direct_assignment_is_named_before_a_shorter_way_through_groups() -> None:
    """What the principal itself was given comes first, however long its path."""
    state = made_of(
        *people(ANN),
        *groups(CLUB),
        *roles(CLERK, HEAD),
        Inheritance(HEAD, CLERK),
        Membership(ANN, CLUB),
        GroupAssignment(CLUB, CLERK),
        Assignment(ANN, HEAD),
    )
    assert how_held(state, ANN, CLERK, instant=0) == HeldRole((), (HEAD, CLERK))


def test_of_ways_through_groups_the_shortest_is_named() -> None:
    """Fewer edges first, then the lesser group."""
    state = made_of(
        *people(ANN),
        *groups(STAFF, BOARD, CLUB),
        *roles(CLERK),
        Nesting(BOARD, STAFF),
        Membership(ANN, BOARD),
        Membership(ANN, CLUB),
        GroupAssignment(STAFF, CLERK),
        GroupAssignment(CLUB, CLERK),
    )
    assert how_held(state, ANN, CLERK, instant=0) == HeldRole((CLUB,), (CLERK,))
