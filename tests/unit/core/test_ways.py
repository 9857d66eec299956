"""The ways to one action and resource: the first that is open grants, however many there are."""

from dataclasses import replace

import pytest

from grantproof.core.attributes import NO_ATTRIBUTES, Attributes, Literal, Operator, Path, Root
from grantproof.core.attributes import attributes as attributes_of
from grantproof.core.candidates import compile_claim
from grantproof.core.constraints import Attribute, Constraint, MaxUsage, Situation, TimeWindow
from grantproof.core.identifiers import AttributeName, RoleId
from grantproof.core.matching import Target
from grantproof.core.model import Claim, Principal
from grantproof.core.policy import NoMatchingClaim
from grantproof.core.ways import (
    UNMET,
    WAYS_SCANNED_MAX,
    Grants,
    Holder,
    Verdict,
    decide,
    grants_of,
    near,
    situation,
)
from tests.organizations import ANN, C1, C2, C3, CHIEF, CLERK, FILE, HEAD, NOON, PLAN, claim

LEVEL = AttributeName("level")
SENIOR = Attribute(Path(Root.PRINCIPAL, LEVEL), Operator.EQ, Literal(1))
SECRET = Attribute(Path(Root.RESOURCE, LEVEL), Operator.EQ, Literal(2))
NEVER = TimeWindow(0, 1)
TARGET = Target(PLAN, FILE, (PLAN,), attributes_of({"level": 2}))
CROWD = [claim(NEVER, id=type(C1)(f"d{n:02}"), role=CHIEF) for n in range(WAYS_SCANNED_MAX)]
"""As many as are looked through one by one, none of which is ever open at noon."""


def holder(attributes: Attributes = NO_ATTRIBUTES) -> Holder:
    """A principal without roles of its own: they are given with the question."""
    return Holder(Principal(ANN, attributes=attributes), (), (), None, None)


def grants(*claims: Claim) -> Grants:
    """The ways that the claims make, each held by its own role alone."""
    return grants_of(TARGET, [(compile_claim(one), frozenset({one.role})) for one in claims])


def answer(some: Grants, *roles: RoleId, level: int = 1) -> object:
    """What the roles get at noon: the id of the claim, or the reason."""
    verdict = decide(holder(attributes_of({"level": level})), some, roles, NOON)
    return verdict.answer.id if isinstance(verdict.answer, Claim) else verdict.answer


@pytest.mark.parametrize("crowd", [[], CROWD[:-2], CROWD[:-1], CROWD], ids=len)
def test_the_first_way_that_is_open_grants(crowd: list[Claim]) -> None:
    """In the order of claims, among few and among many."""
    some = grants(*crowd, claim(id=C3), claim(NEVER, id=C1), claim(id=C2, role=HEAD))
    assert answer(some, CLERK) == C3
    assert answer(some, HEAD) == C2
    assert answer(some, CLERK, HEAD) == C2
    assert answer(some, HEAD, CLERK) == C2
    assert answer(some) == NoMatchingClaim()
    assert answer(some, type(CLERK)("stranger")) == NoMatchingClaim()
    assert answer(grants(*crowd, claim(NEVER)), CLERK) == UNMET


def test_many_ways_are_found_by_role() -> None:
    """From one more on than are looked through; near are those of the roles, in their order."""
    few = grants(*CROWD)
    many = grants(*CROWD, claim(id=C2), claim(id=C1), claim(id=C3, role=HEAD))
    assert few.by_role is None
    assert many.by_role is not None
    assert [len(many.by_role[role]) for role in (CHIEF, CLERK, HEAD)] == [len(CROWD), 2, 1]
    assert near(few, (CLERK,)) == few.ways
    assert [way.candidate.claim.id for way in near(many, (HEAD, CLERK))] == [C1, C2, C3]
    assert list(near(many, ())) == []


def test_a_way_that_two_roles_hold_is_near_once() -> None:
    """Whether it is held by the one or the other."""
    some = grants_of(
        TARGET, [(compile_claim(one), frozenset({CHIEF, CLERK})) for one in (*CROWD, claim())]
    )
    assert some.by_role is not None
    assert len(list(near(some, (CHIEF, CLERK)))) == len(CROWD) + 1


@pytest.mark.parametrize(
    ("constraints", "level", "opened"),
    [
        ((), 0, True),
        ((SENIOR,), 1, True),
        ((SENIOR,), 0, False),
        ((SECRET,), 0, True),
        ((TimeWindow(9, 17),), 0, True),
        ((NEVER,), 1, False),
        ((SENIOR, TimeWindow(9, 17)), 1, True),
        ((SENIOR, TimeWindow(9, 17)), 0, False),
        ((SENIOR, NEVER), 1, False),
        ((SENIOR, SECRET), 1, True),
        ((SENIOR, SECRET), 0, False),
    ],
)
def test_every_constraint_must_hold(
    constraints: tuple[Constraint, ...], *, level: int, opened: bool
) -> None:
    """Those that are compiled, and those on attributes of either end."""
    found = answer(grants(claim(*constraints)), CLERK, level=level)
    assert found == (C1 if opened else UNMET)


def test_attributes_are_not_looked_at_where_no_constraint_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a free claim nothing is asked at all, of one with a window only that."""

    def never(*_: object) -> object:
        message = "not to be asked"
        raise AssertionError(message)

    monkeypatch.setattr("grantproof.core.ways.situation", never)
    assert answer(grants(claim(TimeWindow(9, 17))), CLERK) == C1
    monkeypatch.setattr("grantproof.core.ways.passes", never)
    assert answer(grants(claim()), CLERK) == C1


def test_few_ways_are_not_sorted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none are found by role, they are taken as they are."""
    some, many = grants(claim()), grants(*CROWD, claim())
    asked: list[Grants] = []

    def told(grants: Grants, roles: tuple[RoleId, ...]) -> object:
        asked.append(grants)
        return near(grants, roles)

    monkeypatch.setattr("grantproof.core.ways.near", told)
    assert answer(some, CLERK) == answer(many, CLERK) == C1
    assert asked == [many]


@pytest.mark.parametrize(
    ("claims", "hourly", "metered"),
    [
        ((), False, False),
        ((claim(),), False, False),
        ((claim(), claim(NEVER, id=C2)), True, False),
        ((claim(), claim(MaxUsage(9), id=C2)), False, True),
        ((claim(TimeWindow(9, 17)), claim(MaxUsage(9), id=C2)), True, True),
    ],
)
def test_every_verdict_says_what_could_change_it(
    claims: tuple[Claim, ...], *, hourly: bool, metered: bool
) -> None:
    """Any claim that matches could: allowed, unmet or held by nobody, the verdict says so."""
    some = grants(*claims)
    verdicts = [some.nothing, some.unmet, *(way.verdict for way in some.ways)]
    assert {(one.hourly, one.metered) for one in verdicts} == {(hourly, metered)}
    assert some.nothing == Verdict(NoMatchingClaim(), None, hourly, metered)
    assert some.unmet.answer == UNMET


def test_constraints_see_who_asks_and_both_ends() -> None:
    """The context, the principal with its attributes, and those of the resource."""
    own = attributes_of({"level": 1})
    context = replace(NOON, usage=7)
    assert situation(holder(own), grants(), context) == Situation(
        context, ANN, own, TARGET.attributes
    )
