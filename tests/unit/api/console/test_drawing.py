"""Drawings: well-formed whatever is written, everything there once, links with names, in words."""

from time import process_time
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.api.console.drawing import (
    NAME_SIZE,
    Link,
    Node,
    Picture,
    Tie,
    chain,
    draw,
    rows,
    shortened,
)
from grantproof.api.console.layering import EDGES_MAX, NODES_MAX, fits
from tests.strategies.names import ANY
from tests.unit.api.console.graphs import AWKWARD, Graph, graphs, numbered

ANYTHING = st.text(max_size=30)


def parsed(text: str) -> ET.Element:
    """The drawing, which has to be well-formed XML."""
    return ET.fromstring(text)  # noqa: S314 - our own text, and the standard library's parser


def classes(element: ET.Element) -> set[str]:
    """The classes of an element."""
    return set(element.get("class", "").split())


def boxes(root: ET.Element) -> list[ET.Element]:
    """The boxes of a drawing."""
    return [one for one in root.iter() if "node" in classes(one)]


def picture_of(graph: Graph, *, lit: int = 0) -> Picture:
    """The picture of a graph, of which the first nodes and edges stand out."""
    nodes, edges = graph
    return Picture(
        "roles",
        tuple(
            Node(name, name, note="1 claim", href=f"/r/{name}", mark="lit" if place < lit else "")
            for place, name in enumerate(nodes)
        ),
        tuple(
            Link(upper, lower, mark="lit" if place < lit else "")
            for place, (upper, lower) in enumerate(edges)
        ),
    )


@settings(max_examples=40)
@given(graphs(nodes_max=12), st.integers(0, 4))
def test_every_node_and_edge_is_drawn_once(graph: Graph, lit: int) -> None:
    """Each node is a link with its name, each edge has a line and a tip; marks are classes."""
    root = parsed(draw(picture_of(graph, lit=lit)))
    found = boxes(root)
    assert sorted(str(one.get("href")) for one in found) == sorted(
        f"/r/{name}" for name in graph[0]
    )
    assert all(one.get("aria-label") == f"role {one.findtext('title', '')[5:]}" for one in found)
    links = [one for one in root.iter() if "link" in classes(one)]
    assert [[classes(part).pop() for part in one] for one in links] == [
        ["line", "tip"] for _ in graph[1]
    ]
    stands_out = [one for one in root.iter() if "lit" in classes(one)]
    assert len(stands_out) == min(lit, len(graph[0])) + min(lit, len(graph[1]))


@settings(max_examples=50)
@given(ANYTHING, ANYTHING, ANYTHING)
def test_whatever_is_written_is_text(label: str, note: str, address: str) -> None:
    """Markup, quotes, control characters, any script: the drawing is well-formed."""
    picture = Picture(
        label,
        (Node("a", label, "claim", note, address), Node("b", note, mark="failed")),
        (Link("a", "b", label, "missing"),),
        (Tie("a", "b", note),),
    )
    root = parsed(draw(picture))
    assert {one.tag for one in root.iter()} <= {"svg", "g", "a", "path", "rect", "text", "title"}
    assert {name for one in root.iter() for name in one.attrib} <= {
        *("class", "role", "aria-label", "viewBox", "width", "height"),
        *("href", "x", "y", "rx", "d"),
    }


def test_markup_is_told_as_it_stands() -> None:
    """A reader sees the letters, and no element comes of them."""
    evil = "<script>alert('1')</script>\"&"
    text = draw(Picture(evil, (Node("a", evil, note=evil, href=evil),)))
    assert "<script" not in text
    root = parsed(text)
    (box,) = boxes(root)
    assert (root.get("aria-label"), box.get("href")) == (evil, evil)
    assert box.findtext("title") == f"role {evil}: {evil}"


def test_what_xml_cannot_hold_is_replaced() -> None:
    """A null character, as a value of an attribute may have it, and half a surrogate pair."""
    (box,) = boxes(parsed(draw(Picture("x", (Node("a", "a\0b\ud800c"),)))))
    assert box.findtext("title") == "role a\ufffdb\ufffdc"


