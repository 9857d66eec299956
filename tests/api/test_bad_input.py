"""Malformed administration: 400 that names the field and the rule, and nothing changed."""

from typing import Any

import pytest

from tests.api.service import Api, fields_at_fault, problem, raw, revision

ORG = "/v1/orgs/acme"
CLAIM = {"id": "c", "role": "viewer", "action": "read", "resource": "docs"}
WINDOW = {"type": "time_window", "start": 9, "end": 17}
GUARDRAIL = {"id": "g", "type": "forbidden", "access": {"action": "read", "resource": "*"}}
LONG = "x" * 129


def constrained(**constraint: Any) -> dict[str, Any]:
    """A claim under one constraint."""
    return {**CLAIM, "constraints": [constraint]}


def window(**changed: Any) -> dict[str, Any]:
    """A claim in a window that differs from 9 to 17 where the test says so."""
    return constrained(**{**WINDOW, **changed})


def comparison(**changed: Any) -> dict[str, Any]:
    """A claim under a comparison of attributes."""
    legal = {"type": "attribute", "path": "context.a", "op": "eq", "operand": 1}
    return constrained(**{**legal, **changed})


MALFORMED: list[tuple[str, str, Any, str, str]] = [
    ("POST", "principals", {}, "id", "is required"),
    ("POST", "principals", {"id": LONG}, "id", "at most 128 characters"),
    ("POST", "principals", {"id": ""}, "id", "must not be empty"),
    ("POST", "principals", {"id": "a b"}, "id", "must match"),
    ("POST", "principals", {"id": 7}, "id", "must be a string"),
    ("POST", "principals", {"id": "p", "active": "yes"}, "active", "true or false"),
    ("POST", "principals", {"id": "p", "active": 1}, "active", "true or false"),
    ("POST", "principals", {"id": "p", "admin": True}, "admin", "not a known field"),
    ("POST", "principals", {"id": "p", "attributes": []}, "attributes", "must be an object"),
    ("POST", "principals", {"id": "p", "attributes": {"a": 1.5}}, "attributes.a", "whole number"),
    ("POST", "principals", {"id": "p", "attributes": {"id": 1}}, "attributes.id", "reserved"),
    ("POST", "principals", [], "body", "must be an object"),
    ("POST", "principals", {"id": "p", "attributes": {"a": ["\n", "\n"]}}, "attributes.a", "twice"),
    ("PATCH", "principals/alice", {"active": "no"}, "active", "true or false"),
    ("PATCH", "principals/alice", {"id": "x"}, "id", "not a known field"),
    ("POST", "groups", {"id": "g", "members": []}, "members", "not a known field"),
    ("POST", "kinds", {"id": "role"}, "id", "reserved"),
    ("POST", "roles", {"id": "r", "parents": "viewer"}, "parents", "must be a list"),
    ("POST", "roles", {"id": "r", "parents": ["viewer", "viewer"]}, "parents", "twice"),
    ("POST", "roles", {"id": "r", "parents": [1]}, "parents[0]", "must be a string"),
    ("POST", "roles/viewer/parents", {"parent": None}, "parent", "must be a string"),
    ("POST", "resources", {"id": "role:x", "kind": "document"}, "id", "must not start with"),
    ("POST", "resources", {"id": "r" * 129, "kind": "document"}, "id", "at most 128 characters"),
    ("POST", "resources", {"id": "x"}, "kind", "is required"),
    ("PATCH", "resources/docs", {}, "attributes", "is required"),
    ("POST", "claims", {**CLAIM, "action": "r w"}, "action", "must match"),
    ("POST", "claims", {**CLAIM, "resource": "docs/*"}, "resource", "must match"),
    ("POST", "claims", {**CLAIM, "resource": "kind:"}, "resource", "must not be empty"),
    ("POST", "claims", {**CLAIM, "constraints": {}}, "constraints", "must be a list"),
    ("POST", "claims", window(start=17, end=9), "constraints[0].start", "before `end`"),
    ("POST", "claims", window(start=9, end=9), "constraints[0].start", "two claims"),
    ("POST", "claims", window(end=25), "constraints[0].end", "at most 24"),
    ("POST", "claims", window(start=-1), "constraints[0].start", "at least 0"),
    ("POST", "claims", window(start=9.0), "constraints[0].start", "whole number"),
    ("POST", "claims", window(weekdays=[]), "constraints[0].weekdays", "must not be empty"),
    ("POST", "claims", window(weekdays=[7]), "constraints[0].weekdays", "from 0 (Monday)"),
    ("POST", "claims", window(weekdays=[1, 1]), "constraints[0].weekdays", "twice"),
    (
        "POST",
        "claims",
        constrained(type="geo_fence", regions=[]),
        "constraints[0].regions",
        "must not be empty",
    ),
    (
        "POST",
        "claims",
        constrained(type="max_usage", limit=0),
        "constraints[0].limit",
        "greater than 0",
    ),
    (
        "POST",
        "claims",
        constrained(type="max_usage", limit=2**63),
        "constraints[0].limit",
        "64 bits",
    ),
    (
        "POST",
        "claims",
        constrained(type="max_usage", limit=1, period="year"),
        "constraints[0].period",
        "must be",
    ),
    (
        "POST",
        "claims",
        constrained(type="rate_limit", per_minute=-1),
        "constraints[0].per_minute",
        "greater than 0",
    ),
    ("POST", "claims", constrained(type="moon_phase"), "constraints[0].type", "must be one of"),
    ("POST", "claims", constrained(), "constraints[0].type", "is required"),
    ("POST", "claims", comparison(path="owner"), "constraints[0].path", "must be one of"),
    ("POST", "claims", comparison(op="like"), "constraints[0].op", "must be"),
    ("POST", "claims", comparison(op="lt", operand="x"), "constraints[0].operand", "whole number"),
    ("POST", "claims", comparison(op="in", operand="x"), "constraints[0].operand", "list"),
    ("POST", "sod-sets", {"id": "s", "roles": ["viewer"], "n": 2}, "n", "at most the number"),
    ("POST", "guardrails", {"id": "g", "type": "capped", "most": 1}, "access", "is required"),
    ("POST", "guardrails", {**GUARDRAIL, "most": 1}, "most", "not a field of type `forbidden`"),
    ("POST", "guardrails", {**GUARDRAIL, "who": [{}]}, "who[0]", "an object whose only field"),
    ("POST", "guardrails", {**GUARDRAIL, "type": "x"}, "type", "must be `forbidden`, `reserved`"),
    ("POST", "guardrails", {**GUARDRAIL, "type": "reserved", "who": []}, "who", "not be empty"),
    ("POST", "sod-sets", {"id": "s", "roles": ["viewer", "editor"], "n": 1}, "n", "at least 2"),
    (
        "POST",
        "sod-sets",
        {"id": "s", "roles": ["viewer", "editor"], "n": 2, "mode": "loose"},
        "mode",
        "must be",
    ),
    ("POST", "memberships", {"principal": "alice"}, "group", "is required"),
    ("POST", "nestings", {"group": "g", "container": "a b"}, "container", "must match"),
    ("POST", "assignments", {"principal": "alice", "role": 1}, "role", "must be a string"),
    (
        "POST",
        "assignments",
        {"principal": "alice", "group": "g", "role": "viewer"},
        "principal",
        "not a known field",
    ),
    (
        "POST",
        "assignments",
        {"principal": "alice", "role": "editor", "from": 9, "until": 9},
        "from",
        "before `until`",
    ),
    (
        "POST",
        "assignments",
        {"principal": "alice", "role": "editor", "from": "tomorrow"},
        "from",
        "epoch seconds",
    ),
    (
        "POST",
        "assignments",
        {"principal": "alice", "role": "editor", "until": -1},
        "until",
        "1970",
    ),
    ("POST", "changes", {"commands": []}, "commands", "at least 1"),
    ("POST", "changes", {"commands": [{"type": "Grant"}]}, "commands[0].type", "must be one of"),
    ("POST", "changes", {"commands": [7]}, "commands[0]", "must be an object"),
    (
        "POST",
        "changes",
        {"commands": [{"type": "CreateRole", "role": "x", "y": 1}]},
        "commands[0].y",
        "not a known field",
    ),
    ("GET", "principals?limit=0", None, "limit", "at least 1"),
    ("GET", "principals?limit=1001", None, "limit", "at most 1000"),
    ("GET", "principals?limit=ten", None, "limit", "whole number"),
    ("GET", "principals?page=2", None, "page", "not a known parameter"),
    ("GET", "principals?limit=1&limit=2", None, "limit", "once"),
    ("GET", "events?after=-1", None, "after", "at least 0"),
    ("GET", "principals/a%20b", None, "principal", "must match"),
    ("GET", f"roles/{LONG}", None, "role", "at most 128"),
    ("DELETE", "roles/editor?cascade=maybe", None, "cascade", "true or false"),
    ("DELETE", "roles/editor?casacde=true", None, "casacde", "not a known parameter"),
    ("DELETE", "claims/viewer-read-docs?cascade=true", None, "cascade", "not a known parameter"),
]


