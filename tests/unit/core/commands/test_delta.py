"""What commands add and remove, in an order in which it can be added and removed."""

from grantproof.core.attributes import attributes
from grantproof.core.commands.delta import ORDER, compose, delta
from grantproof.core.commands.language import (
    AddMember,
    AddParent,
    AssignGroupRole,
    AssignRole,
    ChangeSodSet,
    CreateClaim,
    CreateGroup,
    CreateKind,
    CreatePrincipal,
    CreateResource,
    CreateRole,
    CreateSodSet,
    DeleteClaim,
    DeleteRole,
    NestGroup,
    RemoveMember,
    RemoveParent,
    ResumePrincipal,
    RevokeGroupRole,
    RevokeRole,
    SetPrincipalAttributes,
    SetResourceAttributes,
    SingleCommand,
    SuspendPrincipal,
    UnnestGroup,
)
from grantproof.core.model import (
    Administered,
    Assignment,
    Delta,
    Fact,
    Group,
    GroupAssignment,
    Inheritance,
    KindDeclaration,
    Membership,
    Nesting,
    Principal,
    Resource,
    Role,
    SodSet,
    Validity,
)
from tests.organizations import (
    ANN,
    BOARD,
    BOB,
    C1,
    C2,
    CHIEF,
    CLERK,
    DOCS,
    FILE,
    FOLDER,
    HEAD,
    PAIR,
    PLAN,
    STAFF,
    claim,
    groups,
    library,
    made_of,
    pair,
    people,
    roles,
)

TERM = Validity(1, 9)
TALL = attributes({"tall": True})
ASLEEP = Principal(BOB, active=False)
TALL_ANN = Principal(ANN, attributes=TALL)
STATE = made_of(
    TALL_ANN,
    ASLEEP,
    *groups(STAFF, BOARD),
    *roles(CLERK, HEAD, CHIEF),
    *library(),
    claim(),
    pair(),
    Membership(ANN, STAFF),
    Nesting(STAFF, BOARD),
    Inheritance(CHIEF, CLERK),
    Assignment(ANN, CLERK, TERM),
    GroupAssignment(STAFF, CLERK, TERM),
)
WIDER = SodSet(PAIR, frozenset({CLERK, HEAD, CHIEF}), 3)
NEW = type(ANN)("new")
FORM = type(PLAN)("form")
ADDING: list[tuple[SingleCommand, Fact]] = [
    (CreatePrincipal(NEW, TALL), Principal(NEW, active=True, attributes=TALL)),
    (CreateGroup(type(STAFF)("g")), Group(type(STAFF)("g"))),
    (CreateRole(type(CLERK)("r")), Role(type(CLERK)("r"))),
    (CreateKind(type(FILE)("k")), KindDeclaration(type(FILE)("k"))),
    (CreateResource(Resource(FORM, FILE)), Resource(FORM, FILE)),
    (CreateClaim(claim(id=C2)), claim(id=C2)),
    (CreateSodSet(WIDER), WIDER),
    (AddMember(ANN, BOARD), Membership(ANN, BOARD)),
    (NestGroup(BOARD, STAFF), Nesting(BOARD, STAFF)),
    (AddParent(HEAD, CLERK), Inheritance(HEAD, CLERK)),
    (AssignRole(ANN, HEAD, TERM), Assignment(ANN, HEAD, TERM)),
    (AssignGroupRole(BOARD, HEAD, TERM), GroupAssignment(BOARD, HEAD, TERM)),
]
REMOVING: list[tuple[SingleCommand, Fact]] = [
    (DeleteClaim(C1), claim()),
    (RemoveMember(ANN, STAFF), Membership(ANN, STAFF)),
    (UnnestGroup(STAFF, BOARD), Nesting(STAFF, BOARD)),
    (RemoveParent(CHIEF, CLERK), Inheritance(CHIEF, CLERK)),
    (RevokeRole(ANN, CLERK), Assignment(ANN, CLERK, TERM)),
    (RevokeGroupRole(STAFF, CLERK), GroupAssignment(STAFF, CLERK, TERM)),
]
REPLACING: list[tuple[SingleCommand, Fact, Fact]] = [
    (SuspendPrincipal(ANN), TALL_ANN, Principal(ANN, active=False, attributes=TALL)),
    (ResumePrincipal(BOB), ASLEEP, Principal(BOB)),
    (SetPrincipalAttributes(BOB, TALL), ASLEEP, Principal(BOB, active=False, attributes=TALL)),
    (
        SetResourceAttributes(PLAN, TALL),
        library()[-1],
        Resource(PLAN, FILE, DOCS, TALL),
    ),
    (ChangeSodSet(WIDER), pair(), WIDER),
]


