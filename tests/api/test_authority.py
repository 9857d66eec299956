"""Callers that are principals: 403 `not_permitted` with the witness, and nothing changed."""

from collections.abc import Iterator

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.core.commands import Accepted
from grantproof.core.commands.language import AssignRole, ChangeSet, CreateClaim, CreateRole
from grantproof.core.identifiers import ClaimId, PrincipalId, ResourceId, RoleId
from grantproof.core.model import ADMINISTER, Claim, Exactly
from grantproof.core.rights import ASSIGN
from grantproof.service.callers import Scope
from grantproof.service.demo import ACME, AUTHOR, install
from grantproof.service.keyring import KeyRequest
from tests.api.service import Api, Json, problem, revision, services_over, serving

ORG = "/v1/orgs/acme"
GUARDRAIL: Json = {
    "id": "g",
    "type": "forbidden",
    "access": {"action": "erase", "resource": "*"},
}


@pytest.fixture
def alice(store: MemoryStore) -> Iterator[Api]:
    """Alice, who may assign the role `viewer`, administer the role `editor`, and no more."""
    administration = services_over(store).administration
    install(administration)
    desk, viewer, editor = RoleId("desk"), ResourceId("role:viewer"), ResourceId("role:editor")
    steps = (
        CreateRole(desk),
        CreateClaim(Claim(ClaimId("a"), desk, Exactly(ASSIGN), Exactly(viewer))),
        CreateClaim(Claim(ClaimId("b"), desk, Exactly(ADMINISTER), Exactly(editor))),
        AssignRole(PrincipalId("alice"), desk),
    )
    assert isinstance(administration.propose(ACME, ChangeSet(steps), by=AUTHOR), Accepted)
    scopes = frozenset({Scope.REVIEW, Scope.ADMINISTER})
    with serving(store, KeyRequest(ACME, PrincipalId("alice"), scopes)) as client:
        yield client


def claim(name: str, action: str, resource: str) -> Json:
    """A claim of the role `editor`, as it is sent."""
    return {"id": name, "role": "editor", "action": action, "resource": resource}


def test_what_is_permitted_is_done_under_the_name_of_the_author(alice: Api) -> None:
    """In both forms of assignment."""
    body = {"principal": "carol", "role": "viewer"}
    assert alice.post(f"{ORG}/assignments", json=body).status_code == 201
    assert alice.post("/principals/bob/roles", json={"role_id": "viewer"}).status_code == 201
    events = alice.get(f"{ORG}/events?limit=1000").json()["items"]
    assert [event["actor"] for event in events[-2:]] == ["principal:alice"] * 2


def test_what_is_not_permitted_is_403_with_the_witness(alice: Api) -> None:
    """In words and in evidence; the organization stays as it is."""
    before = revision(alice)
    body = {"principal": "carol", "role": "editor"}
    told = problem(alice.post(f"{ORG}/assignments", json=body), 403, "not_permitted")
    assert told["error"] == (
        "`alice` may not assign `role:editor`: needs the claim `assign` on `role:editor`"
    )
    assert told["witness"] == {
        "kind": "not_permitted",
        "principal": "alice",
        "action": "assign",
        "resource": "role:editor",
        "because": "required",
        "reason": "needs the claim `assign` on `role:editor`",
    }
    assert revision(alice) == before


