"""What a change is judged by: what it touches, what is skipped, what a hung solver stops."""

from typing import cast

import pytest

from grantproof.analysis.guarding import Affected, affected, judge_change, skips
from grantproof.analysis.solving import Solver, Undetermined
from grantproof.analysis.verdicts import Holds, Verdict, Violated
from grantproof.core.attributes import Literal, Operator, Path, Root, attributes
from grantproof.core.commands import Accepted
from grantproof.core.commands.language import (
    AddMember,
    AddParent,
    AssignRole,
    ChangeSet,
    Command,
    CreateClaim,
    CreateKind,
    CreateResource,
    CreateRole,
    DeleteClaim,
    DeleteGroup,
    DeletePrincipal,
    DeleteResource,
    DeleteSodSet,
    RemoveMember,
    RemoveParent,
    RevokeGroupRole,
    RevokeRole,
    SetPrincipalAttributes,
    SetResourceAttributes,
    SuspendPrincipal,
    UnnestGroup,
)
from grantproof.core.constraints import Attribute, GeoFence, TimeWindow
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
from grantproof.core.identifiers import AttributeName, GuardrailId, Kind, ResourceId, RoleId
from grantproof.core.model import (
    Any,
    Assignment,
    Delta,
    Exactly,
    Fact,
    GroupAssignment,
    Inheritance,
    Membership,
    Nesting,
    OfKind,
    Resource,
    SodSet,
    Within,
)
from grantproof.core.organization import Organization, advance
from tests.organizations import (
    ANN,
    BOARD,
    BOB,
    C1,
    C2,
    C3,
    CHIEF,
    CLERK,
    CLUB,
    DOCS,
    EU,
    EVE,
    FILE,
    HEAD,
    PAIR,
    PLAN,
    READ,
    WRITE,
    claim,
    dynamic,
    groups,
    library,
    made_of,
    outcome,
    pair,
    people,
    roles,
)
from tests.unit.analysis.baffled import Hung

NOW = 1_000
WALL = GuardrailId("wall")
READING, WRITING = Access(Exactly(READ), Any()), Access(Exactly(WRITE), Any())
HARD = (
    Attribute(
        Path(Root.CONTEXT, AttributeName("a")),
        Operator.LT,
        Path(Root.CONTEXT, AttributeName("b")),
    ),
)


def office(*more: Fact) -> Organization:
    """Ann reads through the club in the board, bob as head, who is a clerk too; eve is nobody."""
    return made_of(
        *people(ANN, BOB, EVE),
        *groups(CLUB, BOARD),
        *roles(CLERK, HEAD, CHIEF),
        *library(),
        Membership(ANN, CLUB),
        Nesting(CLUB, BOARD),
        GroupAssignment(BOARD, CLERK),
        Assignment(BOB, HEAD),
        Inheritance(HEAD, CLERK),
        claim(),
        claim(id=C2, role=CHIEF, action=Exactly(WRITE), resource=Within(DOCS)),
        *more,
    )


def of_change(command: Command, before: Organization) -> tuple[Organization, Delta]:
    """The state after the command, which is accepted, and its delta."""
    result = outcome(before, command)
    assert isinstance(result, Accepted), result
    return result.state, result.event.delta


def said(
    command: Command, rule: Rule, before: Organization | None = None, solver: Solver | None = None
) -> Verdict:
    """What is said of the rule after the command."""
    before = office() if before is None else before
    later, delta = of_change(command, before)
    return judge_change(
        before,
        later,
        delta,
        guardrails=[Guardrail(WALL, rule)],
        solver=Solver() if solver is None else solver,
        now=NOW,
    )[WALL]


NOBODY_WRITES_BUT_EVE = Reserved(WRITING, frozenset({Having(attributes({"team": "sre"}))}))
EXTRA = RoleId("extra")


