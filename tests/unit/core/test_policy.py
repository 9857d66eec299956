"""The decision by example: what allows, and which reason comes first."""

from dataclasses import replace

import pytest

from grantproof.core.attributes import Literal, Operator, Path, Root, attributes
from grantproof.core.constraints import (
    Attribute,
    Context,
    GeoFence,
    GeoRadius,
    MaxUsage,
    Observation,
    RateLimit,
    TimeWindow,
)
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import Action, AttributeName, ClaimId, ResourceId
from grantproof.core.matching import Request
from grantproof.core.model import (
    ADMINISTRATIVE_ACTIONS,
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
    SodSet,
    Validity,
    Within,
)
from grantproof.core.organization import Organization
from grantproof.core.policy import (
    Allow,
    ConstraintFailed,
    Decision,
    Deny,
    NoMatchingClaim,
    NoRole,
    Reason,
    SessionClash,
    Suspended,
    UnknownOrganization,
    UnknownPrincipal,
    UnknownResource,
    evaluate,
)
from tests.organizations import (
    ANN,
    BOARD,
    BOB,
    C1,
    C2,
    C3,
    CLERK,
    DOCS,
    EU,
    HEAD,
    NOON,
    PAIR,
    PLAN,
    READ,
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

OPEN, SHUT = TimeWindow(0, 24), TimeWindow(0, 1)
BASE = (*people(ANN), *groups(STAFF, BOARD), *roles(CLERK, HEAD), *library())
SIMPLE = made_of(*BASE, claim(), Assignment(ANN, CLERK))


def reason(
    state: Organization | None, request: Request | None = None, context: Context = NOON
) -> Reason | None:
    """Why the request is denied, or nothing when it is allowed."""
    decision = evaluate(state, asks() if request is None else request, context)
    return decision.reason if isinstance(decision, Deny) else None


def granted_by(decision: Decision) -> ClaimId | None:
    """The claim that the certificate of an allow names."""
    return decision.certificate.claim.id if isinstance(decision, Allow) else None


def test_a_holder_of_a_matching_claim_is_allowed() -> None:
    """The shortest chain there is: assignment, claim, request."""
    assert granted_by(evaluate(SIMPLE, asks(), NOON)) == C1


@pytest.mark.parametrize(
    "request_",
    [asks(action=WRITE), asks(resource=DOCS), asks(BOB), asks(active=()), asks(kind="folder")],
)
def test_any_other_request_is_denied(request_: Request) -> None:
    """Another action, resource, principal, an empty session, another kind."""
    assert isinstance(evaluate(SIMPLE, request_, NOON), Deny)


def test_everything_but_a_chain_is_denied() -> None:
    """P-DENY-DEFAULT: organizations that lack any one link of the chain."""
    denied = [
        None,
        made_of(),
        made_of(*BASE),
        made_of(*BASE, claim()),
        made_of(*BASE, Assignment(ANN, CLERK)),
        made_of(*BASE, claim(), Assignment(ANN, HEAD)),
        made_of(*BASE, claim(), Assignment(ANN, CLERK), Principal(ANN, active=False)),
    ]
    assert [type(evaluate(state, asks(), NOON)) for state in denied] == [Deny] * len(denied)


def test_a_claim_is_inherited_by_the_child_and_not_by_the_parent() -> None:
    """The child has what its parent has; never the other way round."""
    below = made_of(*BASE, claim(), Inheritance(HEAD, CLERK), Assignment(ANN, HEAD))
    above = made_of(*BASE, claim(), Inheritance(CLERK, HEAD), Assignment(ANN, HEAD))
    assert (reason(below), reason(above)) == (None, NoMatchingClaim())


def test_a_role_of_a_container_reaches_members_of_nested_groups() -> None:
    """From the container inward; a role of the inner group stays there."""
    nested = (*BASE, claim(), Nesting(STAFF, BOARD))
    inner = made_of(*nested, Membership(ANN, STAFF), GroupAssignment(BOARD, CLERK))
    outer = made_of(*nested, Membership(ANN, BOARD), GroupAssignment(STAFF, CLERK))
    assert (reason(inner), reason(outer)) == (None, NoRole())


@pytest.mark.parametrize("through_group", [True, False])
def test_validity_is_from_its_start_until_before_its_end(through_group: bool) -> None:
    """[10, 20): denied at 9, allowed at 10 and 19, denied at 20; directly and through a group."""
    validity = Validity(10, 20)
    facts: tuple[Fact, ...] = (Assignment(ANN, CLERK, validity),)
    if through_group:
        facts = (Membership(ANN, STAFF), GroupAssignment(STAFF, CLERK, validity))
    state = made_of(*BASE, claim(), *facts)
    found = {t: reason(state, None, replace(NOON, instant=t)) for t in (9, 10, 19, 20)}
    assert found == {9: NoRole(), 10: None, 19: None, 20: NoRole()}


def test_any_grants_no_administrative_action() -> None:
    """Whoever may do everything may still not administer."""
    state = made_of(*BASE, claim(action=Any(), resource=Any()), Assignment(ANN, CLERK))
    actions = sorted(ADMINISTRATIVE_ACTIONS)
    assert [reason(state, asks(action=action)) for action in actions] == [NoMatchingClaim()] * 5
    assert reason(state, asks(action=Action("anything"))) is None


def test_an_administrative_action_is_granted_by_name() -> None:
    """Also on an implicit resource."""
    assign = Action("assign")
    target = ResourceId("role:clerk")
    named = claim(action=Exactly(assign), resource=Exactly(target))
    state = made_of(*BASE, named, Assignment(ANN, CLERK))
    assert reason(state, asks(action=assign, resource=target)) is None
    other = asks(action=assign, resource=ResourceId("role:head"))
    assert reason(state, other) == NoMatchingClaim()


def test_an_unregistered_resource_of_a_declared_kind_is_decided_by_its_kind() -> None:
    """A claim on the kind or on everything grants; one on a subtree does not."""
    new = asks(resource=ResourceId("new"), kind="file")
    patterns = (OfKind("file"), Any(), OfKind("folder"), Within(DOCS))
    states = [made_of(*BASE, claim(resource=one), Assignment(ANN, CLERK)) for one in patterns]
    found = [reason(state, new) for state in states]
    assert found == [None, None, NoMatchingClaim(), NoMatchingClaim()]


def test_each_reason_is_given_when_all_later_ones_would_apply_too() -> None:
    """One obstacle after another is taken away, and the reasons come in the order of the design."""
    held = (Assignment(ANN, CLERK), Assignment(ANN, HEAD), dynamic(pair()))
    worst = made_of(*BASE, *held, Principal(ANN, active=False))
    awake = made_of(*BASE, *held)
    shut = made_of(*BASE, *held, claim(SHUT))
    granting = made_of(*BASE, *held, claim(OPEN))
    nowhere, one = ResourceId("nowhere"), (CLERK,)
    steps = [
        (None, asks(BOB, resource=nowhere)),
        (worst, asks(BOB, resource=nowhere)),
        (worst, asks(resource=nowhere)),
        (awake, asks(resource=nowhere)),
        (awake, asks()),
        (awake, asks(active=())),
        (awake, asks(active=one)),
        (shut, asks(active=one)),
        (granting, asks(active=one)),
    ]
    assert [reason(state, request) for state, request in steps] == [
        UnknownOrganization(),
        UnknownPrincipal(),
        Suspended(),
        UnknownResource(),
        SessionClash(PAIR, (CLERK, HEAD), 2),
        NoRole(),
        NoMatchingClaim(),
        ConstraintFailed(C1, (Observation(SHUT, (12, 2), False),)),
        None,
    ]


def test_a_dynamic_clash_denies_what_every_role_alone_would_allow() -> None:
    """Holding both is legal; having both active is not, so the principal must choose."""
    state = made_of(*BASE, claim(), dynamic(pair()), Assignment(ANN, CLERK), Assignment(ANN, HEAD))
    clash = SessionClash(PAIR, (CLERK, HEAD), 2)
    assert (reason(state), reason(state, asks(active=(CLERK, HEAD)))) == (clash, clash)
    assert reason(state, asks(active=(CLERK,))) is None
    assert reason(state, asks(active=(HEAD,))) == NoMatchingClaim()


def test_an_inherited_role_counts_in_a_dynamic_set() -> None:
    """Choosing the child alone activates the parent as well."""
    state = made_of(
        *BASE, claim(), dynamic(pair()), Inheritance(HEAD, CLERK), Assignment(ANN, HEAD)
    )
    assert reason(state, asks(active=(HEAD,))) == SessionClash(PAIR, (CLERK, HEAD), 2)
    assert reason(state, asks(active=(CLERK,))) is None


def test_a_clash_names_the_active_roles_of_the_set_only() -> None:
    """Of three roles of the set two are active: those two are named."""
    other = type(CLERK)("other")
    trio = SodSet(PAIR, frozenset({CLERK, HEAD, other}), 2, "dynamic")
    held = (Assignment(ANN, CLERK), Assignment(ANN, HEAD))
    state = made_of(*BASE, *roles(other), trio, *held)
    assert reason(state) == SessionClash(PAIR, (CLERK, HEAD), 2)


def test_a_static_set_denies_nothing() -> None:
    """It binds changes, not decisions."""
    state = made_of(*BASE, claim(), pair(), Assignment(ANN, CLERK), Assignment(ANN, HEAD))
    assert reason(state) is None


def test_the_claim_with_fewest_failures_is_named_then_the_least_id() -> None:
    """All failures of that claim are listed, in its order, and nothing that held."""
    usage, rate = MaxUsage(1), RateLimit(1)
    claims = (
        claim(SHUT, usage, rate, id=C1),
        claim(OPEN, usage, SHUT, id=C3),
        claim(SHUT, OPEN, rate, id=C2),
    )
    state = made_of(*BASE, *claims, Assignment(ANN, CLERK))
    failures = (Observation(SHUT, (12, 2), False), Observation(rate, (None,), False))
    assert reason(state) == ConstraintFailed(C2, failures)


def test_one_granting_claim_is_enough() -> None:
    """However many others fail."""
    claims = (claim(SHUT, id=C1), claim(OPEN, id=C2), claim(SHUT, id=C3))
    state = made_of(*BASE, *claims, Assignment(ANN, CLERK))
    assert granted_by(evaluate(state, asks(), NOON)) == C2


def test_unmetered_claims_come_first_then_the_least_id() -> None:
    """A claim that costs nothing is preferred to one with a lesser id that counts."""
    metered, free, later = claim(MaxUsage(9), id=C1), claim(id=C2), claim(id=C3)
    used = replace(NOON, usage=0)
    found = [
        granted_by(evaluate(made_of(*BASE, *claims, Assignment(ANN, CLERK)), asks(), used))
        for claims in [(metered, free, later), (metered, later), (metered,), (later, free)]
    ]
    assert found == [C2, C3, C1, C2]


@pytest.mark.parametrize(
    ("constraint", "context"),
    [
        (GeoFence(frozenset({EU})), replace(NOON, region=EU)),
        (GeoRadius(Position(0, 0), 1), replace(NOON, position=Position(0, 0))),
        (MaxUsage(1), replace(NOON, usage=0)),
        (RateLimit(1), replace(NOON, rate=0)),
        (
            Attribute(Path(Root.CONTEXT, AttributeName("a")), Operator.NE, Literal(1)),
            replace(NOON, attributes=attributes({"a": 2})),
        ),
    ],
)
def test_a_context_that_does_not_say_fails_the_constraint(
    constraint: GeoFence | GeoRadius | MaxUsage | RateLimit | Attribute, context: Context
) -> None:
    """Each holds when the context says so and fails when it says nothing."""
    state = made_of(*BASE, claim(constraint), Assignment(ANN, CLERK))
    assert reason(state, None, context) is None
    assert isinstance(reason(state, None, NOON), ConstraintFailed)


def test_a_region_outside_the_fence_is_named() -> None:
    """The reason says what the constraint saw."""
    fence = GeoFence(frozenset({EU}))
    state = made_of(*BASE, claim(fence), Assignment(ANN, CLERK))
    failure = Observation(fence, ("us",), False)
    assert reason(state, None, replace(NOON, region=US)) == ConstraintFailed(C1, (failure,))


def test_an_allow_carries_the_whole_chain() -> None:
    """Principal, groups, validity, roles, claim, resources, and what each constraint saw."""
    state = made_of(
        *BASE,
        claim(OPEN, resource=Within(DOCS)),
        Inheritance(HEAD, CLERK),
        Nesting(STAFF, BOARD),
        Membership(ANN, STAFF),
        GroupAssignment(BOARD, HEAD, Validity(1, 2_000)),
        revision=7,
    )
    decision = evaluate(state, asks(), NOON)
    assert isinstance(decision, Allow)
    certificate = decision.certificate
    assert (certificate.organization, certificate.revision) == ("acme", 7)
    assert (certificate.instant, certificate.principal) == (1_000, ANN)
    assert (certificate.groups, certificate.roles) == ((STAFF, BOARD), (HEAD, CLERK))
    assert (certificate.validity, certificate.resources) == (Validity(1, 2_000), (PLAN, DOCS))
    assert certificate.claim == claim(OPEN, resource=Within(DOCS))
    assert certificate.observations == (Observation(OPEN, (12, 2), True),)
    assert certificate.claim.action == Exactly(READ)
