"""Reviews over HTTP: pages that are the whole, the file, and the functions of the standard."""

import csv
import io
from typing import Any
from urllib.parse import quote

import pytest

from grantproof.service.access_csv import COLUMNS
from tests.api.service import Api, Json, problem, revision

ORG = "/v1/orgs/acme"
FACTS: list[Json] = [
    {"type": "CreateGroup", "group": "staff"},
    {"type": "CreateGroup", "group": "team"},
    {"type": "NestGroup", "group": "team", "container": "staff"},
    {"type": "AddMember", "principal": "bob", "group": "team"},
    {"type": "AssignGroupRole", "group": "staff", "role": "viewer", "validity": {}},
    {
        "type": "AssignRole",
        "principal": "carol",
        "role": "editor",
        "validity": {"from": None, "until": 4_000_000_000},
    },
    {
        "type": "AssignRole",
        "principal": "alice",
        "role": "editor",
        "validity": {"from": 3_900_000_000, "until": None},
    },
    {
        "type": "CreateSodSet",
        "sod_set": {"id": "both", "roles": ["viewer", "editor"], "n": 2, "mode": "dynamic"},
    },
]


@pytest.fixture(scope="module")
def office(steady: Api) -> Api:
    """`acme` with groups, and assignments for a time."""
    for fact in FACTS:
        if fact.get("validity") == {}:
            fact["validity"] = {"from": None, "until": None}
    made = steady.post(f"{ORG}/changes", json={"commands": FACTS})
    assert made.status_code == 200, made.text
    return steady


def get(api: Api, path: str) -> Json:
    """The answer to a question."""
    response = api.get(f"{ORG}/{path}")
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    assert response.headers["etag"] == f'"{answer["revision"]}"'
    return answer


def items(api: Api, path: str) -> list[Any]:
    """All items, asked for two at a time: the same as at once."""
    whole = get(api, path)
    assert whole["next"] is None
    found: list[Any] = []
    after = ""
    while True:
        joint = "&" if "?" in path else "?"
        page = get(api, f"{path}{joint}limit=2{after}")
        found += page["items"]
        if page["next"] is None:
            break
        assert len(page["items"]) == 2
        after = f"&after={quote(page['next'], safe='')}"
    assert found == whole["items"]
    return found


def test_who_has_what_and_why(office: Api) -> None:
    """Each way with its assignment, groups, roles and claims, page by page."""
    ways = items(office, "review/access")
    assert [(one["principal"], one["role"], one["groups"], one["roles"]) for one in ways] == [
        ("alice", "viewer", [], ["viewer"]),
        ("bob", "editor", [], ["editor"]),
        ("bob", "viewer", [], ["editor", "viewer"]),
        ("bob", "viewer", ["team", "staff"], ["viewer"]),
        ("carol", "editor", [], ["editor"]),
        ("carol", "viewer", [], ["editor", "viewer"]),
        ("carol", "finance", [], ["finance"]),
    ]
    carol = ways[4]
    assert (carol["until"], carol["lasts_until"], carol["active"]) == (4_000_000_000,) * 2 + (True,)
    assert [claim["id"] for claim in carol["claims"]] == ["editor-write-docs"]


@pytest.mark.parametrize(
    ("query", "principals"),
    [
        ("principal=carol", ["carol"] * 3),
        ("role=viewer", ["alice", "bob", "bob", "carol"]),
        ("resource=docs&action=write", ["bob", "carol"]),
        ("resource=new&kind=document", []),
        ("principal=bob&resource=reports", ["bob", "bob"]),
    ],
)
def test_ways_are_sought(office: Api, query: str, principals: list[str]) -> None:
    """By principal, role, resource and action."""
    ways = items(office, f"review/access?{query}")
    assert [one["principal"] for one in ways] == principals


