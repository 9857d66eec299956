"""The ways to one action and resource: the first that is open grants, however many there are."""

from itertools import product
from typing import Any

import pytest

from grantproof.core.attributes import Literal, Operator, Path, Root
from grantproof.core.attributes import attributes as attributes_of
from grantproof.core.candidates import compile_claim
from grantproof.core.constraints import Attribute, Constraint, MaxUsage, RateLimit, TimeWindow
from grantproof.core.identifiers import AttributeName, RoleId
from grantproof.core.matching import Target
from grantproof.core.model import Claim
from grantproof.core.policy import NoMatchingClaim
from grantproof.core.ways import (
    UNMET,
    WAYS_SCANNED_MAX,
    Grants,
    Verdict,
    decide,
    grants_of,
    matching,
    near,
    nobody_looks,
)
from tests import compiled
from tests.organizations import ANN, C1, C2, C3, CHIEF, CLERK, FILE, HEAD, NOON, PLAN, READ, claim

LEVEL = AttributeName("level")
SENIOR = Attribute(Path(Root.PRINCIPAL, LEVEL), Operator.EQ, Literal(1))
SECRET = Attribute(Path(Root.RESOURCE, LEVEL), Operator.EQ, Literal(2))
NEVER = TimeWindow(0, 1)
TARGET = Target(PLAN, FILE, (PLAN,), attributes_of({"level": 2}))
CROWD = [claim(NEVER, id=type(C1)(f"d{n:02}"), role=CHIEF) for n in range(WAYS_SCANNED_MAX)]
"""As many as are looked through one by one, none of which is ever open at noon."""


def grants(*claims: Claim) -> Grants:
    """The ways that the claims make, each held by its own role alone."""
    return compiled.grants(*claims, target=TARGET)


def answer(some: Grants, *roles: RoleId, level: int = 1) -> object:
    """What the roles get at noon: the id of the claim, or the reason."""
    verdict = compiled.verdict(some, roles, NOON, own=attributes_of({"level": level}))
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
    assert [way[-1].claim.id for way in near(many.by_role, (HEAD, CLERK))] == [C1, C2, C3]
    assert near(many.by_role, ()) == []


def test_what_matches_is_what_the_roles_hold() -> None:
    """Among few and among many, in the order of claims."""
    for crowd in ([], CROWD):
        some = grants(*crowd, claim(id=C2), claim(NEVER, id=C1), claim(id=C3, role=HEAD))
        assert [one.id for one in matching(some, (CLERK,))] == [C1, C2]
        assert [one.id for one in matching(some, (HEAD, CLERK))] == [C1, C2, C3]
        assert matching(some, ()) == []


def test_a_way_that_two_roles_hold_is_near_once() -> None:
    """Whether it is held by the one or the other."""
    some = grants_of(
        TARGET, [(compile_claim(one), frozenset({CHIEF, CLERK})) for one in (*CROWD, claim())]
    )
    assert some.by_role is not None
    assert len(near(some.by_role, (CHIEF, CLERK))) == len(CROWD) + 1


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


def at_hand(some: Grants, kind: str | None = None) -> Verdict | None:
    """What is answered where nobody looks closer."""
    table = {str(READ): {str(PLAN): some}}
    return decide({ANN: (CLERK,)}, table, ANN, READ, PLAN, kind, 12, None, None, None)


def test_what_takes_a_closer_look_is_answered_by_whoever_looks() -> None:
    """And by nobody else, whether or not another way is open."""
    assert at_hand(grants(claim(SENIOR), claim(id=C2))) is None
    assert at_hand(grants(claim(SENIOR, role=CHIEF), claim(id=C2))) is None
    found = at_hand(grants(claim(TimeWindow(9, 17))))
    assert found is not None
    assert isinstance(found.answer, Claim)


def test_what_nobody_looks_at_does_not_hold() -> None:
    """Whatever it is."""
    assert not nobody_looks((SENIOR,))


