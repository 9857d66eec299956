"""The pictures of small organizations: nothing on top of anything else, and nothing left out."""

from html.parser import HTMLParser
from itertools import combinations, islice

import pytest

from grantproof.core import model as m
from grantproof.core.commands import language as do
from grantproof.core.identifiers import Action, PrincipalId, ResourceId, RoleId
from grantproof.core.matching import Request
from specs.faults.judge import TABLES
from specs.faults.small import (
    analyses,
    changes,
    consumption,
    decisions,
    evidence,
    footprints,
    gifts,
    races,
    worlds,
)
from specs.faults.small.property import Property
from specs.faults.small.scene import scene
from specs.gate.detail import Detail
from specs.gate.report import Row, read, written
from specs.picture import Link, Node, Picture
from specs.report.drawing import described, drawn
from specs.report.layout import SIGN_OF_WORD, SIGNS, Layout, laid_out

DRAWN = (decisions, changes, footprints, evidence, races, consumption, analyses, gifts)
PROPERTIES: dict[str, Property] = {
    name: stated for table in DRAWN for name, stated in table.PROPERTIES.items()
}
WORLDS = (
    *(worlds.OFFICE, worlds.DESK, worlds.DRAWER, worlds.CHAIN, worlds.CABINET),
    gifts.OFFICIAL,
)
ONE = Node("a", "role", "a")
TWO = Node("b", "role", "b")


def marks(picture: Picture) -> dict[str, str]:
    """What is marked in a picture, and how."""
    nodes: dict[str, str] = {node.key: node.mark for node in picture.nodes if node.mark}
    links = {f"{one.source} {one.word} {one.target}": one.mark for one in picture.links if one.mark}
    return nodes | links


def overlaps(layout: Layout) -> list[tuple[str, str]]:
    """The nodes that lie on one another."""
    return [
        (one.node.key, other.node.key)
        for one, other in combinations(layout.boxes, 2)
        if one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    ]


def covered(layout: Layout) -> list[str]:
    """The words that lie on a node, or on another word."""
    words = [
        (one.word_x - wide / 2, one.word_x + wide / 2, one.word_y, one.link.word)
        for one in layout.arrows
        for wide in [len(SIGNS.get(one.link.mark, "") + one.link.word) * SIGN_OF_WORD]
    ]
    on_nodes = [
        word
        for left, right, y, word in words
        for box in layout.boxes
        if left < box.x + box.width and box.x < right and box.y < y < box.y + box.height
    ]
    on_words = [
        one[3]
        for one, other in combinations(words, 2)
        if one[0] < other[1] and other[0] < one[1] and abs(one[2] - other[2]) < 11
    ]
    return on_nodes + on_words


@pytest.mark.parametrize("facts", WORLDS)
def test_nothing_lies_on_anything_else(facts: worlds.Facts) -> None:
    """Nodes, words and edges of the organizations that counterexamples are cut out of."""
    layout = laid_out(scene(facts, None))
    assert len(layout.boxes) >= 4
    assert overlaps(layout) == []
    assert covered(layout) == []
    assert all(one.x >= 0 and one.x + one.width <= layout.width for one in layout.boxes)
    assert all(one.y >= 0 and one.y + one.height <= layout.height for one in layout.boxes)
    assert [one for one in layout.arrows if one.backwards] == []
    for arrow in layout.arrows:
        across = [x for x, _ in arrow.points]
        assert across == sorted(across)


def test_a_line_passes_no_node() -> None:
    """A link over two columns keeps a place of its own between the nodes that it passes."""
    chain = [Node(name, "role", name) for name in "abc"]
    links = [Link("a", "b", "x"), Link("b", "c", "x"), Link("a", "c", "skips")]
    layout = laid_out(Picture(tuple(chain), tuple(links)))
    (skips,) = [one for one in layout.arrows if one.link.word == "skips"]
    passed = next(box for box in layout.boxes if box.node.key == "b")
    assert len(skips.points) == 4
    assert {x for x, _ in skips.points[1:3]} == {passed.x, passed.x + passed.width}
    assert all(not passed.y <= y <= passed.y + passed.height for _, y in skips.points[1:3])


def test_a_cycle_is_drawn_backwards_where_it_is_closed() -> None:
    """The link that an act adds is the one that runs back; a link to itself is told in words."""
    added = Link("b", "a", "inherits", "added")
    layout = laid_out(Picture((ONE, TWO), (added, Link("a", "b", "inherits"))))
    assert {one.link.source: one.backwards for one in layout.arrows} == {"a": False, "b": True}
    own = laid_out(Picture((ONE,), (Link("a", "a", "inherits", "added"),)))
    assert own.boxes[0].lines == ("a", "role", "inherits itself")
    assert own.arrows == []


