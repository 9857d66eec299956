"""Who calls: credentials that count, every way in which one does not, and how fresh that is."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import pytest
from starlette.types import Message
from structlog.testing import capture_logs

from grantproof.adapters.memory import MemoryKeys, MemoryStore
from grantproof.api import authentication as module
from grantproof.api.app import Application
from grantproof.core.commands.language import CreateClaim
from grantproof.core.identifiers import ClaimId, OrganizationId, PrincipalId, ResourceId, RoleId
from grantproof.core.model import ADMINISTER, Claim, Exactly
from grantproof.service.authors import Author
from grantproof.service.callers import WITHIN_ORGANIZATION, Caller, Scope
from grantproof.service.credentials import DEMO_TEXT, Mark, key_text, secret_of
from grantproof.service.demo import ACME
from grantproof.service.keyring import KeyRequest
from grantproof.service.ports import StoreUnavailable
from grantproof.service.tokens import Unverified, Verified
from grantproof.settings import Settings
from tests.api.service import (
    OPERATORS,
    Api,
    bearer,
    evaluate,
    new_key,
    problem,
    running,
    services_over,
    serving,
)

BY = Author("other")
QUESTION = {"org_id": "acme", "principal_id": "alice", "action": "read", "resource_id": "docs"}
INVALID = 'Bearer realm="grantproof", error="invalid_token"'
BARE = 'Bearer realm="grantproof"'


@pytest.fixture(scope="module")
def kept() -> MemoryStore:
    """One store for the tests that change nothing."""
    return MemoryStore()


@pytest.fixture(scope="module")
def door(kept: MemoryStore) -> Iterator[Api]:
    """An application over it, and a client that presents nothing."""
    with serving(kept) as client:
        yield client


@pytest.fixture(scope="module")
def key(door: Api, kept: MemoryStore) -> str:
    """A key that counts."""
    assert door is not None
    return new_key(kept, OPERATORS)


def status(api: Api, credential: str) -> int:
    """The status of a question asked with the credential."""
    return api.post("/evaluate", json=QUESTION, headers=bearer(credential)).status_code


def turned_away(api: Api, headers: Any, challenge: str = INVALID) -> None:
    """The same 401 on a decision route and behind it, whatever was presented."""
    told = []
    for method, path in (("POST", "/evaluate"), ("GET", "/v1/orgs/acme")):
        answer = api.request(method, path, headers=headers)
        told.append(problem(answer, 401, "unauthenticated")["detail"])
        assert answer.headers["www-authenticate"] == challenge
    assert told == [module.TELL] * 2


# ---------------------------------------------------------------- keys


def test_a_key_that_counts_lets_in(door: Api, key: str) -> None:
    """On a decision route and behind it; the scheme in any case."""
    assert status(door, key) == 200
    for scheme in ("Bearer", "bearer", "BEARER"):
        headers = {"Authorization": f"{scheme} {key}"}
        assert door.get("/v1/orgs/acme", headers=headers).status_code == 200


SPOILT: dict[str, Callable[[str], str]] = {
    "truncated by one": lambda key: key[:-1],
    "truncated to its prefix": lambda key: key[:15],
    "truncated to its mark": lambda key: key[:3],
    "extended": lambda key: key + "0",
    "in upper case": str.upper,
    "in other case": str.swapcase,
    "with another mark": lambda key: "gq" + key[2:],
    "without its mark": lambda key: key[3:],
    "with another prefix": lambda key: key_text("0" * 12, key[16:59]),
    "with another secret": lambda key: key_text(key[3:15], secret_of(bytes(32))),
    "with another checksum": lambda key: key[:-8] + "0" * 8,
    "after a space": lambda key: " " + key,
    "before a tab": lambda key: key[:30] + "\t" + key[30:],
    "with a space inside": lambda key: key[:30] + " " + key[30:],
    "twice": lambda key: key + " " + key,
    "in a list": lambda key: f"{key}, {key}",
    "quoted": lambda key: f'"{key}"',
    "only its secret": lambda key: key[16:59],
    "never made": lambda _: key_text("f" * 12, secret_of(bytes(32))),
    "of the demo": lambda _: DEMO_TEXT,
    "empty": lambda _: "",
    "a wildcard": lambda _: "*",
    "long": lambda key: key + "A" * 30_000,
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_key_is_turned_away(door: Api, key: str, how: str) -> None:
    """Every one with the very same answer."""
    turned_away(door, {"Authorization": f"Bearer {SPOILT[how](key)}"})


@pytest.mark.parametrize("byte", [b"\xff", b"\xc3\xa9", b"\x80", b"\x01"])
def test_a_key_of_other_characters_is_turned_away(door: Api, key: str, byte: bytes) -> None:
    """Bytes that are no ASCII, in place of one that is."""
    text = key.encode()
    for at in (3, 30, len(text) - 1):
        spoilt = text[:at] + byte + text[at + 1 :]
        turned_away(door, [(b"authorization", b"Bearer " + spoilt)])


@pytest.mark.parametrize(
    "value", ["{}", "Basic {}", "Bearer{}", "Bearer\t{}", "Token {}", "Bearer", "ApiKey {}", " "]
)
def test_there_is_one_scheme(door: Api, key: str, value: str) -> None:
    """Nothing else is understood."""
    turned_away(door, {"Authorization": value.format(key)})


def test_a_credential_elsewhere_is_none(door: Api, key: str) -> None:
    """Not in another header, not in the address, not in a cookie."""
    turned_away(door, {"X-API-Key": key, "Cookie": f"key={key}"}, BARE)
    answer = door.get(f"/v1/orgs/acme?access_token={key}&key={key}")
    problem(answer, 401, "unauthenticated")


def test_two_credentials_are_none(door: Api, key: str) -> None:
    """Not even the same twice: which one counts could be read in two ways."""
    one = (b"authorization", f"Bearer {key}".encode())
    turned_away(door, [one, one])
    turned_away(door, [one, (b"Authorization", b"Bearer x")])


def test_expired_and_revoked_keys_are_turned_away_alike(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the answer for a key that never was."""
    now = int(time.time())
    with serving(store) as api:
        expiring = new_key(store, KeyRequest(None, None, OPERATORS.scopes, expires_at=now + 600))
        revoked = new_key(store, OPERATORS)
        assert (status(api, expiring), status(api, revoked)) == (200, 200)
        assert running(api).services.keyring.revoke(revoked[3:15], by=BY)
        turned_away(api, bearer(revoked))
        monkeypatch.setattr("time.time", lambda: now + 599)
        monkeypatch.setattr("grantproof.adapters.clock.SystemClock.now", lambda _: now + 599)
        assert status(api, expiring) == 200
        monkeypatch.setattr("grantproof.adapters.clock.SystemClock.now", lambda _: now + 600)
        turned_away(api, bearer(expiring))


