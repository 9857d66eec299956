"""POST /evaluate/batch: many questions, one state, one instant, each answered in its place."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.adapters.memory import MemoryStore
from grantproof.core.limits import BATCH_ITEMS_MAX
from tests.api.service import Api, fields_at_fault, problem, raw, serving

Json = dict[str, Any]

LEGAL: dict[str, list[Any]] = {
    "principal_id": ["alice", "bob", "carol", "dave"],
    "action": ["read", "read", "write"],
    "resource_id": ["docs", "reports", "memo"],
    "region": ["us-east-1", "eu-west-1"],
    "hour": [10, 22, 22],
    "weekday": [0, 6],
    "usage": [0, 7],
    "attributes": [{"a": 1}, {"b": ["x"]}],
    "active_roles": [[], ["viewer"], ["viewer"]],
    "explain": [True, False],
}
ILLEGAL: dict[str, list[Any]] = {
    "principal_id": [1, "a b", None],
    "action": ["*"],
    "resource_id": ["docs/**", ""],
    "region": [7],
    "hour": [24, "10"],
    "attributes": [{"id": 1}, []],
    "active_roles": [["a b"]],
    "explain": [1],
    "typo": [1],
}


def fields_from(values: dict[str, list[Any]], *, some: bool) -> st.SearchStrategy[Json]:
    """Items with any of the fields; with at least one where `some`."""
    one_of_each = {name: st.sampled_from(given) for name, given in values.items()}
    drawn = st.fixed_dictionaries({}, optional=one_of_each)
    return drawn.filter(lambda item: len(item) > 0) if some else drawn


PLAIN: Json = {"principal_id": "alice", "action": "read", "resource_id": "docs", "hour": 10}
LEGAL_ITEMS = fields_from(LEGAL, some=False).map(lambda item: {**PLAIN, **item})
ILLEGAL_ITEMS = fields_from(ILLEGAL, some=True).map(lambda item: {**PLAIN, **item})
WHAT_IS_NO_ITEM: list[Any] = [{}, [], 1, "x", None, {"typo": 1}]
ITEMS: st.SearchStrategy[Any] = st.one_of(
    LEGAL_ITEMS, LEGAL_ITEMS, LEGAL_ITEMS, ILLEGAL_ITEMS, st.sampled_from(WHAT_IS_NO_ITEM)
)


def batch(api: Api, items: list[Any], **more: Any) -> Json:
    """The answer to a batch that is well-formed as a whole."""
    response = api.post("/evaluate/batch", json={"org_id": "acme", "items": items, **more})
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


def single(api: Api, item: Any) -> Json:
    """What the item's own request is told, in the form of an item of a batch."""
    whole = {"org_id": "acme", **item} if isinstance(item, dict) else item
    response = raw(api, "/evaluate", json.dumps(whole).encode())
    told: Json = response.json()
    if response.status_code == 200:
        return told
    named = ("status", "code", "detail", "errors")
    return {"error": {name: told[name] for name in named if name in told}}


def timeless(answer: Json) -> Json:
    """The answer without the instants, which differ from request to request."""
    shown = {**answer, "decided_at": 0, "valid_until": 0} if "decision" in answer else answer
    if shown.get("certificate") is not None:
        shown = {**shown, "certificate": {**shown["certificate"], "instant": 0}}
        for seen in shown["certificate"]["observations"]:
            seen["saw"] = seen["saw"][:1]
    return shown


def test_each_answer_of_a_batch_is_that_of_its_own_request() -> None:
    """For all items, malformed ones included: batch[i] equals single(i)."""
    reached: set[str] = set()
    with serving(MemoryStore(), demo=True) as api:

        @settings(max_examples=80)
        @given(st.lists(ITEMS, max_size=8))
        def law(items: list[Any]) -> None:
            answers = batch(api, items)["items"]
            assert [timeless(answer) for answer in answers] == [
                timeless(single(api, item)) for item in items
            ]
            reached.update(answer.get("reason_code", "error") or "Allow" for answer in answers)

        law()
    # Not vacuous: allows, denies and errors were all compared.
    assert reached >= {"Allow", "constraint_failed", "no_role", "unknown_principal", "error"}


