"""What a guardrail names stays: with a cascade, without one, and inside of what is deleted."""

import pytest

from grantproof.core.commands.language import (
    ChangeSet,
    CreateGuardrail,
    CreateRole,
    DeleteGroup,
    DeleteGuardrail,
    DeleteKind,
    DeletePrincipal,
    DeleteResource,
    DeleteRole,
    DeleteSodSet,
    SingleCommand,
)
from grantproof.core.errors import AlreadyExists, Missing, NamedByGuardrail, NamedBySodSet, Noun
from grantproof.core.guardrails import HolderOf, MemberOf
from grantproof.core.identifiers import GuardrailId, Kind, ResourceId, RoleId
from grantproof.core.invariants import valid
from grantproof.core.model import Any, Exactly, Guardrail, OfKind, Resource, ResourcePattern
from tests.organizations import (
    ANN,
    BOARD,
    CALM,
    CLERK,
    DOCS,
    FILE,
    FOLDER,
    HEAD,
    PAIR,
    PLAN,
    STAFF,
    after,
    claim,
    groups,
    guardrail,
    library,
    made_of,
    pair,
    people,
    refusal_of,
    roles,
)

NONE, GONE = RoleId("none"), Kind("gone")
DEEP = Resource(ResourceId("docs/plan/1"), FILE, PLAN)
OFFICE = (
    *people(ANN),
    *groups(STAFF, BOARD),
    *roles(CLERK, HEAD),
    *library(),
    DEEP,
    pair(),
)
BARE = made_of(*OFFICE)


def on(resource: str) -> Guardrail:
    """The guardrail about one resource."""
    return guardrail(on=Exactly(ResourceId(resource)))


GUARDED: list[tuple[Guardrail, SingleCommand, Noun, str]] = [
    (guardrail(HolderOf(HEAD), on=Any()), DeleteRole(HEAD, cascade=True), "role", "head"),
    (on("role:head"), DeleteRole(HEAD), "role", "head"),
    (guardrail(MemberOf(STAFF), on=Any()), DeleteGroup(STAFF), "group", "staff"),
    (on("group:staff"), DeleteGroup(STAFF, cascade=True), "group", "staff"),
    (on("sod-set:pair"), DeleteSodSet(PAIR, cascade=True), "separation-of-duty set", "pair"),
    (guardrail(on=OfKind(FOLDER)), DeleteKind(FOLDER, cascade=True), "kind", "folder"),
    (guardrail(on=OfKind(FILE)), DeleteKind(FILE), "kind", "file"),
    (on(DEEP.id), DeleteKind(FOLDER, cascade=True), "resource", DEEP.id),
    (on(DEEP.id), DeleteKind(FILE), "resource", DEEP.id),
    (on(DEEP.id), DeleteResource(DOCS, cascade=True), "resource", DEEP.id),
    (on(PLAN), DeleteResource(PLAN), "resource", PLAN),
]


@pytest.mark.parametrize(("one", "command", "noun", "name"), GUARDED)
def test_what_is_named_does_not_go(
    one: Guardrail, command: SingleCommand, *, noun: Noun, name: str
) -> None:
    """The witness says what would go, and which guardrails name it."""
    sod_free = made_of(*(fact for fact in OFFICE if fact != pair()))
    bare = sod_free if isinstance(command, DeleteRole) else BARE
    guarded = after(bare, CreateGuardrail(one))
    assert refusal_of(guarded, command) == NamedByGuardrail(noun, name, (CALM,))
    assert not isinstance(refusal_of(bare, command), NamedByGuardrail)
    together = ChangeSet((DeleteGuardrail(CALM), command))
    assert not isinstance(getattr(refusal_of(guarded, together), "refusal", None), NamedByGuardrail)


def test_all_guardrails_that_name_it_are_told_in_order() -> None:
    """And of several things that would go the kind first, then the least id."""
    names = [GuardrailId(name) for name in ("b", "c", "a")]
    several = [CreateGuardrail(Guardrail(name, on(PLAN).rule)) for name in names]
    state = after(BARE, *several)
    command = DeleteKind(FILE, cascade=True)
    assert refusal_of(state, command) == NamedByGuardrail("resource", PLAN, ("a", "b", "c"))
    state = after(state, CreateGuardrail(guardrail(on=OfKind(FILE))))
    assert refusal_of(state, command) == NamedByGuardrail("kind", FILE, (CALM,))


def test_what_no_guardrail_names_goes_as_before() -> None:
    """Another role, another resource, a principal: and a set that names a role still says so."""
    state = after(BARE, CreateGuardrail(guardrail(MemberOf(STAFF))), CreateRole(NONE))
    for command in (DeleteRole(NONE), DeleteResource(DEEP.id), DeletePrincipal(ANN)):
        assert refusal_of(state, command) is None
    assert refusal_of(state, DeleteRole(CLERK)) == NamedBySodSet(CLERK, (PAIR,))
    assert refusal_of(after(state, DeleteGuardrail(CALM)), DeleteGroup(STAFF)) is None


@pytest.mark.parametrize(
    ("one", "noun", "name"),
    [
        (guardrail(HolderOf(NONE)), "resource", "role:none"),
        (guardrail(MemberOf(type(STAFF)("none"))), "resource", "group:none"),
        (on("none"), "resource", "none"),
        (on("organization:other"), "resource", "organization:other"),
        (guardrail(on=OfKind(GONE)), "kind", "gone"),
    ],
)
def test_a_guardrail_on_what_is_not_there_is_refused(one: Guardrail, noun: Noun, name: str) -> None:
    """Whatever it names must exist; the least name is told."""
    assert refusal_of(BARE, CreateGuardrail(one)) == Missing(noun, (name,))


PATTERNS: list[ResourcePattern] = [Any(), OfKind("role"), Exactly(ResourceId("organization:acme"))]


@pytest.mark.parametrize("resource", PATTERNS)
def test_a_guardrail_on_what_always_is_there_can_be_made(resource: ResourcePattern) -> None:
    """Everything, a kind of implicit resources, the organization itself."""
    state = after(BARE, CreateGuardrail(guardrail(on=resource)))
    assert valid(state) == ()
    assert after(state, DeleteGuardrail(CALM)).guardrails_by_name == BARE.guardrails_by_name


def test_a_guardrail_is_made_once_and_deleted_once() -> None:
    """What is there is not made again, and what is not there is not deleted."""
    state = after(BARE, CreateGuardrail(guardrail()))
    assert refusal_of(state, CreateGuardrail(on(DOCS))) == AlreadyExists("guardrail", (CALM,))
    assert refusal_of(BARE, DeleteGuardrail(CALM)) == Missing("guardrail", (CALM,))
    changed = after(state, ChangeSet((DeleteGuardrail(CALM), CreateGuardrail(on(DOCS)))))
    assert dict(changed.guardrails) == {CALM: on(DOCS)}
    assert set(changed.guardrails_by_name) == {Exactly(DOCS)}
    assert changed.revision == state.revision + 1


def test_a_claim_on_what_is_named_does_not_keep_the_guardrail() -> None:
    """A guardrail names, and nothing refers to it: it can always go."""
    state = made_of(*OFFICE, guardrail(), claim())
    assert refusal_of(state, DeleteGuardrail(CALM)) is None