def test_a_key_of_a_principal_changes_in_its_name(store: MemoryStore) -> None:
    """Where it may; an operator's in the name of the key."""
    with serving(store) as api:
        administers = Claim(
            ClaimId("a"),
            RoleId("viewer"),
            Exactly(ADMINISTER),
            Exactly(ResourceId("organization:acme")),
        )
        services_over(store).administration.propose(ACME, CreateClaim(administers), by=BY)
        alices = new_key(store, KeyRequest(ACME, PrincipalId("alice"), WITHIN_ORGANIZATION))
        operators = new_key(store, KeyRequest(ACME, None, WITHIN_ORGANIZATION))
        for name, text in (("r1", alices), ("r2", operators)):
            answer = api.post("/v1/orgs/acme/roles", json={"id": name}, headers=bearer(text))
            assert answer.status_code == 201
        events = api.get("/v1/orgs/acme/events?after=0", headers=bearer(alices)).json()["items"]
    actors = [event["actor"] for event in events]
    assert actors == ["demo", "other", "principal:alice", f"key:{operators[3:15]}"]


# ---------------------------------------------------------------- freshness


class Watched(MemoryKeys):
    """Keys that count how often they are looked at, and fail when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0
        self.away = False

    def mark(self) -> Mark:
        """The mark, if the store is there."""
        self.looks += 1
        if self.away:
            message = "gone"
            raise StoreUnavailable(message)
        return super().mark()


@contextmanager
def watched(**settings: Any) -> Iterator[tuple[Api, Watched, MemoryStore]]:
    """An application whose keys are watched."""
    store = MemoryStore()
    store.keys = keys = Watched()
    with serving(store, **settings) as api:
        yield api, keys, store


def test_a_key_that_was_made_elsewhere_counts_at_once() -> None:
    """An unknown one is looked for before it is turned away."""
    with watched(max_staleness=300) as (api, _, store):
        for _ in range(3):
            assert status(api, new_key(store, OPERATORS)) == 200


def test_unknown_keys_do_not_hammer_the_store() -> None:
    """Those that come at once share a look, looks keep a distance; a malformed one causes none."""
    with watched(max_staleness=300) as (api, keys, _):
        before, began = keys.looks, time.monotonic()
        texts = [key_text(f"{number:012x}", secret_of(bytes(32))) for number in range(60)]
        threads = [threading.Thread(target=status, args=(api, text)) for text in texts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.monotonic() - began
        assert keys.looks - before <= 2 + seconds / module.LOOKS_APART_SECONDS
        assert keys.looks - before < len(texts)
        before = keys.looks
        for text in texts:
            assert status(api, text[:-1]) == 401
        assert keys.looks == before


def test_known_keys_do_not_touch_the_store() -> None:
    """A decision is made without it, as long as what is known is fresh."""
    with watched(max_staleness=300) as (api, keys, store):
        key = new_key(store, OPERATORS)
        assert status(api, key) == 200
        before = keys.looks
        assert [status(api, key) for _ in range(20)] == [200] * 20
        assert keys.looks == before


def test_a_revocation_made_elsewhere_counts_within_the_staleness() -> None:
    """Not at once, but soon, and for ever."""
    with watched(max_staleness=0.4) as (api, _, store):
        key = new_key(store, OPERATORS)
        assert status(api, key) == 200
        assert services_over(store).keyring.revoke(key[3:15], by=BY)
        revoked = asked = time.monotonic()
        while status(api, key) == 200:
            # However long an answer takes: what is asked later than that is refused.
            assert asked <= revoked + 0.4
            asked = time.monotonic()
        assert [status(api, key) for _ in range(5)] == [401] * 5


def test_keys_that_cannot_be_checked_for_too_long_are_refused() -> None:
    """503, not yes and not no; when the store is back, they count again. The log says it once."""
    with watched(max_staleness=0.2) as (api, keys, store), capture_logs() as logs:
        key = new_key(store, OPERATORS)
        assert status(api, key) == 200
        keys.away = True
        time.sleep(0.45)
        answer = api.post("/evaluate", json=QUESTION, headers=bearer(key))
        problem(answer, 503, "store_unavailable")
        assert answer.headers["retry-after"] == "1"
        problem(api.get("/v1/orgs/acme", headers=bearer(key)), 503, "store_unavailable")
        assert api.get("/livez").status_code == 200
        turned_away(api, bearer("gp_malformed"))
        keys.away = False
        assert status(api, key) == 200
    assert len([entry for entry in logs if entry["event"] == "keys not followed"]) == 1


def test_a_service_whose_keys_cannot_be_read_does_not_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody could be let in; the line says why."""
    store = MemoryStore()

    def unreadable() -> NoReturn:
        message = "the stored keys are damaged"
        raise StoreUnavailable(message)

    monkeypatch.setattr(store.keys, "usable", unreadable)
    app = Application(Settings(), composing=lambda _, on_owner: services_over(store, on_owner))
    told: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        told.append(message)

    asyncio.run(app({"type": "lifespan"}, receive, send))
    assert told == [{"type": "lifespan.startup.failed", "message": "the stored keys are damaged"}]


