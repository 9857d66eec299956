"""NIST/ANSI INCITS 359, a test a function: what violates a precondition, and the post-state.

The functions that change something are commands: a violated precondition is refused, and otherwise
exactly the facts of the standard's post-state come and go. `docs/nist-rbac.md` has the same rows.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from grantproof.core.commands import Rejected
from grantproof.core.commands.language import (
    AddParent,
    AssignGroupRole,
    AssignRole,
    ChangeSet,
    ChangeSodSet,
    Command,
    CreateClaim,
    CreatePrincipal,
    CreateRole,
    CreateSodSet,
    DeleteClaim,
    DeletePrincipal,
    DeleteRole,
    DeleteSodSet,
    RemoveParent,
    RevokeRole,
)
from grantproof.core.errors import AlreadyExists, Illegal, Missing
from grantproof.core.identifiers import (
    ClaimId,
    PrincipalId,
    ResourceId,
    RoleId,
    SessionId,
    SodSetId,
)
from grantproof.core.model import (
    Any,
    Assignment,
    Exactly,
    Fact,
    GroupAssignment,
    Inheritance,
    Membership,
    Principal,
    Role,
    Validity,
    Within,
)
from grantproof.core.organization import Organization, facts
from grantproof.core.policy import Allow, Deny, NoRole, SessionClash, evaluate
from grantproof.core.sessions import NotHeld
from grantproof.service import standard_review as review
from grantproof.service.sessions import Written
from tests.organizations import (
    ACME,
    ANN,
    BOB,
    C1,
    C2,
    CHIEF,
    CLERK,
    DOCS,
    EVE,
    HEAD,
    NOON,
    PAIR,
    PLAN,
    READ,
    STAFF,
    WRITE,
    after,
    asks,
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
from tests.unit.service.offices import PORTAL, Office, furnished

NOBODY, NOTHING = PrincipalId("nobody"), RoleId("nothing")
NOW = NOON.instant

FACTS = (
    *people(ANN, BOB),
    *groups(STAFF),
    *roles(CLERK, HEAD, CHIEF),
    *library(),
    Inheritance(HEAD, CLERK),
    claim(),
    Assignment(ANN, HEAD),
)
BASE = made_of(*FACTS)
"""Ann is a head, heads inherit from clerks, clerks read the plan; bob and chiefs have nothing."""

STATIC = replace(pair(3, CLERK, HEAD, CHIEF), id=PAIR)
WITH_SET = made_of(*FACTS, STATIC)
WITH_DYNAMIC = made_of(*FACTS, dynamic(STATIC))


@dataclass(frozen=True)
class Row:
    """An administrative function: how its preconditions are violated, and what it does."""

    done: Command
    gives: frozenset[Fact] = frozenset()
    takes: frozenset[Fact] = frozenset()
    refused: tuple[Callable[[], Command], ...] = ()
    before: Organization = BASE


def row(
    done: Command,
    *refused: Callable[[], Command],
    gives: tuple[Fact, ...] = (),
    takes: tuple[Fact, ...] = (),
    before: Organization = BASE,
) -> Row:
    """A row in few words."""
    return Row(done, frozenset(gives), frozenset(takes), refused, before)


ADMINISTRATIVE = {
    "AddUser": row(CreatePrincipal(EVE), lambda: CreatePrincipal(ANN), gives=(Principal(EVE),)),
    "DeleteUser": row(
        DeletePrincipal(ANN, cascade=True),
        lambda: DeletePrincipal(NOBODY, cascade=True),
        takes=(Principal(ANN), Assignment(ANN, HEAD)),
    ),
    "AddRole": row(CreateRole(NOTHING), lambda: CreateRole(CLERK), gives=(Role(NOTHING),)),
    "DeleteRole": row(
        DeleteRole(CLERK, cascade=True),
        lambda: DeleteRole(NOTHING, cascade=True),
        takes=(Role(CLERK), Inheritance(HEAD, CLERK), claim()),
    ),
    "AssignUser": row(
        AssignRole(BOB, CLERK),
        lambda: AssignRole(NOBODY, CLERK),
        lambda: AssignRole(BOB, NOTHING),
        lambda: AssignRole(ANN, HEAD),
        gives=(Assignment(BOB, CLERK),),
    ),
    "DeassignUser": row(
        RevokeRole(ANN, HEAD),
        lambda: RevokeRole(NOBODY, HEAD),
        lambda: RevokeRole(ANN, NOTHING),
        lambda: RevokeRole(ANN, CLERK),
        takes=(Assignment(ANN, HEAD),),
    ),
    "GrantPermission": row(
        CreateClaim(claim(id=C2, action=Exactly(WRITE))),
        lambda: CreateClaim(claim(id=C2, role=NOTHING)),
        lambda: CreateClaim(claim(id=C2, resource=Exactly(ResourceId("nothing")))),
        gives=(claim(id=C2, action=Exactly(WRITE)),),
    ),
    "RevokePermission": row(
        DeleteClaim(C1), lambda: DeleteClaim(ClaimId("nothing")), takes=(claim(),)
    ),
    "AddInheritance": row(
        AddParent(CHIEF, HEAD),
        lambda: AddParent(NOTHING, HEAD),
        lambda: AddParent(CHIEF, NOTHING),
        lambda: AddParent(HEAD, CLERK),
        lambda: AddParent(CLERK, HEAD),
        lambda: AddParent(CLERK, CLERK),
        gives=(Inheritance(CHIEF, HEAD),),
    ),
    "DeleteInheritance": row(
        RemoveParent(HEAD, CLERK),
        lambda: RemoveParent(NOTHING, CLERK),
        lambda: RemoveParent(CHIEF, CLERK),
        takes=(Inheritance(HEAD, CLERK),),
    ),
    "AddAscendant": row(
        ChangeSet((CreateRole(NOTHING), AddParent(NOTHING, HEAD))),
        lambda: ChangeSet((CreateRole(CHIEF), AddParent(CHIEF, HEAD))),
        lambda: ChangeSet((CreateRole(NOTHING), AddParent(NOTHING, RoleId("none")))),
        gives=(Role(NOTHING), Inheritance(NOTHING, HEAD)),
    ),
    "AddDescendant": row(
        ChangeSet((CreateRole(NOTHING), AddParent(HEAD, NOTHING))),
        lambda: ChangeSet((CreateRole(CHIEF), AddParent(HEAD, CHIEF))),
        lambda: ChangeSet((CreateRole(NOTHING), AddParent(RoleId("none"), NOTHING))),
        gives=(Role(NOTHING), Inheritance(HEAD, NOTHING)),
    ),
    "CreateSsdSet": row(
        CreateSodSet(pair(2, CLERK, CHIEF)),
        lambda: CreateSodSet(pair(2, CLERK, NOTHING)),
        lambda: CreateSodSet(pair(1, CLERK, CHIEF)),
        lambda: CreateSodSet(pair(3, CLERK, CHIEF)),
        # Ann holds both already: one of them is inherited.
        lambda: CreateSodSet(pair(2, CLERK, HEAD)),
        gives=(pair(2, CLERK, CHIEF),),
    ),
    "AddSsdRoleMember": row(
        ChangeSodSet(pair(2, CLERK, CHIEF, NOTHING)),
        lambda: ChangeSodSet(pair(2, CLERK, CHIEF, RoleId("none"))),
        lambda: ChangeSodSet(pair(2, CLERK, CHIEF, HEAD)),
        lambda: ChangeSodSet(replace(pair(2, CLERK, CHIEF, HEAD), id=SodSetId("none"))),
        gives=(pair(2, CLERK, CHIEF, NOTHING),),
        takes=(pair(2, CLERK, CHIEF),),
        before=made_of(*FACTS, Role(NOTHING), pair(2, CLERK, CHIEF)),
    ),
    "DeleteSsdRoleMember": row(
        ChangeSodSet(pair(2, CLERK, CHIEF)),
        lambda: ChangeSodSet(pair(2, CHIEF)),
        lambda: ChangeSodSet(replace(pair(2, CLERK, CHIEF), id=SodSetId("none"))),
        gives=(pair(2, CLERK, CHIEF),),
        takes=(pair(2, CLERK, CHIEF, NOTHING),),
        before=made_of(*FACTS, Role(NOTHING), pair(2, CLERK, CHIEF, NOTHING)),
    ),
    "DeleteSsdSet": row(
        DeleteSodSet(PAIR),
        lambda: DeleteSodSet(SodSetId("none")),
        takes=(STATIC,),
        before=WITH_SET,
    ),
    "SetSsdSetCardinality": row(
        ChangeSodSet(pair(2, CLERK, CHIEF, NOTHING)),
        lambda: ChangeSodSet(pair(1, CLERK, CHIEF, NOTHING)),
        lambda: ChangeSodSet(pair(4, CLERK, CHIEF, NOTHING)),
        lambda: ChangeSodSet(replace(pair(2, CLERK, CHIEF), id=SodSetId("none"))),
        gives=(pair(2, CLERK, CHIEF, NOTHING),),
        takes=(pair(3, CLERK, CHIEF, NOTHING),),
        before=made_of(*FACTS, Role(NOTHING), pair(3, CLERK, CHIEF, NOTHING)),
    ),
    "CreateDsdSet": row(
        CreateSodSet(dynamic(pair(2, CLERK, HEAD))),
        lambda: CreateSodSet(dynamic(pair(2, CLERK, NOTHING))),
        lambda: CreateSodSet(dynamic(pair(1, CLERK, HEAD))),
        lambda: CreateSodSet(dynamic(pair(3, CLERK, HEAD))),
        gives=(dynamic(pair(2, CLERK, HEAD)),),
    ),
    "AddDsdRoleMember": row(
        ChangeSodSet(dynamic(STATIC)),
        lambda: ChangeSodSet(dynamic(pair(2, CLERK, HEAD, NOTHING))),
        lambda: ChangeSodSet(dynamic(replace(STATIC, id=SodSetId("none")))),
        gives=(dynamic(STATIC),),
        takes=(dynamic(pair(2, CLERK, HEAD)),),
        before=made_of(*FACTS, dynamic(pair(2, CLERK, HEAD))),
    ),
    "DeleteDsdRoleMember": row(
        ChangeSodSet(dynamic(pair(2, CLERK, HEAD))),
        lambda: ChangeSodSet(dynamic(pair(3, CLERK, HEAD))),
        lambda: ChangeSodSet(dynamic(replace(STATIC, id=SodSetId("none")))),
        gives=(dynamic(pair(2, CLERK, HEAD)),),
        takes=(dynamic(STATIC),),
        before=WITH_DYNAMIC,
    ),
    "DeleteDsdSet": row(
        DeleteSodSet(PAIR),
        lambda: DeleteSodSet(SodSetId("none")),
        takes=(dynamic(STATIC),),
        before=WITH_DYNAMIC,
    ),
    "SetDsdSetCardinality": row(
        ChangeSodSet(dynamic(pair(2, CLERK, HEAD, CHIEF))),
        lambda: ChangeSodSet(dynamic(pair(1, CLERK, HEAD, CHIEF))),
        lambda: ChangeSodSet(dynamic(pair(4, CLERK, HEAD, CHIEF))),
        gives=(dynamic(pair(2, CLERK, HEAD, CHIEF)),),
        takes=(dynamic(STATIC),),
        before=WITH_DYNAMIC,
    ),
}


@pytest.mark.parametrize("name", ADMINISTRATIVE)
def test_an_administrative_function_keeps_its_pre_and_postconditions(name: str) -> None:
    """What violates a precondition is refused; else exactly the post-state's facts come and go."""
    function = ADMINISTRATIVE[name]
    assert function.refused
    for violating in function.refused:
        try:
            command = violating()
        except Illegal:
            continue
        assert isinstance(outcome(function.before, command), Rejected), command
    before, later = set(facts(function.before)), after(function.before, function.done)
    assert set(facts(later)) == (before - function.takes) | function.gives
    assert function.takes <= before


