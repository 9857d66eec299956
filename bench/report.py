"""What was measured, on what: tables for people on the terminal, JSON for machines."""

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table as Printed

from bench.guardrails import GuardrailFigures
from bench.in_process import Comparison
from bench.over_http import HttpComparison
from bench.servers import ROOT
from bench.tables import Table, of_comparison, of_http, of_steady

FOLDER: Final = ROOT / "build" / "bench"
BYTES_PER_MEBIBYTE: Final = 1_048_576
MILLISECONDS_PER_SECOND: Final = 1_000
CPU_INFO: Final = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Report:
    """Every figure of one run of `python -m bench`, and where and how it was taken."""

    machine: dict[str, Any]
    command: str
    quick: bool
    peers: bool
    in_process: list[Comparison] = field(default_factory=list)
    over_http: list[HttpComparison] = field(default_factory=list)
    guardrails: list[GuardrailFigures] = field(default_factory=list)


def machine() -> dict[str, Any]:
    """Return what the figures depend on: processor, cores, Python, and how busy it was before."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
    }


def _processor() -> str:
    if CPU_INFO.is_file():
        for line in CPU_INFO.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def show_comparison(console: Console, comparison: Comparison) -> None:
    """Print what the engines did on one workload."""
    show(console, of_comparison(comparison))


def show_http(console: Console, comparison: HttpComparison) -> None:
    """Print what the servers did on one workload and route."""
    for table in (of_http(comparison), of_steady(comparison)):
        if table is not None:
            show(console, table)


def show(console: Console, table: Table) -> None:
    """Print a table, and its notes below."""
    printed = Printed(title=table.title, title_justify="left")
    first, *others = table.headings
    printed.add_column(first, no_wrap=True)
    for heading in others:
        printed.add_column(heading, justify="right", no_wrap=True)
    for row in table.rows:
        printed.add_row(*row)
    console.print(printed)
    for note in table.notes:
        console.print(f"  {note}", markup=False, highlight=False)


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
    show(console, of_guardrails(figures))


def of_guardrails(figures: GuardrailFigures) -> Table:
    """Return what one change of each kind costs to judge."""
    rows = tuple(
        (name, *(f"{one * MILLISECONDS_PER_SECOND:.1f}" for one in seconds))
        for name, seconds in figures.changes.items()
    )
    title = f"{figures.size}, guardrails judged after one change"
    return Table(title, ("change", "median ms", "longest ms"), rows)


def write_report(report: Report) -> Path:
    """Write every figure and where it was taken, and return the file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / "report.json"
    file.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
    return file
