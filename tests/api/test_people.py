"""Joining, moving and leaving over HTTP: one change each, planned or made, refused as a whole."""

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.core.commands.language import CreatePrincipal
from grantproof.core.identifiers import PrincipalId
from grantproof.service.authors import Author
from grantproof.service.demo import ACME
from grantproof.service.pap import AdministrationPoint, Proposed
from grantproof.service.solving import Undetermined
from tests.api.service import Api, Json, problem, revision, running, services_over, told_by

ORG = "/v1/orgs/acme"
MOVE: Json = {"principal": "carol", "from_roles": ["finance"], "to_roles": ["submitter"]}


def roles(api: Api, principal: str) -> list[str]:
    """The roles that a principal is assigned."""
    held = api.get(f"{ORG}/principals/{principal}/roles").json()
    return [one["role"] for one in held["assigned"]]


def test_somebody_joins_moves_and_leaves(api: Api) -> None:
    """Each spends one revision, and what is so already none."""
    first = revision(api)
    join = {"principal": "dora", "roles": ["viewer"], "until": "2100-01-01T00:00:00Z"}
    assert told_by(api, "joins", join) == {
        "principal": "dora",
        "outcome": "accepted",
        "revision": first + 1,
        "plan": None,
    }
    held = api.get(f"{ORG}/principals/dora/roles").json()["assigned"]
    assert [(one["role"], one["until"]) for one in held] == [("viewer", 4_102_444_800)]
    assert told_by(api, "moves", MOVE)["revision"] == first + 2
    assert roles(api, "carol") == ["submitter"]
    assert told_by(api, "moves", {"principal": "carol", "from_all": True})["revision"] == first + 3
    assert told_by(api, "leaves", {"principal": "dora"})["revision"] == first + 4
    assert api.get(f"{ORG}/principals/dora").json()["active"] is False
    assert roles(api, "dora") == []
    again = told_by(api, "leaves", {"principal": "dora"})
    assert (again["outcome"], again["revision"]) == ("unchanged", first + 4)
    assert told_by(api, "leaves", {"principal": "bob", "delete": True})["revision"] == first + 5
    assert api.get(f"{ORG}/principals/bob").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("joins", {"principal": "alice"}, "already_exists"),
        ("joins", {"principal": "dora", "roles": ["finance", "submitter"]}, "breaks_sod"),
        ("joins", {"principal": "dora", "groups": ["nope"]}, "missing"),
        ("moves", {"principal": "carol", "to_roles": ["submitter"]}, "breaks_sod"),
        ("moves", {"principal": "nope"}, "missing"),
        ("leaves", {"principal": "nope"}, "missing"),
        ("leaves", {"principal": "nope", "delete": True}, "missing"),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_what_cannot_be_is_refused_as_a_whole(
    steady: Api, path: str, body: Json, *, code: str, dry_run: bool
) -> None:
    """With the witness of any other change."""
    before = revision(steady)
    answer = steady.post(f"{ORG}/{path}", json={**body, "dry_run": dry_run})
    assert problem(answer, 409, code)["witness"] is not None
    assert revision(steady) == before


def test_a_plan_tells_what_would_change_and_what_it_would_mean(steady: Api) -> None:
    """Commands, facts, and who would gain and lose what; nothing is changed."""
    before = revision(steady)
    told = told_by(steady, "leaves", {"principal": "bob", "dry_run": True})
    assert (told["outcome"], told["revision"], revision(steady)) == ("planned", before, before)
    plan = told["plan"]
    assert [one["type"] for one in plan["commands"]] == ["SuspendPrincipal", "RevokeRole"]
    assert [one["type"] for one in plan["removed"]] == ["Assignment"]
    assert [one["after"]["active"] for one in plan["edited"]] == [False]
    assert (plan["added"], plan["effect"]["verdict"]) == ([], "less")
    unchanged = {"principal": "bob", "to_roles": [], "dry_run": True}
    assert told_by(steady, "moves", unchanged)["outcome"] == "unchanged"


def test_what_a_plan_would_mean_may_not_be_known(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is 503, never a plan that says nothing."""
    solver = running(api).services.solver
    unknown = Undetermined("time", "it took too long")
    monkeypatch.setattr(type(solver), "ask", lambda *_: unknown)
    answer = api.post(f"{ORG}/leaves", json={"principal": "bob", "dry_run": True})
    told = problem(answer, 503, "undetermined")
    assert told["error"] == "what it would mean is not known: it took too long"


def test_terms_are_kept(api: Api) -> None:
    """Of another revision 412, whether or not there is anything to change; under a key once."""
    tag = f'"{revision(api)}"'
    for body in ({"principal": "bob"}, {"principal": "bob", "delete": True}):
        stale = api.post(f"{ORG}/leaves", json=body, headers={"If-Match": '"0"'})
        problem(stale, 412, "stale")
    key = {"If-Match": tag, "Idempotency-Key": "bob-leaves"}
    first = api.post(f"{ORG}/leaves", json={"principal": "bob"}, headers=key)
    again = api.post(f"{ORG}/leaves", json={"principal": "bob"}, headers=key)
    assert (first.status_code, again.json()) == (200, first.json())
    other = api.post(f"{ORG}/leaves", json={"principal": "alice"}, headers=key)
    problem(other, 422, "idempotency_key_reused")
    gone = api.post(f"{ORG}/leaves", json={"principal": "bob"}, headers={"If-Match": tag})
    problem(gone, 412, "stale")


def test_what_changes_meanwhile_is_looked_at_anew(
    api: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another writer is faster once, and then always: made of the state that is there, or 503."""
    before, propose, others = revision(api), AdministrationPoint.propose, [1]

    def overtaken(point: AdministrationPoint, *asked: object, **more: object) -> Proposed:
        if others and more["by"] != Author("other"):
            others.append(others[-1] + 1)
            made = services_over(store).administration
            made.propose(ACME, CreatePrincipal(PrincipalId(f"p{others[-1]}")), by=Author("other"))
            running(api).services.snapshots.catch_up(ACME)
            if others[-1] == 2:
                others.clear()
        return propose(point, *asked, **more)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(AdministrationPoint, "propose", overtaken)
    assert told_by(api, "leaves", {"principal": "bob"})["revision"] == before + 2
    others.append(2)
    answer = api.post(f"{ORG}/leaves", json={"principal": "alice"})
    assert problem(answer, 503, "contended")["error"].startswith("lost 16 races")
