"""The compiled index by example: what it must forget when a change touches it. P-INDEX."""

from dataclasses import replace

import pytest

from grantproof.core.attributes import (
    Attributes,
    ClockYear,
    Literal,
    Operator,
    Path,
    Root,
    attributes,
)
from grantproof.core.commands import Accepted
from grantproof.core.commands.language import (
    AddMember,
    AddParent,
    AssignGroupRole,
    AssignRole,
    ChangeSet,
    ChangeSodSet,
    Command,
    CreateClaim,
    CreateKind,
    CreateResource,
    CreateRole,
    CreateSodSet,
    DeleteClaim,
    DeleteGroup,
    DeleteKind,
    DeletePrincipal,
    DeleteResource,
    DeleteRole,
    DeleteSodSet,
    NestGroup,
    RemoveMember,
    RemoveParent,
    ResumePrincipal,
    RevokeGroupRole,
    RevokeRole,
    SetPrincipalAttributes,
    SetResourceAttributes,
    SuspendPrincipal,
    UnnestGroup,
)
from grantproof.core.constraints import Attribute, Constraint, Context, MaxUsage, TimeWindow
from grantproof.core.identifiers import AttributeName, ResourceId
from grantproof.core.index import Index
from grantproof.core.matching import Request
from grantproof.core.model import (
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
    Validity,
    Within,
)
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow, evaluate
from tests.organizations import (
    ANN,
    BOARD,
    C1,
    C2,
    C3,
    CLERK,
    DOCS,
    FILE,
    FOLDER,
    HEAD,
    NOON,
    PAIR,
    PLAN,
    STAFF,
    WRITE,
    asks,
    claim,
    dynamic,
    essence,
    groups,
    library,
    made_of,
    outcome,
    pair,
    people,
    roles,
)

