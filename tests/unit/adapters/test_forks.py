"""Work in a process of its own: its answer, or why there is none; and nothing is left of it."""

import errno
import gc
import os
import pickle
import re
import resource
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import pytest
import z3
from structlog.testing import capture_logs

from grantproof.adapters.apart import inside
from grantproof.adapters.apart.forks import MIB, STOPPED, Forks, Limits
from grantproof.service.solving import Undetermined

TOLD_BY_THE_SYSTEM: Final = sys.platform == "linux"
PATIENT: Final = Limits(120.0, niceness=0)
QUICK: Final = Limits(0.1, niceness=0)
"""What is asked of most: on a busy machine, whom all others are preferred to is long in dying."""
LATE: Final = Undetermined("time", "no answer in 0.1 s")
FAILED: Final = Undetermined("crashed", "the work failed: the log says how")
SOON_SECONDS_MAX: Final = 30.0
"""Less than what nobody ends would last."""
POLL_SECONDS: Final = 0.005


def run(work: Callable[[], object], limits: Limits = PATIENT) -> object:
    """What comes of the work."""
    return Forks().run(work, limits)


def children() -> list[str]:
    """The children of this process, whatever has become of them; nothing where that is not told."""
    found = Path("/proc/self/task").glob("*/children")
    return sorted(child for one in found for child in one.read_text("ascii").split())


def open_files() -> set[str]:
    """The files that this process has open, and that which tells them."""
    return {one.name for one in Path("/dev/fd").iterdir()}


@contextmanager
def nothing_left() -> Iterator[None]:
    """Fails if afterwards this process has a child, or an open file, that it did not have."""
    before = children(), open_files()
    yield
    assert (children(), open_files()) == before


def waits_for(holds: Callable[[], bool]) -> bool:
    """Whether it holds soon."""
    deadline = time.monotonic() + SOON_SECONDS_MAX
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def runs(pid: int) -> bool:
    """Whether there is such a process, and it is not only left to be reaped by somebody else."""
    told = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return told.stdout.strip() != "" and not told.stdout.startswith("Z")


def test_the_answer_is_what_the_work_returns() -> None:
    """From another process, which sees this one's values; what it changes is not changed here."""
    seen = [1]

    def work() -> tuple[int, list[int]]:
        seen.append(2)
        return os.getpid(), seen

    with nothing_left():
        found = Forks().run(work, PATIENT)
    assert not isinstance(found, Undetermined)
    pid, told = found
    assert pid != os.getpid()
    assert told == [1, 2]
    assert seen == [1]


def test_any_thread_may_ask() -> None:
    """Many at once, each gets its own answer."""
    forks = Forks()
    with ThreadPoolExecutor(8) as threads, nothing_left():
        found = list(threads.map(lambda one: forks.run(lambda: one * one, PATIENT), range(24)))
    assert found == [one * one for one in range(24)]


def test_an_answer_may_be_as_long_as_the_limit() -> None:
    """One byte more, and it is none; however much more, it is not waited for."""
    answer = b"x" * 100_000
    length = len(pickle.dumps(answer, protocol=pickle.HIGHEST_PROTOCOL))
    just = replace(PATIENT, answer_bytes=length)
    short = replace(PATIENT, answer_bytes=length - 1)
    longer = Undetermined("crashed", f"the answer is longer than {length - 1:,} bytes")
    with nothing_left():
        assert run(lambda: answer, just) == answer
        assert run(lambda: answer, short) == longer
        assert run(lambda: answer * 100, short) == longer


def held_for_ever() -> None:
    """Loop outside of the interpreter, without letting go of its lock or looking for a signal."""
    sum(repeat(0))


def stopped() -> None:
    """Be stopped, as a debugger does it."""
    os.kill(os.getpid(), signal.SIGSTOP)


