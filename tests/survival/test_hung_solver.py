"""Solvers hung, killed from outside and out of memory, amid changes that a guardrail judges.

No change that needed an answer and got none is made. What takes access away is, at once; decisions
stay right; nothing is left of the solver.
"""

import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

from grantproof.core.identifiers import RoleId
from tests.databases import Database, SqliteDatabases
from tests.survival import guarded
from tests.survival.scales import SCALE
from tests.survival.serving import (
    LOST,
    Answer,
    Caller,
    Process,
    files_of,
    process_on,
    resident_bytes,
    serving,
    threads_of,
)
from tests.survival.sound import History, history
from tests.survival.toggling import ORGANIZATION, Load, check_ages

LIMIT_SECONDS: Final = 8.0
"""Long enough, also on a starved machine, for the large one to take all its memory first."""
LIMIT_MIB: Final = 64
AT_ONCE: Final = 2
SETTINGS: Final = {
    "GRANTPROOF_SOLVER_SECONDS_MAX": str(LIMIT_SECONDS),
    "GRANTPROOF_SOLVER_MEMORY_MIB_MAX": str(LIMIT_MIB),
    # One that hangs leaves none.
    "GRANTPROOF_SOLVERS_MAX": "1",
    # One kind of children is enough to look for.
    "GRANTPROOF_CONTRACTS_STATE_SECONDS": "0",
}
LATE: Final = "no answer in"
WHYS: Final = {
    "hard": LATE,
    "stopped": LATE,
    "killed": "ended by signal 9",
    "large": "out of memory",
}
"""How a change is refused: Z3 hangs, its process is stopped, is killed, or takes all its memory."""

SIGNALS: Final = {"stopped": signal.SIGSTOP, "killed": signal.SIGKILL}
HANGS: Final = ("hard", "stopped")
UNDETERMINED: Final = "guardrail_undetermined"
LATER: Final = {UNDETERMINED, "contended"}
"""What says that nothing was changed, and to try again."""

ENDED: Final = {(200, ""), (409, "missing"), *((503, code) for code in LATER)}
"""How a change of the load may end: what was not given cannot be taken away."""

TRIES_MORE: Final = 5
PAUSE_SECONDS: Final = 0.1
"""Between two changes of the load: one is judged in less, and so is not overtaken for ever."""

PATIENCE_SECONDS: Final = 60
LOOK_SECONDS: Final = 0.001
LATENCY_SECONDS_MAX: Final = LIMIT_SECONDS / 2
"""Whoever waited for a solver that hangs would wait longer; a starved machine alone is quicker."""
CROWD: Final = 4
CONNECTIONS_MAX: Final = 8
"""So many files may be connections that come and go."""

CALLERS: Final = 3
"""So many changes are asked for at once at most, and so many threads may answer them."""

GROWTH_BYTES_MAX: Final = 24 * 1_048_576


@dataclass(slots=True)
class Told:
    """What came of the changes: the names of those refused and made, and how fast some were."""

    whys: Counter[tuple[str, bool]] = field(default_factory=Counter)
    """How often a change of each kind was refused, and whether for the reason expected."""
    refused: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    again: int = 0
    """How often a change had to be asked for again, once the solver answered."""
    urgent: list[float] = field(default_factory=list)
    """How long emergencies took while the solver hung."""
    hung: list[tuple[str, float, float]] = field(default_factory=list)
    """In which way the solver hung while an emergency lasted, from when until when."""

    def shown(self, way: str) -> bool:
        """Whether the solver failed that way, and if it hung, for all of an emergency."""
        hung = way not in HANGS or way in {each for each, _, _ in self.hung}
        return hung and self.whys[way, True] > 0


@dataclass(slots=True)
class Administrators:
    """Ask for changes one after the other, each by its own name."""

    process: Process
    told: Told = field(default_factory=Told)
    _numbers: "count[int]" = field(default_factory=count)
    _people: Iterator[str] = field(default_factory=lambda: iter(guarded.PEOPLE))

    def change(
        self, path: str, body: object, *, caller: Caller | None = None
    ) -> tuple[str, Answer]:
        """The answer to a POST, and the name it has in the history."""
        name = f"administrator-{next(self._numbers)}"
        with ExitStack() as mine:
            asking = caller or mine.enter_context(closing(self.process.caller()))
            headers = {"X-Request-ID": name}
            return name, asking.ask("POST", f"{guarded.BASE}/{path}", body, headers=headers)

    def give(self, role: str) -> tuple[str, Answer]:
        """Give somebody new a role."""
        return self.change("assignments", {"principal": next(self._people), "role": role})

    def works(self) -> None:
        """The solver answers again: what it is asked for is made."""
        self.make(partial(self.give, "easy"), 201)

    def restore(self) -> None:
        """What an emergency took is given back, which takes the solver."""
        self.make(partial(self.change, "changes", {"commands": guarded.RESTORING}), 200)
        with closing(self.process.caller()) as caller:
            assert all(guarded.opens(caller, one) for one in guarded.CLERKS)

    def make(self, ask: Callable[[], tuple[str, Answer]], status: int) -> None:
        """Have a change made; of a busy machine it may be asked again, as the answer says."""
        name, answer = ask()
        for _ in range(TRIES_MORE):
            if answer.code not in LATER:
                break
            self.told.again += 1
            self.told.refused.append(name)
            name, answer = ask()
        assert answer.status == status, answer
        self.told.made.append(name)

    def refuse(self, way: str, asked: tuple[str, Answer]) -> None:
        """Count a change that the solver had no answer for."""
        name, answer = asked
        assert (answer.status, answer.code) == (503, UNDETERMINED), answer
        self.told.refused.append(name)
        self.told.whys[way, WHYS[way] in answer.told["detail"]] += 1

    def emergency(self) -> None:
        """Take access away from three, each in another way; they have lost it at once."""
        with closing(self.process.caller()) as caller:
            for method, path, body, whose in guarded.EMERGENCIES:
                assert guarded.opens(caller, whose)
                began = time.monotonic()
                answer = caller.ask(method, path, body)
                self.told.urgent.append(time.monotonic() - began)
                assert answer.status in {200, 204}, answer
                assert not guarded.opens(caller, whose)


