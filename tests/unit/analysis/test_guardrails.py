"""What is said of guardrails that one request breaks, by example, and by which request."""

from dataclasses import replace

import pytest

from grantproof.analysis.solving import Solver
from grantproof.analysis.verdicts import Holds, Violated
from grantproof.core.attributes import (
    ClockYear,
    Literal,
    Operator,
    PrincipalIdentity,
    Root,
    attributes,
)
from grantproof.core.constraints import (
    Attribute,
    Constraint,
    GeoFence,
    GeoRadius,
    MaxUsage,
    RateLimit,
    TimeWindow,
)
from grantproof.core.geodesy import Position
from grantproof.core.guardrails import (
    Access,
    Confined,
    Forbidden,
    Having,
    HolderOf,
    MemberOf,
    Reserved,
)
from grantproof.core.identifiers import PrincipalId, ResourceId
from grantproof.core.model import (
    ADMINISTER,
    Any,
    Assignment,
    Exactly,
    GroupAssignment,
    Inheritance,
    Membership,
    Nesting,
    OfKind,
    Principal,
    Validity,
    Within,
)
from grantproof.core.organization import Organization
from tests.organizations import (
    ANN,
    BOARD,
    BOB,
    C2,
    CHIEF,
    CLERK,
    CLUB,
    DOCS,
    EU,
    EVE,
    FILE,
    HEAD,
    PLAN,
    READ,
    STAFF,
    US,
    claim,
    dynamic,
    groups,
    library,
    made_of,
    pair,
    people,
    roles,
)
from tests.unit.analysis.judged import (
    CONTRACTORS,
    DAYTIME,
    DELETE,
    DELETING,
    NOW,
    PRODUCTION,
    READING,
    is_text,
    named,
    office,
    shown,
    verdict,
)

# --------------------------------------------------------- no contractor may ever delete ...


def deleting(*more: Constraint, group: bool = True) -> Organization:
    """Chiefs delete files, heads are chiefs, ann is a head by a group within the contractors."""
    return made_of(
        *people(ANN, BOB),
        *groups(STAFF, CLUB),
        *roles(CHIEF, HEAD),
        *library(PRODUCTION),
        *([Membership(ANN, CLUB)] if group else []),
        Nesting(CLUB, STAFF),
        GroupAssignment(STAFF, HEAD),
        Assignment(BOB, CHIEF),
        Inheritance(HEAD, CHIEF),
        claim(*more, role=CHIEF, action=Exactly(DELETE), resource=Within(DOCS)),
    )


def test_no_contractor_may_ever_delete_a_production_resource() -> None:
    """The path leads from the contractor's group through inheritance to the claim."""
    found = shown(deleting(), Forbidden(DELETING, CONTRACTORS))
    (one,) = found.evidence
    assert (one.request.principal, one.request.action, one.request.resource) == (ANN, DELETE, PLAN)
    assert one.certificate.groups == (CLUB, STAFF)
    assert one.certificate.roles == (HEAD, CHIEF)
    assert one.context.instant == NOW
    assert verdict(deleting(group=False), Forbidden(DELETING, CONTRACTORS)) == Holds()


def test_only_resources_that_store_what_is_asked_are_meant() -> None:
    """What is not in production may be deleted; true is not 1."""
    state = made_of(
        *people(ANN),
        *roles(CHIEF),
        *library(attributes({"env": "test", "level": True})),
        Assignment(ANN, CHIEF),
        claim(role=CHIEF, action=Exactly(DELETE), resource=Any()),
    )
    assert verdict(state, Forbidden(DELETING)) == Holds()
    for value, type_ in ((1, Holds), (True, Violated)):
        access = Access(Exactly(DELETE), Any(), attributes({"level": value}))
        assert isinstance(verdict(state, Forbidden(access)), type_)


def test_a_suspended_principal_breaks_nothing() -> None:
    """A suspended contractor is allowed nothing, whatever it holds."""
    state = deleting()
    away = replace(state, principals=state.principals.set(ANN, Principal(ANN, active=False)))
    assert verdict(away, Forbidden(DELETING, CONTRACTORS)) == Holds()
    assert isinstance(verdict(away, Forbidden(DELETING)), Violated)


def test_a_role_that_is_held_later_counts_and_one_that_never_overlaps_does_not() -> None:
    """All instants are looked at: the counterexample is at the first at which both are so."""
    later, before = Validity(NOW + 5_000, NOW + 9_000), Validity(end=NOW + 5_000)
    for second, expected in ((Validity(NOW + 7_000), NOW + 7_000), (before, None)):
        state = made_of(
            *people(ANN),
            *roles(CLERK, HEAD),
            *library(),
            Assignment(ANN, CLERK, later),
            Assignment(ANN, HEAD, second),
            claim(),
        )
        found = verdict(state, Forbidden(READING, frozenset({HolderOf(HEAD)})))
        if expected is None:
            assert found == Holds()
        else:
            assert isinstance(found, Violated)
            assert found.counterexample.evidence[0].context.instant == expected


