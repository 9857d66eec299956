"""The engine in process, beside the floors, the walk and the reference, on the same questions."""

from dataclasses import dataclass
from typing import Final

from bench.engines import FLOOR, agree, engines
from bench.measure import Latency, Rates, interleaved, latency, ratio
from bench.workload import Size, workload

LATENCY_QUESTIONS_MAX: Final = 5_000


@dataclass(frozen=True, slots=True)
class Measured:
    """One engine: decisions a second, its ratio to the floor, and the latency of single calls."""

    rates: Rates
    ratio: float
    latency: Latency


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the engines did on one workload, by name."""

    size: str
    constrained: bool
    questions: int
    engines: dict[str, Measured]


def compare(size: Size, *, constrained: bool, count: int, runs: int) -> Comparison:
    """Measure every engine on one workload, once they agree."""
    load = workload(size, constrained=constrained, count=count)
    every = engines(load)
    for engine in every:
        agree(load, engine)
    rates = interleaved({engine.name: engine.work for engine in every}, runs=runs)
    return Comparison(
        size.name,
        constrained,
        count,
        {
            engine.name: Measured(
                rates[engine.name],
                ratio(rates, engine.name, floor=FLOOR),
                latency(engine.call, engine.rows[:LATENCY_QUESTIONS_MAX]),
            )
            for engine in every
        },
    )