@pytest.mark.parametrize(
    ("command", "rule", "breaks"),
    [
        (AssignRole(ANN, CHIEF), Forbidden(WRITING), True),
        (AssignRole(ANN, CHIEF), Forbidden(WRITING, frozenset({MemberOf(BOARD)})), True),
        (AssignRole(EVE, CHIEF), Forbidden(WRITING, frozenset({MemberOf(BOARD)})), False),
        (AddMember(BOB, CLUB), Forbidden(READING, frozenset({HolderOf(CHIEF)})), False),
        (AddParent(CLERK, CHIEF), Exclusive(READING, WRITING), True),
        (AddParent(CHIEF, CLERK), Exclusive(READING, WRITING), False),
        (AddMember(EVE, BOARD), Capped(READING, 2), True),
        (AddMember(BOB, BOARD), Capped(READING, 2), False),
        (AssignRole(EVE, CHIEF), Capped(READING, 2), False),
        (AssignRole(EVE, CHIEF), NOBODY_WRITES_BUT_EVE, True),
        (CreateClaim(claim(id=C3, role=HEAD)), Confined(WRITING, (TimeWindow(8, 9),)), False),
        (
            CreateClaim(claim(id=C3, role=HEAD, action=Exactly(WRITE))),
            Confined(WRITING, (TimeWindow(8, 9),)),
            True,
        ),
        (
            CreateClaim(claim(id=C3, role=CLERK, action=Exactly(WRITE))),
            Exclusive(READING, WRITING),
            True,
        ),
        (CreateClaim(claim(id=C3, role=CHIEF, action=Any())), Capped(WRITING, 1), False),
        (CreateClaim(claim(id=C3, role=CLERK, action=Any())), Capped(WRITING, 1), True),
        (
            SetResourceAttributes(PLAN, attributes({"env": "production"})),
            Forbidden(Access(Exactly(READ), OfKind(FILE), attributes({"env": "production"}))),
            True,
        ),
        (SetResourceAttributes(PLAN, attributes({"env": "test"})), Forbidden(WRITING), False),
        (
            SetPrincipalAttributes(ANN, attributes({"team": "outside"})),
            Forbidden(READING, frozenset({Having(attributes({"team": "outside"}))})),
            True,
        ),
    ],
)
def test_a_change_is_judged_by_what_it_touches(command: Command, rule: Rule, breaks: bool) -> None:
    """Of every type of guardrail, through assignments, groups, parents, claims and attributes."""
    found = said(command, rule)
    assert isinstance(found, Violated if breaks else Holds)


def test_who_leaves_a_group_that_an_access_is_reserved_to_is_noticed() -> None:
    """A membership is taken away, and with it what made the access lawful."""
    state = office(Assignment(ANN, HEAD), Membership(BOB, BOARD))
    rule = Reserved(READING, frozenset({MemberOf(BOARD)}))
    for command in (RemoveMember(ANN, CLUB), UnnestGroup(CLUB, BOARD)):
        found = said(command, rule, state)
        assert isinstance(found, Violated)
        assert found.counterexample.evidence[0].request.principal == ANN
    assert said(RevokeRole(ANN, HEAD), rule, state, Hung()) == Holds()
    kept = Reserved(READING, frozenset({MemberOf(BOARD), HolderOf(HEAD)}))
    assert isinstance(said(RevokeRole(ANN, HEAD), kept, state), Holds)


def test_a_role_that_is_taken_away_may_end_a_clash() -> None:
    """What a dynamic set denied is allowed when a role of it is gone: no emergency skips that."""
    state = office(Assignment(EVE, CLERK), Assignment(EVE, CHIEF), dynamic(pair(2, CLERK, CHIEF)))
    rule = Forbidden(WRITING)
    assert isinstance(said(RevokeRole(EVE, CLERK), rule, state), Violated)
    assert isinstance(said(DeleteSodSet(PAIR), rule, state), Violated)
    assert said(RevokeRole(BOB, HEAD), rule, state) == Holds()
    assert said(DeleteClaim(C2), rule, state, Hung()) == Holds()


