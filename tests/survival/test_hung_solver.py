"""Solvers hung, killed from outside and out of memory: bounded, told, no harm; nothing is left."""

import os
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.api.furnished import FACTS, READS
from tests.databases import SqliteDatabases
from tests.survival.scales import SCALE
from tests.survival.serving import (
    Caller,
    Process,
    files_of,
    process_on,
    resident_bytes,
    serving,
    threads_of,
)

PROGRAM: Final = (sys.executable, "-c", "from tests.survival.solving import main; main()")
ORGANIZATION: Final = "acme"
PEOPLE: Final = 400
LIMIT_SECONDS: Final = 1.0
LIMIT_MIB: Final = 64
AT_ONCE: Final = 2
SETTINGS: Final = {
    "GRANTPROOF_SOLVER_SECONDS_MAX": str(LIMIT_SECONDS),
    "GRANTPROOF_SOLVER_MEMORY_MIB_MAX": str(LIMIT_MIB),
    "GRANTPROOF_SOLVERS_MAX": str(AT_ONCE),
    # One kind of children is enough to look for.
    "GRANTPROOF_CONTRACTS_STATE_SECONDS": "0",
}
CAUSES: Final = {"hard": "time", "held": "time", "taking": "memory", "waiting": "crashed"}
"""How each kind of work ends; what waits is killed from outside."""

PATIENCE_SECONDS: Final = 60
PAUSE_SECONDS: Final = 0.01
LOOK_SECONDS: Final = 0.001
LATENCY_SECONDS_MAX: Final = 1.0
CROWD: Final = 16
CONNECTIONS_MAX: Final = 4
"""So many files may be connections that come and go."""

GROWTH_BYTES_MAX: Final = 24 * 1_048_576


@dataclass(slots=True)
class Deciding:
    """Asks one decision after the other; what came of them."""

    latencies: list[float] = field(default_factory=list)
    wrong: list[object] = field(default_factory=list)


