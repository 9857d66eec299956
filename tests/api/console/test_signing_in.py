"""Signing in: a key is checked as everywhere, and kept sealed; whatever ends it ends the visit."""

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, NoReturn

import pytest
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from grantproof import bootstrap
from grantproof.adapters.memory import MemoryStore
from grantproof.api.app import Application
from grantproof.service.authors import Author
from grantproof.service.callers import WITHIN_ORGANIZATION, Caller, Scope
from grantproof.service.credentials import DEMO_TEXT, key_text
from grantproof.service.demo import ACME
from grantproof.service.keyring import KeyRequest, NewKey
from grantproof.service.ports import StoreUnavailable
from grantproof.service.tokens import Unverified, Verified
from grantproof.service.visits import CREDENTIAL_BYTES_MAX, VISIT_SECONDS_MAX
from grantproof.settings import Settings
from tests.api.console.browsing import OURS, kept, look, post, sign_in, to_sign_in, told, words
from tests.api.routes import CONSOLE, Route, named
from tests.api.service import ADDRESS, OPERATORS, Api, bearer, new_key, problem, running, serving
from tests.unit.service.test_keyring import Hand

REVIEWER = KeyRequest(ACME, None, WITHIN_ORGANIZATION)
HOME = "/console/orgs/acme"
GUARDED = [route for route in CONSOLE if route.scopes is not None]
WRONG = "no such key counts here"


@pytest.fixture
def door(store: MemoryStore) -> Iterator[Api]:
    """The application, and a browser that is not signed in."""
    with serving(store) as client:
        yield client


@pytest.fixture
def visitor(door: Api, store: MemoryStore) -> Api:
    """A browser that is signed in, with a key of `acme`."""
    assert sign_in(door, new_key(store, REVIEWER)).status_code == 303
    return door


def test_a_key_that_counts_opens_the_console(door: Api, store: MemoryStore) -> None:
    """At the page that was wanted; who is signed in stands there."""
    to_sign_in(look(door, HOME), then="%2Fconsole%2Forgs%2Facme")
    answer = sign_in(door, new_key(store, REVIEWER), next=HOME)
    assert (answer.status_code, answer.headers["location"]) == (303, HOME)
    page = look(door, HOME)
    assert page.status_code == 200
    assert "Signed in as key:" in words(page)


def test_without_a_page_in_mind_the_own_organization_is_shown(visitor: Api) -> None:
    """By way of the start."""
    answer = look(visitor, "/console")
    assert (answer.status_code, answer.headers["location"]) == (303, HOME)


def test_what_the_browser_keeps(door: Api, store: MemoryStore) -> None:
    """For the console and this site alone, not for scripts, until it is closed, and unreadable."""
    key = new_key(store, REVIEWER)
    answer = sign_in(door, key)
    value, *attributes = answer.headers["set-cookie"].split("; ")
    assert sorted(attributes) == ["HttpOnly", "Path=/console", "SameSite=strict"]
    secret = key.rpartition("_")[2]
    assert secret not in value
    assert re.fullmatch(r"grantproof_console=[\w-]+", value)
    assert kept(sign_in(door, key)) != kept(answer)


@pytest.mark.parametrize("how", ["public_url", "scheme", "origin"])
def test_by_https_it_is_kept_for_https_only(store: MemoryStore, how: str) -> None:
    """As the operator says that it is reached, as the request came, or as the browser says."""
    address = "https://pdp.example.com"
    settings: dict[str, Any] = {"public_url": address} if how == "public_url" else {}
    with serving(store, **settings) as api:
        if how == "scheme":
            api.base_url = address
        if how == "origin":
            api.headers["Origin"] = address
        key = new_key(store, REVIEWER)
        assert "; Secure" in sign_in(api, key).headers["set-cookie"]
        assert "; Secure" in post(api, "/console/sign-out", {}).headers["set-cookie"]


def test_signing_out_ends_it(visitor: Api) -> None:
    """The browser forgets what it kept."""
    answer = post(visitor, "/console/sign-out", {})
    to_sign_in(answer)
    assert 'grantproof_console=""' in answer.headers["set-cookie"]
    assert "Max-Age=0" in answer.headers["set-cookie"]
    to_sign_in(look(visitor, "/console"))


