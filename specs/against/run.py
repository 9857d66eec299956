"""`python -m specs.against REV`: is what decides in the work tree what decided at the revision?

0 equivalent, 1 they differ, 2 there is nothing to compare, 3 undetermined.
"""

import argparse
import importlib
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

import grantproof
from specs.against.asking import ROOT, Difference, Pair, Silent
from specs.against.comparing import Compared, Comparison, short
from specs.against.reading import Program, programs
from specs.against.revision import NoRevision, checked_out, imported, is_dirty, texts
from specs.against.worlds import EXAMPLES, other_worlds, small_worlds

EQUIVALENT, DIFFER, USAGE, UNDETERMINED = range(4)
VERDICTS: Final = {EQUIVALENT: "equivalent", DIFFER: "differ", UNDETERMINED: "undetermined"}
REPORT: Final = Path("build/verify/against.json")
SOURCES: Final = Path(grantproof.__file__).resolve().parents[1]
CORE: Final = "grantproof.core"
COLUMNS: Final = 140
"""How wide the table is where it is no terminal that shows it."""
ENTRIES: Final = {
    "evaluate": ("policy.evaluate",),
    "check": ("certificate.check",),
    "index": ("index.Index.ask", "index.Index.decide"),
}
"""What decides: the definition, the checker of certificates, the index that answers for it."""


@dataclass
class Report:
    """What came of a comparison. `requests` were asked of both revisions, `skipped` of neither."""

    revision: str
    commit: str
    dirty: bool
    verdict: int = UNDETERMINED
    entries: dict[str, str] = field(default_factory=dict)
    compared: list[Compared] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    difference: Difference | None = None
    requests: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


def compare(
    revision: str,
    repository: Path = ROOT,
    *,
    entries: Sequence[str] = tuple(ENTRIES),
    examples: int = EXAMPLES,
) -> Report:
    """Return what became of the decision since the revision.

    Raises `NoRevision` where there is none to compare with.
    """
    started = time.perf_counter()
    if SOURCES != ROOT / "src":
        message = f"the product is imported from {SOURCES}, not from this checkout"
        raise NoRevision(message)
    with tempfile.TemporaryDirectory(prefix="grantproof-against-") as folder:
        commit = checked_out(revision, repository, Path(folder))
        report = Report(revision, commit, repository == ROOT and is_dirty(ROOT))
        _compare(report, Path(folder).resolve() / "src", entries, examples=examples)
    report.seconds = time.perf_counter() - started
    return report


def _compare(report: Report, source: Path, entries: Sequence[str], *, examples: int) -> None:
    now = texts(SOURCES)
    for module in now:
        importlib.import_module(module)
    old, new = programs(texts(source), now)
    starts = {f"{CORE}.{name}" for entry in entries for name in ENTRIES[entry]}
    _all_there(starts, old, new, revision=report.revision)
    reached = old.closure(starts) | new.closure(starts)
    needed = {old.parts[name].module for name in reached if name in old.parts}
    loaded = imported(source, sorted(needed))
    try:
        with Pair(source, SOURCES) as pair:
            comparison = Comparison(old, new, loaded, pair)
            changed = any(_digest(old, name) != _digest(new, name) for name in reached)
            if changed:
                report.difference = pair.search(small_worlds())
                comparison.settled = report.difference is not None
            found = {name: comparison.compare(name) for name in sorted(starts)}
            if changed and report.difference is None:
                report.difference = pair.search(other_worlds(comparison.witnesses, examples))
            _notes(report, comparison)
            report.requests, report.skipped = pair.asked, pair.skipped
    except Silent as problem:
        raise NoRevision(str(problem)) from problem
    report.compared = sorted(comparison.known.values(), key=lambda one: one.name)
    report.entries = {short(name): one.answer for name, one in found.items()}
    report.verdict = UNDETERMINED
    if report.difference is not None:
        report.verdict = DIFFER
    elif all(one.equal for one in found.values()):
        report.verdict = EQUIVALENT


def _all_there(starts: set[str], old: Program, new: Program, *, revision: str) -> None:
    for name in sorted(starts):
        if name not in old.parts:
            message = f"`{revision}` is older than `{short(name)}`: see --entry"
            raise NoRevision(message)
        if name not in new.parts:
            message = f"there is no `{short(name)}` in the work tree"
            raise NoRevision(message)


def _notes(report: Report, comparison: Comparison) -> None:
    """Tell what differs and is no function: values that only one revision can make."""
    making = {
        name
        for name, part in comparison.new.parts.items()
        if part.kind == "function"
        and name.rpartition(".")[0] in comparison.known
        and name not in comparison.known
        and name.rpartition(".")[2] in {"__post_init__", "__new__", "__init__"}
    }
    reached = comparison.new.closure(making) | comparison.old.closure(making)
    changed = [
        short(name)
        for name in sorted(reached)
        if _digest(comparison.old, name) != _digest(comparison.new, name)
    ]
    report.notes = list(dict.fromkeys(comparison.notes))
    if changed:
        told = ", ".join(f"`{name}`" for name in changed)
        report.notes.append(
            f"what values there are may have changed, by {told}: compared are those of both"
        )


