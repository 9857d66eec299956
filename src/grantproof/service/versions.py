"""Which revision last changed each entity: its `ETag`, and what `If-Match` is held against.

An entity changes with every fact that its written form shows: its own, and for a role the edges to
its parents too. A membership, a nesting or an assignment is a fact of no entity: it is shown only
in the collection that lists it. What is made anew has the revision that made it anew.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, NamedTuple, get_args

from immutables import Map

from grantproof.core.model import (
    Administered,
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
from grantproof.core.organization import Organization

EntityFact = Principal | Group | Role | KindDeclaration | Resource | Claim | SodSet | Guardrail
"""What an entity is by itself."""

ENTITY_FACTS: Final[tuple[type[EntityFact], ...]] = get_args(EntityFact)


class Entity(NamedTuple):
    """What has a written form of its own, by the type of its own fact and its id."""

    fact: type[EntityFact]
    id: str


SHOWN_IN: Final[Mapping[type[Fact], tuple[type[EntityFact], str] | None]] = {
    Principal: (Principal, "id"),
    Group: (Group, "id"),
    Role: (Role, "id"),
    KindDeclaration: (KindDeclaration, "kind"),
    Resource: (Resource, "id"),
    Claim: (Claim, "id"),
    SodSet: (SodSet, "id"),
    Guardrail: (Guardrail, "id"),
    Inheritance: (Role, "role"),
    Membership: None,
    Nesting: None,
    Assignment: None,
    GroupAssignment: None,
    Administered: None,
}
"""For each type of fact, the entity whose written form shows it, and which field says its id.

This is what "changed" means, for rows, snapshots and replay alike.
"""


def entity_of(fact: Fact) -> Entity | None:
    """Return the entity whose written form shows the fact."""
    shown = SHOWN_IN[type(fact)]
    return None if shown is None else Entity(shown[0], getattr(fact, shown[1]))


def edited(delta: Delta) -> frozenset[Entity]:
    """Return the entities that change although their own fact stays.

    A store must touch their rows: of an edge that goes, no row is left to tell when.
    """
    shown = {entity for fact, entity in _shown(delta) if entity.fact is not type(fact)}
    if len(shown) == 0:
        return frozenset()
    return frozenset(shown).difference(_own(delta.removed), _own(delta.added))


def touches(delta: Delta, entity: Entity) -> bool:
    """Return whether the entity changes, arrives or goes."""
    return any(changed == entity for _, changed in _shown(delta))


def _shown(delta: Delta) -> Iterator[tuple[Fact, Entity]]:
    for fact in chain(delta.removed, delta.added):
        entity = entity_of(fact)
        if entity is not None:
            yield fact, entity


def _own(facts: Iterable[Fact]) -> Iterator[Entity]:
    """Yield the entities that the facts are by themselves."""
    for fact in facts:
        entity = entity_of(fact)
        if entity is not None and entity.fact is type(fact):
            yield entity


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
        revision = self.revision + 1
        gone, come = tuple(_own(delta.removed)), (*_own(delta.added), *edited(delta))
        changing = {
            kind: self.of_type[kind].mutate() for kind in {one.fact for one in (*gone, *come)}
        }
        for kind, name in gone:
            del changing[kind][name]
        for kind, name in come:
            changing[kind][name] = revision
        of_type = self.of_type.update({kind: one.finish() for kind, one in changing.items()})
        return Versions(revision, of_type)


@dataclass(frozen=True, slots=True)
class Versioned:
    """An organization, and the versions of its entities at the same revision.

    `seal` is that of the event which led there, where the store has said it: after a restore
    another event may have the same revision.
    """

    state: Organization
    versions: Versions
    seal: str | None = field(default=None, compare=False)
