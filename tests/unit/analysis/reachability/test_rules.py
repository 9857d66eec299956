"""Rules of administration: answers by example, and proofs that do not pass when they are wrong."""

from dataclasses import replace

import pytest

from grantproof.analysis.reachability.bound import excluding
from grantproof.analysis.reachability.invariant import Invariant, NeverMet, gaps, violations
from grantproof.analysis.reachability.problem import (
    CanAssign,
    CanRevoke,
    Goal,
    Problem,
    Roles,
    Step,
    interpreted,
)
from grantproof.analysis.reachability.replay import organization_of, replayed
from grantproof.analysis.reachability.rules import reach, shrunk
from grantproof.analysis.reachability.search import with_fewer_users
from grantproof.analysis.reachability.slicing import sliced
from grantproof.analysis.reachability.verdicts import (
    Limits,
    Reachable,
    Undetermined,
    Unreachable,
)
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import PrincipalId, RoleId
from grantproof.core.organization import Organization

A, B, C, D = map(RoleId, "abcd")
U, V, W = map(PrincipalId, "uvw")


def some(*roles: RoleId) -> Roles:
    """A set of roles."""
    return frozenset(roles)


NONE, ONLY_A = some(), some(A)


def gives(
    admin: RoleId | None, target: RoleId, *, wanted: Roles = NONE, unwanted: Roles = NONE
) -> CanAssign:
    """A rule in the order in which it is said."""
    return CanAssign(admin, wanted, unwanted, target)


def asked(
    *rules: CanAssign | CanRevoke,
    goal: Goal,
    parents: dict[RoleId, Roles] | None = None,
    u: Roles = ONLY_A,
    v: Roles = NONE,
) -> Problem:
    """Two users, `u` with role `a` unless the test says otherwise."""
    return Problem(
        some(A, B, C, D),
        {U: u, V: v},
        tuple(rule for rule in rules if isinstance(rule, CanAssign)),
        tuple(rule for rule in rules if isinstance(rule, CanRevoke)),
        goal,
        parents or {},
    )


# Whoever has `b` is not given `c`, and `d` takes both.
APART = (
    gives(A, B, unwanted=some(C)),
    gives(A, C, unwanted=some(B)),
    gives(A, D, wanted=some(B, C)),
)


def test_the_shortest_of_two_ways_is_told() -> None:
    """A way of one step beats one of two, whatever the order of the rules."""
    problem = asked(gives(A, B), gives(B, C), gives(A, C), goal=Goal(C, V))
    assert reach(problem) == Reachable((Step("assign", U, V, C),), shortest=True)


def test_what_is_so_now_takes_no_step() -> None:
    """The goal that is met to begin with is reached by nothing."""
    assert reach(asked(goal=Goal(A))) == Reachable((), shortest=True)


def test_two_users_who_need_each_other_are_searched_together() -> None:
    """`v` has to act by what `u` gives it, before `u` gets what excludes it."""
    problem = asked(gives(A, B, unwanted=some(A)), gives(B, C), goal=Goal(C, U))
    answer = reach(problem)
    steps = (Step("assign", U, V, B), Step("assign", V, U, C))
    assert answer == Reachable(steps, shortest=True)


def test_what_is_given_may_have_to_be_taken_first() -> None:
    """A negative condition is met by revoking."""
    rules = (gives(A, C, unwanted=some(B)), CanRevoke(A, B))
    steps = (Step("revoke", U, V, B), Step("assign", U, V, C))
    assert reach(asked(*rules, goal=Goal(C, V), v=some(B))) == Reachable(steps, shortest=True)
    assert isinstance(reach(asked(rules[0], goal=Goal(C, V), v=some(B))), Unreachable)


def test_roles_that_exclude_each_other_are_proved_apart() -> None:
    """A count of what each might have alone does not do: the proof looks at sets of roles."""
    problem = asked(*APART, goal=Goal(D))
    answer = reach(problem)
    assert isinstance(answer, Unreachable)
    assert answer.how == "over-approximation"
    assert isinstance(answer.evidence, NeverMet)
    assert gaps(problem, answer.evidence) == ()


@pytest.mark.parametrize(
    "seeded",
    [
        gives(A, C, wanted=some(B)),
        gives(None, D),
        gives(A, B, wanted=some(C)),
        gives(A, D, wanted=some(B)),
    ],
)
def test_a_rule_that_breaks_the_proof_is_noticed(seeded: CanAssign) -> None:
    """Both proofs, forward and backward, fail their check on the rules with one more."""
    problem = asked(*APART, goal=Goal(D))
    backward, forward = reach(problem), excluding(problem, sliced(problem), role_sets=100)
    assert isinstance(backward, Unreachable)
    assert isinstance(backward.evidence, NeverMet)
    assert isinstance(forward, Invariant)
    assert (gaps(problem, backward.evidence), violations(problem, forward)) == ((), ())
    worse = replace(problem, can_assign=(*problem.can_assign, seeded))
    assert gaps(worse, backward.evidence) != ()
    assert violations(worse, forward) != ()


def test_a_proof_of_other_beginnings_or_another_goal_is_noticed() -> None:
    """A user who begins outside, a goal that is not spoken of, and one who acts uncounted."""
    problem = asked(*APART, goal=Goal(D))
    backward, forward = reach(problem), excluding(problem, sliced(problem), role_sets=100)
    assert isinstance(backward, Unreachable)
    assert isinstance(backward.evidence, NeverMet)
    assert isinstance(forward, Invariant)
    both = replace(problem, users={U: some(A), V: some(B, C)})
    other = replace(problem, goal=Goal(A))
    for changed in (both, other):
        assert gaps(changed, backward.evidence) != ()
        assert violations(changed, forward) != ()
    assert violations(problem, replace(forward, admins=some())) != ()
    assert violations(problem, replace(forward, anyone=frozenset())) != ()


