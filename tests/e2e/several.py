"""A service of several workers as tests need it: started, asked, told to stop."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from grantproof.bootstrap import compose
from grantproof.service.authors import Author
from grantproof.service.callers import EVERY_SCOPE
from grantproof.service.keyring import KeyRequest, NewKey
from grantproof.settings import Settings
from tests.databases import key_file, place
from tests.e2e.test_stopping import answered, connected
from tests.processes import bare, free_port
from tests.unit.adapters.test_telemetry import samples
from tests.warm import Warm

PATIENCE_SECONDS = 60
RUN_SECONDS_MAX = 300
"""How long a service runs at most, whatever a test does with it."""
MAX_STALENESS = 3.0
CRLF = b"\r\n"
HEADS = "# TYPE "
REQUESTS = "grantproof_requests_total"
DECISIONS = "grantproof_decisions_total"

Told = dict[str, Any]


@dataclass
class Service:
    """A service of several workers, ready; what it has logged, and the pids of the workers."""

    process: Warm
    port: int
    key: str
    temporary: Path
    lines: list[Told] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def read(self) -> None:
        """Take every line of the log as it comes; what is no JSON is kept apart."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.others.append(line)

    def events(self, event: str) -> list[Told]:
        """The lines of that kind until now."""
        return [line for line in self.lines if line["event"] == event]

    def pids(self) -> dict[int, int]:
        """The process of each worker, as of its last start."""
        return {line["worker"]: line["pid"] for line in self.events("worker started")}

    def connection(self, worker: int) -> HTTPConnection:
        """A connection to that worker: the others are halted until it has answered."""
        others = [pid for number, pid in self.pids().items() if number != worker]
        for pid in others:
            os.kill(pid, signal.SIGSTOP)
        try:
            # A signal takes a moment to arrive.
            time.sleep(0.05)
            made = connected(self.port)
            assert answered(made, "GET", "/livez") == (200, False)
        finally:
            for pid in others:
                os.kill(pid, signal.SIGCONT)
        return made

    def ask(
        self, connection: HTTPConnection, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        """The status and the document of an answer, with the key of an operator."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **more}
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        response = connection.getresponse()
        text = response.read().decode()
        return response.status, text if path == "/metrics" else json.loads(text or "null")

    def counted(self, connection: HTTPConnection, name: str, **labels: str) -> dict[str, float]:
        """What each worker has counted, as whoever answers on the connection tells it."""
        status, text = self.ask(connection, "GET", "/metrics")
        assert status == 200
        found = Counter[str]()
        for (one, told), value in samples(text).items():
            if one == name and labels.items() <= dict(told).items():
                found[dict(told)["worker"]] += value  # type: ignore[assignment]  # whole numbers
        return dict(found)


def becomes(holds: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> bool:
    """Whether a condition comes to hold in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def is_alive(pid: int) -> bool:
    """Whether there is such a process, not counting one that has ended and was not waited for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with suppress(OSError):
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    return True


def operator_key(address: str, *, demo: bool = True) -> str:
    """A key of an operator, with the demo installed beside it."""
    settings = Settings(database_url=address, audit_key_file=key_file(address), demo=demo)
    with closing(compose(settings)) as services:
        made = services.keyring.create(KeyRequest(None, None, EVERY_SCOPE), by=Author("test"))
    assert isinstance(made, NewKey)
    return made.text


@contextmanager
def serving(
    folder: Path, address: str | None = None, *, workers: int = 2, **settings: str
) -> Iterator[Service]:
    """The demo with so many workers, all ready; killed at the end if it still runs."""
    at = str(folder / "grantproof.db") if address is None else address
    # The path of a socket must not be long.
    temporary = Path(tempfile.mkdtemp(prefix="gp-"))
    key, port = operator_key(at), free_port()
    given = {"GRANTPROOF_MAX_STALENESS": str(MAX_STALENESS), "TMPDIR": str(temporary)}
    process = Warm(
        ["serve", "--demo", "--port", str(port), "--workers", str(workers)],
        env=bare(**place(at), **given, **settings),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    service = Service(process, port, key, temporary)
    reading = threading.Thread(target=service.read)
    reading.start()
    watchdog = threading.Timer(RUN_SECONDS_MAX, process.kill)
    watchdog.start()
    try:
        assert becomes(lambda: len(service.pids()) == workers or process.poll() is not None)
        assert len(service.pids()) == workers, (service.lines, service.others)
        yield service
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        # No worker has the stream any more: they notice that their parent is gone.
        reading.join(PATIENCE_SECONDS)
        assert not reading.is_alive()
        assert process.stderr is not None
        process.stderr.close()
        shutil.rmtree(temporary)


def stopped(service: Service) -> int:
    """The exit code of a service that was told to stop."""
    service.process.send_signal(signal.SIGTERM)
    return service.process.wait(PATIENCE_SECONDS)