def hard() -> object:
    """Ask Z3 for the factors of a product, which takes it far too long."""
    one, other = z3.BitVecs("one other", 96)
    solver = z3.Solver()
    solver.add(one * other == 549755813881 * 549755813911, z3.ULT(one, other), z3.UGT(one, 1))
    solver.add(z3.ULT(other, 1 << 40))
    return str(solver.check())


@pytest.mark.parametrize("work", [signal.pause, held_for_ever, stopped, hard])
def test_work_that_does_not_end_is_ended(work: Callable[[], object]) -> None:
    """Whatever it is doing: waiting, holding the interpreter's lock, stopped, or solving."""
    began = time.monotonic()
    with nothing_left():
        assert run(work, QUICK) == LATE
    assert time.monotonic() - began < SOON_SECONDS_MAX


@pytest.mark.parametrize("number", [signal.SIGALRM, signal.SIGXCPU])
def test_what_ends_by_a_limit_of_its_own_is_late(number: signal.Signals) -> None:
    """The timer and the limit of the processor say the same as this process would."""
    assert run(lambda: os.kill(os.getpid(), number), QUICK) == LATE


def test_solving_leaves_nothing_of_the_solver_here() -> None:
    """It is loaded, and used in the other process only: there is no context of it in this one."""

    def solved() -> str:
        number, solver = z3.Int("number"), z3.Solver()
        solver.add(number > 3, number < 5)
        return f"{solver.check()} {solver.model()[number]}"

    before = z3.z3._main_ctx  # noqa: SLF001 - there is no other way to ask for it
    assert [run(solved), run(solved)] == ["sat 4", "sat 4"]
    assert z3.z3._main_ctx is before  # noqa: SLF001 - there is no other way to ask for it


def taking(mebibytes: int) -> int:
    """Take so much memory."""
    return len(bytes(mebibytes * MIB))


def taking_ever_more() -> None:
    """Take memory until there is none."""
    taken = [b""]
    while True:
        taken.append(b"x" * MIB)


@pytest.mark.skipif(not TOLD_BY_THE_SYSTEM, reason="the system does not tell what is mapped")
def test_memory_has_a_limit() -> None:
    """Beyond what this process has, some of which may be free; there is room for an answer then."""
    limits = replace(PATIENT, memory_bytes=64 * MIB)
    short = Undetermined("memory", "no answer within 64 MiB: out of memory")
    with nothing_left():
        assert run(lambda: taking(32), limits) == 32 * MIB
        assert run(lambda: taking(512), limits) == short
        assert run(taking_ever_more, limits) == short
    assert run(lambda: taking(512)) == 512 * MIB


def test_an_error_of_a_library_may_say_that_memory_is_short() -> None:
    """As that of Z3 does, which is none of the interpreter's."""

    def fails() -> NoReturn:
        raise z3.Z3Exception(b"out of memory")

    assert run(fails) == Undetermined("memory", "no answer: out of memory")


class Unreadable:
    """Can be sent, and not be read."""

    def __reduce__(self) -> tuple[type[int], tuple[str]]:
        return int, ("ghost",)


def failing() -> None:
    """Fail."""
    raise KeyError("ghost")


@pytest.mark.parametrize(
    ("work", "line"),
    [
        (failing, r"KeyError: 'ghost' \(test_forks.py:\d+\)"),
        (lambda: lambda: 1, r"(PicklingError|AttributeError): .*lambda.*"),
        (Unreadable, r"ValueError at reading the answer"),
    ],
)
def test_work_that_fails_has_no_answer(work: Callable[[], object], line: str) -> None:
    """Nor has an answer that cannot be brought over; the log says what it was."""
    with capture_logs() as lines:
        assert run(work) == FAILED
    (only,) = lines
    assert only["event"] == "work apart failed"
    assert re.fullmatch(line, only["error"]), only["error"]


FILES_MAX = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 4_096)
"""More than a run of all tests has open: the pipe may be any of them."""


def half_told() -> None:
    """Tell the beginning of an answer, and end as if that were all."""
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    (writing,) = [one for one in range(3, FILES_MAX) if is_open(one)]
    os.write(writing, struct.pack("!cQ", b"A", 100) + pickle.dumps(True))
    os._exit(0)


