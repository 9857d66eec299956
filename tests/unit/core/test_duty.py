"""Separation of duty: static for all time, dynamic for what is active."""

from dataclasses import replace
from itertools import permutations

import pytest

from grantproof.core.duty import (
    active_roles,
    dynamic_clash,
    exceeds,
    sets_naming,
    starts,
    static_clash,
    unholdable_roles,
)
from grantproof.core.errors import BreaksSod, HeldRole
from grantproof.core.identifiers import RoleId, SodSetId
from grantproof.core.model import (
    Assignment,
    GroupAssignment,
    Inheritance,
    Membership,
    Nesting,
    Principal,
    SodSet,
    Validity,
)
from tests.organizations import (
    ANN,
    BOARD,
    CHIEF,
    CLERK,
    HEAD,
    PAIR,
    STAFF,
    asks,
    dynamic,
    groups,
    made_of,
    pair,
    people,
    roles,
)

BASE = (*people(ANN), *groups(STAFF, BOARD), *roles(CLERK, HEAD, CHIEF))
TRIO = frozenset({CLERK, HEAD, CHIEF})


@pytest.mark.parametrize(("n", "expected"), [(2, [0, 0, 1, 1]), (3, [0, 0, 0, 1])])
def test_n_is_the_smallest_forbidden_count(n: int, expected: list[int]) -> None:
    """With n roles of the set it is exceeded, with n - 1 it is not."""
    ordered = (CLERK, HEAD, CHIEF)
    found = [exceeds(SodSet(PAIR, TRIO, n), frozenset(ordered[:size])) for size in range(4)]
    assert found == [bool(one) for one in expected]


def test_roles_outside_the_set_do_not_count() -> None:
    """Only the set's own roles are counted."""
    assert not exceeds(pair(), frozenset({CLERK, CHIEF, RoleId("other")}))


@pytest.mark.parametrize("order", list(permutations((CLERK, HEAD, CHIEF))))
def test_p_sod_sym_the_order_of_roles_and_assignments_plays_no_part(
    order: tuple[RoleId, ...],
) -> None:
    """P-SOD-SYM: every order of a pair and of the assignments gives the same breach."""
    sod_set = SodSet(PAIR, frozenset(order), 2)
    facts = [Assignment(ANN, role) for role in order]
    clash = static_clash(made_of(*BASE, sod_set, *facts), ANN)
    expected = tuple(HeldRole((), (role,)) for role in (CHIEF, CLERK, HEAD))
    assert clash == BreaksSod(PAIR, 2, ANN, None, expected)


def test_a_static_breach_names_every_path() -> None:
    """Through inheritance, groups and nesting, in the order of the roles."""
    state = made_of(
        *BASE,
        pair(),
        Inheritance(CHIEF, HEAD),
        Assignment(ANN, CHIEF),
        Membership(ANN, STAFF),
        Nesting(STAFF, BOARD),
        GroupAssignment(BOARD, CLERK),
    )
    paths = (HeldRole((STAFF, BOARD), (CLERK,)), HeldRole((), (CHIEF, HEAD)))
    assert static_clash(state, ANN) == BreaksSod(PAIR, 2, ANN, None, paths)


def test_a_future_breach_is_found_with_its_instant() -> None:
    """The instant is the start of the later of two assignments that overlap."""
    early, late = Assignment(ANN, CLERK, Validity(10, 30)), Assignment(ANN, HEAD, Validity(29))
    clash = static_clash(made_of(*BASE, pair(), early, late), ANN)
    assert clash is not None
    assert clash.instant == 29


def test_a_past_breach_is_found_too() -> None:
    """At every instant, past or future: what ended long ago still counts against now."""
    both = [Assignment(ANN, role, Validity(0, 1)) for role in (CLERK, HEAD)]
    clash = static_clash(made_of(*BASE, pair(), *both), ANN)
    assert clash is not None
    assert clash.instant is None


def test_assignments_that_only_touch_do_not_clash() -> None:
    """One ends at the instant at which the other starts."""
    early, late = Assignment(ANN, CLERK, Validity(10, 30)), Assignment(ANN, HEAD, Validity(30))
    assert static_clash(made_of(*BASE, pair(), early, late), ANN) is None