@pytest.mark.parametrize(
    ("path", "noun"),
    [
        ("review/access?principal=nope", "principal"),
        ("review/access?role=nope", "role"),
        ("review/access?resource=nope", "resource"),
        ("review/access?resource=docs&kind=other", "resource"),
        ("review/separation-of-duty/nope", "separation-of-duty set"),
        ("roles/nope/claims", "role"),
        ("roles/nope/principals", "role"),
        ("roles/nope/operations?resource=docs", "role"),
        ("roles/viewer/operations?resource=nope", "resource"),
        ("principals/nope/claims", "principal"),
        ("principals/nope/operations?resource=docs", "principal"),
        ("principals/bob/operations?resource=nope&kind=x", "resource"),
    ],
)
def test_what_is_not_there_is_not_found(office: Api, path: str, noun: str) -> None:
    """404, rather than nothing."""
    told = problem(office.get(f"{ORG}/{path}"), 404, "not_found")
    assert told["error"].startswith(f"{noun} `")


def test_a_kind_without_a_resource_is_refused(office: Api) -> None:
    """It would say nothing."""
    problem(office.get(f"{ORG}/review/access?kind=document"), 400, "invalid")


def test_the_file_is_of_one_revision(office: Api) -> None:
    """Named in the file, in its name and in the tag; a row for each assignment, or each claim."""
    at = revision(office)
    answer = office.get(f"{ORG}/review/access.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == f'attachment; filename="access-acme-r{at}.csv"'
    assert answer.headers["etag"] == f'"{at}"'
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert {row["revision"] for row in rows} == {str(at)}
    assert [
        (row["principal"], row["role"], row["group_path"], row["validity"]) for row in rows
    ] == [
        ("alice", "editor", "", "not begun"),
        ("alice", "viewer", "", "valid"),
        ("bob", "editor", "", "valid"),
        ("bob", "viewer", "team > staff", "valid"),
        ("carol", "editor", "", "valid"),
        ("carol", "finance", "", "valid"),
    ]
    assert all(row["assigned_at"] and row["assigned_by"] for row in rows)
    claims = office.get(f"{ORG}/review/access.csv?rows=claims&history=false")
    told = list(csv.DictReader(io.StringIO(claims.text, newline="")))
    assert len(told) == 14
    assert {row["assigned_at"] for row in told} == {""}


def test_what_ends_soon(office: Api) -> None:
    """The earliest first, page by page, and by stage."""
    far = items(office, "review/expiring?within_days=100000")
    assert [(one["stage"], one["principal"], one["at"]) for one in far] == [
        ("not_begun", "alice", 3_900_000_000),
        ("expiring", "carol", 4_000_000_000),
    ]
    assert [one["principal"] for one in items(office, "review/expiring")] == ["alice"]
    only = items(office, "review/expiring?within_days=100000&stage=expiring")
    assert [one["principal"] for one in only] == ["carol"]
    problem(office.get(f"{ORG}/review/expiring?within_days=-1"), 400, "invalid")


def test_how_near_people_come_to_a_breach(office: Api) -> None:
    """Set by set with counts, and the holders of one page by page."""
    both, pair = items(office, "review/separation-of-duty")
    assert (both["sod_set"]["id"], pair["sod_set"]["id"]) == ("both", "finance-or-submitter")
    assert both["holders"] == [{"roles": 2, "principals": 3}]
    assert [one["principal"] for one in both["over"]["items"]] == ["alice", "bob", "carol"]
    assert both["unusable"] == ["editor"]
    assert both["over"]["items"][0]["from"] == 3_900_000_000
    assert [one["principal"] for one in pair["near"]["items"]] == ["carol"]
    assert items(office, "review/separation-of-duty/both") == both["over"]["items"]


def test_the_review_functions_of_the_standard(office: Api) -> None:
    """RolePermissions, UserPermissions, AuthorizedUsers and the operations on an object."""
    claims = [one["id"] for one in items(office, "roles/editor/claims")]
    assert claims == ["editor-write-docs", "viewer-read-docs", "viewer-read-reports"]
    assert [one["id"] for one in items(office, "principals/alice/claims")] == claims[1:]
    assert items(office, "roles/viewer/principals") == [
        {"principal": "alice", "assigned": True},
        {"principal": "bob", "assigned": True},
        {"principal": "carol", "assigned": False},
    ]
    of_role = get(office, "roles/editor/operations?resource=docs")
    assert of_role["operations"] == ["read", "write"]
    of_bob = get(office, "principals/bob/operations?resource=new&kind=document")
    assert (of_bob["operations"], of_bob["resource"]) == ([], "new")