@pytest.mark.parametrize(("method", "path", "body", "field", "rule"), MALFORMED)
def test_what_is_malformed_is_named(
    steady: Api, method: str, path: str, body: Any, field: str, rule: str
) -> None:
    """400 with the field and the rule, in one line without a Python type; nothing changed."""
    told = problem(steady.request(method, f"{ORG}/{path}", json=body), 400, "invalid")
    assert fields_at_fault(told)[0] == field
    assert rule in told["errors"][0]["rule"]
    assert "\n" not in told["error"]
    assert not any(word in told["error"] for word in ("str`", "int`", "dict", "Input", "bool"))
    assert revision(steady) == 1


def test_every_fault_is_named(steady: Api) -> None:
    """The message tells three, the list tells all."""
    told = problem(
        steady.post(f"{ORG}/claims", json={"w": 1, "x": 1, "y": 1, "z": 1}), 400, "invalid"
    )
    assert len(told["errors"]) == 8
    assert told["error"].endswith("; and 5 more")


def test_faults_without_number_are_counted(steady: Api) -> None:
    """The list tells the first hundred, in their order; the message counts those after it, too."""
    strays = {f"x{number}": 1 for number in range(150)}
    body = {"id": "one", "role": "viewer", "action": "read", "resource": "docs", **strays}
    told = problem(steady.post(f"{ORG}/claims", json=body), 400, "invalid")
    assert fields_at_fault(told) == list(strays)[:100]
    assert told["error"].endswith("; and 147 more")


