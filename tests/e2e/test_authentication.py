"""Credentials over real HTTP: two servers on one database, an issuer with keys that change."""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typing_extensions import override

from bench.servers import HOST, Server
from grantproof.adapters import key_sets
from grantproof.adapters.key_sets import from_address, from_file
from grantproof.bootstrap import compose
from grantproof.service.tokens import KeySetUnavailable
from grantproof.settings import Settings
from tests import warm
from tests.unit.adapters.issuing import AUDIENCE, ISSUER, claims, published, signed

STALENESS_SECONDS = 5.0
PATIENCE_SECONDS = 60
QUESTION = {"org_id": "acme", "principal_id": "alice", "action": "read", "resource_id": "docs"}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Settings that name a database with `acme` in it."""
    path = str(tmp_path / "grantproof.db")
    compose(Settings(database_url=path, demo=True)).close()
    return {
        "GRANTPROOF_DATABASE_URL": path,
        "GRANTPROOF_MAX_STALENESS": str(STALENESS_SECONDS),
    }


def grantproof(*arguments: str, environment: dict[str, str]) -> str:
    """What the command line prints."""
    done = warm.run(*arguments, env={**os.environ, **environment})
    done.check_returncode()
    return done.stdout.strip()


def status(server: Server, credential: str | None = None) -> int:
    """The status of a question."""
    headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}
    address = f"http://{HOST}:{server.port}/evaluate"
    return httpx2.post(address, json=QUESTION, headers=headers, timeout=30).status_code


def last_accepted(server: Server, credential: str) -> float:
    """When the last request that the server accepts was sent, asked until it refuses the caller.

    What is too old to tell is no longer told, and so neither accepts nor refuses.
    """
    accepted_at, deadline = float("-inf"), time.monotonic() + PATIENCE_SECONDS
    while (sent := time.monotonic()) < deadline:
        match status(server, credential):
            case 200:
                accepted_at = sent
            case 401:
                return accepted_at
            case other:
                assert other == 503
        time.sleep(0.01)
    pytest.fail("the server does not refuse")


def wait_until_lives(server: Server) -> None:
    """Return when the server has started."""
    for _ in range(400):
        try:
            if httpx2.get(f"http://{HOST}:{server.port}/readyz", timeout=30).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.05)
    pytest.fail("the server did not start")


@contextmanager
def servers(count: int, environment: dict[str, str]) -> Iterator[list[Server]]:
    """So many servers on one database."""
    with ExitStack() as running:
        started = [running.enter_context(warm.serving(environment)) for _ in range(count)]
        for server in started:
            wait_until_lives(server)
        yield started


def test_a_revocation_counts_at_once_here_and_soon_elsewhere(environment: dict[str, str]) -> None:
    """Made on the machine, it counts on both servers; revoked on one, soon on the other too."""
    operator = grantproof("key", "create", "--operator", environment=environment)
    with servers(2, environment) as (here, elsewhere):
        assert [status(here), status(elsewhere)] == [401, 401]
        made = httpx2.post(
            f"http://{HOST}:{here.port}/v1/keys",
            json={"org_id": "acme", "principal_id": "alice", "scopes": ["evaluate"]},
            headers={"Authorization": f"Bearer {operator}"},
            timeout=30,
        ).json()
        key = made["key"]
        # At once, and on the other server by looking for a key that it does not know.
        assert [status(here, key), status(elsewhere, key)] == [200, 200]
        gone = httpx2.delete(
            f"http://{HOST}:{here.port}/v1/keys/{made['prefix']}",
            headers={"Authorization": f"Bearer {operator}"},
            timeout=30,
        )
        revoked_at = time.monotonic()
        assert (gone.status_code, status(here, key)) == (204, 401)
        assert last_accepted(elsewhere, key) - revoked_at < STALENESS_SECONDS
        assert [status(elsewhere, key) for _ in range(5)] == [401] * 5
        assert [status(here, operator), status(elsewhere, operator)] == [200, 200]


def test_the_command_line_revokes_on_a_running_server(environment: dict[str, str]) -> None:
    """Within the staleness; and the demo's key counts on none that is not the demo."""
    from grantproof.service.credentials import DEMO_TEXT  # noqa: PLC0415 - only here

    with servers(1, environment) as (server,):
        assert status(server, DEMO_TEXT) == 401
        key = grantproof("key", "create", "--operator", environment=environment)
        assert status(server, key) == 200
        grantproof("key", "revoke", key[3:15], environment=environment)
        revoked_at = time.monotonic()
        assert last_accepted(server, key) - revoked_at < STALENESS_SECONDS


