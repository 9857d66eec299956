"""What an executable property is, the search for a counterexample, and how one is made smaller."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from grantproof.core import model as m
from grantproof.core.organization import Organization
from specs.faults.small.words import Words, told
from specs.faults.small.worlds import Facts, built
from tests.properties import oracle


@dataclass(frozen=True)
class Small:
    """A small organization, for the product and for the oracle."""

    facts: Facts

    @cached_property
    def state(self) -> Organization:
        """The aggregate that the product works on."""
        return built(self.facts)

    @cached_property
    def world(self) -> oracle.World:
        """The relations that the oracle works on."""
        return oracle.world(self.state)


@dataclass(frozen=True)
class Objection:
    """What must be, and what is instead."""

    must: str
    found: str


@dataclass(frozen=True)
class Property:
    """What must hold of every act on every one of the organizations.

    `objection` says what is wrong with an act, or nothing; `tell` says the act in words. An act is
    a question, a command, a race; each property knows its own.
    """

    worlds: tuple[Facts, ...]
    acts: Callable[[Facts], Iterable[Any]]
    objection: Callable[[Small, Any], Objection | None]
    tell: Callable[[Any], str]


@dataclass(frozen=True)
class Counterexample:
    """Facts and an act. Plain values: they can be carried into another namespace."""

    facts: Facts
    act: Any


def search(stated: Property) -> Counterexample | None:
    """Return the first counterexample, made as small as dropping facts makes it, or nothing."""
    for facts in stated.worlds:
        small = Small(facts)
        for act in stated.acts(facts):
            if stated.objection(small, act) is not None:
                return shrunk(stated, Counterexample(facts, act))
    return None


def shrunk(stated: Property, found: Counterexample) -> Counterexample:
    """Return the counterexample without every fact that it does not need."""
    facts = found.facts
    for fact in reversed(found.facts):
        fewer = without(facts, fact)
        if len(fewer) < len(facts) and _still_objects(stated, Counterexample(fewer, found.act)):
            facts = fewer
    return Counterexample(facts, found.act)


def _still_objects(stated: Property, found: Counterexample) -> bool:
    try:
        return stated.objection(Small(found.facts), found.act) is not None
    except (KeyError, ValueError):
        # The act names what is not there any more, and a fault may stumble over that.
        return False


def without(facts: Facts, gone: m.Fact) -> Facts:
    """Return the facts without one of them, and without those that refer to it."""
    rest = tuple(fact for fact in facts if fact != gone)
    name = getattr(gone, "id", getattr(gone, "kind", None))
    if name is None:
        return rest
    for fact in rest:
        if name in references(fact):
            rest = without(rest, fact)
    return rest


def references(fact: m.Fact) -> set[str]:
    """Return the ids of other things that a fact names."""
    match fact:
        case m.Claim():
            return {fact.role, *_named(fact.resource)}
        case m.SodSet():
            return set(fact.roles)
        case m.Guardrail():
            return {end for name in fact.names for end in _named(name)}
        case m.Resource():
            return {fact.kind, *([] if fact.parent is None else [fact.parent])}
        case m.Principal() | m.Group() | m.Role() | m.KindDeclaration():
            return set()
        case _:
            ends = (getattr(fact, field.name) for field in fields(fact))
            return {end for end in ends if isinstance(end, str)}


def _named(pattern: m.ResourcePattern) -> Iterator[str]:
    match pattern:
        case m.Exactly(value) | m.Within(value):
            yield value
            yield value.partition(":")[2]
        case m.OfKind(kind):
            yield kind
        case m.Any():
            return


def tell(stated: Property, found: Counterexample) -> Words:
    """Return the counterexample in words: the organization, the act, what must be and what is."""
    objection = stated.objection(Small(found.facts), found.act)
    if objection is None:
        return ("the counterexample is none",)
    return (
        f"given: {'; '.join(told(found.facts)) or 'an empty organization'}",
        f"then:  {stated.tell(found.act)}",
        f"must:  {objection.must}",
        f"is:    {objection.found}",
    )