def _digest(program: Program, name: str) -> str:
    return program.parts[name].digest if name in program.parts else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print, and return what came of it."""
    parser = argparse.ArgumentParser(prog="python -m specs.against", description=__doc__)
    parser.add_argument("revision", metavar="REV", help="a commit, a branch, a tag, HEAD~3")
    parser.add_argument("--repository", type=Path, default=ROOT, help="the checkout that has REV")
    parser.add_argument("--entry", action="append", choices=ENTRIES, help="only this; repeatable")
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="requests drawn by chance")
    parser.add_argument("--all", action="store_true", help="list also what has the same text")
    parser.add_argument(
        "--json", nargs="?", type=Path, const=REPORT, help=f"write a report ({REPORT})"
    )
    options = parser.parse_args(arguments)
    try:
        report = compare(
            options.revision,
            options.repository,
            entries=options.entry or tuple(ENTRIES),
            examples=options.examples,
        )
    except NoRevision as problem:
        sys.stderr.write(f"against: {problem}\n")
        return USAGE
    except Exception:  # noqa: BLE001 - whatever breaks here must not look like a difference found
        sys.stderr.write(f"against: broke off: {traceback.format_exc()}")
        return UNDETERMINED
    plain = None if sys.stdout.isatty() else COLUMNS
    show(report, Console(width=plain), everything=options.all)
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        told = json.dumps(as_json(report), indent=1) + "\n"
        options.json.write_text(told, encoding="utf-8")
    return report.verdict


def show(report: Report, console: Console, *, everything: bool = False) -> None:
    """Print the table, the notes and the verdict."""
    tree = "the work tree, which is not committed" if report.dirty else "the work tree"
    console.print(f"{report.revision} ({report.commit[:12]}) against {tree}", highlight=False)
    told = [one for one in report.compared if everything or worth_telling(report, one)]
    if any(one.answer != "same text" for one in told):
        console.print(table(told))
    same = sum(one.answer == "same text" for one in report.compared)
    rest = len(report.compared) - same - sum(one.answer != "same text" for one in told)
    console.print(f"{same} definitions of {len(report.compared)} say the same and read the same")
    if rest > 0:
        console.print(f"{rest} more only read what is not the same: --all lists them")
    for note in report.notes:
        console.print(f"note: {note}", markup=False, highlight=False)
    for line in () if report.difference is None else report.difference.story():
        console.print(f"    {line}", markup=False, highlight=False, soft_wrap=True)
    console.print(conclusion(report), markup=False, highlight=False, soft_wrap=True)


def worth_telling(report: Report, one: Compared) -> bool:
    """Return whether a row says more than that something it reads is not the same."""
    changed = "->" in one.digest or one.answer in {"proved", "differs", "inlined"}
    return changed or short(one.name) in report.entries


def table(told: Sequence[Compared]) -> Table:
    """Return the definitions as a table."""
    shown = Table()
    for title in ("definition", "verdict", "how", "digest", "seconds"):
        shown.add_column(title, overflow="fold", no_wrap=title in {"definition", "verdict"})
    for one in told:
        name = f"{short(one.name)}{'()' if one.kind == 'function' else ''}"
        shown.add_row(name, one.answer, one.how, one.digest, f"{one.seconds:.2f}")
    return shown


def conclusion(report: Report) -> str:
    """Return the verdict in a sentence."""
    asked = f"{report.requests} requests asked of both"
    asked += f", {sum(report.skipped.values())} that one cannot be asked" if report.skipped else ""
    where = ", ".join(f"{name} {answer}" for name, answer in report.entries.items())
    said = VERDICTS[report.verdict]
    if report.verdict == EQUIVALENT:
        exact = all(one.exact for one in report.compared if short(one.name) in report.entries)
        said += ": the same answers" if exact else ": the same decisions and kinds of reasons"
    elif report.verdict == UNDETERMINED:
        said += ": not proved, and no request found that shows a difference"
    return f"{said} ({where}; {asked}; {report.seconds:.1f} s)"


def as_json(report: Report) -> dict[str, object]:
    """Return the report as a JSON object."""
    story = () if report.difference is None else report.difference.story()
    rows = [asdict(one) for one in report.compared]
    told = {name: value for name, value in vars(report).items() if name != "difference"}
    return told | {"verdict": VERDICTS[report.verdict], "compared": rows, "difference": story}
