"""Questions about what is possible, over HTTP: bodies, answers, and what nobody knows."""

from dataclasses import replace
from typing import Any

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.api import inquiries
from grantproof.service.callers import Scope
from grantproof.service.demo import ACME
from grantproof.service.keyring import KeyRequest
from grantproof.service.solving import EndingCounts, Endings, Undetermined
from tests.api.service import Api, Json, fields_at_fault, problem, running, serving, told_by

ORG = "/v1/orgs/acme"
READS: Json = {"action": "read", "resource_id": "docs"}
WRITES: Json = {"principal_id": "alice", "action": "write", "resource_id": "docs"}
BURNS: Json = {"access": {"action": "burn", "resource": "*"}}
QUESTIONS: list[tuple[str, str, Json | None]] = [
    ("POST", "who-can", READS),
    ("GET", "principals/bob/abilities", None),
    ("POST", "why-not", WRITES),
    ("POST", "not-granted", BURNS),
    ("GET", "dead", None),
    ("GET", "conflicts", None),
    ("GET", "diff?from_revision=1", None),
]


def get(api: Api, path: str) -> Json:
    """The answer to a question without a body."""
    response = api.get(f"{ORG}/{path}")
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


def test_who_can_names_everyone_with_how_and_when(steady: Api) -> None:
    """In any context the class of both readers, with a request, a context and a certificate."""
    told = told_by(steady, "who-can", READS)
    (able,) = told["able"]["items"]
    assert (told["principals"], able["count"]) == (2, 2)
    assert able["principals"] == ["alice", "bob"]
    assert (able["conditional"], able["from"], able["until"]) == (True, told["asked_at"], None)
    assert able["request"]["principal_id"] == "alice"
    assert 9 <= able["context"]["hour"] < 17
    assert able["certificate"]["claim"]["id"] == "viewer-read-docs"
    assert (told["undetermined"]["count"], told["context"]) == (0, None)


def test_who_can_in_a_context_is_asked_as_supposed(operator: Api) -> None:
    """No trust is asked for: nothing is decided; what is left out is as it is now."""
    assert told_by(operator, "who-can", {**READS, "context": {"hour": 10}})["principals"] == 2
    late = told_by(operator, "who-can", {**READS, "context": {"hour": 22}})
    assert (late["principals"], late["able"]["items"]) == (0, [])
    assert (late["context"]["hour"], late["context"]["usage"]) == (22, 0)


def test_nobody_can_on_an_unknown_resource(steady: Api) -> None:
    """Unless its kind is told, as for a decision."""
    nowhere = {**READS, "resource_id": "nowhere"}
    assert told_by(steady, "who-can", nowhere)["resource_known"] is False
    assert told_by(steady, "who-can", {**nowhere, "resource_kind": "document"})["resource_known"]


def test_what_somebody_can(steady: Api) -> None:
    """Each claim of theirs; a principal that is not there is not found."""
    told = get(steady, "principals/bob/abilities")
    claims = [one["certificate"]["claim"]["id"] for one in told["usable"]["items"]]
    assert claims == ["editor-write-docs", "viewer-read-docs", "viewer-read-reports"]
    assert get(steady, "principals/carol/abilities")["usable"] == {"count": 0, "items": []}
    problem(steady.get(f"{ORG}/principals/dan/abilities"), 404, "not_found")


def test_why_not_tells_command_and_condition(steady: Api) -> None:
    """Here both are missing, and the context says which value would do."""
    told = told_by(steady, "why-not", WRITES)
    assert (told["decision"], told["reason_code"]) == ("Deny", "no_matching_claim")
    (remedy,) = told["remedies"]["items"]
    (command,) = remedy["commands"]
    assert (command["type"], command["principal"], command["role"]) == (
        "AssignRole",
        "alice",
        "editor",
    )
    (condition,) = remedy["conditions"]
    assert condition["message"] == "region missing is not one of us-east-1"
    assert (remedy["context"]["region"], remedy["refusal"]) == ("us-east-1", None)
    assert told["undetermined"] == {"count": 0, "items": []}
    allowed = told_by(steady, "why-not", {**READS, "principal_id": "bob", "hour": 10})
    assert (allowed["decision"], allowed["remedies"]["count"]) == ("Allow", 0)
    assert allowed["certificate"]["roles"] == ["editor", "viewer"]


def test_why_not_knows_what_was_counted(api: Api) -> None:
    """A quota that is used up is what is missing, and nothing else is; a session counts too."""
    limit = {"type": "max_usage", "limit": 1, "period": "day"}
    claim = {"id": "once", "role": "viewer", "action": "export", "resource": "docs"}
    assert api.post(f"{ORG}/claims", json={**claim, "constraints": [limit]}).status_code == 201
    asked = {**WRITES, "action": "export"}
    used = api.post("/evaluate/consume", json={**asked, "org_id": "acme"})
    assert used.json()["decision"] == "Allow", used.text
    told = told_by(api, "why-not", asked)
    (remedy,) = told["remedies"]["items"]
    assert (remedy["commands"], remedy["conditions"][0]["saw"]) == ([], [1])
    assert remedy["context"]["usage"] == 0
    narrow = told_by(api, "why-not", {**asked, "active_roles": ["viewer", "finance"], "usage": 0})
    assert narrow["decision"] == "Allow"


def test_not_granted_is_proved_or_shown(steady: Api) -> None:
    """As a guardrail would be judged."""
    assert told_by(steady, "not-granted", BURNS)["holds"] is True
    reads = {"access": {"action": "read", "resource": "docs"}}
    told = told_by(steady, "not-granted", {**reads, "who": [{"role": "editor"}]})
    assert (told["holds"], told["message"]) == (
        False,
        "`bob` may read `docs` by claim `viewer-read-docs`",
    )
    (shown,) = told["counterexample"]["requests"]
    assert shown["request"]["principal_id"] == "bob"
    assert told_by(steady, "not-granted", {**reads, "who": [{"role": "finance"}]})["holds"]


