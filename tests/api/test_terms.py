"""`Idempotency-Key` and `If-Match`: a change once, and only of what the caller has seen."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Response
from typing_extensions import override

from grantproof.adapters.memory import MemoryStore
from grantproof.adapters.sql import open_database
from grantproof.api.conditions import IDEMPOTENCY_KEY
from grantproof.core.commands import Event
from grantproof.service.receipts import Receipt
from tests.api.service import Api, Json, problem, revision, serving

ORG = "/v1/orgs/acme"
KEY = {IDEMPOTENCY_KEY: "8e03978e-40d5-43dd-bc93-6894a57f9324"}
ASSIGNMENT: Json = {"principal": "alice", "role": "editor"}
GUARDRAIL: Json = {
    "id": "g",
    "type": "forbidden",
    "access": {"action": "erase", "resource": "*"},
}

POSTS: list[tuple[str, Json]] = [
    (f"{ORG}/principals", {"id": "dave", "attributes": {"level": 1}}),
    (f"{ORG}/groups", {"id": "staff"}),
    (f"{ORG}/roles", {"id": "new", "parents": ["viewer"]}),
    (f"{ORG}/roles/submitter/parents", {"parent": "viewer"}),
    (f"{ORG}/kinds", {"id": "folder"}),
    (f"{ORG}/resources", {"id": "mail", "kind": "document"}),
    (f"{ORG}/claims", {"id": "c", "role": "viewer", "action": "read", "resource": "*"}),
    (f"{ORG}/sod-sets", {"id": "s", "roles": ["submitter", "viewer"], "n": 2}),
    (f"{ORG}/guardrails", GUARDRAIL),
    (f"{ORG}/assignments", ASSIGNMENT),
    (f"{ORG}/changes", {"commands": [{"type": "CreateRole", "role": "new"}]}),
    ("/principals/alice/roles", {"role_id": "editor"}),
]


def answered(response: Response) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers, but for the id of the request itself."""
    headers = {k: v for k, v in response.headers.items() if k != "x-request-id"}
    return response.status_code, response.content, headers


@pytest.mark.parametrize(("path", "body"), POSTS)
def test_the_same_request_under_a_key_takes_effect_once(api: Api, path: str, body: Json) -> None:
    """And gets the same answer, whatever has happened since."""
    first = api.post(path, json=body, headers=KEY)
    assert first.status_code in {200, 201}, first.text
    assert api.post(f"{ORG}/roles", json={"id": "meanwhile"}).status_code == 201
    now = revision(api)
    assert answered(api.post(path, json=body, headers=KEY)) == answered(first)
    assert revision(api) == now


def test_memberships_and_nestings_too(api: Api) -> None:
    """What needs groups to be there first."""
    for name in ("inner", "outer"):
        api.post(f"{ORG}/groups", json={"id": name})
    for number, (path, body) in enumerate(
        [
            ("memberships", {"principal": "alice", "group": "inner"}),
            ("nestings", {"group": "inner", "container": "outer"}),
        ]
    ):
        headers = {IDEMPOTENCY_KEY: str(number)}
        first = api.post(f"{ORG}/{path}", json=body, headers=headers)
        assert first.status_code == 201
        assert answered(api.post(f"{ORG}/{path}", json=body, headers=headers)) == answered(first)


def test_another_request_under_a_key_is_422(api: Api) -> None:
    """Another body, another address: nothing is done."""
    api.post(f"{ORG}/roles", json={"id": "one"}, headers=KEY)
    before = revision(api)
    for path, body in (("roles", {"id": "two"}), ("groups", {"id": "one"})):
        response = api.post(f"{ORG}/{path}", json=body, headers=KEY)
        problem(response, 422, "idempotency_key_reused")
    assert revision(api) == before


def test_a_refused_request_may_be_tried_again_under_its_key(api: Api) -> None:
    """It took no effect, so that it takes effect later does so once."""
    body = {"principal": "alice", "role": "later"}
    problem(api.post(f"{ORG}/assignments", json=body, headers=KEY), 409, "missing")
    api.post(f"{ORG}/roles", json={"id": "later"})
    assert api.post(f"{ORG}/assignments", json=body, headers=KEY).status_code == 201
    assert api.post(f"{ORG}/assignments", json=body, headers=KEY).status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
def test_a_key_that_is_none_is_refused(api: Api, key: str) -> None:
    """Visible characters, up to 255."""
    response = api.post(f"{ORG}/roles", json={"id": "r"}, headers={IDEMPOTENCY_KEY: key})
    told = problem(response, 400, "invalid")
    assert told["errors"][0]["field"] == "idempotency-key"
    longest = {IDEMPOTENCY_KEY: "~" * 255}
    assert api.post(f"{ORG}/roles", json={"id": "r"}, headers=longest).status_code == 201


