"""`grantproof principal join|move|leave`: each is one change, shown before it is made."""

import sys
from collections.abc import Callable
from io import StringIO

import pytest

from tests.unit.cli.conftest import Run

Revision = Callable[[], int]

EDITOR = "editor --until 2027-01-01T00:00:00Z"
MOVES = "principal move {} --to-role {}"


def told(run: Run, *command: str) -> str:
    """What a command prints that does what was asked."""
    ended = run(*command)
    assert (ended.code, ended.err) == (0, "")
    return ended.out


def test_somebody_joins_in_one_change(run: Run, revision: Revision) -> None:
    """With attributes, groups, and roles for a time."""
    told(run, "group", "create", "staff")
    before = revision()
    command = f"principal join dora -a level=3 --group staff --role viewer --role {EDITOR} --yes"
    out = told(run, *command.split())
    assert out.splitlines()[:5] == [
        f"organization `acme`, revision {before}: 0 removed, 0 edited, 4 added",
        "+ principal dora: active, level=3",
        "+ principal dora in group staff",
        "+ principal dora holds role editor: until 2027-01-01T00:00:00Z",
        "+ principal dora holds role viewer: until 2027-01-01T00:00:00Z",
    ]
    assert "gains: dora read docs, reports" in out
    assert out.endswith(f"principal `dora` has joined (acme, revision {before + 1})\n")
    assert revision() == before + 1


@pytest.mark.parametrize(
    ("command", "code", "line"),
    [
        ("join alice", 1, "principal `alice` exists already"),
        ("join dora --group nope", 1, "group `nope` does not exist"),
        ("join dora --role finance --role submitter", 1, "separation of duty: "),
        ("join d*", 2, "`principal_id` must match "),
        ("move carol --to-role submitter", 1, "separation of duty: submitter conflicts with "),
        ("move carol --from-role viewer", 1, "assignment `viewer` of `carol` does not exist"),
        ("move nope --from-all", 1, "principal `nope` does not exist"),
        ("move carol", 2, "say from where or to where: --from-group, "),
        ("move carol --from-all --from-role x", 2, "--from-all names every group and role: "),
        ("leave nope", 1, "principal `nope` does not exist"),
    ],
)
@pytest.mark.parametrize("consent", ["--yes", "--dry-run"])
def test_what_cannot_be_is_refused_as_a_whole(
    command: str, code: int, line: str, *, consent: str, run: Run, revision: Revision
) -> None:
    """With its witness, and before anybody is asked."""
    before = revision()
    ended = run("principal", *command.split(), consent)
    assert (ended.code, ended.line[: len(line)], revision()) == (code, line, before)


def test_somebody_moves_without_a_breach_on_the_way(run: Run, revision: Revision) -> None:
    """From a role to another that separation of duty keeps apart from it, as one change."""
    before = revision()
    command = [*MOVES.format("carol", "submitter").split(), "--from-role", "finance"]
    shown = told(run, *command, "--dry-run")
    assert shown.splitlines() == [
        f"organization `acme`, revision {before}: 1 removed, 0 edited, 1 added",
        "- principal carol holds role finance: always",
        "+ principal carol holds role submitter: always",
        "both allow the same",
        "nothing was changed",
    ]
    assert revision() == before
    assert told(run, *command, "--yes").endswith(f"has moved (acme, revision {before + 1})\n")
    document = run(*command[:3], "--from-all", "--to-role", "viewer", "--yes", "--json").json
    assert (document["outcome"], document["revision"]) == ("accepted", before + 2)
    assert [fact["role"] for fact in document["plan"]["removed"]] == ["submitter"]
    assert document["effect"]["verdict"] == "more"


def test_what_is_in_both_places_stays(run: Run, revision: Revision) -> None:
    """A role that is held for another time than is wanted is given anew."""
    before = revision()
    move = [*MOVES.format("alice", "viewer").split(), "--from-all", "--yes"]
    assert "nothing to do" in told(run, *move)
    assert run(*move, "--json").json["outcome"] == "unchanged"
    assert revision() == before
    out = told(run, *move, "--until", "2027-01-01T00:00:00Z")
    assert "~ principal alice holds role viewer: always -> until 2027-01-01T00:00:00Z" in out


@pytest.mark.parametrize(
    ("option", "lines"),
    [
        ([], ["- principal bob holds role editor: always", "~ principal bob: active -> suspended"]),
        (["--delete"], ["- principal bob: active", "- principal bob holds role editor: always"]),
    ],
)
def test_somebody_leaves(
    option: list[str], lines: list[str], *, run: Run, revision: Revision
) -> None:
    """Suspended, or deleted, and all that was there is told."""
    before = revision()
    out = told(run, "principal", "leave", "bob", *option, "--yes")
    assert out.splitlines()[1:3] == lines
    assert "loses: bob write docs" in out
    assert out.endswith(f"principal `bob` has left (acme, revision {before + 1})\n")
    again = run("principal", "leave", "bob", *option, "--yes")
    if option:
        assert (again.code, again.line) == (1, "principal `bob` does not exist")
    else:
        assert "nothing to do" in again.out
    assert revision() == before + 1


@pytest.mark.parametrize("option", [[], ["--delete"]])
def test_the_last_administrator_does_not_leave(option: list[str], run: Run) -> None:
    """Nor is anything else of the change made."""
    told(run, "org", "create", "lone", "--administrator", "root")
    ended = run("--org", "lone", "principal", "leave", "root", *option, "--yes")
    assert ended.code == 1
    assert "administrator" in ended.line
    assert "administrator" in told(run, "--org", "lone", "principal", "show", "root")


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1)])
def test_on_a_terminal_it_is_asked_about(
    answer: str,
    code: int,
    *,
    run: Run,
    revision: Revision,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only yes makes it; where nobody can be asked, it must have been agreed to."""
    before = revision()
    assert run("principal", "leave", "bob").line.startswith("nobody can be asked to agree")
    terminal = StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    ended = run("principal", "leave", "bob")
    assert (ended.code, revision()) == (code, before + (code == 0))
    assert "~ principal bob: active -> suspended\n" in ended.out


def test_how_near_people_come_to_a_breach_is_told(run: Run) -> None:
    """Of each set: who holds how many, who must choose, and which roles nobody can use."""
    for line in (
        "role create both",
        "role add-parent both editor",
        "sod create office viewer submitter both --mode dynamic --n 2",
        "assign alice submitter",
    ):
        told(run, *line.split())
    assert told(run, "sod", "report").splitlines() == [
        "finance-or-submitter (static): forbids 2 of finance, submitter",
        "  2 principals hold 1 of them",
        "  one short of what is forbidden: alice (submitter), carol (finance)",
        "office (dynamic): forbids 2 of both, submitter, viewer",
        "  1 principal holds 1 of them",
        "  1 principal holds 2 of them",
        "  one short of what is forbidden: bob (viewer)",
        "  must choose for a session: alice (submitter, viewer)",
        "  roles that nobody can use: both",
    ]
    document = run("sod", "report", "--json").json
    assert [(one["sod_set"]["id"], one["over"]["count"]) for one in document] == [
        ("finance-or-submitter", 0),
        ("office", 1),
    ]
    for name in ("finance-or-submitter", "office"):
        told(run, "sod", "delete", name)
    assert told(run, "sod", "report") == "there is no separation-of-duty set\n"