def children_of(process: Process) -> list[int]:
    """The processes that some thread of the service has begun."""
    found = list[int]()
    for children in Path(f"/proc/{process.pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, children.read_text("ascii").split())
    return found


@contextmanager
def deciding(process: Process) -> Iterator[Deciding]:
    """Meanwhile decisions are asked for."""
    told, over = Deciding(), threading.Event()

    def ask() -> None:
        with closing(process.caller()) as caller:
            while not over.is_set():
                began = time.perf_counter()
                answer = caller.ask("POST", "/evaluate", {"org_id": ORGANIZATION, **READS})
                told.latencies.append(time.perf_counter() - began)
                if answer.status != 200 or answer.told["decision"] != "Allow":
                    told.wrong.append(answer)
                over.wait(PAUSE_SECONDS)

    with ThreadPoolExecutor(1) as thread:
        asking = thread.submit(ask)
        try:
            yield told
        finally:
            over.set()
            asking.result()


def solve(process: Process, how: str) -> dict[str, str]:
    """What comes of a question."""
    with closing(process.caller()) as caller:
        answer = caller.ask("POST", f"/solve/{how}/{ORGANIZATION}")
    assert answer.status == 200, answer
    found: dict[str, str] = answer.told
    return found


def killing(process: Process) -> None:
    """Kill the solver of a question, as soon as there is one."""
    for one in worked_on(process):
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


def undetermined(process: Process, how: str) -> str:
    """Ask what ends without an answer, and return its cause."""
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(solve, process, how)
        if how == "waiting":
            killing(process)
        found = asked.result()
    assert "answer" not in found, f"{how}: {found}"
    return found["cause"]


def endings(caller: Caller) -> dict[str, int]:
    """How questions have ended, by the metrics."""
    told = str(caller.ask("GET", "/metrics").told)
    found = re.findall(r'grantproof_solver_runs_total{ending="(\w+)"} (\S+)', told)
    return {ending: int(float(count)) for ending, count in found}


def used(process: Process) -> tuple[int, int, int]:
    """Memory, open files and threads of the service."""
    return resident_bytes(process.pid), files_of(process.pid), threads_of(process.pid)


def furnish(caller: Caller) -> None:
    """Make an organization with people enough, of whom one may read."""
    people: list[dict[str, Any]] = [
        {"type": "CreatePrincipal", "principal": f"p{number}", "attributes": {"x": number}}
        for number in range(PEOPLE)
    ]
    assert caller.ask("POST", "/v1/orgs", {"id": ORGANIZATION}).status == 201
    path = f"/v1/orgs/{ORGANIZATION}/changes"
    made = caller.ask("POST", path, {"commands": [*FACTS, *people]})
    assert made.status == 200, made


def running(pid: int) -> bool:
    """Whether a process is there, and not only left to be reaped by whoever should."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def worked_on(process: Process) -> list[int]:
    """The solvers of a service, as soon as there are some."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := children_of(process)):
        assert time.monotonic() < deadline, "nothing is solved"
        time.sleep(LOOK_SECONDS)
    return found


@contextmanager
def serving_a_door(folder: Path, **settings: str) -> Iterator[Process]:
    """A service with a door to its solver, and an organization."""
    made = process_on(SqliteDatabases(folder).empty, folder / "service", **{**SETTINGS, **settings})
    made.program = PROGRAM
    with serving(made):
        with closing(made.caller()) as caller:
            furnish(caller)
        yield made


def crowd(process: Process) -> tuple[list[dict[str, str]], int]:
    """What comes of many questions at once, and how many were worked on at once at most."""
    over = threading.Event()

    def look() -> int:
        most = 0
        while not over.wait(LOOK_SECONDS):
            most = max(most, len(children_of(process)))
        return most

    with ThreadPoolExecutor(1) as watching, ThreadPoolExecutor(CROWD) as threads:
        looked = watching.submit(look)
        try:
            found = list(threads.map(lambda _: solve(process, "proved"), range(3 * CROWD)))
        finally:
            over.set()
        return found, looked.result()


def test_a_solver_that_hangs_is_killed_or_takes_all_memory_harms_nobody(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """It is ended in time and told; decisions go on, none is wrong; the next question is answered.

    Of the service's memory, files, threads and children nothing is left over; many questions at
    once are worked on in turn; and one that is worked on at the end is ended with the service.
    """
    ended, rounds, proved = Counter[tuple[str, str]](), SCALE.solvers_ended, 0
    with serving_a_door(tmp_path) as process:
        with closing(process.caller()) as caller, deciding(process) as told:
            warmed = [undetermined(process, how) for how in CAUSES]
            before = used(process)
            for _ in range(rounds):
                for how in CAUSES:
                    ended[how, undetermined(process, how)] += 1
                    proved += solve(process, "proved") == {"answer": "unsat"}
            after, counted = used(process), endings(caller)
            crowded, most = crowd(process)
            assert children_of(process) == []
        with ThreadPoolExecutor(1) as thread:
            thread.submit(solve, process, "held")
            (last,) = worked_on(process)
            process.stop()
            assert not running(last)
    record_property(
        "figure",
        f"solver: {rounds} each hung in Z3, hung with the interpreter's lock, out of {LIMIT_MIB}"
        f" MiB and killed; {len(told.latencies)} decisions meanwhile, none wrong, the slowest"
        f" {max(told.latencies) * 1_000:.0f} ms; memory of the service"
        f" {(after[0] - before[0]) / 1_048_576:+.1f} MiB, files {after[1] - before[1]:+d}",
    )
    # A machine that is busy may let anything be late; nothing may be anything else.
    for how, cause in CAUSES.items():
        assert ended[how, cause] > 0, how
        assert ended[how, cause] + (cause != "time") * ended[how, "time"] == rounds, how
    assert proved > 0
    assert counted["answered"] == proved
    assert counted["refused"] == 0
    for cause in ("memory", "crashed"):
        assert counted[cause] == warmed.count(cause) + sum(
            count for (_, found), count in ended.items() if found == cause
        )
    assert told.wrong == []
    assert max(told.latencies) <= LATENCY_SECONDS_MAX
    assert after[0] - before[0] <= GROWTH_BYTES_MAX
    assert after[1] - before[1] <= CONNECTIONS_MAX
    assert after[2] <= before[2]
    answered = crowded.count({"answer": "unsat"})
    others = [one["cause"] for one in crowded if "cause" in one]
    assert answered > 0
    assert answered + len(others) == len(crowded)
    assert set(others) <= {"refused", "time"}
    assert 1 <= most <= AT_ONCE


def test_a_service_that_is_killed_leaves_no_solver(tmp_path: Path) -> None:
    """Amid a question that may take a minute: what works on it is gone with the service."""
    with (
        serving_a_door(tmp_path, GRANTPROOF_SOLVER_SECONDS_MAX="60") as process,
        ThreadPoolExecutor(1) as thread,
    ):
        asked = thread.submit(solve, process, "held")
        (last,) = worked_on(process)
        process.kill()
        killed = time.monotonic()
        while running(last):
            assert time.monotonic() < killed + LATENCY_SECONDS_MAX, "a solver is left"
            time.sleep(LOOK_SECONDS)
        assert asked.exception() is not None
