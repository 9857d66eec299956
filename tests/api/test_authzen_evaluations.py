"""Access evaluations of AuthZEN: many questions, whole entities by default, three semantics."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.core.limits import BATCH_ITEMS_MAX
from grantproof.service.callers import Scope
from tests.api.authzen import asking, evaluated, records, refused
from tests.api.service import Api, Json, raw

EVALUATIONS = "/access/v1/evaluations"
YES, NO = asking(), asking(action="burn")
FAULTY: list[object] = [3, {}, {"subject": "alice"}, {"resource": {"type": "record"}}, [], None]


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """An enforcement point whose properties count."""
    with records() as client:
        yield client


def decisions(api: Api, body: Json) -> list[bool]:
    """The decisions on several questions."""
    told = evaluated(api, body, EVALUATIONS)
    assert "decision" not in told
    return [one["decision"] for one in told["evaluations"]]


def timeless(told: Json) -> Json:
    """An answer without its instants."""
    return {**told, "context": {**told["context"], "decided_at": 0, "valid_until": 0}}


def test_what_an_item_leaves_out_is_as_the_whole_says(api: Api) -> None:
    """All of a part, or none of it: properties are not merged into another entity."""
    active = {"type": "record", "id": "record-1", "properties": {"status": "active"}}
    archived = {"type": "record", "id": "record-1", "properties": {"status": "archived"}}
    whole = {**asking(action="write"), "resource": archived}
    items: list[Json] = [
        {},
        {"resource": active},
        {"resource": {"type": "record", "id": "record-1"}},
        {"subject": {"type": "user", "id": "carol"}, "resource": active},
        {"action": {"name": "read"}},
    ]
    assert decisions(api, {**whole, "evaluations": items}) == [False, True, True, False, True]


def test_an_items_context_replaces_that_of_the_whole() -> None:
    """It is a part like the others."""
    fenced = {"type": "geo_fence", "regions": ["eu"]}
    claim = {
        "type": "CreateClaim",
        "claim": {
            "id": "fenced",
            "role": "reader",
            "action": "enter",
            "resource": "*",
            "constraints": [fenced],
        },
    }
    with records(more=[claim]) as api:
        whole = asking(action="enter", context={"region": "eu"})
        items: list[Json] = [{}, {"context": {}}, {"context": {"region": "us"}}]
        assert decisions(api, {**whole, "evaluations": items}) == [True, False, False]


def test_a_bad_item_is_denied_and_the_others_are_answered(api: Api) -> None:
    """With what is wrong with it, where a reason would stand."""
    body = {"action": {"name": "read"}, "subject": YES["subject"], "evaluations": [YES, *FAULTY]}
    told = evaluated(api, body, EVALUATIONS)["evaluations"]
    assert [one["decision"] for one in told] == [True, *[False] * len(FAULTY)]
    assert {one["context"]["error"]["status"] for one in told[1:]} == {400}
    assert told[2]["context"]["error"]["message"] == "`resource` is required"


def test_an_item_that_is_not_text_is_denied(api: Api) -> None:
    """Its bytes do not spoil the others."""
    body = b'{"evaluations":[' + json.dumps(YES).encode() + b',{"subject":{"type":"\xff"}}]}'
    told = raw(api, EVALUATIONS, body).json()["evaluations"]
    assert [one["decision"] for one in told] == [True, False]
    assert told[1]["context"]["error"]["code"] == "malformed_json"


def test_an_item_may_not_say_what_its_caller_may_not() -> None:
    """It is denied, with 403 as its status."""
    with records(frozenset({Scope.EVALUATE})) as api:
        admin = {"type": "user", "id": "bob", "properties": {"role": "admin"}}
        body = {"evaluations": [YES, {**YES, "subject": admin}]}
        first, second = evaluated(api, body, EVALUATIONS)["evaluations"]
        assert (first["decision"], second["decision"]) == (True, False)
        assert second["context"]["error"]["status"] == 403


@pytest.mark.parametrize(
    ("semantic", "items", "answered"),
    [
        (None, [YES, NO, YES, NO], [True, False, True, False]),
        ("execute_all", [YES, NO, YES], [True, False, True]),
        ("deny_on_first_deny", [YES, YES, NO, YES], [True, True, False]),
        ("deny_on_first_deny", [YES, YES], [True, True]),
        ("deny_on_first_deny", [YES, 3, YES], [True, False]),
        ("permit_on_first_permit", [NO, NO, YES, NO], [False, False, True]),
        ("permit_on_first_permit", [NO, {}, NO], [False, False, False]),
        ("permit_on_first_permit", [{}, YES, YES], [False, True]),
    ],
)
def test_the_three_semantics(
    api: Api, semantic: str | None, items: list[object], answered: list[bool]
) -> None:
    """All are answered, or as many as it takes; a bad item is a deny in each."""
    options = {} if semantic is None else {"options": {"evaluations_semantic": semantic}}
    assert decisions(api, {**options, "evaluations": items}) == answered


def test_an_unknown_semantic_is_refused(api: Api) -> None:
    """The message names those that there are; other options are ignored."""
    for wrong in ("any", "", "EXECUTE_ALL"):
        body = {"evaluations": [YES], "options": {"evaluations_semantic": wrong}}
        message = refused(api.post(EVALUATIONS, json=body), 400)
        assert "execute_all, deny_on_first_deny, permit_on_first_permit" in message
    assert decisions(api, {"evaluations": [YES], "options": {"another": 7}}) == [True]


@pytest.mark.parametrize("more", [{}, {"evaluations": []}])
def test_without_items_it_is_one_question(api: Api, more: Json) -> None:
    """Answered, and refused, as by the other route."""
    told = evaluated(api, {**YES, **more}, EVALUATIONS)
    assert timeless(told) == timeless(evaluated(api, YES))
    lacking = {name: part for name, part in YES.items() if name != "subject"}
    refused(api.post(EVALUATIONS, json={**lacking, **more}), 400)


@pytest.mark.parametrize(
    "wrong",
    [
        {"evaluations": {}},
        {"evaluations": None},
        {"evaluations": "x"},
        {"options": None},
        {"options": []},
        {"options": {"evaluations_semantic": 1}},
        {"subject": "alice"},
        {"subject": {"type": "user"}},
        {"action": {}},
        {"context": 1},
    ],
)
def test_what_is_malformed_as_a_whole_is_400(api: Api, wrong: Json) -> None:
    """Also where every item would do without it."""
    refused(api.post(EVALUATIONS, json={"evaluations": [YES], **wrong}), 400)


def test_there_is_a_limit(api: Api) -> None:
    """That of a batch."""
    at_most = {**YES, "evaluations": [{}] * BATCH_ITEMS_MAX}
    assert decisions(api, at_most) == [True] * BATCH_ITEMS_MAX
    at_most["evaluations"].append({})
    assert f"{BATCH_ITEMS_MAX}" in refused(api.post(EVALUATIONS, json=at_most), 400)


def test_all_are_answered_at_one_revision_and_one_instant(api: Api) -> None:
    """Whatever changes meanwhile."""
    told = evaluated(api, {**YES, "evaluations": [{}] * 50}, EVALUATIONS)["evaluations"]
    seen = {(one["context"]["revision"], one["context"]["decided_at"]) for one in told}
    assert len(seen) == 1


PARTS = {
    "subject": st.sampled_from(["alice", "bob", "nobody", "a b"]).map(
        lambda name: {"type": "user", "id": name}
    )
    | st.just({"type": "user"}),
    "action": st.sampled_from(["read", "write", "burn", "a b"]).map(lambda name: {"name": name}),
    "resource": st.builds(
        lambda name, status: {"type": "record", "id": name, "properties": {"status": status}},
        st.sampled_from(["record-1", "record-2", "record-3"]),
        st.sampled_from(["active", "archived", 7]),
    )
    | st.sampled_from([{"type": "photo", "id": "record-1"}, "record"]),
}
ITEMS = st.fixed_dictionaries({}, optional=PARTS)


def test_each_answer_is_that_of_its_own_request(api: Api) -> None:
    """For all items, completed by the whole: evaluations[i] is the evaluation of i."""
    met = set[bool | int]()

    @settings(max_examples=40)
    @given(st.lists(ITEMS, min_size=1, max_size=5))
    def law(items: list[Json]) -> None:
        told = evaluated(api, {**YES, "evaluations": items}, EVALUATIONS)["evaluations"]
        for item, one in zip(items, told, strict=True):
            alone = api.post("/access/v1/evaluation", json={**YES, **item})
            if alone.status_code == 200:
                assert timeless(one) == timeless(alone.json())
                met.add(one["decision"])
            else:
                fault = one["context"]["error"]
                assert (one["decision"], fault["status"]) == (False, alone.status_code)
                met.add(alone.status_code)

    law()
    assert met == {True, False, 400}
