"""P-CERT: the checker accepts what `issue` makes and refuses what differs in any field."""

from dataclasses import fields, replace
from typing import Any as Anything

import pytest

from grantproof.core.attributes import Literal, Operator, Path, Root, attributes
from grantproof.core.certificate import Certificate, check, issue
from grantproof.core.constraints import (
    Attribute,
    Context,
    GeoFence,
    Observation,
    TimeWindow,
    observe,
)
from grantproof.core.identifiers import AttributeName, OrganizationId, ResourceId, RoleId
from grantproof.core.matching import Request, resolve, situate
from grantproof.core.model import (
    ALWAYS,
    Any,
    Assignment,
    Exactly,
    Fact,
    GroupAssignment,
    Inheritance,
    Membership,
    Nesting,
    OfKind,
    Principal,
    Resource,
    ResourcePattern,
    Validity,
    Within,
)
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow, evaluate
from tests.organizations import (
    ANN,
    BOARD,
    BOB,
    C1,
    C2,
    CHIEF,
    CLERK,
    CLUB,
    DOCS,
    EU,
    EVE,
    FOLDER,
    HEAD,
    NOON,
    PAIR,
    PLAN,
    STAFF,
    US,
    WRITE,
    asks,
    claim,
    dynamic,
    groups,
    library,
    made_of,
    pair,
    people,
    roles,
)

DAY, FENCE = TimeWindow(9, 17), GeoFence(frozenset({EU, US}))
ONE = AttributeName("one")
IS_ONE = Attribute(Path(Root.CONTEXT, ONE), Operator.EQ, Literal(1))
HERE = replace(NOON, region=EU, attributes=attributes({"one": 1}))
GRANT = claim(DAY, FENCE, IS_ONE, resource=Within(DOCS))
TERM = Validity(500, 2_000)
# What the certificate rests on, and around it more that nearly fits: other members, groups, roles
# and claims, so that a changed certificate still speaks of things that exist.
CHAIN: tuple[Fact, ...] = (
    Membership(ANN, STAFF),
    Nesting(STAFF, BOARD),
    GroupAssignment(BOARD, CHIEF, TERM),
    Inheritance(CHIEF, HEAD),
    Inheritance(HEAD, CLERK),
    GRANT,
)
AROUND: tuple[Fact, ...] = (
    *people(ANN, BOB, EVE),
    *groups(STAFF, BOARD, CLUB),
    *roles(CHIEF, HEAD, CLERK),
    *library(),
    Membership(BOB, CLUB),
    Nesting(CLUB, BOARD),
    GroupAssignment(BOARD, HEAD, Validity(500, 600)),
    Assignment(BOB, CLERK),
    claim(id=C2, role=HEAD, action=Exactly(WRITE)),
)
STATE = made_of(*AROUND, *CHAIN, revision=4)


def certified(state: Organization, request: Request, context: Context) -> Certificate:
    """The certificate of a request that is allowed."""
    decision = evaluate(state, request, context)
    assert isinstance(decision, Allow)
    return decision.certificate


CERTIFICATE = certified(STATE, asks(), HERE)
SAW = CERTIFICATE.observations


def accepts(certificate: Certificate) -> bool:
    """Whether the checker accepts the certificate for the request it was issued for."""
    return check(STATE, asks(), HERE, certificate=certificate)


TAMPERED: dict[str, list[Anything]] = {
    "organization": [OrganizationId("other")],
    "revision": [3, 5],
    "instant": [999, 1_001],
    "principal": [BOB, EVE],
    "groups": [
        (),
        (STAFF,),
        (BOARD,),
        (BOARD, STAFF),
        (CLUB, BOARD),
        (STAFF, CLUB, BOARD),
        (STAFF, BOARD, BOARD),
        (STAFF, STAFF, BOARD),
    ],
    "validity": [ALWAYS, Validity(500), Validity(500, 2_001), Validity(500, 600)],
    "roles": [
        (),
        (CLERK,),
        (CHIEF,),
        (HEAD, CLERK),
        (CHIEF, CLERK),
        (CHIEF, HEAD),
        (CLERK, HEAD, CHIEF),
        (CHIEF, HEAD, HEAD, CLERK),
        (RoleId("unheard-of"), CLERK),
    ],
    "claim": [
        replace(GRANT, id=C2),
        replace(GRANT, constraints=()),
        replace(GRANT, constraints=(DAY, FENCE)),
        replace(GRANT, resource=Any()),
        replace(GRANT, action=Any()),
        replace(GRANT, role=HEAD),
        claim(id=C2, role=HEAD, action=Exactly(WRITE)),
    ],
    "resources": [(), (PLAN,), (DOCS,), (DOCS, PLAN), (PLAN, DOCS, DOCS), (DOCS, DOCS)],
    "observations": [
        (),
        SAW[:2],
        SAW[::-1],
        (*SAW, SAW[0]),
        (Observation(DAY, (12, 2), False), *SAW[1:]),
        (Observation(DAY, (12, 3), True), *SAW[1:]),
        (Observation(DAY, (12,), True), *SAW[1:]),
        (Observation(TimeWindow(9, 18), (12, 2), True), *SAW[1:]),
        (SAW[0], Observation(FENCE, ("us",), True), SAW[2]),
        (SAW[0], Observation(FENCE, (None,), True), SAW[2]),
        (SAW[0], SAW[1], Observation(IS_ONE, (1, 2), True)),
    ],
}
ONE_FIELD = [(field, value) for field, values in TAMPERED.items() for value in values]


