"""The report: tables for people on standard output, `build/bench/report.json` for machines.

A ratio is to the floor within the same run: its median over the runs, more is better.
"""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from bench.guardrails import GuardrailFigures
from bench.in_process import Comparison
from bench.over_http import HttpComparison, Served

FILE: Final = Path(__file__).resolve().parents[1] / "build" / "bench" / "report.json"
NANOSECONDS_PER_MICROSECOND: Final = 1_000
NANOSECONDS_PER_MILLISECOND: Final = 1_000_000
MILLISECONDS_PER_SECOND: Final = 1_000
BYTES_PER_MEBIBYTE: Final = 1_048_576
NOT_TOLD: Final = "-"


def show_comparison(console: Console, comparison: Comparison) -> None:
    """Print what the engines did on one workload."""
    constraints = "with constraints" if comparison.constrained else "without constraints"
    table = _table(
        f"{comparison.size}, {constraints}, {comparison.questions:,} questions, in process",
        ("per second", "±", "ratio", "p50 us", "p99 us"),
    )
    for name, measured in comparison.engines.items():
        table.add_row(
            name,
            f"{measured.rates.median:,.0f}",
            f"{measured.rates.spread:.0%}",
            f"{measured.ratio:.1%}",
            f"{measured.latency.p50 / NANOSECONDS_PER_MICROSECOND:.2f}",
            f"{measured.latency.p99 / NANOSECONDS_PER_MICROSECOND:.2f}",
        )
    console.print(table)


def show_http(console: Console, comparison: HttpComparison) -> None:
    """Print what the servers did on one workload and route."""
    route = comparison.route
    table = _table(
        f"{comparison.size}, with constraints, {route.path}, {route.items:,} a request",
        ("per second", "±", "ratio", "cpu us", "ratio", "p50 ms", "p99 ms"),
    )
    for name, served in comparison.servers.items():
        table.add_row(name, *_served(served))
    console.print(table)


def show_import(console: Console, comparison: HttpComparison) -> None:
    """Print how long our import of the organization took."""
    console.print(f"{comparison.size} imported in {comparison.import_seconds:.2f} s")


def show_guardrails(console: Console, figures: GuardrailFigures) -> None:
    """Print what judging the guardrails of one organization took."""
    console.print(
        f"{figures.size}: {figures.guardrails} guardrails judged in {figures.seconds:.2f} s, "
        f"the slowest (`{figures.slowest}`) in {figures.slowest_seconds:.2f} s; "
        f"{figures.violated} violated, {figures.undetermined} undetermined, "
        f"{figures.solver_asked} asked of the solver; "
        f"peak memory {figures.peak_bytes / BYTES_PER_MEBIBYTE:.0f} MiB"
    )
    table = Table(title="after one change", title_justify="left")
    table.add_column("change", no_wrap=True)
    for heading in ("median ms", "longest ms"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, seconds in figures.changes.items():
        table.add_row(name, *(f"{one * MILLISECONDS_PER_SECOND:.1f}" for one in seconds))
    console.print(table)


def write_report(
    comparisons: Sequence[Comparison],
    served: Sequence[HttpComparison],
    judged: Sequence[GuardrailFigures],
    *,
    quick: bool,
) -> Path:
    """Write every figure and where it was taken, and return the file."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "quick": quick,
        "machine": {
            "python": platform.python_version(),
            "system": platform.system(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
        },
        "in_process": [asdict(comparison) for comparison in comparisons],
        "over_http": [asdict(comparison) for comparison in served],
        "guardrails": [asdict(figures) for figures in judged],
    }
    FILE.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return FILE


def _table(title: str, headings: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("engine", no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _served(served: Served) -> tuple[str, ...]:
    used, share = served.cpu_microseconds, served.cpu_ratio
    return (
        f"{served.rates.median:,.0f}",
        f"{served.rates.spread:.0%}",
        f"{served.ratio:.1%}",
        NOT_TOLD if used is None else f"{used:.2f}",
        NOT_TOLD if share is None else f"{share:.1%}",
        f"{served.latency.p50 / NANOSECONDS_PER_MILLISECOND:.2f}",
        f"{served.latency.p99 / NANOSECONDS_PER_MILLISECOND:.2f}",
    )
