"""`grantproof serve --workers`: several processes are one service, whichever of them answers."""

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from tests.api.service import READ_DOCS
from tests.databases import Database
from tests.e2e.several import (
    CRLF,
    DECISIONS,
    HEADS,
    MAX_STALENESS,
    PATIENCE_SECONDS,
    REQUESTS,
    Service,
    becomes,
    serving,
    stopped,
)
from tests.e2e.test_stopping import answered, connected

ANSWERS_MIN = 11
"""So many have come over each connection before a worker is killed."""


def test_workers_are_one_service(database: Database, tmp_path: Path) -> None:
    """What one has done is seen by the next: at once where it is asked for, soon anyway."""
    with serving(tmp_path, database.address) as service, ExitStack() as open_now:
        first, second = (
            open_now.enter_context(closing(service.connection(worker))) for worker in (0, 1)
        )
        check_changes_are_seen(service, first, second)
        check_receipts_are_shared(service, first, second)
        check_counts_add_up(service, first, second)
        check_requests_are_told_apart(service, first, second)
        # Restarted workers do not install the demo again.
        assert service.ask(first, "DELETE", "/v1/orgs/acme")[0] == 204
        pids = service.pids()
        os.kill(pids[1], signal.SIGKILL)
        assert becomes(lambda: service.pids()[1] != pids[1])
        with closing(service.connection(1)) as anew:
            status, told = service.ask(anew, "GET", "/v1/orgs")
            assert (status, told["items"]) == (200, [])
            check_a_restart_begins_at_nothing(service, anew)
        assert stopped(service) == 0
        assert list(service.temporary.iterdir()) == []


def check_changes_are_seen(service: Service, first: HTTPConnection, second: HTTPConnection) -> None:
    """Both ways, many times: at once with the revision, in time without."""
    for turn in range(12):
        here, there = (first, second) if turn % 4 < 2 else (second, first)
        allowed = turn % 2 == 1
        revision = assigned(service, here, viewer=allowed)
        changed_at = time.monotonic()
        least = revision if turn < 8 else 0
        expected = (200, "Allow" if allowed else "Deny", revision)
        assert decided(service, here, least) == expected
        if least > 0:
            assert decided(service, there, least) == expected
        else:
            while (asked_at := time.monotonic()) and decided(service, there, 0) != expected:
                assert asked_at - changed_at < MAX_STALENESS


def assigned(service: Service, connection: HTTPConnection, *, viewer: bool) -> int:
    """The revision after a change of whether alice is a viewer."""
    one = {"principal": "alice", "role": "viewer"}
    path = "/v1/orgs/acme/assignments"
    if viewer:
        assert service.ask(connection, "POST", path, one)[0] == 201
    else:
        path = f"{path}?principal=alice&role=viewer"
        assert service.ask(connection, "DELETE", path)[0] == 204
    return revision_of(service, connection)


def decided(service: Service, connection: HTTPConnection, least: int) -> tuple[int, str, int]:
    """What is decided on a state of at least that revision."""
    question = {**READ_DOCS, "at_least_revision": least}
    status, answer = service.ask(connection, "POST", "/evaluate", question)
    return status, answer["decision"], answer["revision"]


def revision_of(service: Service, connection: HTTPConnection) -> int:
    """The revision of `acme`, as the worker of the connection knows it."""
    status, told = service.ask(connection, "GET", "/v1/orgs/acme")
    assert status == 200
    return int(told["revision"])


def check_receipts_are_shared(
    service: Service, first: HTTPConnection, second: HTTPConnection
) -> None:
    """The same request under one key is made once, whichever worker takes it."""
    revision = revision_of(service, first)
    path, body = "/v1/orgs/acme/roles", {"id": "once"}
    answers = [
        service.ask(one, "POST", path, body, Idempotency_Key="k") for one in (first, second, first)
    ]
    assert answers == [answers[0]] * 3
    assert answers[0][0] == 201
    other = service.ask(second, "POST", path, {"id": "other"}, Idempotency_Key="k")
    assert (other[0], other[1]["code"]) == (422, "idempotency_key_reused")
    assert revision_of(service, first) == revision + 1


def check_counts_add_up(service: Service, first: HTTPConnection, second: HTTPConnection) -> None:
    """All that both have answered, told by either; the one that is asked as of now."""
    before = {
        worker: service.counted(connection, DECISIONS)[worker]
        for worker, connection in (("0", first), ("1", second))
    }
    for number in range(100):
        connection = first if number < 30 else second
        assert service.ask(connection, "POST", "/evaluate", READ_DOCS)[0] == 200
    assert service.counted(first, DECISIONS)["0"] == before["0"] + 30
    assert service.counted(second, DECISIONS)["1"] == before["1"] + 70
    for connection in (first, second):
        # What was told once is known everywhere: each leaves what it tells.
        now = service.counted(connection, DECISIONS)
        assert now == {"0": before["0"] + 30, "1": before["1"] + 70}
    _, text = service.ask(first, "GET", "/metrics")
    heads = [line for line in text.splitlines() if line.startswith(HEADS)]
    assert len(heads) == len(set(heads)) > 20
    values = [line for line in text.splitlines() if line[0] != "#"]
    assert all('worker="0"' in line or 'worker="1"' in line for line in values)


def check_requests_are_told_apart(
    service: Service, first: HTTPConnection, second: HTTPConnection
) -> None:
    """No worker gives an id that another gives, not even for what is no request."""
    prefixes = set()
    for connection in (first, second):
        connection.request("GET", "/livez")
        response = connection.getresponse()
        response.read()
        prefixes.add(response.headers["X-Request-ID"].partition("-")[0])
        with closing(service.connection(0 if connection is first else 1)) as broken:
            broken.sock.sendall(b"no request" + CRLF + CRLF)
            answer = broken.sock.recv(65_536).decode().lower()
            prefixes.add(answer.partition("x-request-id: ")[2].partition("-")[0])
    assert len(prefixes) == 4


