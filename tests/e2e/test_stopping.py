"""A service that is told to stop under load: every request that was sent is answered."""

import json
import math
import signal
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
from tests.processes import bare, free_port
from tests.warm import Warm, started

PATIENCE_SECONDS = 60
ASKING, CHANGING = 6, 2
ANSWERED_MIN = 20
"""So many decisions and so many changes are made before the service is told to stop."""
JSON = {"Content-Type": "application/json"}


@contextmanager
def serving(folder: Path, port: int, **settings: str) -> Iterator[Warm]:
    """The demo, ready, killed at the end if it still runs."""
    command = ["serve", "--demo", "--port", str(port)]
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


def keep_asking(
    port: int,
    request: Request,
    ended: Counter[int | str],
    *,
    reconnects_until: Callable[[], float],
) -> None:
    """Ask over one connection until told to leave it, and count how the requests ended.

    Until that instant a new connection is made instead, as clients do who know only this address.
    """
    connection = connected(port)
    for number in range(1_000_000):
        try:
            if connection.sock is None:
                connection.connect()
        except ConnectionRefusedError:
            # Nothing was sent.
            return
        try:
            status, leave = answered(connection, *request(number))
        except OSError as error:
            ended[type(error).__name__] += 1
            return
        ended[status] += 1
        if leave:
            connection.close()
            if time.monotonic() >= reconnects_until():
                return


def load(port: int, *, stop: Callable[[], None], drain: float) -> Counter[int | str]:
    """How the requests of all clients ended, with the service told to stop in their middle."""

    def decide(_: int) -> tuple[str, str, Any]:
        return "POST", "/evaluate", READ_DOCS

    def change(client: int) -> Request:
        def create(number: int) -> tuple[str, str, Any]:
            return "POST", "/v1/orgs/acme/roles", {"id": f"role-{client}-{number}"}

        return create

    stopped_at = math.inf
    requests: list[Request] = [decide] * ASKING + [change(client) for client in range(CHANGING)]
    ended = [Counter[int | str]() for _ in requests]

    def enough() -> bool:
        """Whether there is something under way of every kind."""
        so_far = sum(ended, Counter[int | str]())
        return so_far[200] > ANSWERED_MIN < so_far[201]

    with ThreadPoolExecutor(len(requests)) as pool:
        asking = [
            pool.submit(keep_asking, port, *one, reconnects_until=lambda: stopped_at + drain)
            for one in zip(requests, ended, strict=True)
        ]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not enough() and time.monotonic() < deadline:
            time.sleep(0.01)
        stopped_at = time.monotonic()
        stop()
        for one in asking:
            one.result(PATIENCE_SECONDS)
    return sum(ended, Counter[int | str]())


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
    assert ended[200] > ANSWERED_MIN < ended[201]
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
