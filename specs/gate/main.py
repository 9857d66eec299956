"""The command line of the gate: which stages, what is shown, what is written, the exit code."""

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console

from grantproof.adapters.verification import core_digest
from specs.gate.files import read_json, write_json, write_junit
from specs.gate.origin import Origin, origin
from specs.gate.ratchets import TABLE, Pins, held_to, read_pins
from specs.gate.report import Stage
from specs.gate.running import ROOT, run_stages
from specs.gate.table import Board, failures
from specs.gate.worker import STAGES
from specs.report.page import write_page
from specs.tlc.once import for_one_run

REPORTS: Final = ROOT / "build" / "verify"
JSON_REPORT: Final = "report.json"
JUNIT_REPORT: Final = "junit.xml"
PAGE: Final = "report.html"
SECONDS_AIM: Final = 120


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stages; 0 only when every one of them passes and no number has dropped."""
    parser = argparse.ArgumentParser(prog="python -m specs.gate", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        choices=STAGES,
        default=[],
        metavar="STAGE",
        help=f"one of {', '.join(STAGES)}; may be given again; all of them",
    )
    parser.add_argument("--reports", type=Path, default=REPORTS, help="where reports are written")
    options = parser.parse_args(arguments)
    names = [name for name in STAGES if not options.only or name in options.only]
    options.reports.mkdir(parents=True, exist_ok=True)
    for report in (JSON_REPORT, JUNIT_REPORT, PAGE):
        # Whatever stops the gate, nobody reads the report of an earlier run.
        (options.reports / report).unlink(missing_ok=True)
    console = Console()
    pins = read_pins(TABLE.read_text(encoding="utf-8"))
    begun = origin(ROOT, names, dict(os.environ), core=core_digest())
    started = time.perf_counter()
    with for_one_run(), Board(console, names) as board:
        stages = run_stages(
            names,
            options.reports,
            held=lambda stage: with_ratchets(stage, pins),
            on_row=board.row,
            on_stage=board.stage,
        )
    seconds = time.perf_counter() - started
    return conclude(stages, options.reports, begun=begun, seconds=seconds, board=board)


def with_ratchets(stage: Stage, pins: Pins) -> Stage:
    """Return the stage with a row more for each number of it that is pinned."""
    return msgspec.structs.replace(stage, rows=(*stage.rows, *held_to(stage, pins)))


def passed(names: Sequence[str], stages: Sequence[Stage]) -> bool:
    """Return whether every stage that was asked for has run and passes."""
    return (
        len(names) > 0
        and [stage.name for stage in stages] == list(names)
        and all(stage.passed for stage in stages)
    )


def conclude(
    stages: Sequence[Stage],
    reports: Path,
    *,
    begun: Origin,
    seconds: float,
    board: Board,
) -> int:
    """Write the reports and the page, print what failed and the time; return the exit code."""
    changed = not isinstance(begun.core, msgspec.UnsetType) and begun.core != core_digest()
    good = passed(begun.asked, stages) and not changed
    write_json(stages, reports / JSON_REPORT, seconds=seconds, passed=good, origin=begun)
    write_junit(stages, reports / JUNIT_REPORT)
    for line in failures(stages):
        board.line(line)
    if changed:
        board.line("the source of the core changed while it was verified: run the gate again")
    # From the file, so that the page made again from it is the same.
    write_page(read_json(reports / JSON_REPORT), reports / PAGE)
    rows = sum(len(stage.rows) for stage in stages)
    late = (
        "" if seconds <= SECONDS_AIM or len(begun.asked) < len(STAGES) else f", aim {SECONDS_AIM} s"
    )
    verdict = "passed" if good else "FAILED"
    board.line(f"verify {verdict}: {len(stages)} stages, {rows} verdicts, {seconds:.1f} s{late}")
    return 0 if good else 1
