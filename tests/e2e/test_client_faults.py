"""A client of a service that is killed, hangs or lies: nothing it does ever becomes an Allow.

The service is a real process, or a real socket that answers as no service would.
"""

import asyncio
import json
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest

from grantproof.client import AsyncClient, Client, Decision, Options, Undetermined
from tests.databases import SqliteDatabase
from tests.processes import free_port
from tests.survival.serving import process_on, serving

DEADLINE: Final = 0.4
SLACK: Final = 5.0
"""Seconds that a busy machine may take longer; what is not bounded takes a minute."""
PATIENT: Final = Options(timeout_seconds=30.0)
HASTY: Final = Options(timeout_seconds=DEADLINE)
ASK: Final = ("bob", "write", "docs")
ALLOW: Final = json.dumps(
    {
        "decision": "Allow",
        "reason": None,
        "reason_code": None,
        "revision": 7,
        "decided_at": 1_000,
        "valid_until": None,
        "claim_id": "see",
    }
).encode()
HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
WHOLE: Final = HEAD + b"Content-Length: %d\r\n\r\n" % len(ALLOW) + ALLOW

Answering = Callable[[socket.socket], None]
Ask = Callable[[int, Options], Decision]


def ask_directly(port: int, options: Options) -> Decision:
    """What the client for threads is told."""
    address = f"http://127.0.0.1:{port}"
    with Client(address, "key", organization="acme", options=options) as client:
        return client.decide(*ASK)


def ask_on_a_loop(port: int, options: Options) -> Decision:
    """What the client for an event loop is told."""

    async def asked() -> Decision:
        address = f"http://127.0.0.1:{port}"
        async with AsyncClient(address, "key", organization="acme", options=options) as client:
            return await client.decide(*ASK)

    return asyncio.run(asked())


