"""The log of requests: who changed something, what failed, under which id, and no more."""

import io
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import pytest
import structlog
from typing_extensions import Buffer, override

from grantproof.adapters import logs
from grantproof.adapters.memory import MemoryStore
from grantproof.service.ports import StoreUnavailable
from tests.api.service import OPERATORS, READ_DOCS, Json, raw, serving
from tests.api.test_protocol import fail

pytestmark = pytest.mark.usefixtures("logs_as_before")

MINE = {"X-Request-ID": "mine"}
BODY_MARK, PATH_MARK, QUERY_MARK = "body-mark", "path-mark", "query-mark"


class Writes(io.RawIOBase):
    """A stream that keeps what each single write of it was given."""

    def __init__(self) -> None:
        self.made: list[bytes] = []

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, b: Buffer, /) -> int:
        self.made.append(bytes(b))
        return len(self.made[-1])


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[Json]]:
    """What logs as JSON from its first call on, and returns the lines since its last."""

    def read() -> list[Json]:
        lines = capsys.readouterr().err.splitlines()
        logs.configure("info", "json")
        return [json.loads(line) for line in lines]

    return read


def test_changes_are_told_and_reading_is_not(written: Callable[[], list[Json]]) -> None:
    """Method, template of the route, status, how long, which request, and who; no ids, no body."""
    with serving(MemoryStore(), OPERATORS) as api:
        written()
        api.get("/v1/orgs/acme/roles")
        api.post("/evaluate", json=READ_DOCS)
        raw(api, "/evaluate", b"{")
        assert written() == []
        created = {"id": BODY_MARK}
        api.post(f"/v1/orgs/acme/roles?x={QUERY_MARK}", json=created, headers=MINE)
        api.post("/v1/orgs/acme/roles", json=created)
        api.delete(f"/v1/orgs/acme/principals/{PATH_MARK}")
        api.post("/nowhere")
        del api.headers["Authorization"]
        api.post("/v1/orgs/acme/roles", json=created)
    lines = written()
    assert not [mark for mark in (BODY_MARK, PATH_MARK, QUERY_MARK) if mark in str(lines)]
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("POST", "/v1/orgs/{org}/roles", 400),
        ("POST", "/v1/orgs/{org}/roles", 201),
        ("DELETE", "/v1/orgs/{org}/principals/{principal}", 404),
        ("POST", "(none)", 404),
        ("POST", "(none)", 401),
    ]
    first, *_, last = lines
    assert (first["request_id"], first["level"], first["event"]) == ("mine", "info", "request")
    assert first["actor"].startswith("key:")
    assert last["actor"] is None
    assert 0 < first["seconds"] < 60
    assert len({line["request_id"] for line in lines}) == len(lines)


def test_what_fails_is_told_wherever_it_does(
    written: Callable[[], list[Json]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every line of a request has its id, that of the store too; decisions as administration."""
    store = MemoryStore()
    with serving(store, OPERATORS) as api:
        fail(store, monkeypatch, StoreUnavailable("gone"))
        written()
        assert api.get("/readyz", headers=MINE).status_code == 503
        elsewhere = {**READ_DOCS, "org_id": "other"}
        assert api.post("/evaluate", json=elsewhere, headers=MINE).status_code == 503
        # Loading is shared by all who wait for it, so it is of no request.
        lines = [line for line in written() if line["event"] != "organization not loaded"]
    assert [line["event"] for line in lines] == ["store failed", "request"] * 2
    assert {line["request_id"] for line in lines} == {"mine"}
    told = [(line["route"], line["status"], line["level"]) for line in lines[1::2]]
    assert told == [("/readyz", 503, "warning"), ("/evaluate", 503, "warning")]


def test_what_the_server_logs_is_a_line_like_all_others(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Its errors, and none of its warnings; a log that cannot be written breaks nothing."""
    logs.configure("info", "json")
    server = logging.getLogger("uvicorn.error")
    server.warning("invalid request")
    server.error("lifespan %s", "failed")
    (line,) = [json.loads(one) for one in capsys.readouterr().err.splitlines()]
    assert (line["event"], line["level"]) == ("lifespan failed", "error")
    closed = (tmp_path / "log").open("w", encoding="utf-8")
    closed.close()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(closed))
    server.error("lost")
    assert "ValueError" in capsys.readouterr().err


def test_a_log_that_is_gone_fails_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the terminal was closed that a service was started from."""
    with Path(os.devnull).open("w", encoding="utf-8") as gone:
        monkeypatch.setattr(sys, "stderr", gone)
        logs.configure("info", "json")
    with serving(MemoryStore(), OPERATORS) as api:
        assert api.post("/v1/orgs/acme/roles", json={"id": "r"}).status_code == 201


def test_a_line_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when nothing is buffered: what other processes write then comes before it or after."""
    writes = Writes()
    unbuffered = io.TextIOWrapper(cast("BinaryIO", writes), write_through=True)
    monkeypatch.setattr(sys, "stderr", unbuffered)
    for style in ("json", "console"):
        logs.configure("info", style)
        structlog.get_logger("x").info("told", much="x" * 3000)
    assert [one.count(b"\n") for one in writes.made] == [1, 1]


def test_lines_are_for_programs_or_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """As the setting says; without a terminal nothing is coloured."""
    for style, begins in (("json", "{"), ("auto", "{"), ("console", "2")):
        logs.configure("warning", style)
        token = logs.REQUEST_ID.set("mine")
        structlog.get_logger("x").info("not told")
        structlog.get_logger("x").warning("told")
        logs.REQUEST_ID.reset(token)
        line = capsys.readouterr().err
        assert line.startswith(begins)
        assert line.count("\n") == 1
        assert "mine" in line
        assert "\x1b" not in line
