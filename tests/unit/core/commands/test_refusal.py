"""Every ground on which a command is refused, each with its witness."""

from dataclasses import replace

import pytest

from grantproof.core.attributes import attributes
from grantproof.core.commands.language import (
    AddMember,
    AddParent,
    AssignGroupRole,
    AssignRole,
    ChangeSodSet,
    CreateClaim,
    CreateGroup,
    CreateGuardrail,
    CreateKind,
    CreatePrincipal,
    CreateResource,
    CreateRole,
    CreateSodSet,
    DeleteClaim,
    DeleteGroup,
    DeleteGuardrail,
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
    SingleCommand,
    SuspendPrincipal,
    UnnestGroup,
)
from grantproof.core.commands.refusal import AGAINST, refusal
from grantproof.core.errors import (
    AlreadyExists,
    AlreadySo,
    BreaksSod,
    HeldRole,
    Missing,
    Noun,
    Refusal,
    WouldCycle,
)
from grantproof.core.identifiers import (
    ClaimId,
    GroupId,
    GuardrailId,
    Kind,
    PrincipalId,
    ResourceId,
    RoleId,
)
from grantproof.core.model import (
    Any,
    Assignment,
    Claim,
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
    SodSet,
    Validity,
    Within,
)
from tests.organizations import (
    ACME,
    ANN,
    BOARD,
    BOB,
    CHIEF,
    CLERK,
    CLUB,
    DOCS,
    FILE,
    HEAD,
    PAIR,
    PLAN,
    READ,
    STAFF,
    claim,
    dynamic,
    groups,
    guardrail,
    library,
    made_of,
    pair,
    people,
    refusal_of,
    roles,
)

NO_ONE, NO_GROUP, NO_ROLE = PrincipalId("no"), GroupId("no"), RoleId("no")
NO_KIND, NOWHERE, NO_CLAIM = Kind("no"), ResourceId("no"), ClaimId("no")
SET: Noun = "separation-of-duty set"
EMPTY = attributes({})
LAW = guardrail(on=Any())
FULL = made_of(
    *people(ANN),
    Principal(BOB, active=False),
    *groups(STAFF, BOARD),
    *roles(CLERK, HEAD, CHIEF),
    *library(),
    claim(),
    pair(),
    Membership(ANN, STAFF),
    Nesting(STAFF, BOARD),
    Inheritance(CHIEF, CLERK),
    Assignment(ANN, CLERK),
    GroupAssignment(BOARD, CLERK),
    LAW,
)
GHOSTS = SodSet(PAIR, frozenset({CLERK, NO_ROLE}), 2)


def grants(resource: ResourcePattern, role: RoleId = CLERK) -> CreateClaim:
    """The creation of a claim on the resource."""
    return CreateClaim(Claim(ClaimId("new"), role, Exactly(READ), resource))


