"""Hostile requests to a real process: never a 5xx, bounded memory, and right answers afterwards.

Some are drawn from the OpenAPI document, allowed and forbidden. The others come out of that corpus
and by hand, damaged, on several connections at once, several of a connection under way together.
Beside it, the parsers under bombs and under a coverage-guided fuzzer.
"""

import contextlib
import json
import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import unquote, urlencode

import httpx2
import pytest
from typing_extensions import override

from grantproof.adapters.memory import MemoryStore
from grantproof.api.authzen.answers import MEDIA_TYPE as PLAIN_TYPE
from grantproof.api.problems import KINDS, MEDIA_TYPE
from grantproof.core.organization import Organization
from grantproof.service.callers import WITHIN_ORGANIZATION
from tests.api.furnished import FACTS, LOOKS, READS, WRITES
from tests.api.fuzzing import Drawn, Judge, Target
from tests.api.service import ADDRESS, Api
from tests.api.test_schema import OPERATIONS, body_schema
from tests.databases import SqliteDatabases
from tests.survival.attacks import Attack, recorded
from tests.survival.parsing import BOMBS, PARSERS
from tests.survival.pipelined import Pipeline, Reply, Request
from tests.survival.scales import SCALE
from tests.survival.serving import (
    Caller,
    Process,
    process_on,
    resident_bytes,
    serving,
)
from tests.survival.sound import check_audit

MEGABYTE: Final = 1_048_576
GROWTH_BYTES_MAX: Final = 96 * MEGABYTE
"""How much memory the attack may cost for good: caches and buffers of all threads are full then."""
LEVEL_BYTES_MAX: Final = 24 * MEGABYTE
"""How much of that its second half may cost."""

QUARTERS: Final = 4
CONNECTIONS: Final = 4
UNDERWAY: Final = 16
"""So many requests of a connection are under way together, if they are small."""
RENEWED_EVERY: Final = 400
UNTOUCHED: Final = "untouched"
QUESTIONS: Final = [READS, WRITES, LOOKS, {**READS, "principal_id": "nobody"}]
SENDABLE: Final = re.compile(rb"[!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?")
AUTHZEN: Final = "/access/v1/"
"""In the addresses of the routes whose errors are nothing but text."""
BELOW_REQUESTS: Final = frozenset({"invalid", "head_too_large"})
"""What a connection itself answers, before it knows the id of the request."""


class RealApi:
    """Sends what was meant for the service in process to one that is a process, and keeps it."""

    def __init__(self, process: Process) -> None:
        self._base = f"http://127.0.0.1:{process.port}"
        self.client = httpx2.Client(
            base_url=self._base, headers={"Authorization": f"Bearer {process.key}"}, timeout=60
        )
        self.sent: list[Request] = []

    def request(self, method: str, url: str, **sent: Any) -> httpx2.Response:
        """The answer, whatever it is; what the client itself refuses to send is left out."""
        given = sent.pop("headers", {})
        headers = sent["headers"] = {
            name: value
            for name, value in given.items()
            if isinstance(value, str) or SENDABLE.fullmatch(value) is not None
        }
        response = self.client.request(method, url.replace(ADDRESS, self._base, 1), **sent)
        if "X-Request-ID" in given:
            path, body = response.request.url.raw_path, response.request.content
            self.sent.append(recorded(method, path, headers, body))
        return response

    def post(self, url: str, **sent: Any) -> httpx2.Response:
        """The answer to a POST."""
        return self.request("POST", url, **sent)

    def close(self) -> None:
        """Let every connection go."""
        self.client.close()


class RealTarget(Target):
    """An organization of a real process; its state is not looked at but over HTTP."""

    @override
    def renew(self) -> None:
        """Aim at a new organization, and delete the old one: it would be followed for ever."""
        if self.organization != "":
            self.api.request("DELETE", f"/v1/orgs/{self.organization}")
        super().renew()

    @override
    def _furnish(self) -> None:
        created = self.api.post("/v1/orgs", json={"id": self.organization})
        assert created.status_code == 201, created.text
        here = f"/v1/orgs/{self.organization}"
        changed = self.api.post(f"{here}/changes", json={"commands": FACTS})
        assert changed.status_code == 200, changed.text

    @override
    def _open_session(self, name: str, whose: str, role: str) -> None:
        """Open one over HTTP: its id is the service's, so what is drawn names one that is not."""
        path, body = f"/v1/orgs/{self.organization}/sessions", {"principal": whose, "roles": [role]}
        made = self.api.post(path, json=body)
        assert made.status_code == 201, made.text

    @override
    def _key(self) -> str:
        scopes = sorted(scope.value for scope in WITHIN_ORGANIZATION)
        body = {"org_id": self.organization, "scopes": scopes}
        made = self.api.post("/v1/keys", json=body)
        assert made.status_code == 201, made.text
        return str(made.json()["key"])

    @override
    def state(self) -> Organization | None:
        return None