ROOT, MEMO = ResourceId("root"), ResourceId("memo")
BASE: tuple[Fact, ...] = (
    *people(ANN),
    *groups(STAFF, BOARD),
    *roles(CLERK, HEAD),
    *library(),
    Resource(ROOT, FOLDER),
)
ON_MEMO = replace(asks(), resource=MEMO, kind="file")
LEVEL = AttributeName("level")
SENIOR = Attribute(Path(Root.PRINCIPAL, LEVEL), Operator.EQ, Literal(1))
SECRET = Attribute(Path(Root.RESOURCE, LEVEL), Operator.EQ, Literal(1))
ONE, TRUE = attributes({"level": 1}), attributes({"level": True})
ABOVE, BEYOND = type(CLERK)("x"), type(CLERK)("y")
HEAD_ONLY = claim(role=HEAD)
HELD = Assignment(ANN, CLERK)
# From some facts, a command, and a question whose answer the command changes.
TURNS: dict[str, tuple[tuple[Fact, ...], Command, Request]] = {
    "assign": ((claim(),), AssignRole(ANN, CLERK), asks()),
    "revoke": ((claim(), HELD), RevokeRole(ANN, CLERK), asks()),
    "suspend": ((claim(), HELD), SuspendPrincipal(ANN), asks()),
    "resume": ((claim(), HELD, Principal(ANN, active=False)), ResumePrincipal(ANN), asks()),
    "delete principal": ((claim(), HELD), DeletePrincipal(ANN, cascade=True), asks()),
    "add member": ((claim(), GroupAssignment(STAFF, CLERK)), AddMember(ANN, STAFF), asks()),
    "remove member": (
        (claim(), GroupAssignment(STAFF, CLERK), Membership(ANN, STAFF)),
        RemoveMember(ANN, STAFF),
        asks(),
    ),
    "nest": (
        (claim(), GroupAssignment(BOARD, CLERK), Membership(ANN, STAFF)),
        NestGroup(STAFF, BOARD),
        asks(),
    ),
    "unnest": (
        (claim(), GroupAssignment(BOARD, CLERK), Membership(ANN, STAFF), Nesting(STAFF, BOARD)),
        UnnestGroup(STAFF, BOARD),
        asks(),
    ),
    "assign to group": (
        (claim(), Membership(ANN, STAFF), Nesting(STAFF, BOARD)),
        AssignGroupRole(BOARD, CLERK),
        asks(),
    ),
    "revoke from group": (
        (claim(), GroupAssignment(STAFF, CLERK), Membership(ANN, STAFF)),
        RevokeGroupRole(STAFF, CLERK),
        asks(),
    ),
    "delete group": (
        (claim(), GroupAssignment(STAFF, CLERK), Membership(ANN, STAFF)),
        DeleteGroup(STAFF, cascade=True),
        asks(),
    ),
    "add parent": ((HEAD_ONLY, HELD), AddParent(CLERK, HEAD), asks()),
    "add a parent that inherits": (
        (claim(role=ABOVE), HELD, Inheritance(HEAD, ABOVE)),
        AddParent(CLERK, HEAD),
        asks(),
    ),
    "remove a parent that inherits": (
        (claim(role=ABOVE), HELD, Inheritance(HEAD, ABOVE), Inheritance(CLERK, HEAD)),
        RemoveParent(CLERK, HEAD),
        asks(),
    ),
    "remove parent": (
        (HEAD_ONLY, HELD, Inheritance(CLERK, HEAD)),
        RemoveParent(CLERK, HEAD),
        asks(),
    ),
    "delete role": (
        (HEAD_ONLY, HELD, Inheritance(CLERK, HEAD)),
        DeleteRole(HEAD, cascade=True),
        asks(),
    ),
    "create claim": ((HELD,), CreateClaim(claim()), asks()),
    "create claim on a kind": ((HELD,), CreateClaim(claim(resource=OfKind("file"))), ON_MEMO),
    "create claim on everything": (
        (HELD,),
        CreateClaim(claim(action=Any(), resource=Any())),
        replace(ON_MEMO, action=WRITE),
    ),
    "create claim on a subtree": ((HELD,), CreateClaim(claim(resource=Within(DOCS))), asks()),
    "create claim on an implicit kind": (
        (HELD,),
        CreateClaim(claim(resource=OfKind("role"))),
        asks(resource=ResourceId("role:clerk")),
    ),
    "delete claim": ((HELD, claim()), DeleteClaim(C1), asks()),
    "replace claim": (
        (HELD, claim()),
        ChangeSet((DeleteClaim(C1), CreateClaim(claim(TimeWindow(0, 1))))),
        asks(),
    ),
    "another claim first": (
        (HELD, claim(id=C2)),
        CreateClaim(claim(id=C1, resource=Within(DOCS))),
        asks(),
    ),
    "create set": (
        (claim(), HELD, Assignment(ANN, HEAD)),
        CreateSodSet(dynamic(pair())),
        asks(),
    ),
    "change set": (
        (claim(), HELD, Assignment(ANN, HEAD), dynamic(pair(3, CLERK, HEAD, type(CLERK)("x")))),
        ChangeSodSet(dynamic(pair())),
        asks(),
    ),
    "delete set": (
        (claim(), HELD, Assignment(ANN, HEAD), dynamic(pair())),
        DeleteSodSet(PAIR),
        asks(),
    ),
    "add parent into a set": (
        (claim(), HELD, dynamic(pair())),
        AddParent(CLERK, HEAD),
        asks(),
    ),
    "parents and the set that they clash in": (
        (claim(), HELD),
        ChangeSet(
            (
                AddParent(CLERK, HEAD),
                AddParent(CLERK, ABOVE),
                CreateSodSet(dynamic(pair(2, HEAD, ABOVE))),
            )
        ),
        asks(),
    ),
    "a new role and who inherits it": (
        (HELD,),
        ChangeSet(
            (
                CreateRole(BEYOND),
                CreateClaim(claim(role=BEYOND)),
                AddParent(CLERK, BEYOND),
            )
        ),
        asks(),
    ),
    "create resource": (
        (claim(resource=Within(DOCS)), HELD),
        CreateResource(Resource(MEMO, FILE, DOCS)),
        replace(ON_MEMO, kind=None),
    ),
    "delete resource": ((claim(resource=Any()), HELD), DeleteResource(PLAN), asks()),
    "register what was of a kind": (
        (claim(resource=Within(DOCS)), HELD),
        CreateResource(Resource(MEMO, FILE, DOCS)),
        ON_MEMO,
    ),
    "create kind": (
        (claim(resource=Any()), HELD),
        CreateKind(type(FILE)("new")),
        replace(ON_MEMO, kind="new"),
    ),
    "delete kind": ((claim(resource=Any()), HELD), DeleteKind(FILE, cascade=True), ON_MEMO),
    "principal attributes": (
        (claim(SENIOR), HELD),
        SetPrincipalAttributes(ANN, ONE),
        asks(),
    ),
    "resource attributes": ((claim(SECRET), HELD), SetResourceAttributes(PLAN, ONE), asks()),
    "move a resource": (
        (claim(resource=Within(ROOT)), HELD),
        ChangeSet((DeleteResource(PLAN), CreateResource(Resource(PLAN, FILE, ROOT)))),
        asks(),
    ),
}