MISSING: list[tuple[SingleCommand, Missing]] = [
    (DeletePrincipal(NO_ONE), Missing("principal", ("no",))),
    (SuspendPrincipal(NO_ONE), Missing("principal", ("no",))),
    (ResumePrincipal(NO_ONE), Missing("principal", ("no",))),
    (SetPrincipalAttributes(NO_ONE, EMPTY), Missing("principal", ("no",))),
    (DeleteGroup(NO_GROUP), Missing("group", ("no",))),
    (DeleteRole(NO_ROLE, cascade=True), Missing("role", ("no",))),
    (DeleteKind(NO_KIND), Missing("kind", ("no",))),
    (CreateResource(Resource(NOWHERE, NO_KIND)), Missing("kind", ("no",))),
    (
        CreateResource(Resource(ResourceId("x"), FILE, parent=NOWHERE)),
        Missing("resource", ("no",)),
    ),
    (CreateResource(Resource(NOWHERE, FILE, parent=NOWHERE)), Missing("resource", ("no",))),
    (DeleteResource(NOWHERE), Missing("resource", ("no",))),
    (SetResourceAttributes(NOWHERE, EMPTY), Missing("resource", ("no",))),
    (grants(Any(), NO_ROLE), Missing("role", ("no",))),
    (grants(Exactly(NOWHERE)), Missing("resource", ("no",))),
    (grants(Within(NOWHERE)), Missing("resource", ("no",))),
    (grants(Exactly(ResourceId("role:no"))), Missing("resource", ("role:no",))),
    (
        grants(Within(ResourceId("organization:other"))),
        Missing("resource", ("organization:other",)),
    ),
    (grants(OfKind("no")), Missing("kind", ("no",))),
    (DeleteClaim(NO_CLAIM), Missing("claim", ("no",))),
    (CreateSodSet(GHOSTS), Missing("role", ("no",))),
    (ChangeSodSet(GHOSTS), Missing("role", ("no",))),
    (
        ChangeSodSet(SodSet(type(PAIR)("no"), frozenset({CLERK, HEAD}), 2)),
        Missing(SET, ("no",)),
    ),
    (DeleteSodSet(type(PAIR)("no")), Missing(SET, ("no",))),
    (CreateGuardrail(guardrail(on=Exactly(NOWHERE))), Missing("resource", ("no",))),
    (DeleteGuardrail(GuardrailId("no")), Missing("guardrail", ("no",))),
    (AddMember(NO_ONE, STAFF), Missing("principal", ("no",))),
    (AddMember(ANN, NO_GROUP), Missing("group", ("no",))),
    (RemoveMember(ANN, BOARD), Missing("membership", ("ann", "board"))),
    (RemoveMember(NO_ONE, BOARD), Missing("membership", ("no", "board"))),
    (NestGroup(NO_GROUP, STAFF), Missing("group", ("no",))),
    (NestGroup(STAFF, NO_GROUP), Missing("group", ("no",))),
    (UnnestGroup(BOARD, STAFF), Missing("nesting", ("board", "staff"))),
    (UnnestGroup(NO_GROUP, STAFF), Missing("nesting", ("no", "staff"))),
    (AddParent(NO_ROLE, CLERK), Missing("role", ("no",))),
    (AddParent(CLERK, NO_ROLE), Missing("role", ("no",))),
    (RemoveParent(CLERK, CHIEF), Missing("parent", ("clerk", "chief"))),
    (AssignRole(NO_ONE, CLERK), Missing("principal", ("no",))),
    (AssignRole(ANN, NO_ROLE), Missing("role", ("no",))),
    (RevokeRole(ANN, HEAD), Missing("assignment", ("ann", "head"))),
    (RevokeRole(ANN, CHIEF), Missing("assignment", ("ann", "chief"))),
    (AssignGroupRole(NO_GROUP, CLERK), Missing("group", ("no",))),
    (AssignGroupRole(STAFF, NO_ROLE), Missing("role", ("no",))),
    (RevokeGroupRole(STAFF, CLERK), Missing("assignment", ("staff", "clerk"))),
]
TAKEN: list[tuple[SingleCommand, AlreadyExists]] = [
    (CreatePrincipal(ANN), AlreadyExists("principal", ("ann",))),
    (CreateGroup(STAFF), AlreadyExists("group", ("staff",))),
    (CreateRole(CLERK), AlreadyExists("role", ("clerk",))),
    (CreateKind(FILE), AlreadyExists("kind", ("file",))),
    (CreateResource(Resource(DOCS, FILE)), AlreadyExists("resource", ("docs",))),
    (CreateClaim(claim(resource=Any())), AlreadyExists("claim", ("c1",))),
    (CreateSodSet(dynamic(pair())), AlreadyExists(SET, ("pair",))),
    (CreateGuardrail(LAW), AlreadyExists("guardrail", ("calm",))),
    (AddMember(ANN, STAFF), AlreadyExists("membership", ("ann", "staff"))),
    (NestGroup(STAFF, BOARD), AlreadyExists("nesting", ("staff", "board"))),
    (AddParent(CHIEF, CLERK), AlreadyExists("parent", ("chief", "clerk"))),
    (AssignRole(ANN, CLERK, Validity(5)), AlreadyExists("assignment", ("ann", "clerk"))),
    (AssignGroupRole(BOARD, CLERK), AlreadyExists("assignment", ("board", "clerk"))),
]


