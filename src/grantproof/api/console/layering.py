"""Where the boxes of a layered graph stand, and how its edges run: a pure function of the graph.

The layers and the order within them are Sugiyama's, made by `fast_sugiyama`. Here its abstract
units become pixels, wide layers are folded into rows, and components stand beside each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from math import ceil
from typing import Final, NamedTuple

from fast_sugiyama import from_edges

from grantproof.core.hierarchy import closure

BOX_WIDTH: Final = 196
BOX_HEIGHT: Final = 50
GAP_ACROSS: Final = 24
GAP_DOWN: Final = 56
GAP_ROWS: Final = 18
MARGIN: Final = 20
"""All in pixels, of a drawing that is not zoomed. `GAP_ROWS` is between the rows of one layer."""

WIDTH_WANTED: Final = 1_100
"""Components are put beside each other up to so many pixels, then below."""
LAYER_WANTED: Final = 6
"""A layer of more boxes is folded."""
ROWS_MAX: Final = 4
"""Into at most so many rows: more would hide which layer is which."""
NODES_MAX: Final = 150
EDGES_MAX: Final = 400
SPANS_MAX: Final = 1_500
"""So many nodes and edges are drawn at most, and so many layers may all edges together cross."""

UNIT: Final = 100.0
"""What the package is told to keep between boxes; only ratios of it matter."""
ROOM: Final = BOX_WIDTH + GAP_ACROSS / 2
"""Boxes of one row are at least so far from centre to centre."""

Edge = tuple[str, str]


class Point(NamedTuple):
    """A place in the drawing, in pixels from its top left corner."""

    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Places:
    """A laid out graph. `boxes` has the centre of each node, `layers` how far down it is.

    A route leads from the lower edge of the upper box to the upper edge of the lower one; between
    its points it may bend, but between the two of a pair (0 and 1, 2 and 3, ...) it is straight.
    """

    width: int
    height: int
    boxes: Mapping[str, Point]
    layers: Mapping[str, int]
    routes: Mapping[Edge, tuple[Point, ...]]


class _Part(NamedTuple):
    """A component: its boxes and routes from its own corner, and its size without margins."""

    width: float
    height: float
    boxes: dict[str, tuple[float, float]]
    layers: dict[str, int]
    routes: dict[Edge, list[tuple[float, float]]]


def layered(nodes: Iterable[str], edges: Iterable[Edge]) -> Places:
    """Return places in which no boxes overlap and every edge leads down, upper node first.

    The graph has no cycle, and the edges only its nodes. The same graph has the same places.
    """
    linked = sorted(set(edges))
    together = _components(linked)
    parts = [_component(members, linked) for members in together]
    alone = sorted(set(nodes).difference(*together))
    if alone:
        widest = max((part.width for part in parts), default=0.0)
        parts.append(_grid(alone, within=max(widest, WIDTH_WANTED)))
    return _placed(parts)


def fits(nodes: int, edges: Sequence[Edge]) -> bool:
    """Return whether a graph of so many nodes, without cycle, is small enough to be laid out."""
    return nodes <= NODES_MAX and len(edges) <= EDGES_MAX and _spans(edges) <= SPANS_MAX


def _components(edges: Sequence[Edge]) -> list[frozenset[str]]:
    """Return the nodes that hang together by edges, the largest part first."""
    beside: dict[str, set[str]] = {}
    for upper, lower in edges:
        beside.setdefault(upper, set()).add(lower)
        beside.setdefault(lower, set()).add(upper)
    found = []
    left = set(beside)
    while left:
        members = closure({min(left)}, beside)
        found.append(members)
        left -= members
    return sorted(found, key=lambda members: (-len(members), min(members)))


def _component(members: frozenset[str], edges: Sequence[Edge]) -> _Part:
    """Return a part that hangs together, laid out.

    Each for itself: beside others, the package may give a bend the number of one of their nodes.
    """
    names = sorted(members)
    numbers = {name: number for number, name in enumerate(names)}
    own = [(numbers[upper], numbers[lower]) for upper, lower in edges if upper in members]
    ((positions, _, _, hops),) = from_edges(
        own,
        vertex_spacing=UNIT,
        dummy_vertices=True,
        ranking_type="minimize",
        crossing_minimization="barycenter",
        # Swapping neighbours once more costs more than all else, and hardly shows.
        transpose=False,
        check_layout=False,
    )
    where = {int(number): place for number, place in positions}
    steps = [(int(one), int(other)) for one, other in hops or ()]
    return _part(names, where, steps)


def _spans(edges: Sequence[Edge]) -> int:
    """Return how many layers all edges cross together, at most."""
    above: dict[str, set[str]] = {}
    for upper, lower in edges:
        above.setdefault(lower, set()).add(upper)
    rank: dict[str, int] = {}
    for node in TopologicalSorter(above).static_order():
        rank[node] = max((rank[upper] + 1 for upper in above.get(node, ())), default=0)
    return sum(rank[lower] - rank[upper] for upper, lower in edges)


def _part(
    names: Sequence[str], where: Mapping[int, tuple[float, float]], steps: Sequence[tuple[int, int]]
) -> _Part:
    """Return a component in pixels: layers folded where they are wide, edges along their steps.

    A number below the count of names is that node; one above is a bend of an edge.
    """
    heights = sorted({down for _, down in where.values()}, reverse=True)
    level = {number: heights.index(down) for number, (_, down) in where.items()}
    members: list[list[int]] = [[] for _ in heights]
    for number in sorted(range(len(names)), key=lambda one: (where[one][0], one)):
        members[level[number]].append(number)
    rows = min(ROWS_MAX, ceil(max(map(len, members)) / LAYER_WANTED))
    scale = (BOX_WIDTH + GAP_ACROSS) / UNIT / rows
    left = min(across for across, _ in where.values())
    centre = {one: (across - left) * scale + BOX_WIDTH / 2 for one, (across, _) in where.items()}
    boxes: dict[int, tuple[float, float]] = {}
    limits: list[tuple[float, float]] = []
    top = 0.0
    for layer in members:
        row = _folded(layer, centre)
        for number in layer:
            down = top + row[number] * (BOX_HEIGHT + GAP_ROWS) + BOX_HEIGHT / 2
            boxes[number] = (centre[number], down)
        end = top + BOX_HEIGHT + max(row.values(), default=0) * (BOX_HEIGHT + GAP_ROWS)
        limits.append((top, end))
        top = end + GAP_DOWN
    routes = {}
    for upper, *bends, lower in _chains(steps, len(names)):
        through = [(centre[one], limits[level[one]]) for one in bends]
        ends = (limits[level[upper]][1], limits[level[lower]][0])
        edge = (names[upper], names[lower])
        routes[edge] = _route(boxes[upper], boxes[lower], through=through, ends=ends)
    return _Part(
        width=max(centre.values()) + BOX_WIDTH / 2,
        height=limits[-1][1],
        boxes={name: boxes[number] for number, name in enumerate(names)},
        layers={name: level[number] for number, name in enumerate(names)},
        routes=routes,
    )


def _folded(layer: Sequence[int], centre: Mapping[int, float]) -> dict[int, int]:
    """Return the row of each member, from left to right the first in which there is room."""
    latest: list[float] = []
    rows: dict[int, int] = {}
    for number in layer:
        free = (row for row, last in enumerate(latest) if centre[number] - last >= ROOM)
        rows[number] = row = next(free, len(latest))
        latest[row : row + 1] = [centre[number]]
    return rows


def _chains(steps: Sequence[tuple[int, int]], nodes: int) -> list[list[int]]:
    """Return each edge with the bends that it was led through."""
    onward = {upper: lower for upper, lower in steps if upper >= nodes}
    chains = []
    for upper, lower in steps:
        if upper < nodes:
            chain = [upper, lower]
            while chain[-1] >= nodes:
                chain.append(onward[chain[-1]])
            chains.append(chain)
    return chains


def _route(
    upper: tuple[float, float],
    lower: tuple[float, float],
    *,
    through: Sequence[tuple[float, tuple[float, float]]],
    ends: tuple[float, float],
) -> list[tuple[float, float]]:
    """Return the points of an edge: straight through each layer, so that it meets no box there.

    `through` has where it crosses a layer, and from where to where that is; `ends` where the layer
    of the upper box ends and that of the lower box begins.
    """
    points = [(upper[0], upper[1] + BOX_HEIGHT / 2), (upper[0], ends[0])]
    for across, limits in through:
        points += [(across, limit) for limit in limits]
    return [*points, (lower[0], ends[1]), (lower[0], lower[1] - BOX_HEIGHT / 2)]


def _grid(alone: Sequence[str], *, within: float) -> _Part:
    """Return the nodes without edges, in rows."""
    pitch = BOX_WIDTH + GAP_ACROSS
    columns = max(1, int((within + GAP_ACROSS) // pitch))
    boxes = {
        number: (
            index % columns * pitch + BOX_WIDTH / 2,
            index // columns * (BOX_HEIGHT + GAP_ROWS) + BOX_HEIGHT / 2,
        )
        for index, number in enumerate(alone)
    }
    width = min(columns, len(alone)) * pitch - GAP_ACROSS
    height = ceil(len(alone) / columns) * (BOX_HEIGHT + GAP_ROWS) - GAP_ROWS
    return _Part(width, height, boxes, dict.fromkeys(alone, 0), {})


def _placed(parts: Sequence[_Part]) -> Places:
    """Return the parts beside each other, and below where there is no room."""
    boxes: dict[str, Point] = {}
    layers: dict[str, int] = {}
    routes: dict[Edge, tuple[Point, ...]] = {}
    left = top = below = right = 0.0
    for part in parts:
        if left > 0 and left + part.width > WIDTH_WANTED:
            left, top = 0.0, below
        corner = (left + MARGIN, top + MARGIN)
        boxes |= {name: _moved(place, corner) for name, place in part.boxes.items()}
        layers |= part.layers
        routes |= {
            edge: tuple(_moved(point, corner) for point in points)
            for edge, points in part.routes.items()
        }
        right = max(right, left + part.width)
        left += part.width + 2 * GAP_ACROSS
        below = max(below, top + part.height + GAP_DOWN)
    down = max(0.0, below - GAP_DOWN)
    return Places(
        width=ceil(right) + 2 * MARGIN,
        height=ceil(down) + 2 * MARGIN,
        boxes={name: boxes[name] for name in sorted(boxes)},
        layers=layers,
        routes={edge: routes[edge] for edge in sorted(routes)},
    )


def _moved(point: tuple[float, float], corner: tuple[float, float]) -> Point:
    return Point(round(point[0] + corner[0]), round(point[1] + corner[1]))
