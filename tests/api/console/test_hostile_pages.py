"""Hostile addresses and forms: every page refuses what is none, and tells of nobody else."""

import re
from collections.abc import Iterator
from typing import Final

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.service.callers import EVERY_SCOPE, Scope
from grantproof.service.demo import ACME
from grantproof.service.keyring import KeyRequest
from tests.api.console.browsing import OURS, look
from tests.api.routes import CONSOLE, Route, named
from tests.api.service import OPERATORS, Api, bearer, new_key, serving

READING: Final = [route for route in CONSOLE if route.method == "GET"]
CHANGING: Final = [route for route in CONSOLE if route.method != "GET"]
QUERIES: Final = (
    "x=1",
    "%00=1",
    "x%00=1",
    "%ff=%fe",
    "q=%00",
    "q=a&q=b",
    "after=%ff",
    "after=%27%20OR%201%3D1--",
    "next=%0d%0aSet-Cookie:a",
    "v=" + "9" * 5_000,
    "=&=&&&",
    "%",
)
BODIES: Final = (
    b"",
    b"%00=%00",
    b"key=%ff%fe",
    b"&".join(b"f%d=" % number for number in range(900)),
    b"key=" + b"a" * 100_000,
    b"\xff\xfe",
    b"=&=",
    b"revision=-1&role=%3Cscript%3E&principal=..%2F..&next=//x",
)
VARYING: Final = re.compile(
    r"[\w-]+-[\da-f]+</code>|\d+\.\d s ago|\d\d:\d\d(:\d\d)?|name=\"key\" value=\"[^\"]*\""
)
"""What differs from one look to the next: the id of the request, the time, the key of a form."""


@pytest.fixture(scope="module")
def operator() -> Iterator[Api]:
    """What an operator sees, who may do everything."""
    store = MemoryStore()
    with serving(store, OPERATORS) as client:
        yield client


@pytest.mark.parametrize("route", READING, ids=named)
def test_a_hostile_query_is_a_page_that_says_no(operator: Api, route: Route) -> None:
    """Never an error of ours, and nothing of it stands in the page unescaped."""
    for query in QUERIES:
        answer = look(operator, f"{route.address('acme')}?{query}")
        assert answer.status_code < 500, (query, answer.text)
        assert "OR 1=1" not in answer.text.replace("&#39; OR 1=1", "")
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("route", CHANGING, ids=named)
def test_a_hostile_form_is_a_page_that_says_no(operator: Api, route: Route) -> None:
    """Whatever it holds; nothing is changed by it."""
    before = operator.get("/v1/orgs/acme").json()["revision"]
    for body in BODIES:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = operator.request(
            route.method,
            route.address("acme"),
            content=body,
            headers={**OURS, **kind},
            follow_redirects=False,
        )
        assert answer.status_code < 500, (body[:100], answer.text)
        assert "<script>" not in answer.text
    assert operator.get("/v1/orgs/acme").json()["revision"] == before


@pytest.mark.parametrize("route", READING, ids=named)
def test_hostile_names_in_an_address_are_a_page_that_says_no(operator: Api, route: Route) -> None:
    """In each place, where the address has one."""
    for mark in ("%3Cscript%3E", "%00", "..%2f..", "%ff", "x" * 3_000, "%F0%9F%92%A9", "'--"):
        path = re.sub(r"{[^}]*}", mark, route.template)
        answer = look(operator, path)
        assert answer.status_code < 500, (path[:100], answer.text)
        assert "<script>" not in answer.text


def test_no_page_of_one_organization_tells_of_another() -> None:
    """Whatever another does, whose ids are the same, each page stays as it was."""
    store = MemoryStore()
    with serving(store) as api:
        bound = KeyRequest(ACME, None, EVERY_SCOPE - {Scope.OPERATE})
        own, operators = bearer(new_key(store, bound)), bearer(new_key(store, OPERATORS))
        pages = [route.address("acme") for route in READING]

        def seen() -> list[str]:
            texts = (look(api, page, headers=own).text for page in pages)
            return [VARYING.sub("", text) for text in texts]

        before = seen()
        assert api.post("/v1/orgs", json={"id": "globex"}, headers=operators).status_code == 201
        for path, body in (
            ("principals", {"id": "alice"}),
            ("roles", {"id": "editor"}),
            ("principals", {"id": "someone"}),
        ):
            made = api.post(f"/v1/orgs/globex/{path}", json=body, headers=operators)
            assert made.status_code == 201
        assert seen() == before
        assert not any("globex" in text or "someone" in text for text in seen())
