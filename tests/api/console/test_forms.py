"""Forms: only a page of ours may post one, whatever else a browser can be made to send."""

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.api.console.forms import BYTES_MAX, FIELDS_MAX, Fields, check_origin
from grantproof.api.console.places import safe_next
from grantproof.api.problems import Refused
from grantproof.service.credentials import DEMO_TEXT
from tests.api.console.browsing import OURS, look, post, sign_in, told
from tests.api.routes import CONSOLE, Route, named
from tests.api.service import OPERATORS, Api, bearer, new_key, serving

HOST = ("Host", "pdp.example.com")
CHANGING = [route for route in CONSOLE if route.method not in {"GET", "HEAD"}]
ELSEWHERE: list[list[tuple[str, str]]] = [
    [("Sec-Fetch-Site", "cross-site")],
    [("Sec-Fetch-Site", "same-site")],
    [("Sec-Fetch-Site", "none")],
    [("Sec-Fetch-Site", "")],
    [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "same-origin")],
    [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://pdp.example.com")],
    [("Origin", "https://evil.example")],
    [("Origin", "https://pdp.example.com.evil.example")],
    [("Origin", "https://sub.pdp.example.com")],
    [("Origin", "https://pdp.example.com:8443")],
    [("Origin", "null")],
    [("Origin", "")],
    [("Origin", "pdp.example.com")],
    [("Origin", "http://[")],
    [("Origin", "http://pdp.example.com/")],
    [("Origin", "file://pdp.example.com")],
    [("Origin", "https://pdp.example.com"), ("Origin", "https://evil.example")],
    [("Referer", "https://pdp.example.com/console")],
    [],
]
HERE: list[list[tuple[str, str]]] = [
    [("Sec-Fetch-Site", "same-origin")],
    [("Sec-Fetch-Site", "same-origin"), ("Origin", "https://behind.a.proxy")],
    [("Origin", "https://pdp.example.com")],
    [("Origin", "http://pdp.example.com")],
]


def raw(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """The headers as a server has them."""
    return [(name.lower().encode(), value.encode()) for name, value in headers]


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_a_form_from_elsewhere_is_refused(headers: list[tuple[str, str]]) -> None:
    """Where the browser says that it is from elsewhere, says it twice, or says nothing."""
    with pytest.raises(Refused) as refused:
        check_origin("POST", raw([HOST, *headers]), public_url=None)
    assert refused.value.problem.code == "cross_site"


@pytest.mark.parametrize("headers", HERE)
def test_a_form_of_ours_is_taken(headers: list[tuple[str, str]]) -> None:
    """And nothing is asked of what changes nothing."""
    check_origin("POST", raw([HOST, *headers]), public_url=None)


def test_only_what_changes_something_is_asked() -> None:
    """A link from elsewhere may lead here; any other method may not."""
    headers = raw([("Sec-Fetch-Site", "cross-site")])
    for method in ("GET", "HEAD"):
        check_origin(method, headers, public_url=None)
    for method in ("POST", "PUT", "PATCH", "DELETE", "post", "OPTIONS"):
        with pytest.raises(Refused):
            check_origin(method, headers, public_url=None)


def test_the_address_that_the_operator_names_is_ours() -> None:
    """Behind a proxy that names another host."""
    headers = raw([("Host", "backend:9090"), ("Origin", "https://pdp.example.com")])
    check_origin("POST", headers, public_url="https://pdp.example.com")
    with pytest.raises(Refused):
        check_origin("POST", headers, public_url="https://other.example.com")
    without_host = raw([("Origin", "https://pdp.example.com")])
    with pytest.raises(Refused):
        check_origin("POST", without_host, public_url=None)


@pytest.mark.parametrize("route", CHANGING, ids=named)
def test_every_form_of_the_console_is_guarded(store: MemoryStore, route: Route) -> None:
    """Before anything else: no form changes a thing, or signs anybody in or out, from elsewhere."""
    with serving(store) as api:
        key = new_key(store, OPERATORS)
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
            answer = post(api, route.address("acme"), {"key": key}, headers=headers | bearer(key))
            told(answer, 403, "cross_site")
            assert "set-cookie" not in answer.headers


def test_an_origin_that_is_no_address_is_no_error_of_ours(api: Api) -> None:
    """Whoever signs in or out by hand may say anything there."""
    for path in ("/console/sign-in", "/console/sign-out"):
        headers = {"Sec-Fetch-Site": "same-origin", "Origin": "http://["}
        answer = post(api, path, {"key": DEMO_TEXT}, headers=headers)
        assert answer.status_code == 303
        assert "; Secure" not in answer.headers["set-cookie"]


def test_there_are_forms_to_guard() -> None:
    """The walk above is not empty."""
    assert {"/console/sign-in", "/console/sign-out"} <= {route.template for route in CHANGING}


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [
        ("application/json", b"{}", 415, "unsupported_media_type"),
        ("multipart/form-data; boundary=x", b"--x--", 415, "unsupported_media_type"),
        ("text/plain", b"key=x", 415, "unsupported_media_type"),
        ("application/x-www-form-urlencoded", b"key=%ff", 400, "invalid"),
        ("application/x-www-form-urlencoded", b"key=\xff", 400, "invalid"),
        ("application/x-www-form-urlencoded", b"a=1&" * (FIELDS_MAX + 1), 400, "invalid"),
        ("application/x-www-form-urlencoded", b"key=x&key=y", 400, "invalid"),
        ("application/x-www-form-urlencoded", b"k=" + b"x" * BYTES_MAX, 413, "body_too_large"),
    ],
)
def test_what_is_no_form_is_refused(
    steady: Api, kind: str, body: bytes, status: int, code: str
) -> None:
    """As a page, with the status that the API would have."""
    headers = {**OURS, "Content-Type": kind}
    told(steady.post("/console/sign-in", content=body, headers=headers), status, code)


