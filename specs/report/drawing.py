"""A picture as SVG: every thing with its kind in words, every arrow with its word and its mark.

What an act adds is drawn thick and marked `+`, what it removes is crossed out with dashes and
marked `-`: nothing is told by colour alone.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from specs.picture import Picture
from specs.report.layout import LINE, SIGNS, Arrow, Box, laid_out
from specs.report.markup import Html, element

ROUND: Final[dict[str, str]] = {"principal": "14", "role": "4", "group": "4"}
HEAD: Final = 7
HALF: Final = 4
"""The arrow's head: how long it is, and half of how wide."""
BASELINE: Final = 13


def drawn(picture: Picture, name: str, title: str) -> Html:
    """Return the picture as SVG; `name` makes its ids its own."""
    layout = laid_out(picture)
    told = ". ".join(described(picture))
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", told, id=f"{name}-desc"),
        *(_arrow(arrow) for arrow in layout.arrows),
        *(_box(box) for box in layout.boxes),
        *(_word(arrow) for arrow in layout.arrows),
        class_="picture",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        width=_number(layout.width),
        height=_number(layout.height),
        viewBox=f"0 0 {_number(layout.width)} {_number(layout.height)}",
    )


def described(picture: Picture) -> Iterator[str]:
    """Yield the picture in words, for who does not see it."""
    names = {node.key: f"{node.kind} {node.name}" for node in picture.nodes}
    for node in picture.nodes:
        notes = ", ".join((*node.notes, *([node.mark] if node.mark else [])))
        yield f"{names[node.key]}: {notes}" if notes else names[node.key]
    for one in picture.links:
        mark = f" ({one.mark})" if one.mark else ""
        yield f"{names.get(one.source, one.source)} {one.word} {names.get(one.target)}{mark}"


def _box(box: Box) -> Html:
    node = box.node
    rectangle = element(
        "rect",
        x=_number(box.x),
        y=_number(box.y),
        width=_number(box.width),
        height=_number(box.height),
        rx=ROUND.get(node.kind, "0"),
    )
    texts = [
        element(
            "text",
            line,
            class_="name" if at == 0 else "note",
            x=_number(box.x + box.width / 2),
            y=_number(box.y + BASELINE + at * LINE),
        )
        for at, line in enumerate(box.lines)
    ]
    return element("g", rectangle, *texts, class_=f"node {node.kind} {node.mark}".strip())


def _arrow(arrow: Arrow) -> Html:
    points = arrow.points
    path = [f"M{_point(points[0])}"]
    for at, (here, there) in enumerate(pairwise(points)):
        if at % 2:
            path.append(f"L{_point(there)}")
        else:
            half = (here[0] + there[0]) / 2
            path.append(f"C{_point((half, here[1]))} {_point((half, there[1]))} {_point(there)}")
    x, y = points[0] if arrow.backwards else points[-1]
    back = HEAD if arrow.backwards else -HEAD
    head = f"M{_point((x, y))} L{_point((x + back, y - HALF))} L{_point((x + back, y + HALF))} Z"
    return element(
        "g",
        element("path", d=" ".join(path), class_="line"),
        element("path", d=head, class_="head"),
        class_=f"link {arrow.link.mark}".strip(),
    )


def _word(arrow: Arrow) -> Html:
    link = arrow.link
    return element(
        "text",
        f"{SIGNS.get(link.mark, '')}{link.word}",
        class_=f"word {link.mark}".strip(),
        x=_number(arrow.word_x),
        y=_number(arrow.word_y + HALF),
    )


def _point(point: tuple[float, float]) -> str:
    return f"{_number(point[0])},{_number(point[1])}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