# ---------------------------------------------------------------- tokens

CALLER = Caller.with_scopes(ACME, WITHIN_ORGANIZATION, author=Author("principal:alice"))


class Issued:
    """Tokens that are what they are called: `good`, `new`, anything else is none."""

    def __init__(self, *, has_keys: bool = True) -> None:
        self.has_keys = has_keys
        self.knows_new = False
        self.fetches = 0
        self.due = True

    def remembers(self, text: bytes) -> bool:
        """Nothing."""
        return text == b""

    def read(self, text: bytes) -> Verified | Unverified:
        """What the token is called."""
        if not self.has_keys:
            return Unverified.NO_KEYS
        if text == b"new" and not self.knows_new:
            return Unverified.UNKNOWN_KEY
        return Verified(CALLER, 2**40) if text in {b"good", b"new"} else Unverified.INVALID

    def fetch_due(self, *, unknown_key: bool) -> bool:
        """Whether one may be fetched for an unknown key; otherwise not."""
        return unknown_key and self.due

    def fetch(self) -> None:
        """Learn the new key."""
        time.sleep(0.05)
        self.fetches += 1
        self.knows_new = True


def test_a_token_lets_in_like_a_key(store: MemoryStore) -> None:
    """On a decision route and behind it, as whom it names."""
    with serving(store, tokens=Issued()) as api:
        assert status(api, "good") == 200
        answer = api.post("/v1/orgs/acme/roles", json={"id": "r"}, headers=bearer("good"))
        assert answer.status_code == 201
        events = api.get("/v1/orgs/acme/events", headers=bearer("good")).json()["items"]
        assert events[-1]["actor"] == "principal:alice"
        turned_away(api, bearer("bad"))