def test_nobody_grants_through_http_what_they_may_not(alice: Api) -> None:
    """Alice may change the role `editor`, and give it what she has."""
    beyond = claim("c", "delete", "docs/**")
    told = problem(alice.post(f"{ORG}/claims", json=beyond), 403, "not_permitted")
    assert told["error"] == (
        "the change would grant `delete` on `docs/**`, which `alice` may not do: "
        "needs a claim that contains it, or the claim `delegate` on `role:editor`"
    )
    own = claim("d", "assign", "role:viewer")
    assert alice.post(f"{ORG}/claims", json=own).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "principals", {"id": "dave"}),
        ("PATCH", "principals/bob", {"active": False}),
        ("DELETE", "principals/bob?cascade=true", None),
        ("POST", "groups", {"id": "staff"}),
        ("POST", "roles", {"id": "new"}),
        ("POST", "roles", {"id": "new", "parents": ["viewer"]}),
        ("DELETE", "roles/finance", None),
        ("POST", "roles/editor/parents", {"parent": "finance"}),
        ("POST", "kinds", {"id": "new"}),
        ("POST", "resources", {"id": "new", "kind": "document"}),
        ("PATCH", "resources/docs", {"attributes": {}}),
        ("DELETE", "claims/viewer-read-docs", None),
        ("POST", "sod-sets", {"id": "s", "roles": ["viewer", "editor"], "n": 2}),
        ("DELETE", "sod-sets/finance-or-submitter", None),
        ("POST", "guardrails", GUARDRAIL),
        ("DELETE", "guardrails/none", None),
        ("POST", "memberships", {"principal": "alice", "group": "staff"}),
        ("DELETE", "assignments?principal=bob&role=editor", None),
        ("POST", "changes", {"commands": [{"type": "CreateRole", "role": "new"}]}),
        *(
            ("POST", path, {**body, "dry_run": dry_run})
            for dry_run in (False, True)
            for path, body in (
                ("joins", {"principal": "dave"}),
                ("moves", {"principal": "bob", "from_roles": ["editor"], "to_roles": ["viewer"]}),
                ("moves", {"principal": "bob"}),
                ("leaves", {"principal": "bob"}),
            )
        ),
    ],
)
def test_every_route_that_changes_something_is_guarded(
    alice: Api, method: str, path: str, body: Json | None
) -> None:
    """The same problem everywhere."""
    before = revision(alice)
    problem(alice.request(method, f"{ORG}/{path}", json=body), 403, "not_permitted")
    assert revision(alice) == before


@pytest.mark.parametrize(
    ("there", "absent"),
    [
        (("POST", "assignments", {"principal": "bob", "role": "finance"}), ("finance", "nothing")),
        (("DELETE", "claims/viewer-read-docs", None), ("viewer-read-docs", "nothing")),
        (("DELETE", "roles/finance", None), ("finance", "nothing")),
        (("DELETE", "principals/bob", None), ("bob", "nobody")),
        (("PATCH", "resources/docs", {"attributes": {}}), ("docs", "nothing")),
        (("POST", "leaves", {"principal": "bob"}), ("bob", "nobody")),
        (("POST", "leaves", {"principal": "bob", "dry_run": True}), ("bob", "nobody")),
        (("POST", "moves", {"principal": "bob"}), ("bob", "nobody")),
        (("POST", "moves", {"principal": "bob", "from_roles": ["editor"]}), ("bob", "nobody")),
    ],
)
def test_what_is_absent_is_refused_as_what_is_not_yours(
    alice: Api, there: tuple[str, str, Json | None], absent: tuple[str, str]
) -> None:
    """But for the name that was asked for, the answers are the same."""
    old, new = absent
    method, path, body = there
    named = None if body is None else {k: new if v == old else v for k, v in body.items()}
    found = problem(alice.request(method, f"{ORG}/{path}", json=body), 403, "not_permitted")
    missing = problem(
        alice.request(method, f"{ORG}/{path.replace(old, new)}", json=named), 403, "not_permitted"
    )
    assert missing["error"] == found["error"].replace(old, new)
    assert {**missing["witness"], "resource": "", "reason": ""} == {
        **found["witness"],
        "resource": "",
        "reason": "",
    }


def test_a_refusal_that_is_the_authors_to_know_is_told(alice: Api) -> None:
    """Who may assign the role learns why it cannot be assigned."""
    body = {"principal": "alice", "role": "viewer"}
    problem(alice.post(f"{ORG}/assignments", json=body), 409, "already_exists")
