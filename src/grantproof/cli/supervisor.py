"""The parent of several workers: it starts them, starts them again, and lets them end together.

It answers nothing itself. It is ours, and not the one of the server's library, which runs its own
kind of server, waits for its workers without hearing a second signal, and starts again for ever.
"""

import multiprocessing
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

import structlog

from grantproof.adapters import logs
from grantproof.adapters.clock import pause_seconds, stopwatch
from grantproof.adapters.workers import Worker, clear
from grantproof.cli.exits import ExitCode, Stop
from grantproof.cli.server import SHUTDOWN_SECONDS_MAX
from grantproof.cli.worker import HURRY, READY, STOP, work
from grantproof.settings import Settings

TRIES_MAX: Final = 5
"""So often in a row a worker may end before it can answer; then the service does."""
RECENT_SECONDS: Final = 60.0
FIRST_PAUSE_SECONDS: Final = 0.25
PAUSE_SECONDS_MAX: Final = 5.0
STOP_SECONDS_MAX: Final = 4.0 * SHUTDOWN_SECONDS_MAX
"""How long the workers may take to end after draining; those that take longer are killed."""
STOPPING: Final = frozenset({signal.SIGTERM, signal.SIGINT})
HEARD: Final = STOPPING | {signal.SIGHUP}
SIGNALS_MAX: Final = 64

PRELOADED: Final = (
    "grantproof.cli.main",
    "grantproof.cli.worker",
    "grantproof.api.app",
    "grantproof.api.connections",
    "grantproof.adapters.telemetry",
    "uvloop",
)
"""What takes a worker long to load."""

log = structlog.get_logger(__name__)


@cache
def processes() -> ForkServerContext | SpawnContext:
    """Return how workers are made: never as forks of this process, which has opened a database.

    On Linux they are forks of one that has loaded the program and done nothing: another is there
    in a fraction of a second, on a busy machine too, and they share the memory of what is loaded.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    return context


class Place:
    """One of the workers: the process that it is now, and how those before it ended."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.process: BaseProcess | None = None
        self.due = 0.0
        self.reason: str | None = None
        """Why it cannot answer, if it has told."""
        self.has_served = False
        self.tries = 0
        """How many have ended since one could answer."""
        self._talk: Connection[Any, Any] | None = None
        self._deaths: deque[float] = deque(maxlen=TRIES_MAX + 1)

    @property
    def waited(self) -> "Iterator[Connection[Any, Any] | int]":
        """What tells that there is something to look at."""
        if self.process is not None:
            yield self.process.sentinel
        if self._talk is not None:
            yield self._talk

    def begin(self, listener: socket.socket) -> None:
        """Start a process; raises `OSError` or `EOFError` when the system makes none."""
        clear(self.worker.folder, self.worker.number)
        ours, theirs = processes().Pipe()
        process = processes().Process(
            target=work,
            args=(listener, theirs, self.worker),
            name=f"grantproof-worker-{self.worker.number}",
        )
        # What is blocked here while it begins stays blocked there: a terminal and an init system
        # signal every process, also the one that makes workers, and only this one is to hear it.
        signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
        try:
            # What tracks the resources of processes, once begun, lets signals through again.
            resource_tracker.ensure_running()
            signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
            with closing(theirs):
                process.start()
        except (OSError, EOFError):
            ours.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
        self.process, self._talk, self.reason = process, ours, None

    def tell(self, word: str) -> None:
        """Tell the process, if there is one."""
        if self._talk is not None:
            with suppress(OSError):
                self._talk.send(word)

    def hear(self) -> None:
        """Hear what the process has told."""
        while self._talk is not None and self._talk.poll():
            try:
                word = self._talk.recv()
            except (EOFError, OSError):
                self.abandon()
                return
            if word == READY:
                self.tries, self.has_served = 0, True
                pid = None if self.process is None else self.process.pid
                log.info("worker started", worker=self.worker.number, pid=pid)
            else:
                self.reason = str(word)

    def ended(self, now: float) -> float:
        """Take note of an end; return how many seconds to wait before another is started."""
        self.abandon()
        self.process = None
        self.tries += 1
        self._deaths.append(now)
        recent = sum(now - died < RECENT_SECONDS for died in self._deaths)
        pause = 0.0
        if recent > 1:
            pause = pause_seconds(recent - 2, first=FIRST_PAUSE_SECONDS, most=PAUSE_SECONDS_MAX)
        self.due = now + pause
        return pause

    def abandon(self) -> None:
        """Leave the process, if there is one, to itself: without a parent it ends."""
        if self._talk is not None:
            self._talk.close()
            self._talk = None