@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_no_page_is_shown_to_nobody(door: Api, route: Route) -> None:
    """Without a credential, or with one that does not count, there is only the way to sign in."""
    for headers in ({}, bearer("gp_nothing"), {"Cookie": "grantproof_console=AAAA"}):
        given = {**headers, "Sec-Fetch-Site": "same-origin"}
        answer = door.request(
            route.method, route.address("acme"), headers=given, follow_redirects=False
        )
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].startswith("/console/sign-in")


def test_what_is_no_page_leads_to_signing_in_too(door: Api) -> None:
    """Without a credential nobody is told which pages there are."""
    to_sign_in(look(door, "/console/none"), then="%2Fconsole%2Fnone")


def test_a_form_of_nobody_leads_back_to_where_it_stood(door: Api) -> None:
    """Its own address may be no page; that nothing was done is told before the key is asked for."""
    stood = f"{HOME}/assignments/change?holder=alice&role=editor"
    answer = post(
        door,
        f"{HOME}/none",
        {"a": "b"},
        headers={**OURS, "Referer": f"http://localhost:9090{stood}"},
    )
    page = look(door, answer.headers["location"])
    assert "Nothing was done: you are not signed in any more." in words(page)
    assert f'name="next" value="{escape(stood)}"' in page.text
    assert "Nothing was done" not in words(look(door, "/console/sign-in"))


@pytest.mark.parametrize(
    "referer", ["", "x", "http://[", "http://h", "http://h/elsewhere", "//h/x"]
)
def test_a_form_of_nobody_that_stood_nowhere_leads_to_the_start(door: Api, referer: str) -> None:
    """Whatever the browser says of where it stood."""
    answer = post(door, f"{HOME}/none", {"a": "b"}, headers={**OURS, "Referer": referer})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in?unsent=yes")


@pytest.mark.parametrize("spoilt", ["gp_none", "x", "gp_é", "a.b.c", "a\nb", "gp_ x", "Bearer x"])
def test_a_wrong_key_is_told_so_and_nothing_is_kept(door: Api, spoilt: str) -> None:
    """401, with the form to try again, whatever is wrong with it."""
    answer = sign_in(door, spoilt, next=HOME)
    assert answer.status_code == 401
    assert WRONG in words(answer)
    assert "set-cookie" not in answer.headers
    assert f'name="next" value="{HOME}"' in answer.text


def test_an_empty_form_is_told_what_it_takes(door: Api) -> None:
    """400."""
    for fields in ({"next": HOME}, {"key": ""}, {"key": "  "}):
        answer = post(door, "/console/sign-in", fields)
        assert answer.status_code == 400
        assert "paste an API key" in words(answer)


