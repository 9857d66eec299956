"""Graphs as SVG: a pure function of what is to be seen, without style and without script.

Every text goes through an XML tree, so nothing that is written in a policy becomes markup. What
colours and fonts there are, the style sheet says by the classes that are given here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Final, Literal
from xml.etree import ElementTree as ET

from markupsafe import Markup

from grantproof.api.console.layering import BOX_HEIGHT, BOX_WIDTH, MARGIN, Places, Point, layered

Kind = Literal["principal", "group", "role", "claim", "resource"]
Mark = Literal["", "lit", "missing", "failed"]
"""How something stands out: on the way that is shown, needed for it, or in its way."""

TEXT_LEFT: Final = 18
TEXT_WIDTH: Final = BOX_WIDTH - TEXT_LEFT - 10
NAME_SIZE: Final = 12.5
NOTE_SIZE: Final = 11
SAID_SIZE: Final = 11.5
TIP_WIDTH: Final = 4
TIP_HEIGHT: Final = 8
SAG: Final = 34
ASIDE: Final = 34
TAIL_LETTERS: Final = 6
"""So many of the last letters of a name stay when it is cut: names often differ at the end."""

ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"
UNWRITABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot hold, not even escaped."""

NARROW: Final = frozenset("fijlrtI.,:;|!'()[]/- ")
WIDE: Final = frozenset("mwMW@%~+=")
EM: Final[Mapping[str, float]] = {"narrow": 0.48, "usual": 0.7, "capital": 0.84, "wide": 1.08}
"""How wide letters are at most, in units of the size of the type, whatever font there is."""


@dataclass(frozen=True, slots=True)
class Node:
    """A box: `label` in the first line, `note` in the second; it leads to `href` if that is set."""

    id: str
    label: str
    kind: Kind = "role"
    note: str = ""
    href: str = ""
    mark: Mark = ""
    centre: bool = False

    @property
    def name(self) -> str:
        """What it is called where it cannot be seen."""
        told = f"{self.kind} {self.label}"
        return told if self.note in {"", self.kind} else f"{told}: {self.note}"


@dataclass(frozen=True, slots=True)
class Link:
    """An arrow down from one node to another, such as a role to one that it inherits from."""

    upper: str
    lower: str
    label: str = ""
    mark: Mark = ""


@dataclass(frozen=True, slots=True)
class Tie:
    """A dashed line between two nodes that may not go together."""

    one: str
    other: str
    label: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What is to be seen; links and ties only between its nodes, at most one link from one to one.

    `title` says what it is.
    """

    title: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...] = ()
    ties: tuple[Tie, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A node in words: where its arrows lead, and what it may not go with."""

    node: Node
    links: tuple[tuple[Link, Node], ...]
    ties: tuple[tuple[Tie, Node], ...]


def draw(picture: Picture) -> Markup:
    """Return the picture as an SVG element, the same for the same picture."""
    places = layered(
        (node.id for node in picture.nodes), ((link.upper, link.lower) for link in picture.links)
    )
    wide = max([places.width, *(_said_until(link, places) for link in picture.links)])
    size = {"width": str(wide), "height": str(places.height)}
    root = ET.Element(
        "svg",
        {
            "class": "drawing",
            "role": "group",
            "aria-label": _text(picture.title),
            "viewBox": f"0 0 {wide} {places.height}",
            **size,
        },
    )
    _ties(root, picture.ties, places)
    # What stands out is drawn last, so that nothing lies over it.
    for link in sorted(picture.links, key=lambda link: (link.mark, link.upper, link.lower)):
        _link(root, link, places.routes[link.upper, link.lower])
    for node in _in_reading_order(picture.nodes, places):
        _node(root, node, places.boxes[node.id])
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - escaped by the tree


def rows(picture: Picture) -> Iterator[Row]:
    """Yield the same graph in words, for whoever does not see it."""
    nodes = {node.id: node for node in picture.nodes}
    for node in picture.nodes:
        yield Row(
            node,
            tuple((link, nodes[link.lower]) for link in picture.links if link.upper == node.id),
            tuple(
                (tie, nodes[tie.other if tie.one == node.id else tie.one])
                for tie in picture.ties
                if node.id in {tie.one, tie.other}
            ),
        )


def chain(title: str, nodes: Iterable[Node], links: Iterable[tuple[str, Mark]]) -> Picture:
    """Return the picture of a way: each node above the next, with what leads from one to it."""
    way = tuple(nodes)
    told = tuple(links)
    return Picture(
        title,
        way,
        tuple(
            Link(upper.id, lower.id, label, mark)
            for (upper, lower), (label, mark) in zip(pairwise(way), told, strict=True)
        ),
    )


def shortened(text: str, *, size: float, width: int = TEXT_WIDTH) -> str:
    """Return as much of the text as fits into so many pixels, its last letters among it."""
    if _wide(text, size) <= width:
        return text
    tail = text[-TAIL_LETTERS:]
    room = width - _wide(ELLIPSIS + tail, size)
    head = 0
    while head < len(text) - TAIL_LETTERS and _wide(text[: head + 1], size) <= room:
        head += 1
    return text[:head] + ELLIPSIS + tail


