"""A server process on this machine: started, waited for, stopped."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
START_SECONDS_MAX: Final = 120
STOP_SECONDS_MAX: Final = 15
POLL_SECONDS: Final = 0.05
BYTES_PER_KIB: Final = 1_024
ROOT: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server listens, its process, and the credential that it takes, if any."""

    port: int
    process_id: int
    credential: str = ""

    def cpu_seconds(self) -> float | None:
        """Return what the process has used of the processor, or nothing where that is not told."""
        try:
            stat = Path(f"/proc/{self.process_id}/stat").read_text(encoding="ascii")
        except OSError:
            return None
        # Fields 14 and 15, counted after the name in parentheses, which may hold spaces.
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def memory_bytes(self, field: str = "VmRSS") -> int:
        """Return how much memory the process has."""
        return memory_bytes(self.process_id, field)


def memory_bytes(process_id: int, field: str = "VmRSS") -> int:
    """Return how much memory a process has, by a field of /proc/PID/status; Linux only."""
    return memory_in(Path(f"/proc/{process_id}/status").read_text(encoding="ascii"), field)


def memory_in(status: str, field: str) -> int:
    """Return how much memory a process had that has told what stood in /proc/self/status."""
    line = next(line for line in status.splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * BYTES_PER_KIB


class NotServing(Exception):
    """The server ended, or did not answer in time."""


@contextmanager
def serving(
    application: str, environment: Mapping[str, str], *, credential: str = ""
) -> Iterator[Server]:
    """Run one worker of an application factory on a free port of the loopback interface."""
    port = free_port()
    command = (
        *(sys.executable, "-m", "uvicorn", "--factory", application),
        *("--host", HOST, "--port", str(port)),
        *("--http", "httptools", "--loop", "uvloop", "--no-access-log", "--log-level", "warning"),
        "--no-server-header",
    )
    with running(command, environment, port=port) as process:
        yield Server(port, process.pid, credential)


@contextmanager
def serving_ours(settings: Mapping[str, str], *, credential: str = "") -> Iterator[Server]:
    """Run our service as whoever installs it does, with one worker, on a free port of loopback.

    It is ready, which is later than that it listens.
    """
    port = free_port()
    command = (sys.executable, "-m", "grantproof", "serve", "--host", HOST, "--port", str(port))
    with running(command, settings, port=port) as process:
        _wait_until_ready(port)
        yield Server(port, process.pid, credential)


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], *, port: int, log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until it is no longer needed; what it says goes to a log, if one is named.

    Raises `NotServing` if it does not listen on the port in time.
    """
    with ExitStack() as opened:
        said = None if log is None else opened.enter_context(log.open("wb"))
        process = subprocess.Popen(  # noqa: S603 - our own server, or a peer that we installed
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=said, stderr=said
        )
        try:
            _wait_for(process, port)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if process.poll() is not None:
            message = f"the server ended with status {process.returncode} before it answered"
            raise NotServing(message)
        try:
            socket.create_connection((HOST, port), timeout=POLL_SECONDS).close()
        except OSError:
            time.sleep(POLL_SECONDS)
        else:
            return
    message = f"the server did not listen within {START_SECONDS_MAX} seconds"
    raise NotServing(message)


def _wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        with closing(HTTPConnection(HOST, port, timeout=START_SECONDS_MAX)) as connection:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == HTTPStatus.OK:
                return
        time.sleep(POLL_SECONDS)
    message = f"the server was not ready within {START_SECONDS_MAX} seconds"
    raise NotServing(message)