class Publisher:
    """An issuer that publishes keys over HTTP on this machine."""

    def __init__(self) -> None:
        self.body = b""
        self.status = 200
        self.headers: dict[str, str] = {}
        self.pause_seconds = 0.0
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(publisher.status)
                for name, value in publisher.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                for at in range(0, len(publisher.body), 1_000):
                    time.sleep(publisher.pause_seconds)
                    try:
                        self.wfile.write(publisher.body[at : at + 1_000])
                    except OSError:
                        return

            @override
            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = HTTPServer((HOST, 0), Handler)
        self.address = f"http://{HOST}:{self.server.server_port}/keys.json?v=1"

    def publish(self, *keys: dict[str, Any]) -> None:
        """Publish these keys and no others."""
        self.body = json.dumps({"keys": keys}).encode()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    """An issuer, as long as the test."""
    made = Publisher()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.05,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def test_tokens_of_an_issuer_and_a_key_that_is_new(
    environment: dict[str, str], publisher: Publisher
) -> None:
    """By the keys at its address; one that it publishes later is found when a token names it."""
    publisher.publish(published("one"))
    issued = {
        "GRANTPROOF_JWT_ISSUER": ISSUER,
        "GRANTPROOF_JWT_AUDIENCE": AUDIENCE,
        "GRANTPROOF_JWT_JWKS_URL": publisher.address,
    }
    old = signed(claims()).decode()
    new = signed(claims(), "RS256", name="new", header={"kid": "two"}).decode()
    with servers(1, {**environment, **issued}) as (server,):
        assert (status(server, old), status(server, new)) == (200, 401)
        assert status(server, signed(claims(aud="other")).decode()) == 401
        assert status(server, signed(claims(scope="review")).decode()) == 403
        publisher.publish(published("two", "RS256", name="new"))
        deadline = time.monotonic() + 20
        while status(server, new) == 401:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        # The old key was withdrawn with that, and what it signed.
        assert (status(server, new), status(server, old)) == (200, 401)


def test_without_the_keys_of_the_issuer_tokens_are_refused_and_keys_count(
    environment: dict[str, str], publisher: Publisher
) -> None:
    """503, until they can be fetched."""
    publisher.status = 500
    issued = {
        "GRANTPROOF_JWT_ISSUER": ISSUER,
        "GRANTPROOF_JWT_AUDIENCE": AUDIENCE,
        "GRANTPROOF_JWT_JWKS_URL": publisher.address,
    }
    with servers(1, {**environment, **issued}) as (server,):
        assert status(server, signed(claims()).decode()) == 503
        key = grantproof("key", "create", "--operator", environment=environment)
        assert status(server, key) == 200


def test_keys_are_fetched_from_an_address(publisher: Publisher) -> None:
    """What is there, byte for byte."""
    publisher.publish(published("one"))
    assert from_address(publisher.address) == publisher.body


def test_an_address_that_answers_otherwise_is_an_error(publisher: Publisher) -> None:
    """Another status; a redirection, which is not followed."""
    for code in (204, 404, 500):
        publisher.status = code
        with pytest.raises(KeySetUnavailable, match=f"answers with status {code}"):
            from_address(publisher.address)
    publisher.status, publisher.headers = 302, {"Location": publisher.address}
    with pytest.raises(KeySetUnavailable, match="answers with status 302"):
        from_address(publisher.address)


def test_an_answer_has_a_limit(publisher: Publisher) -> None:
    """Up to it everything is read, and nothing that is longer; a file likewise."""
    publisher.body = b"x" * key_sets.BYTES_MAX
    assert len(from_address(publisher.address)) == key_sets.BYTES_MAX
    publisher.body += b"x"
    with pytest.raises(KeySetUnavailable, match="more than"):
        from_address(publisher.address)


def test_an_answer_that_drips_is_given_up(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However regularly a little of it comes."""
    monkeypatch.setattr(key_sets, "SECONDS_MAX", 0.3)
    publisher.body, publisher.pause_seconds = b"x" * 100_000, 0.05
    began = time.monotonic()
    with pytest.raises(KeySetUnavailable, match=r"takes more than 0\.3 seconds"):
        from_address(publisher.address)
    assert time.monotonic() - began < PATIENCE_SECONDS / 2


def test_an_address_where_nobody_answers_is_an_error(publisher: Publisher) -> None:
    """One line, which names it."""
    publisher.server.server_close()
    with pytest.raises(KeySetUnavailable, match="cannot be reached"):
        from_address("http://127.0.0.1:1/keys")


def test_keys_are_read_from_a_file(tmp_path: Path) -> None:
    """What it holds, up to the limit; one that is not there is an error."""
    path = tmp_path / "keys.json"
    path.write_bytes(b"x" * key_sets.BYTES_MAX)
    assert len(from_file(path)) == key_sets.BYTES_MAX
    path.write_bytes(b"x" * (key_sets.BYTES_MAX + 1))
    with pytest.raises(KeySetUnavailable, match="more than"):
        from_file(path)
    with pytest.raises(KeySetUnavailable, match="cannot be read"):
        from_file(tmp_path / "nothing")