def test_without_an_issuer_no_token_lets_in(door: Api) -> None:
    """They are no credentials then."""
    turned_away(door, bearer("good"))


def test_a_token_with_a_new_key_waits_for_it(store: MemoryStore) -> None:
    """Those who come at once share one fetch."""
    issued = Issued()
    with serving(store, tokens=issued) as api:
        found: list[int] = []
        threads = [
            threading.Thread(target=lambda: found.append(status(api, "new"))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (found, issued.fetches) == ([200] * 8, 1)


def test_a_token_with_an_unknown_key_is_turned_away_when_no_fetch_is_due(
    store: MemoryStore,
) -> None:
    """Whoever makes up ids of keys does not make us ask the issuer each time."""
    issued = Issued()
    issued.due = False
    with serving(store, tokens=issued) as api:
        for _ in range(3):
            turned_away(api, bearer("new"))
        assert issued.fetches == 0


def test_without_the_keys_of_the_issuer_tokens_are_refused(store: MemoryStore) -> None:
    """503, and keys of our own count as ever."""
    with serving(store, tokens=Issued(has_keys=False)) as api:
        answer = api.post("/evaluate", json=QUESTION, headers=bearer("good"))
        told = problem(answer, 503, "authentication_unavailable")
        assert told["detail"] == "the keys of the issuer cannot be fetched: try again"
        assert answer.headers["retry-after"] == "1"
        assert status(api, new_key(store, OPERATORS)) == 200


# ---------------------------------------------------------------- the demo


def test_in_the_demo_nobody_need_present_anything(api: Api) -> None:
    """Everybody has the demo's key, of `acme`, trusted and with review; but it operates nothing."""
    assert evaluate(api)["decision"] == "Allow"
    assert evaluate(api, org_id="other")["decision"] == "Deny"
    problem(api.get("/v1/orgs/other"), 403, "forbidden_organization")
    problem(api.post("/v1/orgs", json={"id": "other"}), 403, "insufficient_scope")
    assert api.post("/v1/orgs/acme/roles", json={"id": "r"}).status_code == 201
    assert api.get("/v1/orgs/acme/events").json()["items"][-1]["actor"] == "demo"


def test_in_the_demo_a_credential_counts_for_what_it_is(api: Api, store: MemoryStore) -> None:
    """The demo's key stands in for none, not for a wrong one."""
    turned_away(api, bearer("gp_wrong"))
    turned_away(api, {"Authorization": ""})
    only = new_key(store, KeyRequest(ACME, None, frozenset({Scope.REVIEW})))
    problem(api.post("/evaluate", json=QUESTION, headers=bearer(only)), 403, "insufficient_scope")
    assert status(api, DEMO_TEXT) == 200


def test_a_revoked_demo_is_closed(api: Api, store: MemoryStore) -> None:
    """The demo's key goes the way of every key."""
    assert evaluate(api)["decision"] == "Allow"
    assert services_over(store).keyring.revoke(DEMO_TEXT[3:15], by=BY)
    running(api).services.keyring.look()
    turned_away(api, {})


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:9090",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.0.2.1:9090",
        "0.0.0.0",  # noqa: S104 - it is refused here
        "[2001:db8::1]:9090",
        "",
        "localhost, evil.example",
    ],
)
def test_the_demo_is_heard_under_names_of_this_machine_only(steady: Api, host: str) -> None:
    """A page elsewhere that rebinds a name of its own gets nothing, whatever it presents."""
    for headers in ({"Host": host}, {"Host": host, **bearer(DEMO_TEXT)}):
        problem(steady.post("/evaluate", json=QUESTION, headers=headers), 421, "wrong_host")
        for path in ("/v1/orgs/acme", "/livez", "/openapi.json", "/nothing"):
            problem(steady.get(path, headers=headers), 421, "wrong_host")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1:9090", "127.8.8.8", "[::1]", "[::1]:9090"]
)
def test_the_demo_is_heard_under_every_name_of_this_machine(steady: Api, host: str) -> None:
    """With a port and without."""
    headers = {"Host": host}
    assert steady.post("/evaluate", json=QUESTION, headers=headers).status_code == 200
    assert steady.get("/livez", headers=headers).status_code == 200


def test_a_service_with_credentials_is_heard_under_any_name(door: Api, key: str) -> None:
    """Whoever has a key has no need of a name."""
    headers = {"Host": "grantproof.example", **bearer(key)}
    assert door.post("/evaluate", json=QUESTION, headers=headers).status_code == 200
    assert OrganizationId("acme") == ACME
