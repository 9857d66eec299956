"""A service whose database comes up after it: it listens, waits, and serves when it can."""

import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from tests.databases import PostgresqlDatabase, PostgresqlDatabases, place
from tests.postgresql import Server, running_server
from tests.processes import bare, free_port
from tests.warm import Warm, started

PATIENCE_SECONDS = 60
ATTEMPT_SECONDS = 8
"""How long a database may say nothing, and so how long one who waited for it would be in ending."""
ASIDE = "the database cannot be reached yet: until it can, every answer is `not ready`\n"


@contextmanager
def serving(port: int, **settings: str) -> Iterator[Warm]:
    """A service with those settings, killed at the end if it still runs."""
    command = ["serve", "--port", str(port)]
    with started(command, seconds=PATIENCE_SECONDS, env=bare(**settings)) as process:
        yield process


def asked(port: int, path: str, *, method: str = "GET") -> tuple[HTTPResponse, Any]:
    """The response of the service, asked until it listens, and its document."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        with closing(connection):
            try:
                connection.request(method, path)
                response = connection.getresponse()
                return response, json.load(response)
            except OSError:
                assert time.monotonic() < deadline
        time.sleep(0.02)


def until(port: int, status: int) -> None:
    """Ask whether it is ready until the status is that one."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while asked(port, "/readyz")[0].status != status:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of databases of its own, since it is halted."""
    with running_server() as started:
        yield started


def test_a_service_waits_for_its_database(server: Server) -> None:
    """Listening and live at once, not ready until the server is up; one line when, one line after.

    What it waits for may turn out not to be ours: then it ends as if that had been there at first.
    """
    databases = PostgresqlDatabases(server)
    ours, theirs = databases.fresh(), databases.fresh()
    theirs.execute("CREATE TABLE grantproof_version (version_num text)", "CREATE TABLE other ()")
    ports = free_port(), free_port()
    with (
        serving(ports[0], **place(ours.address)) as service,
        serving(ports[1], **place(theirs.address)) as misled,
    ):
        with server.halted():
            for port in ports:
                check_it_waits(port)
            started_at = time.monotonic()
        until(ports[0], 200)
        waited = time.monotonic() - started_at
        assert asked(ports[0], "/v1/orgs")[0].status == 401
        out, err = misled.communicate(timeout=PATIENCE_SECONDS)
        assert misled.returncode == 3
        assert err.splitlines()[-1].startswith("the database `postgresql://postgres@/"), err
        service.send_signal(signal.SIGTERM)
        out, err = service.communicate(timeout=PATIENCE_SECONDS)
    assert ASIDE in out
    assert service.returncode == 0
    lines = [json.loads(line) for line in err.splitlines()]
    assert [line["event"] for line in lines if line["event"] != "request"] == [
        "not started, trying again until it can be",
        "started after all",
    ]
    assert waited < PATIENCE_SECONDS / 2


def check_it_waits(port: int) -> None:
    """Live, and for everything else not ready: nothing is decided or changed."""
    assert asked(port, "/livez")[0].status == 200
    for method, path in (("GET", "/readyz"), ("POST", "/evaluate"), ("DELETE", "/v1/orgs/a")):
        response, told = asked(port, path, method=method)
        assert (response.status, told["code"]) == (503, "not_ready")
        assert response.headers["Retry-After"] == "1"


def test_a_service_that_waits_ends_at_once() -> None:
    """Also when what it asks accepts connections and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as mute:
        where = f"nobody@127.0.0.1:{mute.getsockname()[1]}/nothing"
        address = f"postgresql://{where}?connect_timeout={ATTEMPT_SECONDS}"
        port = free_port()
        with serving(port, **place(address)) as service:
            check_it_waits(port)
            began = time.monotonic()
            service.send_signal(signal.SIGTERM)
            service.communicate(timeout=PATIENCE_SECONDS)
            assert service.returncode == 0
            assert time.monotonic() - began < ATTEMPT_SECONDS


def test_what_waiting_cannot_mend_ends_the_start(tmp_path: Path, server: Server) -> None:
    """One line and exit code 3: a folder that is none, a file that is no database, no database."""
    databases = PostgresqlDatabases(server)
    here = place(databases.fresh().address)
    wrong = tmp_path / "file"
    wrong.write_text("no database, and no folder either")
    gone = PostgresqlDatabase(server, "gone")
    for settings, line in (
        ({**here, "GRANTPROOF_CASES": str(wrong / "cases")}, "the folder"),
        ({**here, "GRANTPROOF_AUDIT_KEY_FILE": str(tmp_path)}, "the audit key"),
        ({"GRANTPROOF_DATABASE_URL": str(wrong)}, "the file"),
        (place(gone.address), "the database"),
    ):
        with serving(free_port(), **settings) as service:
            out, err = service.communicate(timeout=PATIENCE_SECONDS)
            assert (service.returncode, out, err.count("\n")) == (3, "", 1), err
            assert err.startswith(line)
