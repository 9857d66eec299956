"""The role graph and the page of a role: what is drawn, what is told, and what is found there."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest
from httpx2 import Response

from grantproof.adapters.memory import MemoryStore
from grantproof.api.console.role_graph import LISTED, SUGGESTED_MAX
from grantproof.core.attributes import Literal, Operator, Path, Root
from grantproof.core.commands.language import (
    AddMember,
    AddParent,
    AssignGroupRole,
    AssignRole,
    CreateGroup,
    CreatePrincipal,
    CreateRole,
    CreateSodSet,
    NestGroup,
    SuspendPrincipal,
)
from grantproof.core.constraints import Attribute
from grantproof.core.identifiers import AttributeName, GroupId, PrincipalId, RoleId, SodSetId
from grantproof.core.model import SodSet, Validity
from grantproof.service.callers import Scope
from grantproof.service.demo import ACME
from grantproof.service.keyring import KeyRequest
from tests.api.console.browsing import look, told, words
from tests.api.console.changing import change, claim
from tests.api.service import OPERATORS, Api, serving

ROLES = "/console/orgs/acme/roles"
FAR = 4_102_444_800
"""The year 2100, in epoch seconds."""


def drawing(response: Response) -> ET.Element:
    """The graph of the page."""
    found = re.search(r'<svg class="drawing" role="group".*?</svg>', response.text, re.DOTALL)
    assert found is not None, response.text
    return ET.fromstring(found[0])  # noqa: S314 - a page of our own


def of_class(root: ET.Element, name: str) -> list[ET.Element]:
    """What is drawn of a class."""
    return [one for one in root.iter() if name in one.get("class", "").split()]


def drawn(response: Response, mark: str = "node") -> list[str]:
    """Where the boxes lead that are drawn, or that are marked."""
    boxes = [one for one in of_class(drawing(response), "node") if mark in one.get("class", "")]
    return sorted(str(one.get("href")).rpartition("/")[2] for one in boxes)


@pytest.fixture
def acme(store: MemoryStore) -> Iterator[Api]:
    """An operator, before whom `acme` is served."""
    with serving(store, OPERATORS) as client:
        yield client


def test_all_roles_are_drawn_and_listed(steady: Api) -> None:
    """Each as a link, with an arrow to what it inherits from, and what it may not go with."""
    page = look(steady, ROLES)
    assert drawn(page) == ["editor", "finance", "submitter", "viewer"]
    root = drawing(page)
    assert (len(of_class(root, "link")), len(of_class(root, "tie"))) == (1, 1)
    assert "role editor: 1 claim · 1 assigned" in page.text
    for said in (
        "All 4 roles.",
        "role editor (1 claim · 1 assigned) inherits from role viewer",
        "separation of duty finance-or-submitter: not with role submitter",
    ):
        assert said in words(page)
    for role in ("editor", "finance", "submitter", "viewer"):
        assert f'<th scope="row"><a href="{ROLES}/{role}">{role}</a></th>' in page.text


def test_what_is_around_one_role_is_drawn(steady: Api) -> None:
    """And how much is not."""
    page = look(steady, f"{ROLES}?role=editor&depth=1")
    assert (drawn(page), drawn(page, "centre")) == (["editor", "viewer"], ["editor"])
    assert "2 of 4 roles: editor" in words(page)
    assert "2 roles are not drawn" in words(page)


@pytest.mark.parametrize(("field", "noun"), [("role", "role"), ("holder", "principal")])
def test_who_or_what_is_not_there_is_told_at_the_field(steady: Api, field: str, noun: str) -> None:
    """400; what was typed stays, as text, and all roles are drawn."""
    page = look(steady, f"{ROLES}?{field}=%3Cscript%3E")
    assert page.status_code == 400
    assert f'<p class="bad-field" id="{field}-fault">there is no such {noun}</p>' in page.text
    assert re.search(
        rf'<input id="{field}"[^>]*value="&lt;script&gt;"[^>]*{field}-fault', page.text
    )
    assert page.text.count('aria-invalid="true"') == 1
    assert len(drawn(page)) == 4


def test_the_roles_of_a_principal_are_lit(steady: Api) -> None:
    """Inherited ones too, with the arrows between them."""
    page = look(steady, f"{ROLES}?holder=bob")
    assert drawn(page, "lit") == ["editor", "viewer"]
    assert of_class(drawing(page), "link")[0].get("class") == "link lit"
    assert drawn(look(steady, f"{ROLES}?holder=carol"), "lit") == ["finance"]


def test_a_path_is_lit(steady: Api) -> None:
    """As a certificate has it; what is gone meanwhile is left out, and too much is refused."""
    assert drawn(look(steady, f"{ROLES}?path=editor,viewer,gone"), "lit") == ["editor", "viewer"]
    answer = look(steady, f"{ROLES}?path={','.join(['viewer'] * 66)}")
    assert "at most 65 roles" in told(answer, 400, "invalid")


def test_dashed_lines_can_be_left_out(steady: Api) -> None:
    """For a graph in which they are too many."""
    assert of_class(drawing(look(steady, f"{ROLES}?duty=")), "tie") == []


@pytest.mark.parametrize("depth", ["0", "9", "x"])
def test_how_far_is_bounded(steady: Api, depth: str) -> None:
    """A page that says so, as the API does."""
    assert "`depth`" in told(look(steady, f"{ROLES}?depth={depth}"), 400, "invalid")


def test_of_many_roles_a_part_is_drawn_and_a_page_listed(acme: Api) -> None:
    """Whoever seeks one finds it by a part of its id."""
    names = [RoleId(f"r{number:03d}") for number in range(SUGGESTED_MAX)]
    change(acme, *map(CreateRole, names), AddParent(names[-1], names[-2]))
    page = look(acme, ROLES)
    assert "150 of 504 roles, those with the most parents and children" in words(page)
    assert len(drawn(page)) == 150
    assert {"r499", "r498", "editor", "viewer"} <= set(drawn(page))
    assert '<datalist id="roles">' not in page.text
    assert page.text.count('<th scope="row">') == LISTED
    onward = re.search(rf'rel="next" href="({ROLES}[^"]*)"', page.text)
    assert onward is not None
    assert f'<a href="{ROLES}/r048">' in look(acme, onward[1]).text
    found = look(acme, f"{ROLES}?q=499")
    assert found.text.count('<th scope="row">') == 1
    assert "No role has none in its id" in words(look(acme, f"{ROLES}?q=none"))


def test_an_organization_without_roles_has_a_page(acme: Api) -> None:
    """That says so."""
    assert acme.post("/v1/orgs", json={"id": "bare"}).status_code == 201
    page = look(acme, "/console/orgs/bare/roles")
    assert (page.status_code, "There is no role yet" in words(page)) == (200, True)
    assert "no more roles" not in words(page)


def table(response: Response, name: str) -> list[list[str]]:
    """What the rows of a table of the page say, cell by cell."""
    region = response.text.partition(f'aria-labelledby="{name}">\n    <table')[2]
    body = region.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)
    cells = (re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows)
    return [[" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in row] for row in cells]


def test_a_role_shows_its_claims_and_where_they_come_from(steady: Api) -> None:
    """Its own and inherited ones, with their constraints in words."""
    page = look(steady, f"{ROLES}/editor")
    assert table(page, "claims") == [
        ["editor-write-docs", "write docs", "region us-east-1", "the role itself"],
        ["viewer-read-docs", "read docs", "hours 9-17", "viewer"],
        ["viewer-read-reports", "read reports", "hours 9-17", "viewer"],
    ]
    assert 'id="claim-viewer-read-docs"' in page.text
    assert f'<dt>Inherits from</dt><dd><a href="{ROLES}/viewer">viewer</a></dd>' in page.text
    assert "1 of 10,000 at most" in words(page)
    assert (drawn(page), drawn(page, "centre")) == (["editor", "viewer"], ["editor"])


def test_a_role_shows_who_holds_it_and_how(acme: Api) -> None:
    """Directly, through nested groups, through a role above; suspended ones, and until when."""
    dora, eve = PrincipalId("dora"), PrincipalId("eve")
    inner, outer, viewer = GroupId("inner"), GroupId("outer"), RoleId("viewer")
    change(
        acme,
        CreatePrincipal(dora),
        CreatePrincipal(eve),
        *map(CreateGroup, (inner, outer)),
        NestGroup(inner, outer),
        AddMember(dora, inner),
        AssignGroupRole(outer, RoleId("editor")),
        AssignRole(eve, viewer, Validity(None, FAR)),
        AssignRole(PrincipalId("carol"), viewer, Validity(FAR)),
        SuspendPrincipal(eve),
    )
    page = look(acme, f"{ROLES}/viewer")
    assert table(page, "holders") == [
        ["alice", "assigned", "for good"],
        ["bob", "assigned: editor &rarr; viewer", "for good"],
        ["dora", "through group inner , inside outer : editor &rarr; viewer", "for good"],
        ["eve suspended", "assigned", "2100-01-01 00:00 UTC"],
    ]


def test_a_role_shows_what_it_may_not_go_with(acme: Api) -> None:
    """The sets that name it or what it inherits from, and where that is too many already."""
    both = RoleId("both")
    change(
        acme,
        CreateRole(both),
        AddParent(both, RoleId("viewer")),
        AddParent(both, RoleId("submitter")),
        CreateSodSet(
            SodSet(
                SodSetId("now"), frozenset({RoleId("viewer"), RoleId("submitter")}), 2, "dynamic"
            )
        ),
    )
    page = words(look(acme, f"{ROLES}/both"))
    assert "now dynamic nobody may have active together 2 or more of submitter , viewer" in page
    assert "It brings submitter , viewer : that is too many, so nobody can activate it" in page
    assert "finance-or-submitter static nobody may hold 2 or more of finance , submitter" in page
    assert "It brings submitter ." in page
    assert "No separation-of-duty set names it" not in words(look(acme, f"{ROLES}/finance"))


def test_claims_and_holders_come_in_pages(acme: Api) -> None:
    """Each list has its own; no row stands on two pages, and none on none."""
    people = [PrincipalId(f"p{number:03d}") for number in range(LISTED + 5)]
    change(
        acme,
        *map(CreatePrincipal, people),
        *(AssignRole(one, RoleId("submitter")) for one in people),
        *(claim("submitter", f"a{number:03d}", "docs") for number in range(LISTED + 5)),
    )
    first = look(acme, f"{ROLES}/submitter")
    for name in ("claims", "holders"):
        onward = re.search(rf'rel="next" href="([^"]*{name}_after=[^"]*)#{name}"', first.text)
        assert onward is not None
        second = look(acme, onward[1])
        rows = [*table(first, name), *table(second, name)]
        assert len(rows) == len({row[0] for row in rows}) == LISTED + 5
    beyond = words(look(acme, f"{ROLES}/submitter?holders_after=z,z,z,z&claims_after=z"))
    assert "There are no more holders" in beyond
    assert "There are no more claims" in beyond
    told(look(acme, f"{ROLES}/submitter?holders_after=z"), 400, "invalid")


def test_a_role_without_anything_says_so(steady: Api) -> None:
    """No claim, nobody who holds it."""
    page = words(look(steady, f"{ROLES}/submitter"))
    assert "It has no claim, of its own or inherited" in page
    assert "Nobody holds it at" in page


def test_what_a_policy_says_is_text(acme: Api) -> None:
    """Markup in the value of a constraint is shown, and nothing comes of it."""
    evil = Attribute(
        Path(Root.CONTEXT, AttributeName("note")), Operator.EQ, Literal("<script>alert(1)</script>")
    )
    change(acme, claim("viewer", "sign", "docs", evil))
    page = look(acme, f"{ROLES}/viewer")
    assert "<script>alert" not in page.text
    assert '"<script>alert(1)</script>"' in words_escaped(page)


def words_escaped(response: Response) -> str:
    """The text of the page, with what was escaped."""
    from html import unescape  # noqa: PLC0415 - only here

    return unescape(re.sub(r"<[^>]*>", "", response.text))


def test_a_role_that_is_not_there_is_a_page(steady: Api) -> None:
    """404, and 400 for what can be no role."""
    assert "role `none`" in told(look(steady, f"{ROLES}/none"), 404, "not_found")
    told(look(steady, f"{ROLES}/a%20b"), 400, "invalid")


@pytest.mark.parametrize("path", ["", "/viewer"])
def test_who_may_not_know_what_exists_is_turned_away(store: MemoryStore, path: str) -> None:
    """Without the scope for reviews, and from another organization."""
    with serving(store, KeyRequest(ACME, None, frozenset({Scope.EVALUATE}))) as stranger:
        told(look(stranger, ROLES + path), 403, "insufficient_scope")
    with serving(store, KeyRequest(ACME, None, frozenset({Scope.REVIEW}))) as other:
        assert look(other, ROLES + path).status_code == 200
        told(look(other, f"/console/orgs/other/roles{path}"), 403, "forbidden_organization")
