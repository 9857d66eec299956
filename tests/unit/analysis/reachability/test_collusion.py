"""Collusion in an organization: what some people can bring about, by example."""

from dataclasses import replace

import pytest

from grantproof.analysis.reachability.collusion import Answer, collude
from grantproof.analysis.reachability.powers import Powers
from grantproof.analysis.reachability.question import (
    Change,
    Holds,
    MayDo,
    Question,
    met,
    replayed,
)
from grantproof.analysis.reachability.verdicts import (
    Exhausted,
    Limits,
    Reachable,
    Undetermined,
    Unreachable,
)
from grantproof.core.commands.language import (
    AddMember,
    AssignGroupRole,
    AssignRole,
    CreateClaim,
    RemoveMember,
    RevokeRole,
    SingleCommand,
)
from grantproof.core.constraints import TimeWindow
from grantproof.core.identifiers import Action, ClaimId, PrincipalId, ResourceId, RoleId, SodSetId
from grantproof.core.model import (
    ADMINISTER,
    ALWAYS,
    Any,
    Assignment,
    Claim,
    Exactly,
    Fact,
    GroupAssignment,
    Inheritance,
    Membership,
    Principal,
    ResourcePattern,
    SodSet,
    Validity,
)
from grantproof.core.organization import Organization
from tests.organizations import (
    ANN,
    BOB,
    CHIEF,
    CLERK,
    EVE,
    HEAD,
    NOON,
    PLAN,
    READ,
    STAFF,
    groups,
    library,
    made_of,
    people,
    roles,
)

NOW = NOON.instant


def right(name: str, role: RoleId, action: str, resource: str | ResourcePattern) -> Claim:
    """A claim to an administrative action, on one resource unless a pattern is given."""
    on = Exactly(ResourceId(resource)) if isinstance(resource, str) else resource
    return Claim(ClaimId(name), role, Exactly(Action(action)), on)


DESK = (
    *people(ANN, BOB, EVE),
    *roles(CLERK, HEAD, CHIEF),
    *groups(STAFF),
    *library(),
    Assignment(ANN, CLERK),
    right("desk", CLERK, "assign", "role:head"),
    Claim(ClaimId("read"), CHIEF, Exactly(READ), Exactly(PLAN)),
)
"""Ann is a clerk, and clerks may assign heads; chiefs read the plan."""

PAIR_SET = SodSet(SodSetId("pair"), frozenset({HEAD, CHIEF}), 2)


def organization(*facts: Fact) -> Organization:
    """The help desk, and what the test adds."""
    return made_of(*DESK, *facts)


def asked(
    goal: Holds | MayDo, *, by: tuple[PrincipalId, ...] = (ANN,), of: PrincipalId = BOB
) -> Question:
    """Whether ann, unless the test says otherwise, can bring bob to it."""
    return Question(frozenset(by), of, goal, NOON)


def answered(state: Organization, question: Question) -> Answer:
    """The answer, every yes of which was replayed here again."""
    answer = collude(state, question)
    if isinstance(answer, Reachable):
        assert replayed(state, question, answer.steps) is None
    return answer


def yes(*changes: Change) -> Reachable[Change]:
    """Reachable by these, and by none fewer."""
    return Reachable(changes, shortest=True)


def test_one_assignment_is_told() -> None:
    """Who may assign a role brings anybody to hold it."""
    expected = yes(Change(ANN, AssignRole(BOB, HEAD)))
    assert answered(organization(), asked(Holds(HEAD))) == expected


def test_what_is_so_now_takes_no_change() -> None:
    """Nobody has to do anything."""
    assert answered(organization(), asked(Holds(CLERK), of=ANN)) == yes()


def test_out_of_reach_is_told_with_all_they_could_give() -> None:
    """Ann never comes to give anything but heads, in whatever context."""
    answer = answered(organization(), asked(Holds(CHIEF)))
    bound = Powers(frozenset({HEAD}), structural=False, timeless=True)
    assert answer == Unreachable("over-approximation", bound)


