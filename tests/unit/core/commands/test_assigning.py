"""`assigned`: many assignments at once, as one after the other would make them."""

import pytest

from grantproof.core.commands.assigning import assigned
from grantproof.core.commands.language import AssignRole
from grantproof.core.identifiers import RoleId
from grantproof.core.limits import ROLES_PER_HOLDER_MAX
from grantproof.core.model import Assignment, Fact, Inheritance, Role, Validity
from grantproof.core.organization import Organization, with_fact
from tests.organizations import (
    ANN,
    BOB,
    CHIEF,
    CLERK,
    EVE,
    HEAD,
    dynamic,
    made_of,
    pair,
    people,
    roles,
)

FREE = (*people(ANN, BOB), *roles(CLERK, HEAD, CHIEF))
LATER = Validity(100, 200)


def with_all(state: Organization, *facts: Fact) -> Organization:
    """The state with the facts, one after the other."""
    for fact in facts:
        state = with_fact(state, fact)
    return state


def test_each_is_assigned_and_what_was_stays() -> None:
    """For as long as it says, to each of them, in both directions; at the same revision."""
    state = made_of(*FREE, Assignment(ANN, CHIEF), Assignment(BOB, CHIEF, LATER), revision=3)
    wanted = [AssignRole(ANN, CLERK), AssignRole(BOB, CLERK, LATER), AssignRole(ANN, HEAD)]
    expected = with_all(
        state, Assignment(ANN, CLERK), Assignment(BOB, CLERK, LATER), Assignment(ANN, HEAD)
    )
    assert assigned(state, wanted) == expected


def test_no_assignment_changes_nothing() -> None:
    """Of none, the state is what it was."""
    assert assigned(made_of(*FREE), []) == made_of(*FREE)


@pytest.mark.parametrize(
    "refused",
    [
        AssignRole(EVE, CLERK),
        AssignRole(ANN, RoleId("none")),
        AssignRole(ANN, HEAD),
        AssignRole(ANN, CLERK, LATER),
        AssignRole(BOB, CHIEF),
    ],
    ids=["no such principal", "no such role", "held", "asked for twice", "held by another"],
)
def test_one_that_is_refused_leaves_nothing(refused: AssignRole) -> None:
    """Whoever is not there, what is not there, and what is there already, of all that are asked."""
    state = made_of(*FREE, Assignment(ANN, HEAD), Assignment(BOB, CHIEF))
    others = [AssignRole(ANN, CLERK), AssignRole(BOB, CLERK)]
    assert assigned(state, others) is not None
    assert assigned(state, [*others, refused]) is None


def test_as_many_roles_as_there_may_be() -> None:
    """The last role that a principal may hold can be assigned, the next one cannot."""
    many = [RoleId(f"role-{number}") for number in range(ROLES_PER_HOLDER_MAX + 1)]
    state = made_of(*people(ANN, BOB), *map(Role, many), Assignment(ANN, many[0]))
    wanted = [AssignRole(ANN, role) for role in many[1:]]
    assert assigned(state, [*wanted[:-1], AssignRole(BOB, many[-1])]) is not None
    assert assigned(state, wanted) is None


def test_a_static_set_is_kept_by_all_of_them_together() -> None:
    """Two roles of a set, held or asked for, by inheritance or not, at one time or at none."""
    state = made_of(*FREE, Inheritance(CHIEF, HEAD), Assignment(BOB, HEAD), pair())
    both = AssignRole(ANN, CLERK), AssignRole(ANN, HEAD)
    inherited = AssignRole(ANN, CLERK), AssignRole(ANN, CHIEF)
    apart = AssignRole(ANN, CLERK, Validity(end=100)), AssignRole(ANN, HEAD, LATER)
    assert [assigned(state, some) is None for some in (both, inherited, apart)] == [
        True,
        True,
        False,
    ]
    assert assigned(state, [AssignRole(ANN, CHIEF), AssignRole(BOB, CLERK)]) is None
    assert assigned(state, [AssignRole(ANN, CHIEF), AssignRole(BOB, CHIEF)]) is not None


def test_a_dynamic_set_forbids_nothing_to_be_held() -> None:
    """What may not be active together may be assigned together."""
    state = made_of(*FREE, dynamic(pair()))
    assert assigned(state, [AssignRole(ANN, CLERK), AssignRole(ANN, HEAD)]) is not None


def test_only_what_a_static_set_counts_is_looked_at() -> None:
    """As in turn: a role that no set counts is refused to nobody, whatever it holds besides."""
    state = made_of(*FREE, Assignment(ANN, CLERK), Assignment(ANN, HEAD), pair())
    assert assigned(state, [AssignRole(ANN, CHIEF), AssignRole(BOB, CLERK)]) is not None