def test_a_clash_of_a_dynamic_set_denies_what_both_roles_together_would_show() -> None:
    """Without a session whoever holds both roles of a dynamic set is allowed nothing."""
    facts = (*people(ANN), *roles(CLERK, HEAD), *library(), claim())
    held = (Assignment(ANN, CLERK), Assignment(ANN, HEAD))
    rule = Forbidden(READING, frozenset({HolderOf(HEAD)}))
    assert isinstance(verdict(made_of(*facts, *held), rule), Violated)
    assert verdict(made_of(*facts, *held, dynamic(pair())), rule) == Holds()
    shorter = (Assignment(ANN, CLERK), Assignment(ANN, HEAD, Validity(end=NOW + 60)))
    assert verdict(made_of(*facts, *shorter, dynamic(pair())), rule) == Holds()
    found = shown(made_of(*facts, *shorter, dynamic(pair())), Forbidden(READING))
    assert found.evidence[0].context.instant >= NOW + 60


def test_unregistered_ids_of_a_declared_kind_and_implicit_resources_are_meant() -> None:
    """A claim on a kind reaches what nobody registered, one on roles the roles."""
    state = made_of(
        *people(ANN),
        *roles(CLERK),
        *library(),
        Assignment(ANN, CLERK),
        claim(resource=OfKind("role")),
    )
    (one,) = shown(state, Forbidden(READING)).evidence
    assert (one.request.resource, one.request.kind) == (ResourceId("role:clerk"), None)
    assert verdict(state, Forbidden(Access(Exactly(READ), OfKind(FILE)))) == Holds()
    empty = made_of(
        *people(ANN),
        *roles(CLERK),
        *library()[:2],
        Assignment(ANN, CLERK),
        claim(resource=OfKind(FILE)),
    )
    (one,) = shown(empty, Forbidden(Access(Any(), Any()))).evidence
    assert (one.request.action, one.request.kind) == (READ, FILE)
    assert one.request.resource not in empty.resources


def test_any_action_is_every_one_that_is_not_administrative() -> None:
    """An access to any action does not mean `administer`, a claim to any grants no such."""
    ruling = claim(action=Exactly(ADMINISTER), resource=Any())
    facts = (*people(ANN), *roles(CLERK), *library(), Assignment(ANN, CLERK))
    anything, ruled = Access(Any(), Any()), Access(Exactly(ADMINISTER), Any())
    assert verdict(made_of(*facts, ruling), Forbidden(anything)) == Holds()
    assert isinstance(verdict(made_of(*facts, ruling), Forbidden(ruled)), Violated)
    everything = claim(action=Any(), resource=Any())
    assert isinstance(verdict(made_of(*facts, everything), Forbidden(anything)), Violated)
    assert verdict(made_of(*facts, everything), Forbidden(ruled)) == Holds()


def test_the_counterexample_is_the_least() -> None:
    """An unconstrained claim before others, a direct holder before a member, then the least id."""
    state = made_of(
        *people(ANN, BOB, EVE),
        *groups(CLUB),
        *roles(CLERK, HEAD),
        *library(),
        Membership(ANN, CLUB),
        GroupAssignment(CLUB, HEAD),
        Assignment(EVE, HEAD),
        Assignment(BOB, HEAD),
        Assignment(ANN, CLERK),
        claim(GeoFence(frozenset({EU}))),
        claim(id=C2, role=HEAD, resource=Any()),
    )
    (one,) = shown(state, Forbidden(READING)).evidence
    assert (one.certificate.claim.id, one.request.principal, one.request.resource) == (
        C2,
        BOB,
        DOCS,
    )
    assert (one.context.region, one.context.attributes) == (None, attributes({}))


# --------------------------------------------------------- only members of sre may reach ...


@pytest.mark.parametrize(
    ("who", "breaks"),
    [
        ({MemberOf(BOARD)}, BOB),
        ({MemberOf(BOARD), HolderOf(CLERK)}, None),
        ({HolderOf(HEAD)}, BOB),
        ({Having(attributes({"team": "sre"}))}, BOB),
        ({MemberOf(BOARD), Having(attributes({"team": "sre"}))}, BOB),
        ({MemberOf(STAFF)}, BOB),
    ],
)
def test_only_those_named_may_reach_it(who: set[MemberOf], breaks: PrincipalId | None) -> None:
    """Members of nested groups, holders and those who store an attribute are told apart."""
    rule = Reserved(READING, frozenset(who))
    if breaks is None:
        assert verdict(office(), rule) == Holds()
    else:
        assert shown(office(), rule).evidence[0].request.principal == breaks


