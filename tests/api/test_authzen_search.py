"""The searches of AuthZEN over HTTP: pages, tokens, limits, what is refused, and change."""

import asyncio
import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import msgspec
import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.api.authzen import search
from grantproof.api.authzen.pages import Place, token_of
from grantproof.core.limits import PAGE_ITEMS_MAX, PAGE_TOKEN_LENGTH_MAX, SEARCH_ATTEMPTS_MAX
from grantproof.service.callers import Scope
from tests.api.authzen import (
    HERE,
    RECORDS,
    asking,
    assigned,
    claim,
    evaluated,
    found,
    principal,
    records,
    refused,
    resource,
)
from tests.api.service import OPERATORS, Api, Json, running, serving

SUBJECT: Final = "/access/v1/search/subject"
RESOURCE: Final = "/access/v1/search/resource"
ACTION: Final = "/access/v1/search/action"
USERS: Final[Json] = {**asking(), "subject": {"type": "user"}}
RECORDS_OF: Final[Json] = {**asking(), "resource": {"type": "record"}}
DEEDS: Final[Json] = {name: part for name, part in asking().items() if name != "action"}
EACH: Final = {SUBJECT: USERS, RESOURCE: RECORDS_OF, ACTION: DEEDS}
CROWD: Final = [f"reader-{number:02}" for number in range(7)]


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """An enforcement point of an organization with more readers."""
    more: list[Json] = []
    for name in CROWD:
        more += [principal(name), *assigned(name, "reader")]
    with records(more=more) as client:
        yield client


def names(told: Json) -> list[str]:
    """What a page has."""
    return [one.get("id", one.get("name")) for one in told["results"]]


def pages(api: Api, path: str, body: Json, **page: Any) -> list[list[str]]:
    """What every page of a search has; only the first is asked for with a limit."""
    told = evaluated(api, {**body, "page": page}, path)
    shown = [names(told)]
    while told["page"]["next_token"]:
        told = evaluated(api, {**body, "page": {"token": told["page"]["next_token"]}}, path)
        shown.append(names(told))
    return shown


def test_subjects_resources_and_actions_are_found(api: Api) -> None:
    """With the type that was asked for, in the order of their ids."""
    subjects = evaluated(api, USERS, SUBJECT)
    assert names(subjects) == ["alice", "bob", *CROWD]
    assert {one["type"] for one in subjects["results"]} == {"user"}
    assert evaluated(api, RECORDS_OF, RESOURCE)["results"] == [
        {"type": "record", "id": "record-1"},
        {"type": "record", "id": "record-2"},
    ]
    assert evaluated(api, DEEDS, ACTION)["results"] == [{"name": "read"}, {"name": "write"}]


def test_a_page_tells_of_which_state_it_is(api: Api) -> None:
    """And how many results it has; the last one has no token."""
    page = evaluated(api, DEEDS, ACTION)["page"]
    assert (page["next_token"], page["count"], page["properties"]["revision"]) == ("", 2, 1)
    assert page["properties"]["decided_at"] > 0


def test_properties_count_as_in_an_evaluation(api: Api) -> None:
    """Of what is given, and of what is sought: then every candidate has them."""
    archived = {"type": "record", "id": "record-1", "properties": {"status": "archived"}}
    writing: Json = {"action": {"name": "write"}}
    assert names(evaluated(api, {**USERS, **writing, "resource": archived}, SUBJECT)) == ["bob"]
    admin = {"type": "user", "id": "bob", "properties": {"role": "admin"}}
    assert names(evaluated(api, {**RECORDS_OF, **writing, "subject": admin}, RESOURCE)) == [
        "record-2"
    ]
    active = {"type": "record", "properties": {"status": "active"}}
    both = evaluated(api, {**RECORDS_OF, **writing, "resource": active}, RESOURCE)
    assert names(both) == ["record-1", "record-2"]
    assert names(evaluated(api, {"subject": admin, "resource": archived}, ACTION)) == [
        "read",
        "write",
    ]


@pytest.mark.parametrize(
    ("path", "part"), [(SUBJECT, "subject"), (RESOURCE, "resource"), (ACTION, "action")]
)
@pytest.mark.parametrize("name", ["alice", "record-1", "nobody", 7, None])
def test_the_targets_id_is_ignored(api: Api, path: str, part: str, name: object) -> None:
    """Whatever it is; an action is ignored altogether."""
    body = EACH[path]
    targeted = {**body, part: {**body.get(part, {}), "id": name, "name": name}}
    assert evaluated(api, targeted, path)["results"] == evaluated(api, body, path)["results"]


@pytest.mark.parametrize("limit", [1, 2, 3, 8, 9, 10, PAGE_ITEMS_MAX + 1])
def test_pages_together_are_the_whole(api: Api, limit: int) -> None:
    """Each but the last is full, and the last has no token, however they divide."""
    shown = pages(api, SUBJECT, USERS, limit=limit)
    everybody = ["alice", "bob", *CROWD]
    assert [name for page in shown for name in page] == everybody
    assert [len(page) for page in shown[:-1]] == [limit] * (len(shown) - 1)
    assert 0 < len(shown[-1]) <= limit


