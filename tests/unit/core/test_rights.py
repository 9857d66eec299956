"""The table of what each command takes of its author, one command after the other."""

from typing import get_args

import pytest

from grantproof.core.attributes import Literal, Operator, Path, Root, attributes
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
from grantproof.core.constraints import Attribute
from grantproof.core.identifiers import Action, AttributeName, ClaimId, Kind, ResourceId, RoleId
from grantproof.core.model import (
    ADMINISTER,
    Assignment,
    Exactly,
    GroupAssignment,
    Inheritance,
    Membership,
    Nesting,
    Principal,
    Resource,
    Validity,
)
from grantproof.core.organization import with_fact
from grantproof.core.rights import ASSIGN, REVOKE, Grant, Need, Right, claims_of, required
from tests.organizations import (
    ANN,
    BOARD,
    BOB,
    C1,
    C2,
    C3,
    CALM,
    CHIEF,
    CLERK,
    CLUB,
    DOCS,
    EVE,
    FILE,
    HEAD,
    ITSELF,
    PAIR,
    PLAN,
    STAFF,
    claim,
    groups,
    guardrail,
    library,
    made_of,
    pair,
    people,
    roles,
)

LEVEL = AttributeName("level")
RISEN = Attribute(Path(Root.PRINCIPAL, LEVEL), Operator.GE, Literal(3))
# A clerk inherits from a head, who inherits from a chief, who administers.
STATE = made_of(
    *people(BOB, EVE),
    Principal(ANN, attributes=attributes({"level": 1, "room": "a"})),
    *groups(STAFF, BOARD, CLUB),
    *roles(CLERK, HEAD, CHIEF),
    *library(),
    claim(id=C1),
    claim(RISEN, id=C2, role=HEAD),
    claim(id=C3, role=CHIEF, action=Exactly(ASSIGN), resource=Exactly(ResourceId("group:club"))),
    pair(2, CLERK, HEAD),
    Inheritance(CLERK, HEAD),
    Inheritance(HEAD, CHIEF),
    Membership(ANN, STAFF),
    Nesting(STAFF, BOARD),
    Assignment(ANN, HEAD),
    GroupAssignment(BOARD, CLERK, Validity(end=5)),
)
NOBODY, NONE = RoleId("nobody"), ClaimId("none")
WHOLE = Right(ADMINISTER, ITSELF)


def change(entity: str) -> Right:
    """The right to change a role, a group or a set, or else the organization."""
    return Right(ADMINISTER, ResourceId(entity), (ITSELF,))


def to(action: Action, resource: str) -> Right:
    """The right to do the action on the resource and nothing else."""
    return Right(action, ResourceId(resource))


def along(role: RoleId) -> Right:
    """The right to assign a role that comes along with what is given."""
    return Right(ASSIGN, ResourceId(f"role:{role}"), because="inherited")


def claim_of(role: RoleId) -> Right:
    """The right to delete a claim of the role."""
    return Right(ADMINISTER, ITSELF, (ResourceId(f"role:{role}"),))


