"""What is said of guardrails that it takes several requests to break, and what is not known."""

from dataclasses import replace

import pytest

from grantproof.analysis import counting
from grantproof.analysis import guardrails as judging
from grantproof.analysis.formulas import AnyOf, Formula
from grantproof.analysis.solving import Solution, Solver, Span, Undetermined
from grantproof.analysis.verdicts import Holds, Violated
from grantproof.core.attributes import (
    Literal,
    Operator,
    PrincipalIdentity,
    Root,
)
from grantproof.core.constraints import (
    Attribute,
    TimeWindow,
)
from grantproof.core.guardrails import (
    Access,
    Capped,
    Confined,
    Exclusive,
    Forbidden,
    MemberOf,
    Reserved,
    Rule,
)
from grantproof.core.identifiers import ClaimId, PrincipalId, ResourceId
from grantproof.core.model import (
    Any,
    Assignment,
    Exactly,
    GroupAssignment,
    Inheritance,
    Membership,
    OfKind,
    Validity,
    Within,
)
from grantproof.core.organization import with_fact
from tests.organizations import (
    ANN,
    BOARD,
    BOB,
    C2,
    CHIEF,
    CLERK,
    CLUB,
    DOCS,
    EVE,
    HEAD,
    READ,
    WRITE,
    claim,
    dynamic,
    groups,
    library,
    made_of,
    pair,
    people,
    roles,
)
from tests.unit.analysis.baffled import Hung
from tests.unit.analysis.judged import (
    CONTRACTORS,
    DAYTIME,
    DELETING,
    NOW,
    READING,
    WRITING,
    is_text,
    named,
    office,
    shown,
    verdict,
)

# -------------------------------------------------------- nobody holds both purchase and ...


def test_nobody_is_allowed_both_whatever_the_path() -> None:
    """One by a group, one by inheritance, in contexts that never meet: both at one instant."""
    state = made_of(
        *people(ANN, BOB),
        *groups(CLUB),
        *roles(CLERK, HEAD, CHIEF),
        *library(),
        Membership(ANN, CLUB),
        GroupAssignment(CLUB, CLERK),
        Assignment(ANN, HEAD),
        Assignment(BOB, CLERK),
        Inheritance(HEAD, CHIEF),
        claim(TimeWindow(8, 12)),
        claim(TimeWindow(12, 18), id=C2, role=CHIEF, action=Exactly(WRITE)),
    )
    first, second = shown(state, Exclusive(READING, WRITING)).evidence
    assert (first.request.principal, second.request.principal) == (ANN, ANN)
    assert (first.request.action, second.request.action) == (READ, WRITE)
    assert first.context.instant == second.context.instant
    assert (first.context.hour < 12 <= second.context.hour) is True
    assert verdict(state, Exclusive(READING, DELETING)) == Holds()


def test_both_at_different_instants_is_no_violation() -> None:
    """Who is moved from one role to the other never holds both; nor does one by a dynamic set."""
    facts = (
        *people(ANN),
        *roles(CLERK, HEAD),
        *library(),
        claim(),
        claim(id=C2, role=HEAD, action=Exactly(WRITE)),
    )
    moved = (
        Assignment(ANN, CLERK, Validity(end=NOW)),
        Assignment(ANN, HEAD, Validity(NOW)),
    )
    rule = Exclusive(READING, WRITING)
    assert verdict(made_of(*facts, *moved), rule) == Holds()
    both = (Assignment(ANN, CLERK), Assignment(ANN, HEAD))
    assert isinstance(verdict(made_of(*facts, *both), rule), Violated)
    assert verdict(made_of(*facts, *both, dynamic(pair())), rule) == Holds()


def test_one_claim_may_grant_both() -> None:
    """A single claim on everything lets its holders do both."""
    state = made_of(
        *people(ANN),
        *roles(CLERK),
        *library(),
        Assignment(ANN, CLERK),
        claim(action=Any(), resource=Any()),
    )
    assert isinstance(verdict(state, Exclusive(READING, WRITING)), Violated)


