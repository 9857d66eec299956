"""The tables of a report, once for the terminal, the page and the documentation.

A ratio is of two rates within the same run: its median over the runs, and in brackets the least
and the most.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bench.in_process import Comparison
from bench.measure import Ratio
from bench.over_http import OURS, HttpComparison, Served, Steady

NANOSECONDS_PER_MICROSECOND: Final = 1_000
NANOSECONDS_PER_MILLISECOND: Final = 1_000_000
DECIMALS_BELOW: Final = 10
NOT_TOLD: Final = "-"


@dataclass(frozen=True, slots=True)
class Table:
    """A title, headings of columns, rows of as many cells, and notes below."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def of_comparison(comparison: Comparison) -> Table:
    """Return what the engines did on one workload."""
    rows = tuple(
        (
            name,
            f"{measured.rates.median:,.0f}",
            f"{measured.rates.spread:.0%}",
            times(measured.behind),
            f"{measured.ratio.median:.1%}",
            *(
                f"{each / NANOSECONDS_PER_MICROSECOND:.2f}"
                for each in (measured.latency.p50, measured.latency.p99)
            ),
        )
        for name, measured in comparison.engines.items()
    )
    return Table(
        f"{comparison.size}, {_constraints(constrained=comparison.constrained)}, "
        f"{comparison.questions:,} questions, in process",
        ("engine", "a second", "±", "engine is", "of floor", "p50 us", "p99 us"),
        rows,
        tuple(_notes(comparison)),
    )


def _notes(comparison: Comparison) -> Iterator[str]:
    for name, about in comparison.peers.items():
        asked = comparison.engines[name].questions
        yield (
            f"{name} {about.version}: {about.path}; {asked:,} questions, "
            f"loaded in {about.load_seconds:.1f} s"
        )
    for name, why in comparison.absent.items():
        yield f"{name}: not compared, {why}"


def of_http(comparison: HttpComparison) -> Table:
    """Return what the servers did on one workload and route, by a client that waits."""
    route = comparison.route
    each = "a question" if route.items == 1 else "many questions"
    notes = [
        f"{name} {about.version}: {about.path}; {comparison.servers[name].questions:,} questions, "
        f"ready in {about.load_seconds:.1f} s"
        for name, about in comparison.peers.items()
        if name in comparison.servers
    ]
    notes += [f"{name}: not compared, {why}" for name, why in comparison.absent.items()]
    return Table(
        f"{comparison.size}, {_constraints(constrained=comparison.constrained)}, "
        f"{route.path}, {each} a request",
        ("server", "decisions/s", "±", "ours is", "cpu us", "ours is", "p50 ms", "p99 ms"),
        tuple((name, *_cells(served)) for name, served in comparison.servers.items()),
        tuple(notes),
    )


def of_steady(comparison: HttpComparison) -> Table | None:
    """Return the latencies at half of each server's throughput, if they were taken."""
    rows = tuple(
        (name, *_steady_cells(served.steady))
        for name, served in comparison.servers.items()
        if served.steady is not None
    )
    if not rows:
        return None
    return Table(
        f"{comparison.size}, {_constraints(constrained=comparison.constrained)}, "
        f"{comparison.route.path}, latency at half load, counted from when a request was due",
        ("server", "requests/s", "p50 ms", "p99 ms", "p999 ms", "p99 of runs"),
        rows,
    )


def times(ratio: Ratio) -> str:
    """Return a ratio with its spread, as in `12x [11 to 13]`."""
    return f"{_plain(ratio.median)}x [{_plain(ratio.least)} to {_plain(ratio.most)}]"


def _plain(number: float) -> str:
    return f"{number:.2f}" if number < DECIMALS_BELOW else f"{number:,.0f}"


def _constraints(*, constrained: bool) -> str:
    return "with constraints" if constrained else "without constraints"


def _cells(served: Served) -> tuple[str, ...]:
    used, behind = served.cpu_microseconds, served.cpu_behind
    return (
        f"{served.rates.median:,.0f}",
        f"{served.rates.spread:.0%}",
        times(served.behind),
        NOT_TOLD if used is None else f"{used:.2f}",
        NOT_TOLD if behind is None else f"{_plain(behind)}x",
        *map(_milliseconds, (served.latency.p50, served.latency.p99)),
    )


def _steady_cells(steady: Steady) -> tuple[str, ...]:
    slowest = [run.p99 for run in steady.runs]
    return (
        f"{steady.per_second:,.0f}",
        *map(_milliseconds, (steady.latency.p50, steady.latency.p99, steady.latency.p999)),
        f"{_milliseconds(min(slowest))} to {_milliseconds(max(slowest))}",
    )


def _milliseconds(nanoseconds: int) -> str:
    return f"{nanoseconds / NANOSECONDS_PER_MILLISECOND:.2f}"


def headline(comparisons: list[Comparison]) -> Table | None:
    """Return how many times the engine is each peer library, workload by workload."""
    plain = [one for one in comparisons if one.peers]
    names = list(dict.fromkeys(name for one in plain for name in one.peers))
    if not names:
        return None
    rows = tuple(
        (
            name,
            *(times(one.engines[name].behind) if name in one.peers else NOT_TOLD for one in plain),
        )
        for name in names
    )
    return Table(
        "In process: how many times as many decisions a second the engine makes",
        ("peer", *(one.size for one in plain)),
        rows,
    )


def http_headline(comparisons: list[HttpComparison]) -> Table | None:
    """Return how many times ours is each peer server by processor time, column by column."""
    some = [one for one in comparisons if one.peers]
    names = list(dict.fromkeys(name for one in some for name in one.servers if name != OURS))
    if not some:
        return None
    return Table(
        "Over HTTP: how many times less processor time a decision of ours takes",
        ("server", *(_column(one) for one in some)),
        tuple((name, *(_cpu_behind(one, name) for one in some)) for name in names),
    )


def _column(one: HttpComparison) -> str:
    kind = "single" if one.route.items == 1 else "batch"
    return f"{one.size}, {kind}{', constraints' if one.constrained else ''}"


def _cpu_behind(one: HttpComparison, name: str) -> str:
    served = one.servers.get(name)
    if served is None or served.cpu_behind is None:
        return NOT_TOLD
    return f"{_plain(served.cpu_behind)}x"
