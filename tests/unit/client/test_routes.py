"""Which right a request takes: looked up in a table, and refused where there is no line for it."""

import pytest

from grantproof.client.routes import Needed, Open, Routes, Rule

ROUTES = Routes(
    (
        Open("GET", "/health"),
        Rule("GET", "/docs", "list", "docs"),
        Rule("GET", "/docs/{name}", "read", "docs/{name}"),
        Rule("*", "/docs/{name}", "write", "docs/{name}"),
        Rule("POST", "/files/{folder}/{rest:path}", "upload", "files/{folder}"),
    )
)


@pytest.mark.parametrize(
    ("request_line", "needed"),
    [
        ("GET /docs", Needed("list", "docs")),
        ("HEAD /docs", Needed("list", "docs")),
        ("GET /docs/plan", Needed("read", "docs/plan")),
        ("PUT /docs/plan", Needed("write", "docs/plan")),
        ("POST /files/a/b/c", Needed("upload", "files/a")),
        ("GET /docs/a\nb", Needed("read", "docs/a\nb")),
        ("GET /health", Open("GET", "/health")),
    ],
)
def test_a_request_takes_the_right_of_its_line(request_line: str, needed: Needed | Open) -> None:
    """The first line that is about it."""
    method, _, path = request_line.partition(" ")
    assert ROUTES.needed(method, path) == needed


@pytest.mark.parametrize(
    "request_line",
    [
        "POST /docs",
        "POST /health",
        "GET /",
        "GET /docs/",
        "GET //docs",
        "GET /docs/a/b",
        "GET /docs/plan/",
        "GET /Docs",
        "get /docs",
        "GET /docs\n",
        "GET /healthy",
        "POST /files/a/",
        "OPTIONS /docs",
    ],
)
def test_a_request_without_a_line_is_refused(request_line: str) -> None:
    """However near it comes; a table may say otherwise."""
    method, _, path = request_line.partition(" ")
    assert ROUTES.needed(method, path) is None
    assert Routes(ROUTES.rules, unmatched_open=True).needed(method, path) == Open(method, path)


def test_a_resource_names_only_what_the_path_has() -> None:
    """A table that could never be looked up is not made."""
    with pytest.raises(ValueError, match=r"names `doc`, which `/docs/\{name\}`"):
        Rule("GET", "/docs/{name}", "read", "docs/{doc}")


def test_what_the_path_means_for_a_pattern_means_nothing() -> None:
    """A dot is a dot."""
    rule = Rule("GET", "/a.b/{x}", "read", "r/{x}")
    assert rule.needed("GET", "/aXb/1") is None
    assert rule.needed("GET", "/a.b/{x}") == Needed("read", "r/{x}")