@pytest.mark.parametrize("path", [f"{ORG}/principals", "/evaluate", "/evaluate/batch", "/explain"])
@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "ends too early"),
        (b"{", "ends too early"),
        (b'{"org_id":"x" "y"}', "expected"),
        (b'{"org_id":NaN}', "invalid character"),
        (b"\xef\xbb\xbf{}", "invalid character"),
        (b"not json", "invalid character"),
    ],
)
def test_what_is_not_json_is_told_so(steady: Api, path: str, body: bytes, why: str) -> None:
    """A body that cannot be read is 400, whoever reads it."""
    assert why in problem(raw(steady, path, body), 400, "malformed_json")["error"]


@pytest.mark.parametrize("path", [f"{ORG}/principals", "/evaluate", "/evaluate/batch", "/explain"])
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"attributes":' * 20_000 + b"1" + b"}" * 20_000,
        b'{"org_id":"acme","items":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
        b'{"usage":' + b"9" * 10_000 + b"}",
        b'{"usage":1e999}',
        b'{"id":"\xff"}',
        b'{"org_id":"\\ud800"}',
        b'{"\\ud800":1}',
        b'{"' + b"x" * 100_000 + b'":1}',
        b'{"a\\n`b":1}',
    ],
)
def test_hostile_bodies_are_400(steady: Api, path: str, body: bytes) -> None:
    """Nesting bombs, huge numbers and broken text are malformed, never an error of ours."""
    response = raw(steady, path, body)
    assert response.status_code == 400, response.text
    assert len(response.content) < 2_000
    assert "\n" not in response.json()["error"]