def test_an_empty_picture_has_a_size() -> None:
    """Nothing to draw is no error; neither is a link to what is not in the picture."""
    assert laid_out(Picture()).width > 0
    assert laid_out(Picture((ONE,), (Link("a", "gone", "x"),))).arrows == []


def test_what_a_command_does_is_marked() -> None:
    """What it adds, what it removes, and what it names that is not there."""
    ann, head = PrincipalId("ann"), RoleId("head")
    assert marks(scene(worlds.DESK, do.AssignRole(ann, RoleId("chief")))) == {
        "principal:ann has role:chief": "added"
    }
    assert marks(scene(worlds.DESK, do.AssignRole(ann, head))) == {
        "role:head": "missing",
        "principal:ann has role:head": "added",
    }
    removed = marks(scene(worlds.DESK, do.DeleteRole(RoleId("chief"), cascade=True)))
    assert removed == {
        "role:chief": "removed",
        "role:chief inherits role:approver": "removed",
    }
    assert marks(scene(worlds.DESK, do.SuspendPrincipal(PrincipalId("nobody")))) == {}


def test_who_asks_and_what_is_asked_about_is_marked() -> None:
    """With the action, the roles of a session, and that somebody is not known."""
    who, what = PrincipalId("nobody"), ResourceId("docs")
    asked = Request(who, Action("read"), what, None, frozenset({RoleId("head"), RoleId("clerk")}))
    picture = scene(worlds.OFFICE, (asked, worlds.NOW))
    assert marks(picture) == {"principal:nobody": "asked", "resource:docs": "asked"}
    notes = {node.key: node.notes for node in picture.nodes}
    assert notes["principal:nobody"] == ("unknown", "asks to read", "as clerk, head")
    assert notes["resource:docs"] == ("folder", "is asked about")


def test_every_fact_of_an_organization_is_drawn() -> None:
    """A node for each thing but kinds, a link for each relation."""
    picture = scene(worlds.OFFICE, None)
    things = (m.Principal, m.Group, m.Role, m.Resource, m.Claim, m.SodSet)
    assert len(picture.nodes) == sum(isinstance(fact, things) for fact in worlds.OFFICE)
    sets = [fact for fact in worlds.OFFICE if isinstance(fact, m.SodSet)]
    others = [fact for fact in worlds.OFFICE if not isinstance(fact, (*things, m.KindDeclaration))]
    claims = [fact for fact in worlds.OFFICE if isinstance(fact, m.Claim)]
    inside = [fact for fact in worlds.OFFICE if isinstance(fact, m.Resource) and fact.parent]
    members = sum(len(one.roles) for one in sets)
    assert len(picture.links) == len(others) + len(claims) + len(inside) + members


@pytest.mark.parametrize("name", PROPERTIES)
def test_every_counterexample_can_be_drawn_and_reported(name: str) -> None:
    """Whatever an act is: the picture survives the way to the page, and is drawn."""
    stated = PROPERTIES[name]
    for facts in stated.worlds:
        for act in islice(stated.acts(facts), 0, None, 211):
            picture = scene(facts, act)
            row = Row(name, "a fault", "caught", detail=Detail(picture=picture))
            again = read(written(row))
            assert again == row
            assert overlaps(laid_out(picture)) == []


def test_every_table_of_properties_is_looked_at() -> None:
    """The tables above are those that faults are judged by, those of no organization apart."""
    drawn = {table.__name__.rpartition(".")[2] for table in DRAWN}
    assert set(TABLES) - drawn == {"chains", "following"}


def test_a_picture_tells_nothing_by_colour_alone() -> None:
    """Marks are signs and words in the drawing, and words in its description."""
    nodes = (ONE, Node("b", "role", "b", mark="missing"), Node("c", "set", "c", mark="removed"))
    links = (Link("a", "b", "has", "added"), Link("a", "c", "is of", "removed"))
    picture = Picture(nodes, links)
    texts: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            texts.append(data)

    Reader().feed(drawn(picture, "p", "A title").text)
    assert {"A title", "no such role", "- c", "+ has", "- is of"} <= set(texts)
    told = "role a. role b: missing. set c: removed. role a has role b (added). "
    assert ". ".join(described(picture)) == told + "role a is of set c (removed)"
