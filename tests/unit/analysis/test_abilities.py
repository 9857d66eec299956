"""Who can, and what somebody can, by example."""

from dataclasses import replace

from grantproof.analysis.abilities import (
    Able,
    Question,
    Unclear,
    Usable,
    Useless,
    what_can,
    who_can,
    who_can_in,
)
from grantproof.analysis.solving import Solver, Span
from grantproof.core.attributes import Operator, Path, PrincipalIdentity, Root, attributes
from grantproof.core.constraints import Attribute, TimeWindow
from grantproof.core.identifiers import AttributeName, PrincipalId
from grantproof.core.matching import resolve
from grantproof.core.model import (
    Any,
    Assignment,
    Fact,
    Group,
    GroupAssignment,
    Inheritance,
    Membership,
    OfKind,
    Role,
    Validity,
)
from grantproof.core.organization import Organization
from grantproof.core.policy import evaluate
from tests.organizations import (
    ANN,
    BOB,
    C2,
    CLERK,
    EVE,
    FILE,
    HEAD,
    NOON,
    PLAN,
    READ,
    STAFF,
    asks,
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


def about(state: Organization) -> Question:
    """Return the question who reads the plan."""
    target = resolve(state, asks())
    assert target is not None
    return Question(READ, target)


def answered(*facts: Fact) -> list[tuple[tuple[PrincipalId, ...], bool, Span]]:
    """Return who can read the plan, whether on conditions, and when."""
    state = made_of(*library(), *facts)
    answers = who_can(state, about(state), Solver(), now=NOW)
    found = [answer for answer in answers if isinstance(answer, Able)]
    assert len(found) == len(answers)
    return [(one.principals, one.conditional, one.span) for one in found]


STAFFED = (Group(STAFF), GroupAssignment(STAFF, CLERK), Membership(ANN, STAFF))


def test_those_who_are_alike_are_told_together() -> None:
    """However each of them comes by the role."""
    facts = (*people(ANN, BOB, EVE), Role(CLERK), claim(), *STAFFED, Assignment(BOB, CLERK))
    assert [(who, conditional) for who, conditional, _ in answered(*facts)] == [((ANN, BOB), False)]


def test_the_present_comes_before_the_past_and_the_future() -> None:
    """One who is to get the role is told with the time from which it has it."""
    later = Assignment(BOB, CLERK, Validity(start=5_000, end=6_000))
    facts = (*people(ANN, BOB), Role(CLERK), claim(), Assignment(ANN, CLERK), later)
    (ann, _, present), (bob, _, future) = answered(*facts)
    assert (ann, present.first) == ((ANN,), NOW)
    assert (bob, future) == ((BOB,), Span(5_000, 6_000))


def test_a_constraint_makes_it_conditional() -> None:
    """Unless another claim is without one, or the constraint always holds."""
    held = (*people(ANN), Role(CLERK), Assignment(ANN, CLERK))
    by_day, always = claim(TimeWindow(9, 17)), claim(TimeWindow(0, 24))
    assert [conditional for _, conditional, _ in answered(*held, by_day)] == [True]
    assert [conditional for _, conditional, _ in answered(*held, always)] == [False]
    assert [conditional for _, conditional, _ in answered(*held, by_day, claim(id=C2))] == [False]


OWNED = Attribute(Path(Root.CONTEXT, AttributeName("owner")), Operator.EQ, PrincipalIdentity())


def test_whom_the_context_names_is_told_from_others() -> None:
    """Two who are alike in all else: in any context both can, in one that names ann only she."""
    held = (*people(ANN, BOB), Role(CLERK), Assignment(ANN, CLERK), Assignment(BOB, CLERK))
    state = made_of(*library(), *held, claim(OWNED))
    (both,) = who_can(state, about(state), Solver(), now=NOW)
    assert isinstance(both, Able)
    assert both.principals == (ANN, BOB)
    named = replace(NOON, attributes=attributes({"owner": "ann"}))
    assert [one.principals for one in who_can_in(state, about(state), named)] == [(ANN,)]
    assert who_can_in(state, about(state), NOON) == ()


def test_what_somebody_can_is_every_claim_and_what_it_is_good_for() -> None:
    """An example of each: of any action one that nothing names, of a kind one not registered."""
    facts = (*people(ANN), *roles(CLERK, HEAD), Assignment(ANN, CLERK), Assignment(ANN, HEAD))
    never = claim(TimeWindow(1, 2), TimeWindow(2, 3), id=C2, role=HEAD)
    wide = claim(action=Any(), resource=OfKind(FILE))
    state = made_of(*library(), *facts, wide, never)
    usable, useless = what_can(state, ANN, Solver(), now=NOW)
    assert isinstance(usable, Usable)
    assert (usable.claim, usable.request.resource) == (wide, PLAN)
    assert str(usable.request.action) == "any-other"
    assert useless == Useless(never)
    assert what_can(made_of(*people(ANN)), ANN, Solver(), now=NOW) == ()


APART = (*people(ANN), *roles(CLERK, HEAD), dynamic(pair()), claim(), Assignment(ANN, HEAD))


def test_who_has_to_choose_can_in_a_session() -> None:
    """Of the role that it takes; where that breaks the dynamic set itself nobody can."""
    state = made_of(*library(), *APART, Assignment(ANN, CLERK))
    answers = [
        *who_can(state, about(state), Solver(), now=NOW),
        *who_can_in(state, about(state), NOON),
        *what_can(state, ANN, Solver(), now=NOW),
    ]
    assert len(answers) == 3
    for answer in answers:
        assert isinstance(answer, Able | Usable)
        assert answer.request.active_roles == frozenset({CLERK})
        assert evaluate(state, answer.request, answer.context) == answer.allow
    alone = made_of(*library(), *APART, Assignment(ANN, CLERK), Inheritance(CLERK, HEAD))
    assert who_can(alone, about(alone), Solver(), now=NOW) == ()
    assert who_can_in(alone, about(alone), NOON) == ()
    assert what_can(alone, ANN, Solver(), now=NOW) == (Useless(claim()),)


def test_a_session_is_chosen_that_the_context_allows() -> None:
    """Of several roles that have to be chosen from, the one whose claim grants."""
    never = claim(TimeWindow(1, 2), TimeWindow(2, 3))
    by_head = claim(TimeWindow(9, 17), id=C2, role=HEAD)
    facts = (*APART[:4], Assignment(ANN, HEAD), Assignment(ANN, CLERK), never, by_head)
    state = made_of(*library(), *facts)
    (able,) = who_can(state, about(state), Solver(), now=NOW)
    assert isinstance(able, Able)
    by_head_alone = frozenset({HEAD})
    assert (able.request.active_roles, able.conditional) == (by_head_alone, True)
    (then,) = who_can_in(state, about(state), NOON)
    assert then.request.active_roles == by_head_alone


def test_what_is_not_known_is_said() -> None:
    """Nobody is left out of the answer for it."""
    held = (*people(ANN), Role(CLERK), Assignment(ANN, CLERK), claim(TimeWindow(9, 17)))
    state = made_of(*library(), *held)
    assert who_can(state, about(state), Baffled(), now=NOW) == (Unclear((ANN,), "no idea"),)
    assert what_can(state, ANN, Baffled(), now=NOW) == (
        Unclear(claim(TimeWindow(9, 17)), "no idea"),
    )