def agrees(before: Organization, command: Command, request: Request) -> bool:
    """Whether the index, asked before and after it follows the command, says what is right."""
    index = Index(before)
    assert essence(index.decide(request, NOON)) == essence(evaluate(before, request, NOON))
    result = outcome(before, command)
    assert isinstance(result, Accepted), result
    index.follow(result.state, result.event.delta)
    expected = evaluate(result.state, request, NOON)
    return essence(index.decide(request, NOON)) == essence(expected)


@pytest.mark.parametrize(("facts", "command", "request_"), TURNS.values(), ids=TURNS.keys())
def test_p_index_an_answer_follows_the_command_that_changes_it(
    facts: tuple[Fact, ...], command: Command, request_: Request
) -> None:
    """P-INDEX: each command changes a decision that the index has already compiled."""
    entities = [*BASE, *roles(type(CLERK)("x"))]
    before = made_of(*entities, *facts)
    result = outcome(before, command)
    assert isinstance(result, Accepted), result
    answers = [essence(evaluate(state, request_, NOON)) for state in (before, result.state)]
    assert answers[0] != answers[1]
    assert agrees(before, command, request_)


IN_ROOT = claim(resource=Within(ROOT))
INWARD = ChangeSet(
    (
        DeleteResource(DOCS, cascade=True),
        CreateResource(Resource(DOCS, FOLDER, ROOT)),
        CreateResource(Resource(PLAN, FILE, DOCS)),
    )
)
OUTWARD = ChangeSet(
    (
        DeleteResource(DOCS, cascade=True),
        CreateResource(Resource(DOCS, FOLDER)),
        CreateResource(Resource(PLAN, FILE, DOCS)),
    )
)


def test_p_index_a_resource_moves_with_the_folder_it_is_in() -> None:
    """P-INDEX: a folder that moves in one change set takes what lies in it along."""
    assert agrees(made_of(*BASE, IN_ROOT, HELD), INWARD, asks())


def test_p_index_a_resource_leaves_with_the_folder_it_is_in() -> None:
    """P-INDEX: what was allowed inside the old place is no longer allowed outside."""
    inside = [
        replace(fact, parent=ROOT) if isinstance(fact, Resource) and fact.id == DOCS else fact
        for fact in BASE
    ]
    assert agrees(made_of(*inside, IN_ROOT, HELD), OUTWARD, asks())


@pytest.mark.parametrize(("before", "now"), [(ONE, TRUE), (TRUE, ONE)])
def test_p_index_true_and_one_are_told_apart_over_a_change_set(
    before: Attributes, now: Attributes
) -> None:
    """P-INDEX: an attribute that changes from `1` to `true` within a set changes the answer."""
    state = made_of(*BASE, claim(SECRET), HELD)
    index = Index(state)
    for change in (
        SetResourceAttributes(PLAN, before),
        ChangeSet((SetResourceAttributes(PLAN, attributes({})), SetResourceAttributes(PLAN, now))),
    ):
        result = outcome(state, change)
        assert isinstance(result, Accepted)
        state = result.state
        index.follow(state, result.event.delta)
        expected = evaluate(state, asks(), NOON)
        assert essence(index.decide(asks(), NOON)) == essence(expected)
    assert isinstance(evaluate(state, asks(), NOON), Allow) == (now is ONE)


