"""What refers to an entity: what a refusal lists is exactly what a cascade removes."""

from dataclasses import fields, replace

import pytest

from grantproof.core.commands import Accepted
from grantproof.core.commands.language import (
    ChangeSet,
    CreateClaim,
    DeleteGroup,
    DeleteKind,
    DeletePrincipal,
    DeleteResource,
    DeleteRole,
    DeleteSodSet,
)
from grantproof.core.commands.references import Deletion, Dependent, dependents, named, reference
from grantproof.core.errors import NamedBySodSet, Reference, StillReferenced
from grantproof.core.identifiers import ClaimId, Kind, ResourceId, RoleId, SodSetId
from grantproof.core.invariants import valid
from grantproof.core.model import (
    Any,
    Assignment,
    Claim,
    Exactly,
    Fact,
    GroupAssignment,
    Inheritance,
    KindDeclaration,
    Membership,
    Nesting,
    OfKind,
    Resource,
    ResourcePattern,
    SodSet,
    Validity,
    Within,
)
from grantproof.core.organization import Organization, facts
from tests.organizations import (
    ANN,
    BOARD,
    BOB,
    CHIEF,
    CLERK,
    CLUB,
    DOCS,
    FILE,
    FOLDER,
    HEAD,
    PAIR,
    PLAN,
    READ,
    STAFF,
    groups,
    made_of,
    outcome,
    pair,
    people,
    refusal_of,
    roles,
)

TERM = Validity(1, 9)
PAGE, MAIL = ResourceId("docs/plan/page"), ResourceId("mail")
BINDER = Kind("binder")


def on(name: str, resource: ResourcePattern, role: RoleId = HEAD) -> Claim:
    """A claim on the resource, held by a role that nothing below deletes unless it says so."""
    return Claim(ClaimId(name), role, Exactly(READ), resource)


FACTS: tuple[Fact, ...] = (
    *people(ANN, BOB),
    *groups(STAFF, BOARD, CLUB),
    *roles(CLERK, HEAD, CHIEF, RoleId("x"), RoleId("y")),
    *map(KindDeclaration, (FOLDER, FILE, BINDER)),
    Resource(DOCS, FOLDER),
    Resource(PLAN, BINDER, parent=DOCS),
    Resource(PAGE, FILE, parent=PLAN),
    Resource(MAIL, FILE),
    SodSet(PAIR, frozenset({RoleId("x"), RoleId("y")}), 2),
    Membership(ANN, STAFF),
    Membership(BOB, STAFF),
    Membership(ANN, BOARD),
    Nesting(STAFF, BOARD),
    Nesting(CLUB, STAFF),
    Inheritance(CLERK, HEAD),
    Inheritance(CHIEF, CLERK),
    Assignment(ANN, CLERK, TERM),
    Assignment(BOB, CLERK),
    Assignment(ANN, HEAD),
    GroupAssignment(STAFF, CLERK, TERM),
    GroupAssignment(STAFF, HEAD),
    on("own", Exactly(MAIL), CLERK),
    on("own-on-itself", Exactly(ResourceId("role:clerk")), CLERK),
    on("on-clerk", Within(ResourceId("role:clerk"))),
    on("on-staff", Exactly(ResourceId("group:staff"))),
    on("within-staff", Within(ResourceId("group:staff"))),
    on("on-pair", Exactly(ResourceId("sod-set:pair"))),
    on("on-docs", Exactly(DOCS)),
    on("in-docs", Within(DOCS)),
    on("in-plan", Within(PLAN)),
    on("on-page", Exactly(PAGE)),
    on("on-mail", Exactly(MAIL)),
    on("on-binders", OfKind("binder")),
    on("on-roles", OfKind("role")),
    on("on-all", Any()),
)
STATE = made_of(*FACTS)
CASES: dict[Deletion, set[tuple[str, ...]]] = {
    DeletePrincipal(ANN): {
        ("membership", "ann", "staff"),
        ("membership", "ann", "board"),
        ("assignment", "ann", "clerk"),
        ("assignment", "ann", "head"),
    },
    DeleteGroup(STAFF): {
        ("membership", "ann", "staff"),
        ("membership", "bob", "staff"),
        ("nesting", "staff", "board"),
        ("nesting", "club", "staff"),
        ("assignment", "staff", "clerk"),
        ("assignment", "staff", "head"),
        ("claim", "on-staff"),
        ("claim", "within-staff"),
    },
    DeleteRole(CLERK): {
        ("parent", "clerk", "head"),
        ("parent", "chief", "clerk"),
        ("assignment", "ann", "clerk"),
        ("assignment", "bob", "clerk"),
        ("assignment", "staff", "clerk"),
        ("claim", "own"),
        ("claim", "own-on-itself"),
        ("claim", "on-clerk"),
    },
    DeleteKind(BINDER): {
        ("resource", "docs/plan"),
        ("resource", "docs/plan/page"),
        ("claim", "in-plan"),
        ("claim", "on-page"),
        ("claim", "on-binders"),
    },
    DeleteResource(DOCS): {
        ("resource", "docs/plan"),
        ("resource", "docs/plan/page"),
        ("claim", "on-docs"),
        ("claim", "in-docs"),
        ("claim", "in-plan"),
        ("claim", "on-page"),
    },
    DeleteResource(PAGE): {("claim", "on-page")},
    DeleteSodSet(PAIR): {("claim", "on-pair")},
}
DELETIONS = pytest.mark.parametrize("deletion", CASES, ids=lambda one: type(one).__name__)