def test_a_new_resource_a_new_kind_and_a_new_role_are_looked_at() -> None:
    """Claims on everything reach what was not there before."""
    state = office(
        claim(id=C3, role=HEAD, action=Exactly(WRITE), resource=Any()),
    )
    later = ResourceId("docs/later")
    secret = attributes({"secret": True})
    for command, access in (
        (
            CreateResource(Resource(later, FILE, DOCS, secret)),
            Access(Exactly(WRITE), Any(), secret),
        ),
        (CreateKind(Kind("safe")), Access(Exactly(WRITE), OfKind("safe"))),
        (CreateRole(EXTRA), Access(Exactly(WRITE), Exactly(ResourceId("role:extra")))),
    ):
        found = said(command, Forbidden(access), state)
        assert isinstance(found, Violated), command
        assert said(command, Forbidden(Access(Exactly(READ), access.resource)), state) == Holds()


# ------------------------------------------------------------------------------------- skipping

EVERY_RULE: list[Rule] = [
    Forbidden(WRITING),
    Confined(READING, (TimeWindow(8, 9),)),
    Exclusive(READING, WRITING),
    Capped(READING, 1),
]
TAKING: list[Command] = [
    RevokeRole(BOB, HEAD),
    RevokeGroupRole(BOARD, CLERK),
    RemoveMember(ANN, CLUB),
    UnnestGroup(CLUB, BOARD),
    RemoveParent(HEAD, CLERK),
    DeleteClaim(C1),
    SuspendPrincipal(BOB),
    DeletePrincipal(BOB, cascade=True),
    DeleteGroup(BOARD, cascade=True),
    DeleteResource(PLAN, cascade=True),
    ChangeSet((RevokeRole(BOB, HEAD), RemoveMember(ANN, CLUB))),
]


@pytest.mark.parametrize("command", TAKING)
def test_an_emergency_needs_no_solver(command: Command) -> None:
    """What only takes access away goes through with a hung solver, whatever nobody may do."""
    hard = office(claim(*HARD, id=C3))
    for rule in EVERY_RULE:
        later, delta = of_change(command, hard)
        assert later.revision == 1
        assert skips(delta, Guardrail(WALL, rule), hard)
        assert said(command, rule, hard, Hung()) == Holds()


def test_what_gives_access_is_not_skipped() -> None:
    """A hung solver leaves a change that gives something undetermined, for each rule it touches."""
    giving = CreateClaim(claim(*HARD, id=C3, role=CLERK, action=Exactly(WRITE)))
    unlike = Attribute(HARD[0].path, Operator.GT, HARD[0].operand)
    stuck = CreateClaim(claim(*HARD, unlike, id=C3, role=CLERK, action=Exactly(WRITE)))
    for rule in (Forbidden(WRITING), Exclusive(READING, WRITING), Capped(WRITING, 1)):
        for command in (giving, stuck):
            later, delta = of_change(command, office())
            assert not skips(delta, Guardrail(WALL, rule), office())
            assert later.revision == 1
        assert isinstance(said(giving, rule), Violated)
        assert said(stuck, rule) == Holds()
        assert isinstance(said(stuck, rule, None, Hung()), Undetermined)


def test_one_giving_command_among_others_is_not_skipped() -> None:
    """A set of commands is skipped only if each only takes away."""
    both = ChangeSet((RevokeRole(BOB, HEAD), AssignRole(EVE, CHIEF)))
    assert isinstance(said(both, Forbidden(WRITING)), Violated)


def test_a_claim_under_more_constraints_is_less() -> None:
    """One more constraint only takes away; another one instead may give."""
    fence = GeoFence(frozenset({EU}))
    wall = Guardrail(WALL, Confined(READING, (TimeWindow(8, 9),)))
    before = office()
    tighter = Delta((claim(),), (claim(fence),))
    assert skips(tighter, wall, before)
    looser = Delta((claim(fence),), (claim(TimeWindow(8, 9)),))
    assert not skips(looser, wall, advance(before, tighter))
    other_role = Delta((claim(),), (claim(fence, role=CHIEF),))
    assert not skips(other_role, wall, before)