class Attacker(Judge):
    """Sends drawn requests, and asks nothing of the answer but that it is no failure."""

    @override
    def _check(self, one: Drawn, response: httpx2.Response) -> None:
        assert response.status_code < 500
        assert response.headers["x-request-id"] != ""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent, and how it was answered."""

    statuses: Counter[int] = field(default_factory=Counter)
    requests: list[Request] = field(default_factory=list)


def drawn_requests(process: Process, count: int) -> Sent:
    """Send requests that are made of the document."""
    sent = Sent()
    with closing(RealApi(process)) as real:
        # What is attacked is not in this process: the store here stays empty.
        target = RealTarget(cast(Api, real), MemoryStore())
        each = -(-count // len(OPERATIONS))
        for operation in OPERATIONS.values():
            for _ in range(-(-each // RENEWED_EVERY)):
                target.renew()
                judge = Attacker(operation, target, body_schema(operation), changing=False)
                judge.ask(min(each, RENEWED_EVERY))
                sent.statuses.update(judge.statuses)
        target.api.request("DELETE", f"/v1/orgs/{target.organization}")
        sent.requests.extend(real.sent)
    return sent


def check(request: Request, reply: Reply) -> None:
    """The answer is one of ours, to this very request, and no failure."""
    shown = (request.written()[:1_000], reply)
    assert reply.status < 500, shown
    assert request.method != "HEAD" or reply.body == b"", shown
    told: dict[str, Any] = {}
    if reply.status >= 400 and reply.content_type == PLAIN_TYPE:
        # The standard says so, of its own routes.
        assert AUTHZEN in unquote(request.path), shown
        assert request.method == "HEAD" or reply.body != b"", shown
    elif reply.status >= 400:
        assert reply.content_type == MEDIA_TYPE, shown
        told = {} if request.method == "HEAD" else json.loads(reply.body)
    if told:
        assert (told["status"], told["request_id"]) == (reply.status, reply.request_id), shown
        assert KINDS[told["code"]][0] == reply.status, shown
    named = [value.decode("latin-1") for name, value in request.headers if name == b"X-Request-ID"]
    assert reply.request_id != "", shown
    if re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", named[0]) and told.get("code") not in BELOW_REQUESTS:
        assert reply.request_id == named[0], shown


def attacked(process: Process, attack: Attack, *, count: int) -> Counter[int]:
    """The statuses of so many requests of an attack, or a few more, on one connection."""
    statuses = Counter[int]()
    with closing(Pipeline(process.port)) as pipeline, closing(process.caller()) as caller:
        for organization, requests in attack.waves():
            furnish(caller, organization)
            while together := list(islice(requests, UNDERWAY)):
                for request, reply in pipeline.ask(together):
                    check(request, reply)
                    statuses[reply.status] += 1
                if statuses.total() >= count:
                    return statuses
            caller.ask("DELETE", f"/v1/orgs/{organization}")
    raise AssertionError("attacks never end")


def attacked_at_once(
    process: Process, corpus: list[Request], *, name: str, count: int
) -> Counter[int]:
    """The statuses of attacks on several connections, each at organizations of its own."""
    each = -(-count // CONNECTIONS)
    attacks = [Attack(f"{name}-{number}", corpus, process.key) for number in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        done = threads.map(partial(attacked, process, count=each), attacks)
        return sum(done, Counter[int]())


def tidy(caller: Caller, key: str) -> None:
    """Delete what attacks have made: what is stored is followed, and costs memory by right."""
    for one in every(caller, "/v1/orgs"):
        if one["id"] != UNTOUCHED:
            assert caller.ask("DELETE", f"/v1/orgs/{one['id']}").status == 204
    for one in every(caller, "/v1/keys"):
        if one["revoked_at"] is None and not key.startswith(f"gp_{one['prefix']}"):
            assert caller.ask("DELETE", f"/v1/keys/{one['prefix']}").status == 204


def every(caller: Caller, path: str) -> list[dict[str, Any]]:
    """The items of all pages."""
    items: list[dict[str, Any]] = []
    query = "limit=1000"
    while True:
        told = caller.ask("GET", f"{path}?{query}").told
        items += told["items"]
        if told["next"] is None:
            return items
        query = urlencode({"limit": 1_000, "after": told["next"]})


def decisions(caller: Caller) -> list[tuple[object, object]]:
    """What the service says to questions about the organization that nobody names."""
    told = [caller.ask("POST", "/evaluate", {"org_id": UNTOUCHED, **one}).told for one in QUESTIONS]
    return [(one["decision"], one["reason_code"]) for one in told]


def furnish(caller: Caller, name: str) -> None:
    """Make an organization that has every kind of fact."""
    assert caller.ask("POST", "/v1/orgs", {"id": name}).status == 201
    made = caller.ask("POST", f"/v1/orgs/{name}/changes", {"commands": FACTS})
    assert made.status == 200, made


RAW: Final = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
    b"GET /" + b"a" * 200_000,
    b"GET / HTTP/9.9\r\n\r\n",
    b"POST /evaluate HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /evaluate HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nhello",
    b"POST /evaluate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET /readyz HTTP/1.1\r\n" + b"x: y\r\n" * 20_000 + b"\r\n",
    b"GET /readyz HTTP/1.1\r\nx\x00y: \x7f\r\n\r\n",
    b"\r\n" * 50_000,
    "GET /v1/orgs/\u0430cme HTTP/1.1\r\n\r\n".encode(),
)
"""What is no HTTP, or hardly; each on a connection of its own, which is then let go."""


def sent_raw(process: Process) -> None:
    """Send what is no HTTP: an answer, if there is one, is no failure of the server."""
    for text in RAW:
        with closing(socket.create_connection(("127.0.0.1", process.port), 30)) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(text)
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            with contextlib.suppress(OSError):
                while block := connection.recv(65_536):
                    answer += block
        assert not answer.startswith(b"HTTP/1.1 5"), (text[:100], answer[:500])


def test_hostile_requests_cost_neither_an_error_nor_memory_nor_a_right_answer(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """No 5xx, memory that stays, and an organization nobody named answers as before."""
    process = process_on(SqliteDatabases(tmp_path).empty, tmp_path / "service")
    each = (SCALE.hostile_requests - SCALE.hostile_drawn) // QUARTERS
    with serving(process), closing(process.caller()) as caller:
        furnish(caller, UNTOUCHED)
        right = decisions(caller)
        assert {decision for decision, _ in right} == {"Allow", "Deny"}
        sent_raw(process)
        drawn = drawn_requests(process, SCALE.hostile_drawn)
        statuses, resident = drawn.statuses.copy(), [resident_bytes(process.pid)]
        for quarter in range(QUARTERS):
            statuses += attacked_at_once(process, drawn.requests, name=f"{quarter}", count=each)
            tidy(caller, process.key)
            resident.append(resident_bytes(process.pid))
        assert decisions(caller) == right
        assert process.starts == 1
        process.stop()
    check_audit(process)
    shown = ", ".join(f"{code} {times}" for code, times in sorted(statuses.items()))
    megabytes = ", ".join(f"{one / MEGABYTE:.0f}" for one in resident)
    record_property(
        "figure",
        f"{statuses.total()} hostile requests, {drawn.statuses.total()} of them drawn: {shown};"
        f" resident after those and each quarter of the others: {megabytes} MB",
    )
    assert statuses.total() >= SCALE.hostile_requests
    assert {200, 201, 400, 401, 404, 405, 409, 415} <= set(statuses)
    assert resident[-1] - resident[0] <= GROWTH_BYTES_MAX
    assert resident[-1] - resident[QUARTERS // 2] <= LEVEL_BYTES_MAX


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    """What the parsers' process says."""
    return subprocess.run(
        [sys.executable, "-m", "tests.survival.parsing", *words],
        capture_output=True,
        text=True,
        check=False,
        errors="replace",
    )