def test_one_who_stores_the_attribute_may_and_one_who_stores_another_type_may_not() -> None:
    """A reservation to whoever has level 1 does not take `true` for it."""
    for value, type_ in ((1, Holds), (True, Violated)):
        state = made_of(
            Principal(ANN, attributes=attributes({"level": value})),
            *roles(CLERK),
            *library(),
            Assignment(ANN, CLERK),
            claim(),
        )
        rule = Reserved(READING, frozenset({Having(attributes({"level": 1}))}))
        assert isinstance(verdict(state, rule), type_)


def test_a_reservation_to_holders_ends_when_their_role_does() -> None:
    """Who is a holder for a while only may reach it for that while only."""
    for term, type_ in ((Validity(), Holds), (Validity(end=NOW + 60), Violated)):
        state = made_of(
            *people(ANN),
            *groups(CLUB),
            *roles(CLERK, HEAD),
            *library(),
            Membership(ANN, CLUB),
            GroupAssignment(CLUB, HEAD, term),
            Assignment(ANN, CLERK),
            claim(),
        )
        found = verdict(state, Reserved(READING, frozenset({HolderOf(HEAD)})))
        assert isinstance(found, type_)
        if isinstance(found, Violated):
            assert found.counterexample.evidence[0].context.instant >= NOW + 60


# ----------------------------------------------------- every payment claim is limited to ...

CENTRE = Position(48_137_000, 11_575_000)
YEAR = Attribute(named(Root.CONTEXT, "year"), Operator.EQ, ClockYear())
OWN = Attribute(named(Root.RESOURCE, "owner"), Operator.EQ, PrincipalIdentity())
RED = is_text(named(Root.CONTEXT, "badge"), "red")


@pytest.mark.parametrize(
    ("loose", "tight"),
    [
        (TimeWindow(8, 19), TimeWindow(9, 17)),
        (TimeWindow(8, 18), TimeWindow(8, 18, frozenset({0, 1}))),
        (GeoFence(frozenset({EU, US})), GeoFence(frozenset({EU}))),
        (GeoRadius(CENTRE, 5_000), GeoRadius(CENTRE, 1_000)),
        (MaxUsage(10), MaxUsage(5)),
        (RateLimit(10), RateLimit(5)),
        (
            Attribute(named(Root.CONTEXT, "amount"), Operator.LE, Literal(100)),
            Attribute(named(Root.CONTEXT, "amount"), Operator.LT, Literal(50)),
        ),
        (
            Attribute(named(Root.ACTION, "proof"), Operator.IN, Literal(frozenset({"a", "b"}))),
            is_text(named(Root.ACTION, "proof"), "a"),
        ),
        (Attribute(named(Root.CONTEXT, "year"), Operator.LE, ClockYear()), YEAR),
    ],
)
def test_what_is_limited_more_keeps_a_limit_and_what_is_limited_less_breaks_it(
    loose: Constraint, tight: Constraint
) -> None:
    """Of every type of constraint: the failing one is named, and what else is asked is met."""
    assert verdict(office(tight), Confined(READING, (loose,))) == Holds()
    found = shown(office(loose, RED), Confined(READING, (RED, tight)))
    assert found.failing == (tight,)
    assert isinstance(verdict(office(), Confined(READING, (loose,))), Violated)


def test_two_limits_of_a_claim_keep_together_what_neither_keeps_alone() -> None:
    """The solver knows that whoever is within both windows is within their intersection."""
    state = office(TimeWindow(6, 17), TimeWindow(9, 20))
    solver = Solver()
    assert verdict(state, Confined(READING, (TimeWindow(9, 17),)), solver) == Holds()
    assert solver.asked == 1
    assert shown(state, Confined(READING, (TimeWindow(10, 17),))).evidence[0].context.hour == 9


def test_what_is_stored_decides_a_limit() -> None:
    """A claim that compares what both ends store is decided for each of them."""
    for owner, type_ in (("ann", Holds), ("bob", Violated)):
        state = made_of(
            *people(ANN, BOB),
            *roles(CLERK),
            *library(attributes({"owner": owner})),
            Assignment(ANN, CLERK),
            Assignment(BOB, CLERK),
            claim(OWN),
        )
        mine = Attribute(named(Root.RESOURCE, "owner"), Operator.EQ, Literal("ann"))
        assert isinstance(verdict(state, Confined(READING, (mine,))), type_)
        assert isinstance(verdict(state, Forbidden(READING, frozenset({MemberOf(CLUB)}))), Holds)


def test_a_claim_that_nobody_can_use_breaks_no_limit() -> None:
    """A claim of a role without a holder, and one that never holds, are no violation."""
    nobody = made_of(*people(ANN), *roles(CLERK), *library(), claim())
    assert verdict(nobody, Confined(READING, (DAYTIME,))) == Holds()
    never = office(is_text(named(Root.RESOURCE, "owner"), "nobody"))
    assert verdict(never, Confined(READING, (DAYTIME,))) == Holds()
    assert verdict(never, Forbidden(READING)) == Holds()