def test_a_key_is_for_post_and_given_once(api: Api) -> None:
    """Whoever gives two, or one to another method, must not be misunderstood."""
    before = revision(api)
    problem(api.delete(f"{ORG}/claims/viewer-read-docs", headers=KEY), 400, "invalid")
    twice = [(IDEMPOTENCY_KEY, "a"), (IDEMPOTENCY_KEY, "b")]
    problem(api.post(f"{ORG}/roles", json={"id": "r"}, headers=twice), 400, "invalid")
    assert revision(api) == before


def test_an_organization_is_created_once(operator: Api) -> None:
    """201 again under the same key; 409 without, 422 for another."""
    body = {"id": "new", "time_zone": "Europe/Paris"}
    first = operator.post("/v1/orgs", json=body, headers=KEY)
    assert first.status_code == 201
    assert answered(operator.post("/v1/orgs", json=body, headers=KEY)) == answered(first)
    problem(operator.post("/v1/orgs", json=body), 409, "already_exists")
    other = {"id": "new", "time_zone": "UTC"}
    problem(operator.post("/v1/orgs", json=other, headers=KEY), 422, "idempotency_key_reused")


class Slow(MemoryStore):
    """A store whose commits wait to be let through, once `waiting`."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = False
        self.reached, self.let_through = threading.Event(), threading.Event()

    @override
    def commit(
        self, event: Event, *, receipt: Receipt | None = None, onto: str | None = None
    ) -> str | None:
        if self.waiting:
            self.reached.set()
            assert self.let_through.wait(10)
        return super().commit(event, receipt=receipt, onto=onto)


@pytest.fixture
def slow() -> Iterator[tuple[Slow, Api]]:
    """The demo over a slow store."""
    store = Slow()
    with serving(store, demo=True) as api:
        yield store, api


def test_while_the_first_is_at_work_the_second_is_409(slow: tuple[Slow, Api]) -> None:
    """Come again: then there is an answer."""
    store, api = slow
    store.waiting = True
    answers: list[Any] = []

    def first() -> None:
        answers.append(api.post(f"{ORG}/roles", json={"id": "r"}, headers=KEY))

    thread = threading.Thread(target=first)
    thread.start()
    assert store.reached.wait(10)
    second = api.post(f"{ORG}/roles", json={"id": "r"}, headers=KEY)
    problem(second, 409, "idempotency_in_progress")
    assert second.headers["retry-after"] == "1"
    store.let_through.set()
    thread.join()
    third = api.post(f"{ORG}/roles", json={"id": "r"}, headers=KEY)
    assert answered(third) == answered(answers[0])
    assert third.status_code == 201


def test_a_key_outlives_the_process(tmp_path: Any) -> None:
    """What the first process did is known to the next."""
    path = tmp_path / "grantproof.db"
    answers, revisions = [], []
    for _ in range(2):
        with serving(open_database(path), demo=True) as api:
            answers.append(answered(api.post(f"{ORG}/roles", json={"id": "r"}, headers=KEY)))
            revisions.append(revision(api))
    assert answers[0] == answers[1]
    assert revisions == [2, 2]


# ---------------------------------------------------------------- If-Match


THE_SET: Json = {"id": "finance-or-submitter", "roles": ["finance", "viewer"], "n": 2}
HOLDS = "role=editor"
CHANGES: list[tuple[str, str, Json | None, str]] = [
    ("POST", "roles", {"id": "new"}, "organization"),
    ("POST", "assignments", ASSIGNMENT, "organization"),
    ("DELETE", f"assignments?principal=bob&{HOLDS}", None, "organization"),
    ("POST", "changes", {"commands": [{"type": "CreateRole", "role": "new"}]}, "organization"),
    ("PATCH", "principals/bob", {"active": False}, "principal `bob`"),
    ("DELETE", "principals/bob?cascade=true", None, "principal `bob`"),
    ("DELETE", "groups/staff", None, "group `staff`"),
    ("POST", "roles/viewer/parents", {"parent": "finance"}, "role `viewer`"),
    ("DELETE", "roles/submitter/parents/viewer", None, "role `submitter`"),
    ("DELETE", "roles/editor?cascade=true", None, "role `editor`"),
    ("DELETE", "kinds/document?cascade=true", None, "kind `document`"),
    ("PATCH", "resources/docs", {"attributes": {"level": 1}}, "resource `docs`"),
    ("DELETE", "resources/docs?cascade=true", None, "resource `docs`"),
    ("DELETE", "claims/viewer-read-docs", None, "claim `viewer-read-docs`"),
    ("PUT", f"sod-sets/{THE_SET['id']}", THE_SET, f"separation-of-duty set `{THE_SET['id']}`"),
    ("DELETE", f"sod-sets/{THE_SET['id']}", None, f"separation-of-duty set `{THE_SET['id']}`"),
]
"""What is asked, and whose revision the tags are held against."""


def walk_on(api: Api) -> None:
    """Add a group and a parent, then change what none of the changes is about: revision 4."""
    made = [
        api.post(f"{ORG}/groups", json={"id": "staff"}),
        api.post(f"{ORG}/roles/submitter/parents", json={"parent": "viewer"}),
        api.post(f"{ORG}/groups", json={"id": "unrelated"}),
    ]
    assert {response.status_code for response in made} == {201}, [one.text for one in made]


@pytest.mark.parametrize(("method", "path", "body", "of"), CHANGES)
def test_a_change_of_what_has_changed_is_412(
    api: Api, method: str, path: str, body: Json | None, *, of: str
) -> None:
    """With the tag of another revision; with that of this one it is made, whatever else changed."""
    walk_on(api)
    whole = of == "organization"
    last = {"group `staff`": 2, "role `submitter`": 3, "organization": 4}.get(of, 1)
    told_as = "the organization is at" if whole else f"{of} was last changed at"
    for tag in ('"0"', '"5", "6"', f'W/"{last}"', '"unknown"', '""', *([] if whole else ['"4"'])):
        response = api.request(method, f"{ORG}/{path}", json=body, headers={"If-Match": tag})
        told = problem(response, 412, "stale")
        assert told["error"].startswith(f'{told_as} revision {last}, tagged "{last}"')
        assert response.headers["etag"] == f'"{last}"'
    matching = {"If-Match": f'"9" , "{last}"'}
    made = api.request(method, f"{ORG}/{path}", json=body, headers=matching)
    assert made.status_code in {200, 201, 204}, made.text
    assert (revision(api), made.headers["etag"]) == (5, '"5"')


GONE: list[tuple[str, str, Json | None]] = [
    ("PATCH", "principals/no", {"active": False}),
    ("DELETE", "principals/no", None),
    ("DELETE", "groups/no", None),
    ("POST", "roles/no/parents", {"parent": "viewer"}),
    ("DELETE", "roles/no/parents/viewer", None),
    ("DELETE", "roles/no", None),
    ("DELETE", "kinds/no", None),
    ("PATCH", "resources/no", {"attributes": {}}),
    ("DELETE", "resources/no", None),
    ("DELETE", "claims/no", None),
    ("PUT", "sod-sets/no", {**THE_SET, "id": "no"}),
    ("DELETE", "sod-sets/no", None),
    ("DELETE", "guardrails/no", None),
]


@pytest.mark.parametrize(("method", "path", "body"), GONE)
def test_what_is_gone_is_missing_not_stale(
    api: Api, method: str, path: str, body: Json | None
) -> None:
    """Whatever its tag was: 404 says more than 412, and nothing is changed."""
    response = api.request(method, f"{ORG}/{path}", json=body, headers={"If-Match": '"1"'})
    problem(response, 404, "not_found")
    assert revision(api) == 1


def test_any_revision_is_any(api: Api) -> None:
    """A star asks for no revision in particular."""
    headers = {"If-Match": "*"}
    assert api.post(f"{ORG}/roles", json={"id": "new"}, headers=headers).status_code == 201


@pytest.mark.parametrize("tags", [("*", '"9"'), ('"9"', "*"), ("*", "*"), ('"1"', '"1"')])
def test_conditions_in_two_headers_are_not_understood(api: Api, tags: tuple[str, str]) -> None:
    """Which of them counts is not guessed: nothing is changed."""
    before = revision(api)
    twice = [("If-Match", tag) for tag in tags]
    told = problem(api.post(f"{ORG}/roles", json={"id": "r"}, headers=twice), 400, "invalid")
    assert told["errors"] == [{"field": "if-match", "rule": "must be given once"}]
    assert revision(api) == before


@pytest.mark.parametrize("tag", ["1", '"1', "'1'", '"1" "2"', "", ","])
def test_a_tag_that_is_none_is_refused(api: Api, tag: str) -> None:
    """It is not taken for one that does not match, nor for none."""
    response = api.post(f"{ORG}/roles", json={"id": "new"}, headers={"If-Match": tag})
    told = problem(response, 400, "invalid")
    assert told["errors"][0]["field"] == "if-match"


def test_an_answer_given_again_is_not_stale(api: Api) -> None:
    """The revision was the right one when it was made."""
    headers = {**KEY, "If-Match": '"1"'}
    first = api.post(f"{ORG}/roles", json={"id": "r"}, headers=headers)
    assert first.headers["etag"] == '"2"'
    assert answered(api.post(f"{ORG}/roles", json={"id": "r"}, headers=headers)) == answered(first)
