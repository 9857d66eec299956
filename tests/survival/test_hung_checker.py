"""The process that checks whole states, hung or killed amid its work: bounded, told, no harm."""

import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from tests.api.furnished import FACTS, READS
from tests.databases import SqliteDatabases
from tests.survival.scales import SCALE
from tests.survival.serving import Caller, Process, process_on, serving

ORGANIZATION: Final = "acme"
PEOPLE: Final = 400
"""So many that a check lasts long enough to be met."""

LIMIT_SECONDS: Final = 6.0
SETTINGS: Final = {
    "GRANTPROOF_CONTRACTS_STATE_SECONDS": "0.05",
    "GRANTPROOF_CONTRACTS_STATE_SECONDS_MAX": str(LIMIT_SECONDS),
}
PATIENCE_SECONDS: Final = 60
LINES: Final = {
    signal.SIGSTOP: f"no answer in {LIMIT_SECONDS:g} s",
    signal.SIGKILL: "the process was ended by signal 9",
}
RESTLESS: Final = (sys.executable, "-m", "tests.survival.restless")
LOOK_SECONDS: Final = 0.001
PAUSE_SECONDS: Final = 0.01
LATENCY_SECONDS_MAX: Final = LIMIT_SECONDS / 2
"""Whoever waited for a checker that hangs would wait longer; a starved machine alone is quicker."""


def checker_of(process: Process) -> int:
    """The process that checks, as soon as there is one."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        # It is forked by some thread of the service.
        for children in Path(f"/proc/{process.pid}/task").glob("*/children"):
            with suppress(OSError):
                found = children.read_text().split()
                if found:
                    return int(found[0])
        time.sleep(LOOK_SECONDS)
    raise AssertionError("nothing is checked")


def checks(caller: Caller) -> tuple[int, int]:
    """How many whole states were checked, and how many of them were found invalid."""
    told = str(caller.ask("GET", "/metrics").told)
    found = re.findall(r'contract_(checks|violations)_total{contract="state"} (\S+)', told)
    counts = {name: int(float(count)) for name, count in found}
    return counts["checks"], counts["violations"]


def gone(pid: int) -> bool:
    """Whether a process is no more."""
    return not Path(f"/proc/{pid}").exists()


def met(process: Process, how: signal.Signals, caller: Caller) -> tuple[bool, list[float]]:
    """Hit a check; whether it was one under way, and how long decisions took until it was over."""
    checker = checker_of(process)
    with suppress(ProcessLookupError):
        os.kill(checker, how)
    lines = process.log.count(LINES[how])
    before, _ = checks(caller)
    latencies, deadline = list[float](), time.monotonic() + PATIENCE_SECONDS
    while not gone(checker):
        assert time.monotonic() < deadline, "a check that hangs is not ended"
        began = time.perf_counter()
        assert decided(caller) == "Allow"
        latencies.append(time.perf_counter() - began)
        time.sleep(PAUSE_SECONDS)
    while process.log.count(LINES[how]) == lines and checks(caller)[0] == before:
        assert time.monotonic() < deadline, "a check that was hit is not told"
        time.sleep(PAUSE_SECONDS)
    return process.log.count(LINES[how]) > lines, latencies


def decided(caller: Caller) -> object:
    """A decision that is right while it is an allow."""
    answer = caller.ask("POST", "/evaluate", {"org_id": ORGANIZATION, **READS})
    assert answer.status == 200, answer
    return answer.told["decision"]


def people() -> list[dict[str, Any]]:
    """Commands that make the organization large."""
    return [
        {"type": "CreatePrincipal", "principal": f"p{number}", "attributes": {"x": number}}
        for number in range(PEOPLE)
    ]


def test_a_checker_that_hangs_or_is_killed_harms_nobody(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """It is ended in time and told in the log; decisions go on; nothing counts as checked by it."""
    process = process_on(SqliteDatabases(tmp_path).empty, tmp_path / "service", **SETTINGS)
    process.program = RESTLESS
    hit, latencies = Counter[signal.Signals](), list[float]()
    with serving(process), closing(process.caller()) as caller:
        assert caller.ask("POST", "/v1/orgs", {"id": ORGANIZATION}).status == 201
        path = f"/v1/orgs/{ORGANIZATION}/changes"
        made = caller.ask("POST", path, {"commands": [*FACTS, *people()]})
        assert made.status == 200, made
        for how in LINES:
            for _ in range(PATIENCE_SECONDS):
                inside, seconds = met(process, how, caller)
                hit[how] += inside
                latencies += seconds
                if hit[how] == SCALE.checkers_killed:
                    break
        before, _ = checks(caller)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (now := checks(caller))[0] < before + 2:
            assert time.monotonic() < deadline, "nothing is checked any more"
            time.sleep(PAUSE_SECONDS)
        assert now[1] == 0
        process.stop()
    record_property(
        "figure",
        f"checker of whole states: {hit[signal.SIGSTOP]} hung and ended after {LIMIT_SECONDS} s,"
        f" {hit[signal.SIGKILL]} killed amid a check; {len(latencies)} decisions meanwhile,"
        f" the slowest {max(latencies) * 1_000:.0f} ms; {now[0]} checks finished, none invalid",
    )
    assert set(hit.values()) == {SCALE.checkers_killed}
    assert max(latencies) <= LATENCY_SECONDS_MAX
