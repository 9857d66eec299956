"""Holds TLC to the table of expectations: `run_all` for the gate, `main` for the command line.

Fails closed: a time-out is `unknown`; a crash, a missing tool, another exit code, another property
or another number of states than expected is `failed`.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from specs.tlc.expectations import (
    HOLDS,
    MODELS,
    TABLE,
    Expectation,
    checks_of,
    configurations,
    expected_verdict,
    is_deep,
    read_expectations,
)
from specs.tlc.jar import MissingTool, Tools, find_tools
from specs.tlc.once import Run
from specs.tlc.output import Output, read_behaviour, read_output
from specs.tlc.run import run
from specs.tlc.startup import prepare
from specs.tlc.trace import tell
from specs.tlc.values import Unreadable

JOBS: Final = 2
WORTH_PREPARING: Final = 8
"""From so many runs on, making an archive of classes costs less than it saves."""

Verdict = Literal["holds", "refuted", "unknown", "failed"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one configuration. `property` holds ids, `trace` the counterexample told.

    `generated` counts states as often as they are met, `states` each once; `depth` is how many
    lie in a row from the first.
    """

    id: str
    property: str
    verdict: Verdict
    expected: Literal["holds", "refuted"]
    seconds: float
    detail: str
    states: int | None = None
    trace: tuple[str, ...] = ()
    generated: int | None = None
    depth: int | None = None


def as_expected(result: Result) -> bool:
    """Return whether TLC said exactly what it must."""
    return result.verdict == result.expected