def test_a_static_set_binds_the_functions_that_the_standard_redefines() -> None:
    """AssignUser, and AddInheritance: with three of the roles forbidden, the third is refused."""
    state = made_of(*FACTS, pair(2, CLERK, CHIEF))
    assert isinstance(outcome(state, AssignRole(ANN, CHIEF)), Rejected)
    assert isinstance(outcome(state, AddParent(HEAD, CHIEF)), Rejected)
    assert isinstance(outcome(WITH_SET, AssignRole(ANN, CHIEF)), Rejected)


def asked(*active: RoleId) -> object:
    """What becomes of ann who reads the plan in a session of these roles."""
    decision = evaluate(made_of(*CLASHING), asks(active=active), NOON)
    return decision.reason if isinstance(decision, Deny) else decision


CLASHING = (*FACTS, Assignment(ANN, CHIEF), dynamic(pair(2, HEAD, CHIEF)))


@pytest.fixture
def office() -> Office:
    """A new one."""
    return furnished()


def test_create_session(office: Office) -> None:
    """CreateSession: a user that there is, and roles it is authorized for, which do not clash.

    Then the session is the user's, of just these roles, and a request in it has them.
    """
    office.refused(office.open(NOBODY), Missing)
    office.refused(office.open(ANN, NOTHING), Missing)
    office.refused(office.open(BOB, CLERK), NotHeld)
    office.refused(office.open(ANN, HEAD, CHIEF), SessionClash)
    assert office.sessions() == {}
    session, empty = office.opened(HEAD), office.opened()
    assert office.sessions() == {session.id: session, empty.id: empty}
    assert (session.principal, session.roles) == (ANN, frozenset({HEAD}))
    assert session.id != empty.id
    assert isinstance(asked(HEAD), Allow)
    assert isinstance(asked(), NoRole)


