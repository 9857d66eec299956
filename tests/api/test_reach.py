"""`POST /v1/orgs/{org}/reach`: what some people could bring about, within limits."""

from collections.abc import Callable

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.service.callers import Scope
from grantproof.service.demo import ACME
from grantproof.service.keyring import KeyRequest
from grantproof.service.solving import Undetermined
from tests.api.service import Api, Json, fields_at_fault, problem, running, serving

REACH = "/v1/orgs/acme/reach"
EDITS: Json = {"by": ["alice"], "principal": "carol", "role": "editor"}
WRITES: Json = {"by": ["alice"], "principal": "alice", "action": "write", "resource_id": "docs"}


@pytest.fixture
def desk(api: Api) -> Api:
    """The demo, in which alice, a viewer, may assign editors by the role of a help desk."""
    claim = {"id": "desk-1", "role": "desk", "action": "assign", "resource": "role:editor"}
    for path, body in (
        ("roles", {"id": "desk"}),
        ("claims", claim),
        ("assignments", {"principal": "alice", "role": "desk"}),
    ):
        answer = api.post(f"/v1/orgs/acme/{path}", json=body)
        assert answer.status_code == 201, answer.text
    return api


def test_what_can_be_brought_about_comes_with_its_changes(desk: Api) -> None:
    """As the command line tells programs; and nothing is changed."""
    before = desk.get("/v1/orgs/acme").json()["revision"]
    answer = desk.post(REACH, json=EDITS)
    assert (answer.status_code, answer.headers["ETag"]) == (200, f'"{before}"')
    assert answer.json() == {
        "verdict": "reachable",
        "shortest": True,
        "steps": [
            {
                "author": "alice",
                "command": {
                    "type": "AssignRole",
                    "principal": "carol",
                    "role": "editor",
                    "validity": {"from": None, "until": None},
                },
            }
        ],
    }
    assert desk.get("/v1/orgs/acme").json()["revision"] == before


def test_what_cannot_comes_with_its_proof(desk: Api) -> None:
    """An answer, not an error."""
    assert desk.post(REACH, json={**EDITS, "principal": "alice", "role": "finance"}).json() == {
        "verdict": "unreachable",
        "how": "over-approximation",
        "evidence": {"givable": ["editor"], "structural": False, "timeless": True},
    }


def test_an_action_is_asked_about_in_its_context(desk: Api) -> None:
    """Editors write from one region, which has to be named, and by day."""
    here = {"region": "us-east-1", "hour": 10, "weekday": 1}
    verdicts = [
        desk.post(REACH, json={**WRITES, "context": context}).json()["verdict"]
        for context in (here, {**here, "region": "eu-west-1"}, {})
    ]
    assert verdicts == ["reachable", "unreachable", "unreachable"]


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"by": []}, ["by"]),
        ({"by": ["alice", "alice"]}, ["by"]),
        ({"role": "editor"}, ["action", "resource_id"]),
        ({"action": "*"}, ["action"]),
        ({"context": {"hour": 24}}, ["context.hour"]),
        ({"context": {"usage": 1}}, ["context.usage"]),
        ({"limit": 1}, ["limit"]),
    ],
)
def test_a_body_that_is_no_question_is_refused(desk: Api, changed: Json, fields: list[str]) -> None:
    """Each field at fault is named; a role and an action are two questions."""
    told = problem(desk.post(REACH, json={**WRITES, **changed}), 400, "invalid")
    assert sorted(fields_at_fault(told)) == fields


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({**EDITS, "by": ["alice", "nobody"]}, "principal `nobody`"),
        ({**EDITS, "principal": "nobody"}, "principal `nobody`"),
        ({**EDITS, "role": "none"}, "role `none`"),
        ({**WRITES, "resource_id": "none"}, "resource `none`"),
    ],
)
def test_what_is_not_there_is_not_asked_about(desk: Api, body: Json, named: str) -> None:
    """Never an answer about nothing, which would read as out of reach."""
    assert named in problem(desk.post(REACH, json=body), 409, "missing")["detail"]


def hung(_: Callable[[], object]) -> Undetermined:
    """What a solver says that has no answer in time."""
    return Undetermined("time", "no answer in 10 s")


def test_without_an_answer_in_time_nothing_is_claimed(
    desk: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 and when to ask again."""
    monkeypatch.setattr(running(desk).services.solver, "ask", hung)
    answer = desk.post(REACH, json=EDITS)
    told = problem(answer, 503, "undetermined")
    assert told["title"] == "not determined"
    assert told["detail"] == "whether they can is not known: no answer in 10 s"
    assert int(answer.headers["Retry-After"]) > 0


def test_the_search_is_made_apart(desk: Api) -> None:
    """By the solver, whose limits hold for it, and which counts it."""
    solver = running(desk).services.solver
    before = solver.tally().endings["answered"]
    desk.post(REACH, json=EDITS)
    assert solver.tally().endings["answered"] == before + 1


@pytest.mark.parametrize(
    ("scopes", "status"), [({Scope.REVIEW}, 200), ({Scope.ADMINISTER, Scope.EVALUATE}, 403)]
)
def test_it_takes_the_scope_to_review_and_no_other(
    store: MemoryStore, scopes: set[Scope], status: int
) -> None:
    """It tells who may do what, and changes nothing."""
    with serving(store, KeyRequest(ACME, None, frozenset(scopes))) as api:
        assert api.post(REACH, json=EDITS).status_code == status