@settings(max_examples=40)
@given(ANY.roles)
def test_any_id_is_a_label(role: str) -> None:
    """The whole of it stands in the title, as much as fits in the box, its end in any case."""
    (box,) = boxes(parsed(draw(Picture("x", (Node(role, role, href="/"),)))))
    assert box.findtext("title") == f"role {role}"
    shown = box.findtext("text") or ""
    head, cut, tail = shown.partition("…")
    assert role.startswith(head)
    assert role.endswith(tail)
    assert len(cut) == (1 if len(role) > 40 else len(cut))
    assert len(shown) <= max(40, len(head) + 7)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("short", "short"),
        ("", ""),
        ("il" * 20, "iliililil"),
        ("engineering-approver-in-chief-007", "engineerin…ef-007"),
    ],
)
def test_names_are_cut_in_the_middle(text: str, shown: str) -> None:
    """So that names that begin alike can be told apart; a short one stays."""
    cut = shortened(text, size=NAME_SIZE)
    if len(text) <= len(shown):
        assert cut == text
    else:
        assert (cut[:5], cut[-6:]) == (text[:5], text[-6:])
        assert "…" in cut


def test_a_label_of_an_arrow_has_room() -> None:
    """The drawing is as wide as what stands beside its arrows."""
    short, long = (
        draw(chain("way", [Node("a", "a"), Node("b", "b")], [(label, "")]))
        for label in ("has", "assigned until 2030-01-31T09:00:00Z for the time being")
    )
    assert int(parsed(long).get("width", "")) > int(parsed(short).get("width", ""))


def test_ties_are_dashed_lines_between_boxes() -> None:
    """In one row they sag below, between rows they run from box to box; each says what it is."""
    names = ["a", "b", "c"]
    nodes = tuple(Node(name, name) for name in names)
    picture = Picture("x", nodes, (Link("a", "b"),), (Tie("a", "b", "one"), Tie("a", "c", "two")))
    root = parsed(draw(picture))
    ties = [one for one in root.iter() if "tie" in classes(one)]
    assert [one.findtext("title") for one in ties] == ["one", "two"]
    assert [("C" in str(one[1].get("d")), "Q" in str(one[1].get("d"))) for one in ties] == [
        (True, False),
        (False, True),
    ]


def test_the_same_is_told_in_words() -> None:
    """For each box where its arrows lead, and what it may not go with."""
    one, two, three = (Node(name, name) for name in "abc")
    link, tie = Link("a", "b"), Tie("a", "c", "kept apart")
    told = list(rows(Picture("x", (one, two, three), (link,), (tie,))))
    assert [(row.node, row.links, row.ties) for row in told] == [
        (one, ((link, two),), ((tie, three),)),
        (two, (), ()),
        (three, (), ((tie, one),)),
    ]


def test_boxes_are_read_from_the_top() -> None:
    """Whoever goes from box to box by the keyboard goes down the layers."""
    names = ["z", "a", "m"]
    picture = Picture(
        "x", tuple(Node(name, name, href=name) for name in names), (Link("z", "a"), Link("a", "m"))
    )
    assert [one.get("href") for one in boxes(parsed(draw(picture)))] == ["z", "a", "m"]


def largest() -> Graph:
    """As many nodes and edges as are drawn, in layers that edges cross."""
    nodes = numbered(NODES_MAX)
    edges = [
        (nodes[upper], nodes[upper + step])
        for step in (1, 7, 9)
        for upper in range(NODES_MAX - step)
        if upper % 13
    ][:EDGES_MAX]
    while not fits(len(nodes), edges):
        edges.pop()
    return nodes, edges


def longest() -> Graph:
    """A chain with shortcuts, which together cross as many layers as they may."""
    nodes = numbered(NODES_MAX)
    edges = [(nodes[one], nodes[one + 1]) for one in range(64)]
    pairs = ((one, other) for one in range(64) for other in range(one + 2, 65))
    for upper, lower in pairs:
        more = [*edges, (nodes[upper], nodes[lower])]
        if (7 * upper + lower) % 5 == 0 and fits(len(nodes), more):
            edges = more
    return nodes, edges


ADDITIONS = 5_000_000
"""As many take a quarter of a second of a processor of 2020."""


def adding() -> float:
    """How many seconds of this machine's processor the additions take."""
    began, total = process_time(), 0
    for each in range(ADDITIONS):
        total += each
    return process_time() - began


LARGE = {"largest": largest(), "longest": longest(), **AWKWARD}


@pytest.mark.parametrize("graph", LARGE.values(), ids=LARGE.keys())
def test_the_largest_drawing_takes_no_time(graph: Graph) -> None:
    """Less than adding that often, names as long as they may be and words included."""
    long = Picture(
        "x",
        tuple(Node(name, name * 32, note="9 claims", href=f"/r/{name}") for name in graph[0]),
        tuple(Link(*edge) for edge in graph[1]),
    )
    began = process_time()
    draw(long)
    list(rows(long))
    drawn = process_time() - began
    assert drawn < adding()
