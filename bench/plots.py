"""Plots of a report as SVG, in the colours of the page that they stand in, light or dark."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.engines import ENGINE
from bench.in_process import Comparison
from bench.measure import Latency
from bench.over_http import OURS, HttpComparison
from bench.tables import NANOSECONDS_PER_MILLISECOND

INK: Final = "#010203"
"""What is drawn in it takes the colour of the text around the plot."""

OUR_COLOUR: Final = "#1f8a66"
OTHERS_COLOUR: Final = "#8a94a6"
SPREAD_COLOUR: Final = "#c9822b"
WIDTH_INCHES: Final = 8.0
INCHES_PER_BAR: Final = 0.32
MARGIN_INCHES: Final = 1.0
SETTINGS: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "bench",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A name and its figure, with the least and the most of the runs."""

    name: str
    figure: float
    least: float
    most: float


def rates(comparison: Comparison) -> str:
    """Return decisions a second in process, on a scale of powers of ten."""
    bars = [
        Bar(name, each.rates.median, min(each.rates.runs), max(each.rates.runs))
        for name, each in comparison.engines.items()
    ]
    return _bars(bars, ours=ENGINE, label="decisions a second, one processor (powers of ten)")


def processor_time(comparison: HttpComparison) -> str:
    """Return microseconds of the server's processor a decision over HTTP; less is better."""
    bars = [
        Bar(name, each.cpu_microseconds, each.cpu_microseconds, each.cpu_microseconds)
        for name, each in comparison.servers.items()
        if each.cpu_microseconds
    ]
    label = "us of the server's processor a decision (powers of ten), less is better"
    return _bars(bars, ours=OURS, label=label)


def steady_latency(comparison: HttpComparison) -> str:
    """Return p50, p99 and p999 at half load, a line a server."""
    taken = [
        (name, each.steady.latency)
        for name, each in comparison.servers.items()
        if each.steady is not None
    ]
    with mpl.rc_context(SETTINGS):
        figure, axes = _empty(len(taken))
        for row, (name, latency) in enumerate(taken):
            colour = OUR_COLOUR if name == OURS else OTHERS_COLOUR
            _draw_latency(axes, row, latency, colour=colour)
        _name_rows(axes, [name for name, _ in taken])
        axes.set_xscale("log")
        axes.set_xlabel("ms at half load: p50 (dot), p99 (bar), p999 (cross), powers of ten")
        return _svg(figure)


def _draw_latency(axes: Axes, row: int, latency: Latency, *, colour: str) -> None:
    p50, p99, p999 = (
        each / NANOSECONDS_PER_MILLISECOND for each in (latency.p50, latency.p99, latency.p999)
    )
    axes.plot([p50, p999], [row, row], color=colour, linewidth=1.5)
    axes.plot([p50], [row], "o", color=colour)
    axes.plot([p99], [row], "|", color=colour, markersize=14, markeredgewidth=2)
    axes.plot([p999], [row], "x", color=colour)


def _bars(bars: Sequence[Bar], *, ours: str, label: str) -> str:
    with mpl.rc_context(SETTINGS):
        figure, axes = _empty(len(bars))
        spread = [
            [bar.figure - bar.least for bar in bars],
            [bar.most - bar.figure for bar in bars],
        ]
        axes.barh(
            range(len(bars)),
            [bar.figure for bar in bars],
            xerr=spread,
            color=[OUR_COLOUR if bar.name == ours else OTHERS_COLOUR for bar in bars],
            ecolor=SPREAD_COLOUR,
        )
        _name_rows(axes, [bar.name for bar in bars])
        axes.set_xscale("log")
        axes.set_xlabel(label)
        return _svg(figure)


def _empty(rows: int) -> tuple[Figure, Axes]:
    height = MARGIN_INCHES + INCHES_PER_BAR * rows
    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
    return figure, figure.add_subplot()


def _name_rows(axes: Axes, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.grid(visible=True, axis="x", color=OTHERS_COLOUR, alpha=0.3)
    axes.set_axisbelow(True)


def _svg(figure: Figure) -> str:
    drawn = StringIO()
    figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
    _, _, svg = drawn.getvalue().partition("<svg ")
    # What every drawing calls by the same name would be found in the first one of a page.
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return "<svg " + svg.replace(INK, "currentColor")
