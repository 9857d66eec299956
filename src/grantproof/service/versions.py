"""Which revision last changed each entity: its `ETag`, and what `If-Match` is held against.

An entity changes with every fact that its written form shows: its own, and for a role the edges to
its parents too. A membership, a nesting or an assignment is a fact of no entity: it is shown only
in the collection that lists it. What is made anew has the revision that made it anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final, NamedTuple, assert_never, get_args

from immutables import Map

from grantproof.core.model import (
    Administered,
    Assignment,
    Claim,
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
)
from grantproof.core.organization import Organization

EntityFact = Principal | Group | Role | KindDeclaration | Resource | Claim | SodSet
"""What an entity is by itself."""

ENTITY_FACTS: Final[tuple[type[EntityFact], ...]] = get_args(EntityFact)


class Entity(NamedTuple):
    """What has a written form of its own, by the type of its own fact and its id."""

    fact: type[EntityFact]
    id: str


def entity_of(fact: Fact) -> Entity | None:
    """Return the entity whose written form shows the fact: this is what "changed" means."""
    match fact:
        case Principal() | Group() | Role() | Resource() | Claim() | SodSet():
            return Entity(type(fact), fact.id)
        case KindDeclaration():
            return Entity(KindDeclaration, fact.kind)
        case Inheritance():
            return Entity(Role, fact.role)
        case Membership() | Nesting() | Assignment() | GroupAssignment() | Administered():
            return None
        case _:
            assert_never(fact)


def edited(delta: Delta) -> frozenset[Entity]:
    """Return the entities that change although their own fact stays.

    A store must touch their rows: of an edge that goes, no row is left to tell when.
    """
    shown, own = set[Entity](), set[Entity]()
    for fact, entity in _shown(delta):
        (own if entity.fact is type(fact) else shown).add(entity)
    return frozenset(shown - own)


def touches(delta: Delta, entity: Entity) -> bool:
    """Return whether the entity changes, arrives or goes."""
    return any(changed == entity for _, changed in _shown(delta))


def _shown(delta: Delta) -> Iterator[tuple[Fact, Entity]]:
    for fact in chain(delta.removed, delta.added):
        entity = entity_of(fact)
        if entity is not None:
            yield fact, entity


Revisions = Map[str, int]
"""Revisions by the ids of entities of one type."""


@dataclass(frozen=True, slots=True)
class Versions:
    """For every entity of an organization at `revision`, the revision that last changed it.

    `of_type` has an entry for every type of entity, so equal versions are equal values.
    """

    revision: int = 0
    of_type: Map[type, Revisions] = Map({fact: Map() for fact in ENTITY_FACTS})

    def of(self, entity: Entity) -> int | None:
        """Return the revision that last changed the entity; nothing when there is none."""
        return self.of_type[entity.fact].get(entity.id)

    def __getitem__(self, entity: Entity) -> int:
        return self.of_type[entity.fact][entity.id]

    def after(self, delta: Delta) -> "Versions":
        """Return the versions at the next revision, which the delta led to."""
        revision, of_type = self.revision + 1, self.of_type
        for fact in delta.removed:
            entity = entity_of(fact)
            if entity is not None and entity.fact is type(fact):
                of_type = of_type.set(entity.fact, of_type[entity.fact].delete(entity.id))
        for fact in delta.added:
            entity = entity_of(fact)
            if entity is not None and entity.fact is type(fact):
                of_type = of_type.set(entity.fact, of_type[entity.fact].set(entity.id, revision))
        for kind, name in edited(delta):
            of_type = of_type.set(kind, of_type[kind].set(name, revision))
        return Versions(revision, of_type)


@dataclass(frozen=True, slots=True)
class Versioned:
    """An organization, and the versions of its entities at the same revision."""

    state: Organization
    versions: Versions
