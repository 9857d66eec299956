"""The list of assignments: who holds what, found by parts of ids, page by page."""

import re
from dataclasses import replace
from typing import NoReturn

import pytest
from httpx2 import Response

from grantproof.adapters.memory import MemoryStore
from grantproof.api.console import assigning
from grantproof.api.console.assigning import SOON, stage_of
from grantproof.core.model import ALWAYS, Validity
from grantproof.service import origins
from grantproof.service.callers import Scope
from grantproof.service.demo import ACME
from grantproof.service.keyring import KeyRequest
from grantproof.service.ports import StoreUnavailable
from tests.api.console.browsing import look, told, words
from tests.api.service import Api, serving

ORG = "/v1/orgs/acme"
HERE = "/console/orgs/acme/assignments"
EVIL = "<script>alert(1)</script>\"'&"


def asked(api: Api, **typed: str) -> Response:
    """The page for what was typed."""
    answer = look(api, HERE, params=typed)
    assert answer.status_code == 200, words(answer)
    return answer


def rows(answer: Response) -> list[tuple[str, str]]:
    """Who holds which role, row by row."""
    row = r'<th scope="row">([^\s<]+).*?data-label="Role">(\S+)'
    found: list[tuple[str, str]] = re.findall(row, answer.text, re.DOTALL)
    return found


DEMO = [("alice", "viewer"), ("bob", "editor"), ("carol", "finance")]


def test_everybody_is_listed_with_what_they_hold(steady: Api) -> None:
    """And how it came about: which event, by whom, when."""
    answer = asked(steady)
    assert rows(answer) == DEMO
    assert words(answer).count("( revision 1 )") == 3
    assert "no start" in words(answer)
    assert "no end" in words(answer)
    assert answer.text.count("do=revoke") == 3


def test_the_reason_of_an_assignment_is_told_escaped(api: Api) -> None:
    """What people wrote is text."""
    headers = {"Grantproof-Reason": EVIL}
    body = {"principal": "alice", "role": "editor"}
    assert api.post(f"{ORG}/assignments", json=body, headers=headers).status_code == 201
    answer = asked(api, who="alice", role="edit")
    assert "<script>alert" not in answer.text
    assert f"( revision 2 ): “{EVIL}”" in words(answer)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ({"who": "AL"}, DEMO[:1]),
        ({"who": "o"}, DEMO[1:]),
        ({"role": "I", "who": "b"}, DEMO[1:2]),
        ({"role": "fin"}, DEMO[2:]),
        ({"who": "bob", "role": "viewer"}, []),
        ({"who": EVIL}, []),
        ({"when": "now"}, DEMO),
        ({"when": "expired"}, []),
    ],
)
def test_they_are_found_by_parts_of_ids(
    steady: Api, typed: dict[str, str], found: list[tuple[str, str]]
) -> None:
    """Small or capital letters; what was typed stays in the form."""
    answer = asked(steady, **typed)
    assert rows(answer) == found
    assert "<script>alert" not in answer.text
    if not found:
        assert "No assignment is of this kind." in words(answer)


@pytest.mark.parametrize(
    ("validity", "stage"),
    [
        (ALWAYS, "valid"),
        (Validity(None, 100), "expired"),
        (Validity(None, 101), "expiring"),
        (Validity(None, 100 + SOON - 1), "expiring"),
        (Validity(None, 100 + SOON), "valid"),
        (Validity(100, None), "valid"),
        (Validity(101, None), "not begun"),
        (Validity(101, 102), "not begun"),
    ],
)
def test_what_is_so_of_an_assignment_now(validity: Validity, stage: str) -> None:
    """At the instant 100, the end being the first instant that is not in it."""
    assert stage_of(validity, 100) == stage


def test_those_that_end_have_ended_or_begin_are_found(api: Api) -> None:
    """Each by its choice; groups come first."""
    assert api.post(f"{ORG}/groups", json={"id": "staff"}).status_code == 201
    far = 4_000_000_000
    for body in (
        {"group": "staff", "role": "viewer", "until": far},
        {"principal": "alice", "role": "editor", "until": 1_000},
        {"principal": "bob", "role": "viewer", "from": far},
    ):
        answer = api.post(f"{ORG}/assignments", json=body)
        assert answer.status_code == 201, answer.text
    assert rows(asked(api, when="expired")) == [("alice", "editor")]
    assert rows(asked(api, when="later")) == [("bob", "viewer")]
    assert rows(asked(api, when="expiring")) == []
    assert rows(asked(api, when="now")) == [("staff", "viewer"), *DEMO]
    assert "ended" in words(asked(api, who="alice"))
    assert "1970-01-01 00:16:40 UTC" in words(asked(api, who="alice"))


