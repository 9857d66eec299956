"""What changes an entity: defined once, for every type of fact."""

from typing import get_args

import pytest

from grantproof.core.attributes import attributes
from grantproof.core.guardrails import Access, Forbidden
from grantproof.core.identifiers import (
    ClaimId,
    GroupId,
    GuardrailId,
    Kind,
    PrincipalId,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.model import (
    Administered,
    Any,
    Assignment,
    Claim,
    Delta,
    Fact,
    Group,
    GroupAssignment,
    Guardrail,
    Inheritance,
    KindDeclaration,
    Membership,
    Nesting,
    Principal,
    Resource,
    Role,
    SodSet,
)
from grantproof.service.versions import (
    ENTITY_FACTS,
    Entity,
    Versions,
    edited,
    entity_of,
    touches,
)

ANN, STAFF, CLUB = PrincipalId("x"), GroupId("x"), GroupId("club")
CHILD, BASE = RoleId("x"), RoleId("base")
EDGE, ROLE = Inheritance(CHILD, BASE), Entity(Role, "x")

FACTS: list[tuple[Fact, type | None]] = [
    (Principal(ANN), Principal),
    (Group(STAFF), Group),
    (Role(CHILD), Role),
    (KindDeclaration(Kind("x")), KindDeclaration),
    (Resource(ResourceId("x"), Kind("x")), Resource),
    (Claim(ClaimId("x"), BASE, Any(), Any()), Claim),
    (SodSet(SodSetId("x"), frozenset({CHILD, BASE}), 2), SodSet),
    (Guardrail(GuardrailId("x"), Forbidden(Access(Any(), Any()))), Guardrail),
    (Membership(ANN, STAFF), None),
    (Nesting(STAFF, CLUB), None),
    (EDGE, Role),
    (Assignment(ANN, CHILD), None),
    (GroupAssignment(STAFF, CHILD), None),
    (Administered(), None),
]
"""One of each type, every entity called the same, and the type of entity that it changes."""


@pytest.mark.parametrize(("fact", "changes"), FACTS)
def test_a_fact_changes_one_entity_or_none(fact: Fact, changes: type | None) -> None:
    """Its own, or the role below an edge; links change none."""
    entity = entity_of(fact)
    assert (None if entity is None else (entity.fact, entity.id)) == (changes and (changes, "x"))
    for delta in (Delta(added=(fact,)), Delta(removed=(fact,))):
        for kind in ENTITY_FACTS:
            assert touches(delta, Entity(kind, "x")) == (kind is changes)
        assert edited(delta) == (frozenset({ROLE}) if fact == EDGE else frozenset())


def test_every_type_of_fact_is_among_them() -> None:
    """A new one must be given its entity here too; and nothing else is an entity."""
    assert [type(fact) for fact, _ in FACTS] == list(get_args(Fact))
    assert set(ENTITY_FACTS) == {changes for _, changes in FACTS if changes is not None}


@pytest.mark.parametrize(
    ("delta", "expected"),
    [
        (Delta(removed=(EDGE, Role(CHILD))), frozenset()),
        (Delta(added=(Role(CHILD), EDGE)), frozenset()),
        (Delta(removed=(EDGE,), added=(Inheritance(CHILD, RoleId("other")),)), frozenset({ROLE})),
        (Delta(removed=(EDGE, Role(BASE))), frozenset({ROLE})),
    ],
)
def test_what_comes_or_goes_itself_is_not_edited(delta: Delta, expected: frozenset[Entity]) -> None:
    """Its row is written anyway, or is there no more."""
    assert edited(delta) == expected


def test_entities_with_one_name_are_apart() -> None:
    """A principal, a group and a role may be called the same; each has a version of its own."""
    found = Versions()
    for fact, _ in FACTS[:8]:
        found = found.after(Delta(added=(fact,)))
    assert [found[Entity(kind, "x")] for kind in ENTITY_FACTS] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert found.of(Entity(Role, "base")) is None


def test_versions_follow_what_comes_changes_and_goes() -> None:
    """An edit is the revision's; what goes has none; what comes again has a new one."""
    before, after = Principal(ANN), Principal(ANN, attributes=attributes({"a": 1}))
    deltas = [
        Delta(added=(before,)),
        Delta(),
        Delta(removed=(before,), added=(after,)),
        Delta(removed=(after,)),
        Delta(added=(before,)),
    ]
    found, seen = Versions(), list[int | None]()
    for delta in deltas:
        found = found.after(delta)
        seen.append(found.of(Entity(Principal, "x")))
    assert seen == [1, 1, 3, None, 5]
    assert found == Versions(5, Versions().of_type.set(Principal, found.of_type[Principal]))
