"""Lists and shown entities: aligned text for people, the documents of files for programs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grantproof.cli.main import main
from grantproof.core.identifiers import OrganizationId
from grantproof.core.organization import Organization
from tests.databases import copied
from tests.documents import from_organization
from tests.unit.cli.conftest import Run

LISTS = {
    "principal": "principals",
    "group": "groups",
    "role": "roles",
    "kind": "kinds",
    "resource": "resources",
    "claim": "claims",
    "sod": "sod_sets",
}


LINES = (
    'principal attributes alice level=3 teams=["b","a"]',
    "resource create docs/plan --kind document --parent docs -a owner=alice",
    "group create staff",
    "group create board",
    "group nest staff board",
    "group add staff alice",
    "assign staff editor --group --from 60 --until 2030-01-01T00:00:00Z",
    "assign bob finance --until 3000000000",
)
"""What fills what the demo leaves empty."""


@pytest.fixture(scope="module")
def filled(acme: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database with something of everything in it."""
    path = copied(acme, tmp_path_factory.mktemp("filled") / "filled.db")
    for line in LINES:
        with pytest.raises(SystemExit) as stopped:
            main(["--database", str(path), "--org", "acme", *line.split()])
        assert stopped.value.code == 0
    return path


@pytest.fixture
def database(filled: Path, pointed_at: Callable[[Path], Path]) -> Path:
    """A copy of that database instead of the demo's."""
    return pointed_at(filled)


def exported(run: Run) -> dict[str, Any]:
    """The organization as `export` writes it."""
    return dict(run("export", "acme", "--format", "json").json)


@pytest.mark.parametrize("group", LISTS)
def test_a_list_is_the_documents_of_an_export(group: str, run: Run) -> None:
    """Programs meet one form of an entity everywhere."""
    assert run(group, "list", "--json").json == exported(run)[LISTS[group]]


@pytest.mark.parametrize("group", [group for group in LISTS if group != "kind"])
def test_a_shown_entity_is_its_document_and_more(group: str, run: Run) -> None:
    """What is related to it stands beside its own fields."""
    for document in exported(run)[LISTS[group]]:
        shown = run(group, "show", document["id"], "--json").json
        assert document.items() <= shown.items()


@pytest.mark.parametrize("group", LISTS)
def test_a_list_for_people_has_a_line_for_each(group: str, run: Run) -> None:
    """A header, then the ids in order, and no colour codes."""
    header, *lines = run(group, "list").out.splitlines()
    assert header.isupper()
    ids = [document["id"] for document in exported(run)[LISTS[group]]]
    assert [line.split()[0] for line in lines] == ids
    assert "\x1b" not in "".join(lines)


def test_the_list_of_an_empty_organization_is_its_header(run: Run) -> None:
    """For programs it is the empty list."""
    run("org", "create", "empty")
    assert run("role", "list", "--org", "empty").out.count("\n") == 1
    assert run("role", "list", "--org", "empty", "--json").json == []


def test_a_principal_is_shown_with_what_it_holds(run: Run) -> None:
    """Assignments as they were made, and the roles that they amount to now."""
    assert run("principal", "show", "alice").out.splitlines() == [
        "principal       alice",
        "status          active",
        'attributes      level=3 teams=["a","b"]',
        "groups          staff",
        "groups, nested  board, staff",
        "roles assigned  viewer",
        "roles now       editor, viewer",
    ]
    assert "finance until 2065-01-24T05:20:00Z" in run("principal", "show", "bob").out
    shown = run("principal", "show", "bob", "--json").json
    assert shown["effective_roles"] == ["editor", "finance", "viewer"]
    assert {"principal": "bob", "role": "finance", "from": None, "until": 3_000_000_000} in shown[
        "assignments"
    ]


def test_a_group_is_shown_with_its_validities(run: Run) -> None:
    """People read moments in UTC, programs epoch seconds."""
    told = run("group", "show", "staff").out
    assert "editor from 1970-01-01T00:01:00Z until 2030-01-01T00:00:00Z" in told
    shown = run("group", "show", "staff", "--json").json
    assert (shown["members"], shown["containers"]) == (["alice"], ["board"])
    assert shown["assignments"][0]["from"] == 60


def test_a_role_is_shown_with_its_claims(run: Run) -> None:
    """What it may do stands below each other."""
    assert run("role", "show", "viewer").out.splitlines()[-2:] == [
        "claims      viewer-read-docs: read docs (hours 9-17)",
        "            viewer-read-reports: read reports (hours 9-17)",
    ]


def test_a_claim_is_shown_as_it_was_typed(run: Run) -> None:
    """Every constraint in the notation of its option."""
    window = ["--hours", "9-17", "--weekdays", "mon-tue", "--region", "us", "--region", "eu"]
    meters = ["--max-usage", "100/day", "--rate", "5"]
    where = ["--where", "resource.owner eq principal.id", "--where", 'context.x in ["b","a"]']
    near = ["--within", "10km@-33.8688,151.2093", "--within", "50m@0,0"]
    options = [*window, *near, *meters, *where]
    created = run("claim", "create", "c", "viewer", "*", "docs/**", *options)
    assert created.code == 0
    assert run("claim", "show", "c").out.splitlines() == [
        "claim        c",
        "role         viewer",
        "action       *",
        "resource     docs/**",
        "constraints  hours 9-17 Mon Tue",
        "             region eu or us",
        "             within 10000m of -33.8688,151.2093",
        "             within 50m of 0,0",
        "             usage < 100/day",
        "             rate < 5/minute",
        "             resource.owner eq principal.id",
        '             context.x in ["a","b"]',
    ]


def test_claims_of_one_role_can_be_listed(run: Run) -> None:
    """Those of others, and of what it inherits, are left out."""
    claims = run("claim", "list", "--role", "editor", "--json").json
    assert [claim["id"] for claim in claims] == ["editor-write-docs"]
    assert run("claim", "list", "--role", "nope", "--json").json == []


def test_a_set_tells_the_roles_that_nobody_can_hold(run: Run) -> None:
    """A role that inherits too many of a static set is legal, and useless."""
    run("role", "create", "boss", "--parent", "finance", "--parent", "submitter")
    shown = run("sod", "show", "finance-or-submitter", "--json").json
    assert shown["unholdable_roles"] == ["boss"]
    line = "change finance-or-submitter finance submitter --n 2 --mode dynamic"
    assert run("sod", *line.split()).code == 0
    shown = run("sod", "show", "finance-or-submitter", "--json").json
    assert (shown["unholdable_roles"], shown["mode"]) == ([], "dynamic")


def test_stored_text_cannot_drive_a_terminal(run: Run) -> None:
    """An escape sequence in an attribute is shown, not sent."""
    assert run("principal", "attributes", "alice", "x=\x1b[31m\x9b").code == 0
    for told in (run("principal", "list").out, run("principal", "show", "alice").out):
        assert r"x=\"\u001b[31m\x9b\"".replace('\\"', '"') in told
    assert run("principal", "list", "--json").json[0]["attributes"] == {"x": "\x1b[31m\x9b"}


def test_an_export_of_nothing_names_the_organization() -> None:
    """The smallest document still says what it is."""
    document = from_organization(Organization(OrganizationId("x"))).written()
    assert (document["kind"], document["id"]) == ("Organization", "x")