def test_a_reservation_is_skipped_where_nobody_leaves_those_named() -> None:
    """What takes somebody out of the group, or the role, that is named is looked at."""
    wall = Guardrail(WALL, Reserved(READING, frozenset({MemberOf(BOARD), HolderOf(CLERK)})))
    skipped: list[tuple[Fact, bool]] = [
        (Membership(ANN, CLUB), False),
        (Nesting(CLUB, BOARD), False),
        (GroupAssignment(BOARD, CLERK), False),
        (Assignment(BOB, HEAD), False),
        (Inheritance(HEAD, CLERK), False),
        (claim(), True),
    ]
    before = office()
    assert [skips(Delta((fact,)), wall, before) for fact, _ in skipped] == [
        expected for _, expected in skipped
    ]
    elsewhere = Guardrail(WALL, Reserved(READING, frozenset({HolderOf(CHIEF)})))
    assert all(skips(Delta((fact,)), elsewhere, before) for fact, _ in skipped)


def test_a_static_set_that_is_gone_lets_nobody_do_more() -> None:
    """Only a dynamic set denies requests."""
    wall = Guardrail(WALL, Forbidden(WRITING))
    sets: list[tuple[SodSet, bool]] = [(pair(), True), (dynamic(pair()), False)]
    for sod_set, expected in sets:
        assert skips(Delta((sod_set,)), wall, office(sod_set)) is expected


# ----------------------------------------------------------------------------------------- new


def test_a_new_guardrail_is_judged_in_full() -> None:
    """One that is violated already is refused with a counterexample, whatever else changes."""
    before = office()
    later, delta = of_change(DeleteClaim(C2), before)
    fresh = Guardrail(WALL, Forbidden(READING))
    old = Guardrail(GuardrailId("old"), Forbidden(WRITING))
    found = judge_change(
        before,
        later,
        delta,
        guardrails=[old, fresh],
        solver=Solver(),
        now=NOW,
        new=frozenset({WALL}),
    )
    assert found[old.id] == Holds()
    assert isinstance(found[WALL], Violated)


def test_a_guardrail_that_the_change_adds_is_new() -> None:
    """It is judged in full, and gives no access by which another could be broken."""
    fresh = Guardrail(WALL, Forbidden(READING))
    old = Guardrail(GuardrailId("old"), Forbidden(WRITING))
    delta = Delta((claim(id=C2),), (cast(Fact, fresh),))
    assert skips(delta, old, office())
    found = judge_change(
        office(), office(), delta, guardrails=[old, fresh], solver=Solver(), now=NOW
    )
    assert (found[old.id], type(found[WALL])) == (Holds(), Violated)


def test_what_is_touched_is_told_for_every_fact() -> None:
    """Members of what is nested, holders of what inherits, what lies inside a resource."""
    before = office()
    edge = Delta(added=(Inheritance(CLERK, CHIEF),))
    found = affected(before, advance(before, edge), edge)
    assert found == Affected(frozenset({ANN, BOB}), (), frozenset())
    gone = Delta(removed=(Nesting(CLUB, BOARD),))
    assert affected(before, advance(before, gone), gone).principals == {ANN}
    folder = before.resources[DOCS]
    moved = Resource(DOCS, folder.kind, None, attributes({"secret": True}))
    edit = Delta((folder,), (moved,))
    assert affected(before, advance(before, edit), edit).resources == {DOCS, PLAN}


def test_literals_are_told_apart_by_type() -> None:
    """A claim whose `true` becomes 1 is another claim, not the same under more constraints."""
    path = Path(Root.CONTEXT, AttributeName("a"))
    yes, one = (Attribute(path, Operator.EQ, Literal(value)) for value in (True, 1))
    change = Delta((claim(yes),), (claim(one),))
    assert not skips(change, Guardrail(WALL, Forbidden(READING)), office())
