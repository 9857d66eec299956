"""What can go wrong between a command and a server: each is one line, with the code that says it.

That commands do over HTTP what they do locally is shown by `differential/test_cli_over_http.py`.
"""

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from grantproof.cli import remote_http
from grantproof.cli.main import main
from tests.unit.cli.conftest import Ended, Run

KEY: Final = "gp_0f3a9c51d2e7_not-a-real-key"
SHOWS: Final = ("--server", "http://localhost:9090", "org", "show", "acme")
MAKES: Final = ("--server", "http://localhost:9090", "role", "create", "x")

Answering = Callable[[httpx2.Request], httpx2.Response]


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the environment but a key and an organization; a folder without a database."""
    for name in ("SERVER", "KEY_FILE", "DATABASE_URL"):
        monkeypatch.delenv(f"GRANTPROOF_{name}", raising=False)
    monkeypatch.setenv("GRANTPROOF_KEY", KEY)
    monkeypatch.setenv("GRANTPROOF_ORG", "acme")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def ended(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line."""

    def run(*arguments: str) -> Ended:
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        captured = capsys.readouterr()
        assert KEY not in captured.out + captured.err
        return Ended(int(stopped.value.code or 0), captured.out, captured.err)

    return run


def answering(monkeypatch: pytest.MonkeyPatch, answer: Answering) -> list[httpx2.Request]:
    """Let every server answer so; what it is asked is kept in the list."""
    asked: list[httpx2.Request] = []

    def answered(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return answer(request)

    real = remote_http.client_to

    def inside(address: str, key: str | None) -> httpx2.Client:
        with real(address, key) as client:
            headers = client.headers
        transport = httpx2.MockTransport(answered)
        return httpx2.Client(base_url=address, headers=headers, transport=transport)

    monkeypatch.setattr(remote_http, "client_to", inside)
    return asked


def problem(status: int, code: str, detail: str, **more: Any) -> httpx2.Response:
    """A problem document."""
    headers = {"content-type": "application/problem+json", **more.pop("headers", {})}
    body = {"status": status, "code": code, "detail": detail, **more}
    return httpx2.Response(status, headers=headers, content=json.dumps(body).encode())


LATER: Final = {"Retry-After": "7"}
REFUSALS: Final = [
    # What the server says, how the command ends, what it says.
    (problem(401, "unauthenticated", "no such key"), 1, "no such key"),
    (
        problem(403, "insufficient_scope", "this takes a credential with the scope `review`"),
        1,
        "this takes a credential with the scope `review`",
    ),
    (problem(404, "no_such_route", "there is no route"), 1, "there is no route"),
    (problem(400, "invalid", "`after` must be"), 2, "`after` must be"),
    (problem(413, "body_too_large", "too large"), 2, "too large"),
    (problem(429, "rate_limited", "too often", headers=LATER), 3, "too often (after 7 seconds)"),
    (problem(503, "not_ready", "starting", headers=LATER), 3, "starting (after 7 seconds)"),
    (problem(409, "idempotency_in_progress", "at work", headers=LATER), 3, "at work (after 7"),
    (problem(500, "internal", "something went wrong"), 3, "something went wrong"),
    (httpx2.Response(200, content=b"<html>"), 3, "is it a Grantproof server"),
    (httpx2.Response(200, content=b"{}"), 3, "names no revision"),
    (httpx2.Response(502, content=b"bad gateway"), 3, "answers with status 502"),
    (httpx2.Response(404, content=b"no"), 2, "answers with status 404"),
    (httpx2.Response(302, headers={"location": "http://elsewhere/"}), 2, "status 302"),
    (
        httpx2.Response(503, headers={"content-type": "application/problem+json"}, content=b"{"),
        3,
        "cannot be read",
    ),
    (
        httpx2.Response(
            409, headers={"content-type": "application/problem+json"}, content=b"[" * 100_000
        ),
        3,
        "cannot be read",
    ),
    (httpx2.Response(200, headers={"etag": '"3"'}, content=b"{}"), 3, "cannot be read"),
]


@pytest.mark.parametrize("content", [b"{", b"[" * 100_000])
def test_an_answer_that_is_not_json_is_one_line(
    ended: Run, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    """However it fails to be read: nothing is known of what was asked."""
    answering(monkeypatch, lambda _: httpx2.Response(200, content=content))
    told = ended("--server", "http://localhost", "org", "list")
    assert (told.code, told.line.partition(":")[0]) == (3, "its answer is not JSON")


@pytest.mark.parametrize(("said", "code", "line"), REFUSALS)
def test_what_a_server_refuses_is_one_line(
    ended: Run, monkeypatch: pytest.MonkeyPatch, said: httpx2.Response, code: int, line: str
) -> None:
    """1 for refused, 2 for wrong use, 3 for what may work later; nothing is asked twice."""
    asked = answering(monkeypatch, lambda _: said)
    told = ended(*SHOWS)
    assert (told.code, line in told.line) == (code, True), told
    assert len(asked) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        "org list",
        "key list",
        "key create --operator",
        "audit export",
        "usage reset --principal alice",
        "evaluate alice read docs",
        "explain alice read docs",
        "what-if alice read docs",
        "role create x",
        "org show acme",
    ],
)
@pytest.mark.parametrize("content", [b"[]", b"{}", b"null", b'{"items":[{}],"next":null}', b"7"])
def test_an_answer_that_is_not_ours_is_one_line(
    ended: Run, monkeypatch: pytest.MonkeyPatch, arguments: str, content: bytes
) -> None:
    """Whatever answers there, no traceback."""
    reply = httpx2.Response(200, headers={"etag": '"3"'}, content=content)
    answering(monkeypatch, lambda _: reply)
    told = ended("--server", "http://localhost", *arguments.split())
    assert (told.code, "is it a Grantproof server" in told.line) == (3, True), told