def test_the_certificate_of_an_allow_is_accepted() -> None:
    """It names the whole way and passes."""
    assert (CERTIFICATE.groups, CERTIFICATE.roles) == ((STAFF, BOARD), (CHIEF, HEAD, CLERK))
    assert accepts(CERTIFICATE)


@pytest.mark.parametrize(("field", "value"), ONE_FIELD, ids=lambda part: str(part)[:40])
def test_a_certificate_changed_in_one_field_is_refused(field: str, value: Anything) -> None:
    """Whatever single field is changed, and however plausibly, the checker says no."""
    changes: dict[str, Anything] = {field: value}
    assert not accepts(replace(CERTIFICATE, **changes))


def test_a_certificate_that_takes_true_for_one_is_refused() -> None:
    """A bool is not an int, neither in what a constraint saw nor in the claim itself."""
    is_true = replace(IS_ONE, operand=Literal(True))
    saw_true = (*SAW[:2], Observation(IS_ONE, (True, 1), True))
    other_claim = replace(GRANT, constraints=(DAY, FENCE, is_true))
    assert not accepts(replace(CERTIFICATE, observations=saw_true))
    assert not accepts(replace(CERTIFICATE, claim=other_claim))


def test_every_field_of_a_certificate_is_tampered_with() -> None:
    """A new field of the certificate needs a row above."""
    assert list(TAMPERED) == [field.name for field in fields(Certificate)]


def without(*facts: Fact) -> Organization:
    """The organization without these facts, at the same revision."""
    return made_of(*(fact for fact in (*AROUND, *CHAIN) if fact not in facts), revision=4)


@pytest.mark.parametrize("fact", CHAIN, ids=lambda fact: type(fact).__name__)
def test_a_certificate_is_refused_without_any_fact_it_rests_on(fact: Fact) -> None:
    """Take one link of the chain out of the state and the evidence is worthless."""
    assert not check(without(fact), asks(), HERE, certificate=CERTIFICATE)


@pytest.mark.parametrize(
    ("gone", "come"),
    [
        (Principal(ANN), Principal(ANN, active=False)),
        (GroupAssignment(BOARD, CHIEF, TERM), GroupAssignment(BOARD, CHIEF, Validity(500, 999))),
        (GRANT, replace(GRANT, constraints=(DAY,))),
        (library()[-1], Resource(PLAN, FOLDER)),
    ],
)
def test_a_certificate_is_refused_when_a_fact_it_rests_on_is_another(
    gone: Fact, come: Fact
) -> None:
    """A suspension, another validity, an edited claim, a resource that moved."""
    state = made_of(*(fact for fact in (*AROUND, *CHAIN) if fact != gone), come, revision=4)
    assert not check(state, asks(), HERE, certificate=CERTIFICATE)


def test_a_certificate_is_refused_when_the_principal_is_gone() -> None:
    """Nobody is left whom it could speak of."""
    state = without(Principal(ANN), Membership(ANN, STAFF))
    assert not check(state, asks(), HERE, certificate=CERTIFICATE)


def test_a_certificate_is_refused_under_a_dynamic_clash() -> None:
    """Too many active roles spoil every chain."""
    state = made_of(*AROUND, *CHAIN, dynamic(pair()), revision=4)
    assert not check(state, asks(), HERE, certificate=CERTIFICATE)
    assert dynamic(pair()).id == PAIR


@pytest.mark.parametrize(
    "request_",
    [
        asks(BOB),
        asks(action=WRITE),
        asks(resource=DOCS),
        asks(kind="folder"),
        asks(active=()),
        asks(active=(type(CLERK)("none"),)),
    ],
)
def test_a_certificate_serves_no_other_request(request_: Request) -> None:
    """Another principal, action, resource, kind, or a session without the chain's roles."""
    assert not check(STATE, request_, HERE, certificate=CERTIFICATE)


@pytest.mark.parametrize(
    "context",
    [
        replace(HERE, instant=1_001),
        replace(HERE, hour=11),
        replace(HERE, hour=17),
        replace(HERE, weekday=3),
        replace(HERE, region=US),
        replace(HERE, region=None),
        replace(HERE, attributes=attributes({"one": 2})),
    ],
)
def test_a_certificate_serves_no_other_context(context: Context) -> None:
    """Whatever a constraint looked at must be what the context says."""
    assert not check(STATE, asks(), context, certificate=CERTIFICATE)


