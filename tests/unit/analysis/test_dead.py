"""What is held to no effect, by example: each finding, and its neighbour that is none."""

from dataclasses import replace

import pytest

from grantproof.analysis.dead import (
    Conflict,
    Dead,
    RedundantAssignment,
    RedundantClaim,
    Unactivatable,
    Unholdable,
    Unreachable,
    Unsatisfiable,
    Unsure,
    Unused,
    conflicts,
    dead,
)
from grantproof.analysis.solving import Solver
from grantproof.core.attributes import Literal, Operator, Path, Root, attributes
from grantproof.core.constraints import Attribute, Constraint, GeoFence, MaxUsage, TimeWindow
from grantproof.core.identifiers import AttributeName
from grantproof.core.model import (
    Any,
    Assignment,
    Exactly,
    Fact,
    Group,
    GroupAssignment,
    Inheritance,
    Membership,
    Principal,
    Role,
    Validity,
    Within,
)
from tests.organizations import (
    ANN,
    BOB,
    C2,
    CLERK,
    DOCS,
    EU,
    HEAD,
    PAIR,
    STAFF,
    US,
    WRITE,
    claim,
    dynamic,
    library,
    made_of,
    pair,
    people,
    roles,
)
from tests.unit.analysis.baffled import Baffled

NOW = 1_000
ANN_CLERK = Assignment(ANN, CLERK)


def found(*facts: Fact) -> list[Dead]:
    """Return what is dead in the library that has these facts too."""
    return list(dead(made_of(*library(), *facts), Solver(), now=NOW))


def clerks(*facts: Fact) -> list[Dead]:
    """Return what is dead when ann is a clerk."""
    return found(*people(ANN, BOB), *roles(CLERK, HEAD), ANN_CLERK, Assignment(BOB, HEAD), *facts)


def level(operator: Operator, value: int, root: Root = Root.CONTEXT) -> Attribute:
    """Return a comparison of a level."""
    return Attribute(Path(root, AttributeName("level")), operator, Literal(value))


def test_a_role_that_nobody_holds_is_unused() -> None:
    """Also one that only an empty group holds; not one that is inherited from by one held."""
    empty = GroupAssignment(STAFF, HEAD)
    assert found(Role(CLERK)) == [Unused(CLERK)]
    assert found(Role(HEAD), Group(STAFF), empty) == [Unused(HEAD)]
    assert found(*people(ANN), Group(STAFF), Role(HEAD), empty, Membership(ANN, STAFF)) == []
    assert found(*people(ANN), *roles(CLERK, HEAD), ANN_CLERK, Inheritance(CLERK, HEAD)) == []


def test_a_claim_that_only_the_suspended_hold_is_unreachable() -> None:
    """As long as none of its holders is active."""
    asleep = (Principal(ANN, active=False), Role(CLERK), ANN_CLERK, claim())
    assert found(*asleep) == [Unreachable(claim())]
    assert found(*asleep, *people(BOB), Assignment(BOB, CLERK)) == []


def test_a_claim_that_takes_a_choice_of_roles_is_not_dead() -> None:
    """Who holds more than a dynamic set allows uses it in a session, whatever it looks at."""
    both = (Assignment(ANN, HEAD), dynamic(pair()))
    holders = (*people(ANN), *roles(CLERK, HEAD), ANN_CLERK)
    assert found(*holders, *both, claim()) == []
    assert found(*holders, *both, claim(level(Operator.NE, 3, Root.CONTEXT))) == []
    stores = Principal(ANN, attributes=attributes({"level": 3}))
    looks = claim(level(Operator.EQ, 3, Root.PRINCIPAL))
    assert found(stores, *holders[1:], *both, looks) == []


def test_a_claim_of_a_role_that_nobody_can_have_active_is_unreachable() -> None:
    """With what it inherits from it breaks a dynamic set by itself; what it inherits does not."""
    holders = (*people(ANN), *roles(CLERK, HEAD), ANN_CLERK, Inheritance(CLERK, HEAD))
    facts = (*holders, dynamic(pair()), claim(), claim(id=C2, role=HEAD, action=Exactly(WRITE)))
    assert found(*facts) == [Unreachable(claim())]


@pytest.mark.parametrize(
    "never",
    [
        (TimeWindow(1, 2), TimeWindow(2, 3)),
        (GeoFence(frozenset({EU})), GeoFence(frozenset({US}))),
        (level(Operator.LT, 3), level(Operator.GT, 3)),
        (level(Operator.EQ, 3, Root.PRINCIPAL),),
        (level(Operator.EQ, 3, Root.RESOURCE),),
    ],
)
def test_a_claim_whose_constraints_exclude_each_other_is_unsatisfiable(
    never: tuple[Constraint, ...],
) -> None:
    """Also one that asks for what nobody who holds it stores, or no resource."""
    assert clerks(claim(*never)) == [Unsatisfiable(claim(*never))]


