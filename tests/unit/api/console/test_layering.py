"""Layouts: no boxes overlap, every edge leads down, nothing is lost, and it is always the same."""

from collections.abc import Iterator
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings

from grantproof.api.console.layering import (
    BOX_HEIGHT,
    BOX_WIDTH,
    EDGES_MAX,
    NODES_MAX,
    SPANS_MAX,
    Places,
    fits,
    layered,
)
from tests.unit.api.console.graphs import AWKWARD, Graph, graphs, numbered, shaped


def faults(graph: Graph, places: Places) -> list[str]:
    """What is wrong with the places of a graph."""
    nodes, edges = graph
    found = []
    if set(places.boxes) != set(nodes) or set(places.layers) != set(nodes):
        found.append("not each node once")
    if sorted(places.routes) != sorted(edges):
        found.append("not each edge once")
    return [*found, *faults_of_boxes(places), *faults_of_routes(places)]


def faults_of_boxes(places: Places) -> Iterator[str]:
    """Which boxes overlap, and which are not inside of the drawing."""
    for one, other in combinations(places.boxes, 2):
        here, there = places.boxes[one], places.boxes[other]
        if abs(here.x - there.x) < BOX_WIDTH and abs(here.y - there.y) < BOX_HEIGHT:
            yield f"{one} overlaps {other}"
    for name, box in places.boxes.items():
        inside = BOX_WIDTH / 2 <= box.x <= places.width - BOX_WIDTH / 2
        if not inside or not BOX_HEIGHT / 2 <= box.y <= places.height - BOX_HEIGHT / 2:
            yield f"{name} is outside"


def faults_of_routes(places: Places) -> Iterator[str]:
    """Which edges do not lead down, from box to box."""
    half = BOX_HEIGHT // 2
    for (upper, lower), route in places.routes.items():
        above, below = places.boxes[upper], places.boxes[lower]
        if places.layers[upper] >= places.layers[lower]:
            yield f"{upper} is not in a layer above {lower}"
        if above.y + BOX_HEIGHT > below.y:
            yield f"{upper} is not above {lower}"
        if (route[0], route[-1]) != ((above.x, above.y + half), (below.x, below.y - half)):
            yield f"the route from {upper} does not lead to {lower}"
        if any(here.y > there.y for here, there in pairwise(route)):
            yield f"the route from {upper} to {lower} leads up"


@settings(max_examples=60)
@given(graphs())
def test_any_graph_is_laid_out_in_layers(graph: Graph) -> None:
    """Whatever there is of nodes, parts and edges."""
    assert faults(graph, layered(*graph)) == []


@pytest.mark.parametrize("graph", AWKWARD.values(), ids=AWKWARD.keys())
def test_awkward_graphs_are_laid_out_in_layers(graph: Graph) -> None:
    """Wide, tall, in many parts, or of nothing; each small enough to be drawn."""
    assert fits(len(graph[0]), graph[1])
    assert faults(graph, layered(*graph)) == []


@settings(max_examples=60)
@given(graphs())
def test_the_order_in_which_a_graph_comes_plays_no_part(graph: Graph) -> None:
    """The same nodes and edges have the same places."""
    nodes, edges = graph
    there = layered(reversed(nodes), [*reversed(edges), *edges])
    assert there == layered(nodes, edges)
    assert list(there.boxes) == sorted(nodes)


def test_a_wide_layer_is_folded() -> None:
    """A hundred and fifty boxes side by side would be far too wide to look at."""
    nodes, edges = AWKWARD["a star"]
    places = layered(nodes, edges)
    rows = {places.boxes[name].y for name in nodes[1:]}
    assert 1 < len(rows) <= 4
    assert places.width < len(nodes) * BOX_WIDTH / 3


def test_what_is_too_large_to_be_drawn_is_told() -> None:
    """At most so many nodes, edges, and layers that edges cross: each at its bound and above."""
    assert fits(NODES_MAX, [])
    assert not fits(NODES_MAX + 1, [])
    nodes = numbered(2 * EDGES_MAX)
    edges = list(zip(nodes[::2], nodes[1::2], strict=True))
    assert fits(NODES_MAX, edges[:EDGES_MAX])
    assert not fits(NODES_MAX, [*edges[:EDGES_MAX], ("a", "b")])
    # A chain of a hundred has a span for each edge, and each shortcut from its top one as long.
    chain = [(one, one + 1) for one in range(99)]
    spans, shortcuts = 99, []
    for end in range(99, 1, -1):
        if spans + end > SPANS_MAX:
            break
        spans += end
        shortcuts.append((0, end))
    rest = SPANS_MAX - spans
    _, exactly = shaped(100, [*chain, *shortcuts, (1, 1 + rest)])
    _, above = shaped(100, [*chain, *shortcuts, (1, 2 + rest)])
    assert fits(100, exactly)
    assert not fits(100, above)


def test_the_faults_of_a_layout_are_found() -> None:
    """The judge of layouts is not blind."""
    graph = shaped(3, [(0, 1), (1, 2)])
    good = layered(*graph)
    one, two, three = graph[0]
    shifted = {**good.boxes, two: good.boxes[one]}
    swapped = {**good.layers, one: 1, two: 0}
    bad = Places(good.width, good.height, shifted, good.layers, good.routes)
    assert f"{one} overlaps {two}" in faults(graph, bad)
    assert f"the route from {one} does not lead to {two}" in faults(graph, bad)
    bad = Places(good.width, good.height, good.boxes, swapped, good.routes)
    assert faults(graph, bad) == [f"{one} is not in a layer above {two}"]
    bad = Places(good.width, 10, good.boxes, good.layers, good.routes)
    assert f"{three} is outside" in faults(graph, bad)
    bad = Places(good.width, good.height, good.boxes, good.layers, {})
    assert faults(graph, bad) == ["not each edge once"]