def check_a_restart_begins_at_nothing(service: Service, connection: HTTPConnection) -> None:
    """What the dead one had counted is not told any more, what the others have is."""
    now = service.counted(connection, REQUESTS, route="/evaluate")
    assert now["1"] == 0
    assert now["0"] > 0


def test_a_worker_that_is_killed_loses_what_is_its_own_only(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """The others answer all that they are asked, and soon there are as many as before."""
    log = tmp_path / "decisions"
    with serving(tmp_path, GRANTPROOF_DECISION_LOG=str(log)) as service:
        pids = service.pids()
        with ThreadPoolExecutor(6) as pool:
            connections = [service.connection(number % 2) for number in range(6)]
            ended, busy = threading.Event(), threading.Semaphore(0)
            asking = [pool.submit(keep_deciding, one, ended, busy) for one in connections]
            assert all(busy.acquire(timeout=PATIENCE_SECONDS) for _ in asking)
            assert becomes(lambda: written(log, pids[0]) > 0)
            os.kill(pids[0], signal.SIGKILL)
            killed_at = time.monotonic()
            with closing(connected(service.port)) as fresh:
                # Whoever comes meanwhile is answered by another.
                assert answered(fresh, "POST", "/evaluate", READ_DOCS) == (200, False)
            assert becomes(lambda: service.pids()[0] != pids[0])
            back = time.monotonic() - killed_at
            ended.set()
            found = [one.result(PATIENCE_SECONDS) for one in asking]
        assert service.pids()[1] == pids[1]
        (line,) = service.events("worker ended, another is started")
        assert (line["worker"], line["pid"], line["exit"]) == (0, pids[0], -signal.SIGKILL)
        # Nobody waits before another is started; how long it then takes is the machine's.
        assert line["pause"] == 0
        assert [failed for _, failed in found] == [1, 0, 1, 0, 1, 0]
        answers = [count for count, _ in found]
        assert min(answers) >= ANSWERS_MIN
        check_logs(log, service.pids(), pids[0], answers)
        assert stopped(service) == 0
    told = f"a worker of 2 killed: {sum(answers)} answers, 3 lost of 3 of its connections,"
    record_property("figure", f"{told} back after {back:.2f} s")


def keep_deciding(
    connection: HTTPConnection, ended: threading.Event, busy: threading.Semaphore
) -> tuple[int, int]:
    """How many questions were answered over a connection, and how many were not.

    `busy` is told once some were.
    """
    answers = 0
    with closing(connection):
        while not ended.is_set():
            try:
                assert answered(connection, "POST", "/evaluate", READ_DOCS) == (200, False)
            except (OSError, HTTPException):
                return answers, 1
            answers += 1
            if answers == ANSWERS_MIN:
                busy.release()
    return answers, 0


def written(folder: Path, pid: int) -> int:
    """How many decisions a process has written to its log."""
    files = folder.glob(f"*-{pid}.decisions.jsonl")
    return sum(len(path.read_text().splitlines()) for path in files)


def check_logs(folder: Path, pids: dict[int, int], killed: int, answers: list[int]) -> None:
    """Each file is of one process; that of the one which was not killed holds all it answered."""
    of_second = answers[1] + answers[3] + answers[5]
    # The fresh connection is answered by it, or by the worker that was started.
    assert becomes(lambda: written(folder, pids[1]) + written(folder, pids[0]) == of_second + 1)
    assert of_second <= written(folder, pids[1]) <= of_second + 1
    assert 0 < written(folder, killed) <= answers[0] + answers[2] + answers[4] + 3
    lines = [line for path in folder.iterdir() for line in path.read_text().splitlines()]
    decided = [one["decision"] for line in lines for one in json.loads(line)["decisions"]]
    assert set(decided) == {"Allow"}


def test_limits_are_those_of_the_service(tmp_path: Path) -> None:
    """Each worker has its share: together they let through no more than the setting says."""
    with (
        serving(tmp_path, GRANTPROOF_RATE_LIMIT="20") as service,
        closing(service.connection(0)) as first,
        closing(service.connection(1)) as second,
    ):
        ended = Counter[int]()
        began = time.monotonic()
        for number in range(200):
            connection = first if number % 2 == 0 else second
            status, _ = service.ask(connection, "POST", "/evaluate", READ_DOCS)
            ended[status] += 1
        seconds = time.monotonic() - began
        assert set(ended) == {200, 429}
        assert 20 <= ended[200] <= 20 + 20 * seconds + 2, (ended, seconds)


def test_clients_that_come_and_go_reach_several_workers(tmp_path: Path) -> None:
    """New connections are spread, and each request is counted once, by whoever answered it."""
    with serving(tmp_path) as service:
        with ThreadPoolExecutor(8) as pool:
            asking = [pool.submit(ask_and_leave, service.port, 25) for _ in range(8)]
            assert [one.result(PATIENCE_SECONDS) for one in asking] == [25] * 8
        with closing(connected(service.port)) as last:

            def counted() -> dict[str, float]:
                return service.counted(last, REQUESTS, route="/evaluate", status="200")

            assert becomes(lambda: sum(counted().values()) == 200)
            assert min(counted().values()) > 0
        assert stopped(service) == 0


def ask_and_leave(port: int, count: int) -> int:
    """How many questions were answered, each over a connection of its own."""
    found = 0
    for _ in range(count):
        with closing(connected(port)) as connection:
            found += answered(connection, "POST", "/evaluate", READ_DOCS)[0] == 200
    return found
