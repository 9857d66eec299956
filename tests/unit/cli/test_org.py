"""`grantproof org`: the tenants."""

import sys
from io import StringIO

import pytest

from tests.unit.cli.conftest import Run


def test_an_organization_is_created_listed_and_shown(run: Run) -> None:
    """It begins empty, at revision 0, in the time zone that was asked for."""
    created = run("org", "create", "new", "--time-zone", "Europe/Paris")
    assert created.out == "created organization `new` (new, revision 0)\n"
    assert run("org", "list").out.splitlines() == [
        "ORGANIZATION  REVISION  TIME ZONE",
        "acme          1         UTC",
        "new           0         Europe/Paris",
    ]
    document = {"id": "new", "revision": 0, "time_zone": "Europe/Paris"}
    assert document in run("org", "list", "--json").json
    assert document.items() <= run("org", "show", "new", "--json").json.items()


def test_an_organization_is_created_with_its_first_administrator(run: Run) -> None:
    """Who then holds, for ever, every administrative action on everything."""
    created = run("org", "create", "new", "--administrator", "ann")
    assert created.out == ("created organization `new`, administered by `ann` (new, revision 1)\n")
    for action in ("administer", "assign", "delegate", "review", "revoke"):
        asked = run("evaluate", "ann", action, "organization:new", "--org", "new", "--json")
        assert (asked.code, asked.json["decision"]) == (0, "Allow")
    deleted = run("principal", "delete", "ann", "--cascade", "--org", "new")
    assert (deleted.code, deleted.line) == (
        1,
        "organization `new` would lose its last administrator",
    )


def test_an_administrator_that_cannot_be_named_leaves_no_organization(run: Run) -> None:
    """What is wrong with the name is said before anything is made."""
    ended = run("org", "create", "new", "--administrator", "a b")
    assert ended.code == 2
    assert ended.line.startswith("`principal_id` must match")
    assert run("org", "show", "new").code == 1


def test_an_organization_is_shown_with_what_it_holds(run: Run) -> None:
    """People and programs are told the same counts."""
    assert run("org", "show", "acme", "--json").json == {
        "id": "acme",
        "revision": 1,
        "time_zone": "UTC",
        "principals": 3,
        "groups": 0,
        "roles": 4,
        "kinds": 1,
        "resources": 2,
        "claims": 3,
        "sod_sets": 1,
        "guardrails": 0,
    }
    assert "principals    3" in run("org", "show", "acme").out


def test_more_organizations_than_a_page_are_all_listed(run: Run) -> None:
    """The pages of the store do not show."""
    names = [f"o{number}" for number in range(3)]
    for name in names:
        run("org", "create", name)
    assert [one["id"] for one in run("org", "list", "--json").json] == ["acme", *names]


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["create", "acme"], 1, "organization `acme` exists, or existed: an id is never used"),
        (["create", "a b"], 2, "`org_id` must match"),
        (["create", ""], 2, "`org_id` must not be empty"),
        (["create", "x", "--time-zone", "Mars/Base"], 2, "`time_zone` must be an IANA name"),
        (["show", "nope"], 1, "organization `nope` does not exist"),
        (["delete", "nope", "--yes"], 1, "organization `nope` does not exist"),
        (["delete", "acme"], 2, "deleting organization `acme` is for good: confirm it with --yes"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    arguments: list[str], code: int, line: str, *, run: Run
) -> None:
    """The organizations stay as they are."""
    before = run("org", "list").out
    ended = run("org", *arguments)
    assert (ended.code, ended.line[: len(line)]) == (code, line)
    assert run("org", "list").out == before


def test_deleting_is_for_good(run: Run) -> None:
    """The id of a deleted organization is never used again."""
    assert run("org", "delete", "acme", "--yes").out == "deleted organization `acme`\n"
    assert run("org", "list", "--json").json == []
    assert run("org", "create", "acme").code == 1


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("", 1)])
def test_on_a_terminal_deleting_is_asked_about(
    answer: str, code: int, *, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only yes deletes; no and the end of the input do not."""
    terminal = StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    assert run("org", "delete", "acme").code == code
    assert (run("org", "show", "acme").code == 0) == (code == 1)


def test_a_change_is_told_to_programs(run: Run) -> None:
    """The outcome, the organization, and the revision where there still is one."""
    created = {"outcome": "accepted", "organization": "new", "revision": 0}
    assert run("org", "create", "new", "--json").json == created
    deleted = run("org", "delete", "new", "--yes", "--json").json
    assert deleted == {**created, "revision": None}
