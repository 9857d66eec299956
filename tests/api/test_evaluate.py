"""POST /evaluate: the answer, its reason, and what a caller may be told."""

from typing import Any

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.core.commands.language import AssignRole, CreateRole, SuspendPrincipal
from grantproof.core.identifiers import OrganizationId, PrincipalId, RoleId
from grantproof.service.authors import Author
from grantproof.service.demo import ACME
from tests.api.service import (
    READ_DOCS,
    Api,
    ask,
    evaluate,
    fields_at_fault,
    problem,
    services_over,
)

ALICE = PrincipalId("alice")


def test_an_allow_names_its_claim_and_its_place_in_time(api: Api) -> None:
    """An allow has no reason; it names the claim, the revision and two instants."""
    answer = evaluate(api)
    assert answer == {
        "decision": "Allow",
        "reason": None,
        "reason_code": None,
        "revision": 1,
        "decided_at": answer["decided_at"],
        "valid_until": answer["valid_until"],
        "claim_id": "viewer-read-docs",
    }
    assert answer["decided_at"] < answer["valid_until"] <= answer["decided_at"] + 3600


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"hour": 22}, "constraint_failed", "time window 9-17"),
        ({"hour": 22, "resource_id": "reports"}, "constraint_failed", "time window 9-17"),
        (
            {"principal_id": "bob", "action": "write", "region": "eu-west-1"},
            "constraint_failed",
            "region `eu-west-1`",
        ),
        ({"action": "write"}, "no_matching_claim", "no matching claim"),
        ({"active_roles": []}, "no_role", "no active role"),
        ({"principal_id": "dave"}, "unknown_principal", "unknown principal"),
        ({"resource_id": "secret"}, "unknown_resource", "unknown resource"),
        ({"resource_kind": "folder"}, "unknown_resource", "unknown resource"),
    ],
)
def test_a_deny_says_why(api: Api, changed: dict[str, Any], code: str, words: str) -> None:
    """A deny is a 200 with the reason in words and for programs."""
    response = ask(api, **changed)
    answer = response.json()
    assert (response.status_code, answer["decision"]) == (200, "Deny")
    assert answer["reason_code"] == code
    assert words in answer["reason"]


def test_a_failed_constraint_names_its_claim(api: Api) -> None:
    """The nearest claim is named, so that an administrator finds it."""
    assert evaluate(api, hour=22)["claim_id"] == "viewer-read-docs"
    assert "claim_id" not in evaluate(api, action="write")


def test_an_unregistered_resource_of_a_declared_kind_is_known(api: Api) -> None:
    """Naming a declared kind makes the resource known, so that only the claim is missing."""
    answer = evaluate(api, resource_id="memo-7", resource_kind="document")
    assert answer["reason_code"] == "no_matching_claim"


def test_the_certificate_comes_when_asked_for(api: Api) -> None:
    """With `explain` an allow shows its path, claim and what it saw; a deny shows null."""
    # Asked before without, too: then the answer is at hand, and the certificate is not.
    assert "certificate" not in evaluate(api, principal_id="bob")
    certificate = evaluate(api, principal_id="bob", explain=True)["certificate"]
    assert certificate["roles"] == ["editor", "viewer"]
    assert certificate["claim"]["id"] == "viewer-read-docs"
    assert certificate["observations"][0]["saw"][0] == 10
    assert evaluate(api, hour=22, explain=True)["certificate"] is None
    assert "certificate" not in evaluate(api)


def test_attributes_and_null_are_accepted(api: Api) -> None:
    """Every type of attribute is read, and null means left out."""
    attributes = {"a": True, "b": -1, "c": "x", "d": ["x", "y"]}
    assert evaluate(api, attributes=attributes)["decision"] == "Allow"
    nothing = dict.fromkeys(("attributes", "weekday", "rate", "active_roles", "resource_kind"))
    assert evaluate(api, **nothing)["decision"] == "Allow"