def test_those_who_collude_lend_each_other_their_rights() -> None:
    """Ann makes eve a head, and heads may assign chiefs, so bob reads the plan."""
    state = organization(right("heads", HEAD, "assign", "role:chief"))
    goal = MayDo(READ, PLAN, NOON)
    expected = yes(Change(ANN, AssignRole(ANN, HEAD)), Change(ANN, AssignRole(BOB, CHIEF)))
    assert answered(state, asked(goal, by=(ANN, EVE))) == expected
    assert isinstance(answered(state, asked(goal, by=(EVE,))), Unreachable)


def test_separation_of_duty_is_undone_where_it_may_be() -> None:
    """Bob is a chief: he can be a head only after that is revoked, which takes the right."""
    apart = organization(PAIR_SET, Assignment(BOB, CHIEF))
    assert answered(apart, asked(Holds(HEAD))) == Unreachable("exhaustive", Exhausted(2))
    state = organization(
        PAIR_SET, Assignment(BOB, CHIEF), right("r", CLERK, "revoke", "role:chief")
    )
    expected = yes(Change(ANN, RevokeRole(BOB, CHIEF)), Change(ANN, AssignRole(BOB, HEAD)))
    assert answered(state, asked(Holds(HEAD))) == expected


def test_a_role_that_comes_from_a_group_is_lost_with_the_membership() -> None:
    """Bob is a chief through his group; taking him out is what helps."""
    state = organization(
        PAIR_SET,
        Membership(BOB, STAFF),
        GroupAssignment(STAFF, CHIEF),
        right("r", CLERK, "revoke", "group:staff"),
    )
    expected = yes(Change(ANN, RemoveMember(BOB, STAFF)), Change(ANN, AssignRole(BOB, HEAD)))
    assert answered(state, asked(Holds(HEAD))) == expected


def test_a_role_held_some_day_does_not_stand_in_the_way_until_then() -> None:
    """For ever would be refused, so the role is given for a second."""
    some_day = Assignment(BOB, CHIEF, Validity(NOW + 100, None))
    answer = answered(organization(PAIR_SET, some_day), asked(Holds(HEAD)))
    assert answer == yes(Change(ANN, AssignRole(BOB, HEAD, Validity(NOW, NOW + 1))))


def test_an_assignment_that_has_ended_is_in_the_way_of_a_new_one() -> None:
    """It has to be revoked first, or got round through a group."""
    ended = Assignment(BOB, HEAD, Validity(None, NOW))
    assert isinstance(answered(organization(ended), asked(Holds(HEAD))), Unreachable)
    revoking = organization(ended, right("r", CLERK, "revoke", "role:head"))
    expected = yes(Change(ANN, RevokeRole(BOB, HEAD)), Change(ANN, AssignRole(BOB, HEAD)))
    assert answered(revoking, asked(Holds(HEAD))) == expected
    through = organization(ended, Membership(BOB, STAFF))
    expected = yes(Change(ANN, AssignGroupRole(STAFF, HEAD)))
    assert answered(through, asked(Holds(HEAD))) == expected


def test_a_group_that_may_be_joined_gives_its_roles() -> None:
    """One change where the role itself is at hand only through the group's right as well."""
    state = organization(
        GroupAssignment(STAFF, HEAD),
        GroupAssignment(STAFF, CHIEF),
        right("g", CLERK, "assign", "group:staff"),
        right("c", CLERK, "assign", "role:chief"),
    )
    goal = MayDo(READ, PLAN, NOON)
    assert answered(state, asked(goal)) == yes(Change(ANN, AssignRole(BOB, CHIEF)))
    both = organization(
        GroupAssignment(STAFF, HEAD),
        Inheritance(HEAD, CHIEF),
        right("g", CLERK, "assign", "group:staff"),
        Assignment(BOB, HEAD, Validity(None, NOW)),
    )
    assert answered(both, asked(goal)) == yes(Change(ANN, AddMember(BOB, STAFF)))


EVE_IN_THE_WAY = (
    PAIR_SET,
    Assignment(BOB, HEAD, Validity(None, NOW)),
    Membership(BOB, STAFF),
    Membership(EVE, STAFF),
    Assignment(EVE, CHIEF),
)
"""Bob comes to be a head through his group only, which eve is in, who is a chief."""


