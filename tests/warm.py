"""Processes of `grantproof` with its imports behind them: those take most of what a start takes.

A process of its own imports the program, does nothing with it, and forks for whoever asks over a
socket and hands over arguments, folder, environment and open files. What comes of it is a process
like any other: it has its own pid, hears signals, can be killed, and ends as the program ends. What
a test shows of the start itself, of a terminal or of what is imported, it shows of `PROGRAM`.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Thread
from time import monotonic as stopwatch
from typing import IO, Any, Final, Self

from bench.servers import HOST, Server
from tests.processes import PROGRAM, bare, free_port, watched

ROOT: Final = Path(__file__).resolve().parents[1]
NOT_IMPORTED: Final = frozenset({"__main__", "migrations"})
"""These run when they are imported."""
ALSO_IMPORTED: Final = ("alembic.command", "uvicorn.protocols.http.httptools_impl", "uvloop")
"""What the program imports late."""

STANDARD_ERROR: Final = 2
SERVING_SECONDS_MAX: Final = 300
STOP_SECONDS_MAX: Final = 60

BEGIN: Final = "from tests.warm import begin; begin({address!r})"
CLIENT: Final = """#!{python} -IS
import json, os, socket, sys
if sys.argv[1:2] == ["serve"]:
    os.execv({real!r}, sys.argv)
with socket.socket(socket.AF_UNIX) as way:
    way.connect({address!r})
    socket.send_fds(way, [b"-"], [0, 1, 2])
    asked = dict(arguments=sys.argv[1:], folder=os.getcwd(), environment=dict(os.environ))
    way.sendall(json.dumps(asked | {more!r}).encode() + b"\\n")
    heard = way.makefile()
    told = [heard.readline(), heard.readline()]
    sys.exit(int(told[1] or 99) % 256)
