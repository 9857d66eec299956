"""Lets TLC explain traces, all of them in one run, and reads which it could not and where.

Fails closed: TLC must have come to its end, and the states that it found must be exactly those of
the explanations, so that no trace is passed over.
"""

import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from specs.tlc.expectations import MODELS
from specs.tlc.jar import Tools
from specs.tlc.output import Step, read_behaviour, read_output
from specs.tlc.values import Value
from specs.traces.module import MODULE, data
from specs.traces.trace import Trace

MODEL: Final = "TraceAdministration"
INVARIANT: Final = "EveryRecordExplained"
SECONDS_MAX: Final = 300
HEAP_MEGABYTES_MAX: Final = 512
ENDS: Final = (0, 12)
"""The exit codes of TLC 2.15 and of newer ones when it was told to go on after a violation."""

ERROR: Final = re.compile(r"^Error: Invariant (\w+) is violated", re.MULTILINE)


class Unvalidated(Exception):
    """TLC did not say what it must: the message says what it said."""


@dataclass(frozen=True, slots=True)
class Unexplained:
    """Where a trace has no explanation: the place of the record from 0, why, and the model then."""

    position: int
    why: str
    state: Mapping[str, Value]


def validate(traces: Sequence[Trace], tools: Tools) -> dict[str, Unexplained]:
    """Return the traces that are no behaviour of the model, by name. Raises `Unvalidated`."""
    exit_code, text = _run(traces, tools)
    return read_verdicts(traces, exit_code, text)


def read_verdicts(
    traces: Sequence[Trace], exit_code: int | None, text: str
) -> dict[str, Unexplained]:
    """Return what TLC's answer means. Raises `Unvalidated`."""
    if exit_code is None:
        raise Unvalidated(f"no answer within {SECONDS_MAX} s")
    output = read_output(text)
    broken = [name for name in ERROR.findall(text) if name != INVARIANT]
    ends = [_last(part) for part in ERROR.split(text)[2::2]]
    found = {traces[_number(end, "trace") - 1].name: end for end, _ in ends}
    if broken or output.temporal or exit_code not in (ENDS if found else ENDS[:1]):
        said = ", ".join(broken) or output.first_error or "nothing"
        raise Unvalidated(f"TLC ended with exit code {exit_code}: {said}")
    walked = sum(length for _, length in ends)
    due = walked + sum(trace.states for trace in traces if trace.name not in found)
    if output.states != due or len(found) != len(ends):
        raise Unvalidated(f"TLC found {output.states} states, the explanations have {due}")
    return {
        name: Unexplained(_number(end, "next") - 1, str(end.state["unexplained"]), end.state)
        for name, end in found.items()
    }


def _last(part: str) -> tuple[Step, int]:
    """Return the last state of a counterexample, and how many states it has."""
    steps = read_behaviour(part).steps
    if len(steps) == 0:
        raise Unvalidated("a counterexample without states")
    return steps[-1], len(steps)


def _number(step: Step, variable: str) -> int:
    value = step.state[variable]
    if not isinstance(value, int):
        raise Unvalidated(f"`{variable}` is {value}, no number")
    return value


def _run(traces: Sequence[Trace], tools: Tools) -> tuple[int | None, str]:
    with tempfile.TemporaryDirectory(prefix="grantproof-traces-") as name:
        folder = Path(name)
        write_model(folder, traces)
        try:
            done = subprocess.run(  # noqa: S603 - our own command on our own files
                _command(tools, folder),
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=SECONDS_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None, ""
    return done.returncode, done.stdout


def write_model(folder: Path, traces: Sequence[Trace]) -> None:
    """Write all that TLC needs to validate the traces into the folder."""
    for module in ("OptimisticLocking.tla", "Administration.tla", f"{MODEL}.tla", f"{MODEL}.cfg"):
        text = (MODELS / module).read_text(encoding="utf-8")
        (folder / module).write_text(text, encoding="utf-8")
    (folder / f"{MODULE}.tla").write_text(data(traces), encoding="utf-8")


def _command(tools: Tools, folder: Path) -> list[str | Path]:
    return [
        tools.java,
        f"-Xmx{HEAP_MEGABYTES_MAX}m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        f"-Djava.io.tmpdir={folder}",
        *("-cp", tools.jar, "tlc2.TLC", "-nowarning", "-deadlock", "-continue"),
        *("-workers", "1", "-fp", "0", "-metadir", folder / "states"),
        *("-config", f"{MODEL}.cfg", MODEL),
    ]
