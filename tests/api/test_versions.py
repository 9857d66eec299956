"""`ETag` and `If-Match` of single entities: two administrators do not stand in each other's way."""

import pytest

from tests.api.service import Api, Json, problem, revision

ORG = "/v1/orgs/acme"
ENTITIES = [
    "principals/bob",
    "roles/editor",
    "kinds/document",
    "resources/docs",
    "claims/viewer-read-docs",
    "sod-sets/finance-or-submitter",
]


def tag(api: Api, path: str) -> str:
    """The tag of what is there."""
    found = api.get(f"{ORG}/{path}")
    assert found.status_code == 200, found.text
    told: str = found.headers["etag"]
    return told


def add_parent(api: Api, role: str, parent: str, seen: str) -> int:
    """Let a role inherit, if it is as it was seen; return the status."""
    response = api.post(
        f"{ORG}/roles/{role}/parents", json={"parent": parent}, headers={"If-Match": seen}
    )
    return response.status_code


@pytest.fixture
def roles(api: Api) -> str:
    """Two parents that every role may have; the tag of all roles that were there before."""
    for role in ("one", "two"):
        assert api.post(f"{ORG}/roles", json={"id": role}).status_code == 201
    return '"1"'


def test_two_administrators_edit_different_roles(api: Api, roles: str) -> None:
    """Both saw the same revision of the organization, and both changes are made."""
    editor, viewer = tag(api, "roles/editor"), tag(api, "roles/viewer")
    assert (editor, viewer) == (roles, roles)
    assert add_parent(api, "editor", "one", editor) == 201
    assert add_parent(api, "viewer", "one", viewer) == 201
    assert (tag(api, "roles/editor"), tag(api, "roles/viewer")) == ('"4"', '"5"')


def test_two_administrators_edit_the_same_role(api: Api, roles: str) -> None:
    """The second has not seen what the first made of it: 412 tells its tag, and looking helps."""
    assert add_parent(api, "editor", "one", roles) == 201
    late = api.post(
        f"{ORG}/roles/editor/parents", json={"parent": "two"}, headers={"If-Match": roles}
    )
    problem(late, 412, "stale")
    assert late.headers["etag"] == tag(api, "roles/editor") == '"4"'
    assert add_parent(api, "editor", "two", late.headers["etag"]) == 201


@pytest.mark.parametrize("path", ENTITIES)
def test_what_is_not_changed_keeps_its_tag(api: Api, path: str) -> None:
    """Whatever happens around it: new things, memberships, assignments, children that inherit."""
    before = api.get(f"{ORG}/{path}")
    around: list[tuple[str, Json]] = [
        ("groups", {"id": "staff"}),
        ("memberships", {"principal": "bob", "group": "staff"}),
        ("assignments", {"group": "staff", "role": "editor"}),
        ("assignments", {"principal": "bob", "role": "viewer"}),
        ("roles", {"id": "child", "parents": ["editor", "viewer"]}),
        ("resources", {"id": "inside", "kind": "document", "parent": "docs"}),
        ("claims", {"id": "more", "role": "editor", "action": "*", "resource": "docs"}),
    ]
    for collection, body in around:
        response = api.post(f"{ORG}/{collection}", json=body)
        assert response.status_code == 201, response.text
    after = api.get(f"{ORG}/{path}")
    assert (after.headers["etag"], after.content) == (before.headers["etag"], before.content)
    assert tag(api, path.partition("/")[0]) == f'"{revision(api)}"'


def test_a_change_that_changes_nothing_keeps_the_tag(api: Api) -> None:
    """It is a revision of the organization, not of the entity; the answer tells the tag."""
    changes: list[tuple[str, str, Json]] = [
        ("PATCH", "principals/alice", {"attributes": {}}),
        ("PATCH", "principals/alice", {"active": True}),
        ("PATCH", "principals/alice", {"active": True, "attributes": {}}),
        ("PATCH", "resources/docs", {"attributes": {}}),
    ]
    for method, path, body in changes:
        answer = api.request(method, f"{ORG}/{path}", json=body, headers={"If-Match": '"1"'})
        assert (answer.status_code, answer.headers["etag"]) == (200, '"1"'), answer.text
        assert tag(api, path) == '"1"'
    the_set = api.get(f"{ORG}/sod-sets/finance-or-submitter").json()
    same = api.put(f"{ORG}/sod-sets/finance-or-submitter", json=the_set)
    assert (same.json(), same.headers["etag"]) == (the_set, '"1"')
    assert revision(api) == 5


def test_a_parent_that_goes_changes_the_child(api: Api) -> None:
    """By hand, and with the parent itself."""
    api.post(f"{ORG}/roles", json={"id": "base"})
    api.post(f"{ORG}/roles", json={"id": "child", "parents": ["base", "viewer"]})
    assert tag(api, "roles/child") == '"3"'
    gone = api.delete(f"{ORG}/roles/child/parents/viewer", headers={"If-Match": '"3"'})
    assert gone.headers["etag"] == tag(api, "roles/child") == '"4"'
    assert api.delete(f"{ORG}/roles/base?cascade=true").status_code == 204
    assert tag(api, "roles/child") == '"5"'
    assert tag(api, "roles/viewer") == '"1"'


def test_what_is_made_again_has_a_new_tag(api: Api) -> None:
    """Who has seen the old one does not change the new one."""
    claim = api.get(f"{ORG}/claims/viewer-read-docs")
    assert api.delete(f"{ORG}/claims/viewer-read-docs").status_code == 204
    again = api.post(f"{ORG}/claims", json=claim.json())
    assert again.headers["etag"] == tag(api, "claims/viewer-read-docs") == '"3"'
    seen = {"If-Match": claim.headers["etag"]}
    problem(api.delete(f"{ORG}/claims/viewer-read-docs", headers=seen), 412, "stale")