def test_a_certificate_that_honestly_shows_a_constraint_fail_is_refused() -> None:
    """What is seen is as it says, and after hours that is no reason to allow."""
    after_hours = replace(HERE, hour=17)
    target = resolve(STATE, asks())
    assert target is not None
    situation = situate(STATE, asks(), after_hours, target=target)
    seen = tuple(observe(constraint, situation) for constraint in GRANT.constraints)
    assert [observation.held for observation in seen] == [False, True, True]
    honest = replace(CERTIFICATE, observations=seen)
    assert not check(STATE, asks(), after_hours, certificate=honest)


@pytest.mark.parametrize("chosen", [(CHIEF,), (HEAD,), (CLERK,), (CLERK, HEAD)])
def test_a_session_is_served_through_a_chosen_role(chosen: tuple[RoleId, ...]) -> None:
    """The chain passes through a chosen role, whichever of them that is."""
    request = asks(active=chosen)
    assert check(STATE, request, HERE, certificate=certified(STATE, request, HERE))


def test_a_session_is_not_served_beside_its_chosen_roles() -> None:
    """A chain of other roles is refused, even to the same claim."""
    state = made_of(
        *people(ANN),
        *roles(CHIEF, HEAD, CLERK),
        *library(),
        Assignment(ANN, CHIEF),
        Assignment(ANN, HEAD),
        Inheritance(CHIEF, CLERK),
        Inheritance(HEAD, CLERK),
        claim(),
    )
    over_chief = certified(state, asks(active=(CHIEF,)), NOON)
    assert over_chief.roles == (CHIEF, CLERK)
    found = [
        check(state, asks(active=names), NOON, certificate=over_chief)
        for names in ((CHIEF,), (HEAD,), (CHIEF, HEAD), (CLERK,))
    ]
    assert found == [True, False, True, True]


@pytest.mark.parametrize(("instant", "expected"), [(499, False), (500, True), (2_000, False)])
def test_a_certificate_holds_while_its_validity_lasts(instant: int, expected: bool) -> None:
    """Even issued for that very instant it proves nothing outside [500, 2000)."""
    certificate = replace(CERTIFICATE, instant=instant)
    context = replace(HERE, instant=instant)
    assert check(STATE, asks(), context, certificate=certificate) is expected


def test_a_longer_way_is_as_good_as_the_shortest() -> None:
    """The checker asks for a chain, not for the chain that was issued."""
    state = made_of(*AROUND, *CHAIN, Membership(ANN, CLUB), revision=4)
    certificate = replace(CERTIFICATE, groups=(CLUB, BOARD))
    assert check(state, asks(), HERE, certificate=certificate)


def test_issue_refuses_a_claim_that_does_not_grant() -> None:
    """Its caller has established the grant; without one it is misuse."""
    with pytest.raises(ValueError, match="claim c1 does not grant"):
        issue(STATE, asks(EVE), HERE, claim=GRANT)
    with pytest.raises(ValueError, match="claim c1 does not grant"):
        issue(STATE, asks(resource=type(PLAN)("nowhere")), HERE, claim=GRANT)
    assert issue(STATE, asks(), HERE, claim=GRANT).claim.id == C1


def test_in_a_session_the_chain_runs_through_a_chosen_role() -> None:
    """Though a shorter one runs beside it, through a role that is held and not chosen."""
    state = made_of(
        *people(ANN),
        *roles(HEAD, CLERK),
        *library(),
        Assignment(ANN, HEAD),
        Assignment(ANN, CLERK),
        Inheritance(HEAD, CLERK),
        claim(),
    )
    assert issue(state, asks(), NOON, claim=claim()).roles == (CLERK,)
    assert issue(state, asks(active=(HEAD,)), NOON, claim=claim()).roles == (HEAD, CLERK)


@pytest.mark.parametrize(
    ("pattern", "resources"),
    [
        (Exactly(PLAN), (PLAN,)),
        (Within(PLAN), (PLAN,)),
        (Within(DOCS), (PLAN, DOCS)),
        (OfKind("file"), (PLAN,)),
        (Any(), (PLAN,)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_resources_lead_to_the_one_that_the_claim_names(
    pattern: ResourcePattern, resources: tuple[ResourceId, ...]
) -> None:
    """From the one asked for outward; that one alone where the claim names none."""
    granting = claim(resource=pattern)
    state = made_of(*people(ANN), *roles(CLERK), *library(), Assignment(ANN, CLERK), granting)
    assert issue(state, asks(), NOON, claim=granting).resources == resources
    assert check(state, asks(), NOON, certificate=certified(state, asks(), NOON))