@pytest.mark.parametrize(
    ("on", "first"),
    [("role:chief", RevokeRole(EVE, CHIEF)), ("group:staff", RemoveMember(EVE, STAFF))],
)
def test_what_another_member_stands_in_the_way_of_is_left_open(
    on: str, first: SingleCommand
) -> None:
    """What is eve's is not searched, so that nothing was found is no proof: it can be undone."""
    state, question = (
        organization(*EVE_IN_THE_WAY, right("r", CLERK, "revoke", on)),
        asked(Holds(HEAD)),
    )
    way = (Change(ANN, first), Change(ANN, AssignGroupRole(STAFF, HEAD)))
    assert replayed(state, question, way) is None
    answer = answered(state, question)
    assert isinstance(answer, Undetermined)
    assert "another member of a group" in answer.why


def test_another_member_does_not_matter_where_the_role_can_be_given_directly() -> None:
    """Bob's ended assignment is ann's to revoke, and that is what the search finds."""
    state = organization(*EVE_IN_THE_WAY, right("r", CLERK, "revoke", "role:head"))
    answer = answered(state, asked(Holds(HEAD)))
    assert isinstance(answer, Reachable)
    revoked, given = (change.command for change in answer.steps)
    assert (revoked, given) == (
        RevokeRole(BOB, HEAD),
        AssignRole(BOB, HEAD, Validity(NOW, NOW + 1)),
    )
    assert not answer.shortest


ENDED = Validity(None, NOW - 1)
BOTH_CHIEFS = (PAIR_SET, Membership(EVE, STAFF), Assignment(BOB, CHIEF), Assignment(EVE, CHIEF))
"""Neither is ever a head; of the two in the group bob is named first."""


@pytest.mark.parametrize(
    ("facts", "question"),
    [
        (
            (
                Membership(BOB, STAFF),
                Assignment(EVE, HEAD, ENDED),
                right("r", CLERK, "revoke", "role:head"),
            ),
            asked(Holds(HEAD), of=EVE),
        ),
        (
            (Membership(BOB, STAFF), Assignment(BOB, HEAD, ENDED)),
            asked(Holds(HEAD), of=EVE),
        ),
        (
            (Membership(ANN, STAFF), Assignment(ANN, HEAD)),
            asked(Holds(HEAD), by=(ANN,), of=BOB),
        ),
    ],
    ids=["it can be revoked", "it is another member's", "it is valid"],
)
def test_an_own_assignment_matters_only_where_it_leaves_no_other_way(
    facts: tuple[Fact, ...], question: Question
) -> None:
    """Another member stands in the way here too, and yet there is nothing that it could hide."""
    answer = answered(organization(*BOTH_CHIEFS, *facts), question)
    assert isinstance(answer, Unreachable)
    assert answer.how == "exhaustive"


def test_another_member_does_not_matter_where_nobody_may_give_the_role() -> None:
    """Heads are given by chiefs, and ann, who gives chiefs, cannot be one herself."""
    state = made_of(
        *(fact for fact in DESK if not isinstance(fact, Claim)),
        *EVE_IN_THE_WAY,
        SodSet(SodSetId("desk"), frozenset({CLERK, CHIEF}), 2),
        right("chiefs", CLERK, "assign", "role:chief"),
        right("heads", CHIEF, "assign", "role:head"),
    )
    answer = answered(state, asked(Holds(HEAD)))
    assert isinstance(answer, Unreachable)
    assert answer.how == "exhaustive"


def test_an_administrative_parent_has_to_be_given_too() -> None:
    """An innocent role over a powerful one is not a way round."""
    state = organization(Inheritance(HEAD, CHIEF), right("c", CHIEF, "revoke", "role:clerk"))
    assert isinstance(answered(state, asked(Holds(CHIEF))), Unreachable)


def test_time_windows_of_rights_count() -> None:
    """At noon a right for the night is not there; the no is for noon."""
    night = replace(right("n", CLERK, "assign", "role:chief"), constraints=(TimeWindow(0, 6),))
    answer = answered(organization(night), asked(Holds(CHIEF)))
    assert isinstance(answer, Unreachable)
    assert isinstance(answer.evidence, Powers)
    assert (answer.how, answer.evidence.timeless) == ("over-approximation", False)
    question = replace(asked(Holds(CHIEF)), context=replace(NOON, hour=3))
    assert answered(organization(night), question) == yes(Change(ANN, AssignRole(BOB, CHIEF)))