def test_a_page_may_find_nothing_and_go_on(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it has looked at as many candidates as it may: then its token goes on behind them."""
    monkeypatch.setattr(search, "SEARCHED_MAX", 2)
    writers = {**USERS, "action": {"name": "write"}}
    # Whoever might write to it: the archivist is looked at, and denied.
    assert pages(api, SUBJECT, writers) == [["alice"]]
    assert pages(api, SUBJECT, USERS, limit=100) == [
        ["alice", "bob"],
        *([CROWD[at], CROWD[at + 1]] for at in (0, 2, 4)),
        [CROWD[6]],
    ]


def test_a_token_is_of_its_search_and_its_limit(api: Api) -> None:
    """With another question, or another limit, it is refused; what does not count may differ."""
    token = evaluated(api, {**USERS, "page": {"limit": 2}}, SUBJECT)["page"]["next_token"]

    def asked(path: str = SUBJECT, limit: object = None, **changed: Any) -> Any:
        page = {"token": token} if limit is None else {"token": token, "limit": limit}
        return api.post(path, json={**USERS, **changed, "page": page})

    assert asked().status_code == asked(limit=2).status_code == 200
    assert asked(subject={"type": "user", "id": "x"}, foo=1).json() == asked().json()
    for limit in (1, 3, 1_000):
        assert "`page.limit`" in refused(asked(limit=limit), 400)
    for other in (
        asked(action={"name": "write"}),
        asked(resource={"type": "record", "id": "record-2"}),
        asked(resource={**USERS["resource"], "properties": {"status": "active"}}),
        asked(context={"region": "eu"}),
        asked(RESOURCE, subject={"type": "user", "id": "alice"}),
        asked(f"/orgs/acme{SUBJECT}"),
    ):
        assert other.status_code in {400, 403}, other.text
    assert "`page.token`" in refused(asked(action={"name": "write"}), 400)


def written(*parts: object) -> str:
    """A token that says what ours do not."""
    return base64.urlsafe_b64encode(msgspec.json.encode(parts)).decode()


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "ü",
        "=" * 4,
        written(),
        written("0" * 32, 2, "alice"),
        written("0" * 32, "2", "alice"),
        written({}, 2, "alice"),
        base64.urlsafe_b64encode(b"[" * 700).decode(),
        "A" * (PAGE_TOKEN_LENGTH_MAX + 1),
        7,
        None,
        {},
    ],
)
def test_what_is_no_token_is_refused(api: Api, token: object) -> None:
    """In plain words, and without going on anywhere."""
    assert "token" in refused(api.post(SUBJECT, json={**USERS, "page": {"token": token}}), 400)


def test_a_token_that_is_made_up_has_a_limit_as_any_other(api: Api) -> None:
    """Whoever knows how they are made gets no page that is larger, or goes on for ever."""
    action, resource = USERS["action"]["name"], USERS["resource"]
    of = [HERE, "subject", "user", action, resource["type"], resource["id"], {}]

    def asked(limit: int) -> Any:
        page = {"token": token_of(of, Place(limit, "alice"))}
        return api.post(SUBJECT, json={**USERS, "page": page})

    assert asked(2).json()["page"]["count"] == 2
    for limit in (0, -1, -(2**62)):
        assert "`page.token`" in refused(asked(limit), 400)


@pytest.mark.parametrize("page", [None, 1, [], {"limit": 0}, {"limit": -1}, {"limit": "2"}])
def test_a_page_that_is_none_is_refused(api: Api, page: object) -> None:
    """As any ill-typed part."""
    assert "page" in refused(api.post(SUBJECT, json={**USERS, "page": page}), 400)


@pytest.mark.parametrize("path", EACH)
def test_what_is_unknown_finds_nothing(api: Api, path: str) -> None:
    """A type, an id or a name that nothing here has: an empty page, and no error."""
    odd = ("nobody", "a b", "*", "", "x" * 500)
    for part, names_of_it in (("subject", ("type", "id")), ("resource", ("type", "id"))):
        for name in names_of_it:
            if part not in EACH[path] or name not in EACH[path][part]:
                continue
            for value in odd:
                # A record of that name need not be registered.
                if (part, name, value) == ("resource", "id", "nobody"):
                    continue
                body = {**EACH[path], part: {**EACH[path][part], name: value}}
                told = evaluated(api, body, path)
                assert (told["results"], told["page"]["next_token"]) == ([], ""), body
    if path != ACTION:
        for value in odd:
            assert names(evaluated(api, {**EACH[path], "action": {"name": value}}, path)) == []


@pytest.mark.parametrize("path", EACH)
def test_a_part_that_is_missing_is_refused(api: Api, path: str) -> None:
    """So is an entity that is not the target, and lacks its id."""
    body = EACH[path]
    for part in body:
        lacking = {name: rest for name, rest in body.items() if name != part}
        assert f"`{part}`" in refused(api.post(path, json=lacking), 400)
        for name in body[part]:
            halved = {key: value for key, value in body[part].items() if key != name}
            refused(api.post(path, json={**body, part: halved}), 400)


def test_a_search_takes_review_scope(api: Api) -> None:
    """It tells what exists; and nobody searches what is another's."""
    assert api is not None
    for scopes in ({Scope.EVALUATE}, {Scope.REVIEW}):
        with records(frozenset(scopes)) as other:
            for path, body in EACH.items():
                answer = other.post(path, json=body)
                assert "`evaluate` and `review`" in refused(answer, 403)
                assert "insufficient_scope" in answer.headers["www-authenticate"]
    for path, body in EACH.items():
        theirs = refused(api.post(f"/orgs/acme{path}", json=body), 403)
        nobodys = refused(api.post(f"/orgs/nope{path}", json=body), 403)
        assert theirs.replace("acme", "nope") == nobodys


def test_resources_of_implicit_kinds_and_inside_others_are_found() -> None:
    """By a pattern, and inside another resource; what is only named in passing is not listed."""
    more = [
        {"type": "CreateKind", "kind": "folder"},
        resource("top", "folder"),
        resource("top/a", "record", "top"),
        resource("top/a/b", "record", "top/a"),
        claim("reader", "open", "top/**"),
        claim("reader", "watch", "kind:role"),
        claim("reader", "see", "record-2"),
        claim("reader", "see", "role:writer"),
        claim("reader", "touch", "*"),
    ]
    with records(more=more) as api:

        def all_of(kind: str, action: str) -> list[str]:
            body = {**asking(action=action), "resource": {"type": kind}}
            return names(evaluated(api, body, RESOURCE))

        assert all_of("record", "open") == ["top/a", "top/a/b"]
        assert all_of("folder", "open") == ["top"]
        assert all_of("role", "watch") == ["role:archivist", "role:reader", "role:writer"]
        assert all_of("record", "see") == ["record-2"]
        assert all_of("role", "see") == ["role:writer"]
        assert all_of("record", "touch") == ["record-1", "record-2", "top/a", "top/a/b"]
        assert all_of("photo", "touch") == []
        anything = {"subject": DEEDS["subject"], "resource": {"type": "record", "id": "record-9"}}
        assert names(evaluated(api, anything, ACTION)) == ["read", "touch"]


def test_a_claim_on_any_action_grants_those_that_claims_name() -> None:
    """But no administrative one: that has to be named."""
    more = [
        {"type": "CreateRole", "role": "chief"},
        principal("dora"),
        claim("chief", "*", "*"),
        claim("writer", "assign", "role:reader"),
        *assigned("dora", "chief"),
    ]
    with records(more=more) as api:
        body = {**DEEDS, "subject": {"type": "user", "id": "dora"}}
        assert names(evaluated(api, body, ACTION)) == ["delete", "read", "write"]


def test_a_metered_claim_is_read_while_searching() -> None:
    """Its counters are followed when a candidate first asks for them."""
    once = {"type": "max_usage", "limit": 1, "period": "total"}
    with records(more=[claim("reader", "export", "kind:record", once)]) as api:
        exports = {**USERS, "action": {"name": "export"}}
        assert names(evaluated(api, exports, SUBJECT)) == ["alice", "bob"]


def test_a_page_is_of_the_state_when_it_is_asked_for() -> None:
    """What changes between two pages shows in the second; nobody is told twice."""
    store = MemoryStore()
    with serving(store, OPERATORS) as api:
        found(api, RECORDS)
        path = f"/orgs/{HERE}{SUBJECT}"
        first = evaluated(api, {**USERS, "page": {"limit": 1}}, path)
        assert names(first) == ["alice"]
        changes = [principal("aaron"), principal("zoe")]
        changes += [*assigned("aaron", "reader"), *assigned("zoe", "reader")]
        changed = api.post(f"/v1/orgs/{HERE}/changes", json={"commands": changes})
        assert changed.status_code == 200, changed.text
        token = first["page"]["next_token"]
        second = evaluated(api, {**USERS, "page": {"token": token}}, path)
        third = evaluated(api, {**USERS, "page": {"token": second["page"]["next_token"]}}, path)
        assert [*names(second), *names(third)] == ["bob", "zoe"]
        assert second["page"]["properties"]["revision"] == 2


def test_a_page_is_of_one_state_though_it_changes_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is begun anew, a few times; then the caller is asked to."""
    moves = 0
    with records() as api:
        index = running(api).services.snapshots.get(HERE)
        assert index is not None
        sleep = asyncio.sleep

        async def moved(seconds: float) -> None:
            nonlocal moves
            if moves > 0:
                moves -= 1
                # As good as another state: it is another value.
                index.state = replace(index.state)
            await sleep(seconds)

        monkeypatch.setattr(asyncio, "sleep", moved)
        moves = SEARCH_ATTEMPTS_MAX - 1
        assert names(evaluated(api, USERS, SUBJECT)) == ["alice", "bob"]
        moves = SEARCH_ATTEMPTS_MAX
        answer = api.post(SUBJECT, json=USERS)
        assert "try again" in refused(answer, 503)
        assert answer.headers["retry-after"] == "1"
