"""Access evaluation of AuthZEN: what is asked, what counts of it, and what is refused."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.service.callers import Scope
from tests.api.authzen import HERE, RECORDS, asking, claim, evaluated, found, records, refused
from tests.api.service import OPERATORS, Api, Json, raw, serving

EVALUATION = "/access/v1/evaluation"
SAME = {"principal_id": "bob", "action": "write", "resource_id": "record-1"}


def user(name: str, **properties: Any) -> Json:
    """A subject with properties."""
    return {"type": "user", "id": name, "properties": properties}


def record(name: str, **properties: Any) -> Json:
    """A resource with properties."""
    return {"type": "record", "id": name, "properties": properties}


def doing(name: str, **properties: Any) -> Json:
    """An action with properties."""
    return {"name": name, "properties": properties}


def decided(api: Api, question: Json) -> bool:
    """The decision on a question."""
    decision: bool = evaluated(api, question)["decision"]
    return decision


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """An enforcement point whose properties count."""
    with records() as client:
        yield client


@pytest.mark.parametrize(
    ("who", "action", "decision"),
    [("alice", "read", True), ("alice", "write", True), ("bob", "write", False)],
)
def test_a_question_is_decided_by_what_is_stored(
    api: Api, who: str, action: str, *, decision: bool
) -> None:
    """Names alone are enough; a deny is an answer."""
    assert decided(api, asking(who, action)) is decision


def test_the_context_of_an_answer_tells_what_stands_behind_it(api: Api) -> None:
    """In the words of `POST /evaluate`."""
    ours = api.post("/evaluate", json={"org_id": HERE, **SAME}).json()
    told = evaluated(api, asking("bob", "write"))
    assert told["decision"] is False
    assert {**told["context"], "decided_at": ours["decided_at"]} == {
        name: value for name, value in ours.items() if name != "decision"
    }
    assert (told["context"]["reason_code"], told["context"]["revision"]) == ("constraint_failed", 1)


def test_properties_that_count_override_what_is_stored(api: Api) -> None:
    """Of the subject, the resource, and the action, which has none of its own."""
    assert not decided(api, asking(action="write", resource=record("record-1", status="archived")))
    assert decided(api, asking(action="write", resource=record("record-2", status="active")))
    archiving = asking("bob", "write", "record-2")
    assert decided(api, archiving)
    assert not decided(api, {**archiving, "subject": user("bob", role="guest")})
    assert decided(api, {**asking(), "action": doing("delete", soft=True)})
    assert not decided(api, {**asking(), "action": doing("delete", soft=False)})
    assert not decided(api, {**asking(), "action": doing("delete")})


def test_nothing_counts_unless_it_is_set() -> None:
    """Off by default: the same properties change nothing, whoever sends them."""
    with records(authzen_trusted="") as api:
        assert decided(api, asking(action="write", resource=record("record-1", status="archived")))
        assert not decided(
            api, asking(action="write", resource=record("record-2", status="active"))
        )
        assert decided(
            api, {**asking("bob", "write", "record-2"), "subject": user("bob", role="x")}
        )
        assert not decided(api, {**asking(), "action": doing("delete", soft=True)})


def test_what_counts_and_cannot_be_read_is_an_error(api: Api) -> None:
    """What is stored does not stand in for it; what does not count is not even looked at."""
    for value in ({"a": 1}, 1.5, None, [1], 2**63):
        message = refused(
            api.post(EVALUATION, json=asking(resource=record("record-1", status=value))), 400
        )
        assert message.startswith("`resource.properties.status`")
        assert decided(api, asking(resource=record("record-1", colour=value)))
    wrong = asking(context={"amount": 1.5})
    assert "`context.amount`" in refused(api.post(EVALUATION, json=wrong), 400)


def test_what_overrides_takes_a_credential_that_may() -> None:
    """403 for one without the scope, never in silence; what the server does not know is its own."""
    with records(frozenset({Scope.EVALUATE})) as api:
        for question in (
            asking(subject=user("bob", role="admin")),
            asking(resource=record("record-1", status="active")),
        ):
            assert "trusted-context" in refused(api.post(EVALUATION, json=question), 403)
        assert decided(api, asking(resource=record("record-1", colour="red")))
        assert decided(api, {**asking(), "action": doing("delete", soft=True)})


def test_where_and_when_count_where_they_are_set() -> None:
    """Members of `context`: a region is anybody's to say, an hour is a trusted caller's."""
    trusted = "context.region context.position context.hour context.weekday context.usage"
    office = {"region": "us-east-1", "hour": 10, "weekday": 1}
    question = {
        "subject": {"type": "user", "id": "bob"},
        "action": {"name": "read"},
        "resource": {"type": "document", "id": "docs"},
    }
    with serving(MemoryStore(), demo=True, authzen_trusted=trusted) as api:
        assert decided(api, {**question, "context": office})
        assert not decided(api, {**question, "context": {**office, "hour": 22}})
        for wrong, field in (
            ({"hour": 24}, "context.hour"),
            ({"hour": "10"}, "context.hour"),
            ({"region": "no region"}, "context.region"),
            ({"region": 7}, "context.region"),
            ({"position": "north"}, "context.position"),
            ({"usage": -1}, "context.usage"),
        ):
            answer = api.post(EVALUATION, json={**question, "context": wrong})
            assert f"`{field}`" in refused(answer, 400)
    with records(frozenset({Scope.EVALUATE}), authzen_trusted=trusted) as api:
        assert decided(api, asking(context={"region": "eu", "position": "1,1"}))
        assert "`hour`" in refused(api.post(EVALUATION, json=asking(context={"hour": 1})), 403)


def test_unknown_fields_and_any_context_are_accepted(api: Api) -> None:
    """At every depth."""
    context = {"time": "2025-06-27T18:03-07:00", "ip": None, "deep": {"a": [1.5, {"b": None}]}}
    noisy = {
        "subject": {"type": "user", "id": "alice", "identity": 7, "properties": {"x": [None]}},
        "action": {"name": "read", "x": {}},
        "resource": {"type": "record", "id": "record-1", "userID": 2**70},
        "foo": "bar",
        "options": 3,
    }
    assert decided(api, noisy)
    assert decided(api, {**noisy, "context": context})


def test_names_that_nothing_here_can_have_are_unknown(api: Api) -> None:
    """A deny, and no error: the standard lets a name be any string."""
    for question, reason in (
        (asking("Alice Smith"), "unknown_principal"),
        (asking(""), "unknown_principal"),
        (asking("nobody"), "unknown_principal"),
        (asking(subject={"type": "spaceship", "id": "alice"}), "unknown_principal"),
        (asking(what="a b"), "unknown_resource"),
        (asking(what="record-9" * 50), "unknown_resource"),
        (asking(resource={"type": "no kind", "id": "record-1"}), "unknown_resource"),
        (asking(resource={"type": "photo", "id": "record-1"}), "unknown_resource"),
        (asking(action="to read"), "no_matching_claim"),
        (asking(action="*"), "no_matching_claim"),
        (asking(action="burn"), "no_matching_claim"),
    ):
        told = evaluated(api, question)
        assert (told["decision"], told["context"]["reason_code"]) == (False, reason), question


def test_what_exists_is_not_told_without_review_scope() -> None:
    """Absent, suspended and not yours are the same answer."""
    with records(frozenset({Scope.EVALUATE})) as api:
        codes = {
            evaluated(api, question)["context"]["reason_code"]
            for question in (asking("nobody"), asking(what="a b"), asking(action="burn"))
        }
        assert codes == {"no_matching_claim"}


def test_a_resource_that_is_not_registered_has_the_kind_of_its_type(api: Api) -> None:
    """Its properties, where they count, are all that is known of it."""
    assert decided(api, asking(what="record-77"))
    assert not decided(api, asking(action="write", what="record-77"))
    assert decided(api, asking(action="write", resource=record("record-77", status="active")))


def test_a_type_may_stand_for_a_group() -> None:
    """Then who is not in it is nobody of that type; a group that is not there has nobody."""
    types = "user staff=staff ghost=ghosts"
    with records(authzen_subject_types=types) as api:
        for kind, who, decision in (
            ("user", "alice", True),
            ("staff", "bob", True),
            ("staff", "alice", False),
            ("ghost", "bob", False),
            ("principal", "bob", False),
        ):
            question = asking(subject={"type": kind, "id": who})
            assert decided(api, question) is decision, (kind, who)


WRONG_PARTS: list[Any] = ["alice", None, [], 1]
WRONG_PROPERTIES: list[Any] = ["x", None, []]
MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b'{"subject"',
    "no object": b"[]",
    "no text": b'{"subject":"\xff"}',
    "nested too deeply": b'{"context":' + b'{"a":' * 100_000,
    **{
        f"without {part}": json.dumps({k: v for k, v in asking().items() if k != part}).encode()
        for part in asking()
    },
    **{
        f"{part} without {name}": json.dumps(
            {**asking(), part: {k: v for k, v in asking()[part].items() if k != name}}
        ).encode()
        for part in asking()
        for name in asking()[part]
    },
    **{
        f"{part} is {wrong!r}": json.dumps({**asking(), part: wrong}).encode()
        for part in asking()
        for wrong in WRONG_PARTS
    },
    **{
        f"{part}.properties is {wrong!r}": json.dumps(
            {**asking(), part: {**asking()[part], "properties": wrong}}
        ).encode()
        for part in asking()
        for wrong in WRONG_PROPERTIES
    },
    "context is a string": json.dumps(asking(context="here")).encode(),
    "a name is a number": json.dumps({**asking(), "action": {"name": 123}}).encode(),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_malformed_is_400(api: Api, what: str) -> None:
    """With a message that is text, and with the id of the request."""
    headers = {"Content-Type": "application/json", "X-Request-ID": "of mine; 7"}
    answer = api.post(EVALUATION, content=MALFORMED[what], headers=headers)
    assert refused(answer, 400) != ""
    assert answer.headers["x-request-id"] == "of mine; 7"


def test_another_type_of_content_is_400(api: Api) -> None:
    """Not 415: the standard says so. A parameter of the type does not matter."""
    body = json.dumps(asking()).encode()
    for kind, status in (
        ("text/plain", 400),
        ("application/xml", 400),
        ("", 400),
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
    ):
        answer = api.post(EVALUATION, content=body, headers={"Content-Type": kind})
        assert answer.status_code == status, kind
    assert api.post(EVALUATION, content=body).status_code == 400


@pytest.mark.parametrize("given", ["abc", "x" * 500, "a b\t;c", "{}"])
def test_the_id_of_a_request_is_told_again(api: Api, given: str) -> None:
    """As it is, also where the answer is an error, and where our own log would not take it."""
    sent = {"X-Request-ID": given, "Content-Type": "application/json"}
    for body in (json.dumps(asking()).encode(), b"{"):
        answer = api.post(EVALUATION, content=body, headers=sent)
        told = [value for name, value in answer.headers.raw if name == b"x-request-id"]
        assert told == [given.encode()]
    without = api.post(EVALUATION, json=asking())
    assert without.headers["x-request-id"] != ""


def test_a_body_that_is_too_large_is_refused_in_plain_words() -> None:
    """The limits are those of every route."""
    with records(body_bytes_max=16_384) as api:
        answer = raw(api, EVALUATION, b" " * 16_385)
        assert "16384 bytes" in refused(answer, 413)


def test_whose_organization_it_is() -> None:
    """The credential's own; one for all of them says which, and another's is nobody's."""
    store = MemoryStore()
    with serving(store, OPERATORS) as api:
        found(api, RECORDS)
        assert "/orgs/{org}/access" in refused(api.post(EVALUATION, json=asking()), 403)
        assert evaluated(api, asking(), f"/orgs/{HERE}{EVALUATION}")["decision"]
        absent = evaluated(api, asking(), f"/orgs/absent{EVALUATION}")
        assert (absent["decision"], absent["context"]["revision"]) == (False, 0)
        assert "`org_id`" in refused(api.post(f"/orgs/no org{EVALUATION}", json=asking()), 400)
    with records() as api:
        assert evaluated(api, asking(), f"/orgs/{HERE}{EVALUATION}")["decision"]
        assert not evaluated(api, asking(), f"/orgs/acme{EVALUATION}")["decision"]