@pytest.mark.parametrize(("command", "witness"), MISSING, ids=lambda part: type(part).__name__)
def test_a_reference_to_what_is_not_there_is_refused(
    command: SingleCommand, witness: Missing
) -> None:
    """P-REF: whatever a command refers to must exist; the first that does not is named."""
    assert refusal_of(FULL, command) == witness


@pytest.mark.parametrize(("command", "witness"), TAKEN, ids=lambda part: type(part).__name__)
def test_what_is_there_already_is_refused(command: SingleCommand, witness: AlreadyExists) -> None:
    """Nothing is made twice, whatever else would differ."""
    assert refusal_of(FULL, command) == witness


def test_a_suspension_is_not_repeated() -> None:
    """Suspending a suspended, resuming an active principal is refused with its status."""
    assert refusal_of(FULL, SuspendPrincipal(BOB)) == AlreadySo("bob", "suspended")
    assert refusal_of(FULL, ResumePrincipal(ANN)) == AlreadySo("ann", "active")
    assert refusal_of(FULL, ResumePrincipal(BOB)) is None


@pytest.mark.parametrize(
    "resource",
    [
        Exactly(PLAN),
        Within(DOCS),
        Exactly(ResourceId("role:clerk")),
        Within(ResourceId("group:staff")),
        Exactly(ResourceId("sod-set:pair")),
        Exactly(ResourceId(f"organization:{ACME}")),
        OfKind("file"),
        OfKind("role"),
        OfKind("group"),
        OfKind("sod-set"),
        OfKind("organization"),
        Any(),
    ],
)
def test_a_claim_may_be_on_anything_that_is_there(resource: ResourcePattern) -> None:
    """Registered and implicit resources, declared and implicit kinds, everything."""
    assert refusal_of(FULL, grants(resource)) is None


def test_a_cycle_of_roles_is_refused_and_named() -> None:
    """P-DAG: from the child over its new parent back to itself."""
    state = made_of(*roles(CLERK, HEAD, CHIEF), Inheritance(CHIEF, HEAD), Inheritance(HEAD, CLERK))
    cycles = {
        AddParent(CLERK, CHIEF): ("clerk", "chief", "head", "clerk"),
        AddParent(CLERK, HEAD): ("clerk", "head", "clerk"),
        AddParent(CLERK, CLERK): ("clerk", "clerk"),
    }
    for command, cycle in cycles.items():
        assert refusal_of(state, command) == WouldCycle("role", cycle)
    assert refusal_of(state, AddParent(CHIEF, CLERK)) is None


def test_a_cycle_of_groups_is_refused_and_named() -> None:
    """P-DAG: the same for groups in groups."""
    state = made_of(*groups(STAFF, BOARD, CLUB), Nesting(STAFF, BOARD), Nesting(BOARD, CLUB))
    cycles = {
        NestGroup(CLUB, STAFF): ("club", "staff", "board", "club"),
        NestGroup(BOARD, STAFF): ("board", "staff", "board"),
        NestGroup(CLUB, CLUB): ("club", "club"),
    }
    for command, cycle in cycles.items():
        assert refusal_of(state, command) == WouldCycle("group", cycle)
    assert refusal_of(state, NestGroup(STAFF, CLUB)) is None