def test_pages_follow_one_another(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each names where the next begins; together they are all, once each."""
    monkeypatch.setattr(assigning, "LISTED", 2)
    answer = asked(api, who="a")
    seen = rows(answer)
    assert seen == [("alice", "viewer"), ("carol", "finance")]
    answer = asked(api)
    href = re.search(r'rel="next" href="([^"]*)"', answer.text)
    assert href is not None
    following = look(api, href[1].replace("&amp;", "&"))
    assert [*rows(answer), *rows(following)] == DEMO
    assert 'rel="next"' not in following.text


def test_after_the_last_page_there_is_nothing_more(steady: Api) -> None:
    """And a cursor that is none is refused."""
    answer = asked(steady, after="principal,zoe,viewer")
    assert "There are no more assignments." in words(answer)
    told(look(steady, HERE, params={"after": "x"}), 400, "invalid")
    told(look(steady, HERE, params={"when": EVIL}), 400, "invalid")


def test_what_a_principal_holds_through_groups_is_told(api: Api) -> None:
    """When its whole id was typed: which group has the role, and how they hang together."""
    for path, body in (
        ("groups", {"id": "inner"}),
        ("groups", {"id": "outer"}),
        ("nestings", {"group": "inner", "container": "outer"}),
        ("memberships", {"principal": "carol", "group": "inner"}),
        ("assignments", {"group": "outer", "role": "viewer"}),
    ):
        assert api.post(f"{ORG}/{path}", json=body).status_code == 201
    seen = words(asked(api, who="carol"))
    assert "carol also holds, through groups viewer" in seen
    assert "assigned to group outer, which has in it group inner" in seen
    assert "also holds" not in words(asked(api, who="caro"))
    assert "also holds" not in words(asked(api, who="alice"))


def test_what_is_longer_ago_than_is_looked_at_is_told(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the way to the events that name the holder."""
    monkeypatch.setattr(origins, "SEARCHED_MAX", 2)
    monkeypatch.setattr(origins, "READ_AT_ONCE", 1)
    for number in range(3):
        api.post(f"{ORG}/principals", json={"id": f"p-{number}"})
    body = {"principal": "p-1", "role": "viewer"}
    assert api.post(f"{ORG}/assignments", json=body).status_code == 201
    answer = asked(api)
    assert words(answer).count("longer ago than") == 3
    assert words(answer).count("( revision 5 )") == 1
    assert "/console/orgs/acme/events?subject=alice" in answer.text


def test_who_was_forgotten_is_not_named(api: Api, store: MemoryStore) -> None:
    """An author that was erased, and the reason with it."""
    entries = store.entries

    def forgetting(*given: object, **more: object) -> object:
        found = entries(*given, **more)  # type: ignore[arg-type]  # as it was called
        return tuple(replace(one, actor=None, reason=None, erased_at=7) for one in found)

    store.entries = forgetting  # type: ignore[method-assign, assignment]  # for one test
    seen = words(asked(api))
    assert seen.count("somebody whose name was erased") == 3


def test_what_was_just_made_is_told_if_it_is_there(steady: Api) -> None:
    """A revision that is to come is not told, and what is none is refused."""
    assert "Done. Revision 1 : made 18 changes" in words(asked(steady, made="1"))
    assert "Done." not in words(asked(steady, made="2"))
    told(look(steady, HERE, params={"made": "x"}), 400, "invalid")


def test_looking_takes_the_scope_of_review(store: MemoryStore) -> None:
    """And the organization of the caller."""
    with serving(store, KeyRequest(ACME, None, frozenset({Scope.EVALUATE}))) as api:
        told(look(api, HERE), 403, "insufficient_scope")
    with serving(MemoryStore(), demo=True) as api:
        told(look(api, HERE.replace("acme", "other")), 403, "forbidden_organization")


def test_a_store_that_is_away_is_told(
    api: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, in place of a list that says nothing of how things came about."""

    def away(*_: object, **__: object) -> NoReturn:
        message = "gone"
        raise StoreUnavailable(message)

    monkeypatch.setattr(store, "entries", away)
    told(look(api, HERE), 503, "store_unavailable")