def test_a_suspended_principal_is_bound_too() -> None:
    """A suspension excuses no breach."""
    both = [Assignment(ANN, role) for role in (CLERK, HEAD)]
    state = made_of(
        Principal(ANN, active=False), *groups(STAFF), *roles(CLERK, HEAD), pair(), *both
    )
    assert static_clash(state, ANN) is not None


def test_a_dynamic_set_never_breaks_statically_nor_a_static_one_dynamically() -> None:
    """Each set binds in its own way only."""
    both = [Assignment(ANN, role) for role in (CLERK, HEAD)]
    held = frozenset({CLERK, HEAD})
    assert static_clash(made_of(*BASE, dynamic(pair()), *both), ANN) is None
    assert dynamic_clash(made_of(*BASE, pair(), *both), held) is None
    assert dynamic_clash(made_of(*BASE, dynamic(pair()), *both), held) == dynamic(pair())


def test_the_first_dynamic_set_by_id_is_named() -> None:
    """Of several clashes the one with the least id."""
    sets = [replace(dynamic(pair()), id=SodSetId(name)) for name in ("z", "a", "m")]
    clash = dynamic_clash(made_of(*BASE, *sets), frozenset({CLERK, HEAD}))
    assert clash is not None
    assert clash.id == "a"


def test_starts_are_the_instants_at_which_roles_are_gained() -> None:
    """Direct and through groups, without bound as the first instant, each once, in order."""
    state = made_of(
        *BASE,
        Membership(ANN, STAFF),
        Assignment(ANN, CLERK, Validity(20, 30)),
        Assignment(ANN, CHIEF, Validity(20)),
        Assignment(ANN, HEAD, Validity(end=5)),
        GroupAssignment(STAFF, CLERK, Validity(10)),
        GroupAssignment(BOARD, CLERK, Validity(15)),
    )
    assert starts(state, ANN) == (0, 10, 20)


def test_sets_are_found_by_the_roles_they_name() -> None:
    """Each once, in the order of their ids, and none for a role that no set names."""
    sets = [SodSet(SodSetId(name), TRIO, 2) for name in ("b", "a")]
    state = made_of(*BASE, *sets, *roles(RoleId("free")))
    assert [found.id for found in sets_naming(state, [HEAD, CLERK])] == ["a", "b"]
    assert sets_naming(state, [RoleId("free")]) == ()


def test_without_a_session_all_effective_roles_are_active() -> None:
    """Inherited ones too."""
    state = made_of(*BASE, Inheritance(HEAD, CLERK), Assignment(ANN, HEAD))
    assert active_roles(state, asks(), 0) == {HEAD, CLERK}


def test_a_session_activates_what_is_chosen_and_held() -> None:
    """The choice is cut to what is effective at the instant and closed under parents."""
    state = made_of(
        *BASE, Inheritance(HEAD, CLERK), Assignment(ANN, HEAD), Assignment(ANN, CHIEF, Validity(5))
    )
    chosen = {
        names: active_roles(state, asks(active=names), instant)
        for names, instant in [((HEAD,), 0), ((CLERK,), 0), ((), 0), ((RoleId("none"),), 0)]
    }
    assert chosen == {
        (HEAD,): {HEAD, CLERK},
        (CLERK,): {CLERK},
        (): set(),
        (RoleId("none"),): set(),
    }
    found = [active_roles(state, asks(active=(CHIEF,)), instant) for instant in (4, 5)]
    assert found == [set(), {CHIEF}]


def test_a_role_that_contains_a_clash_is_legal_and_reported() -> None:
    """Its own closure holds n: nobody can ever hold it, nor anything below it."""
    state = made_of(
        *BASE,
        *roles(RoleId("below")),
        pair(),
        Inheritance(CHIEF, CLERK),
        Inheritance(CHIEF, HEAD),
        Inheritance(RoleId("below"), CHIEF),
    )
    assert unholdable_roles(state, pair()) == ("below", CHIEF)


def test_a_dynamic_set_makes_no_role_unholdable() -> None:
    """One may hold what one may not activate."""
    edges = (Inheritance(CHIEF, CLERK), Inheritance(CHIEF, HEAD))
    state = made_of(*BASE, dynamic(pair()), *edges)
    assert unholdable_roles(state, dynamic(pair())) == ()
