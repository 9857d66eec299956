"""The engine in process, beside the floors, the walk, the reference and the peers of libraries."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

from bench.engines import ENGINE, FLOOR, agree, engines
from bench.measure import Latency, Rates, Ratio, here, interleaved, latency, ratio, summed_up
from bench.mined import workload_named
from bench.peers.files import digest
from bench.peers.libraries import About, Ready, libraries

LATENCY_QUESTIONS_MAX: Final = 5_000


@dataclass(frozen=True, slots=True)
class Measured:
    """One engine: decisions a second, what part of the floor's, and the latency of single calls.

    `behind` says how many times as many our engine makes, in the same run; `questions` how many
    of the questions it was asked, the first ones.
    """

    rates: Rates
    ratio: Ratio
    behind: Ratio
    latency: Latency
    questions: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the engines did on one workload, by name; peers that were not compared, and why."""

    size: str
    constrained: bool
    questions: int
    digest: str
    engines: dict[str, Measured]
    peers: dict[str, About] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)


def compare(
    size: str, *, constrained: bool, count: int, runs: int, peers: bool = False
) -> Comparison:
    """Measure every engine on one workload, once they agree; peers too where they are asked for.

    No peer checks constraints here, so those are compared without them only.
    """
    load = workload_named(size, constrained=constrained, count=count)
    absent: dict[str, str] = {}
    with ExitStack() as running:
        others: dict[str, Ready] = {}
        if peers and not constrained:
            others, absent = running.enter_context(libraries(load))
        every = engines(load)
        for engine in every:
            agree(load, engine)
        works = {engine.name: here(engine.work) for engine in every}
        for name, ready in others.items():
            works[name] = ready.run
        rates = interleaved(works, runs=runs)
        measured = {
            engine.name: _measured(
                rates,
                engine.name,
                waited=latency(engine.call, engine.rows[:LATENCY_QUESTIONS_MAX]),
                questions=len(engine.rows),
            )
            for engine in every
        }
        for name, ready in others.items():
            taken = ready.peer.nanoseconds(min(ready.count, LATENCY_QUESTIONS_MAX))
            measured[name] = _measured(rates, name, waited=summed_up(taken), questions=ready.count)
        return Comparison(
            size,
            constrained,
            count,
            digest(load),
            measured,
            {name: ready.about for name, ready in others.items()},
            absent,
        )


def _measured(rates: dict[str, Rates], name: str, *, waited: Latency, questions: int) -> Measured:
    return Measured(
        rates[name],
        ratio(rates, name, over=FLOOR),
        ratio(rates, ENGINE, over=name),
        waited,
        questions,
    )