@pytest.fixture(params=[ask_directly, ask_on_a_loop], ids=["client", "async client"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Each client in turn."""
    found: Ask = request.param
    return found


@contextmanager
def lying(answering: Answering) -> Iterator[int]:
    """The port of a server that answers every connection in that way, after reading a request."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with closing(connection), suppress(OSError):
                while not connection.recv(65_536).endswith(b"}"):
                    pass
                answering(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        # An `accept` that waits is not ended by closing alone.
        listening.shutdown(socket.SHUT_RDWR)


def says(answer: bytes) -> Answering:
    """Answers with these bytes, and closes."""
    return lambda connection: connection.sendall(answer)


def drips(before: bytes, dripped: bytes) -> Answering:
    """Answers with some bytes at once, and then with one at a time, for a minute."""

    def answering(connection: socket.socket) -> None:
        connection.sendall(before)
        for byte in dripped[:600]:
            connection.sendall(bytes([byte]))
            time.sleep(0.1)

    return answering


def hangs(connection: socket.socket) -> None:
    """Answers nothing, for as long as anybody waits."""
    while connection.recv(1):
        pass


def floods(connection: socket.socket) -> None:
    """Answers for ever."""
    connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b" " * 65_536 + b"\r\n")


ENDLESS: Final[dict[str, Answering]] = {
    "hangs": hangs,
    "drips its status": drips(b"", WHOLE),
    "drips its headers": drips(HEAD, b"X-Header: " + b"a" * 1_000),
    "drips its body": drips(HEAD + b"Content-Length: 5000\r\n\r\n", b" " * 1_000),
    "continues": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_call_ends_with_its_deadline(name: str, ask: Ask) -> None:
    """Whatever comes meanwhile, in whatever pieces."""
    with lying(ENDLESS[name]) as port:
        began = time.monotonic()
        found = ask(port, HASTY)
        took = time.monotonic() - began
    assert isinstance(found, Undetermined)
    assert found.code == "timeout"
    assert DEADLINE * 0.9 <= took < DEADLINE + SLACK


def test_a_flood_ends_with_the_deadline_or_with_what_an_answer_may_have(ask: Ask) -> None:
    """Whichever comes first: how fast it floods is the machine's."""
    with lying(floods) as port:
        began = time.monotonic()
        found = ask(port, HASTY)
        took = time.monotonic() - began
    assert isinstance(found, Undetermined)
    assert found.code in {"timeout", "broken_exchange"}
    assert took < DEADLINE + SLACK


LIES: Final[dict[str, tuple[Answering, str]]] = {
    "nothing": (says(b""), "broken_exchange"),
    "garbage": (says(b"\x00\xff" * 500), "broken_exchange"),
    "another protocol": (says(b"SSH-2.0-OpenSSH_9.6\r\n"), "broken_exchange"),
    "half an answer": (says(WHOLE[:-10]), "broken_exchange"),
    "half a chunk": (
        says(HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\n" + ALLOW),
        "broken_exchange",
    ),
    "two lengths": (
        says(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n" + ALLOW),
        "broken_exchange",
    ),
    "an allow that is cut short": (
        says(HEAD + b"Content-Length: %d\r\n\r\n" % (len(ALLOW) - 1) + ALLOW[:-1]),
        "malformed_answer",
    ),
    "a page": (
        says(HEAD + b"Content-Length: 11\r\n\r\n<h1>OK</h1>"),
        "malformed_answer",
    ),
    "compressed": (
        says(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08"),
        "malformed_answer",
    ),
    "elsewhere": (
        says(b"HTTP/1.1 307 Elsewhere\r\nLocation: /allow\r\nContent-Length: 0\r\n\r\n"),
        "unexpected_answer",
    ),
    "an allow that is an error": (
        says(WHOLE.replace(b"200 OK", b"500 Oh no", 1)),
        "http_500",
    ),
    "an allow that was made": (says(WHOLE.replace(b"200 OK", b"201 Made", 1)), "unexpected_answer"),
}


@pytest.mark.parametrize("name", LIES)
def test_what_is_no_answer_is_undetermined(name: str, ask: Ask) -> None:
    """And says what was wrong with it."""
    answering, code = LIES[name]
    with lying(answering) as port:
        found = ask(port, PATIENT)
    assert isinstance(found, Undetermined)
    assert (found.code, found.allowed) == (code, False)


def test_a_whole_answer_is_one(ask: Ask) -> None:
    """The server that lies can tell the truth: what is refused above is refused for a reason."""
    with lying(says(WHOLE)) as port:
        assert ask(port, PATIENT).allowed


def test_nobody_listens(ask: Ask) -> None:
    """After four attempts it is known."""
    found = ask(free_port(), PATIENT)
    assert isinstance(found, Undetermined)
    assert (found.code, found.attempts) == ("unreachable", 4)


def test_a_service_is_stopped_killed_and_started_again(tmp_path: Path) -> None:
    """One client throughout: an allow while it serves, none while it does not, then one again."""
    database = SqliteDatabase(tmp_path / "grantproof.db")
    process = process_on(database, tmp_path / "served", GRANTPROOF_DEMO="true")
    said: Any = {"region": "us-east-1"}
    with (
        serving(process),
        Client(
            f"http://127.0.0.1:{process.port}",
            process.key,
            organization="acme",
            options=PATIENT,
        ) as client,
        Client(
            f"http://127.0.0.1:{process.port}", process.key, organization="acme", options=HASTY
        ) as hasty,
    ):
        assert client.decide(*ASK, **said).allowed
        assert not client.decide(*ASK).allowed
        process.signal(signal.SIGSTOP)
        hung = hasty.decide(*ASK, **said)
        assert isinstance(hung, Undetermined)
        assert hung.code == "timeout"
        process.signal(signal.SIGCONT)
        outcomes = killed_amid(process.kill, client, said)
        assert {type(one).__name__ for one in outcomes} <= {"Allow", "Undetermined"}
        assert isinstance(outcomes[-1], Undetermined)
        process.launch()
        process.wait()
        assert client.decide(*ASK, **said).allowed


def killed_amid(kill: Callable[[], None], client: Client, said: Any) -> list[Decision]:
    """What calls come to during which the service is killed, and one after it."""
    outcomes: list[Decision] = []
    gone = threading.Event()

    def asking() -> None:
        while not gone.is_set():
            outcomes.append(client.decide(*ASK, **said))

    threads = [threading.Thread(target=asking) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    kill()
    gone.set()
    for thread in threads:
        thread.join()
    return [*outcomes, client.decide(*ASK, **said)]
