"""How a measurement is taken: engines in turn, run after run, so that noise hits all alike."""

import gc
import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter_ns, process_time
from typing import Any, Final

Work = Callable[[], int]
"""Does a fixed piece of work and returns how many decisions it was."""

WARM_UPS: Final = 3
"""A compiler that works while a program runs is done by then."""

Run = Callable[[], float]
"""Does a fixed piece of work and returns the decisions a second of processor time that it made."""


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


def here(work: Work) -> Run:
    """Return the work as a run of this process, timed by its processor time."""

    def run() -> float:
        started = process_time()
        count = work()
        return count / (process_time() - started)

    return run


def interleaved(works: Mapping[str, Run], *, runs: int) -> dict[str, Rates]:
    """Do every work once a run, in turn, after a few warm-ups that are not counted.

    Each run starts with another work, so that none always follows the same one. Processor time is
    taken, so that a neighbour on the machine costs little. What exists before is taken out of the
    garbage collector's sight, as a server does after its start; what a work allocates is collected
    as usual and counts. A work of another process tells its own time.
    """
    for work in works.values():
        for _ in range(WARM_UPS):
            work()
    gc.collect()
    gc.freeze()
    taken: dict[str, list[float]] = {name: [] for name in works}
    names = list(works)
    for run in range(runs):
        first = run % len(names)
        for name in names[first:] + names[:first]:
            taken[name].append(works[name]())
    gc.unfreeze()
    return {name: Rates(tuple(rates)) for name, rates in taken.items()}


@dataclass(frozen=True, slots=True)
class Latency:
    """Nanoseconds of single decisions, the reading of the clock included."""

    p50: int
    p99: int
    p999: int


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times one rate is another, each pair within one run: median, least, most."""

    median: float
    least: float
    most: float


def ratio(rates: Mapping[str, Rates], name: str, *, over: str) -> Ratio:
    """Return how many times the rate of the one is that of the other, run by run."""
    pairs = zip(rates[name].runs, rates[over].runs, strict=True)
    found = sorted(mine / theirs for mine, theirs in pairs)
    return Ratio(statistics.median(found), found[0], found[-1])


def percentile(ordered: Sequence[int], share: float) -> int:
    """Return the least figure that at least this share of them does not exceed; nearest rank.

    They are in order, and there is at least one; the share is in (0, 1].
    """
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def summed_up(nanoseconds: Iterable[int]) -> Latency:
    """Return the latency of some single decisions or requests, in any order."""
    ordered = sorted(nanoseconds)
    return Latency(*(percentile(ordered, share) for share in (0.5, 0.99, 0.999)))


def latency(call: Callable[..., object], rows: list[tuple[Any, ...]]) -> Latency:
    """Return the latency of the function, called once with each row of arguments."""
    taken = []
    for row in rows:
        started = perf_counter_ns()
        call(*row)
        taken.append(perf_counter_ns() - started)
    return summed_up(taken)
