"""Walks the mutants, side by side, and says what found each out."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final

from specs.gate.ratchets import TABLE, read_pins
from specs.mutants import proofs, suites
from specs.mutants.changes import Mutant
from specs.mutants.equivalent import EQUIVALENT, same
from specs.mutants.proofs import Unchanged
from specs.mutants.walk import all_mutants, theorems_about
from specs.run import PROCESSES

SURVIVED: Final = "survived"
EQUAL: Final = "equivalent"


@dataclass(frozen=True)
class Fate:
    """What became of a mutant: by which verdict of which theorem it was found out, or neither."""

    mutant: Mutant
    how: str

    @property
    def killed(self) -> bool:
        """Whether something found it out."""
        return self.how not in {SURVIVED, EQUAL}

    @property
    def problem(self) -> str:
        """What is wrong, or nothing: a hole, or an entry of the list that says too much."""
        listed = self.mutant.key in EQUIVALENT or self.mutant.key in suites.ARGUED
        if self.killed:
            return f"listed as equivalent, but {self.how}" if listed else ""
        if not listed:
            return "the same function, but not listed" if self.how == EQUAL else "SURVIVED"
        return "" if self.how == EQUAL else "listed as equivalent, but not proved to be"


def by_tests(mutant: Mutant, theorems: Collection[str]) -> bool:
    """Return whether the mutant is held to tests alone: where no theorem reads what it changes."""
    return not theorems or mutant.module in suites.TRIED


def judged(task: tuple[Mutant, Mapping[str, Unchanged]]) -> Fate:
    """Return what becomes of a mutant that the theorems read, or that tests are to find out."""
    mutant, theorems = task
    if by_tests(mutant, theorems):
        same_to_tests = EQUAL if mutant.key in suites.ARGUED else SURVIVED
        return Fate(mutant, suites.killed(mutant) or same_to_tests)
    tested = suites.killed if mutant.module in suites.TRIED_TOO else proofs.untested
    how = proofs.killed(mutant, theorems, tested)
    if not how and same(mutant):
        return Fate(mutant, EQUAL)
    return Fate(mutant, how or SURVIVED)


def fates(mutants: Iterable[Mutant]) -> Iterator[Fate]:
    """Yield what becomes of each mutant, in their order, each in a process of its own."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    asked = [(mutant, theorems_about(mutant)) for mutant in mutants]
    for mutant, theorems in asked:
        if by_tests(mutant, theorems) or mutant.module in suites.TRIED_TOO:
            suites.check(mutant.module)
    names = {name for mutant, names in asked if not by_tests(mutant, names) for name in names}
    with ProcessPoolExecutor(PROCESSES, context) as pool:
        known = dict(zip(names, pool.map(proofs.as_it_is, names, chunksize=8), strict=True))
    tasks = [
        (mutant, {} if by_tests(mutant, names) else {name: known[name] for name in names})
        for mutant, names in asked
    ]
    with ProcessPoolExecutor(PROCESSES, context, max_tasks_per_child=1) as pool:
        yield from pool.map(judged, tasks)


def main(arguments: list[str] | None = None) -> int:
    """Try every mutant; return 0 only when those that survive are the equivalent ones."""
    parser = argparse.ArgumentParser(prog="python -m specs.mutants", description=__doc__)
    parser.add_argument("parts", nargs="*", help="parts of names, of module or function; all")
    parser.add_argument("--verbose", action="store_true", help="say what kills each mutant")
    options = parser.parse_args(arguments)
    chosen = [
        mutant
        for mutant in all_mutants()
        if not options.parts or any(part in mutant.name for part in options.parts)
    ]
    started = time.perf_counter()
    found = []
    for fate in fates(chosen):
        found.append(fate)
        show(fate, len(found), len(chosen), verbose=options.verbose)
    sys.stdout.write(f"{time.perf_counter() - started:.0f} s\n")
    return conclude(found, pinned=0 if options.parts else pin())


def show(fate: Fate, number: int, total: int, *, verbose: bool) -> None:
    """Print what became of a mutant where it is a problem or was asked for; else how far it is."""
    told = fate.problem or fate.how
    if verbose or not fate.killed or fate.problem:
        sys.stdout.write(f"{fate.mutant.name}\n    {told}\n")
        sys.stdout.flush()
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{number} of {total} " + ("\n" if number == total else ""))
        sys.stderr.flush()


def conclude(found: list[Fate], *, pinned: int) -> int:
    """Print the figures; return 0 if nothing survived but equivalents and none is missing."""
    for module in dict.fromkeys(fate.mutant.module for fate in found):
        there = [fate for fate in found if fate.mutant.module == module]
        sys.stdout.write(f"{sum(fate.killed for fate in there):4} of {len(there):4} {module}\n")
    killed = [fate for fate in found if fate.killed]
    equal = [fate for fate in found if not fate.killed and not fate.problem]
    problems = [fate for fate in found if fate.problem]
    ways = Counter(fate.how.partition(" by ")[0] for fate in killed)
    counted = ", ".join(f"{number} {way}" for way, number in sorted(ways.items()))
    sys.stdout.write(f"{len(killed)} killed of {len(found)} ({counted}); ")
    sys.stdout.write(f"{len(equal)} equivalent, {len(problems)} problems\n")
    if len(killed) < pinned:
        sys.stdout.write(f"mutants: {len(killed)}, pinned {pinned}\n")
    return 0 if found and not problems and len(killed) >= pinned else 1


def pin() -> int:
    """Return the least number of mutants killed, from the table of what may only grow."""
    return read_pins(TABLE.read_text(encoding="utf-8"))["mutants"]["mutants"]