def test_a_malformed_item_leaves_the_others_answered(api: Api) -> None:
    """The error stands in the place of its question."""
    good = {"principal_id": "alice", "action": "read", "resource_id": "docs", "hour": 10}
    first, second, third = batch(api, [good, {**good, "hour": 99}, good])["items"]
    assert first == third
    assert second["error"] == {
        "status": 400,
        "code": "invalid",
        "detail": "`hour` must be at most 23",
        "errors": [{"field": "hour", "rule": "must be at most 23"}],
    }


def test_a_batch_has_one_instant_and_one_revision(api: Api) -> None:
    """The whole names what every answer names."""
    question = {"principal_id": "bob", "action": "read", "resource_id": "docs"}
    answer = batch(api, [question] * 50)
    instants = {(item["revision"], item["decided_at"]) for item in answer["items"]}
    assert instants == {(answer["revision"], answer["decided_at"])}


def test_an_empty_batch_is_answered(api: Api) -> None:
    """No questions, no answers."""
    assert batch(api, [])["items"] == []


def test_an_item_of_an_untrusted_caller_may_not_supply_the_context(operator: Api) -> None:
    """What is 403 for a request is that item's error in a batch."""
    question = {"principal_id": "bob", "action": "read", "resource_id": "docs"}
    plain, supplied = batch(operator, [question, {**question, "hour": 1}])["items"]
    assert plain["decision"] in {"Allow", "Deny"}
    assert (supplied["error"]["status"], supplied["error"]["code"]) == (403, "untrusted_context")


def test_a_batch_about_an_absent_organization_denies_each_item(api: Api) -> None:
    """Absent and not yours are the same answer, item by item."""
    question = {"principal_id": "bob", "action": "read", "resource_id": "docs"}
    response = api.post("/evaluate/batch", json={"org_id": "absent", "items": [question, 1]})
    denied, malformed = response.json()["items"]
    assert (denied["decision"], denied["revision"]) == ("Deny", 0)
    assert malformed["error"]["detail"] == "`body` must be an object"


def test_a_batch_has_a_limit(api: Api) -> None:
    """One question less than the limit, and the limit, are answered; one more is refused."""
    question = {"principal_id": "bob", "action": "read", "resource_id": "docs"}
    for size in (BATCH_ITEMS_MAX - 1, BATCH_ITEMS_MAX):
        assert len(batch(api, [question] * size)["items"]) == size
    too_many = {"org_id": "acme", "items": [question] * (BATCH_ITEMS_MAX + 1)}
    told = problem(api.post("/evaluate/batch", json=too_many), 400, "invalid")
    assert fields_at_fault(told) == ["items"]


def test_a_batch_malformed_as_a_whole_is_refused(api: Api) -> None:
    """Unknown fields, missing ones and wrong types outside the items are no item's error."""
    question = {"principal_id": "bob", "action": "read", "resource_id": "docs"}
    for body, field in (
        ({"org_id": "acme"}, "items"),
        ({"org_id": "acme", "items": {}}, "items"),
        ({"org_id": "acme", "items": [question], "explain": True}, "explain"),
        ({"org_id": "a b", "items": [question]}, "org_id"),
        ({"items": [question]}, "org_id"),
    ):
        told = problem(api.post("/evaluate/batch", json=body), 400, "invalid")
        assert fields_at_fault(told) == [field]


def test_an_item_that_is_not_text_is_that_items_error(api: Api) -> None:
    """Bytes that are no UTF-8 in one item do not spoil the others."""
    good = json.dumps({"principal_id": "bob", "action": "read", "resource_id": "docs"}).encode()
    body = b'{"org_id":"acme","items":[' + good + b',{"principal_id":"\xff"}]}'
    first, second = raw(api, "/evaluate/batch", body).json()["items"]
    assert first["decision"] in {"Allow", "Deny"}
    assert second["error"]["code"] == "malformed_json"


def test_a_revision_can_be_demanded_of_a_batch(api: Api) -> None:
    """All of it waits for the revision, or none of it is answered."""
    body = {"org_id": "acme", "items": [], "at_least_revision": 2}
    problem(api.post("/evaluate/batch", json=body), 503, "revision_not_reached")
    assert batch(api, [], at_least_revision=1)["revision"] == 1
