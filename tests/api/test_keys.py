"""/v1/keys: made, shown once, listed without their secret, revoked; by operators."""

import time
from pathlib import Path

import pytest
from httpx2 import Response

from grantproof.adapters.memory import MemoryStore
from grantproof.adapters.sql import open_database
from grantproof.api.conditions import IDEMPOTENCY_KEY
from grantproof.core.limits import KEY_LABEL_LENGTH_MAX
from grantproof.service import keyring
from grantproof.service.credentials import Key
from grantproof.service.receipts import KeyReceipt
from tests.api.service import OPERATORS, Api, Json, bearer, fields_at_fault, problem, serving

WANTED: Json = {
    "org_id": "acme",
    "principal_id": "alice",
    "scopes": ["review", "evaluate"],
    "label": "the web shop",
}


def test_a_key_lives_from_creation_to_revocation(operator: Api) -> None:
    """It is shown once, counts at once, is listed without its secret, and is revoked at once."""
    created = operator.post("/v1/keys", json=WANTED)
    assert created.status_code == 201
    made = created.json()
    text = made.pop("key")
    assert text.startswith(f"gp_{made['prefix']}_")
    assert made == {
        **WANTED,
        "prefix": made["prefix"],
        "scopes": ["evaluate", "review"],
        "created_at": made["created_at"],
        "created_by": made["created_by"],
        "expires_at": None,
        "revoked_at": None,
        "revoked_by": None,
    }
    assert made["created_by"].startswith("key:")
    assert operator.get("/v1/orgs/acme", headers=bearer(text)).status_code == 200
    listed = operator.get("/v1/keys")
    assert made in listed.json()["items"]
    assert text[16:] not in listed.text
    assert operator.delete(f"/v1/keys/{made['prefix']}").status_code == 204
    answer = operator.get("/v1/orgs/acme", headers=bearer(text))
    problem(answer, 401, "unauthenticated")
    problem(operator.delete(f"/v1/keys/{made['prefix']}"), 404, "not_found")
    (shown,) = [
        one for one in operator.get("/v1/keys").json()["items"] if one["prefix"] == made["prefix"]
    ]
    assert shown["revoked_by"] == made["created_by"]


def test_an_operator_can_revoke_its_own_key(operator: Api) -> None:
    """The answer to that is its last."""
    (own,) = operator.get("/v1/keys").json()["items"]
    assert operator.delete(f"/v1/keys/{own['prefix']}").status_code == 204
    problem(operator.get("/v1/keys"), 401, "unauthenticated")


def test_keys_come_in_pages(operator: Api) -> None:
    """All pages together are all keys."""
    for _ in range(4):
        assert operator.post("/v1/keys", json=WANTED).status_code == 201
    whole = [one["prefix"] for one in operator.get("/v1/keys").json()["items"]]
    found: list[str] = []
    page = operator.get("/v1/keys?limit=2").json()
    while page["next"] is not None:
        found += [one["prefix"] for one in page["items"]]
        page = operator.get(f"/v1/keys?limit=2&after={page['next']}").json()
    found += [one["prefix"] for one in page["items"]]
    assert found == whole == sorted(whole)
    assert len(whole) == 5


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes[0]"),
        ({"scopes": ["evaluate", "evaluate"]}, "scopes"),
        ({"scopes": ["operate"]}, "scopes"),
        ({"scopes": "evaluate"}, "scopes"),
        ({"org_id": "a b"}, "org_id"),
        ({"org_id": "nobody"}, "org_id"),
        ({"principal_id": "nobody"}, "principal_id"),
        ({"org_id": None}, "principal_id"),
        ({"label": "x" * (KEY_LABEL_LENGTH_MAX + 1)}, "label"),
        ({"label": "two\nlines"}, "label"),
        ({"expires_at": 1}, "expires_at"),
        ({"expires_at": -1}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_at": 1.5}, "expires_at"),
        ({"key": "gp_mine"}, "key"),
    ],
)
def test_a_key_that_cannot_be_is_not_made(operator: Api, changed: Json, field: str) -> None:
    """400 names the field, and nothing is made."""
    told = problem(operator.post("/v1/keys", json={**WANTED, **changed}), 400, "invalid")
    assert fields_at_fault(told) == [field]
    assert len(operator.get("/v1/keys").json()["items"]) == 1


def test_a_key_can_have_an_end(operator: Api) -> None:
    """In epoch seconds, in the future."""
    end = int(time.time()) + 60
    made = operator.post("/v1/keys", json={**WANTED, "expires_at": end}).json()
    assert made["expires_at"] == end


