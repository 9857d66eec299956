"""Organizations: made, shown and deleted by an operator; the others are not told of."""

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.core.identifiers import OrganizationId
from grantproof.service.versions import Versioned
from tests.api.service import Api, Json, fields_at_fault, problem


def test_an_organization_lives_from_creation_to_deletion(operator: Api) -> None:
    """Its id is never used again."""
    made: Json = {"id": "beta", "time_zone": "Europe/Paris"}
    created = operator.post("/v1/orgs", json=made)
    shown = {**made, "revision": 0}
    assert (created.status_code, created.json()) == (201, shown)
    assert operator.get(created.headers["location"]).json() == shown
    assert operator.get("/v1/orgs").json()["items"][1] == shown
    assert operator.post("/v1/orgs/beta/roles", json={"id": "r"}).headers["etag"] == '"1"'
    problem(operator.post("/v1/orgs", json=made), 409, "already_exists")
    assert operator.delete("/v1/orgs/beta").status_code == 204
    problem(operator.get("/v1/orgs/beta"), 403, "forbidden_organization")
    problem(operator.delete("/v1/orgs/beta"), 403, "forbidden_organization")
    assert (
        "used once" in problem(operator.post("/v1/orgs", json=made), 409, "already_exists")["error"]
    )


def test_an_organization_asked_for_before_it_was_made_is_found_then(operator: Api) -> None:
    """What was looked for in vain is looked for again once it is made here."""
    question = {"org_id": "late", "principal_id": "p", "action": "a", "resource_id": "r"}
    before = operator.post("/evaluate", json=question).json()
    assert before["reason_code"] == "unknown_organization"
    assert operator.post("/v1/orgs", json={"id": "late"}).status_code == 201
    after = operator.post("/evaluate", json=question).json()
    assert after["reason_code"] == "unknown_principal"


def test_organizations_come_in_pages(operator: Api) -> None:
    """All pages together are the list."""
    for name in ("beta", "gamma", "delta"):
        assert operator.post("/v1/orgs", json={"id": name}).status_code == 201
    found: list[str] = []
    answer = operator.get("/v1/orgs?limit=1").json()
    while answer["next"] is not None:
        found += [item["id"] for item in answer["items"]]
        answer = operator.get(f"/v1/orgs?limit=1&after={answer['next']}").json()
    found += [item["id"] for item in answer["items"]]
    assert found == ["acme", "beta", "delta", "gamma"]
    problem(operator.get("/v1/orgs?after=a%20b"), 400, "invalid")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "id"),
        ({"id": "a b"}, "id"),
        ({"id": "x" * 129}, "id"),
        ({"id": "beta", "time_zone": "Mars/Olympus"}, "time_zone"),
        ({"id": "beta", "time_zone": "../../etc/passwd"}, "time_zone"),
        ({"id": "beta", "time_zone": ""}, "time_zone"),
        ({"id": "beta", "time_zone": 1}, "time_zone"),
        ({"id": "beta", "owner": "me"}, "owner"),
    ],
)
def test_a_malformed_organization_names_the_field(operator: Api, body: Json, field: str) -> None:
    """400, and nothing is made."""
    told = problem(operator.post("/v1/orgs", json=body), 400, "invalid")
    assert fields_at_fault(told) == [field]
    assert [item["id"] for item in operator.get("/v1/orgs").json()["items"]] == ["acme"]


ROUTES = [
    ("GET", ""),
    ("GET", "/principals"),
    ("GET", "/principals/alice"),
    ("GET", "/principals/alice/roles"),
    ("GET", "/events"),
    ("GET", "/assignments"),
    ("DELETE", "/roles/viewer"),
    ("DELETE", "/resources/docs"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_another_organization_and_an_absent_one_are_the_same_403(
    api: Api, operator: Api, method: str, path: str
) -> None:
    """Status, code and words are the same, but for the name that was asked for."""
    assert operator.post("/v1/orgs", json={"id": "rival"}).status_code == 201
    told = []
    for name in ("rival", "absent"):
        answer = problem(
            api.request(method, f"/v1/orgs/{name}{path}"), 403, "forbidden_organization"
        )
        told.append(
            {**answer, "request_id": "", "detail": "", "error": answer["error"].replace(name, "X")}
        )
    assert told[0] == told[1]
    assert operator.get("/v1/orgs/rival").json()["revision"] == 0


def test_changes_of_another_organization_are_refused_before_they_are_read(
    api: Api, operator: Api
) -> None:
    """A bound caller changes nothing outside its own."""
    assert operator.post("/v1/orgs", json={"id": "rival"}).status_code == 201
    for name in ("rival", "absent"):
        refused = api.post(f"/v1/orgs/{name}/roles", json={"id": "r"})
        problem(refused, 403, "forbidden_organization")
        problem(
            api.post(
                "/explain",
                json={"org_id": name, "principal_id": "p", "action": "a", "resource_id": "r"},
            ),
            403,
            "forbidden_organization",
        )


def test_a_bound_caller_sees_its_own_organization_only(api: Api, operator: Api) -> None:
    """It neither lists others nor makes or deletes any."""
    assert operator.post("/v1/orgs", json={"id": "rival"}).status_code == 201
    assert [item["id"] for item in api.get("/v1/orgs").json()["items"]] == ["acme"]
    assert api.get("/v1/orgs?after=acme").json()["items"] == []
    problem(api.post("/v1/orgs", json={"id": "mine"}), 403, "insufficient_scope")
    problem(api.delete("/v1/orgs/acme"), 403, "insufficient_scope")


def test_asking_for_absent_organizations_reads_the_store_once_a_round(
    operator: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking again and again costs no reading."""
    loads: list[str] = []
    load = store.load_versioned

    def counted(name: OrganizationId) -> Versioned | None:
        loads.append(name)
        return load(name)

    monkeypatch.setattr(store, "load_versioned", counted)
    question = {"org_id": "absent", "principal_id": "p", "action": "a", "resource_id": "r"}
    for _ in range(5):
        assert operator.post("/evaluate", json=question).json()["decision"] == "Deny"
        problem(operator.get("/v1/orgs/absent/roles"), 403, "forbidden_organization")
    assert loads == ["absent"]
