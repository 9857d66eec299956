"""Bytes that nobody sends who means well: an error of the caller each, never one of ours, soon."""

import json
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest
from httpx2 import Response

from grantproof.adapters.memory import MemoryStore
from grantproof.core.identifiers import OrganizationId
from grantproof.core.invariants import valid
from tests.api.furnished import BODIES, NAMES
from tests.api.fuzzing import Target
from tests.api.routes import ROUTES, Route, named
from tests.api.service import OPERATORS, Api, refusal, serving

PROCESSOR_SECONDS_MAX: Final = 3.0
"""How long a processor may be busy with one answer; that others keep it busy, too, is no matter."""
SECONDS_MAX: Final = 60.0
"""How long one answer may take; nothing that is refused is waited for."""

JSON: Final = {"Content-Type": "application/json"}
DEEP: Final = 100_000
MEGABYTE: Final = 1_000_000

BODIES_AT_FAULT: Final[dict[str, bytes]] = {
    "nothing": b"",
    "white space": b" \n\t ",
    "text": b"hello",
    "a form": b"id=x&role=y",
    "half an object": b'{"id": "x"',
    "two documents": b"{}{}",
    "a comma too many": b'{"id": "x",}',
    "a comment": b'{"id": "x" /* x */}',
    "deep lists": b"[" * DEEP,
    "deep lists, closed": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP,
    "deep inside": b'{"id":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "not a number": b'{"id": NaN}',
    "infinity": b'{"id": -Infinity}',
    "a huge exponent": b'{"id": 1e999999999}',
    "a huge integer": b'{"id": ' + b"9" * 100_000 + b"}",
    "a long number": b'{"id": 0.' + b"1" * 100_000 + b"}",
    "no UTF-8": b'{"id": "\xff\xfe"}',
    "UTF-8 too long": b'{"id": "\xc0\x80"}',
    "a surrogate in UTF-8": b'{"id": "\xed\xa0\x80"}',
    "half a surrogate pair": b'{"id": "\\ud800"}',
    "UTF-16": '{"id": "x"}'.encode("utf-16"),
    "UTF-32": '{"id": "x"}'.encode("utf-32"),
    "a byte order mark": b'\xef\xbb\xbf{"id": "x"}',
    "a NUL byte": b'{"id": "\x00"}',
    "NUL bytes": b"\x00" * 1_000,
    "an escaped NUL": b'{"id": "a\\u0000b"}',
    "a megabyte": b'{"id": "' + b"x" * MEGABYTE + b'"}',
    "a megabyte for a name": b'{"' + b"x" * MEGABYTE + b'": 1}',
    "many members": json.dumps({f"x{n}": n for n in range(50_000)}).encode(),
    "compressed": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xae\x05\x00C\xbf\xa6\xa3",
}

LOOK_ALIKES: Final = {
    "cyrillic": "\u0430nn",
    "full width": "\uff41nn",
    "composed": "anñ",
    "invisible": "ann\u200b",
    "from right to left": "\u202eann",
    "NUL": "ann\x00",
    "a line break": "ann\n",
    "a non-character": "ann\ufffe",
    "emoji": "\U0001f511",
    "arabic digits": "٣",
    "upwards": "../ann",
    "quoted": "ann'--",
    "long": "a" * 10_000,
}

HEADERS_AT_FAULT: Final[dict[str, dict[str, bytes]]] = {
    "no type": {},
    "another type": {"Content-Type": b"text/plain"},
    "a form": {"Content-Type": b"multipart/form-data; boundary=x"},
    "XML": {"Content-Type": b"application/xml"},
    "almost JSON": {"Content-Type": b"application/json5"},
    "garbage": {"Content-Type": b"\xff\xfe\x80;;;==,,"},
    "long": {"Content-Type": b"x" * 10_000},
}

POSTING: Final = [
    route for route in ROUTES if f"{route.method} {route.template}".replace(":path", "") in BODIES
]
READING: Final = [route for route in ROUTES if route.scopes is not None and route.method == "GET"]


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """A furnished organization, as an operator sees it."""
    store = MemoryStore()
    with serving(store, OPERATORS) as api:
        made = Target(api, store)
        made.renew()
        yield made


def address(route: Route, target: Target) -> str:
    """An address of the route that names what exists."""
    path = route.template
    for name, names in {**NAMES, "org": [target.organization], "prefix": ["x"]}.items():
        path = path.replace(f"{{{name}}}", names[0])
    return path


def refused(api: Api, method: str, path: str, **sent: Any) -> Response:
    """The answer, which comes soon and finds fault with the request."""
    began, busy = time.perf_counter(), time.process_time()
    response = api.request(method, path, **sent)
    assert time.process_time() - busy < PROCESSOR_SECONDS_MAX, path
    assert time.perf_counter() - began < SECONDS_MAX, path
    assert 400 <= response.status_code < 500, (method, path, response.text[:500])
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-request-id"]
    assert len(response.content) < 20_000
    told = response.json()
    assert told["status"] == response.status_code
    assert told["detail"].isprintable()
    return response


