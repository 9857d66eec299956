"""`python -m bench`: measure, print, and write the report."""

import argparse
from dataclasses import dataclass
from typing import Final

from rich.console import Console

from bench.guardrails import GuardrailFigures, measure_guardrails
from bench.in_process import Comparison, compare
from bench.over_http import HttpComparison, compare_http
from bench.report import show_comparison, show_guardrails, show_http, show_import, write_report
from bench.workload import SIZES

IN_PROCESS: Final = "in-process"
OVER_HTTP: Final = "http"
GUARDRAILS: Final = "guardrails"


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured: more runs for a steadier median, more questions for colder caches."""

    sizes: tuple[str, ...]
    questions: int
    runs: int
    http_sizes: tuple[str, ...]
    http_questions: int
    http_runs: int


QUICK: Final = Effort(
    ("S", "M"), questions=4_000, runs=5, http_sizes=("S",), http_questions=4_000, http_runs=3
)
FULL: Final = Effort(
    ("S", "M", "L"),
    questions=20_000,
    runs=11,
    http_sizes=("S", "M"),
    http_questions=20_000,
    http_runs=5,
)


def main() -> None:
    """Measure what the command line asks for."""
    asked = _arguments()
    effort = QUICK if asked.quick else FULL
    console = Console()
    compared: list[Comparison] = []
    served: list[HttpComparison] = []
    judged: list[GuardrailFigures] = []
    if asked.only in {None, IN_PROCESS}:
        for size in asked.size or effort.sizes:
            compared += _in_process(console, size, effort)
    if asked.only in {None, OVER_HTTP}:
        for size in asked.size or effort.http_sizes:
            served += _over_http(console, size, effort)
    if asked.only in {None, GUARDRAILS}:
        judged.extend(_guardrails(console, size) for size in asked.size or effort.sizes[-1:])
    path = write_report(compared, served, judged, quick=asked.quick)
    console.print(f"written to {path}")


def _in_process(console: Console, size: str, effort: Effort) -> list[Comparison]:
    with console.status(f"measuring {size} in process"):
        found = [
            compare(SIZES[size], constrained=constrained, count=effort.questions, runs=effort.runs)
            for constrained in (False, True)
        ]
    for comparison in found:
        show_comparison(console, comparison)
    return found


def _over_http(console: Console, size: str, effort: Effort) -> list[HttpComparison]:
    with console.status(f"importing and measuring {size} over HTTP"):
        found = compare_http(SIZES[size], count=effort.http_questions, runs=effort.http_runs)
    show_import(console, found[0])
    for comparison in found:
        show_http(console, comparison)
    return found


def _guardrails(console: Console, size: str) -> GuardrailFigures:
    with console.status(f"judging guardrails of {size}"):
        found = measure_guardrails(SIZES[size])
    show_guardrails(console, found)
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller, fewer runs, under a minute")
    parser.add_argument("--only", choices=(IN_PROCESS, OVER_HTTP, GUARDRAILS), help="a part of it")
    parser.add_argument("--size", action="append", choices=tuple(SIZES), help="only this size")
    return parser.parse_args()


if __name__ == "__main__":
    main()
