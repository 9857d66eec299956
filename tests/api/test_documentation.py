"""The page at `/docs`: whole, of this service alone and for everybody; and what stands at `/`."""

import re

import pytest

from grantproof.api.access import is_public
from grantproof.api.documentation import HERE
from tests.api.service import Api, problem

PARTS = ("swagger-ui.js", "swagger-ui.css", "docs.js", "docs.css")


def test_the_page_takes_nothing_from_elsewhere(stranger: Api) -> None:
    """Every address in it is one of this service, and its policy allows no other."""
    answer = stranger.get("/docs")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    taken = re.findall(r'(?:src|href)="([^"]*)"', answer.text)
    assert {address.removeprefix("docs/") for address in taken} >= set(PARTS)
    for address in taken:
        assert stranger.get(f"/{address}").status_code == 200, address
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert not re.search(r"unsafe|http|\*", policy)
    assert "<script>" not in answer.text
    assert "style=" not in answer.text


def test_the_page_asks_no_validator() -> None:
    """Swagger UI would send the document to a host of its own."""
    script = (HERE / "docs.js").read_text("utf-8")
    assert "validatorUrl: null" in script
    assert "persistAuthorization: false" in script


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_kept_and_asked_for_again(stranger: Api, name: str) -> None:
    """By a tag of what it holds; what a browser has already is not sent again."""
    first = stranger.get(f"/docs/{name}")
    assert (first.status_code, len(first.content) > 30) == (200, True)
    assert first.headers["content-type"].startswith(
        "text/css" if name.endswith(".css") else "text/javascript"
    )
    assert first.headers["cache-control"] == "public, max-age=3600"
    tag = first.headers["etag"]
    again = stranger.get(f"/docs/{name}", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = stranger.get(f"/docs/{name}", headers={"If-None-Match": '"another"'})
    assert (other.status_code, other.content) == (200, first.content)


@pytest.mark.parametrize(
    "name", ["nothing.js", "docs.html", "__init__.py", "..%2f__init__.py", "oauth2-redirect"]
)
def test_nothing_else_is_served(stranger: Api, name: str) -> None:
    """Only what the page takes: no other file, and no folder above."""
    problem(stranger.get(f"/docs/{name}"), 404, "no_such_route")
    del stranger.headers["Authorization"]
    problem(stranger.get(f"/docs/{name}"), 401, "unauthenticated")


def test_the_page_itself_and_errors_are_not_kept(stranger: Api) -> None:
    """Another version may say something else."""
    assert stranger.get("/docs").headers["cache-control"] == "no-store"
    assert stranger.get("/docs/no.js").headers["cache-control"] == "no-store"


def test_only_what_is_needed_is_public() -> None:
    """A file of the page, and nothing below or beside it."""
    assert is_public("/docs")
    assert is_public("/docs/docs.js")
    assert not is_public("/docs/docs.js/more")
    assert not is_public("/docsx")
    assert not is_public("/redoc")


def test_whoever_opens_the_address_is_led_to_the_console(stranger: Api) -> None:
    """Without a credential, and nothing else can be done there."""
    answer = stranger.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
    problem(stranger.post("/", json={}), 405, "method_not_allowed")


def test_the_icon_is_found_where_browsers_look(stranger: Api) -> None:
    """It is that of the console."""
    answer = stranger.get("/favicon.ico")
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (
        200,
        "image/svg+xml",
    )
