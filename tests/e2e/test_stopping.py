"""A service that is told to stop under load: every request that was sent is answered."""

import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from grantproof.cli.server import SHUTDOWN_SECONDS_MAX
from tests.api.service import READ_DOCS
from tests.processes import PROGRAM, bare, free_port, started

PATIENCE_SECONDS = 60
ASKING, CHANGING = 6, 2
JSON = {"Content-Type": "application/json"}


@contextmanager
def serving(folder: Path, port: int, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """The demo, ready, killed at the end if it still runs."""
    command = [str(PROGRAM), "serve", "--demo", "--port", str(port)]
    environment = {**bare(GRANTPROOF_LOG_LEVEL="warning"), **settings}
    with started(command, seconds=PATIENCE_SECONDS, env=environment, cwd=folder) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("DEMO")
        with closing(connected(port)) as connection:
            assert answered(connection, "GET", "/readyz") == (200, False)
        yield process


def connected(port: int) -> HTTPConnection:
    """A connection to the service."""
    return HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)


def answered(
    connection: HTTPConnection, method: str, path: str, body: Any = None
) -> tuple[int, bool]:
    """The status of an answer, and whether it asks to leave the connection."""
    text = None if body is None else json.dumps(body)
    connection.request(method, path, text, JSON)
    response = connection.getresponse()
    response.read()
    return response.status, response.getheader("Connection", "") == "close"


Request = Callable[[int], tuple[str, str, Any]]


def keep_asking(port: int, request: Request, *, reconnects_until: float) -> Counter[int | str]:
    """Ask over one connection until told to leave it; how the requests ended.

    Until that instant a new connection is made instead, as clients do who know only this address.
    """
    ended = Counter[int | str]()
    connection = connected(port)
    for number in range(1_000_000):
        try:
            if connection.sock is None:
                connection.connect()
        except ConnectionRefusedError:
            # Nothing was sent.
            return ended
        try:
            status, leave = answered(connection, *request(number))
        except OSError as error:
            ended[type(error).__name__] += 1
            return ended
        ended[status] += 1
        if leave:
            connection.close()
            if time.monotonic() >= reconnects_until:
                return ended
    return ended


def load(port: int, *, stop: Callable[[], None], drain: float) -> Counter[int | str]:
    """How the requests of all clients ended, with the service told to stop in their middle."""

    def decide(_: int) -> tuple[str, str, Any]:
        return "POST", "/evaluate", READ_DOCS

    def change(client: int) -> Request:
        def create(number: int) -> tuple[str, str, Any]:
            return "POST", "/v1/orgs/acme/roles", {"id": f"role-{client}-{number}"}

        return create

    until = time.monotonic() + 1 + drain
    requests: list[Request] = [decide] * ASKING + [change(client) for client in range(CHANGING)]
    with ThreadPoolExecutor(len(requests)) as pool:
        asking = [pool.submit(keep_asking, port, one, reconnects_until=until) for one in requests]
        time.sleep(1)
        stop()
        return sum((one.result(PATIENCE_SECONDS) for one in asking), Counter[int | str]())


@pytest.mark.parametrize("drain", [0, 1])
def test_no_request_is_lost(
    tmp_path: Path, drain: int, record_property: Callable[[str, object], None]
) -> None:
    """Clients that keep their connections, decisions and changes, SIGTERM in the middle."""
    port = free_port()
    with serving(tmp_path, port, GRANTPROOF_DRAIN_SECONDS=str(drain)) as service:
        ended = load(port, stop=lambda: service.send_signal(signal.SIGTERM), drain=drain / 2)
        _, err = service.communicate(timeout=PATIENCE_SECONDS)
    assert (service.returncode, err) == (0, "")
    assert set(ended) == {200, 201}, ended
    assert ended[200] > 10 < ended[201]
    told = f"stopped under load, draining {drain} s: {ended.total()} requests, none lost"
    record_property("figure", told)


def test_everybody_is_told_before_anything_ends(tmp_path: Path) -> None:
    """Not ready at once, still answering, waiting for nobody; a second signal ends it sooner."""
    port = free_port()
    with (
        serving(tmp_path, port, GRANTPROOF_DRAIN_SECONDS="3000") as service,
        closing(connected(port)) as waiting,
        closing(connected(port)) as asking,
    ):
        waiting.request("GET", "/v1/orgs/acme/events?after=1&wait=55")
        assert answered(asking, "GET", "/readyz") == (200, False)
        service.send_signal(signal.SIGTERM)
        response = waiting.getresponse()
        assert (response.status, json.load(response)["items"]) == (200, [])
        assert answered(asking, "GET", "/readyz") == (503, True)
        # New connections are answered too, and asked to leave.
        assert answered(asking, "GET", "/livez") == (200, True)
        assert answered(asking, "POST", "/evaluate", READ_DOCS) == (200, True)
        assert answered(asking, "POST", "/evaluate", {}) == (400, True)
        began = time.monotonic()
        service.send_signal(signal.SIGINT)
        assert service.wait(PATIENCE_SECONDS) == 0
        assert time.monotonic() - began < SHUTDOWN_SECONDS_MAX / 2
