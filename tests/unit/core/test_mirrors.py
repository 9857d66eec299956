"""An organization whose indexes do not say what its facts say is told from one made of facts."""

from dataclasses import fields, replace
from typing import Any, TypeVar

import pytest
from immutables import Map

from grantproof.core.mirrors import agreeing, mirrored
from grantproof.core.organization import Organization, facts, with_fact
from grantproof.core.relation import Graph, Relation
from tests.organizations import made_of
from tests.unit.core.test_gathering import EVERYTHING

SOUND = made_of(*EVERYTHING)
MAPS = tuple(one.name for one in fields(Organization) if isinstance(getattr(SOUND, one.name), Map))
RELATIONS = ("memberships", "assignments", "group_assignments")
GRAPHS = ("groups", "roles")

Whole = TypeVar("Whole", Organization, Relation[Any, Any, Any], Graph[Any])


def anew(state: Organization) -> Organization | None:
    """What the organization's own facts make one by one; nothing if one cannot be added."""
    made = Organization(state.id, state.revision, state.time_zone)
    try:
        for fact in facts(state):
            made = with_fact(made, fact)
    except KeyError:
        return None
    return made


def spoilt(found: Map[Any, Any]) -> list[Map[Any, Any]]:
    """The map without each entry, with one more, and with each entry under another name."""
    without = [found.delete(key) for key in found]
    moved = [found.delete(key).set("elsewhere", value) for key, value in found.items()]
    return [*without, *moved, *([found.set("elsewhere", Map())] if within(found) else [])]


def within(found: Map[Any, Any]) -> bool:
    """Whether it is an index: whether its values are maps too."""
    return all(isinstance(value, Map) for value in found.values())


def deeply(found: Map[Any, Any]) -> list[Map[Any, Any]]:
    """The map spoilt, or one of the maps in it."""
    inside = [
        found.set(key, one)
        for key, value in found.items()
        if isinstance(value, Map)
        for one in (
            *(value.delete(member) for member in value),
            value.set("ghost", None),
            Map(),
        )
        if one != value
    ]
    return [*spoilt(found), *inside]


def corrupt() -> list[Organization]:
    """The sound organization with each of its maps spoilt in every way."""
    parts = [(name, part.name) for name in (*RELATIONS, *GRAPHS) for part in fields(vars_of(name))]
    return [
        *(but(SOUND, name, one) for name in MAPS for one in deeply(vars_of(name))),
        *(
            but(SOUND, name, but(vars_of(name), part, one))
            for name, part in parts
            for one in deeply(getattr(vars_of(name), part))
        ),
    ]


def but(whole: Whole, name: str, value: object) -> Whole:
    """A copy of the value with another field."""
    changes: dict[str, Any] = {name: value}
    return replace(whole, **changes)


def vars_of(name: str) -> Any:
    """The field of the sound organization."""
    return getattr(SOUND, name)


def test_what_agrees_is_what_its_own_facts_make() -> None:
    """Of each way in which one map may be wrong; in some of them only facts are left out."""
    states = corrupt()
    assert agreeing(SOUND)
    found = [(agreeing(state), anew(state) == state) for state in states]
    assert [at for at, (one, other) in enumerate(found) if one != other] == []
    assert sum(not one for one, _ in found) > 100


def test_every_index_is_spoilt_in_some_way() -> None:
    """So that none is left out above."""
    spoilt_in = {
        one.name
        for state in corrupt()
        if not agreeing(state)
        for one in fields(Organization)
        if getattr(state, one.name) != getattr(SOUND, one.name)
    }
    assert spoilt_in == {*MAPS, *RELATIONS, *GRAPHS}


@pytest.mark.parametrize("part", ["forward", "backward"])
def test_a_relation_with_one_direction_is_not_mirrored(part: str) -> None:
    """Whichever it is; without any pair it is."""
    empty: Relation[str, str, None] = Relation()
    pairs = empty.with_pair("a", "x", None).with_pair("b", "x", None)
    assert mirrored(empty)
    assert mirrored(pairs)
    for one in deeply(getattr(pairs, part)):
        assert not mirrored(but(pairs, part, one))


def test_a_graph_has_every_node_in_both_directions() -> None:
    """Also one without edges."""
    graph = vars_of("roles")
    lonely: Graph[Any] = Graph(graph.parents.set("ghost", Map()), graph.children)
    assert not agreeing(replace(SOUND, roles=lonely))
