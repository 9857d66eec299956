"""Answers become results: a table of what may come, and that nothing odd is ever an allow."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from grantproof.client.exchange import (
    Came,
    Lost,
    Reply,
    assigning,
    deciding,
    following,
    read_change,
    read_decision,
    read_decisions,
    read_finding,
    read_revision,
)
from grantproof.client.questions import Question, Said
from grantproof.client.results import (
    Allow,
    CallerError,
    Changed,
    Deny,
    Rejected,
    Told,
    Undetermined,
)

ASKED = Question("ann", "read", "docs")
EXPLAINED = Question("ann", "read", "docs", Said(explain=True))
ALLOW: dict[str, Any] = {
    "decision": "Allow",
    "reason": None,
    "reason_code": None,
    "revision": 7,
    "decided_at": 1_000,
    "valid_until": 1_800,
    "claim_id": "see",
}
DENY = {**ALLOW, "decision": "Deny", "reason": "no active role", "reason_code": "no_role"}


def reply(status: int, body: object, **headers: str) -> Reply:
    """An answer with a body of JSON, or of bytes as they stand."""
    return Reply(status, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


def came(last: Reply | Lost, attempts: int = 1) -> Came:
    """What came in the end."""
    return Came(last, attempts, "id-1")


def problem(code: str, **more: object) -> dict[str, object]:
    """The body of a problem."""
    return {"code": code, "detail": "so it is", **more}


def test_an_allow_and_a_deny_are_read() -> None:
    """With all that they say, and under which request."""
    told = read_decision(came(reply(200, ALLOW)), ASKED)
    assert told == Allow("see", 7, 1_000, 1_800, request_id="id-1")
    told = read_decision(came(reply(200, {**DENY, "meter_age": 2, "valid_until": None})), ASKED)
    assert told == Deny("no_role", "no active role", 7, 1_000, None, "see", 2, "id-1")


def test_a_certificate_is_there_if_and_only_if_it_was_asked_for() -> None:
    """An allow without the evidence that was wanted is no answer."""
    proven = {**ALLOW, "certificate": {"claim": {}}}
    told = read_decision(came(reply(200, proven)), EXPLAINED)
    assert isinstance(told, Allow)
    assert told.certificate == {"claim": {}}
    for body, asked in ((ALLOW, EXPLAINED), (proven, ASKED)):
        told = read_decision(came(reply(200, body)), asked)
        assert isinstance(told, Undetermined)
        assert told.code == "malformed_answer"


MALFORMED: Mapping[str, object] = {
    "nothing": b"",
    "half of it": json.dumps(ALLOW).encode()[:-1],
    "a page": b"<html>Allow</html>",
    "not UTF-8": b'{"decision":"Allow\xff"}',
    "deep": b"[" * 100_000,
    "a list": [ALLOW],
    "a string": "Allow",
    "true": True,
    "another word": {**ALLOW, "decision": "allow"},
    "a truth": {**ALLOW, "decision": True},
    "no decision": {name: said for name, said in ALLOW.items() if name != "decision"},
    "no revision": {name: said for name, said in ALLOW.items() if name != "revision"},
    "no end": {name: said for name, said in ALLOW.items() if name != "valid_until"},
    "no claim": {name: said for name, said in ALLOW.items() if name != "claim_id"},
    "a true revision": {**ALLOW, "revision": True},
    "a fraction": {**ALLOW, "decided_at": 1.5},
    "a negative end": {**ALLOW, "valid_until": -1},
    "an odd age": {**ALLOW, "meter_age": "1"},
    "an allow with a reason": {**ALLOW, "reason": "no active role"},
    "an allow with a code": {**ALLOW, "reason_code": "no_role"},
    "a deny without a reason": {**DENY, "reason": None},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_answer_allows_nothing(name: str) -> None:
    """Whatever comes with a 200 and is not exactly a decision is none."""
    told = read_decision(came(reply(200, MALFORMED[name]), attempts=2), ASKED)
    assert told == Undetermined(
        "malformed_answer", "the answer is none that the service gives", 200, 2, "id-1"
    )


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 599])
def test_what_may_pass_is_undetermined(status: int) -> None:
    """With the code of the problem, or of the status where a proxy answered."""
    told = read_decision(came(reply(status, problem("not_ready")), attempts=4), ASKED)
    assert told == Undetermined("not_ready", "so it is", status, 4, "id-1")
    told = read_decision(came(reply(status, b"Bad Gateway")), ASKED)
    assert told == Undetermined(
        f"http_{status}", f"answered with status {status}", status, 1, "id-1"
    )


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307])
def test_another_status_of_success_is_no_decision(status: int) -> None:
    """Not even with the body of an allow."""
    told = read_decision(came(reply(status, ALLOW)), ASKED)
    assert told == Undetermined(
        "unexpected_answer", f"answered with status {status}", status, 1, "id-1"
    )


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 415, 421, 422, 431])
def test_a_wrong_call_is_an_error_of_the_caller(status: int) -> None:
    """With the code, the message, the fields at fault, and the request."""
    fault = {"field": "action", "rule": "is required"}
    with pytest.raises(CallerError, match="so it is") as raised:
        read_decision(came(reply(status, problem("wrong", errors=[fault]))), ASKED)
    found = raised.value
    assert (found.code, found.status, found.errors) == ("wrong", status, (fault,))
    assert found.request_id == "id-1"


def test_no_answer_is_undetermined() -> None:
    """Lost says how."""
    told = read_decision(came(Lost("unreachable", "refused"), attempts=4), ASKED)
    assert told == Undetermined("unreachable", "refused", None, 4, "id-1")


# ---------------------------------------------------------------- batches


def test_a_batch_has_an_answer_for_each_question() -> None:
    """What is wrong with one is told of that one; another instant is no answer."""
    error = {"error": {"status": 400, "code": "invalid", "detail": "`action` is required"}}
    items = [ALLOW, error, {**ALLOW, "revision": 8}, {**ALLOW, **error}, 5, DENY]
    body = {"items": items, "revision": 7, "decided_at": 1_000}
    told = read_decisions(came(reply(200, body)), [ASKED] * len(items))
    assert isinstance(told, tuple)
    assert [one.allowed for one in told] == [True] + [False] * 5
    assert told[1] == Undetermined("invalid", "`action` is required", 400, 1, "id-1")
    for odd in (told[2], told[4]):
        assert isinstance(odd, Undetermined)
        assert odd.code == "malformed_answer"
    assert isinstance(told[5], Deny)


def test_a_batch_of_another_length_is_none() -> None:
    """Which answer belongs to which question would not be known."""
    body = {"items": [ALLOW, ALLOW], "revision": 7, "decided_at": 1_000}
    for asked in ([ASKED], [ASKED] * 3):
        assert isinstance(read_decisions(came(reply(200, body)), asked), Undetermined)
    assert isinstance(read_decisions(came(reply(503, b"")), [ASKED]), Undetermined)


# ---------------------------------------------------------------- changes and review


def test_a_change_is_made_rejected_or_not_known() -> None:
    """A refusal is an outcome with its witness, what is still at work is not known."""
    assert read_change(came(reply(201, {}, etag='"9"'))) == Changed(9, "id-1")
    refused = reply(409, problem("breaks_sod", witness={"role": "head"}))
    assert read_change(came(refused)) == Rejected(
        "breaks_sod", "so it is", 409, {"role": "head"}, "id-1"
    )
    for status, code in ((404, "not_found"), (412, "stale"), (422, "idempotency_key_reused")):
        told = read_change(came(reply(status, problem(code))))
        assert isinstance(told, Rejected)
        assert (told.code, told.witness) == (code, None)
    for last in (
        reply(409, problem("idempotency_in_progress")),
        reply(503, problem("store_unavailable")),
        reply(200, {}),
        reply(200, {}, etag='"nine"'),
        reply(302, {}, etag='"9"'),
        Lost("timeout", "no answer"),
    ):
        assert isinstance(read_change(came(last)), Undetermined)
    with pytest.raises(CallerError):
        read_change(came(reply(403, problem("not_permitted"))))


def test_a_finding_names_its_revision() -> None:
    """What does not is none."""
    assert read_finding(came(reply(200, {"revision": 4, "x": 1}))) == Told(
        {"revision": 4, "x": 1}, 4, "id-1"
    )
    assert isinstance(read_finding(came(reply(200, {"x": 1}))), Undetermined)


def test_the_feed_believes_only_a_page_of_events() -> None:
    """Everything else means that it does not work."""
    assert read_revision(reply(200, {"items": [], "revision": 4})) == 4
    for last in (reply(200, {}), reply(403, {"revision": 4}), reply(200, b""), Lost("timeout", "")):
        assert read_revision(last) is None


# ---------------------------------------------------------------- calls


def test_a_question_is_written_as_the_service_reads_it() -> None:
    """What is not said is left out, a revision of nothing too."""
    said = Said(region="eu", attributes={"tags": ["a"]}, active_roles=("head",), explain=True)
    call = deciding("acme", Question("ann", "read", "docs", said), at_least=3)
    assert (call.method, call.path, call.idempotent) == ("POST", "/evaluate", True)
    assert json.loads(call.body) == {
        "org_id": "acme",
        "principal_id": "ann",
        "action": "read",
        "resource_id": "docs",
        "region": "eu",
        "attributes": {"tags": ["a"]},
        "active_roles": ["head"],
        "explain": True,
        "at_least_revision": 3,
    }
    assert b"at_least" not in deciding("acme", ASKED, at_least=0).body


def test_ids_in_addresses_are_quoted() -> None:
    """None reaches another address."""
    call = assigning("a/../b?c", {}, headers={})
    assert call.path == "/v1/orgs/a%2F..%2Fb%3Fc/assignments"
    assert following("acme", after=3, wait_seconds=20).path == (
        "/v1/orgs/acme/events?after=3&limit=1&wait=20"
    )


@pytest.mark.parametrize(
    "said",
    [{"usge": 1}, {"attributes": {"x": 0.5, "y": float("nan")}}, {"attributes": {"x": {1j}}}],
)
def test_what_cannot_be_said_is_an_error_of_the_caller(said: Any) -> None:
    """Before anything is sent."""
    with pytest.raises(CallerError):
        deciding("acme", Question("ann", "read", "docs", said), at_least=0)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("1", 1.0),
        (" 12 ", 12.0),
        ("", 0.0),
        ("-1", 0.0),
        ("1.5", 0.0),
        ("9999", 3600.0),
        ("9" * 400, 0.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0),
        ("\u0665", 0.0),
    ],
)
def test_how_long_to_wait_is_read(header: str, seconds: float) -> None:
    """In seconds; what else it may be is passed over."""
    assert reply(503, b"", **{"retry-after": header}).retry_after == seconds