class Supervisor:
    """Keeps as many workers as the settings want behind a socket that listens, until told to stop.

    `folder` is for what they leave for each other.
    """

    def __init__(
        self, listener: socket.socket, settings: Settings, workers: Sequence[Worker]
    ) -> None:
        self._listener = listener
        self._drain_seconds = settings.drain_seconds
        self._places = [Place(worker) for worker in workers]
        self._until: float | None = None
        """Until when they may end, once they were told to."""
        self._failure: str | None = None

    def run(self) -> None:
        """Return when all have ended, as they were told to; raises `Stop` when it is no use."""
        with hearing() as heard:
            try:
                self._begin()
                while self._until is None or any(place.process for place in self._places):
                    waited = [one for place in self._places for one in place.waited]
                    ready = wait([heard, *waited], self._pause())
                    if heard in ready:
                        self._obey(heard.recv(SIGNALS_MAX))
                    self._look()
                    self._begin()
            finally:
                for place in self._places:
                    place.abandon()
        if self._failure is not None:
            raise Stop(ExitCode.UNDETERMINED, self._failure)

    def _begin(self) -> None:
        now = stopwatch()
        for place in self._places:
            if self._until is None and place.process is None and place.due <= now:
                try:
                    place.begin(self._listener)
                except (OSError, EOFError) as error:
                    place.reason = str(error)
                    self._mourn(place, pid=None, code=None)

    def _pause(self) -> float | None:
        """Return how long nothing is to be done unless something happens."""
        moments = [place.due for place in self._places if place.process is None]
        if self._until is not None:
            moments = [self._until]
        return max(0.0, min(moments) - stopwatch()) if moments else None

    def _obey(self, signals: bytes) -> None:
        for number in signals:
            if number in STOPPING:
                self._stop(HURRY if self._until is not None else STOP)

    def _stop(self, word: str) -> None:
        seconds = STOP_SECONDS_MAX + (0 if word == HURRY else self._drain_seconds)
        self._until = stopwatch() + seconds
        # They have it too: whoever is last to close it refuses those who come then.
        self._listener.close()
        for place in self._places:
            place.tell(word)

    def _look(self) -> None:
        for place in self._places:
            place.hear()
            process = place.process
            if process is not None and process.exitcode is not None:
                place.hear()
                self._mourn(place, pid=process.pid, code=process.exitcode)
                process.close()
        if self._until is not None and stopwatch() >= self._until:
            self._kill()

    def _mourn(self, place: Place, *, pid: int | None, code: int | None) -> None:
        number = place.worker.number
        clear(place.worker.folder, number)
        pause = place.ended(stopwatch())
        told = {"worker": number, "pid": pid, "exit": code, "reason": place.reason}
        if self._until is not None:
            if code != 0 and self._failure is None:
                log.error("worker did not end well", **told)
            return
        self._failure = self._hopeless(place, code)
        if self._failure is None:
            log.error("worker ended, another is started", **told, pause=round(pause, 2))
        else:
            self._stop(STOP)

    def _hopeless(self, place: Place, code: int | None) -> str | None:
        """Return why another is not worth starting, if it is not."""
        told = code == ExitCode.UNDETERMINED and place.reason is not None
        if told and not any(one.has_served for one in self._places):
            # As with one process: what ends the first start is told, and is for people to mend.
            return place.reason
        if place.tries < TRIES_MAX:
            return None
        why = place.reason or f"its exit code was {code}, see above"
        return f"worker {place.worker.number} could not start, {TRIES_MAX} times in a row: {why}"

    def _kill(self) -> None:
        self._failure = "workers did not end in time, and were killed"
        for place in self._places:
            if place.process is not None:
                place.process.kill()
        self._until = stopwatch() + STOP_SECONDS_MAX


@contextmanager
def hearing() -> Iterator[socket.socket]:
    """Yield where the numbers of signals arrive, each a byte; nothing else comes of them."""
    hears, tells = socket.socketpair()
    with hears, tells:
        tells.setblocking(False)
        before = {number: signal.signal(number, _nothing) for number in HEARD}
        woken = signal.set_wakeup_fd(tells.fileno(), warn_on_full_buffer=False)
        try:
            yield hears
        finally:
            signal.set_wakeup_fd(woken)
            for number, handler in before.items():
                signal.signal(number, handler)


def _nothing(*_: object) -> None:
    """The signal is read where it arrives."""


def supervise(listener: socket.socket, settings: Settings, *, prepared: bool) -> None:
    """Serve with several workers until told to stop; raises `Stop`.

    `prepared` says whether the database has been opened, and so brought up to date.
    """
    logs.configure(settings.log_level, settings.log_format)
    # Of mode 0700: what is in it is for whoever may ask for metrics.
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"grantproof-{os.getpid()}-"))
    except OSError as error:
        line = f"no temporary folder can be made, TMPDIR names another: {error.strerror}"
        raise Stop(ExitCode.UNDETERMINED, line) from error
    workers = [Worker(number, folder, prepared) for number in range(settings.workers)]
    try:
        Supervisor(listener, settings, workers).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
