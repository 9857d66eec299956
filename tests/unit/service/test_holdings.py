"""What an organization holds, and what of it does nothing."""

from grantproof.core.commands.language import (
    AddMember,
    AddParent,
    AssignGroupRole,
    AssignRole,
    SuspendPrincipal,
)
from grantproof.core.identifiers import PrincipalId, RoleId
from grantproof.core.model import Validity
from grantproof.service import holdings
from grantproof.service.holdings import Ending, Found, Idle
from tests.organizations import (
    ANN,
    BOB,
    C1,
    C2,
    CHIEF,
    CLERK,
    HEAD,
    STAFF,
    after,
    claim,
    groups,
    library,
    made_of,
    pair,
    people,
    roles,
)

NOTHING = Found(0, ())
BASE = made_of(*people(ANN, BOB), *roles(CLERK, HEAD, CHIEF), *groups(STAFF), *library())


def test_everything_is_counted() -> None:
    """Assignments of principals and of groups together."""
    state = made_of(*people(ANN, BOB), *roles(CLERK, HEAD), *groups(STAFF), *library(), claim())
    state = after(
        state, AssignRole(ANN, CLERK), AssignRole(BOB, CLERK), AssignGroupRole(STAFF, HEAD)
    )
    assert holdings.counts(state) == {
        "principals": 2,
        "groups": 1,
        "roles": 2,
        "claims": 1,
        "resources": 2,
        "assignments": 3,
        "sod_sets": 0,
        "guardrails": 0,
    }


def test_large_is_more_than_the_limit() -> None:
    """Of all parts together."""
    most = {"roles": holdings.LOOKED_AT_MAX - 1, "claims": 1}
    assert not holdings.is_large(most)
    assert holdings.is_large({**most, "groups": 1})


def test_a_role_is_held_through_groups_and_through_those_that_inherit_from_it() -> None:
    """A group that has nobody in it gives nothing."""
    state = after(BASE, AssignGroupRole(STAFF, HEAD), AddParent(HEAD, CLERK))
    assert holdings.idle(state).unheld == Found(3, ("chief", "clerk", "head"))
    state = after(state, AddMember(ANN, STAFF))
    assert holdings.idle(state).unheld == Found(1, ("chief",))


def test_a_role_that_is_held_later_is_no_idle_one() -> None:
    """Nor one that was held: what matters is that it reaches somebody at some instant."""
    state = after(BASE, AssignRole(ANN, CLERK, Validity(10**9, None)))
    assert "clerk" not in holdings.idle(state).unheld.first


def test_claims_of_roles_that_reach_nobody_are_unused() -> None:
    """Those of others are not."""
    facts = (*people(ANN), *roles(CLERK, HEAD), *library())
    state = made_of(*facts, claim(id=C1, role=CLERK), claim(id=C2, role=HEAD))
    assert holdings.idle(after(state, AssignRole(ANN, CLERK))).unused == Found(1, ("c2",))


def test_a_role_that_a_static_set_bars_is_unholdable() -> None:
    """Through what it inherits from."""
    facts = (*people(ANN), *roles(CLERK, HEAD, CHIEF), pair())
    state = after(made_of(*facts), AddParent(CHIEF, CLERK))
    assert holdings.idle(state).unholdable == NOTHING
    state = after(state, AddParent(CHIEF, HEAD))
    assert holdings.idle(state).unholdable == Found(1, ("chief",))


def test_the_suspended_are_told() -> None:
    """By their ids."""
    assert holdings.idle(BASE).suspended == NOTHING
    assert holdings.idle(after(BASE, SuspendPrincipal(BOB))).suspended == Found(1, ("bob",))


def test_the_first_of_many_are_named_and_the_others_counted() -> None:
    """In the order of their ids."""
    many = [RoleId(f"role-{number}") for number in (3, 1, 4, 2, 9, 7, 5)]
    found = holdings.idle(made_of(*roles(*many))).unheld
    assert found.first == ("role-1", "role-2", "role-3", "role-4", "role-5")
    assert (found.count, found.more) == (7, 2)
    assert holdings.idle(made_of()) == Idle(NOTHING, NOTHING, NOTHING, NOTHING)


def test_what_ends_soon_is_told_the_earliest_first() -> None:
    """And what has ended, or begins later, is counted."""
    names = [PrincipalId(f"p{number}") for number in range(9)]
    state = made_of(*people(*names), *roles(CLERK))
    ends = (1_700, 1_500, 1_600, 1_400, 1_800, 1_900, 1_000, 2_001, None)
    for name, end in zip(names, ends, strict=True):
        start = 1_200 if end is None else None
        state = after(state, AssignRole(name, CLERK, Validity(start, end)))
    found = holdings.ending(state, instant=1_000, within=1_001)
    assert [one.instant for one in found.soon] == [1_400, 1_500, 1_600, 1_700, 1_800]
    assert (found.expiring, found.expired, found.not_begun) == (6, 1, 1)
    assert holdings.ending(BASE, instant=1_000, within=1_001) == Ending((), 0, 0, 0)