OFFICE = (*people(ANN, BOB), *groups(STAFF, BOARD), *roles(CLERK, HEAD, CHIEF))
CLERK_ALREADY = (*OFFICE, pair(), Assignment(ANN, CLERK))
DIRECT_CLERK, DIRECT_HEAD = HeldRole((), (CLERK,)), HeldRole((), (HEAD,))
BREACHES: dict[str, tuple[tuple[Fact, ...], SingleCommand, tuple[HeldRole, ...]]] = {
    "assign": (CLERK_ALREADY, AssignRole(ANN, HEAD), (DIRECT_HEAD, DIRECT_CLERK)),
    "assign a child": (
        (*CLERK_ALREADY, Inheritance(CHIEF, HEAD)),
        AssignRole(ANN, CHIEF),
        (HeldRole((), (CHIEF, HEAD)), DIRECT_CLERK),
    ),
    "assign an unholdable role": (
        (*OFFICE, pair(), Inheritance(CHIEF, HEAD), Inheritance(CHIEF, CLERK)),
        AssignRole(ANN, CHIEF),
        (HeldRole((), (CHIEF, CLERK)), HeldRole((), (CHIEF, HEAD))),
    ),
    "assign to a group": (
        (*CLERK_ALREADY, Membership(ANN, STAFF)),
        AssignGroupRole(STAFF, HEAD),
        (HeldRole((STAFF,), (HEAD,)), DIRECT_CLERK),
    ),
    "assign to a container": (
        (*CLERK_ALREADY, Membership(ANN, STAFF), Nesting(STAFF, BOARD)),
        AssignGroupRole(BOARD, HEAD),
        (HeldRole((STAFF, BOARD), (HEAD,)), DIRECT_CLERK),
    ),
    "add a member": (
        (*CLERK_ALREADY, GroupAssignment(STAFF, HEAD)),
        AddMember(ANN, STAFF),
        (HeldRole((STAFF,), (HEAD,)), DIRECT_CLERK),
    ),
    "add a member to a nested group": (
        (*CLERK_ALREADY, Nesting(STAFF, BOARD), GroupAssignment(BOARD, HEAD)),
        AddMember(ANN, STAFF),
        (HeldRole((STAFF, BOARD), (HEAD,)), DIRECT_CLERK),
    ),
    "nest": (
        (*CLERK_ALREADY, Membership(ANN, STAFF), GroupAssignment(BOARD, HEAD)),
        NestGroup(STAFF, BOARD),
        (HeldRole((STAFF, BOARD), (HEAD,)), DIRECT_CLERK),
    ),
    "add a parent": (
        (*CLERK_ALREADY, Assignment(ANN, CHIEF)),
        AddParent(CHIEF, HEAD),
        (HeldRole((), (CHIEF, HEAD)), DIRECT_CLERK),
    ),
    "add a parent further up": (
        (*OFFICE, pair(), Inheritance(CHIEF, HEAD), Assignment(ANN, CHIEF)),
        AddParent(HEAD, CLERK),
        (HeldRole((), (CHIEF, HEAD, CLERK)), HeldRole((), (CHIEF, HEAD))),
    ),
    "create a set": (
        (*OFFICE, Assignment(ANN, CLERK), Assignment(ANN, HEAD)),
        CreateSodSet(pair()),
        (DIRECT_CLERK, DIRECT_HEAD),
    ),
    "make a set static": (
        (*OFFICE, dynamic(pair()), Assignment(ANN, CLERK), Assignment(ANN, HEAD)),
        ChangeSodSet(pair()),
        (DIRECT_CLERK, DIRECT_HEAD),
    ),
    "lower the count of a set": (
        (*OFFICE, pair(3, CLERK, HEAD, CHIEF), Assignment(ANN, CLERK), Assignment(ANN, HEAD)),
        ChangeSodSet(pair(2, CLERK, HEAD, CHIEF)),
        (DIRECT_CLERK, DIRECT_HEAD),
    ),
    "assign to a suspended principal": (
        (*CLERK_ALREADY, Principal(ANN, active=False)),
        AssignRole(ANN, HEAD),
        (DIRECT_HEAD, DIRECT_CLERK),
    ),
}


@pytest.mark.parametrize(("facts", "command", "held"), BREACHES.values(), ids=BREACHES.keys())
def test_a_breach_of_static_duty_is_refused_with_every_path(
    facts: tuple[Fact, ...], command: SingleCommand, held: tuple[HeldRole, ...]
) -> None:
    """P-SOD-SAFE: every way to break a set is refused; roles to be gained are told first."""
    assert refusal_of(made_of(*facts), command) == BreaksSod(PAIR, 2, ANN, None, held)