# -------------------------------------------------------------- at most n principals can ...


def test_at_most_so_many_principals_can() -> None:
    """Members and holders are counted alike, each once; one more than may be is shown."""
    found = shown(office(), Capped(READING, 1))
    assert (found.count, [one.request.principal for one in found.evidence]) == (2, [ANN, BOB])
    assert found.evidence[0].context == found.evidence[1].context
    assert verdict(office(), Capped(READING, 2)) == Holds()


def test_those_who_are_never_allowed_together_are_not_counted_together() -> None:
    """Contexts that exclude each other, and times that do not overlap."""
    first, second = TimeWindow(0, 12), TimeWindow(12, 24)
    apart = (
        *people(ANN, BOB),
        *roles(CLERK, HEAD),
        *library(),
        claim(first),
        claim(second, id=C2, role=HEAD),
    )
    both = (Assignment(ANN, CLERK), Assignment(BOB, HEAD))
    assert verdict(made_of(*apart, *both), Capped(READING, 1)) == Holds()
    terms = (Assignment(ANN, CLERK, Validity(end=NOW)), Assignment(BOB, CLERK, Validity(NOW)))
    assert verdict(made_of(*apart, *terms), Capped(READING, 1)) == Holds()
    meeting = (Assignment(ANN, CLERK, Validity(end=NOW + 9)), Assignment(BOB, CLERK, Validity(NOW)))
    found = shown(made_of(*apart, *meeting), Capped(READING, 1))
    assert NOW <= found.evidence[0].context.instant < NOW + 9


def test_a_context_names_no_more_people_than_it_has_room_for() -> None:
    """Who is compared with one attribute of the context: of many, one at a time is named."""
    names = [PrincipalId(f"p{number}") for number in range(9)]
    facts = (*people(*names), *roles(CLERK), *library(), *(Assignment(n, CLERK) for n in names))
    named_path = named(Root.CONTEXT, "caller")
    itself = claim(Attribute(named_path, Operator.EQ, PrincipalIdentity()))
    others = claim(Attribute(named_path, Operator.NE, PrincipalIdentity()))
    assert verdict(made_of(*facts, itself), Capped(READING, 1)) == Holds()
    assert shown(made_of(*facts, others), Capped(READING, 8)).count == 9
    both = replace(others, id=C2, constraints=(is_text(named_path, "p4"), *others.constraints))
    assert verdict(made_of(*facts, both), Capped(READING, 8)) == Holds()
    assert shown(made_of(*facts, both), Capped(READING, 7)).count == 8


def test_no_more_requests_are_shown_than_can_be_read() -> None:
    """All of one more than may be are replayed, and the first of them shown."""
    names = [PrincipalId(f"p{number:03}") for number in range(60)]
    state = made_of(
        *people(*names),
        *roles(CLERK),
        *library(),
        *(Assignment(name, CLERK) for name in names),
        claim(),
    )
    found = shown(state, Capped(READING, 50))
    assert (found.count, len(found.evidence)) == (51, 10)


# --------------------------------------------------------------------------------- not known

HARD = (
    Attribute(named(Root.CONTEXT, "a"), Operator.LT, named(Root.CONTEXT, "b")),
    Attribute(named(Root.CONTEXT, "b"), Operator.LT, named(Root.CONTEXT, "a")),
)


@pytest.mark.parametrize(
    "rule",
    [
        Forbidden(READING),
        Forbidden(READING, frozenset({MemberOf(BOARD)})),
        Reserved(READING, frozenset({MemberOf(BOARD)})),
        Confined(READING, (DAYTIME,)),
        Exclusive(READING, READING),
        Capped(READING, 1),
    ],
)
def test_what_the_solver_does_not_say_is_undetermined(rule: Rule) -> None:
    """Neither verdict is given for want of an answer, and with one there is a verdict."""
    assert verdict(office(*HARD), rule) == Holds()
    assert verdict(office(*HARD), rule, Hung()) == Undetermined("the solver gave up: timeout")


