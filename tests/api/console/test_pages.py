"""Every page: its headers, its form, and what it says when something is wrong."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any, NoReturn

import pytest
from structlog.testing import capture_logs

from grantproof.adapters.memory import MemoryStore
from grantproof.api.console.rendering import NAVIGATION
from grantproof.api.console.static_files import found
from grantproof.service.ports import StoreUnavailable
from tests.api.console.browsing import look, post, told, words
from tests.api.routes import CONSOLE, Route, named
from tests.api.service import OPERATORS, Api, bearer, new_key, running, serving

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
ACME = "/console/orgs/acme"
READING = [route for route in CONSOLE if route.method == "GET" and "{name}" not in route.template]
TEMPLATES = files("grantproof.api.console").joinpath("templates")


@pytest.fixture(scope="module")
def shared() -> Iterator[Api]:
    """What an operator sees, shared by tests that change nothing."""
    store = MemoryStore()
    with serving(store, OPERATORS) as client:
        yield client


def check_headers(headers: Any) -> None:
    """Assert that the browser is told what it may do with the page."""
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("route", CONSOLE, ids=named)
def test_every_answer_of_the_console_has_its_headers(shared: Api, route: Route) -> None:
    """Pages, ways to sign in, and refusals: as an operator, as nobody, and from elsewhere."""
    if "{name}" in route.template:
        return
    for headers in ({}, {"Authorization": "Bearer x"}, {"Sec-Fetch-Site": "cross-site"}):
        for org in ("acme", "absent"):
            answer = shared.request(
                route.method, route.address(org), headers=headers, follow_redirects=False
            )
            check_headers(answer.headers)
            assert answer.status_code < 500


class Form(HTMLParser):
    """Reads a page, and notes what a strict policy or a screen reader would miss."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.wanted: list[str] = []
        self.fields: list[str] = []
        self.drawn = False
        self.feed(text)
        self.faults += [f"no id {one}" for one in self.wanted if one not in self.ids]
        self.faults += [f"no label for {one}" for one in self.fields if one not in self.wanted]
        if len(set(self.ids)) != len(self.ids):
            self.faults.append("an id stands twice")
        for tag in ("main", "h1", "header", "footer", "title"):
            if self.tags.count(tag) != 1:
                self.faults.append(f"{self.tags.count(tag)} of {tag}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        given = dict(attrs)
        self.drawn = self.drawn or tag == "svg"
        if not (self.drawn and tag == "title"):
            # Each box of a drawing has a title too.
            self.tags.append(tag)
        if "style" in given or tag == "style":
            self.faults.append(f"style in {tag}")
        if tag == "script" and "src" not in given:
            self.faults.append("script within the page")
        self.faults += [f"{name} in {tag}" for name in given if name.startswith("on")]
        for name in ("src", "href", "action"):
            if not (given.get(name) or "/").startswith(("/", "#")):
                self.faults.append(f"{name} leads elsewhere: {given[name]}")
        if tag == "th" and "scope" not in given:
            self.faults.append("th without scope")
        if given.get("id"):
            self.ids.append(given["id"] or "")
        for name in ("aria-labelledby", "aria-describedby", "for", "aria-controls"):
            self.wanted += (given.get(name) or "").split()
        hidden = given.get("type") in {"hidden", "submit"} or "aria-label" in given
        if tag in {"input", "select", "textarea"} and not hidden:
            self.fields.append(given.get("id") or f"{tag} without id")

    def handle_endtag(self, tag: str) -> None:
        """Note the end of a drawing."""
        self.drawn = self.drawn and tag != "svg"


@pytest.mark.parametrize("route", READING, ids=named)
def test_every_page_is_well_formed(shared: Api, route: Route) -> None:
    """One heading, landmarks, labels, headers of tables; nothing that the policy would forbid."""
    answer = shared.get(route.address("acme"))
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert Form(answer.text).faults == []


def test_what_is_ill_formed_is_found() -> None:
    """The reader of pages is not blind."""
    text = (
        '<style></style><script>x</script><p style="x" onclick="y" id="a"></p><p id="a"></p>'
        '<input><input id="b"><label for="c"></label><th></th><a href="//x.example/"></a>'
        '<a href="https://x.example/"></a><img src="data:,">'
    )
    assert len(Form(text).faults) >= 14


def test_no_template_switches_escaping_off() -> None:
    """What people wrote is text, always."""
    for entry in TEMPLATES.iterdir():
        text = entry.read_text(encoding="utf-8")
        assert re.findall(r"\|\s*safe\b|autoescape|Markup|\|\s*xmlattr", text) == [], entry.name
        assert re.findall(r"<\w+[^>]*\s[\w-]+=\{\{", text) == [], f"unquoted in {entry.name}"


def test_what_people_wrote_is_escaped(store: MemoryStore) -> None:
    """In the reason of a change, where anything printable may stand."""
    with serving(store, OPERATORS) as api:
        body = {"id": "mallory"}
        headers = {"Grantproof-Reason": "<script>alert(1)</script>\"'&"}
        made = api.post("/v1/orgs/acme/principals", json=body, headers=headers)
        assert made.status_code == 201
        page = api.get(ACME)
        assert "<script>alert" not in page.text
        assert "<script>alert(1)</script>\"'&" in words_of(page.text)


def words_of(text: str) -> str:
    """The text that a reader sees."""
    from html import unescape  # noqa: PLC0415 - only here

    return unescape(re.sub(r"<[^>]*>", "", text))


def test_an_unknown_page_is_a_page(shared: Api) -> None:
    """404, with the way back."""
    answer = look(shared, "/console/<script>")
    assert "there is no route" in told(answer, 404, "no_such_route")
    assert "<script>" not in answer.text.replace('<script src="', "")
    assert '<a href="/console">' in answer.text
    check_headers(answer.headers)


def test_a_method_that_a_page_does_not_take_is_told(shared: Api) -> None:
    """405 with `Allow`."""
    answer = post(shared, ACME, {})
    told(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD"
    check_headers(answer.headers)


def test_a_stray_parameter_is_told(shared: Api) -> None:
    """400, as in the API."""
    assert "stray" in told(look(shared, f"{ACME}?stray=1"), 400, "invalid")


@pytest.mark.parametrize("route", READING, ids=named)
def test_the_head_of_a_page_is_that_of_the_page(shared: Api, route: Route) -> None:
    """Without the page."""
    path = route.address("acme")
    head, whole = shared.head(path), shared.get(path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]


def test_a_store_that_is_away_is_a_page_that_says_so(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with `Retry-After`, the code of the API, and nothing of where the store is."""
    with serving(store, OPERATORS) as api:

        def away(*_: object, **__: object) -> NoReturn:
            message = "postgresql://secret@db is away"
            raise StoreUnavailable(message)

        monkeypatch.setattr(store, "entries", away)
        answer = look(api, ACME)
        assert "the store cannot be reached" in told(answer, 503, "store_unavailable")
        assert "secret" not in answer.text
        assert answer.headers["retry-after"] == "1"
        check_headers(answer.headers)


def test_a_fault_of_ours_is_a_page_too(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """500, and nothing of what it was."""
    with serving(store, OPERATORS) as api:

        def broken(*_: object, **__: object) -> NoReturn:
            message = "what nobody expects"
            raise ValueError(message)

        monkeypatch.setattr(store, "entries", broken)
        # Kept from the terminal, where the long way to the fault would be drawn.
        with capture_logs():
            answer = look(api, ACME)
        assert "expects" not in told(answer, 500, "internal")
        check_headers(answer.headers)


def test_before_the_start_there_is_a_page_that_says_so(store: MemoryStore) -> None:
    """503 on the pages, while the form and the style are there already."""
    with serving(store) as api:
        key = new_key(store, OPERATORS)
        app: Any = api.app
        there = running(api)
        app.administration.state.running = None
        try:
            told(look(api, "/console", headers=bearer(key)), 503, "not_ready")
            told(post(api, "/console/sign-in", {"key": key}), 503, "not_ready")
            assert look(api, "/console/sign-in").status_code == 200
        finally:
            app.administration.state.running = there


def test_files_are_kept_for_ever_under_the_address_that_names_what_they_hold(door: Api) -> None:
    """Under another they are asked for again; who has it is sent its tag alone."""
    for name, file in found().items():
        path = f"/console/static/{name}"
        answer = door.get(f"{path}?v={file.tag}")
        assert (answer.status_code, answer.content) == (200, file.body)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        for other in (path, f"{path}?v=other"):
            assert door.get(other).headers["cache-control"] == "public, no-cache"
        again = door.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == answer.headers["etag"]
    assert {"console.css", "console.js", "icon.svg"} <= set(found())


@pytest.fixture(scope="module")
def door() -> Iterator[Api]:
    """A browser that is not signed in."""
    with serving(MemoryStore()) as client:
        yield client


@pytest.mark.parametrize("name", ["none.css", "..%2Frendering.py", "%2e%2e", "base.html", "a/b"])
def test_nothing_else_is_a_file(door: Api, name: str) -> None:
    """Neither a template nor what lies beside the folder; below it there is no folder."""
    answer = look(door, f"/console/static/{name}")
    assert answer.status_code in {303, 404}
    assert "import" not in answer.text


def test_the_navigation_leads_to_pages_that_are_there(shared: Api) -> None:
    """Each entry, in its order; the page that is shown is marked."""
    page = shared.get(ACME)
    for entry in NAVIGATION:
        href = f"{ACME}/{entry.tail}".rstrip("/")
        assert f'href="{href}"' in page.text
        there = shared.get(href)
        assert there.status_code == 200
        assert f'<a href="{href}" aria-current="page">{entry.label}</a>' in there.text
    assert words(page).index("Overview") < words(page).index("Proofs")
