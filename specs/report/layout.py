"""Where the nodes and arrows of a small picture go: columns from left to right along the arrows.

A column is as far to the right as the longest chain that leads there. An arrow that skips columns
keeps a place of its own in each, so that it passes no node. One that closes a cycle runs backwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from specs.picture import Link, Mark, Node, Picture

SIGN: Final = 7.3
"""How wide a sign is, in units of the picture; all are: the type is monospaced."""
LINE: Final = 15
PADDING: Final = 8
GAP: Final = 14
PASSING: Final = 8
MARGIN: Final = 6
LEAST_BETWEEN: Final = 44
SIGN_OF_WORD: Final = 6.7
WORD_HEIGHT: Final = 13
SWEEPS: Final = 4
SIGNS: Final[dict[Mark, str]] = {"added": "+ ", "removed": "- "}
"""What a mark puts before a name or a word, so that it is not told by its colour alone."""


@dataclass(slots=True)
class Box:
    """A node at its place: its lines of text, its left upper corner, its size."""

    node: Node
    lines: tuple[str, ...]
    width: float
    height: float
    x: float = 0.0
    y: float = 0.0

    @property
    def middle(self) -> float:
        """How far down the arrows meet it."""
        return self.y + self.height / 2


@dataclass(slots=True)
class Bend:
    """Where an arrow passes a column that it skips."""

    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = PASSING

    @property
    def middle(self) -> float:
        """How far down it passes."""
        return self.y + self.height / 2


@dataclass(slots=True)
class Arrow:
    """A link at its place: the points it goes through, in pairs, and where its word stands."""

    link: Link
    points: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    word_x: float = 0.0
    word_y: float = 0.0
    backwards: bool = False


@dataclass(slots=True)
class Layout:
    """The picture with places, and its size."""

    boxes: list[Box]
    arrows: list[Arrow]
    width: float
    height: float


@dataclass(slots=True)
class _Chain:
    arrow: Arrow
    first: int
    parts: list[Box | Bend]


def laid_out(picture: Picture) -> Layout:
    """Return where everything of the picture goes; the same picture always looks the same."""
    boxes = {node.key: _box(node) for node in picture.nodes}
    ends = [one for one in picture.links if one.source in boxes and one.target in boxes]
    links = [one for one in ends if one.source != one.target]
    for own in (one for one in ends if one.source == one.target):
        box = boxes[own.source]
        boxes[own.source] = _box(box.node, (*box.lines[2:], f"{own.word} itself"))
    turned = _backwards(picture.nodes, links)
    columns = _columns(boxes, links, turned)
    rows: list[list[Box | Bend]] = [[] for _ in range(1 + max(columns.values(), default=-1))]
    for key, box in boxes.items():
        rows[columns[key]].append(box)
    chains = [_chain(link, boxes, columns, rows=rows) for link in links]
    _ordered(rows, chains)
    width = _placed(rows, chains)
    for chain in chains:
        _drawn(chain)
    _apart([chain.arrow for chain in chains])
    bottoms = [one.y + one.height for row in rows for one in row]
    words = [chain.arrow.word_y for chain in chains]
    return Layout(
        list(boxes.values()),
        [chain.arrow for chain in chains],
        width,
        max([*bottoms, *words], default=0.0) + MARGIN,
    )


def _box(node: Node, notes: Sequence[str] | None = None) -> Box:
    kind = f"no such {node.kind}" if node.mark == "missing" else node.kind
    name = f"{SIGNS.get(node.mark, '')}{node.name}"
    lines = (name, kind, *(node.notes if notes is None else notes))
    longest = max(len(lines[0]) * SIGN, *(len(line) * SIGN_OF_WORD for line in lines[1:]))
    return Box(node, lines, longest + 2 * PADDING, len(lines) * LINE + PADDING)


def _backwards(nodes: Sequence[Node], links: Sequence[Link]) -> set[int]:
    """Return the numbers of the links that close a cycle; those that an act adds come last."""
    leads: dict[str, set[str]] = {node.key: set() for node in nodes}
    turned: set[int] = set()
    numbered = sorted(enumerate(links), key=lambda pair: pair[1].mark == "added")
    for number, one in numbered:
        if _reaches(leads, one.target, one.source):
            turned.add(number)
        else:
            leads[one.source].add(one.target)
    return turned


def _reaches(leads: dict[str, set[str]], start: str, end: str) -> bool:
    waiting, seen = [start], {start}
    while waiting:
        here = waiting.pop()
        if here == end:
            return True
        new = leads[here] - seen
        seen |= new
        waiting += sorted(new)
    return False


def _columns(boxes: dict[str, Box], links: Sequence[Link], turned: set[int]) -> dict[str, int]:
    columns = dict.fromkeys(boxes, 0)
    for _ in boxes:
        for number, one in enumerate(links):
            here, there = _ends(one, number in turned)
            columns[there] = max(columns[there], columns[here] + 1)
    for number, one in enumerate(links):
        # What a resource or a set hangs on stays; a start is drawn next to what it leads to.
        here, _ = _ends(one, number in turned)
        starts = all(_ends(other, at in turned)[1] != here for at, other in enumerate(links))
        if starts:
            ahead = [
                columns[there]
                for at, other in enumerate(links)
                for source, there in [_ends(other, at in turned)]
                if source == here
            ]
            columns[here] = min(ahead) - 1
    used = sorted(set(columns.values()))
    return {key: used.index(column) for key, column in columns.items()}


def _ends(link: Link, turned: bool) -> tuple[str, str]:
    return (link.target, link.source) if turned else (link.source, link.target)


def _chain(
    link: Link, boxes: dict[str, Box], columns: dict[str, int], *, rows: list[list[Box | Bend]]
) -> _Chain:
    turned = columns[link.source] > columns[link.target]
    here, there = _ends(link, turned)
    bends = [Bend() for _ in range(columns[here] + 1, columns[there])]
    for at, bend in enumerate(bends, start=columns[here] + 1):
        rows[at].append(bend)
    arrow = Arrow(link, backwards=turned)
    return _Chain(arrow, columns[here], [boxes[here], *bends, boxes[there]])


def _ordered(rows: list[list[Box | Bend]], chains: Sequence[_Chain]) -> None:
    """Sort each column by where its neighbours stand in the one before, or after, in turn."""
    for sweep in range(SWEEPS):
        back = sweep % 2 == 1
        for row in reversed(rows) if back else rows:
            places = {id(one): at for other in rows for at, one in enumerate(other)}
            wanted = {id(one): _wanted(one, chains, places, back=back) for one in row}
            _sort(row, wanted)


def _sort(row: list[Box | Bend], wanted: dict[int, float]) -> None:
    row.sort(key=lambda one: wanted[id(one)])


def _wanted(
    one: Box | Bend, chains: Sequence[_Chain], places: dict[int, int], *, back: bool
) -> float:
    near = [
        places[id(pair[0] if pair[1] is one else pair[1])]
        for chain in chains
        for pair in pairwise(chain.parts)
        if (pair[0] if back else pair[1]) is one
    ]
    return sum(near) / len(near) if near else places[id(one)]


def _placed(rows: list[list[Box | Bend]], chains: Sequence[_Chain]) -> float:
    """Give everything its place and return how wide the picture is."""
    heights = [sum(one.height + GAP for one in row) - GAP for row in rows]
    tallest = max(heights, default=0.0)
    x = float(MARGIN)
    for at, row in enumerate(rows):
        y = MARGIN + (tallest - heights[at]) / 2
        wide = max((one.width for one in row), default=0.0)
        for one in row:
            one.x, one.y, one.width = x, y, wide
            y += one.height + GAP
        x += wide
        words = [len(chain.arrow.link.word) * SIGN_OF_WORD for chain in chains if chain.first == at]
        x += max([LEAST_BETWEEN, *(word + 26 for word in words)])
    return x - LEAST_BETWEEN + MARGIN if rows else 2 * MARGIN


def _drawn(chain: _Chain) -> None:
    """Run the arrow through its places: out of each on the right, into the next on the left."""
    start, *passed, end = chain.parts
    if not (isinstance(start, Box) and isinstance(end, Box)):
        return
    arrow = chain.arrow
    after = passed[0].x if passed else end.x
    arrow.points.append((start.x + start.width, start.middle))
    for bend in passed:
        arrow.points += [(bend.x, bend.middle), (bend.x + bend.width, bend.middle)]
    arrow.points.append((end.x, end.middle))
    leaves, meets = arrow.points[0], arrow.points[1]
    arrow.word_x = (leaves[0] + after) / 2
    arrow.word_y = (leaves[1] + meets[1]) / 2


def _apart(arrows: Sequence[Arrow]) -> None:
    """Push words down that would stand on one another."""
    placed: list[Arrow] = []
    for arrow in sorted(arrows, key=lambda one: (one.word_x, one.word_y)):
        for other in sorted(placed, key=lambda one: one.word_y):
            beside = abs(other.word_x - arrow.word_x) * 2 >= SIGN_OF_WORD * (
                len(other.link.word) + len(arrow.link.word)
            )
            if not beside and abs(other.word_y - arrow.word_y) < WORD_HEIGHT:
                arrow.word_y = other.word_y + WORD_HEIGHT
        placed.append(arrow)