def _wide(text: str, size: float) -> float:
    return sum(EM[_breadth(letter)] for letter in text) * size


def _breadth(letter: str) -> str:
    if letter in NARROW:
        return "narrow"
    if letter in WIDE or not letter.isascii():
        return "wide"
    return "capital" if letter.isupper() else "usual"


def _in_reading_order(nodes: Iterable[Node], places: Places) -> list[Node]:
    """Return them as they are read: from the top, and from the left."""

    def place(node: Node) -> tuple[int, int, str]:
        box = places.boxes[node.id]
        return (box.y, box.x, node.id)

    return sorted(nodes, key=place)


def _node(root: ET.Element, node: Node, place: Point) -> None:
    left, top = place.x - BOX_WIDTH // 2, place.y - BOX_HEIGHT // 2
    classes = " ".join(filter(None, ("node", node.kind, node.mark, "centre" * node.centre)))
    about = {"class": classes}
    if node.href:
        about |= {"href": _text(node.href), "aria-label": _text(node.name)}
    box = ET.SubElement(root, "a" if node.href else "g", about)
    ET.SubElement(box, "title").text = _text(node.name)
    corner = {"x": str(left), "y": str(top), "height": str(BOX_HEIGHT)}
    ET.SubElement(box, "rect", {"class": "box", "width": str(BOX_WIDTH), "rx": "8", **corner})
    stripe = {"x": str(left + 6), "y": str(top + 9), "height": str(BOX_HEIGHT - 18)}
    ET.SubElement(box, "rect", {"class": "stripe", "width": "4", "rx": "2", **stripe})
    label = shortened(node.label, size=NAME_SIZE)
    down = place.y - 3 if node.note else place.y + 5
    _write(box, "name", label, at=Point(left + TEXT_LEFT, down))
    if node.note:
        note = shortened(node.note, size=NOTE_SIZE)
        _write(box, "note", note, at=Point(left + TEXT_LEFT, place.y + 15))


def _link(root: ET.Element, link: Link, route: tuple[Point, ...]) -> None:
    group = ET.SubElement(root, "g", {"class": f"link {link.mark}".rstrip()})
    end = route[-1]
    stop = Point(end.x, end.y - TIP_HEIGHT)
    ET.SubElement(group, "path", {"class": "line", "d": _curve((*route[:-1], stop))})
    tip = f"M{end.x} {end.y}l{-TIP_WIDTH} {-TIP_HEIGHT}h{2 * TIP_WIDTH}z"
    ET.SubElement(group, "path", {"class": "tip", "d": tip})
    if link.label:
        _write(group, "said", link.label, at=_beside(route))


def _beside(route: tuple[Point, ...]) -> Point:
    """Return where the label of an arrow begins: right of its middle."""
    start, end = route[0], route[-1]
    return Point((start.x + end.x) // 2 + 9, (start.y + end.y) // 2 + 4)


def _said_until(link: Link, places: Places) -> int:
    """Return how far to the right the label of an arrow may reach, with a margin."""
    if link.label == "":
        return 0
    start = _beside(places.routes[link.upper, link.lower]).x
    return start + ceil(_wide(link.label, SAID_SIZE)) + MARGIN


def _curve(points: tuple[Point, ...]) -> str:
    """Return a path that leaves and arrives straight down, and is straight within each layer."""
    pieces = [f"M{points[0].x} {points[0].y}"]
    for here, there in pairwise(points):
        if here.x == there.x:
            pieces.append(f"V{there.y}")
        else:
            middle = (here.y + there.y) // 2
            pieces.append(f"C{here.x} {middle} {there.x} {middle} {there.x} {there.y}")
    return "".join(pieces)


def _ties(root: ET.Element, ties: Iterable[Tie], places: Places) -> None:
    for tie in ties:
        here, there = sorted((places.boxes[tie.one], places.boxes[tie.other]))
        group = ET.SubElement(root, "g", {"class": "tie"})
        ET.SubElement(group, "title").text = _text(tie.label)
        ET.SubElement(group, "path", {"class": "line", "d": _tied(here, there)})


def _tied(here: Point, there: Point) -> str:
    """Return a path from edge to edge: below boxes of one row, aside of the arrows between rows."""
    upper, lower = sorted((here, there), key=lambda point: point.y)
    half = BOX_HEIGHT // 2
    if lower.y - upper.y < BOX_HEIGHT:
        bend = max(upper.y, lower.y) + half + SAG
        across = f"{(here.x + there.x) // 2} {bend} {there.x} {there.y + half}"
        return f"M{here.x} {here.y + half}Q{across}"
    start, end = upper.y + half, lower.y - half
    left, right = upper.x + ASIDE, lower.x + ASIDE
    middle = (start + end) // 2
    return f"M{left} {start}C{left} {middle} {right} {middle} {right} {end}"


def _write(parent: ET.Element, kind: str, text: str, *, at: Point) -> None:
    about = {"class": kind, "x": str(at.x), "y": str(at.y)}
    ET.SubElement(parent, "text", about).text = _text(text)


def _text(text: str) -> str:
    return UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)