def test_whoever_is_suspended_does_nothing() -> None:
    """Their rights lend nothing to anybody."""
    state = made_of(
        *(fact for fact in DESK if fact != Principal(ANN)), Principal(ANN, active=False)
    )
    assert isinstance(answered(state, asked(Holds(HEAD))), Unreachable)


def test_a_session_counts_as_allowed() -> None:
    """Who holds too many of a dynamic set chooses, and is allowed what one role allows."""
    state = organization(
        replace(PAIR_SET, mode="dynamic"), Assignment(BOB, HEAD), Assignment(BOB, CHIEF)
    )
    assert met(state, asked(MayDo(READ, PLAN, NOON)))


def test_administrators_give_claims() -> None:
    """Who administers and may do a thing lets others do it, by a claim or by the role."""
    state = organization(
        Assignment(ANN, CHIEF),
        Assignment(BOB, HEAD),
        Claim(ClaimId("a"), CLERK, Exactly(ADMINISTER), Any()),
    )
    answer = answered(state, asked(MayDo(READ, PLAN, NOON)))
    assert isinstance(answer, Reachable)
    (change,) = answer.steps
    assert isinstance(change.command, CreateClaim)
    assert (change.command.claim.role, answer.shortest) == (HEAD, True)


def test_of_administrators_nothing_is_excluded_that_was_not_proved() -> None:
    """A search of some of what they may do ends without an answer; powers may still exclude."""
    delegating = (
        Claim(ClaimId("a"), CLERK, Exactly(ADMINISTER), Exactly(ResourceId("role:head"))),
        Claim(ClaimId("d"), CLERK, Exactly(Action("delegate")), Exactly(ResourceId("role:clerk"))),
    )
    answer = answered(organization(*delegating), asked(MayDo(READ, PLAN, NOON)))
    assert isinstance(answer, Undetermined)
    assert "administer" in answer.why
    excluded = answered(organization(*delegating), asked(Holds(CHIEF)))
    assert isinstance(excluded, Unreachable)
    assert isinstance(excluded.evidence, Powers)
    assert excluded.evidence.structural


def test_beyond_its_limits_nothing_is_claimed() -> None:
    """A search that may not look says so."""
    state = organization(PAIR_SET, Assignment(BOB, CHIEF))
    answer = collude(state, asked(Holds(HEAD)), Limits(attempts=0))
    assert answer == Undetermined("more than 0 commands were tried")
    answer = collude(state, asked(Holds(HEAD)), Limits(revisions=1))
    assert answer == Undetermined("more than 1 states may come about")


def test_the_last_administrator_leaves_the_question_open() -> None:
    """What a change set might do that no single command may is not excluded."""
    state = organization(
        SodSet(SodSetId("run"), frozenset({HEAD, CHIEF}), 2),
        Claim(ClaimId("a"), CHIEF, Exactly(ADMINISTER), Exactly(ResourceId("organization:acme"))),
        Assignment(BOB, CHIEF),
        right("r", CLERK, "revoke", "role:chief"),
    )
    state = replace(state, administered=True)
    answer = answered(state, asked(Holds(HEAD)))
    assert isinstance(answer, Undetermined)
    assert "last administrator" in answer.why


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (Change(EVE, AssignRole(BOB, HEAD)), "step 1: `eve` is not one of the people"),
        (Change(ANN, AssignRole(BOB, CHIEF)), "step 1: `ann` may not assign `role:chief`"),
        (Change(ANN, AssignRole(ANN, HEAD, ALWAYS)), "the changes do not bring it about"),
    ],
)
def test_a_sequence_that_is_not_allowed_is_not_replayed(change: Change, why: str) -> None:
    """Authors, their rights on the very state, and the end are looked at again."""
    told = replayed(organization(), asked(Holds(HEAD)), (change,))
    assert told is not None
    assert told.startswith(why)


def test_a_refused_command_is_not_replayed() -> None:
    """Separation of duty is the organization's, whatever a search says."""
    state = organization(PAIR_SET, Assignment(BOB, CHIEF))
    told = replayed(state, asked(Holds(HEAD)), (Change(ANN, AssignRole(BOB, HEAD)),))
    assert told is not None
    assert "separation of duty" in told