def test_a_change_of_what_has_changed_is_told_as_locally(
    ended: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """412 is code 3, and the line says at which revision it is now."""
    said = problem(412, "stale", "changed", headers={"ETag": '"9"'})
    asked = answering(monkeypatch, lambda _: said)
    told = ended(*MAKES)
    assert (told.code, "it is at revision 9 now" in told.line) == (3, True)
    assert asked[0].url.path == "/v1/orgs/acme/changes"
    assert len(asked[0].headers["idempotency-key"]) == 32
    assert asked[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_guardrail_that_is_not_judged_is_told_as_locally(
    ended: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same line, whatever wraps it."""
    detail = "whether guardrail `g` would hold is not known: out of time"
    said = problem(503, "guardrail_undetermined", detail, headers=LATER)
    answering(monkeypatch, lambda _: said)
    told = ended(*MAKES)
    assert (told.code, told.line) == (3, f"{detail}: nothing was changed")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (httpx2.ConnectError("[Errno 111] Connection refused"), "connection refused"),
        (
            httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"),
            "certificate verify failed",
        ),
        (httpx2.ConnectTimeout("timed out"), "within 10 seconds"),
        (httpx2.ReadTimeout("timed out"), "does not answer within 90 seconds"),
        (httpx2.RemoteProtocolError("server disconnected"), "was lost: server disconnected"),
        (httpx2.ReadError(""), "was lost: ReadError".lower()),
    ],
)
def test_trouble_on_the_way_is_one_line(
    ended: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, line: str
) -> None:
    """Code 3; of a change that was sent it says that nobody knows."""

    def fails(_: httpx2.Request) -> httpx2.Response:
        raise error

    answering(monkeypatch, fails)
    told = ended(*SHOWS)
    assert (told.code, line in told.line.lower()) == (3, True), told
    assert "done or not" not in told.line
    told = ended(*MAKES)
    never_sent = isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)
    assert (told.code, "done or not" in told.line) == (3, not never_sent)


def test_a_server_that_is_not_there_is_one_line(ended: Run) -> None:
    """A real refused connection, without anything in place of the network."""
    told = ended("--server", "http://127.0.0.1:1", "org", "list")
    assert (told.code, told.line.startswith("no connection to `http://127.0.0.1:1`: ")) == (3, True)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--server", "http://localhost", "--database", "x", "org", "list"], "name one"),
        (["--server", "localhost:9090", "org", "list"], "is no address of a server"),
        (["--server", "ftp://localhost", "org", "list"], "is no address of a server"),
        (["--server", "http://[::1", "org", "list"], "is no address of a server"),
        (["--server", "http://localhost:x", "org", "list"], "is no address of a server"),
        (["--server", "http://me:pw@localhost", "org", "list"], "no more"),
        (["--server", "http://localhost?x=1", "org", "list"], "no more"),
        (["--server", "http://elsewhere.example", "org", "list"], "for everybody to read"),
        (["--insecure", "org", "list"], "go with --server"),
        (["--key-file", "x", "org", "list"], "go with --server"),
        (["--server", "http://localhost", "--key-file", "absent", "org", "list"], "cannot be read"),
    ],
)
def test_wrong_use_is_one_line(ended: Run, arguments: list[str], line: str) -> None:
    """Code 2, before anything is sent."""
    told = ended(*arguments)
    assert (told.code, line in told.line) == (2, True), told


def test_a_key_goes_unencrypted_where_that_is_said(
    ended: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --insecure, or without a key at all."""
    asked = answering(monkeypatch, lambda _: problem(403, "forbidden_organization", "no"))
    there = ("--server", "http://elsewhere.example", "org", "show", "acme")
    assert ended(*there, "--insecure").code == 1
    monkeypatch.delenv("GRANTPROOF_KEY")
    assert ended(*there).code == 1
    assert ["authorization" in one.headers for one in asked] == [True, False]
    assert ended("--server", "https://elsewhere.example", "org", "show", "acme").code == 1


def test_without_a_key_it_is_said_where_to_put_one(
    ended: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """401 without a key is wrong use."""
    monkeypatch.delenv("GRANTPROOF_KEY")
    answering(monkeypatch, lambda _: problem(401, "unauthenticated", "no credential"))
    told = ended(*SHOWS)
    assert (told.code, "GRANTPROOF_KEY" in told.line, "--key-file" in told.line) == (2, True, True)


def test_the_key_is_read_of_a_file(
    ended: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The file that is typed goes before the environment, where two places are a mistake."""
    asked = answering(monkeypatch, lambda _: problem(401, "unauthenticated", "no such key"))
    typed, named = tmp_path / "typed", tmp_path / "named"
    typed.write_text("gp_typed\n")
    named.write_text("gp_named")
    monkeypatch.setenv("GRANTPROOF_KEY_FILE", str(named))
    assert ended(*SHOWS).code == 2
    assert ended(*SHOWS, "--key-file", str(typed)).code == 1
    monkeypatch.delenv("GRANTPROOF_KEY")
    assert ended(*SHOWS).code == 1
    sent = [one.headers["authorization"] for one in asked]
    assert sent == ["Bearer gp_typed", "Bearer gp_named"]
    for wrong in ("", "\n", "two words", "ümlaut", "a\nb", "x" * 9_000):
        typed.write_text(wrong)
        told = ended(*SHOWS, "--key-file", str(typed))
        assert (told.code, "holds no key" in told.line) == (2, True)


def test_the_server_is_named_by_the_environment(
    ended: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what the command line says goes before it: a server, or a database."""
    asked = answering(monkeypatch, lambda _: problem(403, "forbidden_organization", "no"))
    monkeypatch.setenv("GRANTPROOF_SERVER", "http://localhost:1/below/")
    monkeypatch.setenv("GRANTPROOF_DATABASE_URL", "absent.db")
    assert ended("org", "show", "acme").code == 1
    assert ended("org", "show", "acme", "--server", "http://localhost:2").code == 1
    assert [str(one.url) for one in asked] == [
        "http://localhost:1/below/v1/orgs/acme/document",
        "http://localhost:2/v1/orgs/acme/document",
    ]
    told = ended("org", "show", "acme", "--database", "absent.db")
    assert (told.code, "absent.db" in told.line) == (3, True)
    assert len(asked) == 2


def listening(answer: bytes) -> tuple[socket.socket, threading.Thread]:
    """A socket that takes one connection, says so much and nothing more."""
    listener = socket.create_server(("127.0.0.1", 0))

    def take() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4_096)
            connection.sendall(answer)
            if answer == b"":
                # Until the command gives up and closes its end.
                connection.settimeout(10)
                connection.recv(4_096)

    taking = threading.Thread(target=take)
    taking.start()
    return listener, taking


@pytest.mark.parametrize(
    ("scheme", "answer", "line"),
    [
        ("http", b"", "does not answer within 0.05 seconds"),
        ("http", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "was lost"),
        ("http", b"garbage\r\n\r\n", "was lost"),
        ("https", b"HTTP/1.1 400 Bad Request\r\n\r\n", "no connection to `https:"),
    ],
)
def test_a_server_that_hangs_breaks_off_or_speaks_otherwise_is_one_line(
    ended: Run, monkeypatch: pytest.MonkeyPatch, scheme: str, answer: bytes, line: str
) -> None:
    """Over a real socket: the time is limited, and half an answer is none."""
    monkeypatch.setattr(remote_http, "SILENT_SECONDS", 0.05)
    listener, taking = listening(answer)
    with listener:
        address = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        told = ended("--server", address, "org", "list")
    taking.join()
    assert (told.code, line in told.line) == (3, True), told