@pytest.mark.parametrize(
    "changed",
    [
        {"principal_id": "nobody"},
        {"resource_id": "nothing"},
        {"principal_id": "alice", "resource_kind": "role"},
    ],
)
def test_what_exists_is_told_only_under_review(stranger: Api, changed: dict[str, Any]) -> None:
    """Without review scope what is absent reads like what is not granted."""
    question = {"org_id": "acme", "principal_id": "alice", "action": "write", "resource_id": "docs"}
    plain = stranger.post("/evaluate", json=question).json()
    absent = stranger.post("/evaluate", json={**question, **changed}).json()
    assert (plain["reason"], plain["reason_code"]) == ("no matching claim", "no_matching_claim")
    assert {**absent, "decided_at": 0} == {**plain, "decided_at": 0}


def test_a_suspension_is_not_told_without_review(stranger: Api, store: MemoryStore) -> None:
    """A suspended principal reads like one without a claim."""
    services_over(store).administration.propose(ACME, SuspendPrincipal(ALICE), by=Author("other"))
    question = {"org_id": "acme", "principal_id": "alice", "action": "read", "resource_id": "docs"}
    answer = stranger.post("/evaluate", json={**question, "at_least_revision": 2}).json()
    assert (answer["reason_code"], answer["revision"]) == ("no_matching_claim", 2)


def test_another_organization_answers_like_none(api: Api, store: MemoryStore) -> None:
    """To a bound caller another's organization and an absent one are the same 200 Deny."""
    services_over(store).administration.found(
        OrganizationId("rival"), time_zone="UTC", by=Author("other")
    )
    theirs, nobodys = evaluate(api, org_id="rival"), evaluate(api, org_id="absent")
    assert {**theirs, "decided_at": 0} == {**nobodys, "decided_at": 0}
    assert (theirs["decision"], theirs["reason_code"]) == ("Deny", "unknown_organization")
    assert theirs["revision"] == 0


@pytest.mark.parametrize("field", ["hour", "weekday", "usage", "rate"])
def test_only_the_trusted_supply_the_servers_own_context(operator: Api, field: str) -> None:
    """Hour, weekday, usage and rate of an untrusted caller are refused, never ignored."""
    question = {"org_id": "acme", "principal_id": "alice", "action": "read", "resource_id": "docs"}
    problem(operator.post("/evaluate", json={**question, field: 1}), 403, "untrusted_context")
    said = {"region": "us-east-1", "position": "48.8566,2.3522", "attributes": {"a": 1}}
    allowed = {**question, **said}
    assert operator.post("/evaluate", json=allowed).status_code == 200


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"org_id": 1}, "org_id"),
        ({"org_id": "a b"}, "org_id"),
        ({"org_id": ""}, "org_id"),
        ({"principal_id": None}, "principal_id"),
        ({"principal_id": "p" * 129}, "principal_id"),
        ({"action": "*"}, "action"),
        ({"resource_id": "docs/**"}, "resource_id"),
        ({"resource_id": "r" * 142}, "resource_id"),
        ({"resource_kind": "no kind"}, "resource_kind"),
        ({"region": "x y"}, "region"),
        ({"position": "48.8566"}, "position"),
        ({"position": "91,0"}, "position"),
        ({"position": "48.8566001,2.3522"}, "position"),
        ({"position": [48.8566, 2.3522]}, "position"),
        ({"position": {"latitude": 48, "longitude": 2}}, "position"),
        ({"hour": 24}, "hour"),
        ({"hour": -1}, "hour"),
        ({"hour": "10"}, "hour"),
        ({"hour": 10.0}, "hour"),
        ({"hour": True}, "hour"),
        ({"weekday": 7}, "weekday"),
        ({"usage": -1}, "usage"),
        ({"usage": 2**63}, "usage"),
        ({"rate": 10**30}, "rate"),
        ({"active_roles": "viewer"}, "active_roles"),
        ({"active_roles": ["viewer", "a b"]}, "active_roles[1]"),
        ({"active_roles": ["r"] * 1001}, "active_roles"),
        ({"attributes": []}, "attributes"),
        ({"attributes": {"id": 1}}, "attributes.id"),
        ({"attributes": {"a": 1.5}}, "attributes.a"),
        ({"attributes": {"a": None}}, "attributes.a"),
        ({"attributes": {"a": 2**63}}, "attributes.a"),
        ({"attributes": {"a": ["x", 1]}}, "attributes.a"),
        ({"attributes": {f"a{number}": 1 for number in range(257)}}, "attributes"),
        ({"explain": 1}, "explain"),
        ({"at_least_revision": -1}, "at_least_revision"),
        ({"session_id": "s p"}, "session_id"),
        ({"session_id": ""}, "session_id"),
        ({"session_id": 7}, "session_id"),
        ({"session_id": "s", "active_roles": []}, "active_roles"),
        ({"Org_id": "acme"}, "Org_id"),
    ],
)
def test_a_malformed_question_names_the_field(
    api: Api, changed: dict[str, Any], field: str
) -> None:
    """Nothing is coerced and nothing unknown is ignored: 400 names the field and the rule."""
    told = problem(ask(api, **changed), 400, "invalid")
    assert fields_at_fault(told) == [field]
    assert told["errors"][0]["rule"] in told["error"]