def the_entity(state: Organization, deletion: Deletion) -> Fact:
    """The fact that is the entity to be deleted."""
    noun, name = named(deletion)
    entities: dict[str, tuple[Fact, ...]] = {
        "principal": tuple(state.principals.values()),
        "group": groups(*state.groups),
        "role": roles(*state.roles),
        "kind": tuple(KindDeclaration(kind) for kind in state.resources_of_kind),
        "resource": tuple(state.resources.values()),
        "separation-of-duty set": tuple(state.sod_sets.values()),
    }
    return next(fact for fact in entities[noun] if id_of(fact) == name)


def id_of(fact: Fact) -> object:
    """The id of an entity: its first field."""
    return getattr(fact, fields(fact)[0].name)


@DELETIONS
def test_a_refusal_lists_every_reference(deletion: Deletion) -> None:
    """Each by its noun and ids, once, and the number of all of them."""
    refusal = refusal_of(STATE, deletion)
    assert isinstance(refusal, StillReferenced)
    listed = [(one.noun, *one.ids) for one in refusal.references]
    assert (set(listed), len(listed)) == (CASES[deletion], refusal.count)
    assert (refusal.noun, refusal.id) == named(deletion)
    assert len(set(listed)) == refusal.count


@DELETIONS
def test_a_cascade_removes_exactly_what_a_refusal_lists(deletion: Deletion) -> None:
    """The entity and the listed facts, nothing else, and nothing is added."""
    refusal = refusal_of(STATE, deletion)
    result = outcome(STATE, replace(deletion, cascade=True))
    assert isinstance(refusal, StillReferenced)
    assert isinstance(result, Accepted)
    removed = result.event.delta.removed
    entity = the_entity(STATE, deletion)
    assert removed[-1] == entity or entity in removed
    gone = {reference(fact) for fact in removed if fact != entity and isinstance(fact, Dependent)}
    assert gone == set(refusal.references)
    assert result.event.delta.added == ()
    assert set(facts(STATE)) - set(facts(result.state)) == set(removed)
    assert valid(result.state) == ()


@DELETIONS
def test_an_entity_that_nothing_refers_to_is_deleted_without_cascade(deletion: Deletion) -> None:
    """After a cascade of its dependents' removal nothing is left to refuse for."""
    needed = {*dependents(STATE, deletion)}
    state = made_of(*(fact for fact in FACTS if fact not in needed))
    result = outcome(state, deletion)
    assert isinstance(result, Accepted)
    assert result.event.delta.removed == (the_entity(state, deletion),)


def test_descendants_of_a_deleted_role_get_no_new_parents() -> None:
    """The grandchild loses what it inherited through the deleted role."""
    result = outcome(STATE, DeleteRole(CLERK, cascade=True))
    assert isinstance(result, Accepted)
    assert set(result.state.roles.parents[CHIEF]) == set()


@pytest.mark.parametrize("cascade", [True, False])
def test_a_role_that_a_set_names_stays(cascade: bool) -> None:
    """A cascade never changes a separation-of-duty set: the sets are the witness."""
    more = SodSet(SodSetId("a"), frozenset({CLERK, HEAD}), 2, "dynamic")
    state = made_of(*roles(CLERK, HEAD), pair(), more)
    deletion = DeleteRole(CLERK, cascade=cascade)
    assert refusal_of(state, deletion) == NamedBySodSet(CLERK, ("a", PAIR))


@pytest.mark.parametrize("count", [99, 100, 101])
def test_a_refusal_shows_at_most_a_hundred_references(count: int) -> None:
    """99 and 100 are all shown; of 101 a hundred are, and the number of all."""
    claims = ChangeSet(
        tuple(CreateClaim(on(f"c{number}", Exactly(DOCS))) for number in range(count))
    )
    base = made_of(*roles(HEAD), KindDeclaration(FOLDER), Resource(DOCS, FOLDER))
    made = outcome(base, claims)
    assert isinstance(made, Accepted)
    refusal = refusal_of(made.state, DeleteResource(DOCS))
    assert isinstance(refusal, StillReferenced)
    assert (len(refusal.references), refusal.count) == (min(count, 100), count)


def test_a_reference_is_named_in_reading_order() -> None:
    """Who first, then what."""
    found = [
        reference(fact)
        for fact in (
            Assignment(ANN, CLERK, TERM),
            GroupAssignment(STAFF, CLERK),
            Membership(ANN, STAFF),
            Nesting(STAFF, BOARD),
            Inheritance(CLERK, HEAD),
            on("c", Any()),
            Resource(DOCS, FOLDER),
        )
    ]
    assert found == [
        Reference("assignment", (ANN, CLERK)),
        Reference("assignment", (STAFF, CLERK)),
        Reference("membership", (ANN, STAFF)),
        Reference("nesting", (STAFF, BOARD)),
        Reference("parent", (CLERK, HEAD)),
        Reference("claim", ("c",)),
        Reference("resource", (DOCS,)),
    ]