def is_open(descriptor: int) -> bool:
    """Whether that is a file."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def cut_off() -> None:
    """Close what leads to the parent, and go on."""
    os.closerange(3, FILES_MAX)
    signal.pause()


@pytest.mark.parametrize(
    ("work", "why"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "was ended by signal 9: Killed"),
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), "was ended by signal 11: Segmentation"),
        (sys.exit, "ended without an answer, with code 1"),
        (lambda: os._exit(0), "ended without an answer, with code 0"),
        (half_told, "ended without an answer, with code 0"),
        (cut_off, "was ended by signal 9: Killed"),
    ],
)
def test_a_process_that_dies_has_said_nothing(work: Callable[[], object], why: str) -> None:
    """However it ends, and whatever it has told before: half an answer is none."""
    with nothing_left():
        found = run(work)
    assert isinstance(found, Undetermined)
    assert found.cause == "crashed"
    assert found.why.startswith(f"the process {why}")


def test_what_somebody_else_has_reaped_is_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is whole by itself; without one there is nothing more to say."""
    waitpid = os.waitpid

    def reaped(pid: int, options: int) -> NoReturn:
        waitpid(pid, options)
        raise ChildProcessError

    monkeypatch.setattr(os, "waitpid", reaped)
    assert run(lambda: 7) == 7
    nothing = Undetermined("crashed", "the process ended without an answer")
    assert run(lambda: os._exit(3)) == nothing


def test_what_a_terminal_sends_to_all_ends_nothing() -> None:
    """A service that is told to stop goes on answering for a while."""

    def work() -> str:
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)
        return "done"

    assert run(work) == "done"