def children_of(process: Process) -> list[int]:
    """The processes that some thread of the service has begun."""
    found = list[int]()
    for children in Path(f"/proc/{process.pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, children.read_text("ascii").split())
    return found


def state_of(pid: int) -> str:
    """What a process does: T is stopped, Z is left to be reaped, nothing is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except OSError:
        return ""


def running(pid: int) -> bool:
    """Whether a process is there, and not only left to be reaped by whoever should."""
    return state_of(pid) not in {"", "Z"}


def worked_on(process: Process) -> list[int]:
    """The solvers of a service, as soon as there are some."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := children_of(process)):
        assert time.monotonic() < deadline, "nothing is solved"
        time.sleep(LOOK_SECONDS)
    return found


def signalling(process: Process, number: signal.Signals, asked: Future[tuple[str, Answer]]) -> None:
    """Send the signal to every solver there is, until the change is answered."""
    while not asked.done():
        for one in children_of(process):
            with suppress(ProcessLookupError):
                os.kill(one, number)
        time.sleep(LOOK_SECONDS)
    # What was begun for another change since goes on.
    for one in children_of(process):
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGCONT)


def fail(administrators: Administrators, way: str) -> None:
    """Ask for what needs the solver, and let it fail that way; meanwhile there is an emergency."""
    process = administrators.process
    role = way if way in guarded.ROLES else "hard"
    with ThreadPoolExecutor(2) as threads:
        asked = threads.submit(administrators.give, role)
        if way in SIGNALS:
            threads.submit(signalling, process, SIGNALS[way], asked)
        if way in HANGS:
            solvers = worked_on(process)
            while way == "stopped" and state_of(solvers[0]) != "T" and running(solvers[0]):
                time.sleep(LOOK_SECONDS)
            began = time.monotonic()
            administrators.emergency()
            if not asked.done():
                administrators.told.hung.append((way, began, time.monotonic()))
        administrators.refuse(way, asked.result())
    if way in HANGS:
        administrators.restore()


def fail_so(administrators: Administrators, way: str) -> int:
    """Let the solver fail and work again, anew while it is too late to tell which way it failed.

    How often it failed.
    """
    failed = 0
    while failed == 0 or (failed < TRIES_MORE and not administrators.told.shown(way)):
        fail(administrators, way)
        administrators.works()
        failed += 1
    return failed


def used(process: Process) -> tuple[int, int, int]:
    """Memory, open files and threads of the service."""
    return resident_bytes(process.pid), files_of(process.pid), threads_of(process.pid)


def endings(caller: Caller) -> dict[str, int]:
    """How questions have ended, by the metrics."""
    told = str(caller.ask("GET", "/metrics").told)
    found = re.findall(r'grantproof_solver_runs_total{ending="(\w+)"} (\S+)', told)
    return {ending: int(float(number)) for ending, number in found}


@contextmanager
def serving_guarded(database: Database, folder: Path, **settings: str) -> Iterator[Process]:
    """A service with an organization whose guardrail may ask too much."""
    made = process_on(database, folder / "service", **{**SETTINGS, **settings})
    with serving(made):
        with closing(made.caller()) as caller:
            guarded.furnish(caller)
        yield made


def check_changes(load: Load, told: Told, past: History) -> Counter[str]:
    """What was acknowledged is there once, what was refused is not; how each of the load ended."""
    made = past.made()
    for one in load.changed:
        assert (one.status, one.code) in ENDED, one
        assert made.get(one.name, []) == ([one.revision] if one.status == 200 else []), one
    assert all(len(made[name]) == 1 for name in told.made)
    assert [name for name in told.refused if name in made] == []
    assert all(len(past.state.assignments.to(RoleId(role))) == 0 for role in ("hard", "large"))
    return Counter(one.code or "made" for one in load.changed)