def test_what_adds_adds_one_fact() -> None:
    """Each creation and each link is one fact, with all that the command said."""
    found = [delta(STATE, command) for command, _ in ADDING]
    assert found == [Delta(added=(fact,)) for _, fact in ADDING]


def test_what_removes_removes_one_fact() -> None:
    """Each link goes with what it carried, its validity included."""
    found = [delta(STATE, command) for command, _ in REMOVING]
    assert found == [Delta(removed=(fact,)) for _, fact in REMOVING]


def test_what_edits_replaces_one_fact_by_another() -> None:
    """Everything that the command did not name stays as it was."""
    found = [delta(STATE, command) for command, _, _ in REPLACING]
    assert found == [Delta((before,), (after,)) for _, before, after in REPLACING]


def test_a_cascade_removes_edges_before_their_node() -> None:
    """The role itself goes last, so that no lookup ever misses it."""
    state = made_of(
        *people(ANN), *roles(CLERK, HEAD), Inheritance(HEAD, CLERK), Assignment(ANN, CLERK)
    )
    removed = delta(state, DeleteRole(CLERK, cascade=True)).removed
    assert removed == (Assignment(ANN, CLERK), Inheritance(HEAD, CLERK), Role(CLERK))


def test_nodes_come_before_what_refers_to_them() -> None:
    """Entities, what refers to them, edges, and last the remembered administrator."""
    names = [fact.__name__ for fact in sorted(ORDER, key=lambda fact: ORDER[fact])]
    assert names[:4] == ["Principal", "Group", "Role", "KindDeclaration"]
    assert names.index("KindDeclaration") < names.index("Resource") < names.index("Claim")
    assert names[-1] == Administered.__name__
    assert set(names[8:13]) == {
        "Membership",
        "Nesting",
        "Inheritance",
        "Assignment",
        "GroupAssignment",
    }


def test_composing_cancels_what_comes_and_goes() -> None:
    """Added then removed, and removed then added, is nothing; a second edit replaces the first."""
    one, two, three = (Assignment(ANN, CLERK, Validity(n)) for n in (1, 2, 3))
    role = Role(CHIEF)
    cases = [
        [Delta(added=(role,)), Delta(removed=(role,))],
        [Delta(removed=(role,)), Delta(added=(role,))],
        [Delta((one,), (two,)), Delta((two,), (three,))],
        [Delta((one,), (two,)), Delta((two,), (one,))],
        [Delta(added=(one,)), Delta((one,), (two,))],
    ]
    assert [compose(case) for case in cases] == [
        Delta(),
        Delta(),
        Delta((one,), (three,)),
        Delta(),
        Delta(added=(two,)),
    ]


def test_composing_orders_facts_across_commands() -> None:
    """However commands came, nodes are added first and removed last."""
    edge, role, kind = Inheritance(HEAD, CLERK), Role(HEAD), KindDeclaration(FOLDER)
    steps = [Delta(added=(fact,)) for fact in (edge, kind, role)]
    undone = [Delta(removed=(fact,)) for fact in (role, edge, kind)]
    assert compose(steps) == Delta(added=(role, kind, edge))
    assert compose(undone) == Delta(removed=(edge, kind, role))