@pytest.mark.parametrize("early", [True, False])
def test_a_signal_there_is_none_here(early: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither to a handler nor to what wakes the loop, which are this process's.

    Not even one that comes as soon as there is a process.
    """
    heard = list[int]()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    fork = os.fork

    def hear(number: int, _: FrameType | None) -> None:
        heard.append(number)

    def signalled() -> int:
        child = fork()
        if child == 0 and early:
            os.kill(os.getpid(), signal.SIGUSR2)
        return child

    handler, descriptor = signal.signal(signal.SIGUSR2, hear), signal.set_wakeup_fd(writing)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fork", signalled)
            found = run(lambda: os.kill(os.getpid(), signal.SIGUSR2))
    finally:
        signal.set_wakeup_fd(descriptor)
        signal.signal(signal.SIGUSR2, handler)
    woken, _, _ = select.select([reading], [], [], 0)
    os.close(reading)
    os.close(writing)
    assert isinstance(found, Undetermined)
    assert found.why.startswith(f"the process was ended by signal {signal.SIGUSR2.value}: ")
    assert (heard, woken) == ([], [])


def test_the_process_keeps_nothing_of_this_one_and_has_its_limits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No file but the standard streams and the pipe, no signal blocked, no core; little priority.

    Where the system can be told so, it is the first to be killed when memory is short.
    """
    timers = list[tuple[int, float]]()
    set_timer = signal.setitimer

    def noted(which: int, seconds: float) -> None:
        timers.append((which, seconds))
        set_timer(which, seconds)

    monkeypatch.setattr(signal, "setitimer", noted)

    def work() -> dict[str, object]:
        score = Path("/proc/self/oom_score_adj")
        return {
            "files": sum(is_open(one) for one in range(3, FILES_MAX)),
            "blocked": signal.pthread_sigmask(signal.SIG_BLOCK, ()),
            "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
            "processor": resource.getrlimit(resource.RLIMIT_CPU)[0],
            "timers": timers,
            "is timed": signal.getitimer(signal.ITIMER_REAL)[0] > 0,
            "nice": os.nice(0),
            "collector": gc.isenabled(),
            "score": score.read_text("ascii").strip() if score.exists() else "1000",
        }

    reading, writing = os.pipe()
    high = os.dup2(reading, FILES_MAX - 1)
    found = run(work, Limits(7.0, niceness=3))
    for one in (reading, writing, high):
        os.close(one)
    assert found == {
        "files": 1,
        "blocked": set(),
        "core": 0,
        "processor": 8,
        "timers": [(signal.ITIMER_REAL, 7.0 + inside.LATE_SECONDS)],
        "is timed": True,
        "nice": os.nice(0) + 3,
        "collector": False,
        "score": "1000",
    }


def test_a_limit_that_is_lower_already_stays() -> None:
    """Nobody is given more than the service has."""

    def work() -> object:
        resource.setrlimit(resource.RLIMIT_CPU, (65, 66))
        found = Forks().run(lambda: resource.getrlimit(resource.RLIMIT_CPU), Limits(1_000.0))
        return found, Forks().run(lambda: resource.getrlimit(resource.RLIMIT_CPU), Limits(60.0))

    assert run(work) == ((65, 66), (61, 66))


@pytest.mark.parametrize(
    ("name", "number", "why"),
    [("fork", errno.EAGAIN, "Resource temporarily"), ("pipe", errno.EMFILE, "Too many open")],
)
def test_without_a_process_nothing_is_begun(
    name: str, number: int, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an answer like any other, and nothing is left of the attempt."""

    def none() -> NoReturn:
        raise OSError(number, os.strerror(number))

    with nothing_left(), monkeypatch.context() as patch:
        patch.setattr(os, name, none)
        found = run(lambda: 1)
    assert isinstance(found, Undetermined)
    assert found.cause == "refused"
    assert found.why.startswith(f"no process can be started: {why}")


def test_all_can_be_ended() -> None:
    """Those under way at once, and none is begun afterwards."""
    forks = Forks()
    with nothing_left():
        with ThreadPoolExecutor(3) as threads:
            asked = [threads.submit(forks.run, held_for_ever, PATIENT) for _ in range(3)]
            threading.Timer(0.05, forks.stop).start()
            assert [one.result() for one in asked] == [STOPPED] * 3
        assert forks.run(lambda: 1, PATIENT) == STOPPED


def test_whoever_gives_up_waiting_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a terminal, where the command is interrupted."""

    def interrupted(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    with nothing_left(), monkeypatch.context() as patch:
        patch.setattr(os, "read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(lambda: 1)


@pytest.mark.parametrize("how", ["told", "slow", "deaf"])
def test_no_process_outlives_the_one_that_began_it(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which is killed: the system tells the other, or else a timer ends it.

    `deaf` is as on a system that does not tell, `slow` begins to listen when it is too late.
    """
    if how != "deaf" and not TOLD_BY_THE_SYSTEM:
        pytest.skip("the system does not tell")
    monkeypatch.setattr(inside, "LATE_SECONDS", 0.05)
    seconds, place, over = 1.0 if how == "deaf" else 60.0, tmp_path / "working", tmp_path / "over"
    listen = inside._signal_when_it_changes  # noqa: SLF001 - to be late exactly there

    def listen_late(writing: int, *, wanted: bool) -> None:
        place.write_text(str(os.getpid()))
        assert waits_for(over.exists)
        listen(writing, wanted=wanted)

    def working() -> None:
        if how == "deaf":
            signal.signal(signal.SIGIO, signal.SIG_IGN)
        place.write_text(str(os.getpid()))
        signal.pause()

    def parent() -> None:
        if how == "slow":
            monkeypatch.setattr(inside, "_signal_when_it_changes", listen_late)
        Forks().run(working, Limits(seconds, niceness=0))

    parents = Forks()
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(parents.run, parent, PATIENT)
        assert waits_for(lambda: place.exists() and place.read_text() != "")
        parents.stop()
        assert asked.result() == STOPPED
    over.touch()
    assert waits_for(lambda: not runs(int(place.read_text())))
