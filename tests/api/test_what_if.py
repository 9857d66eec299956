"""POST /what-if: a decision as it is, and in a supposed context or after a supposed change."""

from collections.abc import Iterator

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.service.callers import Scope
from grantproof.service.demo import ACME
from grantproof.service.keyring import KeyRequest
from tests.api.service import READ_DOCS, Api, Json, fields_at_fault, problem, revision, serving

EDITS: Json = {**READ_DOCS, "action": "write"}
ALWAYS: Json = {"from": None, "until": None}
MAKES_EDITOR: Json = {
    "type": "AssignRole",
    "principal": "alice",
    "role": "editor",
    "validity": ALWAYS,
}
JANUARY_NIGHT = 1_767_225_600
"""The first of January 2026 at midnight, UTC."""


def supposed(api: Api, question: Json, **more: object) -> Json:
    """What is answered to the question with what is supposed."""
    response = api.post("/what-if", json={**question, **more})
    assert response.status_code == 200, response.text
    told: Json = response.json()
    return told


def decisions(told: Json) -> tuple[str, str]:
    """Both decisions, in a word each."""
    return told["before"]["decision"], told["after"]["decision"]


@pytest.fixture
def reviewer(store: MemoryStore) -> Iterator[Api]:
    """A caller who may ask and review, and is not trusted with the context."""
    wanted = KeyRequest(ACME, None, frozenset({Scope.EVALUATE, Scope.REVIEW}))
    with serving(store, wanted) as client:
        yield client


def test_another_hour_is_supposed(reviewer: Api) -> None:
    """The decision now and then, each with what it rests on; no trust is asked for."""
    told = supposed(reviewer, READ_DOCS, context={"hour": 22})
    assert decisions(told) == ("Allow", "Deny")
    assert told["before"]["certificate"]["claim"]["id"] == "viewer-read-docs"
    assert (told["after"]["reason_code"], told["after"]["certificate"]) == (
        "constraint_failed",
        None,
    )
    assert "hour 22" in told["after"]["reason"]
    assert told["revision"] == revision(reviewer)


def test_another_instant_has_its_own_hour(steady: Api) -> None:
    """Hour and weekday are those of then, unless they are supposed too."""
    told = supposed(steady, READ_DOCS | {"hour": None}, context={"instant": JANUARY_NIGHT})
    assert told["after"]["decided_at"] == JANUARY_NIGHT
    assert told["after"]["decision"] == "Deny"
    at_ten = {"instant": JANUARY_NIGHT, "hour": 10}
    told = supposed(steady, READ_DOCS | {"hour": None}, context=at_ten)
    assert told["after"]["decision"] == "Allow"
    assert told["after"]["certificate"]["instant"] == JANUARY_NIGHT


def test_what_is_not_supposed_is_as_the_question_says(steady: Api) -> None:
    """Without a supposition both are the same."""
    told = supposed(steady, READ_DOCS)
    assert told["before"] == told["after"]
    told = supposed(steady, READ_DOCS | {"hour": 22}, context={"usage": 3})
    assert decisions(told) == ("Deny", "Deny")


def test_a_change_is_supposed_and_not_made(reviewer: Api) -> None:
    """The certificate names the revision that it would make, and the organization stays."""
    was = revision(reviewer)
    told = supposed(reviewer, EDITS, commands=[MAKES_EDITOR])
    assert decisions(told) == ("Deny", "Allow")
    assert told["after"]["certificate"]["roles"] == ["editor"]
    assert (told["revision"], told["after"]["certificate"]["revision"]) == (was, was + 1)
    assert revision(reviewer) == was
    assert decisions(supposed(reviewer, EDITS))[0] == "Deny"


def test_context_and_change_are_supposed_together(steady: Api) -> None:
    """The change is applied, and what it leads to is asked in the context."""
    told = supposed(steady, EDITS, commands=[MAKES_EDITOR], context={"region": "nowhere"})
    assert told["after"]["reason_code"] in {None, "constraint_failed"}
    suspends = {"type": "SuspendPrincipal", "principal": "alice"}
    told = supposed(steady, READ_DOCS, commands=[suspends], context={"hour": 10})
    assert decisions(told) == ("Allow", "Deny")
    assert told["after"]["reason_code"] == "suspended"