def test_what_is_stored_by_one_holder_is_enough() -> None:
    """Whoever else holds the claim without it."""
    of_principal = claim(level(Operator.EQ, 3, Root.PRINCIPAL))
    tall = Principal(ANN, attributes=attributes({"level": 3}))
    assert found(tall, *people(BOB), Role(CLERK), ANN_CLERK, of_principal) == []


def test_a_claim_that_another_one_contains_is_redundant() -> None:
    """Of the same role or of one inherited from; the narrower one is named."""
    wide = claim(id=C2, resource=Within(DOCS))
    assert clerks(claim(), wide) == [RedundantClaim(claim(), wide)]
    inherited = replace(wide, role=HEAD)
    assert clerks(claim(), inherited) == []
    assert clerks(claim(), inherited, Inheritance(CLERK, HEAD)) == [
        RedundantClaim(claim(), inherited)
    ]


def test_of_two_claims_that_say_the_same_the_later_is_redundant() -> None:
    """And only that one."""
    assert clerks(claim(), claim(id=C2)) == [RedundantClaim(claim(id=C2), claim())]


def test_a_claim_is_redundant_where_its_constraints_imply_the_others() -> None:
    """In other words too, as far as they read nothing that is stored."""
    narrow = claim(TimeWindow(9, 12), level(Operator.EQ, 7))
    wide = claim(TimeWindow(8, 17), level(Operator.GT, 3), id=C2)
    assert clerks(narrow, wide) == [RedundantClaim(narrow, wide)]
    other = claim(TimeWindow(10, 17), level(Operator.GT, 3), id=C2)
    assert clerks(narrow, other) == []


def test_a_claim_with_a_meter_makes_none_redundant() -> None:
    """Each counts its own use: with both there is more of it."""
    metered, free = claim(MaxUsage(2)), claim(id=C2, action=Any())
    assert clerks(metered, claim(MaxUsage(2), id=C2)) == []
    assert clerks(metered, free) == [RedundantClaim(metered, free)]


def test_an_assignment_that_comes_with_another_is_redundant() -> None:
    """By inheritance or through a group, and as long; not for a while of it only."""
    up = (*people(ANN, BOB), *roles(CLERK, HEAD), Inheritance(HEAD, CLERK), Assignment(BOB, CLERK))
    head = Assignment(ANN, HEAD)
    assert found(*up, ANN_CLERK, head) == [RedundantAssignment(ANN_CLERK, head)]
    assert found(*up, ANN_CLERK, replace(head, validity=Validity(start=5))) == []
    assert found(*up, ANN_CLERK, replace(head, validity=Validity(end=5))) == []
    while_head = replace(head, validity=Validity(5, 9))
    inside = replace(ANN_CLERK, validity=Validity(6, 9))
    assert found(*up, inside, while_head) == [RedundantAssignment(inside, while_head)]
    through = GroupAssignment(STAFF, CLERK)
    in_group = (Group(STAFF), Membership(ANN, STAFF), through)
    assert found(*up, ANN_CLERK, Assignment(BOB, HEAD), *in_group) == [
        RedundantAssignment(ANN_CLERK, through),
        RedundantAssignment(Assignment(BOB, CLERK), Assignment(BOB, HEAD)),
    ]


def test_what_the_solver_cannot_tell_is_not_called_dead() -> None:
    """It is said to be unsure, and nothing is called redundant for it."""
    window, wide = claim(TimeWindow(9, 12)), claim(TimeWindow(8, 17), id=C2)
    state = made_of(*library(), *people(ANN), Role(CLERK), ANN_CLERK, window, wide)
    both: list[Dead] = [Unsure(window, "no idea"), Unsure(wide, "no idea")]
    assert list(dead(state, Baffled(), now=NOW)) == both
    assert RedundantClaim(window, wide) in dead(state, Solver(), now=NOW)
    never = claim(TimeWindow(9, 12), TimeWindow(12, 17))
    contradictory = made_of(*library(), *people(ANN), Role(CLERK), ANN_CLERK, never)
    unsure: list[Dead] = [Unsure(never, "no idea")]
    assert list(dead(contradictory, Baffled(), now=NOW)) == unsure
    assert list(dead(contradictory, Solver(), now=NOW)) == [Unsatisfiable(never)]


def test_roles_that_a_set_keeps_everybody_from_are_conflicts() -> None:
    """A static set from holding them, a dynamic one from having them active."""
    facts = (*roles(CLERK, HEAD), Inheritance(CLERK, HEAD))
    unholdable: tuple[Conflict, ...] = (Unholdable(CLERK, PAIR),)
    unactivatable: tuple[Conflict, ...] = (Unactivatable(CLERK, PAIR),)
    assert conflicts(made_of(*facts, pair())) == unholdable
    assert conflicts(made_of(*facts, dynamic(pair()))) == unactivatable
    assert conflicts(made_of(*roles(CLERK, HEAD), pair())) == ()


def test_nothing_is_dead_in_a_tidy_organization() -> None:
    """Two claims of two roles that are held."""
    assert clerks(claim(), claim(id=C2, role=HEAD)) == []
