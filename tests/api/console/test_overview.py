"""The overview: what an organization holds, when it moved, and what wants a look."""

import re
from collections.abc import Iterator

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.api.console import overview
from grantproof.core.commands import Accepted
from grantproof.core.commands.language import (
    AddParent,
    AssignGroupRole,
    AssignRole,
    ChangeSet,
    CreateClaim,
    CreateGroup,
    CreateRole,
    SingleCommand,
    SuspendPrincipal,
)
from grantproof.core.identifiers import (
    Action,
    ClaimId,
    GroupId,
    OrganizationId,
    PrincipalId,
    RoleId,
)
from grantproof.core.model import Any, Claim, Exactly, Validity
from grantproof.service import holdings
from grantproof.service.authors import Author
from grantproof.service.demo import ACME
from tests.api.console.browsing import look, told, words
from tests.api.service import OPERATORS, Api, running, serving

HOME = "/console/orgs/acme"


def change(api: Api, *commands: SingleCommand, reason: str | None = None) -> None:
    """Make a change of `acme`."""
    made = running(api).services.administration.propose(
        ACME, ChangeSet(commands), by=Author("test", reason=reason)
    )
    assert isinstance(made, Accepted), made


def tiles(text: str) -> dict[str, str]:
    """What is counted, by its word."""
    return dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", text))


def test_the_overview_counts_what_the_organization_holds(steady: Api) -> None:
    """As numbers, each with its word; the revision and who led to it stand there too."""
    answer = steady.get(HOME)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert tiles(answer.text) == {
        "principals": "3",
        "groups": "0",
        "roles": "4",
        "claims": "3",
        "resources": "2",
        "assignments": "3",
        "separation-of-duty sets": "1",
        "guardrails": "0",
    }
    shown = words(answer)
    assert "revision 1" in shown
    assert re.search(r"Revision 1, since \d{4}-\d\d-\d\d \d\d:\d\d UTC by demo", shown)
    assert "Roles that nobody holds: submitter" in shown
    assert "No assignment ends soon" in shown


def test_the_last_change_is_told_with_its_reason(operator: Api) -> None:
    """Who made it and why, of the revision that is shown and of no other."""
    change(operator, CreateRole(RoleId("auditor")), reason="the yearly audit")
    shown = words(operator.get(HOME))
    assert "Revision 2" in shown
    assert "“the yearly audit”" in shown
    change(operator, CreateRole(RoleId("clerk")))
    assert "yearly audit" not in words(operator.get(HOME))


def test_what_ends_soon_is_listed_the_earliest_first(operator: Api) -> None:
    """With who and which role; what has ended, and what begins later, is counted."""
    now = running(operator).services.decisions.instant()
    change(
        operator,
        CreateGroup(GroupId("staff")),
        AssignRole(PrincipalId("alice"), RoleId("editor"), Validity(end=now + 5_000)),
        AssignGroupRole(GroupId("staff"), RoleId("viewer"), Validity(end=now + 500)),
        AssignRole(PrincipalId("bob"), RoleId("finance"), Validity(start=now + 9_000)),
    )
    answer = operator.get(HOME)
    rows = re.findall(r'<th scope="row">(\w+)( <span [^>]*>group</span>)?</th>', answer.text)
    assert [(name, mark != "") for name, mark in rows] == [("staff", True), ("alice", False)]
    assert "1 begins later" in words(answer)


def test_what_does_nothing_is_told(operator: Api) -> None:
    """Roles that nobody may hold, claims that reach nobody, and who is suspended."""
    both = RoleId("both")
    change(
        operator,
        CreateRole(both),
        AddParent(both, RoleId("finance")),
        AddParent(both, RoleId("submitter")),
        SuspendPrincipal(PrincipalId("carol")),
        CreateClaim(Claim(ClaimId("idle"), both, Exactly(Action("read")), Any())),
    )
    shown = words(operator.get(HOME))
    assert "Nobody may hold: both" in shown
    assert "Claims that reach nobody: idle" in shown
    assert "Suspended: carol" in shown


def test_of_a_large_organization_the_parts_are_not_looked_through(
    operator: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its numbers stand there, and where to ask for the rest."""
    monkeypatch.setattr(holdings, "LOOKED_AT_MAX", 15)
    monkeypatch.setattr(holdings, "idle", None)
    monkeypatch.setattr(holdings, "ending", None)
    answer = operator.get(HOME)
    assert tiles(answer.text)["roles"] == "4"
    assert "more than 15 parts" in words(answer)


def test_a_service_that_cannot_look_says_so(store: MemoryStore) -> None:
    """And how long ago it last did."""
    with serving(store, OPERATORS) as api:
        assert "It follows every change" in words(api.get(HOME))
        freshness = running(api).following.freshness
        freshness._whole_at -= 1_000  # noqa: SLF001 - as if the look were long ago
        assert "It cannot look for changes" in words(api.get(HOME))


@pytest.fixture(scope="module")
def many() -> Iterator[Api]:
    """An operator's console, of more organizations than stand on a page."""
    store = MemoryStore()
    with serving(store, OPERATORS) as api:
        administration = running(api).services.administration
        for number in range(overview.LISTED + 10):
            name = OrganizationId(f"shop-{number:03}")
            assert administration.found(name, time_zone="UTC", by=Author("test"))
        yield api


def listed(text: str) -> list[str]:
    """The organizations of the list."""
    return re.findall(r'<th scope="row"><a href="/console/orgs/[^"]*">([^<]*)</a>', text)


def following(text: str) -> str | None:
    """The address of the next page."""
    found = re.search(r'rel="next" href="([^"]*)"', text)
    return found and found[1].replace("&amp;", "&")


def test_organizations_are_listed_page_by_page(many: Api) -> None:
    """Each once, in the order of their ids."""
    seen, path = list[str](), "/console"
    while path:
        page = many.get(path)
        assert 0 < len(listed(page.text)) <= overview.LISTED
        seen += listed(page.text)
        path = following(page.text) or ""
    assert seen == ["acme", *(f"shop-{number:03}" for number in range(overview.LISTED + 10))]


@pytest.mark.parametrize(
    ("q", "count"),
    [
        ("shop-00", 10),
        ("shop-001", 1),
        ("acme", 1),
        ("a", 1),
        ("shop", 60),
        ("b", 0),
        (" acme ", 1),
    ],
)
def test_a_search_finds_what_begins_so(many: Api, q: str, count: int) -> None:
    """All of it, page by page, and an id itself."""
    page = many.get("/console", params={"q": q})
    found = listed(page.text)
    path = following(page.text)
    while path:
        page = many.get(path)
        found += listed(page.text)
        path = following(page.text)
    assert len(found) == count
    assert all(one.startswith(q.strip()) for one in found)


def test_a_search_for_what_no_id_has_finds_nothing(many: Api) -> None:
    """It says so, and shows what was sought as text."""
    for q in ("<b>", "é", "nothing"):
        page = many.get("/console", params={"q": q})
        assert page.status_code == 200
        assert "No organization has an id that begins with" in words(page)
        assert "<b>" not in page.text


def test_an_illegal_place_in_the_list_is_told(many: Api) -> None:
    """400, as in the API."""
    told(look(many, "/console?after=%20"), 400, "invalid")


def test_without_any_organization_it_says_how_to_make_one() -> None:
    """The first thing that an operator of an empty service sees."""
    store = MemoryStore()
    with serving(store, OPERATORS) as api:
        assert api.delete("/v1/orgs/acme").status_code == 204
        assert "There is no organization yet" in words(api.get("/console"))