@pytest.mark.parametrize(("facts", "command", "held"), BREACHES.values(), ids=BREACHES.keys())
def test_the_same_command_is_accepted_without_the_set(
    facts: tuple[Fact, ...], command: SingleCommand, held: tuple[HeldRole, ...]
) -> None:
    """The set is what refuses it: bound dynamically it does not."""
    assert len(held) == 2
    loose = [dynamic(fact) if isinstance(fact, SodSet) else fact for fact in facts]
    if isinstance(command, CreateSodSet | ChangeSodSet):
        command = type(command)(dynamic(command.sod_set))
    assert refusal_of(made_of(*loose), command) is None


@pytest.mark.parametrize(
    ("validity", "instant"),
    [
        (Validity(5, 10), "no breach"),
        (Validity(20), "no breach"),
        (Validity(5, 11), 10),
        (Validity(19), 19),
        (Validity(10, 20), 10),
        (Validity(), 10),
    ],
)
def test_a_breach_at_a_future_instant_is_refused(validity: Validity, instant: object) -> None:
    """Beside [10, 20): touching is legal, one shared second is not, and the instant is named."""
    state = made_of(*OFFICE, pair(), Assignment(ANN, CLERK, Validity(10, 20)))
    found = refusal_of(state, AssignRole(ANN, HEAD, validity))
    assert (found.instant if isinstance(found, BreaksSod) else "no breach") == instant


def test_the_least_principal_in_breach_is_named() -> None:
    """Of several the first by id, so that equal states give equal witnesses."""
    held = [Assignment(one, role) for role in (CLERK, HEAD) for one in (BOB, ANN)]
    found = [refusal_of(made_of(*OFFICE, *some), CreateSodSet(pair())) for some in (held, held[:3])]
    assert [one.principal for one in found if isinstance(one, BreaksSod)] == [ANN, BOB]


def test_whom_a_command_does_not_affect_is_not_asked() -> None:
    """A command is not refused for what is there already: it must be what breaks the set."""
    broken = made_of(*OFFICE, pair(), Assignment(ANN, CLERK), Assignment(ANN, HEAD))
    assert refusal_of(broken, AssignRole(BOB, CLERK)) is None
    assert refusal_of(broken, RevokeRole(ANN, CLERK)) is None


SEVERAL: list[tuple[str, SingleCommand, type[Refusal]]] = [
    ("existence before all", AddParent(NO_ROLE, NO_ROLE), Missing),
    ("there already before a cycle", AddParent(CHIEF, CLERK), AlreadyExists),
    ("a cycle before separation of duty", AddParent(CLERK, CLERK), WouldCycle),
]


@pytest.mark.parametrize(("order", "command", "witness"), SEVERAL, ids=[row[0] for row in SEVERAL])
def test_the_first_ground_is_the_one_given(
    order: str, command: SingleCommand, witness: type[Refusal]
) -> None:
    """Existence first, then structure, then limits, then separation of duty."""
    assert isinstance(refusal_of(FULL, command), witness), order


def test_refusal_and_apply_agree() -> None:
    """The witness of `refusal` is the one that `apply` gives."""
    assert [refusal(FULL, command) for command, _ in [*MISSING, *TAKEN]] == [
        refusal_of(FULL, command) for command, _ in [*MISSING, *TAKEN]
    ]
    assert len(AGAINST) == 7


def test_what_is_to_be_gained_is_told_first_at_any_instant() -> None:
    """What is held already at that instant comes after, whatever is held when time begins."""
    state = made_of(*OFFICE, pair(), Assignment(ANN, CLERK, Validity(10, 20)))
    found = refusal_of(state, AssignRole(ANN, HEAD, Validity(15)))
    assert found == BreaksSod(PAIR, 2, ANN, 15, (DIRECT_HEAD, DIRECT_CLERK))


def test_one_static_set_among_others_is_kept() -> None:
    """A dynamic set that names the role, too, allows nothing."""
    also = replace(dynamic(pair()), id=type(PAIR)("also"))
    state = made_of(*OFFICE, also, pair(), Assignment(ANN, CLERK))
    assert refusal_of(state, AssignRole(ANN, HEAD)) == BreaksSod(
        PAIR, 2, ANN, None, (DIRECT_HEAD, DIRECT_CLERK)
    )
