"""Runs stages, each in a process of its own, at most two at a time, under a time limit."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

from specs.gate.report import Message, Row, Stage, concluded, read

ROOT: Final = Path(__file__).resolve().parents[2]
AT_ONCE: Final = 2
TIME_LIMIT_SECONDS: Final = 600
ERRORS_SHOWN_MAX: Final = 3
OnRow = Callable[[str, Row], None]
OnStage = Callable[[Stage], None]


def run_stages(
    names: Sequence[str],
    logs: Path,
    *,
    held: Callable[[Stage], Stage],
    on_row: OnRow,
    on_stage: OnStage,
) -> list[Stage]:
    """Return what became of each stage, in order.

    Of many, the first have a processor each: they take longest, and one of them is a single process
    that would get less beside two. Each of the others may use all: so none is idle while a stage
    waits, nor while the last is alone. `held` holds a stage that has ended to what is pinned,
    before anybody is told of it.
    """
    first = names[:AT_ONCE] if len(names) > AT_ONCE else ()

    def one(name: str) -> Stage:
        log = logs / f"{name}.log"
        jobs = 1 if name in first else AT_ONCE
        stage = held(run_stage(name, worker(name, jobs), log=log, on_row=on_row))
        on_stage(stage)
        return stage

    with ThreadPoolExecutor(AT_ONCE) as lanes:
        return list(lanes.map(one, names))


def worker(name: str, jobs: int) -> tuple[str, ...]:
    """Return the command that runs a stage."""
    return (sys.executable, "-m", "specs.gate.worker", name, "--jobs", str(jobs))


def run_stage(
    name: str,
    command: Sequence[str],
    *,
    log: Path,
    on_row: OnRow = lambda _name, _row: None,
    limit: float = TIME_LIMIT_SECONDS,
) -> Stage:
    """Return what became of the stage that the command runs."""
    started = time.perf_counter()
    messages: list[Message] = []
    unread = 0
    timed_out = threading.Event()
    with (
        log.open("wb") as errors,
        subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        ) as process,
    ):
        guard = threading.Timer(limit, _stop, (process, timed_out))
        guard.start()
        for line in process.stdout or ():
            message = read(line)
            if message is None:
                unread += 1
            else:
                messages.append(message)
            if isinstance(message, Row):
                on_row(name, message)
        _, ended, used = os.wait4(process.pid, 0)
        guard.cancel()
        process.returncode = status = os.waitstatus_to_exitcode(ended)
    problem = _problem(status, log, timed_out=timed_out.is_set(), limit=limit)
    if problem == "" and unread > 0:
        # Any of them may have been a row that is no pass.
        problem = f"{unread} lines of its report cannot be read"
    seconds = time.perf_counter() - started
    stage = concluded(name, messages, seconds=seconds, problem=problem)
    return msgspec.structs.replace(stage, processor_seconds=used.ru_utime + used.ru_stime)


def _stop(process: subprocess.Popen[bytes], timed_out: threading.Event) -> None:
    timed_out.set()
    os.killpg(process.pid, signal.SIGKILL)


def _problem(status: int, log: Path, *, timed_out: bool, limit: float) -> str:
    if timed_out:
        return f"time-out: no end within {limit:.0f} s"
    if status == 0:
        return ""
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    last = "; ".join(said[-ERRORS_SHOWN_MAX:]) or "it said nothing"
    return f"its process ended with status {status}: {last}"