def at(instant: int) -> Context:
    """Noon at another instant."""
    return replace(NOON, instant=instant)


def test_a_verdict_holds_until_the_next_boundary() -> None:
    """`until` is the next instant at which an assignment of the principal starts or ends."""
    index = Index(made_of(*BASE, claim(), Assignment(ANN, CLERK, Validity(10, 20))))
    found = [index.ask(asks(), at(instant)).until for instant in (0, 9, 10, 19, 20)]
    assert found == [10, 10, 20, 20, None]


def test_a_verdict_says_what_could_change_it() -> None:
    """Whether the hour or the year matters, and whether usage or rate does."""
    this_year = Attribute(Path(Root.RESOURCE, LEVEL), Operator.EQ, ClockYear())
    lists: list[list[Constraint]] = [[], [TimeWindow(0, 24)], [MaxUsage(1)], [this_year]]
    indexes = [Index(made_of(*BASE, claim(*listed), HELD)) for listed in lists]
    verdicts = [index.ask(asks(), NOON) for index in indexes]
    assert [(one.hourly, one.yearly, one.metered) for one in verdicts] == [
        (False, False, False),
        (True, False, False),
        (False, False, True),
        (True, True, False),
    ]


def test_the_least_claim_of_all_roles_grants() -> None:
    """Unmetered first, then by id, over all active roles and in whichever order they come."""
    metered, later, first = claim(MaxUsage(9), id=C1), claim(id=C3), claim(id=C2, role=HEAD)
    held = (HELD, Assignment(ANN, HEAD))
    context = replace(NOON, usage=0)
    for claims in ([metered, later, first], [later, first], [metered, first], [metered, later]):
        state = made_of(*BASE, *claims, *held)
        expected = essence(evaluate(state, asks(), context))
        assert essence(Index(state).decide(asks(), context)) == expected


def test_an_index_serves_nobody_it_does_not_know() -> None:
    """Asked of a stranger or a stranger's resource it remembers nothing wrong."""
    index = Index(made_of(*BASE, claim(), HELD))
    stranger = asks(type(ANN)("stranger"))
    nowhere = asks(resource=ResourceId("nowhere"))
    for request in (stranger, nowhere, asks(kind="folder"), asks(), asks(kind="folder"), stranger):
        assert essence(index.decide(request, NOON)) == essence(evaluate(index.state, request, NOON))


def test_actions_that_no_claim_names_share_what_any_grants() -> None:
    """`*` grants every unnamed action but the administrative ones, before and after naming."""
    state = made_of(*BASE, claim(action=Any(), resource=Any()), HELD)
    index = Index(state)
    names = ("read", "write", "administer", "assign", "other")
    requests = [asks(action=type(WRITE)(name)) for name in names]
    named = CreateClaim(claim(id=C2, action=Exactly(WRITE)))
    for change in (named, DeleteClaim(C2), DeleteClaim(C1)):
        for request in requests:
            expected = essence(evaluate(state, request, NOON))
            assert essence(index.decide(request, NOON)) == expected
        result = outcome(state, change)
        assert isinstance(result, Accepted)
        state = result.state
        index.follow(state, result.event.delta)


def test_p_index_a_link_among_other_facts_is_followed() -> None:
    """P-INDEX: a change set may bring a link of roles and what has nothing to do with it."""
    mixed = ChangeSet((AddParent(CLERK, HEAD), CreateKind(type(FILE)("new"))))
    assert agrees(made_of(*BASE, HEAD_ONLY, HELD), mixed, asks())


def test_p_index_a_claim_on_everything_bears_on_what_is_compiled() -> None:
    """P-INDEX: on each resource that its action was asked of."""
    everything = CreateClaim(claim(resource=Any()))
    assert agrees(made_of(*BASE, HELD, claim(id=C2, role=HEAD)), everything, asks())
