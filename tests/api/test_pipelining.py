"""Several requests on one connection at once, of which the first is not answered yet."""

import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from structlog.testing import capture_logs

from grantproof.api.connections import Connection
from tests.api.test_at_once import PATIENCE_SECONDS, Line, listening, wait_until, written


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    """A service that listens."""
    with listening() as found:
        yield found


def test_what_is_asked_behind_a_question_may_take_its_time(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is not taken for idle while it is answered."""
    made = Connection.connection_made

    def made_impatient(self: Connection, transport: Any) -> None:
        made(self, transport)
        self.timeout_keep_alive = 0

    waiting = line.head(target=b"/v1/orgs/acme/events?after=1&wait=1").replace(b"POST", b"GET")
    monkeypatch.setattr(Connection, "connection_made", made_impatient)
    _, page = line.replies(line.asked(written()) + waiting, count=2)
    assert (page.status, page.document["items"]) == (200, [])


def test_whoever_leaves_is_waited_with_for_nothing(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    """Also when more was asked behind what waits; it is nobody's fault, and no error of ours."""
    waiting = line.head(target=b"/v1/orgs/acme/events?after=1&wait=60").replace(b"POST", b"GET")
    places = line.application._waiting  # noqa: SLF001 - to see that the request waits
    for behind in (b"", line.asked(written()), line.asked(written()) * 3):
        address = ("127.0.0.1", line.port)
        with (
            capture_logs() as logged,
            closing(socket.create_connection(address, timeout=PATIENCE_SECONDS)) as connection,
        ):
            connection.sendall(waiting + behind)
            wait_until(lambda: places._places == 1)  # noqa: SLF001 - the same
            connection.close()
            wait_until(lambda: places._places == 0)  # noqa: SLF001 - the same
            # What is asked afterwards is answered after what the end of the other one has caused.
            line.replies(line.asked(written(), b"X-Again: a", b"X-Again: b"))
        assert [entry for entry in logged if entry["log_level"] == "error"] == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
