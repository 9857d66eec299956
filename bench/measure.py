"""How a measurement is taken: engines in turn, run after run, so that noise hits all alike."""

import gc
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter_ns, process_time
from typing import Any

Work = Callable[[], int]
"""Does a fixed piece of work and returns how many decisions it was."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Decisions a second, one figure a run: of processor time, or by the clock over HTTP."""

    runs: tuple[float, ...]

    @property
    def median(self) -> float:
        """The figure to quote."""
        return statistics.median(self.runs)

    @property
    def spread(self) -> float:
        """Half the distance between the slowest and the fastest run, as a share of the median."""
        return (max(self.runs) - min(self.runs)) / 2 / self.median


def interleaved(works: Mapping[str, Work], *, runs: int) -> dict[str, Rates]:
    """Do every work once a run, in turn, after one untimed warm-up.

    Each run starts with another work, so that none always follows the same one. Processor time is
    taken, so that a neighbour on the machine costs little. What exists before is taken out of the
    garbage collector's sight, as a server does after its start; what a work allocates is collected
    as usual and counts.
    """
    for work in works.values():
        work()
    gc.collect()
    gc.freeze()
    taken: dict[str, list[float]] = {name: [] for name in works}
    names = list(works)
    for run in range(runs):
        first = run % len(names)
        for name in names[first:] + names[:first]:
            work = works[name]
            started = process_time()
            count = work()
            taken[name].append(count / (process_time() - started))
    gc.unfreeze()
    return {name: Rates(tuple(rates)) for name, rates in taken.items()}


@dataclass(frozen=True, slots=True)
class Latency:
    """Nanoseconds of single decisions, the reading of the clock included."""

    p50: int
    p99: int


def ratio(rates: Mapping[str, Rates], name: str, *, floor: str) -> float:
    """Return the median over the runs of the ratio to the floor within the same run."""
    pairs = zip(rates[name].runs, rates[floor].runs, strict=True)
    return statistics.median(mine / theirs for mine, theirs in pairs)


def latency(call: Callable[..., object], rows: list[tuple[Any, ...]]) -> Latency:
    """Return the latency of the function, called once with each row of arguments."""
    taken = []
    for row in rows:
        started = perf_counter_ns()
        call(*row)
        taken.append(perf_counter_ns() - started)
    taken.sort()
    return Latency(taken[len(taken) // 2], taken[len(taken) * 99 // 100])
