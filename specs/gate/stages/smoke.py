"""The demo organization over HTTP: a real server process, a temporary database, five checks."""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from specs.gate.report import Row

HOST: Final = "127.0.0.1"
START_SECONDS_MAX: Final = 60
STOP_SECONDS_MAX: Final = 15
ANSWER_SECONDS_MAX: Final = 30
POLL_SECONDS: Final = 0.05
READS: Final = {"org_id": "acme", "principal_id": "alice", "action": "read", "resource_id": "docs"}
WRITES: Final = {"org_id": "acme", "principal_id": "bob", "action": "write", "resource_id": "docs"}


@dataclass(frozen=True, slots=True)
class Check:
    """A request and what the answer must be: a status, and members with their values."""

    name: str
    route: str
    body: Mapping[str, object]
    status: int
    members: Mapping[str, object]
    told: str = ""


CHECKS: Final = (
    Check(
        "alice may read docs at ten",
        "/evaluate",
        {**READS, "hour": 10, "weekday": 2, "region": "us-east-1", "usage": 0},
        200,
        {"decision": "Allow", "reason": None},
    ),
    Check(
        "alice may not read docs at ten in the evening",
        "/evaluate",
        {**READS, "hour": 22, "weekday": 2, "region": "us-east-1", "usage": 0},
        200,
        {"decision": "Deny", "reason_code": "constraint_failed"},
    ),
    Check(
        "bob may write docs in us-east-1",
        "/evaluate",
        {**WRITES, "hour": 10, "weekday": 2, "region": "us-east-1", "usage": 0},
        200,
        {"decision": "Allow", "reason": None},
    ),
    Check(
        "bob may not write docs in eu-west-1",
        "/evaluate",
        {**WRITES, "hour": 10, "weekday": 2, "region": "eu-west-1", "usage": 0},
        200,
        {"decision": "Deny", "reason_code": "constraint_failed"},
    ),
    Check(
        "carol, who is in finance, may not become submitter",
        "/principals/carol/roles",
        {"role_id": "submitter"},
        409,
        {},
        "separation of duty",
    ),
)


def run(emit: Callable[[Row], None], jobs: int) -> dict[str, int]:  # noqa: ARG001 - one server
    """Start the server, ask, and stop it."""
    passed = 0
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as port:
        for check in CHECKS:
            started = time.perf_counter()
            wrong = against(check, *ask(port, check))
            passed += wrong == ()
            verdict = "failed" if wrong else "passed"
            emit(Row("smoke", check.name, verdict, time.perf_counter() - started, wrong))
    return {"checks": passed}


def against(check: Check, status: int, text: str) -> tuple[str, ...]:
    """Return what is wrong with an answer, or nothing."""
    asked = f"POST {check.route} {json.dumps(dict(check.body))}"
    try:
        answer = json.loads(text)
    except ValueError:
        return (asked, f"{status}, and the body is no JSON: {text[:200]}")
    differs = {name: answer.get(name, "missing") for name in check.members} != check.members
    if status == check.status and not differs and check.told in text:
        return ()
    return (asked, f"must be {check.status} {dict(check.members)} {check.told}, is {status} {text}")


def ask(port: int, check: Check) -> tuple[int, str]:
    """Return the status and the body of the answer to a check."""
    connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_SECONDS_MAX)
    try:
        body = json.dumps(dict(check.body))
        connection.request("POST", check.route, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return 0, f"no answer: {error}"
    finally:
        connection.close()


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    """Run the demo on a free port, with its database in the folder."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    address = f"sqlite:///{folder / 'smoke.db'}"
    program = Path(sys.executable).with_name("grantproof")
    process = subprocess.Popen(  # noqa: S603 - the program that is installed beside this Python
        (str(program), "serve", "--demo", "--port", str(port)),
        env={**os.environ, "GRANTPROOF_DATABASE_URL": address},
        stdout=sys.stderr,
    )
    try:
        _wait_for(process, port)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if process.poll() is not None:
            message = f"the server ended with status {process.returncode} before it answered"
            raise RuntimeError(message)
        try:
            socket.create_connection((HOST, port), timeout=POLL_SECONDS).close()
        except OSError:
            time.sleep(POLL_SECONDS)
        else:
            return
    message = f"the server did not listen within {START_SECONDS_MAX} s"
    raise RuntimeError(message)