"""
"""Told is first the pid, at the end the exit code."""


class Warm:
    """A process of `grantproof`, to be used as one of `subprocess.Popen` is."""

    def __init__(
        self,
        arguments: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        stdout: int | IO[Any] = subprocess.PIPE,
        stderr: int | IO[Any] = subprocess.PIPE,
        given: str = "",
        start_new_session: bool = False,
    ) -> None:
        self.args = [*map(str, arguments)]
        self.returncode: int | None = None
        self.stdout, out = _piped(stdout)
        self.stderr, err = _piped(stderr)
        asked = {
            "arguments": self.args,
            "folder": str(cwd or Path.cwd()),
            "environment": dict(env),
            "session": start_new_session,
        }
        self._way = socket.socket(socket.AF_UNIX)
        self._way.connect(door())
        with tempfile.TemporaryFile() as input_file:
            input_file.write(given.encode())
            input_file.seek(0)
            socket.send_fds(self._way, [b"-"], [input_file.fileno(), out, err])
        for file in (out, err):
            os.close(file)
        self._way.sendall(json.dumps(asked).encode() + b"\n")
        self._told = self._way.makefile("r")
        self.pid = int(self._told.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self.stdout, self.stderr):
            if stream is not None:
                stream.close()
        self.wait()

    def poll(self) -> int | None:
        """The exit code, of a process that has ended; it may have been told to end just now."""
        return self._ended(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code; raises `subprocess.TimeoutExpired`."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, if it has not ended."""
        # Until its end is heard here nobody else is given its pid.
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it prints until its end on both outputs; raises `subprocess.TimeoutExpired`."""
        until = stopwatch() + timeout if timeout is not None else None
        told = {"out": "", "err": ""}
        reading = []
        # Whoever reads one to its end may wait for a process that waits until the other is read.
        for name, stream in (("out", self.stdout), ("err", self.stderr)):
            if stream is not None and not stream.closed:
                reading.append(Thread(target=_read, args=(stream, told, name), daemon=True))
                reading[-1].start()
        for one in reading:
            one.join(None if until is None else max(0.0, until - stopwatch()))
            if one.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        self.wait(None if until is None else max(0.0, until - stopwatch()))
        return told["out"], told["err"]

    def _ended(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._way], [], [], seconds)[0]:
            self.returncode = int(self._told.readline())
            # Now that this is known nobody needs the pid any more.
            self._way.shutdown(socket.SHUT_WR)
            assert self._told.read() == ""
            self._told.close()
            self._way.close()
        return self.returncode


def _read(stream: IO[str], told: dict[str, str], name: str) -> None:
    """Take what a process prints until it is closed."""
    with stream:
        told[name] = stream.read()


def _piped(where: int | IO[Any]) -> tuple[Any, int]:
    """What a process prints, as a stream if that is asked for, and the file it prints to."""
    if where == subprocess.PIPE:
        reading, writing = os.pipe()
        return os.fdopen(reading, encoding="utf-8"), writing
    if where == subprocess.DEVNULL:
        return None, os.open(os.devnull, os.O_WRONLY)
    return None, os.dup(where if isinstance(where, int) else where.fileno())


def run(
    *arguments: str | Path,
    env: Mapping[str, str],
    cwd: Path | None = None,
    given: str = "",
    timeout: float = 60.0,
) -> subprocess.CompletedProcess[str]:
    """Run the program as a shell would, and return how it ended and what it printed."""
    with Warm(arguments, env=env, cwd=cwd, given=given) as process:
        try:
            out, err = process.communicate(timeout)
        finally:
            process.kill()
    assert process.returncode is not None
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@contextmanager
def started(
    arguments: Sequence[str], *, seconds: float, env: Mapping[str, str], cwd: Path | None = None
) -> Iterator[Warm]:
    """A process of which what it prints can be read, killed at the end or after so long."""
    process = Warm(arguments, env=env, cwd=cwd)
    with watched(process, seconds=seconds):
        yield process


@contextmanager
def serving(environment: Mapping[str, str]) -> Iterator[Server]:
    """A service that listens, told to end at the end."""
    port, settings = free_port(), {**os.environ, **environment}
    words = ("serve", "--host", HOST, "--port", str(port))
    process = Warm(words, env=settings, stderr=STANDARD_ERROR)
    with watched(process, seconds=SERVING_SECONDS_MAX):
        assert process.stdout is not None
        assert process.stdout.readline() != "", "the service ended"
        yield Server(port, process.pid)
        process.terminate()
        process.wait(STOP_SECONDS_MAX)


@cache
def programs(instant: int | None = None) -> Path:
    """A folder with a program `grantproof` for shells; its clock stands still at an instant.

    A service is `PROGRAM` itself: a shell that kills it is to meet it.
    """
    folder = Path(door()).with_name(f"programs-{instant}")
    folder.mkdir()
    file = folder / "grantproof"
    more = {} if instant is None else {"instant": instant}
    text = CLIENT.format(python=sys.executable, address=door(), real=str(PROGRAM), more=more)
    file.write_text(text)
    file.chmod(0o755)
    return folder


@cache
def door() -> str:
    """Where processes are asked for: begun when first needed, gone with this process."""
    # The path of a socket must not be long.
    folder = tempfile.TemporaryDirectory(prefix="gp-")
    address = str(Path(folder.name) / "door")
    paths = {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", BEGIN.format(address=address)],
        env=bare(**paths),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"

    def end() -> None:
        process.kill()
        process.communicate()
        folder.cleanup()

    atexit.register(end)
    return address


def begin(address: str) -> None:
    """Import the program, and become it whenever it is asked for, until standard input ends."""
    for module in pkgutil.walk_packages(
        importlib.import_module("grantproof").__path__, "grantproof."
    ):
        if not NOT_IMPORTED & {*module.name.split(".")}:
            importlib.import_module(module.name)
    for name in ALSO_IMPORTED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    if _asked(address):
        importlib.import_module("grantproof.cli.main").main()


def _asked(address: str) -> bool:
    """Whether this is the process that somebody asked for, and not the one who is asked."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        os.write(1, b"ready\n")
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return False
            way, _ = listener.accept()
            with way:
                if os.fork() > 0:
                    continue
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listener.close()
                return _kept(way)


def _kept(way: socket.socket) -> bool:
    """Fork what is asked for, and stay to tell how it ended."""
    _, files, _, _ = socket.recv_fds(way, 1, 3)
    asked = json.loads(way.makefile().readline())
    pid = os.fork()
    if pid == 0:
        _become(asked, files)
        way.sendall(b"%d\n" % os.getpid())
        way.close()
        return True
    with suppress(OSError):
        # Who asked may be gone: then nobody is told.
        for file in (0, 1, 2, *files):
            os.close(file)
        # It is still there, as one that has ended, until that was told.
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        exited = ended.si_code == os.CLD_EXITED
        way.sendall(b"%d\n" % (ended.si_status if exited else -ended.si_status))
        way.recv(1)
    os.waitpid(pid, 0)
    os._exit(0)


def _become(asked: dict[str, Any], files: list[int]) -> None:
    """Let this process be as if it had just been started so."""
    if asked.get("session"):
        os.setsid()
    for standard, file in enumerate(files):
        os.dup2(file, standard)
        os.close(file)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = [str(PROGRAM), *asked["arguments"]]
    if (instant := asked.get("instant")) is not None:
        clock = importlib.import_module("grantproof.adapters.clock").SystemClock
        clock.now = lambda _clock: instant
