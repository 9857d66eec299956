"""`grantproof serve` as a process: it answers what it announced, and stops when it is asked to."""

import json
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from grantproof.cli.server import SHUTDOWN_SECONDS_MAX
from tests import warm
from tests.processes import PROGRAM, bare, free_port, started
from tests.warm import Warm

ANSWER_SECONDS_MAX = 30
SERVER_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60


@contextmanager
def serving(
    folder: Path, *options: str, port: int, **settings: str
) -> Iterator[subprocess.Popen[str]]:
    """A server in the folder, killed at the end if it still runs."""
    environment = bare(HOME=str(folder), GRANTPROOF_PORT=str(port), **settings)
    command = [str(PROGRAM), "serve", *options]
    with started(command, seconds=SERVER_SECONDS_MAX, env=environment, cwd=folder) as server:
        yield server


def announced(server: subprocess.Popen[str] | Warm, lines: int) -> list[str]:
    """The first lines that the server prints; the test fails when it ends before."""
    assert server.stdout is not None
    found = [server.stdout.readline() for _ in range(lines)]
    assert "" not in found, "the server ended"
    return [line.rstrip("\n") for line in found]


def posted(pasted: list[str]) -> Any:
    """What the server answers to the curl command that it told us to paste."""
    words = shlex.split(" ".join(line.rstrip("\\") for line in pasted))
    address = next(word for word in words if word.startswith("http"))
    body = words[words.index("-d") + 1].encode()
    parts = urlsplit(address)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=ANSWER_SECONDS_MAX)
    with closing(connection):
        connection.request("POST", parts.path, body, {"Content-Type": "application/json"})
        return json.load(connection.getresponse())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_answers_what_it_told_us_to_paste(how: signal.Signals, tmp_path: Path) -> None:
    """`make run`: one loud line, a command that works when pasted, and a quiet end."""
    port = free_port()
    with serving(tmp_path, "--demo", port=port) as server:
        demo, where, _, *pasted, page = announced(server, 6)
        assert demo.startswith("DEMO: loopback only, everybody has the demo's key, bound to `acme`")
        assert f"http://127.0.0.1:{port}" in where
        assert page == f"or look at it in a browser: http://127.0.0.1:{port}/console"
        assert posted(pasted)["decision"] == "Allow"
        server.send_signal(how)
        out, err = server.communicate(timeout=STOP_SECONDS_MAX)
        assert (server.returncode, out, err) == (0, "", "")
    assert (tmp_path / "grantproof.db").exists()


def test_a_second_server_is_told_that_the_port_is_in_use(tmp_path: Path) -> None:
    """One line that says what to do; the first goes on."""
    port = free_port()
    with serving(tmp_path, "--demo", port=port) as server:
        _, _, _, *pasted = announced(server, 5)
        second = subprocess.run(
            [PROGRAM, "serve", "--demo", "--port", str(port)],
            cwd=tmp_path,
            env=bare(HOME=str(tmp_path)),
            capture_output=True,
            text=True,
            check=False,
        )
        line = f"port {port} is in use: stop the other program or choose another with --port\n"
        assert (second.returncode, second.stdout, second.stderr) == (2, "", line)
        assert posted(pasted)["decision"] == "Allow"


def test_a_running_server_follows_the_command_line(tmp_path: Path) -> None:
    """A claim that the command line takes away is soon denied over HTTP."""
    with serving(tmp_path, "--demo", port=free_port()) as server:
        _, _, _, *pasted = announced(server, 5)
        assert posted(pasted)["decision"] == "Allow"
        command = ("claim", "delete", "viewer-read-docs", "--org", "acme")
        taken = warm.run(*command, cwd=tmp_path, env=bare(HOME=str(tmp_path)))
        assert taken.stdout == "deleted claim `viewer-read-docs` (acme, revision 2)\n"
        answers = (posted(pasted) for _ in range(10_000))
        last = next(answer for answer in answers if answer["revision"] == 2)
        assert (last["decision"], last["reason"]) == ("Deny", "no matching claim")


def test_who_waits_for_events_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """A server that is asked to stop answers them at once, with what there is: nothing."""
    port = free_port()
    with serving(tmp_path, "--demo", port=port) as server:
        announced(server, 6)
        connection = HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS_MAX)
        with closing(connection):
            # Nobody can wait before it has started.
            connection.request("GET", "/readyz")
            connection.getresponse().read()
            connection.request("GET", "/v1/orgs/acme/events?after=1&wait=55")
            time.sleep(1)
            asked_to_stop = time.monotonic()
            server.send_signal(signal.SIGTERM)
            answer = connection.getresponse()
            assert (answer.status, json.load(answer)["items"]) == (200, [])
        out, err = server.communicate(timeout=STOP_SECONDS_MAX)
        assert (server.returncode, out, err) == (0, "", "")
        assert time.monotonic() - asked_to_stop < SHUTDOWN_SECONDS_MAX / 2


def test_a_service_lets_nobody_in_until_a_key_is_made(tmp_path: Path) -> None:
    """It says how; the key that is made beside the running service counts at once."""
    port = free_port()
    with serving(tmp_path, port=port) as server:
        where, hint = announced(server, 2)
        assert f"http://127.0.0.1:{port}" in where
        assert hint.endswith("`grantproof key create --operator` makes one")
        assert listed(port, None) == 401
        _, told, _ = hint.split("`")
        words = (*told.split()[1:], "--json")
        made = warm.run(*words, cwd=tmp_path, env=bare(HOME=str(tmp_path)))
        assert listed(port, json.loads(made.stdout)["key"]) == 200


def listed(port: int, key: str | None) -> int:
    """The status of the list of organizations, once the service answers."""
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    connection = HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS_MAX)
    with closing(connection):
        connection.request("GET", "/v1/orgs", headers=headers)
        return connection.getresponse().status
