"""Records races and meetings, lets TLC explain them, and judges: `python -m specs.traces`."""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import msgspec

from grantproof.service.ports import StoreError
from specs.tlc.jar import MissingTool, find_tools
from specs.traces.faults import FAULTS, TraceFault
from specs.traces.meetings import CLEAN, SCENES, meet
from specs.traces.places import Place, places
from specs.traces.racing import ORGANIZATIONS, RACE_SECONDS_MAX, TRACES_EACH, RaceLost, race
from specs.traces.telling import tell
from specs.traces.trace import Incomplete, Trace, traces_of
from specs.traces.validation import Unexplained, Unvalidated, validate, write_model

PROPERTY: Final = "P-CAS"
LOST_MIN: Final = 100
"""How many races must be lost on each database: else the racers never met."""

SHOWN_MAX: Final = 3
"""How many traces without an explanation are told."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the races on a database, of a meeting or a fault; none with a `problem`.

    `passed` says it of one that has none: `holds` or `caught`.
    """

    name: str
    passed: Literal["holds", "caught"]
    problem: str = ""
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Validation:
    """The verdicts; how much of the races TLC has explained; how long it took to record, and that.

    `events` are records, of a trace from its beginning to its end.
    """

    verdicts: tuple[Verdict, ...]
    traces: int = 0
    events: int = 0
    lost_races: int = 0
    seconds: tuple[float, float] = (0.0, 0.0)

    @property
    def caught(self) -> int:
        """How many faults were caught."""
        return sum(one.passed == "caught" and one.problem == "" for one in self.verdicts)


def run_all(*, keep: Path | None = None) -> Validation:
    """Record and validate. What TLC is given is also written to `keep`."""
    started = time.perf_counter()
    try:
        tools = find_tools(os.environ)
        with places() as found:
            raced = traces_of(race(found))
            records, problems = meet(found)
        met = traces_of(records)
        recorded = time.perf_counter() - started
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            write_model(keep, (*raced, *met))
        unexplained = validate((*raced, *met), tools)
    except (Incomplete, MissingTool, RaceLost, StoreError, Unvalidated) as error:
        return Validation((Verdict("traces", "holds", str(error)),))
    explained = [trace for trace in raced if trace.name not in unexplained]
    return Validation(
        tuple(_verdicts(found, raced, met, unexplained=unexplained, problems=problems)),
        traces=len(explained),
        events=sum(len(trace.records) for trace in explained),
        lost_races=sum(trace.lost for trace in explained),
        seconds=(recorded, time.perf_counter() - started - recorded),
    )


def _verdicts(
    found: Sequence[Place],
    raced: Sequence[Trace],
    met: Sequence[Trace],
    *,
    unexplained: Mapping[str, Unexplained],
    problems: Mapping[str, str],
) -> Iterator[Verdict]:
    places = [place.name for place in found]
    for place in places:
        mine = [trace for trace in raced if trace.name.startswith(f"{place} ")]
        yield of_races(place, mine, unexplained)
    by_name = {trace.name: trace for trace in met}
    for meeting in SCENES:
        traces = [by_name[f"{place} {meeting}.{CLEAN}"] for place in places]
        yield of_meeting(meeting, traces, unexplained)
    for fault in FAULTS:
        if fault.id in problems:
            yield Verdict(fault.id, "caught", problems[fault.id])
            continue
        traces = [by_name[f"{place} {fault.meeting}.{fault.id}"] for place in places]
        yield of_fault(fault, traces, unexplained)


def of_races(
    place: str, traces: Sequence[Trace], unexplained: Mapping[str, Unexplained]
) -> Verdict:
    """Return the verdict on the races on a database: all explained, and enough of them lost."""
    bad = [trace for trace in traces if trace.name in unexplained]
    lost = sum(trace.lost for trace in traces)
    problem = ""
    if bad:
        problem = f"{len(bad)} of {len(traces)} traces are no behaviour of the model"
    elif len(traces) < ORGANIZATIONS[place] * TRACES_EACH:
        problem = f"only {len(traces)} traces were recorded in {RACE_SECONDS_MAX} s"
    elif lost < LOST_MIN:
        problem = f"{lost} races were lost, {LOST_MIN} must be: the administrators hardly met"
    name = f"{len(traces)} races on {place}, {lost} lost"
    return Verdict(name, "holds", problem, _told(bad[:SHOWN_MAX], unexplained))


def of_meeting(
    meeting: str, traces: Sequence[Trace], unexplained: Mapping[str, Unexplained]
) -> Verdict:
    """Return the verdict on an arranged meeting on the source as it is."""
    bad = [trace for trace in traces if trace.name in unexplained]
    unlike = [trace for trace in traces if trace.lost == 0]
    problem = "a trace is no behaviour of the model" if bad else ""
    if not bad and unlike:
        problem = f"nobody lost a race in {unlike[0].name}: they did not meet"
    return Verdict(f"two meet, {meeting}", "holds", problem, _told(bad, unexplained))


def of_fault(
    fault: TraceFault, traces: Sequence[Trace], unexplained: Mapping[str, Unexplained]
) -> Verdict:
    """Return the verdict on a fault: its traces have no explanation, for the reason it names."""
    told = _told(traces[:1], unexplained)
    for trace in traces:
        found = unexplained.get(trace.name)
        if found is None:
            problem = f"{trace.name} is a behaviour of the model: the fault survives"
            return Verdict(fault.id, "caught", problem)
        record = trace.records[found.position]
        if (record.what, found.why) != (fault.record, fault.why):
            problem = f"{trace.name} fails at `{record.what}` as {found.why}, not as it must"
            return Verdict(fault.id, "caught", problem, _told([trace], unexplained))
    return Verdict(f"{fault.id}: {fault.sentence}", "caught", told=told)


def _told(traces: Sequence[Trace], unexplained: Mapping[str, Unexplained]) -> tuple[str, ...]:
    return tuple(
        line
        for trace in traces
        if trace.name in unexplained
        for line in (f"{trace.name}:", *tell(trace, unexplained[trace.name]))
    )


def line(verdict: Verdict, *, told: bool) -> str:
    """Return a verdict as a line of a table, with what is told of it below."""
    mark = "FAIL" if verdict.problem else "ok"
    shown = verdict.told if told or verdict.problem else ()
    said = f"{mark:4}  {verdict.passed:6}  {verdict.name}"
    head = f"{said}: {verdict.problem}" if verdict.problem else said
    return "\n".join([head, *(f"        {one}" for one in shown)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when every trace is explained and every fault is caught."""
    parser = argparse.ArgumentParser(prog="python -m specs.traces", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    parser.add_argument("--traces", action="store_true", help="tell how each fault is caught")
    parser.add_argument("--keep", type=Path, help="a folder for what TLC is given")
    options = parser.parse_args(arguments)
    done = run_all(keep=options.keep)
    failed = sum(verdict.problem != "" for verdict in done.verdicts)
    if options.json:
        _say(msgspec.json.encode(done).decode())
    else:
        for verdict in done.verdicts:
            _say(line(verdict, told=options.traces))
        recording, validating = done.seconds
        _say(
            f"{done.traces} traces with {done.events} events explained, {done.lost_races} races"
            f" lost, {done.caught} faults caught: recorded in {recording:.1f} s,"
            f" validated in {validating:.1f} s"
        )
    return 1 if failed else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