TABLE: list[tuple[SingleCommand, tuple[Need, ...]]] = [
    (CreatePrincipal(ANN), (WHOLE,)),
    (DeletePrincipal(ANN), (WHOLE,)),
    (
        DeletePrincipal(ANN, cascade=True),
        (WHOLE, to(REVOKE, "group:staff"), to(REVOKE, "role:head")),
    ),
    (SuspendPrincipal(ANN), (WHOLE,)),
    (ResumePrincipal(BOB), (WHOLE,)),
    (ResumePrincipal(ANN), (WHOLE, along(CLERK), along(CHIEF), along(HEAD))),
    (SetPrincipalAttributes(ANN, attributes({"level": 1})), (WHOLE,)),
    (
        SetPrincipalAttributes(ANN, attributes({"level": 3, "room": "a"})),
        (WHOLE, Grant(STATE.claims[C2], held=True)),
    ),
    (
        SetPrincipalAttributes(ANN, attributes({"level": True})),
        (WHOLE, Grant(STATE.claims[C2], held=True)),
    ),
    (SetPrincipalAttributes(BOB, attributes({"level": 3})), (WHOLE,)),
    (CreateGroup(STAFF), (WHOLE,)),
    (DeleteGroup(STAFF), (change("group:staff"),)),
    (
        DeleteGroup(BOARD, cascade=True),
        (change("group:board"), to(REVOKE, "group:board"), to(REVOKE, "role:clerk")),
    ),
    (
        DeleteGroup(CLUB, cascade=True),
        (change("group:club"), claim_of(CHIEF)),
    ),
    (AddMember(BOB, CLUB), (to(ASSIGN, "group:club"),)),
    (AddMember(BOB, STAFF), (to(ASSIGN, "group:staff"), along(CLERK), along(CHIEF))),
    (RemoveMember(ANN, STAFF), (to(REVOKE, "group:staff"),)),
    (
        NestGroup(CLUB, BOARD),
        (change("group:club"), to(ASSIGN, "group:board"), along(CLERK), along(CHIEF)),
    ),
    (UnnestGroup(STAFF, BOARD), (to(REVOKE, "group:board"),)),
    (CreateRole(CLERK), (WHOLE,)),
    (DeleteRole(CLERK), (change("role:clerk"),)),
    (
        DeleteRole(HEAD, cascade=True),
        (
            change("role:head"),
            change("role:clerk"),
            to(REVOKE, "role:head"),
            claim_of(HEAD),
        ),
    ),
    (AddParent(NOBODY, CLERK), (change("role:nobody"), to(ASSIGN, "role:clerk"), along(CHIEF))),
    (RemoveParent(CLERK, HEAD), (change("role:clerk"),)),
    (CreateKind(FILE), (WHOLE,)),
    (DeleteKind(FILE), (WHOLE,)),
    (
        DeleteKind(FILE, cascade=True),
        (WHOLE, claim_of(CLERK), claim_of(HEAD), to(ADMINISTER, "docs/plan")),
    ),
    (CreateResource(Resource(PLAN, FILE)), (Right(ADMINISTER, PLAN, kind="file"),)),
    (
        CreateResource(Resource(PLAN, FILE, DOCS)),
        (Right(ADMINISTER, PLAN, kind="file"), to(ADMINISTER, "docs")),
    ),
    (DeleteResource(DOCS), (to(ADMINISTER, "docs"),)),
    (
        DeleteResource(DOCS, cascade=True),
        (to(ADMINISTER, "docs"), claim_of(CLERK), claim_of(HEAD), to(ADMINISTER, "docs/plan")),
    ),
    (SetResourceAttributes(PLAN, attributes({})), (to(ADMINISTER, "docs/plan"),)),
    (CreateClaim(claim(id=NONE)), (change("role:clerk"), Grant(claim(id=NONE)))),
    (DeleteClaim(C2), (claim_of(HEAD),)),
    (DeleteClaim(NONE), (WHOLE,)),
    (CreateSodSet(pair()), (WHOLE,)),
    (ChangeSodSet(pair()), (change("sod-set:pair"),)),
    (DeleteSodSet(PAIR), (change("sod-set:pair"),)),
    (DeleteSodSet(PAIR, cascade=True), (change("sod-set:pair"),)),
    (CreateGuardrail(guardrail()), (WHOLE,)),
    (DeleteGuardrail(CALM), (WHOLE,)),
    (AssignRole(BOB, CHIEF), (to(ASSIGN, "role:chief"),)),
    (AssignRole(BOB, CLERK), (to(ASSIGN, "role:clerk"), along(CHIEF))),
    (AssignRole(BOB, NOBODY), (to(ASSIGN, "role:nobody"),)),
    (RevokeRole(ANN, HEAD), (to(REVOKE, "role:head"),)),
    (AssignGroupRole(CLUB, HEAD), (to(ASSIGN, "role:head"), along(CHIEF))),
    (RevokeGroupRole(BOARD, CLERK), (to(REVOKE, "role:clerk"),)),
]


@pytest.mark.parametrize(("command", "needs"), TABLE)
def test_a_command_takes_these_rights(command: SingleCommand, needs: tuple[Need, ...]) -> None:
    """What it names itself first, then what it gives or takes along with it."""
    found = required(STATE, command)
    assert found[:1] == needs[:1]
    assert set(found) == set(needs)
    assert len(found) == len(needs)


def test_every_command_is_in_the_table() -> None:
    """No command goes unasked."""
    assert {type(command) for command, _ in TABLE} == set(get_args(SingleCommand))


@pytest.mark.parametrize(
    "command",
    [
        DeletePrincipal(ANN, cascade=True),
        DeleteGroup(STAFF, cascade=True),
        DeleteRole(CLERK, cascade=True),
        DeleteKind(Kind("file"), cascade=True),
        DeleteResource(DOCS, cascade=True),
        DeleteSodSet(PAIR, cascade=True),
        AddMember(ANN, STAFF),
        ResumePrincipal(ANN),
        SetPrincipalAttributes(ANN, attributes({"level": 1})),
        AddParent(CLERK, HEAD),
    ],
)
def test_what_does_not_exist_takes_what_it_would_take_if_it_did(command: SingleCommand) -> None:
    """Nothing is looked up that need not be there, and no more is told."""
    assert required(made_of(), command)[0] == required(STATE, command)[0]


def test_one_administrative_claim_among_others_is_administration() -> None:
    """A parent that may also do ordinary things is guarded as one that may not."""
    both = with_fact(STATE, claim(id=NONE, role=CHIEF))
    assert required(both, AssignRole(BOB, CLERK)) == (to(ASSIGN, "role:clerk"), along(CHIEF))


def test_a_set_takes_the_claims_on_it_along() -> None:
    """To delete both is to be allowed to delete each."""
    on_it = claim(id=NONE, action=Exactly(ADMINISTER), resource=Exactly(ResourceId("sod-set:pair")))
    found = required(with_fact(STATE, on_it), DeleteSodSet(PAIR, cascade=True))
    assert found == (change("sod-set:pair"), claim_of(CLERK))


def test_a_trait_of_a_resource_is_none_of_a_principal() -> None:
    """Though it has the same name: the claim does not look at who asks."""
    other = Attribute(Path(Root.RESOURCE, LEVEL), Operator.GE, Literal(3))
    state = with_fact(STATE, claim(other, id=NONE, role=HEAD))
    rise = SetPrincipalAttributes(ANN, attributes({"level": 3, "room": "a"}))
    assert required(state, rise) == required(STATE, rise)


def test_the_claims_of_a_role_are_its_own() -> None:
    """Not those that it inherits; in the order of their ids."""
    assert list(claims_of(STATE, CLERK)) == [STATE.claims[C1]]
    assert list(claims_of(STATE, NOBODY)) == []