def run_all(
    names: Sequence[str] = (),
    *,
    jobs: int = JOBS,
    on_result: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """Return the result of every configuration, or of those named, in the order of the table.

    `on_result` sees each as soon as it is there. A missing tool is one failed result.
    """
    try:
        tools = find_tools(os.environ)
        rows = read_expectations(TABLE.read_text(encoding="utf-8"))
        expectations = chosen(rows, names)
    except (MissingTool, ValueError) as error:
        return _alone(Result("tlc", "-", "failed", "holds", 0.0, str(error)), on_result)
    if len(expectations) >= WORTH_PREPARING:
        prepare(tools)
    results = {} if names else {name: _unlisted(name) for name in strays(rows)}
    for stray in results.values():
        on_result(stray)
    with ThreadPoolExecutor(jobs) as pool:
        for done in as_completed(pool.submit(_one, row, tools) for row in expectations):
            results[done.result().id] = done.result()
            on_result(done.result())
    order = {row.name: position for position, row in enumerate(expectations)}
    return sorted(results.values(), key=lambda result: order.get(result.id, -1))


def _alone(result: Result, on_result: Callable[[Result], None]) -> list[Result]:
    on_result(result)
    return [result]


def chosen(rows: Sequence[Expectation], names: Sequence[str]) -> tuple[Expectation, ...]:
    """Return the rows named; of none named, all that the gate runs. Raises `ValueError`."""
    unknown = set(names) - {row.name for row in rows}
    if unknown:
        raise ValueError(f"`{min(unknown)}` is not in {TABLE.name}")
    return tuple(row for row in rows if (row.name in names if names else not is_deep(row.name)))


def strays(expectations: Sequence[Expectation]) -> list[str]:
    """Return the configurations that have no row in the table."""
    listed = {row.name for row in expectations}
    return [name for name in configurations() if name not in listed]


def _unlisted(name: str) -> Result:
    return Result(name, "-", "failed", "holds", 0.0, f"not in {TABLE.name}: say what TLC must find")


def _one(expectation: Expectation, tools: Tools) -> Result:
    try:
        lists = checks_of((MODELS / f"{expectation.name}.cfg").read_text(encoding="utf-8"))
        done = run(expectation, tools)
    except OSError as error:
        lists, done = (), Run(-1, str(error), 0.0)
    return judge(expectation, done, lists=lists, pinned=tools.pinned)


def judge(
    expectation: Expectation, done: Run, *, lists: tuple[str, ...], pinned: bool = True
) -> Result:
    """Return what the run means, `lists` being what its configuration checks.

    With a jar that is not `pinned`, states are compared only where all of them are visited.
    """
    output = read_output(done.text)
    verdict, expected = _verdict(done, output), expected_verdict(expectation)
    if verdict == expected:
        comparable = pinned or expectation.exit_code == HOLDS
        against = _differences(expectation, done, output, lists=lists, states=comparable)
    else:
        against = [_disappointment(verdict, done, output)]
    return Result(
        id=expectation.name,
        property=expectation.property,
        verdict="failed" if verdict == expected and against else verdict,
        expected=expected,
        seconds=round(done.seconds, 1),
        detail="; ".join(against) or ", ".join(expectation.checks),
        states=output.states,
        trace=_trace(done.text) if verdict == "refuted" else (),
        generated=output.generated,
        depth=output.depth,
    )


def _verdict(done: Run, output: Output) -> Verdict:
    if done.exit_code is None:
        return "unknown"
    if done.exit_code == HOLDS:
        return "holds" if output.completed else "failed"
    return "refuted" if output.violated is not None or output.temporal else "failed"


def _disappointment(verdict: Verdict, done: Run, output: Output) -> str:
    match verdict:
        case "holds":
            return "TLC found no counterexample: nothing catches this"
        case "refuted":
            return f"TLC refutes {output.violated or 'a temporal property'}"
        case "unknown":
            return f"no answer within {done.seconds:.0f} s"
        case "failed":
            said = output.first_error or (done.text.strip().splitlines() or ["nothing"])[-1]
            return f"TLC ended with exit code {done.exit_code}: {said}"


def _differences(
    expectation: Expectation, done: Run, output: Output, *, lists: tuple[str, ...], states: bool
) -> list[str]:
    # TLC does not name a temporal property: it is the only one that the configuration lists.
    violated = ", ".join(lists) if output.temporal else output.violated
    found: list[tuple[str, object, object]] = [
        ("checks", lists, expectation.checks),
        ("exit code", done.exit_code, expectation.exit_code),
    ]
    if expectation.exit_code != HOLDS:
        found.append(("violated", violated, expectation.checks[0]))
    if states:
        found.append(("distinct states", output.states, expectation.states))
    return [f"{what} {is_}, expected {should}" for what, is_, should in found if is_ != should]


def _trace(text: str) -> tuple[str, ...]:
    try:
        return tell(read_behaviour(text))
    except (Unreadable, KeyError) as error:
        return (f"the counterexample cannot be told: {error}",)


def line(result: Result) -> str:
    """Return a result as one line of a table."""
    mark = "ok  " if as_expected(result) else "FAIL"
    states = "-" if result.states is None else f"{result.states:,}"
    said = result.property if result.verdict == "holds" and as_expected(result) else result.detail
    return (
        f"{mark}  {result.id:32} {result.expected:8} {result.verdict:8} "
        f"{states:>9} states {result.seconds:6.1f} s  {said}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when every verdict is the expected one."""
    parser = argparse.ArgumentParser(prog="python -m specs.tlc", description=__doc__)
    parser.add_argument("names", nargs="*", help="configurations, as in `broken/TwoRevisions`; all")
    parser.add_argument("--json", action="store_true", help="print the results as a JSON list")
    parser.add_argument("--traces", action="store_true", help="tell every counterexample")
    parser.add_argument("--jobs", type=int, default=JOBS, help=f"how many at a time ({JOBS})")
    parser.add_argument("--deep", action="store_true", help="the larger models instead; minutes")
    options = parser.parse_args(arguments)
    names = [name for name in configurations() if is_deep(name)] if options.deep else options.names

    def show(result: Result) -> None:
        told = result.trace if options.traces or not as_expected(result) else ()
        _say("\n".join([line(result), *(f"        {step}" for step in told)]))

    quiet = options.json
    results = run_all(names, jobs=options.jobs, on_result=(lambda _: None) if quiet else show)
    failed = sum(not as_expected(result) for result in results)
    if options.json:
        _say(msgspec.json.encode(results).decode())
    else:
        _say(f"{len(results)} configurations, {failed} not as expected")
    return 1 if failed else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
