"""Graphs to draw: any without a cycle, with names as ids have them, and some that are awkward."""

from collections.abc import Iterable, Sequence
from typing import Final

from hypothesis import strategies as st

Edge = tuple[str, str]
Graph = tuple[list[str], list[Edge]]

LETTERS: Final = "abz09_.:@+=~$-"


@st.composite
def graphs(draw: st.DrawFn, nodes_max: int = 24) -> Graph:
    """Nodes, and edges from earlier to later ones: so there is no cycle."""
    names = draw(
        st.lists(st.text(LETTERS, min_size=1, max_size=8), max_size=nodes_max, unique=True)
    )
    if len(names) < 2:
        return names, []
    ends = st.tuples(st.sampled_from(range(len(names))), st.sampled_from(range(len(names))))
    pairs = draw(st.lists(ends, max_size=2 * len(names)))
    return names, edges_of(names, pairs)


def edges_of(names: Sequence[str], pairs: Iterable[tuple[int, int]]) -> list[Edge]:
    """The pairs as edges downward, each once."""
    found = {(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}
    return [(names[upper], names[lower]) for upper, lower in sorted(found)]


def numbered(count: int) -> list[str]:
    """So many names."""
    return [f"n{number:03d}" for number in range(count)]


def shaped(count: int, pairs: Iterable[tuple[int, int]]) -> Graph:
    """A graph of so many nodes with those edges."""
    names = numbered(count)
    return names, edges_of(names, pairs)


AWKWARD: Final[dict[str, Graph]] = {
    "nothing": ([], []),
    "one": shaped(1, []),
    "alone": shaped(150, []),
    "a chain": shaped(65, [(one, one + 1) for one in range(64)]),
    "a star": shaped(150, [(0, one) for one in range(1, 150)]),
    "a star upside down": shaped(150, [(one, 149) for one in range(149)]),
    "pairs": shaped(150, [(one, one + 1) for one in range(0, 150, 2)]),
    "a ladder": shaped(
        40, [*((one, one + 1) for one in range(39)), *((0, one) for one in range(2, 40))]
    ),
    "two layers": shaped(
        140, [(one, 70 + (7 * one + 11 * step) % 70) for one in range(70) for step in range(5)]
    ),
    # Several parts, of which one has long edges: the package mixes up numbers between such parts.
    "parts with bends": shaped(
        30,
        [*((one, one + 1) for one in range(9)), (0, 9), (1, 8), (20, 21), (28, 29), (26, 27)],
    ),
}
"""What a layout may stumble over, by what it is; all of them small enough to be drawn."""
