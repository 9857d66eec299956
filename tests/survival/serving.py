"""Real serving processes on loopback ports: asked over HTTP, watched and killed from outside."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final

from grantproof.adapters.chance import SystemChance
from grantproof.adapters.clock import SystemClock
from grantproof.service.authors import Author
from grantproof.service.callers import EVERY_SCOPE
from grantproof.service.keyring import KeyRequest, Keyring, NewKey
from grantproof.service.snapshots import Snapshots
from tests.databases import Database, opened, place
from tests.processes import bare, free_port
from tests.warm import Warm, run

CHECKOUT: Final = Path(__file__).resolve().parents[2]
LOOPBACK: Final = "127.0.0.1"
PROGRAM: Final = (sys.executable, "-c", "from grantproof.cli.main import main; main()")
START_SECONDS_MAX: Final = 60
ANSWER_SECONDS_MAX: Final = 30
STOP_SECONDS_MAX: Final = 20
IDLE_SECONDS_MAX: Final = 2
POLL_SECONDS: Final = 0.02
LOG_SHOWN_BYTES: Final = 4_000

LOST: Final = (OSError, HTTPException)
"""What a client meets whose server is killed: it does not know what became of its request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    told: Any

    @property
    def code(self) -> str:
        """The code of a problem; nothing for any other answer."""
        found = self.told.get("code", "") if isinstance(self.told, dict) else ""
        return str(found)


class Caller:
    """A client of one server with a key, on one connection that is opened again when it broke."""

    def __init__(
        self, port: int, key: str, *, host: str = LOOPBACK, seconds: float = ANSWER_SECONDS_MAX
    ) -> None:
        self._connection = HTTPConnection(host, port, timeout=seconds)
        self._key = key
        self._used = time.monotonic()

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer; raises one of `LOST` when there is none, and then nothing is known."""
        sent = None if body is None else json.dumps(body).encode()
        return self.send(method, path, sent, headers=headers)

    def send(
        self,
        method: str,
        path: str,
        sent: bytes | None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer to these very bytes; raises as `ask` does."""
        told = {
            "Authorization": f"Bearer {self._key}",
            "Content-Type": "application/json",
            **(headers or {}),
        }
        # A server may close what is not used, just when a request is sent.
        if time.monotonic() - self._used > IDLE_SECONDS_MAX:
            self._connection.close()
        try:
            self._connection.request(method, path, sent, told)
            response = self._connection.getresponse()
            text = response.read()
        except LOST:
            self._connection.close()
            raise
        self._used = time.monotonic()
        is_json = "json" in response.headers.get("content-type", "")
        return Answer(response.status, json.loads(text) if is_json and text else text.decode())

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()


@dataclass(slots=True)
class Process:
    """A serving process that can be killed and started again on the same port."""

    port: int
    key: str
    folder: Path
    environment: Mapping[str, str]
    program: Sequence[str] = PROGRAM
    """A fork of what has imported it, unless something else is named."""
    host: str = LOOPBACK
    _running: "subprocess.Popen[bytes] | Warm | None" = None
    starts: int = field(default=0)

    @property
    def pid(self) -> int:
        """The id of the process that runs now."""
        assert self._running is not None
        return self._running.pid

    @property
    def log(self) -> str:
        """What all starts have logged."""
        path = self.folder / "log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def launch(self, **more: str) -> None:
        """Start it without waiting; `more` are settings of this start alone."""
        with (self.folder / "log").open("ab") as log:
            words = ("serve", "--port", str(self.port))
            environment = {**bare(**self.environment), **more}
            quiet = subprocess.DEVNULL
            self._running = (
                Warm(words, cwd=self.folder, env=environment, stdout=quiet, stderr=log)
                if self.program is PROGRAM
                else subprocess.Popen(
                    [*self.program, *words],
                    cwd=self.folder,
                    env=environment,
                    stdin=quiet,
                    stdout=quiet,
                    stderr=log,
                )
            )
        self.starts += 1

    def wait(self) -> None:
        """Return when it is ready; fails with its log when it ends or takes too long."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline and self.runs:
            with closing(self.caller()) as caller:
                try:
                    if caller.ask("GET", "/readyz").status == 200:
                        return
                except LOST:
                    pass
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"the service did not get ready: {self.log[-LOG_SHOWN_BYTES:]}")

    @property
    def runs(self) -> bool:
        """Whether the process is still there."""
        return self._running is not None and self._running.poll() is None

    def kill(self) -> None:
        """End it as `kill -9` does."""
        assert self._running is not None
        self._running.kill()
        self._running.wait(STOP_SECONDS_MAX)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._running is not None
        self._running.send_signal(number)

    def stop(self) -> None:
        """Ask it to end, which it must do in time and well."""
        assert self._running is not None
        self._running.terminate()
        assert self._running.wait(STOP_SECONDS_MAX) == 0, self.log[-LOG_SHOWN_BYTES:]

    def abandon(self) -> None:
        """End it, whatever it does."""
        if self.runs:
            self.kill()

    def caller(self, *, seconds: float = ANSWER_SECONDS_MAX) -> Caller:
        """A client of it."""
        return Caller(self.port, self.key, host=self.host, seconds=seconds)


def operator_key(database: Database) -> str:
    """A new key of an operator who may do everything, made past the service."""
    store = opened(database.address)
    keyring = Keyring(store.keys, Snapshots(store), clock=SystemClock(), chance=SystemChance())
    made = keyring.create(KeyRequest(None, None, EVERY_SCOPE), by=Author("survival"))
    store.close()
    assert isinstance(made, NewKey)
    return made.text


def process_on(database: Database, folder: Path, **settings: str) -> Process:
    """A serving process on the database, not started yet; settings by their environment names."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = {"HOME": str(folder), "PYTHONPATH": _path(), **place(database.address), **settings}
    return Process(free_port(), operator_key(database), folder, chosen)


def _path() -> str:
    """Where programs find the sources that are tested, whatever is installed."""
    return os.pathsep.join([str(CHECKOUT / "src"), str(CHECKOUT)])


@contextmanager
def serving(*processes: Process) -> Iterator[None]:
    """Meanwhile the processes serve; started together, and gone afterwards."""
    try:
        for process in processes:
            process.launch()
        for process in processes:
            process.wait()
        yield
    finally:
        for process in processes:
            process.abandon()


def command(process: Process, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """What a command of the program says, run where the service has its settings."""
    return run(*arguments, cwd=process.folder, env=bare(**process.environment))


def resident_bytes(pid: int) -> int:
    """How much memory of a process is resident."""
    return _status(pid, "VmRSS") * 1_024


def threads_of(pid: int) -> int:
    """How many threads a process has."""
    return _status(pid, "Threads")


def files_of(pid: int) -> int:
    """How many files and sockets a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def _status(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise AssertionError(f"the system does not tell {name}")