@pytest.mark.parametrize("prefix", ["nothing", "x" * 500, "%00", "a%20b", "%F0%9F%94%91"])
def test_what_is_no_key_is_not_found(operator: Api, prefix: str) -> None:
    """Whatever is asked for."""
    problem(operator.delete(f"/v1/keys/{prefix}"), 404, "not_found")


def test_too_many_keys_are_refused(
    operator: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """409 says how many there may be."""
    monkeypatch.setattr(keyring, "KEYS_MAX", 1)
    problem(operator.post("/v1/keys", json=WANTED), 409, "over_limit")
    assert len(store.keys.page(limit=9)) == 1


# ---------------------------------------------------------------- once


ONCE = {IDEMPOTENCY_KEY: "b1946ac9-2f0e-4a5e-9b0c-3f1f9d1f7a11"}


def prefixes(api: Api) -> list[str]:
    """The prefixes of all keys."""
    return [one["prefix"] for one in api.get("/v1/keys").json()["items"]]


def test_a_key_is_made_once_and_its_text_told_once(operator: Api) -> None:
    """The same request again makes none, and gets the same answer, but for the text."""
    first = operator.post("/v1/keys", json=WANTED, headers=ONCE)
    before = prefixes(operator)
    for _ in range(2):
        again = operator.post("/v1/keys", json=WANTED, headers=ONCE)
        assert again.status_code == first.status_code == 201
        assert again.json() == {**first.json(), "key": None}
        assert first.json()["key"][16:] not in again.text
    assert prefixes(operator) == before
    assert operator.get("/v1/orgs/acme", headers=bearer(first.json()["key"])).status_code == 200


def test_a_lost_key_is_revoked_and_another_made(operator: Api) -> None:
    """The answer under the old idempotency key stays what it was; under a new one there is text."""
    made = operator.post("/v1/keys", json=WANTED, headers=ONCE).json()
    assert operator.delete(f"/v1/keys/{made['prefix']}").status_code == 204
    again = operator.post("/v1/keys", json=WANTED, headers=ONCE)
    assert (again.status_code, again.json()) == (201, {**made, "key": None})
    other = operator.post("/v1/keys", json=WANTED, headers={IDEMPOTENCY_KEY: "another"}).json()
    assert other["prefix"] != made["prefix"]
    assert operator.get("/v1/orgs/acme", headers=bearer(other["key"])).status_code == 200


def test_another_request_under_the_key_is_422(operator: Api) -> None:
    """Nothing is made."""
    operator.post("/v1/keys", json=WANTED, headers=ONCE)
    before = prefixes(operator)
    other = operator.post("/v1/keys", json={**WANTED, "label": "x"}, headers=ONCE)
    problem(other, 422, "idempotency_key_reused")
    assert prefixes(operator) == before


def test_a_refused_request_uses_up_no_key(operator: Api) -> None:
    """It made nothing, so the idempotency key is still free."""
    never = {**WANTED, "principal_id": "nobody"}
    problem(operator.post("/v1/keys", json=never, headers=ONCE), 400, "invalid")
    assert operator.post("/v1/keys", json=WANTED, headers=ONCE).json()["key"] is not None


def test_nothing_that_is_kept_holds_the_text(tmp_path: Path) -> None:
    """Not in the database, its log included, nor is there anything to make it from."""
    path = tmp_path / "grantproof.db"
    with serving(open_database(path), OPERATORS) as api:
        text = api.post("/v1/keys", json=WANTED, headers=ONCE).json()["key"]
        stored = b"".join(one.read_bytes() for one in tmp_path.iterdir())
        assert ONCE[IDEMPOTENCY_KEY].encode() in stored
        assert text[16:].encode() not in stored
    with serving(open_database(path), OPERATORS) as api:
        # The caller is another key now, so the idempotency key is its own.
        assert api.post("/v1/keys", json=WANTED, headers=ONCE).json()["key"] is not None


def test_while_the_first_is_at_work_the_second_is_409(
    operator: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Come again: then there is an answer, and there was one key."""
    create, late = store.keys.create, list[Response]()

    def slow(key: Key, *, receipt: KeyReceipt | None = None) -> bool:
        late.append(operator.post("/v1/keys", json=WANTED, headers=ONCE))
        return create(key, receipt=receipt)

    monkeypatch.setattr(store.keys, "create", slow)
    first = operator.post("/v1/keys", json=WANTED, headers=ONCE)
    problem(late[0], 409, "idempotency_in_progress")
    assert late[0].headers["retry-after"] == "1"
    again = operator.post("/v1/keys", json=WANTED, headers=ONCE)
    assert again.json() == {**first.json(), "key": None}
    assert len(late) == 1
