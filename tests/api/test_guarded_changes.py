"""Changes that a guardrail forbids, over HTTP: the counterexample, and nothing changed."""

from typing import Any

import pytest

from grantproof.service.guarding import Guard
from grantproof.service.solving import Undetermined
from tests.api.service import Api, Json, ask, problem, running

ORG = "/v1/orgs/acme"
LAW: Json = {
    "id": "dave-writes-nothing",
    "type": "forbidden",
    "access": {"action": "write", "resource": "docs/**", "attributes": {}},
    "who": [{"group": "guests"}],
}


@pytest.fixture
def guarded(api: Api) -> Api:
    """The demo, in which dave is a guest, and guests may never write documents."""
    for path, body in (
        ("principals", {"id": "dave"}),
        ("groups", {"id": "guests"}),
        ("memberships", {"principal": "dave", "group": "guests"}),
        ("roles", {"id": "scribe"}),
        (
            "claims",
            {"id": "scribes-write", "role": "scribe", "action": "write", "resource": "docs/**"},
        ),
        ("guardrails", LAW),
    ):
        answer = api.post(f"{ORG}/{path}", json=body)
        assert answer.status_code == 201, answer.text
    return api


def writes(api: Api) -> str:
    """What becomes of dave's wish to write."""
    answer: str = ask(api, principal_id="dave", action="write").json()["decision"]
    return answer


def test_a_change_that_breaks_a_guardrail_is_told_how(guarded: Api) -> None:
    """409, with a request that would be allowed, its context and the certificate of that."""
    before = guarded.get(ORG).json()["revision"]
    wanted = {"principal": "dave", "role": "scribe"}
    told = problem(guarded.post(f"{ORG}/assignments", json=wanted), 409, "breaks_guardrail")
    assert told["error"] == (
        "guardrail `dave-writes-nothing` forbids that `dave` may write `docs` by claim"
        " `scribes-write`"
    )
    witness = told["witness"]
    (shown,) = witness["requests"]
    assert (witness["kind"], witness["count"]) == ("breaks_guardrail", 1)
    assert witness["guardrail"] == LAW
    assert shown["request"] == {"principal_id": "dave", "action": "write", "resource_id": "docs"}
    assert shown["certificate"]["roles"] == ["scribe"]
    assert shown["certificate"]["claim"]["id"] == "scribes-write"
    assert shown["context"].keys() == {"instant", "hour", "weekday", "year"}
    assert guarded.get(ORG).json()["revision"] == before
    assert writes(guarded) == "Deny"


def test_a_guardrail_that_does_not_hold_is_not_added(guarded: Api) -> None:
    """It is told who could do what already."""
    access = {**LAW["access"], "action": "burn"}
    law = {**LAW, "id": "nobody-burns", "access": access, "who": []}
    assert guarded.post(f"{ORG}/guardrails", json=law).status_code == 201
    readers = {**law, "id": "nobody-reads", "access": {**access, "action": "read"}}
    told = problem(guarded.post(f"{ORG}/guardrails", json=readers), 409, "breaks_guardrail")
    assert told["witness"]["guardrail"]["id"] == "nobody-reads"
    assert "nobody-reads" not in guarded.get(f"{ORG}/guardrails").text


class Hung:
    """A solver that never answers in time."""

    def ask(self, work: Any) -> Undetermined:  # noqa: ARG002 - it never begins
        """Return that there was no answer."""
        return Undetermined("time", "no answer in 10 s")


def test_with_a_hung_solver_access_can_be_taken_away_only(
    guarded: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What gives access is told 503 and not done; an emergency revocation is done."""
    administration = running(guarded).services.administration
    monkeypatch.setattr(administration, "_guard", Guard(Hung()))
    for wanted in ({"principal": "dave", "role": "scribe"}, {"group": "guests", "role": "scribe"}):
        answer = guarded.post(f"{ORG}/assignments", json=wanted)
        told = problem(answer, 503, "guardrail_undetermined")
        assert "no answer in 10 s" in told["error"]
        assert int(answer.headers["Retry-After"]) > 0
    revoked = guarded.delete(f"{ORG}/assignments?principal=alice&role=viewer")
    assert revoked.status_code == 204
    suspended = guarded.patch(f"{ORG}/principals/dave", json={"active": False})
    assert suspended.status_code == 200
    assert ask(guarded).json()["decision"] == "Deny"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "changes",
            {
                "commands": [
                    {
                        "type": "AssignRole",
                        "principal": "dave",
                        "role": "scribe",
                        "validity": {"from": None, "until": None},
                    }
                ]
            },
        ),
        ("moves", {"principal": "dave", "to_roles": ["scribe"]}),
    ],
)
def test_what_is_only_tried_is_refused_as_the_change_would_be(
    guarded: Api, path: str, body: Json
) -> None:
    """With the same counterexample; and what would be accepted is not made either."""
    before = guarded.get(ORG).json()["revision"]
    for dry_run in (True, False):
        answer = guarded.post(f"{ORG}/{path}", json={**body, "dry_run": dry_run})
        problem(answer, 409, "breaks_guardrail")
    assert guarded.delete(f"{ORG}/guardrails/{LAW['id']}").status_code == 204
    answer = guarded.post(f"{ORG}/{path}", json={**body, "dry_run": True})
    assert (answer.status_code, answer.json()["revision"]) == (200, before + 1)
    assert guarded.get(ORG).json()["revision"] == before + 1
    assert writes(guarded) == "Deny"