def test_delete_session(office: Office) -> None:
    """DeleteSession: one that there is; then it is gone, and the others are as they were."""
    session, other = office.opened(HEAD), office.opened(CHIEF)
    assert not office.services.sessions.end(ACME, SessionId("none"))
    assert office.services.sessions.end(ACME, session.id)
    assert not office.services.sessions.end(ACME, session.id)
    assert office.sessions() == {other.id: other}


def test_add_active_role(office: Office) -> None:
    """AddActiveRole: a session that there is, an authorized role that is not active, no clash."""
    add = office.services.sessions.add_role
    session = office.opened(CLERK)
    office.refused(add(ACME, SessionId("none"), HEAD, by=PORTAL), Missing)
    office.refused(add(ACME, session.id, NOTHING, by=PORTAL), Missing)
    office.refused(add(ACME, session.id, CLERK, by=PORTAL), AlreadyExists)
    assert office.sessions() == {session.id: session}
    assert isinstance(add(ACME, session.id, HEAD, by=PORTAL), Written)
    office.refused(add(ACME, session.id, CHIEF, by=PORTAL), SessionClash)
    assert office.sessions()[session.id].roles == {CLERK, HEAD}
    bobs = office.open(BOB)
    assert isinstance(bobs, Written)
    office.refused(add(ACME, bobs.session.id, CLERK, by=PORTAL), NotHeld)


