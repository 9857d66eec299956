"""The scenarios of AuthZEN against a running server: certification, and the todo decisions.

The data is that of the working group: requests, what is expected of them, and the schemas.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx2
import jsonschema_rs
import pytest

from tests.api.authzen import HERE
from tests.e2e.authzen_organizations import PUBLIC, TODO, Point, points

Json = dict[str, Any]

DATA: Final = "authzen"
EXPECTED_AGAIN: Final = {
    # Blocks whose expectation is that of another, named in their text.
    "c-4-2-2": "c-4-2-1",
    "c-4-2-3": "c-4-2-1",
    "c-4-3-2": "c-4-3-1",
    "c-4-3-3": "c-4-3-1",
    "c-4-4-2": "c-4-4-1",
}
SEARCHES: Final = {"c-4-2": "subject", "c-4-3": "resource", "c-4-4": "action"}
MISSING: Final = {
    "c-4-7-1": ("subject", "resource", "action"),
    "c-4-7-2": ("subject", "resource", "action"),
}
UNVALIDATED: Final = {"c-2-1", "c-3-1", "c-4-1", "c-4-5-1", "c-4-5-2", "c-6-1", "c-6-2"}
"""Sections without a request, and those that have a test of their own."""


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Iterator[dict[str, Point]]:
    """Both organizations; only made where there is data to ask them about."""
    assert (real_data / DATA).is_dir()
    with points(tmp_path_factory.mktemp("authzen")) as found:
        yield found


@pytest.fixture(scope="module")
def pdp(known: dict[str, Point]) -> Point:
    """The decision point under certification."""
    return known[HERE]


@pytest.fixture(scope="module")
def sections(real_data: Path) -> dict[str, Json]:
    """The sections of the certification scenario, by their ids."""
    blocks = json.loads((real_data / DATA / "scenario-blocks.extracted.json").read_text("utf-8"))
    return {section["id"]: section for section in blocks["sections"]}


def validator(real_data: Path, name: str) -> jsonschema_rs.Validator:
    """What the working group says of a request or of an answer."""
    schema = json.loads((real_data / DATA / f"evaluation-{name}.schema.json").read_text("utf-8"))
    return jsonschema_rs.validator_for(schema)


def requests(section: Json) -> list[Any]:
    """The requests of a section: the blocks that are no expectation."""
    return [block["json"] for block in section["blocks"] if "Expected" not in block["label"]]


def answers(section: Json) -> list[Json]:
    """What a section expects to be answered, literally."""
    return [
        block["json"]
        for block in section["blocks"]
        if "Expected" in block["label"] and block["json"] is not None
    ]


def status_of(text: str) -> int:
    """The status that an expectation names; 200 where it shows a body only."""
    return 400 if "400" in text else 200


def includes(told: Any, due: Any) -> bool:
    """Whether the answer has all that is due: members may be added, and results."""
    if isinstance(due, dict):
        return isinstance(told, dict) and all(
            name in told and includes(told[name], value) for name, value in due.items()
        )
    return bool(told == due)


def test_each_evaluation_of_the_scenario(
    pdp: Point, sections: dict[str, Json], real_data: Path
) -> None:
    """Accepted and decided, or refused, as its section says; in the shape that the schemas have."""
    asked, told_like = validator(real_data, "request"), validator(real_data, "response")
    statuses = []
    for name in (one for one in sections if one.startswith("c-2-")):
        section = sections[name]
        for at, body in enumerate(requests(section)):
            if body is None:
                continue
            due = status_of(section["expects"][min(at, len(section["expects"]) - 1)])
            answer = pdp.post("evaluation", body)
            assert answer.status_code == due, (name, body, answer.text)
            assert asked.is_valid(body) == (due == 200), (name, body)
            statuses.append(due)
            if due == 400:
                continue
            assert answer.headers["content-type"] == "application/json"
            told_like.validate(answer.json())
            literal = answers(section) or [{"decision": "true" in section["expects"][0]}]
            assert includes(answer.json(), literal[0]), (name, answer.text)
    assert (statuses.count(200), statuses.count(400)) == (9, 10)


def test_each_several_evaluations_of_the_scenario(pdp: Point, sections: dict[str, Json]) -> None:
    """As many answers as questions, in their order, with the decisions that are given."""
    walked = 0
    for name in (one for one in sections if one.startswith("c-3-") and one not in UNVALIDATED):
        section = sections[name]
        (body,) = requests(section)
        answer = pdp.post("evaluations", body)
        assert answer.status_code == 200, (name, answer.text)
        told = answer.json()
        if body.get("evaluations"):
            assert "decision" not in told
            assert len(told["evaluations"]) == len(body["evaluations"])
            assert all(isinstance(one["decision"], bool) for one in told["evaluations"])
        for due in answers(section):
            for one, literal in zip(
                told.get("evaluations", [told]), due.get("evaluations", [due]), strict=True
            ):
                assert includes(one, literal), (name, told)
        walked += 1
    assert walked == 10
    # Its expectation is no JSON: a bad item is denied.
    faulty = pdp.post("evaluations", requests(sections["c-3-4-1"])[0]).json()["evaluations"]
    assert [one["decision"] for one in faulty] == [True, False]


def test_each_search_of_the_scenario(pdp: Point, sections: dict[str, Json]) -> None:
    """What the fixture has to find is found, of the type that was asked for."""
    walked = 0
    for name in (one for one in sections if one[:5] in SEARCHES):
        body = requests(sections[name])[0]
        kind = SEARCHES[name[:5]]
        (due,) = answers(sections[EXPECTED_AGAIN.get(name, name)])
        answer = pdp.post(f"search/{kind}", body)
        assert answer.status_code == 200, (name, answer.text)
        found = answer.json()["results"]
        assert all(one in found for one in due["results"]), (name, found)
        if kind != "action":
            assert {one["type"] for one in found} == {body[kind]["type"]}
        if name in EXPECTED_AGAIN:
            same = pdp.post(f"search/{kind}", requests(sections[EXPECTED_AGAIN[name]])[0])
            assert same.json()["results"] == found
        walked += 1
    assert walked == 11


def test_what_is_unknown_and_what_is_missing_in_searches(
    pdp: Point, sections: dict[str, Json]
) -> None:
    """An empty list for the one, 400 for the other; on each of the three."""
    for name, kind in (("c-4-6-1", "action"), ("c-4-6-2", "subject")):
        answer = pdp.post(f"search/{kind}", requests(sections[name])[0])
        assert (answer.status_code, answer.json()["results"]) == (200, [])
    for name, kinds in MISSING.items():
        for kind, body in zip(kinds, requests(sections[name]), strict=True):
            assert pdp.post(f"search/{kind}", body).status_code == 400, (name, kind)


def test_the_pages_of_the_scenario(pdp: Point, sections: dict[str, Json]) -> None:
    """A limit is kept, a token goes on without one, and the last token is empty."""
    (limited,), (following,) = (requests(sections[name]) for name in ("c-4-5-1", "c-4-5-2"))
    told = pdp.post("search/subject", limited).json()
    seen = [one["id"] for one in told["results"]]
    assert len(seen) == limited["page"]["limit"]
    while told["page"]["next_token"]:
        body = {**following, "page": {"token": told["page"]["next_token"]}}
        answer = pdp.post("search/subject", body)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert isinstance(told["page"]["next_token"], str)
        seen += [one["id"] for one in told["results"]]
    assert seen == ["alice", "bob"]


def test_what_is_no_request(pdp: Point) -> None:
    """400 for another type, for what is no JSON, and for nothing at all (c-2-4-3 to c-2-4-5)."""
    for path in ("evaluation", "evaluations", *(f"search/{kind}" for kind in SEARCHES.values())):
        for content, kind in (
            (b"{}", "text/plain"),
            (b"{", "application/json"),
            (b"", "application/json"),
        ):
            headers = {"Content-Type": kind, "X-Request-ID": "bfe9eb29"}
            answer = pdp.http.post(f"/access/v1/{path}", content=content, headers=headers)
            assert answer.status_code == 400, (path, content)
            assert answer.headers["x-request-id"] == "bfe9eb29"


def test_the_same_request_again_and_its_id(pdp: Point, sections: dict[str, Json]) -> None:
    """The same decision each time (c-2-6); the id is told again, or one is made (c-2-5)."""
    (body,) = requests(sections["c-2-2-1"])
    told = {pdp.post("evaluation", body).json()["decision"] for _ in range(5)}
    assert told == {True}
    headers = {"X-Request-ID": "bfe9eb29-ab87-4ca3-be83-a1d5d8305716"}
    answer = pdp.http.post("/access/v1/evaluation", json=body, headers=headers)
    assert answer.headers["x-request-id"] == headers["X-Request-ID"]
    assert pdp.post("evaluation", body).headers["x-request-id"] != ""


def test_the_metadata_of_the_scenario(pdp: Point, sections: dict[str, Json]) -> None:
    """The endpoints of the example at the address that is set, whoever asks by which name (c-6)."""
    (example,) = requests(sections["c-6-2"])
    del example["signed_metadata"]
    with httpx2.Client(base_url=pdp.http.base_url) as anybody:
        headers = {"Host": "elsewhere.example"}
        answer = anybody.get("/.well-known/authzen-configuration", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == example
    assert answer.json()["policy_decision_point"] == PUBLIC


def test_every_section_with_a_block_is_walked(sections: dict[str, Json]) -> None:
    """A scenario that grows is noticed here."""
    walked = ("c-2-", "c-3-", "c-4-2", "c-4-3", "c-4-4", "c-4-6-1", "c-4-6-2", *MISSING)
    left = {name for name in sections if not name.startswith(walked)}
    assert left <= UNVALIDATED
    assert len(sections) == 44


def test_the_todo_decisions(known: dict[str, Point], real_data: Path) -> None:
    """All forty, and the three of several questions, by roles and by whose todo it is."""
    todo = known[TODO]
    decisions = json.loads((real_data / DATA / "todo-decisions.json").read_text("utf-8"))
    asked, told_like = validator(real_data, "request"), validator(real_data, "response")
    for one in decisions["evaluation"]:
        asked.validate(one["request"])
        answer = todo.post("evaluation", one["request"])
        assert answer.status_code == 200, answer.text
        told_like.validate(answer.json())
        assert answer.json()["decision"] is one["expected"], one
    for one in decisions["evaluations"]:
        told = todo.post("evaluations", one["request"]).json()["evaluations"]
        assert [item["decision"] for item in told] == [due["decision"] for due in one["expected"]]
    assert (len(decisions["evaluation"]), len(decisions["evaluations"])) == (40, 3)


def test_a_wrong_decision_would_be_seen(known: dict[str, Point], real_data: Path) -> None:
    """Asked of the other organization, which knows none of them, most decisions are wrong."""
    decisions = json.loads((real_data / DATA / "todo-decisions.json").read_text("utf-8"))
    told = [
        known[HERE].post("evaluation", one["request"]).json()["decision"] is one["expected"]
        for one in decisions["evaluation"]
    ]
    assert 0 < told.count(True) < len(told)
