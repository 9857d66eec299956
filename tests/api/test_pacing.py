"""Too often: addresses that present what is not known, and credentials that ask without end."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient

from grantproof.adapters.memory import MemoryStore
from grantproof.api.pacing import Pacing, name_of
from grantproof.api.problems import Refused
from grantproof.service.credentials import key_text
from grantproof.settings import Settings
from tests.api.service import (
    ADDRESS,
    OPERATORS,
    READ_DOCS,
    Api,
    bearer,
    new_key,
    problem,
    serving,
)
from tests.api.test_authentication import Issued

BURST = 3
UNKNOWN = [key_text(f"{number:012}", "s" * 43) for number in range(20)]


@contextmanager
def guarded(store: MemoryStore, **settings: Any) -> Iterator[Api]:
    """A service where an address may present three unknown credentials, and one each minute."""
    wanted = {"attempts_per_minute": 1, "attempts_burst": BURST, **settings}
    with serving(store, OPERATORS, **wanted) as api:
        yield api


def presented(api: Api, credential: str) -> int:
    """The status of a request with the credential."""
    return api.get("/v1/orgs", headers=bearer(credential)).status_code


def test_who_guesses_is_told_to_wait_and_who_is_known_is_not() -> None:
    """At n-1, n and n+1; on the decision routes too, and for everybody behind the address."""
    store = MemoryStore()
    with guarded(store) as api:
        assert [presented(api, key) for key in UNKNOWN[:BURST]] == [401] * BURST
        for path in ("/v1/orgs", "/v1/keys"):
            refused = api.get(path, headers=bearer(UNKNOWN[5]))
            told = problem(refused, 429, "too_many_attempts")
            assert 50 <= int(refused.headers["retry-after"]) <= 60
            assert UNKNOWN[5] not in str(told)
        refused = api.post("/evaluate", json=READ_DOCS, headers=bearer(UNKNOWN[6]))
        problem(refused, 429, "too_many_attempts")
        assert api.get("/v1/orgs").status_code == 200
        assert api.post("/evaluate", json=READ_DOCS).status_code == 200
        # What is no key at all costs nothing to refuse.
        assert presented(api, "nonsense") == 401
        assert presented(api, UNKNOWN[0][:-1]) == 401


def test_another_address_has_tokens_of_its_own() -> None:
    """The address of the connection counts; what a header says of it does not."""
    with guarded(MemoryStore()) as api:
        assert [presented(api, key) for key in UNKNOWN[:4]] == [401, 401, 401, 429]
        forwarded = {**bearer(UNKNOWN[4]), "X-Forwarded-For": "192.0.2.7"}
        assert api.get("/v1/orgs", headers=forwarded).status_code == 429
        other = TestClient(api.app, base_url=ADDRESS, client=("192.0.2.7", 1))
        assert presented(other, UNKNOWN[4]) == 401


def test_a_new_key_is_found_and_costs_nothing() -> None:
    """Keys made elsewhere are unknown until they are looked for: that is given back."""
    store = MemoryStore()
    with guarded(store) as api:
        made = [new_key(store, OPERATORS) for _ in range(2 * BURST)]
        assert [presented(api, key) for key in made] == [200] * len(made)


def test_tokens_pay_until_they_are_verified() -> None:
    """A good one gets its payment back, a bad one does not."""
    with serving(
        MemoryStore(), tokens=Issued(), attempts_per_minute=1, attempts_burst=BURST
    ) as api:
        path = "/v1/orgs/acme/roles"
        for _ in range(2 * BURST):
            assert api.get(path, headers=bearer("good")).status_code == 200
        told = [api.get(path, headers=bearer(f"bad-{n}")).status_code for n in range(BURST + 1)]
        assert told == [401] * BURST + [429]


def test_no_limit_is_a_choice() -> None:
    """0 attempts a minute is no limit at all."""
    with guarded(MemoryStore(), attempts_per_minute=0) as api:
        assert {presented(api, key) for key in UNKNOWN} == {401}


@pytest.mark.parametrize("path", ["/evaluate", "/evaluate/batch"])
def test_each_credential_has_its_rate(path: str) -> None:
    """One in fifty seconds, wherever they ask; a batch costs one; others go on."""
    store = MemoryStore()
    question = {name: said for name, said in READ_DOCS.items() if name != "org_id"}
    body = READ_DOCS if path == "/evaluate" else {"org_id": "acme", "items": [question] * 50}
    with guarded(store, rate_limit=0.02) as api:
        assert api.post(path, json=body).status_code == 200
        refused = api.post(path, json=body)
        problem(refused, 429, "rate_limited")
        assert 40 <= int(refused.headers["retry-after"]) <= 50
        problem(api.get("/v1/orgs"), 429, "rate_limited")
        other = bearer(new_key(store, OPERATORS))
        assert api.post(path, json=body, headers=other).status_code == 200
        assert api.get("/livez").status_code == 200


def test_tokens_are_paced_by_their_subject() -> None:
    """Another token of the same principal is the same caller."""
    with serving(MemoryStore(), tokens=Issued(), rate_limit=0.02) as api:
        path = "/v1/orgs/acme/roles"
        assert api.get(path, headers=bearer("good")).status_code == 200
        problem(api.get(path, headers=bearer("new")), 429, "rate_limited")


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("a name", "a name"),
    ],
)
def test_what_counts_as_one_address(address: str, counted: str) -> None:
    """A network of version 6 is one subscriber's; an address of version 4 in it is itself."""
    assert name_of((address, 1)) == counted
    assert name_of(None) == "unknown"


def test_attempts_come_back_with_time() -> None:
    """One each second at sixty a minute; the clock is the one that only moves forward."""
    now = 0.0
    pacing = Pacing(Settings(attempts_per_minute=60, attempts_burst=1), seconds=lambda: now)
    client = ("192.0.2.1", 1)
    pacing.attempt(client)
    with pytest.raises(Refused):
        pacing.attempt(client)
    now = 1.0
    pacing.attempt(client)