def test_a_closer_look_is_the_last() -> None:
    """What the row itself tells, and whether a role holds it, comes before."""
    some = grants(claim(SENIOR, NEVER), claim(SENIOR, id=C2, role=HEAD))

    def never(_: object) -> bool:
        message = "not to be asked"
        raise AssertionError(message)

    table = {str(READ): {str(PLAN): some}}
    found = decide({ANN: (CLERK,)}, table, ANN, READ, PLAN, None, 12, None, None, None, never)
    assert found == some.unmet


@pytest.mark.parametrize("kind", [None, FILE, "folder", "ghost"])
def test_a_resource_of_another_kind_is_not_answered(kind: str | None) -> None:
    """It is unknown: who asks further says so."""
    assert (at_hand(grants(claim()), kind) is None) == (kind not in {None, FILE})


def test_what_is_in_no_table_is_not_answered() -> None:
    """A principal, an action and a resource."""
    some = grants(claim())
    table = {str(READ): {str(PLAN): some}}
    for asked in (("eve", READ, PLAN), (ANN, "burn", PLAN), (ANN, READ, "other")):
        principal, action, resource = asked
        ready = {str(ANN): (CLERK,)}
        found = decide(ready, table, principal, action, resource, None, 12, None, None, None)
        assert found is None


@pytest.mark.parametrize(
    ("claims", "hourly", "used", "rated"),
    [
        ((), False, False, False),
        ((claim(),), False, False, False),
        ((claim(), claim(NEVER, id=C2)), True, False, False),
        ((claim(), claim(MaxUsage(9), id=C2)), False, True, False),
        ((claim(), claim(RateLimit(9), id=C2)), False, False, True),
        ((claim(TimeWindow(9, 17)), claim(MaxUsage(9), id=C2)), True, True, False),
    ],
)
def test_every_verdict_says_what_could_change_it(
    claims: tuple[Claim, ...], *, hourly: bool, used: bool, rated: bool
) -> None:
    """Any claim that matches could: allowed, unmet or held by nobody, the verdict says so."""
    some = grants(*claims)
    verdicts = [some.nothing, some.unmet, *(way[-2] for way in some.ways)]
    assert {(one.hourly, one.used, one.rated) for one in verdicts} == {(hourly, used, rated)}
    assert {one.metered for one in verdicts} == {used or rated}
    assert some.nothing == Verdict(NoMatchingClaim(), None, hourly, used, rated)
    assert some.unmet.answer == UNMET


def test_a_verdict_names_the_claim_that_grants() -> None:
    """As a plain string; a deny names none."""
    some = grants(claim(), claim(NEVER, id=C2, role=HEAD))
    granted = compiled.verdict(some, (CLERK,), NOON)
    assert (granted.claim_id, granted.allowed, type(granted.claim_id)) == ("c1", True, str)
    for roles in ((), (HEAD,)):
        denied = compiled.verdict(some, roles, NOON)
        assert (denied.claim_id, denied.allowed) == (None, False)


def test_what_most_are_denied_with_is_kept_once() -> None:
    """By what could change it, whatever was asked for."""
    one, other, hourly = grants(claim()), grants(claim(id=C2)), grants(claim(NEVER))
    assert (one.nothing, one.unmet) == (other.nothing, other.unmet)
    assert one.nothing is other.nothing
    assert one.unmet is other.unmet
    assert one.nothing != hourly.nothing


FREE, COUNTED = claim(), claim(MaxUsage(9))


@pytest.mark.parametrize(
    ("answer", "used", "rated", "missing"),
    [
        (UNMET, False, False, set()),
        (UNMET, True, False, {"usage"}),
        (UNMET, False, True, {"rate"}),
        (UNMET, True, True, {"usage", "rate"}),
        (COUNTED, True, True, {"usage", "rate"}),
        (FREE, True, True, set()),
        (NoMatchingClaim(), True, True, set()),
    ],
)
def test_a_verdict_hangs_on_counts_that_nobody_gives(
    answer: Any, missing: set[str], *, used: bool, rated: bool
) -> None:
    """On none where none matters, and where an unmetered claim grants or none is held."""
    verdict = Verdict(answer, None, False, used, rated)
    for usage, rate in product((None, 0), repeat=2):
        absent = {"usage"} if usage is None else set()
        absent |= {"rate"} if rate is None else set()
        assert verdict.hangs_on(usage, rate) == bool(absent & missing)
