"""Judges every fault, side by side, and prints what became of each: `python -m specs.faults`."""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from typing import Final

import msgspec

from specs.copies import copies
from specs.faults.catalogue import FAULTS
from specs.faults.fault import Fault, Model, Proof, gate_name
from specs.faults.judge import Judgement, judge
from specs.run import WARM

JOBS: Final = 2
NOT_JUDGED: Final = "it was not judged: the process that was to judge it ended early"


def run_all(
    faults: Sequence[Fault] = FAULTS,
    *,
    jobs: int = JOBS,
    on_judgement: Callable[[Judgement], None] = lambda _: None,
) -> list[Judgement]:
    """Return the judgement on every fault, in their order; each is also told when it is there."""
    judged: dict[str, Judgement] = {}
    for judgement in _judgements(faults, jobs):
        judged[judgement.fault] = judgement
        on_judgement(judgement)
    for fault in faults:
        if fault.id not in judged:
            judged[fault.id] = Judgement(fault.id, NOT_JUDGED)
            on_judgement(judged[fault.id])
    return [judged[fault.id] for fault in faults]


def _judgements(faults: Sequence[Fault], jobs: int) -> Iterator[Judgement]:
    with copies(jobs, (*WARM, "specs.faults.warm")) as pool:
        for done in as_completed([pool.submit(_judged, batch) for batch in batches(faults)]):
            if done.exception() is None:
                yield from done.result()


def batches(faults: Sequence[Fault]) -> list[tuple[Fault, ...]]:
    """Return the faults in groups that share their clean half, which is then decided once."""
    grouped: dict[str, list[Fault]] = {}
    for fault in faults:
        shared = fault.gate.theorem if isinstance(fault.gate, Proof) else fault.shown
        grouped.setdefault("tla" if isinstance(fault.gate, Model) else shared, []).append(fault)
    return sorted(map(tuple, grouped.values()), key=lambda group: (weight(group), len(group)))[::-1]


def weight(group: Sequence[Fault]) -> bool:
    """Return whether a group takes long: the models do, and are begun first."""
    return any(isinstance(fault.gate, Model) for fault in group)


def _judged(faults: Iterable[Fault]) -> list[Judgement]:
    return [judge(fault) for fault in faults]


def line(fault: Fault, judgement: Judgement) -> str:
    """Return a judgement as one line of a table."""
    mark = "caught " if judgement.caught else "SURVIVES"
    said = fault.sentence if judgement.caught else judgement.problem
    gate = gate_name(fault.gate)
    return (
        f"{mark} {fault.kind:21} {fault.id:28} {fault.property_id:16} {gate:33} "
        f"{judgement.seconds:5.1f} s  {said}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when every fault is caught."""
    parser = argparse.ArgumentParser(prog="python -m specs.faults", description=__doc__)
    parser.add_argument("ids", nargs="*", help="faults, by id; all of them")
    parser.add_argument("--json", action="store_true", help="print the judgements as a JSON list")
    parser.add_argument("--quiet", action="store_true", help="print no counterexamples")
    parser.add_argument("--jobs", type=int, default=JOBS, help=f"how many at a time ({JOBS})")
    options = parser.parse_args(arguments)
    unknown = set(options.ids) - {fault.id for fault in FAULTS}
    if unknown:
        parser.error(f"no fault `{min(unknown)}`")
    chosen = [fault for fault in FAULTS if not options.ids or fault.id in options.ids]
    by_id = {fault.id: fault for fault in FAULTS}

    def show(judgement: Judgement) -> None:
        told = () if options.quiet else judgement.story
        _say("\n".join([line(by_id[judgement.fault], judgement), *(f"        {x}" for x in told)]))

    started = time.perf_counter()
    quiet = options.json
    results = run_all(chosen, jobs=options.jobs, on_judgement=(lambda _: None) if quiet else show)
    caught = sum(judgement.caught for judgement in results)
    if options.json:
        _say(msgspec.json.encode(results).decode())
    else:
        seconds = time.perf_counter() - started
        _say(f"{caught} of {len(results)} faults caught, each at its gate, in {seconds:.1f} s")
    return 0 if results and caught == len(results) else 1


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
