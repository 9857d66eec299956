"""Every collection: created, found where `Location` says, listed, refused twice, deleted."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.api.service import Api, Json, problem, revision

ORG = "/v1/orgs/acme"

NAMED: list[tuple[str, Json]] = [
    ("principals", {"id": "dave", "active": False, "attributes": {"level": 3, "tags": ["a", "b"]}}),
    ("groups", {"id": "staff"}),
    ("roles", {"id": "auditor", "parents": ["finance", "viewer"]}),
    ("kinds", {"id": "folder"}),
    (
        "resources",
        {"id": "docs/plans/2026", "kind": "document", "parent": "docs", "attributes": {"a": True}},
    ),
    (
        "claims",
        {
            "id": "audit",
            "role": "finance",
            "action": "*",
            "resource": "docs/**",
            "constraints": [
                {"type": "time_window", "start": 0, "end": 24, "weekdays": [0, 4]},
                {"type": "geo_fence", "regions": ["eu", "us"]},
                {"type": "max_usage", "limit": 10, "period": "day"},
                {"type": "rate_limit", "per_minute": 5},
                {
                    "type": "attribute",
                    "path": "resource.owner",
                    "op": "eq",
                    "operand": {"path": "principal.id"},
                },
            ],
        },
    ),
    ("sod-sets", {"id": "pair", "roles": ["editor", "submitter"], "n": 2, "mode": "dynamic"}),
    (
        "guardrails",
        {
            "id": "no-strangers",
            "type": "forbidden",
            "access": {"action": "*", "resource": "docs/**", "attributes": {"secret": True}},
            "who": [{"role": "viewer"}, {"attributes": {"stranger": True}}],
        },
    ),
    (
        "guardrails",
        {
            "id": "few",
            "type": "capped",
            "access": {"action": "read", "resource": "kind:document", "attributes": {}},
            "most": 3,
        },
    ),
]
ALONE = ("claims", "guardrails")
"""Nothing refers to these, so that their deletion knows no cascade."""
LINKS: list[tuple[str, Json]] = [
    ("memberships", {"principal": "alice", "group": "readers"}),
    ("nestings", {"group": "readers", "container": "people"}),
    ("assignments", {"principal": "carol", "role": "viewer", "from": 10, "until": 20}),
    ("assignments", {"group": "readers", "role": "viewer", "from": None, "until": None}),
]


@pytest.mark.parametrize(("collection", "entity"), NAMED)
def test_an_entity_lives_from_creation_to_deletion(api: Api, collection: str, entity: Json) -> None:
    """What is created is found at its location as it was written, until it is deleted."""
    created = api.post(f"{ORG}/{collection}", json=entity)
    assert (created.status_code, created.json()) == (201, entity), created.text
    assert created.headers["etag"] == '"2"'
    location = created.headers["location"]
    found = api.get(location)
    assert (found.status_code, found.json(), found.headers["etag"]) == (200, entity, '"2"')
    assert entity in api.get(f"{ORG}/{collection}").json()["items"]
    problem(api.post(f"{ORG}/{collection}", json=entity), 409, "already_exists")
    deleted = api.delete(location, params={} if collection in ALONE else {"cascade": "true"})
    assert (deleted.status_code, deleted.content, deleted.headers["etag"]) == (204, b"", '"3"')
    problem(api.get(location), 404, "not_found")
    told = problem(api.delete(location), 404, "not_found")
    assert told["witness"]["kind"] == "missing"
    assert revision(api) == 3


@pytest.mark.parametrize(("collection", "link"), LINKS)
def test_a_link_lives_from_creation_to_deletion(api: Api, collection: str, link: Json) -> None:
    """A link is listed once it is made, and deleted by the ids that name it."""
    for group in ("readers", "people"):
        api.post(f"{ORG}/groups", json={"id": group})
    created = api.post(f"{ORG}/{collection}", json=link)
    assert (created.status_code, created.json()) == (201, link), created.text
    location = created.headers["location"]
    named = {name: value[0] for name, value in parse_qs(urlsplit(location).query).items()}
    assert named.items() <= link.items()
    assert link in api.get(f"{ORG}/{collection}").json()["items"]
    problem(api.post(f"{ORG}/{collection}", json=link), 409, "already_exists")
    assert api.delete(location).status_code == 204
    problem(api.delete(location), 404, "not_found")
    assert link not in api.get(f"{ORG}/{collection}").json()["items"]


def test_a_parent_is_added_and_removed(api: Api) -> None:
    """The role shows its parents; both ends of a missing inheritance are 404."""
    added = api.post(f"{ORG}/roles/finance/parents", json={"parent": "viewer"})
    assert added.json() == {"role": "finance", "parent": "viewer"}
    assert api.get(f"{ORG}/roles/finance").json()["parents"] == ["viewer"]
    assert api.delete(added.headers["location"]).status_code == 204
    problem(api.delete(added.headers["location"]), 404, "not_found")
    problem(api.post(f"{ORG}/roles/nobody/parents", json={"parent": "viewer"}), 404, "not_found")
    problem(api.post(f"{ORG}/roles/finance/parents", json={"parent": "none"}), 409, "missing")


def test_a_set_is_replaced_as_a_whole(api: Api) -> None:
    """PUT changes a set under its own id only."""
    changed = {"id": "finance-or-submitter", "roles": ["finance", "submitter", "editor"], "n": 3}
    answer = api.put(f"{ORG}/sod-sets/finance-or-submitter", json=changed)
    assert sorted(answer.json()["roles"]) == ["editor", "finance", "submitter"]
    assert api.get(f"{ORG}/sod-sets/finance-or-submitter").json()["n"] == 3
    told = problem(api.put(f"{ORG}/sod-sets/other", json=changed), 400, "invalid")
    assert told["error"] == "`id` must be `other`, as in the address"
    other = {**changed, "id": "other"}
    problem(api.put(f"{ORG}/sod-sets/other", json=other), 404, "not_found")


def test_a_principal_is_suspended_resumed_and_described(api: Api) -> None:
    """A patch changes what it names and is the same however often it comes."""
    alice = f"{ORG}/principals/alice"
    suspended = {"id": "alice", "active": False, "attributes": {}}
    for etag in ('"2"', '"2"'):
        answer = api.patch(alice, json={"active": False})
        assert (answer.json(), answer.headers["etag"]) == (suspended, etag)
    both = api.patch(alice, json={"active": False, "attributes": {"a": 1}})
    assert (both.json()["attributes"], both.headers["etag"]) == ({"a": 1}, '"3"')
    back = api.patch(alice, json={"active": True, "attributes": {"b": ["x"]}})
    assert back.json() == {"id": "alice", "active": True, "attributes": {"b": ["x"]}}
    problem(api.patch(f"{ORG}/principals/dave", json={"active": True}), 404, "not_found")
    problem(api.patch(alice, json={}), 400, "invalid")


def test_a_resource_is_described(api: Api) -> None:
    """A patch replaces the attributes of a resource."""
    answer = api.patch(f"{ORG}/resources/docs", json={"attributes": {"owner": "alice"}})
    assert answer.json()["attributes"] == {"owner": "alice"}
    assert api.get(f"{ORG}/resources/docs").json()["attributes"] == {"owner": "alice"}
    problem(api.patch(f"{ORG}/resources/a/b", json={"attributes": {}}), 404, "not_found")


def test_what_a_principal_holds_is_shown_with_its_paths(api: Api) -> None:
    """Direct assignments and those through groups, and the roles that they amount to now."""
    for path, body in (
        ("groups", {"id": "staff"}),
        ("groups", {"id": "all"}),
        ("nestings", {"group": "staff", "container": "all"}),
        ("memberships", {"principal": "carol", "group": "staff"}),
        ("assignments", {"group": "all", "role": "editor", "until": 10}),
        ("assignments", {"group": "all", "role": "viewer"}),
    ):
        assert api.post(f"{ORG}/{path}", json=body).status_code == 201
    held = api.get(f"{ORG}/principals/carol/roles").json()
    assert held["assigned"] == [
        {"role": "finance", "groups": [], "from": None, "until": None, "valid": True},
        {"role": "editor", "groups": ["staff", "all"], "from": None, "until": 10, "valid": False},
        {"role": "viewer", "groups": ["staff", "all"], "from": None, "until": None, "valid": True},
    ]
    assert held["effective"] == [
        {"role": "finance", "groups": [], "roles": ["finance"]},
        {"role": "viewer", "groups": ["staff", "all"], "roles": ["viewer"]},
    ]
    problem(api.get(f"{ORG}/principals/dave/roles"), 404, "not_found")


def test_the_short_form_assigns_in_the_callers_organization(api: Api, operator: Api) -> None:
    """A bound caller assigns a role by naming it; one that is not bound is told what to do."""
    answer = api.post("/principals/carol/roles", json={"role_id": "viewer"})
    assert (answer.status_code, answer.json()["role"]) == (201, "viewer")
    assert answer.headers["location"] == f"{ORG}/assignments?principal=carol&role=viewer"
    assert "viewer" in str(api.get(f"{ORG}/principals/carol/roles").json()["effective"])
    problem(api.post("/principals/dave/roles", json={"role_id": "viewer"}), 404, "not_found")
    problem(api.post("/principals/carol/roles", json={"role_id": "none"}), 409, "missing")
    refused = operator.post("/principals/carol/roles", json={"role_id": "viewer"})
    assert "/v1/orgs/{org}/assignments" in problem(refused, 403, "unbound_caller")["error"]


def test_an_assignment_takes_moments_and_shows_epoch_seconds(api: Api) -> None:
    """RFC 3339 is read, epoch seconds are written."""
    body = {"principal": "carol", "role": "viewer", "from": "2026-01-31T09:00:00+01:00"}
    answer = api.post(f"{ORG}/assignments", json=body)
    assert answer.json()["from"] == 1_769_846_400


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"principal": "bob"}, [("bob", "editor")]),
        ({"principal": "bob", "role": "viewer"}, []),
        ({"role": "viewer"}, [("staff", "viewer"), ("alice", "viewer")]),
        ({"group": "staff"}, [("staff", "editor"), ("staff", "viewer")]),
        ({"group": "staff", "role": "editor"}, [("staff", "editor")]),
        ({"principal": "nobody"}, []),
    ],
)
def test_assignments_are_found_by_either_end(
    api: Api, query: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    """Of one principal, of one group, of one role, or of both ends."""
    api.post(f"{ORG}/groups", json={"id": "staff"})
    for role in ("viewer", "editor"):
        api.post(f"{ORG}/assignments", json={"group": "staff", "role": role})
    items = api.get(f"{ORG}/assignments", params=query).json()["items"]
    found = [(item.get("principal") or item["group"], item["role"]) for item in items]
    assert found == expected


@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("GET", {"principal": "bob", "group": "staff"}),
        ("DELETE", {"principal": "bob", "group": "staff", "role": "viewer"}),
        ("DELETE", {"role": "viewer"}),
        ("DELETE", {"principal": "bob"}),
        ("GET", {"principal": "a b"}),
    ],
)
def test_assignments_are_named_by_one_holder(api: Api, method: str, query: Any) -> None:
    """A principal or a group, never both; and a deletion names both ends."""
    problem(api.request(method, f"{ORG}/assignments", params=query), 400, "invalid")


def test_memberships_are_found_by_either_end(api: Api) -> None:
    """Of one principal, of one group, of both, or all."""
    for group in ("one", "two"):
        api.post(f"{ORG}/groups", json={"id": group})
        api.post(f"{ORG}/memberships", json={"principal": "alice", "group": group})
    api.post(f"{ORG}/memberships", json={"principal": "bob", "group": "two"})
    counts = {
        str(query): len(api.get(f"{ORG}/memberships", params=query).json()["items"])
        for query in (
            {},
            {"principal": "alice"},
            {"group": "two"},
            {"principal": "bob", "group": "one"},
        )
    }
    assert list(counts.values()) == [3, 2, 2, 0]