def test_a_metered_claim_is_read_as_everywhere() -> None:
    """Its counters are followed when first asked for, and nothing is counted."""
    once = {"type": "max_usage", "limit": 1, "period": "total"}
    with records(more=[claim("writer", "export", "kind:record", once)]) as api:
        for _ in range(2):
            told = evaluated(api, asking(action="export"))
            assert (told["decision"], "meter_age" in told["context"]) == (True, True)


def test_a_decision_is_logged_with_what_counted_of_it(tmp_path: Path) -> None:
    """Each of several in its place; what does not count, and what is no question, is not there."""
    folder = tmp_path / "decisions"
    with records(decision_log=folder) as api:
        began = int(time.time())
        evaluated(api, asking(resource=record("record-1", status="active", colour="red")))
        items = {**asking("a b"), "evaluations": [3, {}]}
        evaluated(api, items, "/access/v1/evaluations")
        api.post("/access/v1/search/action", json=asking())
    texts = [path.read_text() for path in sorted(folder.iterdir())]
    one, other = (json.loads(line) for text in texts for line in text.splitlines())
    asked = {"subject_type": "user", "action": "read"}
    asked |= {"resource_id": "record-1", "resource_kind": "record"}
    assert one["decisions"] == [
        {
            "asked": {
                "principal_id": "alice",
                **asked,
                "resource_properties": {"status": "active"},
            },
            "decision": "Allow",
            "claim": one["decisions"][0]["claim"],
        }
    ]
    unknown = {"asked": {"principal_id": "a b", **asked}, "decision": "Deny"}
    assert other["decisions"] == [None, {**unknown, "reason": "unknown_principal"}]
    assert [record["organization"] for record in (one, other)] == [HERE] * 2
    assert [record["revision"] for record in (one, other)] == [1, 1]
    assert all(began <= record["instant"] <= time.time() for record in (one, other))
    assert other["malformed"] == 1