def test_fields_are_read_as_they_are_meant() -> None:
    """Text without white space around it; what is not there is empty."""
    fields = Fields({"one": (" a ",), "many": ("b", "c"), "empty": ("",)})
    assert (fields.text("one"), fields.text("empty"), fields.text("none")) == ("a", "", "")
    assert (fields.all("many"), fields.all("none")) == (("b", "c"), ())
    with pytest.raises(Refused):
        fields.text("many")


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/console",
        "//evil.example/console",
        "/\\evil.example",
        "\\\\evil.example",
        "/console\\..\\..\\\\evil.example",
        "/console/..//evil.example",
        "/console/../v1/orgs",
        "/console//evil.example",
        "/console/./x",
        "/consolex",
        "/console@evil.example",
        "console",
        "javascript:alert(1)",
        "/console/\r\nSet-Cookie: a=b",
        "/console/\tx",
        "/console/ x",
        "/console/é",
        "/console#x",
        "/v1/orgs",
        "/console/sign-in",
        "/console/sign-in?next=/console",
        "/console/sign-out",
        "/console/static/console.css",
        "/console/" + "x" * 2_000,
        "",
    ],
)
def test_no_link_to_the_sign_in_page_leads_elsewhere(steady: Api, wanted: str) -> None:
    """What is no page of the console leads to its start."""
    assert safe_next(wanted) == "/console"
    page = steady.get("/console/sign-in", params={"next": wanted})
    assert 'name="next" value="/console"' in page.text
    answer = sign_in(steady, DEMO_TEXT, next=wanted)
    assert answer.headers["location"] == "/console"


@pytest.mark.parametrize(
    "wanted",
    [
        "/console",
        "/console?q=a",
        "/console/orgs/acme",
        "/console/orgs/a%2Fb/roles?after=x&q=%C3%A9",
    ],
)
def test_a_page_of_the_console_is_where_it_goes_on(store: MemoryStore, wanted: str) -> None:
    """Also by way of the page that needs it, with its query as it was."""
    assert safe_next(wanted) == wanted
    with serving(store) as api:
        to = look(api, wanted).headers["location"]
        assert f'value="{wanted.replace("&", "&amp;")}"' in api.get(to).text