@pytest.mark.parametrize("field", ["org_id", "principal_id", "action", "resource_id"])
def test_a_missing_field_is_named(api: Api, field: str) -> None:
    """What is required is required."""
    question = {name: value for name, value in READ_DOCS.items() if name != field}
    told = problem(api.post("/evaluate", json=question), 400, "invalid")
    assert told["error"] == f"`{field}` is required"


def test_a_bad_question_about_an_absent_organization_is_malformed_too(api: Api) -> None:
    """Whether an organization exists never decides whether a request is well-formed."""
    problem(ask(api, org_id="absent", hour=99), 400, "invalid")
    problem(ask(api, org_id="absent", action="*"), 400, "invalid")


def test_a_newer_revision_is_caught_up_with(api: Api, store: MemoryStore) -> None:
    """Demanding a revision that another writer made lets the answer be made on it."""
    other = services_over(store)
    other.administration.propose(ACME, CreateRole(RoleId("auditor")), by=Author("other"))
    assert evaluate(api)["revision"] == 1
    assert evaluate(api, at_least_revision=2)["revision"] == 2


def test_a_revision_that_does_not_exist_is_a_503(api: Api) -> None:
    """An answer is never made on an older state than was demanded."""
    response = ask(api, at_least_revision=9)
    problem(response, 503, "revision_not_reached")
    assert response.headers["retry-after"] == "1"


def test_a_change_shows_in_the_next_decision(api: Api) -> None:
    """What was accepted is decided on at once, by the process that accepted it."""
    assert evaluate(api, principal_id="carol")["reason_code"] == "no_matching_claim"
    body = {"principal": "carol", "role": "viewer"}
    assert api.post("/v1/orgs/acme/assignments", json=body).status_code == 201
    assert evaluate(api, principal_id="carol")["decision"] == "Allow"
    assert evaluate(api, principal_id="carol")["revision"] == 2


def test_the_end_of_an_assignment_bounds_the_answer(api: Api) -> None:
    """`valid_until` is the end of the assignment when that comes before the hour's."""
    now = evaluate(api)["decided_at"]
    ending = {"principal": "carol", "role": "viewer", "until": now + 2}
    assert api.post("/v1/orgs/acme/assignments", json=ending).status_code == 201
    answer = evaluate(api, principal_id="carol", weekday=1)
    assert answer["valid_until"] == (now + 2 if answer["decision"] == "Allow" else None)


def test_assigning_through_another_process_is_not_seen_before_following(
    api: Api, store: MemoryStore
) -> None:
    """An answer names the revision it was made on, which may be older than what is stored."""
    command = AssignRole(PrincipalId("carol"), RoleId("viewer"))
    services_over(store).administration.propose(ACME, command, by=Author("other"))
    assert evaluate(api, principal_id="carol")["revision"] == 1