def test_a_violation_is_found_beside_what_is_not_known() -> None:
    """One claim that the solver is stuck on does not hide another that needs no solver."""
    state = with_fact(office(*HARD), claim(id=C2, resource=Within(DOCS)))
    assert isinstance(verdict(state, Forbidden(READING), Hung()), Violated)


def test_a_counterexample_that_does_not_replay_is_no_verdict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the search makes of nothing is called a fault, and neither of the verdicts."""
    state = office()

    def mistaken(*_: object, **__: object) -> object:
        found = shown(state, Forbidden(READING)).evidence[0]
        return ((replace(found.request, principal=EVE), found.context),)

    rule = Exclusive(READING, READING)
    monkeypatch.setattr(judging, "allowed_both", mistaken)
    assert verdict(state, rule) == Undetermined(
        "the counterexample does not replay: a fault of ours"
    )


def test_names_that_do_not_exist_select_nobody_and_nothing() -> None:
    """A guardrail may name what is not there yet."""
    nowhere = Access(Exactly(READ), Within(ResourceId("nowhere")))
    unknown = Access(Exactly(READ), OfKind("unknown"))
    assert verdict(office(), Forbidden(nowhere)) == Holds()
    assert verdict(office(), Forbidden(unknown)) == Holds()
    assert verdict(office(), Forbidden(READING, CONTRACTORS)) == Holds()
    assert isinstance(verdict(office(), Reserved(READING, CONTRACTORS)), Violated)


def test_a_hung_solver_is_not_asked_for_ever() -> None:
    """Each question may take all its time, so that few of many are asked before giving up."""
    path = named(Root.CONTEXT, "a")
    many = [
        claim(*HARD, Attribute(path, Operator.NE, Literal(number)), id=ClaimId(f"k{number}"))
        for number in range(200)
    ]
    state = office(*HARD)
    for one in many:
        state = with_fact(state, one)

    class Counting(Hung):
        """Counts how often it is asked."""

        times = 0

        def solve(self, formula: Formula, span: Span) -> Solution:
            """Give up, once more."""
            self.times += 1
            return super().solve(formula, span)

    solver = Counting()
    assert isinstance(verdict(state, Forbidden(READING), solver), Undetermined)
    assert solver.times <= 5
    plain = with_fact(state, claim(id=C2))
    assert isinstance(verdict(plain, Forbidden(READING), solver), Violated)


def test_what_is_too_much_together_is_asked_alone() -> None:
    """A solver that gives up on many at once but answers each alone gives a verdict."""
    unlike = Attribute(HARD[0].path, Operator.NE, Literal("x"))
    state = with_fact(office(*HARD), claim(*HARD, unlike, id=C2))

    class Weak(Solver):
        """Gives up on whatever has an alternative."""

        def solve(self, formula: Formula, span: Span) -> Solution:
            """Answer conjunctions."""
            if isinstance(formula, AnyOf):
                return Undetermined("too much")
            return super().solve(formula, span)

    assert verdict(state, Forbidden(READING), Weak()) == Holds()
    assert verdict(state, Forbidden(READING)) == Holds()


def test_more_ways_to_hold_an_access_than_are_counted_are_not_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A cap on what is held in too many ways is undetermined, and says how many there are."""
    state = made_of(
        *people(ANN, BOB),
        *roles(CLERK, HEAD),
        *library(),
        Assignment(ANN, CLERK),
        Assignment(BOB, HEAD),
        claim(TimeWindow(0, 12)),
        claim(TimeWindow(12, 24), id=C2, role=HEAD),
    )
    monkeypatch.setattr(counting, "KEYS_COUNTED_MAX", 1)
    assert verdict(state, Capped(READING, 1)) == Undetermined(
        "there are 2 ways to hold the access: at most 1 are counted"
    )
