"""`grantproof assign` and `revoke`: who holds which role, and the witness when they may not."""

import sys

import pytest

from tests.unit.cli.conftest import Run

REASON = (
    "separation of duty: submitter conflicts with finance: `carol` would hold 2 roles of"
    " `finance-or-submitter`"
)


def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the standard error be a terminal."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)


def test_a_breach_of_separation_of_duty_is_one_line(run: Run) -> None:
    """Code 1; the line names the set, both roles and how each is held."""
    ended = run("assign", "carol", "submitter")
    assert (ended.code, ended.line) == (1, f"{REASON} (submitter; finance)")
    assert run("principal", "show", "carol", "--json").json["effective_roles"] == ["finance"]


def test_on_a_terminal_the_witness_is_a_tree(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the line: who, each role with its path, and the set."""
    run("role", "create", "clerk", "--parent", "submitter")
    run("group", "create", "staff")
    run("group", "add", "staff", "carol")
    on_a_terminal(monkeypatch)
    ended = run("assign", "staff", "clerk", "--group")
    line, *tree = ended.err.splitlines()
    assert line.startswith(REASON)
    assert [branch.strip("│├└─ ") for branch in tree] == [
        "principal carol would hold",
        "role submitter",
        "through group staff -> clerk -> submitter",
        "role finance",
        "assigned directly",
        "separation-of-duty set finance-or-submitter forbids 2 of its roles together",
    ]


def test_for_programs_the_witness_is_json(run: Run) -> None:
    """The set, the roles and the paths, in the fields of HTTP."""
    ended = run("assign", "carol", "submitter", "--from", "3000000000", "--json")
    assert ended.code == 1
    told = ended.json
    witness = told.pop("witness")
    assert told == {"outcome": "refused", "code": "breaks_sod", "error": ended.err.rstrip()}
    assert witness == {
        "kind": "breaks_sod",
        "sod_set": "finance-or-submitter",
        "n": 2,
        "principal": "carol",
        "instant": 3_000_000_000,
        "held": [
            {"groups": [], "roles": ["submitter"]},
            {"groups": [], "roles": ["finance"]},
        ],
        "roles": ["submitter", "finance"],
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("role delete editor", ["role editor is referred to by", "parent", "claim editor-write"]),
        ("role delete finance", ["role finance is named by", "finance-or-submitter"]),
        ("role add-parent viewer editor", ["role cycle", "viewer", "editor", "viewer"]),
        ("role create viewer", []),
    ],
)
def test_each_witness_that_says_more_than_the_line_is_a_tree(
    arguments: str, told: list[str], *, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the line says it all there is no tree."""
    on_a_terminal(monkeypatch)
    ended = run(*arguments.split())
    tree = [branch.strip("│├└─ ") for branch in ended.err.splitlines()[1:]]
    assert ended.code == 1
    assert bool(tree) == bool(told)
    assert all(any(branch.startswith(one) for branch in tree) for one in told)


def test_a_group_can_be_assigned_and_revoked(run: Run) -> None:
    """With --group the first argument names a group."""
    run("group", "create", "staff")
    assert run("assign", "staff", "viewer", "--group").out.startswith("group `staff` holds")
    assert run("revoke", "staff", "viewer", "--group").out.startswith("group `staff` no longer")


def test_an_assignment_lasts_as_long_as_it_says(run: Run) -> None:
    """Before its start and after its end the role does not count."""
    run("assign", "alice", "editor", "--from", "2100-01-01T00:00:00Z")
    run("assign", "carol", "editor", "--until", "2000-01-01T00:00:00Z")
    for name, roles in (("alice", ["viewer"]), ("carol", ["finance"])):
        shown = run("principal", "show", name, "--json").json
        assert shown["effective_roles"] == roles
