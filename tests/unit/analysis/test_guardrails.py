"""What is said of guardrails, by example: each type holding and violated, and by which request."""

from dataclasses import replace

import pytest

from grantproof.analysis import guardrails as judging
from grantproof.analysis.formulas import Formula
from grantproof.analysis.guardrails import judge
from grantproof.analysis.solving import Solution, Solver, Span, Undetermined
from grantproof.analysis.verdicts import Counterexample, Holds, Verdict, Violated
from grantproof.core.attributes import (
    ClockYear,
    Literal,
    Operator,
    Path,
    PrincipalIdentity,
    Root,
    attributes,
)
from grantproof.core.certificate import check
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
    Capped,
    Confined,
    Exclusive,
    Forbidden,
    Guardrail,
    Having,
    HolderOf,
    MemberOf,
    Reserved,
    Rule,
)
from grantproof.core.identifiers import Action, AttributeName, GuardrailId, PrincipalId, ResourceId
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
from grantproof.core.organization import Organization, with_fact
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

NOW = 1_800_000_000
PRODUCTION = attributes({"env": "production"})
READING = Access(Exactly(READ), Any())
WRITING = Access(Exactly(WRITE), Any())
DAYTIME = TimeWindow(8, 18)


def verdict(state: Organization, rule: Rule, solver: Solver | None = None) -> Verdict:
    """What is said of the rule."""
    guardrail = Guardrail(GuardrailId("wall"), rule)
    return judge(state, guardrail, Solver() if solver is None else solver, now=NOW)


def shown(state: Organization, rule: Rule) -> Counterexample:
    """The counterexample of a rule that does not hold, each certificate of it checked."""
    found = verdict(state, rule)
    assert isinstance(found, Violated), found
    for one in found.counterexample.evidence:
        assert check(state, one.request, one.context, certificate=one.certificate)
    return found.counterexample


def named(path: Root, name: str) -> Path:
    """A path to an attribute."""
    return Path(path, AttributeName(name))


def is_text(path: Path, text: str) -> Attribute:
    """The attribute equals the text."""
    return Attribute(path, Operator.EQ, Literal(text))


def office(*more: Constraint) -> Organization:
    """Ann, in the club within the board, is a clerk by that; bob is one; clerks read the plan."""
    return made_of(
        *people(ANN, BOB),
        *groups(CLUB, BOARD),
        *roles(CLERK, HEAD),
        *library(PRODUCTION),
        Membership(ANN, CLUB),
        Nesting(CLUB, BOARD),
        GroupAssignment(BOARD, CLERK),
        Assignment(BOB, CLERK),
        claim(*more),
    )


# --------------------------------------------------------- no contractor may ever delete ...

DELETE = Action("delete")
DELETING = Access(Exactly(DELETE), OfKind(FILE), PRODUCTION)
CONTRACTORS = frozenset({MemberOf(STAFF)})


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
STRONG = is_text(named(Root.ACTION, "proof"), "strong")


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


class Hung(Solver):
    """A solver that never gets done."""

    def solve(self, formula: Formula, span: Span) -> Solution:
        """Give up."""
        del formula, span
        return Undetermined("the solver gave up: timeout")


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