def test_a_key_that_expires_or_is_revoked_ends_the_visit(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once: it is presented anew with each page. To sign in with it is no longer possible."""
    clock = Hand()
    monkeypatch.setattr("grantproof.bootstrap.SystemClock", lambda: clock)
    with serving(store) as api:
        keyring = running(api).services.keyring
        wanted = KeyRequest(ACME, None, WITHIN_ORGANIZATION, expires_at=clock.instant + 10)
        passing = keyring.create(wanted, by=Author("test"))
        assert isinstance(passing, NewKey)
        sign_in(api, passing.text)
        assert look(api, HOME).status_code == 200
        clock.instant += 10
        to_sign_in(look(api, "/console"))
        assert sign_in(api, passing.text).status_code == 401
        other = keyring.create(REVIEWER, by=Author("test"))
        assert isinstance(other, NewKey)
        sign_in(api, other.text)
        assert look(api, HOME).status_code == 200
        assert keyring.revoke(other.key.prefix, by=Author("test"))
        to_sign_in(look(api, "/console"))
        assert WRONG in words(sign_in(api, other.text))


def test_a_visit_ends_after_a_working_day(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted from its sign-in, to the second; and one from the future never began."""
    clock = Hand()
    monkeypatch.setattr("grantproof.bootstrap.SystemClock", lambda: clock)
    with serving(store) as api:
        sign_in(api, new_key(store, REVIEWER))
        began = clock.instant
        for seconds, status in ((VISIT_SECONDS_MAX - 1, 200), (VISIT_SECONDS_MAX, 303), (-1, 303)):
            clock.instant = began + seconds
            assert look(api, HOME).status_code == status


def test_what_was_touched_is_no_visit(visitor: Api) -> None:
    """Nor is what is kept twice, as when another site of the same domain adds its own."""
    value = visitor.cookies.get("grantproof_console")
    assert value is not None
    visitor.cookies.clear()
    for cookie in (
        f"grantproof_console={value[:-3]}AAA",
        f"grantproof_console={value[4:]}",
        "grantproof_console=",
        "grantproof_console=é",
        f"grantproof_console={'A' * 5_000}",
        f"grantproof_console={value}; grantproof_console={value}",
        f"grantproof_console2={value}",
    ):
        to_sign_in(look(visitor, "/console", headers={"Cookie": cookie.encode()}))
    assert look(visitor, HOME, headers={"Cookie": f"a=b; grantproof_console={value}"}).is_success


def test_the_cookie_is_no_credential_outside_the_console(visitor: Api) -> None:
    """The API takes the header alone, or every page elsewhere could make browsers ask."""
    value = visitor.cookies.get("grantproof_console")
    headers = {"Cookie": f"grantproof_console={value}"}
    for path in ("/v1/orgs/acme", "/metrics", "/console.json", "/consolex"):
        problem(visitor.get(path, headers=headers), 401, "unauthenticated")
    problem(visitor.post("/evaluate", json={}, headers=headers), 401, "unauthenticated")


def test_the_header_of_the_api_opens_pages_too(door: Api, store: MemoryStore) -> None:
    """The same check; where both are there, as behind a proxy that adds its own, the visit counts.

    A browser sends such a header for nobody else's page.
    """
    key = new_key(store, REVIEWER)
    assert look(door, HOME, headers=bearer(key)).status_code == 200
    sign_in(door, key)
    assert look(door, HOME, headers={"Authorization": "Basic cHJveHk6cHc="}).status_code == 200


def test_a_key_without_the_scope_is_told_which(door: Api, store: MemoryStore) -> None:
    """403, on every page but the start of who is bound, which leads to one."""
    sign_in(door, new_key(store, KeyRequest(ACME, None, frozenset({Scope.EVALUATE}))))
    for route in GUARDED:
        answer = door.request(
            route.method,
            route.address("acme"),
            headers={"Sec-Fetch-Site": "same-origin"},
            follow_redirects=False,
        )
        assert route.scopes
        assert f"`{min(route.scopes)}`" in told(answer, 403, "insufficient_scope")
        # Nor is there a link to what would be refused.
        assert ">Overview</a>" not in answer.text


def test_another_organization_is_the_same_403_as_in_the_api(
    visitor: Api, store: MemoryStore
) -> None:
    """Whether it is there or not, and nothing of it stands around the problem."""
    operator = bearer(new_key(store, OPERATORS))
    assert visitor.post("/v1/orgs", json={"id": "globex"}, headers=operator).status_code == 201
    for name in ("globex", "absent"):
        page = look(visitor, f"/console/orgs/{name}")
        shown = told(page, 403, "forbidden_organization").replace(name, "ORG")
        key = new_key(store, REVIEWER)
        document = visitor.get(f"/v1/orgs/{name}", headers=bearer(key)).json()
        assert document["detail"].replace(name, "ORG") in shown
        assert f"/console/orgs/{name}" not in page.text


def test_an_address_that_guesses_is_told_to_wait(store: MemoryStore) -> None:
    """429 with `Retry-After`, as for the header; a key that is known is let in all the same."""
    with serving(store, attempts_per_minute=1, attempts_burst=2) as api:
        key = new_key(store, REVIEWER)
        assert sign_in(api, key).status_code == 303
        api.cookies.clear()
        wrong = key_text("0" * 12, "A" * 43)
        assert [sign_in(api, wrong).status_code for _ in range(3)] == [401, 401, 429]
        answer = sign_in(api, wrong)
        assert int(answer.headers["retry-after"]) > 0
        assert "too many credentials" in words(answer)
        assert sign_in(api, key).status_code == 303


class Issued:
    """Tokens of an issuer, of which one is good."""

    def remembers(self, text: bytes) -> bool:
        """Whether it was seen."""
        return text == b"a.b.c"

    def read(self, text: bytes) -> Verified | Unverified:
        """What it says."""
        if text != b"a.b.c":
            return Unverified.INVALID
        caller = Caller.with_scopes(ACME, WITHIN_ORGANIZATION, author=Author("principal:alice"))
        return Verified(caller, 10**10)

    def fetch_due(self, *, unknown_key: bool) -> bool:
        """Never."""
        return unknown_key and False

    def fetch(self) -> None:
        """There is nothing to fetch."""


def test_a_token_signs_in_like_a_key(store: MemoryStore) -> None:
    """By the same check; one that no browser would keep is refused before."""
    with serving(store, tokens=Issued()) as api:
        assert sign_in(api, "a.b.d").status_code == 401
        assert sign_in(api, "a.b.c").status_code == 303
        assert "principal:alice" in words(look(api, HOME))
        answer = sign_in(api, "x" * (CREDENTIAL_BYTES_MAX + 1))
        assert answer.status_code == 400
        assert "too long for a browser" in words(answer)
        longest = running(api).services.visits.begun(b"x" * CREDENTIAL_BYTES_MAX)
        assert longest is not None
        assert len(longest) + len("grantproof_console=") < 4_096


def test_what_one_process_has_sealed_another_opens(tmp_path: Path) -> None:
    """They share the database and its audit key; without sharing that, they do not."""
    settings = Settings(database_url=f"sqlite:///{tmp_path}/one.db", follow_seconds=60)
    with TestClient(Application(settings), base_url=ADDRESS) as one:
        key = new_key(running(one).services.store, KeyRequest(None, None, frozenset(Scope)))
        value = kept(sign_in(one, key))
        with TestClient(Application(settings), base_url=ADDRESS) as other:
            other.cookies.set("grantproof_console", value)
            assert look(other, "/console").status_code == 200
    assert bootstrap.visits_under(b"another secret, of another place").credential(value) is None


def test_the_demo_is_open_at_once(api: Api) -> None:
    """Nobody signs in there, as in the API; it is still heard under names of this machine only."""
    answer = look(api, HOME)
    assert answer.status_code == 200
    assert "Sign out" not in words(answer)
    for path in (HOME, "/console/sign-in", "/console/static/console.css"):
        elsewhere = look(api, path, headers={"Host": "evil.example"})
        told(elsewhere, 421, "wrong_host")
    assert sign_in(api, DEMO_TEXT).status_code == 303


def test_the_key_of_the_demo_signs_nobody_in_elsewhere(door: Api) -> None:
    """Everybody knows it."""
    assert sign_in(door, DEMO_TEXT).status_code == 401


def test_no_credential_is_logged_or_shown(
    store: MemoryStore, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither the key nor what the browser keeps, signing in rightly or wrongly."""
    with serving(store) as api, capture_logs() as logs:
        key = new_key(store, REVIEWER)
        wrong = key[:-1] + ("1" if key.endswith("0") else "0")
        answers = [sign_in(api, key), sign_in(api, wrong), look(api, HOME)]
        answers.append(post(api, "/console/sign-out", {}))
        value = kept(answers[0])
        shown = str(logs) + "".join(capfd.readouterr())
        shown += "".join(one.text + one.headers.get("location", "") for one in answers)
    entered = [one for one in logs if one.get("route") == "/console/sign-in"]
    assert [(one["status"], one["actor"]) for one in entered] == [
        (303, f"key:{key.split('_')[1]}"),
        (401, None),
    ]
    assert key.partition("_")[2].partition("_")[2][:20] not in shown
    assert value[:20] not in shown


def test_while_keys_cannot_be_read_nobody_signs_in(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with `Retry-After`, and the form is there to try again."""
    with serving(store, max_staleness=0.1) as api:
        key = new_key(store, REVIEWER)
        monkeypatch.setattr(store.keys, "mark", _unreadable)
        answer = sign_in(api, key)
        assert answer.status_code == 503
        assert "set-cookie" not in answer.headers


def _unreadable() -> NoReturn:
    message = "gone"
    raise StoreUnavailable(message)
