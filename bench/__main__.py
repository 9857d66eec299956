"""`python -m bench`: measure, print, and write the report."""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rich.console import Console

from bench.guardrails import GuardrailFigures, measure_guardrails
from bench.in_process import Comparison, compare
from bench.markdown import print_markdown
from bench.mined import FOLDER, MINED, mined_there
from bench.over_http import HttpComparison, HttpEffort, compare_http
from bench.page import write_page
from bench.peers.libraries import DISAGREES
from bench.report import (
    Report,
    machine,
    show_comparison,
    show_guardrails,
    show_http,
    show_import,
    write_report,
)
from bench.workload import SIZES

IN_PROCESS: Final = "in-process"
OVER_HTTP: Final = "http"
GUARDRAILS: Final = "guardrails"
WIDTH_MIN: Final = 132
"""Narrower, a table would leave figures out."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured: more runs for a steadier median, more questions for colder caches."""

    sizes: tuple[str, ...]
    questions: int
    runs: int
    http_sizes: tuple[str, ...]
    http: HttpEffort
    guardrails: str


QUICK: Final = Effort(
    ("S", "M"),
    questions=4_000,
    runs=5,
    http_sizes=("S",),
    http=HttpEffort(4_000, runs=5, steady_seconds=0.5),
    guardrails="M",
)
FULL: Final = Effort(
    ("S", "M", "L", "XL", *MINED),
    questions=20_000,
    runs=11,
    http_sizes=("S", "M"),
    http=HttpEffort(20_000, runs=5, steady_seconds=4.0),
    guardrails="L",
)


def main() -> None:
    """Measure what the command line asks for."""
    asked = _arguments()
    effort = QUICK if asked.quick else FULL
    console = Console(stderr=asked.markdown)
    console.width = max(console.width, WIDTH_MIN)
    command = " ".join(("python -m bench", *sys.argv[1:]))
    report = Report(machine(), command, quick=asked.quick, peers=asked.peers)
    if not asked.peers:
        console.print("peers were not asked for: `make bench-peers` installs and compares them")
    if asked.only in {None, IN_PROCESS}:
        for size in asked.size or _there(console, effort.sizes):
            report.in_process.extend(_in_process(console, size, effort, peers=asked.peers))
    if asked.only in {None, OVER_HTTP}:
        for size in asked.size or effort.http_sizes:
            report.over_http.extend(_over_http(console, size, effort, peers=asked.peers))
    if asked.only in {None, GUARDRAILS}:
        sizes = [size for size in asked.size or [effort.guardrails] if size in SIZES]
        report.guardrails.extend(_guardrails(console, size) for size in sizes)
    for path in (write_report(report), write_page(report)):
        console.print(f"written to {path}")
    if asked.markdown:
        print_markdown(report)
    if wrong := sorted(set(disagreeing(report))):
        raise SystemExit(f"grantproof: not compared, as their answers differ: {', '.join(wrong)}")


def disagreeing(report: Report) -> Iterator[str]:
    """Yield the peers that answered otherwise than expected: nothing can be said of their speed."""
    reasons = [one.absent for one in report.in_process] + [one.absent for one in report.over_http]
    for absent in reasons:
        for name, why in absent.items():
            if why.startswith(DISAGREES):
                yield name


def _there(console: Console, sizes: tuple[str, ...]) -> list[str]:
    """Return the workloads that can be measured here, and say which cannot."""
    missing = set(MINED) & set(sizes) - set(mined_there())
    if missing:
        console.print(f"{', '.join(sorted(missing))} left out: {FOLDER} has no `hp-role-mining`")
    return [size for size in sizes if size not in missing]


def _in_process(console: Console, size: str, effort: Effort, *, peers: bool) -> list[Comparison]:
    with console.status(f"measuring {size} in process"):
        found = [
            compare(
                size,
                constrained=constrained,
                count=effort.questions,
                runs=effort.runs,
                peers=peers,
            )
            for constrained in (False, True)
        ]
    for comparison in found:
        show_comparison(console, comparison)
    return found


def _over_http(console: Console, size: str, effort: Effort, *, peers: bool) -> list[HttpComparison]:
    found: list[HttpComparison] = []
    for constrained in (False, True) if peers else (True,):
        with console.status(f"importing and measuring {size} over HTTP"):
            served = compare_http(size, effort.http, constrained=constrained, peers=peers)
        show_import(console, served[0])
        for comparison in served:
            show_http(console, comparison)
        found += served
    return found


def _guardrails(console: Console, size: str) -> GuardrailFigures:
    with console.status(f"judging guardrails of {size}"):
        found = measure_guardrails(SIZES[size])
    show_guardrails(console, found)
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller, fewer runs, some minutes")
    parser.add_argument("--only", choices=(IN_PROCESS, OVER_HTTP, GUARDRAILS), help="a part of it")
    parser.add_argument("--size", action="append", choices=(*SIZES, *MINED), help="only this one")
    parser.add_argument(
        "--peers",
        action="store_true",
        help="with what users would pick instead: installs it into build/bench, over the network",
    )
    parser.add_argument("--markdown", action="store_true", help="print tables for docs/performance")
    return parser.parse_args()


if __name__ == "__main__":
    main()
