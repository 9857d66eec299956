"""`python -m specs` decides every theorem, side by side, and says what came of each.

It fails on anything that is refuted, undetermined, vacuous or unsupported: none is a pass.
"""

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

import z3

from specs.copies import copies
from specs.kernel.proof import SEEDS, Result, decide
from specs.kernel.sorts import Unsupported
from specs.kernel.source import Source
from specs.kernel.vacuity import holds_anyway
from specs.kernel.values import DISTINCT, PROMISED
from specs.theorems import statements

PROCESSES = 2
WARM = ("specs.run", "specs.warm")
"""What the process has imported whose copies decide theorems."""
DETAIL_MAX = 400
UNREADABLE = (Unsupported, AttributeError, LookupError, TypeError, z3.Z3Exception)
"""What reading a source may raise: values of a shape that the construct does not expect."""
TYPES = "type of "
"""How the names of the hypotheses begin that only say of which class an object is."""


def verdicts(
    names: Iterable[str], processes: int = PROCESSES, *, whole: bool = False
) -> Iterator[Result]:
    """Yield the verdict on each named theorem as soon as those before it are decided.

    Each is decided in a process of its own, a copy of one that has read the specifications: what
    Z3 answers depends on what it met before, and so it is the same whatever else is decided. In the
    end what turns out to be vacuous is told once more.
    """
    told = []
    with copies(processes, WARM) as pool:
        for result in pool.map(partial(verdict, whole=whole), names):
            told.append(result)
            yield result
    yield from unshown(told)


def verdict(
    name: str,
    patches: Mapping[str, str] | None = None,
    seeds: tuple[int, ...] = SEEDS,
    *,
    whole: bool = False,
) -> Result:
    """Return the verdict on a theorem, about the source or about the source with patches.

    `whole`: as `decide` has it.
    """
    statement = statements()[name]
    source = Source(dict(patches or {}))
    started = time.perf_counter()
    try:
        stated = statement.about(source)
    except UNREADABLE as unsupported:
        seconds = time.perf_counter() - started
        result = Result(statement.property_id, name, "unsupported", seconds=seconds)
        return dataclasses.replace(result, detail=repr(unsupported))
    result = decide(stated, seeds, whole=whole)
    result = dataclasses.replace(result, reads=tuple(sorted(source.used)))
    return dataclasses.replace(result, name=name, seconds=time.perf_counter() - started)


def never_used(results: Iterable[Result]) -> list[str]:
    """Return the hypotheses that are stated somewhere and that no proof of any theorem uses."""
    told = list(results)
    used = {name for result in told for name in result.used}
    unused = {name for result in told for name in result.unused} - used
    return sorted(name for name in unused if not name.startswith(TYPES))


def unshown(results: Iterable[Result]) -> list[Result]:
    """Return as vacuous what leaves it to another theorem to show a world that is not its own."""
    told = {result.name: result for result in results}
    leaning = [result for result in told.values() if result.holds and result.possible_as]
    return [
        dataclasses.replace(result, verdict="vacuous", detail=problem)
        for result in leaning
        if (problem := _not_shown_by(told.get(result.possible_as), result))
    ]


def _not_shown_by(other: Result | None, result: Result) -> str:
    """Return why the other theorem, where it was decided too, does not show a world for this."""
    if other is None:
        stated = result.possible_as in statements()
        return "" if stated else f"{result.possible_as} is not stated"
    if other.possible_as:
        return f"{other.name} shows no world itself"
    more = sorted(_supposed(result) - _supposed(other))
    return f"supposes what {other.name} does not: {', '.join(more)}" if more else ""


def _supposed(result: Result) -> set[str]:
    return {
        name
        for name in (*result.used, *result.unused)
        if not (holds_anyway(name) or name == DISTINCT or name.startswith((TYPES, PROMISED)))
    }


def line(result: Result) -> str:
    """Return a result as a line for people."""
    told = f"{result.property_id:18} {result.verdict:12} {result.seconds:6.2f} s "
    return f"{told}{result.goals:4} {result.name}"


def main(arguments: list[str] | None = None) -> int:
    """Decide, print, and return 0 only when everything is proved."""
    parser = argparse.ArgumentParser(prog="python -m specs", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of theorems; all by default")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--whole", action="store_true", help="each seed from all hypotheses")
    parser.add_argument("--processes", type=int, default=PROCESSES)
    options = parser.parse_args(arguments)
    chosen = [
        name
        for name in statements()
        if not options.names or any(part in name for part in options.names)
    ]
    started = time.perf_counter()
    results = []
    for result in verdicts(chosen, options.processes, whole=options.whole):
        results.append(result)
        if not options.json:
            report(result)
    if options.json:
        sys.stdout.write(json.dumps([as_json(result) for result in results], indent=1) + "\n")
    else:
        summary(results, time.perf_counter() - started)
        audit(results if not options.names else [])
    return 0 if results and all(result.holds for result in results) else 1


def report(result: Result) -> None:
    """Print a result, with the details where it is no pass."""
    sys.stdout.write(line(result) + "\n")
    if not result.holds:
        sys.stdout.write(f"    {result.detail[:DETAIL_MAX]}\n")
    sys.stdout.flush()


def summary(results: list[Result], seconds: float) -> None:
    """Print the figures."""
    failed = [result for result in results if not result.holds]
    goals = sum(result.goals for result in results)
    told = f"{len(results)} theorems, {goals} obligations, {len(SEEDS)} seeds, {seconds:.1f} s"
    sys.stdout.write(f"{told}: {len(failed)} not proved\n")


def audit(results: list[Result]) -> None:
    """Print the hypotheses that no proof uses."""
    for name in never_used(results):
        sys.stdout.write(f"no proof uses: {name}\n")


def as_json(result: Result) -> dict[str, object]:
    """Return a result as a JSON object."""
    return dataclasses.asdict(result) | {"used": sorted(result.used)}