def test_drop_active_role(office: Office) -> None:
    """DropActiveRole: a session that there is, and a role of it; what it inherits goes with it."""
    drop = office.services.sessions.drop_role
    session = office.opened(HEAD)
    office.refused(drop(ACME, SessionId("none"), HEAD, by=PORTAL), Missing)
    office.refused(drop(ACME, session.id, CLERK, by=PORTAL), Missing)
    assert office.sessions() == {session.id: session}
    assert isinstance(drop(ACME, session.id, HEAD, by=PORTAL), Written)
    left = office.sessions()[session.id].roles
    assert left == set()
    assert review.session_roles(BASE, ANN, NOW, chosen=left) == set()


def test_check_access() -> None:
    """CheckAccess: what any active role holds or inherits; the inherited claim is ann's too."""
    assert isinstance(evaluate(BASE, asks(), NOON), Allow)
    assert isinstance(evaluate(BASE, asks(active=(HEAD,)), NOON), Allow)
    assert isinstance(evaluate(BASE, asks(action=WRITE), NOON), Deny)
    assert isinstance(evaluate(BASE, asks(resource=ResourceId("nothing")), NOON), Deny)
    assert isinstance(evaluate(BASE, asks(BOB), NOON), Deny)


THROUGH_GROUP = made_of(
    *FACTS, Membership(BOB, STAFF), GroupAssignment(STAFF, CHIEF, Validity(end=NOW + 1))
)


def test_assigned_users() -> None:
    """AssignedUsers: who is assigned the role itself, through groups too, while it is valid."""
    assert review.assigned_users(BASE, HEAD, NOW) == {ANN}
    assert review.assigned_users(BASE, CLERK, NOW) == set()
    assert review.assigned_users(THROUGH_GROUP, CHIEF, NOW) == {BOB}
    assert review.assigned_users(THROUGH_GROUP, CHIEF, NOW + 1) == set()
    ended = made_of(*people(ANN), *roles(CLERK), Assignment(ANN, CLERK, Validity(end=NOW)))
    assert review.assigned_users(ended, CLERK, NOW) == set()


def test_authorized_users() -> None:
    """AuthorizedUsers: also who is assigned a role that inherits from it."""
    assert review.authorized_users(BASE, CLERK, NOW) == {ANN}
    later = after(THROUGH_GROUP, AddParent(CHIEF, HEAD))
    assert review.authorized_users(later, CLERK, NOW) == {ANN, BOB}