def test_bombs_are_refused_in_little_time_and_memory(
    record_property: Callable[[str, object], None],
) -> None:
    """Deep nesting, laughs by the billion, huge numbers, members twice: one fault each, soon."""
    done = run("bombs")
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    record_property("figure", done.stdout.strip())
    assert done.stdout.startswith(f"{len(BOMBS)} bombs, 0 worked")


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="atheris has no wheels for it yet")
@pytest.mark.parametrize("name", PARSERS)
def test_no_input_that_reaches_new_code_breaks_a_parser(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    """Every input is read, or refused in the parser's own way; none ends the process."""
    done = run(name, str(SCALE.fuzz_runs), str(SCALE.fuzz_seconds))
    assert done.returncode == 0, done.stderr[-3_000:]
    runs = re.search(r"^Done (\d+) runs in (\d+) second", done.stderr, re.MULTILINE)
    reached = re.findall(r"cov: (\d+)", done.stderr)
    assert runs is not None, done.stderr[-2_000:]
    assert reached, done.stderr[-2_000:]
    record_property(
        "figure", f"atheris, {name}: {runs[1]} inputs in {runs[2]} s, coverage {reached[-1]}"
    )
    assert int(runs[1]) >= 100
    assert int(reached[-1]) > int(reached[0]), "no input reached anything new"