def test_counters_stay_as_they_are(api: Api) -> None:
    """What was used counts in what is supposed, and supposing uses nothing."""
    claim = {
        "id": "export",
        "role": "viewer",
        "action": "export",
        "resource": "docs",
        "constraints": [{"type": "max_usage", "limit": 1, "period": "total"}],
    }
    assert api.post("/v1/orgs/acme/claims", json=claim).status_code == 201
    exports = {**READ_DOCS, "action": "export"}
    exports.pop("usage")
    assert api.post("/evaluate/consume", json=exports).json()["decision"] == "Allow"
    for _ in range(2):
        assert decisions(supposed(api, exports, context={"usage": 0})) == ("Deny", "Allow")
    # Bob holds the claim too, and what alice used is not his.
    bobs = exports | {"principal_id": "bob"}
    assert decisions(supposed(api, bobs, context={"usage": 1})) == ("Allow", "Deny")
    used = api.get("/v1/orgs/acme/usage").json()["items"]
    assert [(one["principal"], one["used"]) for one in used] == [("alice", 1)]


def test_a_change_that_would_be_refused_is(steady: Api) -> None:
    """With the witness, and the position of the command at fault."""
    commands = [MAKES_EDITOR, {"type": "AddMember", "principal": "alice", "group": "x"}]
    told = problem(steady.post("/what-if", json={**EDITS, "commands": commands}), 409, "missing")
    assert told["witness"]["position"] == 1
    was = steady.post("/v1/orgs/acme/changes", json={"commands": commands})
    assert problem(was, 409, "missing")["witness"] == told["witness"]


def test_guardrails_are_judged(api: Api) -> None:
    """What a guardrail forbids is refused where it is only supposed, with its counterexample."""
    guardrail = {
        "id": "nobody-burns",
        "type": "forbidden",
        "access": {"action": "burn", "resource": "docs"},
    }
    assert api.post("/v1/orgs/acme/guardrails", json=guardrail).status_code == 201
    claim = {
        "id": "burn",
        "role": "viewer",
        "action": "burn",
        "resource": "docs",
        "constraints": [],
    }
    commands = [{"type": "CreateClaim", "claim": claim}]
    told = problem(
        api.post("/what-if", json={**EDITS, "commands": commands}), 409, "breaks_guardrail"
    )
    assert told["witness"]["guardrail"]["id"] == "nobody-burns"


def test_it_takes_review_scope(stranger: Api) -> None:
    """It tells what exists."""
    problem(stranger.post("/what-if", json=READ_DOCS), 403, "insufficient_scope")


def test_another_organization_is_not_told_of(reviewer: Api) -> None:
    """One that is not there, and one that is another's, are the same 403."""
    problem(
        reviewer.post("/what-if", json={**READ_DOCS, "org_id": "other"}),
        403,
        "forbidden_organization",
    )


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"context": {"hour": 24}}, "context.hour"),
        ({"context": {"instant": -1}}, "context.instant"),
        ({"context": {"now": 1}}, "context.now"),
        ({"context": {"attributes": {"a": 1.5}}}, "context.attributes.a"),
        ({"commands": []}, "commands"),
        ({"commands": [{"type": "Burn"}]}, "commands[0].type"),
        ({"commands": [{"type": "CreateGroup", "group": "a b"}]}, "commands[0].group"),
        ({"command": []}, "command"),
        ({"region": "a b"}, "region"),
    ],
)
def test_what_is_malformed_is_named(steady: Api, more: Json, field: str) -> None:
    """A supposition is read as strictly as everything else."""
    told = problem(steady.post("/what-if", json={**READ_DOCS, **more}), 400, "invalid")
    assert fields_at_fault(told) == [field]


def test_a_stored_session_is_asked_in_on_both_sides(api: Api) -> None:
    """With its roles and no others; where there is none, that is the reason on both."""
    wanted = {"principal": "bob", "roles": ["viewer"]}
    name = api.post("/v1/orgs/acme/sessions", json=wanted).json()["id"]
    question = {**READ_DOCS, "principal_id": "bob", "session_id": name}
    assert decisions(supposed(api, question, context={"hour": 22})) == ("Allow", "Deny")
    told = supposed(api, {**question, "action": "write"})
    assert told["before"]["reason_code"] == told["after"]["reason_code"] == "no_matching_claim"
    told = supposed(api, {**question, "session_id": "none"})
    assert told["before"]["reason_code"] == told["after"]["reason_code"] == "no_session"


def test_a_stored_session_has_ended_by_a_later_instant(api: Api) -> None:
    """Until before it does its roles count, from then on there is no such session."""
    wanted = {"principal": "bob", "roles": ["viewer"], "seconds": 600}
    session = api.post("/v1/orgs/acme/sessions", json=wanted).json()
    question = {**READ_DOCS, "principal_id": "bob", "session_id": session["id"]}
    last = supposed(api, question, context={"instant": session["expires_at"] - 1, "hour": 10})
    assert decisions(last) == ("Allow", "Allow")
    ended = supposed(api, question, context={"instant": session["expires_at"], "hour": 10})
    assert decisions(ended) == ("Allow", "Deny")
    assert ended["after"]["reason_code"] == "no_session"