def test_assigned_roles() -> None:
    """AssignedRoles: without what they inherit."""
    assert review.assigned_roles(BASE, ANN, NOW) == {HEAD}
    assert review.assigned_roles(THROUGH_GROUP, BOB, NOW) == {CHIEF}


def test_authorized_roles() -> None:
    """AuthorizedRoles: with what they inherit."""
    assert review.authorized_roles(BASE, ANN, NOW) == {HEAD, CLERK}


OWN = claim(id=C2, role=HEAD, action=Any(), resource=Within(DOCS))
RICHER = made_of(*FACTS, OWN)


def test_role_permissions() -> None:
    """RolePermissions: the role's claims and those it inherits."""
    assert review.role_permissions(RICHER, CLERK) == (claim(),)
    assert review.role_permissions(RICHER, HEAD) == (claim(), OWN)
    assert review.role_permissions(RICHER, CHIEF) == ()


def test_user_permissions() -> None:
    """UserPermissions: the claims of all roles of the user."""
    assert review.user_permissions(RICHER, ANN, NOW) == (claim(), OWN)
    assert review.user_permissions(RICHER, BOB, NOW) == ()


def test_session_roles() -> None:
    """SessionRoles: those chosen that are held, and what they inherit; all without a session."""
    assert review.session_roles(BASE, ANN, NOW, chosen=frozenset({CLERK, CHIEF})) == {CLERK}
    assert review.session_roles(BASE, ANN, NOW) == {CLERK, HEAD}


def test_session_permissions() -> None:
    """SessionPermissions: the claims of the active roles only."""
    chosen = frozenset({CLERK})
    assert review.session_permissions(RICHER, ANN, NOW, chosen=chosen) == (claim(),)
    assert review.session_permissions(RICHER, ANN, NOW) == (claim(), OWN)


def test_role_operations_on_object() -> None:
    """RoleOperationsOnObject: the actions that any claim names for it; none where it is unknown."""
    on = review.role_operations_on_object
    assert on(RICHER, HEAD, PLAN) == {Exactly(READ), Any()}
    assert on(RICHER, HEAD, DOCS) == {Any()}
    assert on(RICHER, CLERK, DOCS) == set()
    assert on(RICHER, HEAD, ResourceId("new"), kind="file") == set()
    assert on(RICHER, HEAD, ResourceId("nothing")) == set()


def test_user_operations_on_object() -> None:
    """UserOperationsOnObject: of all roles of the user at the instant."""
    on = review.user_operations_on_object
    assert on(RICHER, ANN, PLAN, instant=NOW) == {Exactly(READ), Any()}
    assert on(RICHER, BOB, PLAN, instant=NOW) == set()


@pytest.mark.parametrize("mode", ["static", "dynamic"])
def test_sets_are_reviewed(mode: str) -> None:
    """SsdRoleSets and DsdRoleSets, their roles and their cardinality, each of its mode only."""
    state = WITH_SET if mode == "static" else WITH_DYNAMIC
    other = "dynamic" if mode == "static" else "static"
    assert review.sod_role_sets(state, mode) == (PAIR,)
    assert review.sod_role_sets(state, other) == ()
    assert review.sod_role_set_roles(state, PAIR) == {CLERK, HEAD, CHIEF}
    assert review.sod_role_set_cardinality(state, PAIR) == 3


def test_a_deletion_is_refused_unless_it_may_cascade() -> None:
    """The standard always cascades; here somebody says so, and a set's role is never deleted."""
    assert isinstance(outcome(BASE, DeletePrincipal(ANN)), Rejected)
    assert isinstance(outcome(BASE, DeleteRole(CLERK)), Rejected)
    assert isinstance(outcome(WITH_SET, DeleteRole(CLERK, cascade=True)), Rejected)


def test_a_removed_edge_takes_only_itself() -> None:
    """What was said to inherit still does; what only followed from the edge does not."""
    state = after(BASE, AddParent(CHIEF, HEAD), RemoveParent(HEAD, CLERK))
    assert review.role_permissions(state, CHIEF) == ()
    kept = after(BASE, AddParent(CHIEF, HEAD), AddParent(CHIEF, CLERK), RemoveParent(HEAD, CLERK))
    assert review.role_permissions(kept, CHIEF) == (claim(),)


def test_groups_count_like_users_for_separation_of_duty() -> None:
    """The standard has no groups; a role given to one is given to its members."""
    state = made_of(*FACTS, Membership(ANN, STAFF), pair(2, CLERK, CHIEF))
    assert isinstance(outcome(state, AssignGroupRole(STAFF, CHIEF)), Rejected)