def test_what_has_changed_since_a_revision(api: Api) -> None:
    """Who gains and who loses what, each with an example; the earlier state is told by events."""
    before = api.get(ORG).json()["revision"]
    for path, body in (
        ("principals", {"id": "dave"}),
        ("assignments", {"principal": "dave", "role": "viewer"}),
    ):
        assert api.post(f"{ORG}/{path}", json=body).status_code == 201
    assert api.delete(f"{ORG}/assignments?principal=alice&role=viewer").status_code == 204
    told = get(api, f"diff?from_revision={before}")
    assert (told["verdict"], told["from_revision"]) == ("incomparable", before)
    (gain,), (loss,) = told["gains"], told["losses"]
    assert (gain["principals"], gain["actions"]) == (["dave"], ["read"])
    assert (loss["principals"], loss["reason_code"]) == (["alice"], "no_role")
    assert gain["certificate"]["principal"] == "dave"
    same = get(api, f"diff?from_revision={told['revision']}")
    assert (same["verdict"], same["gains"], same["losses"]) == ("equal", [], [])
    ahead = api.get(f"{ORG}/diff?from_revision={told['revision'] + 1}")
    assert problem(ahead, 404, "not_found")["error"] == (
        f"revision `{told['revision'] + 1}` does not exist"
    )


def test_what_is_too_far_back_is_not_told_from_events(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The field is at fault."""
    monkeypatch.setattr(inquiries, "EVENTS_SEARCHED_MAX", 0)
    told = problem(api.get(f"{ORG}/diff?from_revision=0"), 400, "invalid")
    assert fields_at_fault(told) == ["from_revision"]


def test_dead_and_conflicts(api: Api) -> None:
    """What has no effect, and what separation of duty makes impossible."""
    assert get(api, "dead")["unused_roles"] == {"count": 1, "items": ["submitter"]}
    assert get(api, "conflicts")["unholdable"]["count"] == 0
    both = {"id": "both", "parents": ["finance", "submitter"]}
    assert api.post(f"{ORG}/roles", json=both).status_code == 201
    assert get(api, "conflicts")["unholdable"]["items"] == [
        {"role": "both", "sod_set": "finance-or-submitter"}
    ]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("who-can", {**READS, "action": "*"}, "action"),
        ("who-can", {**READS, "context": {"hour": 24}}, "context.hour"),
        ("who-can", {**READS, "principal_id": "bob"}, "principal_id"),
        ("why-not", {**WRITES, "weekday": 7}, "weekday"),
        ("why-not", {**WRITES, "resource_kind": "a b"}, "resource_kind"),
        ("why-not", {**WRITES, "explain": True}, "explain"),
        ("not-granted", {}, "access"),
        ("not-granted", {**BURNS, "who": [{"team": "a"}]}, "who[0]"),
    ],
)
def test_a_bad_question_names_the_field(steady: Api, path: str, body: Json, field: str) -> None:
    """And nothing is asked."""
    told = problem(steady.post(f"{ORG}/{path}", json=body), 400, "invalid")
    assert fields_at_fault(told) == [field]


class Hung:
    """A solver that never answers in time."""

    def ask(self, work: Any) -> Undetermined:  # noqa: ARG002 - it never begins
        """Return that there was no answer."""
        return Undetermined("time", "no answer in 10 s")

    def stop(self) -> None:
        """Have nothing to end."""

    def tally(self) -> EndingCounts:
        """Return that nothing was ever begun."""
        return Endings().tally()


@pytest.mark.parametrize(("method", "path", "body"), QUESTIONS)
def test_with_a_hung_solver_no_question_has_an_answer(
    api: Api, *, method: str, path: str, body: Json | None
) -> None:
    """503 and when to come again: never an empty answer. Decisions go on."""
    administration = api.app.administration  # type: ignore[attr-defined]  # an `Application`
    here = running(api)
    administration.state.running = replace(here, services=replace(here.services, solver=Hung()))
    answer = api.request(method, f"{ORG}/{path}", json=body)
    told = problem(answer, 503, "undetermined")
    assert "no answer in 10 s" in told["error"]
    assert int(answer.headers["Retry-After"]) > 0
    assert api.post("/evaluate", json={**WRITES, "org_id": "acme"}).status_code == 200


@pytest.mark.parametrize(("method", "path", "body"), QUESTIONS)
def test_questions_take_the_scope_of_review(method: str, path: str, body: Json | None) -> None:
    """Whoever may only ask for decisions is not told who else may."""
    with serving(MemoryStore(), KeyRequest(ACME, None, frozenset({Scope.EVALUATE}))) as api:
        problem(api.request(method, f"{ORG}/{path}", json=body), 403, "insufficient_scope")


@pytest.mark.parametrize(("method", "path", "body"), QUESTIONS)
def test_no_question_reaches_another_organization(
    method: str, path: str, body: Json | None
) -> None:
    """One that is another's is answered like one that never was, and nothing is worked out."""
    with serving(MemoryStore(), KeyRequest(ACME, None, frozenset({Scope.REVIEW}))) as api:
        answer = api.request(method, f"/v1/orgs/rival/{path}", json=body)
        problem(answer, 403, "forbidden_organization")
        assert running(api).services.solver.tally().endings["answered"] == 0
        assert api.request(method, f"{ORG}/{path}", json=body).status_code == 200
