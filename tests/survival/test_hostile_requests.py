"""Hostile requests to a real process: never a 5xx, bounded memory, and right answers afterwards.

A half of them is made of the OpenAPI document, allowed and forbidden, more or less damaged; the
other half are bodies, ids and headers that nobody sends who means well, and bytes turned over in
bodies that are right. Beside it, the parsers under bombs and under a coverage-guided fuzzer.
"""

import contextlib
import itertools
import json
import random
import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final, cast

import httpx2
import pytest
from typing_extensions import override

from grantproof.adapters.memory import MemoryStore
from grantproof.core.organization import Organization
from grantproof.service.callers import WITHIN_ORGANIZATION
from tests.api.furnished import BODIES, FACTS, LOOKS, READS, WRITES
from tests.api.fuzzing import Drawn, Judge, Target
from tests.api.service import ADDRESS, Api
from tests.api.test_hostile import BODIES_AT_FAULT, LOOK_ALIKES, quoted
from tests.api.test_schema import OPERATIONS, body_schema
from tests.databases import SqliteDatabases
from tests.survival.parsing import BOMBS, PARSERS
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
GROWTH_BYTES_MAX: Final = 160 * MEGABYTE
"""How much memory the attack may cost for good; the largest single body is 4 MB."""

RENEWED_EVERY: Final = 400
ATTACKED, UNTOUCHED = "attacked", "untouched"
QUESTIONS: Final = [READS, WRITES, LOOKS, {**READS, "principal_id": "nobody"}]
SENDABLE: Final = re.compile(rb"[!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?")
UNSEEN: Final = b'\x00\x7f\xff{}[]",:\\u0e+-'


class RealApi:
    """Sends what was meant for the service in process to one that is a process."""

    def __init__(self, process: Process) -> None:
        self._base = f"http://127.0.0.1:{process.port}"
        self.client = httpx2.Client(
            base_url=self._base, headers={"Authorization": f"Bearer {process.key}"}, timeout=60
        )

    def request(self, method: str, url: str, **sent: Any) -> httpx2.Response:
        """The answer, whatever it is; what the client itself refuses to send is left out."""
        given = sent.pop("headers", {})
        sent["headers"] = {
            name: value
            for name, value in given.items()
            if isinstance(value, str) or SENDABLE.fullmatch(value) is not None
        }
        return self.client.request(method, url.replace(ADDRESS, self._base, 1), **sent)

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


def drawn_requests(process: Process, count: int) -> Counter[int]:
    """The statuses of requests that are made of the document."""
    statuses = Counter[int]()
    with closing(RealApi(process)) as real:
        # What is attacked is not in this process: the store here stays empty.
        target = RealTarget(cast(Api, real), MemoryStore())
        each = -(-count // len(OPERATIONS))
        for operation in OPERATIONS.values():
            for _ in range(-(-each // RENEWED_EVERY)):
                target.renew()
                judge = Attacker(operation, target, body_schema(operation), changing=False)
                judge.ask(min(each, RENEWED_EVERY))
                statuses += judge.statuses
        target.api.request("DELETE", f"/v1/orgs/{target.organization}")
    return statuses


def spoilt(text: bytes, draw: random.Random) -> bytes:
    """A body that was right, a few bytes of it turned over, left out or written again."""
    found = bytearray(text)
    for _ in range(draw.randint(1, 4)):
        place = draw.randrange(len(found) + 1)
        match draw.randrange(3):
            case 0:
                found[place:place] = bytes([draw.choice(UNSEEN)])
            case 1:
                del found[place : place + draw.randint(1, 8)]
            case _:
                found[place:place] = found[place : place + draw.randint(1, 8)] * draw.randint(1, 3)
    return bytes(found)


def attacks(draw: random.Random) -> Iterator[tuple[str, str, bytes | None]]:
    """Requests by hand: bombs, look-alikes in every place, bodies that were right."""
    here = f"/v1/orgs/{ATTACKED}"
    posts = [label.replace("{org}", ATTACKED).split() for label in BODIES]
    names = {"principal": "ann", "resource": "docs", "role": "clerk", "sod_set": "pair"}
    addressed = [
        (method, re.sub(r"{(\w+)}", lambda found: names[found[1]], path)) for method, path in posts
    ]
    bodies = list(BODIES.values())
    kinds = ("principals", "groups", "roles", "kinds")
    for number in itertools.count():
        which = number % len(addressed)
        method, path = addressed[which]
        if number % 10 == 0:
            yield method, path, draw.choice(list(BODIES_AT_FAULT.values()))
        elif number % 10 < 4:
            alike = draw.choice(list(LOOK_ALIKES.values()))
            place = f"{here}/{draw.choice(kinds)}"
            yield "POST", place, json.dumps({"id": alike}).encode()
            yield draw.choice(("GET", "DELETE")), f"{place}/{quoted(alike)}", None
            question = {**READS, "org_id": ATTACKED, "principal_id": alike}
            yield "POST", "/evaluate", json.dumps(question).encode()
        else:
            body = draw.choice(bodies[which])
            yield method, path, spoilt(json.dumps({**body, "org_id": ATTACKED}).encode(), draw)


def sent_by_hand(process: Process, count: int) -> tuple[Counter[int], int]:
    """The statuses of attacks by hand; the memory that was resident after a tenth of them."""
    statuses, before = Counter[int](), 0
    with closing(process.caller(seconds=60)) as caller:
        for number, (method, path, body) in enumerate(attacks(random.Random(5))):
            if number == count:
                break
            if number == count // 10:
                before = resident_bytes(process.pid)
            answer = caller.send(method, path, body)
            assert answer.status < 500, (method, path, (body or b"")[:500], answer)
            statuses[answer.status] += 1
    return statuses, before


def decisions(caller: Caller) -> list[tuple[object, object]]:
    """What the service says to questions about the organization that nobody names."""
    told = [caller.ask("POST", "/evaluate", {"org_id": UNTOUCHED, **one}).told for one in QUESTIONS]
    return [(one["decision"], one["reason_code"]) for one in told]


def found(caller: Caller, name: str) -> None:
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
    half = SCALE.hostile_requests // 2
    with serving(process), closing(process.caller()) as caller:
        for name in (ATTACKED, UNTOUCHED):
            found(caller, name)
        right = decisions(caller)
        assert {decision for decision, _ in right} == {"Allow", "Deny"}
        sent_raw(process)
        by_hand, before = sent_by_hand(process, half)
        made_of = drawn_requests(process, half)
        after = resident_bytes(process.pid)
        assert decisions(caller) == right
        assert process.starts == 1
        process.stop()
    check_audit(process)
    statuses = by_hand + made_of
    shown = ", ".join(f"{code} {times}" for code, times in sorted(statuses.items()))
    record_property(
        "figure",
        f"{statuses.total()} hostile requests: {shown}; resident {before / MEGABYTE:.0f} MB after"
        f" the first, {after / MEGABYTE:.0f} MB after the last",
    )
    assert statuses.total() >= SCALE.hostile_requests
    assert {200, 400, 404} <= set(statuses)
    assert after - before <= GROWTH_BYTES_MAX


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
    done = run(name, str(SCALE.fuzz_runs))
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