def test_inheritance_counts_in_rules_and_goals() -> None:
    """Whoever holds a role acts and counts as a holder of its parents."""
    problem = asked(gives(B, C, wanted=some(B)), goal=Goal(D, U), parents={A: some(B), C: some(D)})
    assert reach(problem) == Reachable((Step("assign", U, U, C),), shortest=True)
    without = replace(problem, parents={C: some(D)})
    assert isinstance(reach(without), Unreachable)


def test_a_proof_by_conditions_does_not_speak_of_inheritance() -> None:
    """The check refuses it rather than miss a role that is inherited."""
    problem = asked(*APART, goal=Goal(D))
    answer = reach(problem)
    assert isinstance(answer, Unreachable)
    assert isinstance(answer.evidence, NeverMet)
    assert gaps(replace(problem, parents={A: some(D)}), answer.evidence) != ()


def test_beyond_its_limits_nothing_is_claimed() -> None:
    """Without room for a proof or a search the answer is that it is not known."""
    problem = asked(gives(A, B, unwanted=some(A)), gives(B, C), goal=Goal(C, U))
    answer = reach(problem, Limits(role_sets=0, conditions=0, states=0))
    assert isinstance(answer, Undetermined)
    assert answer.why == "more than 0 states may come about"


def test_a_way_that_may_not_be_the_shortest_says_so() -> None:
    """One user alone takes three steps; without a search, a holder of `c` might shorten that."""
    rules = (gives(A, B), gives(A, C, wanted=some(B)), gives(A, D, wanted=some(C)), gives(C, D))
    problem = asked(*rules, goal=Goal(D, U))
    hurried, answer = reach(problem, Limits(states=0, role_sets=0)), reach(problem)
    assert isinstance(hurried, Reachable)
    assert isinstance(answer, Reachable)
    assert (len(hurried.steps), hurried.shortest) == (3, False)
    assert (len(answer.steps), answer.shortest) == (3, True)


def test_of_many_alike_a_bounded_number_is_kept() -> None:
    """With two administrative roles, three of ten, and the goal's user beside them."""
    many = {PrincipalId(f"u{number}"): some() for number in range(10)}
    rules = (gives(A, B, unwanted=some(A)), gives(B, C))
    problem = Problem(some(A, B, C), {**many, U: some(A)}, rules, (), Goal(C, U))
    fewer = with_fewer_users(problem, sliced(problem))
    assert sorted(fewer.users) == [U, *(PrincipalId(f"u{number}") for number in range(3))]


def test_steps_that_are_not_needed_are_left_out() -> None:
    """What remains still leads to the goal, and every step of it is needed."""
    problem = asked(gives(A, B), gives(A, C), goal=Goal(C, V))
    steps = (Step("assign", U, V, B), Step("assign", U, U, B), Step("assign", U, V, C))
    assert shrunk(problem, steps) == steps[2:]


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ((Step("assign", V, V, C),), "step 1: no rule allows it"),
        ((Step("assign", U, U, A),), "step 1: the assignment is there already"),
        ((Step("revoke", U, V, B),), "step 1: there is no such assignment"),
        ((Step("assign", U, V, C), Step("assign", U, V, D)), "step 2: no rule allows it"),
        ((Step("assign", W, V, C),), "step 1: no such user"),
        ((Step("revoke", U, U, A),), "step 1: no rule allows it"),
        ((), "the steps do not reach the goal"),
    ],
)
def test_a_sequence_that_the_rules_forbid_is_not_replayed(
    steps: tuple[Step, ...], why: str
) -> None:
    """Every step is interpreted on the state that those before it leave."""
    problem = asked(gives(A, C), goal=Goal(C, V))
    assert replayed(problem, steps) == why


def test_commands_must_lead_to_the_goal_as_well() -> None:
    """A replay that only the rules allow is none: here the organization cannot be made."""
    loop = asked(gives(A, C), goal=Goal(C, V), parents={A: some(B), B: some(A)})
    why = replayed(loop, (Step("assign", U, V, C),))
    assert why is not None
    assert why.startswith("no organization can be like this")


def test_the_organization_of_rules_lets_their_administrators_act() -> None:
    """It has the users, the roles, and a claim for each right; anybody is a role of its own."""
    state = organization_of(asked(gives(A, C), CanRevoke(None, C), goal=Goal(C)))
    assert isinstance(state, Organization)
    told = {(claim.role, str(claim.action), str(claim.resource)) for claim in state.claims.values()}
    assert len(told) == 2
    assert {role for role, _, _ in told} == {A, RoleId("anybody")}
    assert set(state.assignments.of(U)) == {A, RoleId("anybody")}


def test_a_problem_names_only_what_it_has() -> None:
    """A role or a user that is not declared is no part of one."""
    with pytest.raises(Illegal, match="must have `x`"):
        asked(gives(A, RoleId("x")), goal=Goal(A))
    with pytest.raises(Illegal, match="must have `w`"):
        asked(goal=Goal(A, W))


def test_the_state_after_steps_is_told() -> None:
    """What was revoked is gone and what was assigned is there."""
    problem = asked(gives(A, C), CanRevoke(A, C), goal=Goal(C))
    steps = (Step("assign", U, V, C), Step("revoke", U, V, C), Step("assign", U, U, C))
    assert interpreted(problem, steps) == {U: some(A, C), V: some()}