def test_a_solver_that_hangs_is_killed_or_takes_all_memory_harms_nobody(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """What needed it is refused, an emergency is not; decisions go on, all right; then all works.

    Of the service's memory, files, threads and children nothing is left over, and a solver that is
    at work when the service is told to stop is ended with it.
    """
    database, rounds = SqliteDatabases(tmp_path).empty, SCALE.solvers_ended
    with serving_guarded(database, tmp_path) as process:
        administrators, load = Administrators(process), Load([process], pause=PAUSE_SECONDS)
        with closing(process.caller()) as caller:
            with load.meanwhile():
                asked = fail_so(administrators, "killed")
                before = used(process)
                for _ in range(rounds):
                    for way in WHYS:
                        asked += fail_so(administrators, way)
                after = used(process)
            assert children_of(process) == []
            counted = endings(caller)
        with ThreadPoolExecutor(1) as thread:
            thread.submit(administrators.give, "hard")
            (last,) = worked_on(process)
            process.stop()
            assert not running(last)
    told, past = administrators.told, history(database, ORGANIZATION)
    ended = check_changes(load, told, past)
    slowest = max(one.answered - one.sent for one in load.decided)
    record_property(
        "figure",
        f"solver: {rounds} changes each whose judgement hung in Z3, was stopped, was killed or out"
        f" of {LIMIT_MIB} MiB, all {sum(told.whys.values())} refused and {len(told.made)} others"
        f" made after it, {told.again} at another try;"
        f" {len(told.urgent)} emergencies while it hung, the slowest"
        f" {max(told.urgent) * 1_000:.0f} ms; of {len(load.changed)} changes meanwhile"
        f" {ended['made']} made and {ended[UNDETERMINED]} refused for it;"
        f" {len(load.decided)} decisions, none wrong, the slowest {slowest * 1_000:.0f} ms; memory"
        f" of the service {(after[0] - before[0]) / 1_048_576:+.1f} MiB, files"
        f" {after[1] - before[1]:+d}",
    )
    assert {one.status for one in load.decided} == {200}
    check_ages(load.decided, load, past, bound=0)
    assert slowest <= LATENCY_SECONDS_MAX
    assert max(told.urgent) <= LATENCY_SECONDS_MAX
    # A machine that is busy may let anything be late; nothing may be anything else.
    assert all(map(told.shown, WHYS)), told.whys
    for _, began, ended_at in told.hung:
        assert any(began <= one.sent and one.answered <= ended_at for one in load.decided)
    assert sum(told.whys.values()) == asked
    assert ended["made"] > 0 < ended[UNDETERMINED]
    assert counted["answered"] >= len(told.made)
    assert sum(counted.values()) - counted["answered"] >= sum(told.whys.values())
    assert after[0] - before[0] <= GROWTH_BYTES_MAX
    assert after[1] - before[1] <= CONNECTIONS_MAX
    assert after[2] <= before[2] + CALLERS


def crowd(administrators: Administrators) -> tuple[Counter[str], int]:
    """What comes of many changes at once, and how many were judged at once at most."""
    over, process = threading.Event(), administrators.process

    def look() -> int:
        most = 0
        while not over.wait(LOOK_SECONDS):
            # One thread after the other is looked at: who is there afterwards was there with all.
            found = children_of(process)
            most = max(most, sum(map(running, found)))
        return most

    with ThreadPoolExecutor(1) as watching, ThreadPoolExecutor(CROWD) as threads:
        looked = watching.submit(look)
        try:
            found = list(threads.map(lambda _: administrators.give("easy"), range(2 * CROWD)))
        finally:
            over.set()
        return Counter(answer.code or "made" for _, answer in found), looked.result()


def test_many_are_judged_in_turn_and_none_outlives_a_service_that_is_killed(tmp_path: Path) -> None:
    """So many at once as the setting says; amid one that may take a minute all is gone with it."""
    database = SqliteDatabases(tmp_path).empty
    settings = {
        "GRANTPROOF_SOLVER_SECONDS_MAX": str(PATIENCE_SECONDS),
        "GRANTPROOF_SOLVERS_MAX": str(AT_ONCE),
    }
    with (
        serving_guarded(database, tmp_path, **settings) as process,
        ThreadPoolExecutor(1) as thread,
    ):
        administrators = Administrators(process)
        crowded, most = crowd(administrators)
        assert set(crowded) <= {"made", "contended"}
        assert crowded["made"] > 0
        assert 1 <= most <= AT_ONCE
        asked = thread.submit(administrators.give, "hard")
        (last,) = worked_on(process)
        process.kill()
        killed = time.monotonic()
        while running(last):
            # It is the last that a busy machine lets run, even to die.
            assert time.monotonic() < killed + PATIENCE_SECONDS / 2, "a solver is left"
            time.sleep(LOOK_SECONDS)
        assert isinstance(asked.exception(), LOST)