def test_there_are_bodies_to_spoil() -> None:
    """Every operation that takes a body is met below."""
    assert len(POSTING) == len(BODIES) > 20


@pytest.mark.parametrize("name", BODIES_AT_FAULT)
def test_a_hostile_body_is_refused_everywhere(target: Target, name: str) -> None:
    """Every route that takes a body refuses it with 400, and nothing has changed."""
    state = target.state()
    for route in POSTING:
        path = address(route, target)
        sent = {"content": BODIES_AT_FAULT[name], "headers": JSON}
        assert refused(target.api, route.method, path, **sent).status_code == 400, path
    assert target.state() == state


@pytest.mark.parametrize("name", HEADERS_AT_FAULT)
def test_a_body_of_another_type_is_refused_everywhere(target: Target, name: str) -> None:
    """What is not said to be JSON is 415, though it be JSON."""
    for route in POSTING:
        path = address(route, target)
        sent = {"content": b"{}", "headers": HEADERS_AT_FAULT[name]}
        assert refused(target.api, route.method, path, **sent).status_code == 415, path


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_an_id_that_looks_like_another_is_refused(target: Target, name: str) -> None:
    """In bodies and in addresses: no id is normalized, cut or taken for another."""
    written = LOOK_ALIKES[name]
    here = f"/v1/orgs/{target.organization}"
    state = target.state()
    for kind in ("principals", "groups", "roles", "kinds"):
        refused(target.api, "POST", f"{here}/{kind}", json={"id": written})
        refused(target.api, "GET", f"{here}/{kind}/{quoted(written)}")
        refused(target.api, "DELETE", f"{here}/{kind}/{quoted(written)}")
    refused(target.api, "GET", f"/v1/orgs/{quoted(written)}/roles")
    question = {"action": "read", "resource_id": "docs", "org_id": target.organization}
    refused(target.api, "POST", "/evaluate", json={**question, "principal_id": written})
    assert target.state() == state


def quoted(text: str) -> str:
    """The text, every byte of it escaped."""
    return "".join(f"%{byte:02X}" for byte in text.encode())


TWICE: Final = {
    "/evaluate": (
        b'{"org_id": "ORG", "action": "a", "resource_id": "docs", "%s": "%s", "%s": "%s"}'
    ),
    "/v1/orgs/ORG/memberships": b'{"group": "club", "%s": "%s", "%s": "%s"}',
}


@pytest.mark.parametrize("path", TWICE)
def test_of_a_name_given_twice_every_reader_takes_the_last(target: Target, path: str) -> None:
    """What is checked is what is used: an illegal value hides behind no legal one."""
    name = b"principal_id" if path == "/evaluate" else b"principal"
    where = path.replace("ORG", target.organization)
    for first, last, is_refused in ((b"dan", b"no id", True), (b"no id", b"dan", False)):
        body = TWICE[path] % (name, first, name, last)
        body = body.replace(b"ORG", target.organization.encode())
        if is_refused:
            refused(target.api, "POST", where, content=body, headers=JSON)
        else:
            assert target.api.post(where, content=body, headers=JSON).is_success


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": b"Basic \xff\xfe"},
        {"Authorization": b"Bearer " + b"x" * 100_000},
        {"Authorization": b"Bearer gp_\x80\x81\x82" + b"a" * 60},
        {"Authorization": b"Bearer a.b.c"},
        {"Authorization": b"Bearer"},
        {"Authorization": b"bearer \xc3\xa9.\xc3\xa9.\xc3\xa9"},
    ],
)
def test_garbage_is_no_credential(target: Target, headers: dict[str, bytes]) -> None:
    """401 on every route that asks who calls."""
    for route in ROUTES:
        if route.scopes is not None:
            path = address(route, target)
            given: dict[str, Any] = {"headers": headers}
            if route.is_authzen:
                response = target.api.request(route.method, path, **given)
                refusal(response, 401, "unauthenticated", is_plain=True)
            else:
                response = refused(target.api, route.method, path, **given)
            assert response.status_code == 401


@pytest.mark.parametrize("route", READING, ids=named)
def test_garbage_in_a_query_is_refused(target: Target, route: Route) -> None:
    """A name that no route knows, bytes that are no text, numbers that are none or too large."""
    path = address(route, target)
    for query in ("x%00=1", "%ff=%fe", "limit=%D9%A3", "limit=" + "9" * 5_000, "limit=1&limit=2"):
        refused(target.api, "GET", f"{path}?{query}")


def test_what_was_attacked_is_whole(target: Target) -> None:
    """A body that is spoilt in no way is accepted afterwards."""
    state = target.store.load(OrganizationId(target.organization))
    assert state is not None
    assert valid(state) == ()
    told = target.api.post(f"/v1/orgs/{target.organization}/roles", json={"id": "whole"})
    assert told.status_code == 201
