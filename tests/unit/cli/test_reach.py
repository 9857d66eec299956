"""`grantproof reach`: the worst sequence that is allowed, or that there is none."""

import time
from pathlib import Path

import pytest

from grantproof.analysis.reachability import collusion
from tests.unit.cli.conftest import Run

RULES = """Roles admin clerk chief ;
Users ann bob ;
UA <ann,admin> ;
CR <admin,clerk> ;
CA <admin,-chief,clerk> <admin,-clerk,chief> ;
Goal chief ;
"""


@pytest.fixture
def rules(tmp_path: Path) -> str:
    """A file of rules."""
    path = tmp_path / "rules.arbac"
    path.write_text(RULES, encoding="utf-8")
    return str(path)


@pytest.fixture
def desk(run: Run) -> None:
    """Alice, a viewer, may assign editors by the role of a help desk."""
    run("role", "create", "desk")
    run("claim", "create", "desk-editor", "desk", "assign", "role:editor")
    run("assign", "alice", "desk")


@pytest.mark.usefixtures("desk")
def test_reachable_is_a_violation_with_its_changes(run: Run) -> None:
    """Exit code 1, and who does what, in order."""
    ended = run("reach", "--by", "alice", "--principal", "carol", "--role", "editor")
    lines = ["reachable by 1 change, none shorter", "  1. alice: assign role editor to carol"]
    assert (ended.code, ended.out.splitlines()) == (1, lines)


@pytest.mark.usefixtures("desk")
def test_out_of_reach_is_told_with_its_proof(run: Run) -> None:
    """Exit code 0, and what they might come to give."""
    ended = run(
        "reach", "--by", "alice", "--by", "bob", "--principal", "alice", "--role", "finance"
    )
    assert (ended.code, ended.out.splitlines()[0]) == (0, "out of reach, by over-approximation")
    assert "  roles they may come to give: editor" in ended.out.splitlines()
    assert "  they never administer" in ended.out.splitlines()


@pytest.mark.usefixtures("desk")
def test_an_action_is_asked_about_in_its_context(run: Run) -> None:
    """Editors write from one region, which the request has to name; nothing says so of another."""
    asked = ("reach", "--by", "alice", "--action", "write", "--resource", "docs")
    allowed = run(*asked, "--region", "us-east-1")
    assert (allowed.code, allowed.out.splitlines()[1]) == (
        1,
        "  1. alice: assign role editor to alice",
    )
    elsewhere = run(*asked, "--region", "eu-west-1")
    assert elsewhere.code == 0
    assert "  holds in this context; checked" in elsewhere.out.splitlines()


@pytest.mark.usefixtures("desk")
def test_programs_get_the_commands(run: Run) -> None:
    """As the documents that a change set takes, each with its author."""
    ended = run("reach", "--by", "alice", "--role", "editor", "--json")
    assert ended.json == {
        "verdict": "reachable",
        "shortest": True,
        "steps": [
            {
                "author": "alice",
                "command": {
                    "type": "AssignRole",
                    "principal": "alice",
                    "role": "editor",
                    "validity": {"from": None, "until": None},
                },
            }
        ],
    }
    out = run("reach", "--by", "alice", "--role", "finance", "--json")
    assert out.json == {
        "verdict": "unreachable",
        "how": "over-approximation",
        "evidence": {"givable": ["editor"], "structural": False, "timeless": True},
    }


def test_what_is_so_now_is_reachable(run: Run) -> None:
    """By no change at all."""
    ended = run("reach", "--by", "alice", "--role", "viewer")
    assert (ended.code, ended.out) == (1, "reachable: it is so now\n")


def test_undetermined_is_neither(run: Run) -> None:
    """Exit code 3: who administers may do more than is searched."""
    run("role", "create", "desk")
    run("claim", "create", "a", "desk", "administer", "role:viewer")
    run("claim", "create", "d", "desk", "delegate", "role:finance")
    run("assign", "alice", "desk")
    asked = ("reach", "--by", "alice", "--principal", "carol", "--action", "erase")
    ended = run(*asked, "--resource", "docs")
    assert (ended.code, ended.out.startswith("undetermined: ")) == (3, True)
    told = run(*asked, "--resource", "docs", "--json")
    assert (told.code, told.json["verdict"]) == (3, "undetermined")


@pytest.mark.usefixtures("desk")
def test_without_an_answer_in_time_nothing_is_claimed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3: the search is made apart, within the limits that the settings say."""
    asked = ("reach", "--by", "alice", "--role", "editor")
    monkeypatch.setattr(collusion, "collude", lambda *_: time.sleep(60))
    monkeypatch.setenv("GRANTPROOF_SOLVER_SECONDS_MAX", "0.1")
    ended = run(*asked)
    assert (ended.code, ended.out) == (3, "undetermined: no answer in 0.1 s\n")
    told = run(*asked, "--json")
    assert (told.code, told.json) == (3, {"verdict": "undetermined", "why": "no answer in 0.1 s"})


def test_rules_of_a_file_are_asked(run: Run, rules: str) -> None:
    """Its goal, or another role, or of one user alone."""
    ended = run("reach", "--arbac", rules)
    lines = ["reachable by 1 change, none shorter", "  1. ann: assign role chief to bob"]
    assert (ended.code, ended.out.splitlines()) == (1, lines)
    own = run("reach", "--arbac", rules, "--role", "admin", "--principal", "bob")
    lines = ["out of reach, by over-approximation"]
    assert (own.code, own.out.splitlines()[:1]) == (0, lines)
    assert run("reach", "--arbac", rules, "--role", "admin", "--principal", "bob", "--json").json[
        "evidence"
    ]["goal_user"] == [{"held": ["admin"], "unheld": []}]


def test_a_file_that_cannot_be_read_is_told_by_line_and_column(run: Run, tmp_path: Path) -> None:
    """Every problem on a line of its own; what is not there is one line."""
    path = tmp_path / "bad.arbac"
    path.write_text(RULES.replace("<ann,admin>", "<eve,admin>"), encoding="utf-8")
    ended = run("reach", "--arbac", str(path))
    assert (ended.code, ended.line) == (2, f"{path}:3:4: user `eve` is not declared")
    gone = run("reach", "--arbac", str(tmp_path / "gone"))
    assert gone.line == f"the file `{tmp_path / 'gone'}` cannot be read: no such file or directory"
    path.write_bytes(b"\xff")
    assert run("reach", "--arbac", str(path)).line == f"the file `{path}` is not UTF-8"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "nobody to act: name them with --by, or a file of rules with --arbac"),
        (["--by", "alice"], "ask for one thing: --role, or --action with --resource"),
        (
            ["--by", "alice", "--role", "viewer", "--action", "read", "--resource", "docs"],
            "ask for one thing: --role, or --action with --resource",
        ),
        (
            ["--by", "alice", "--action", "read"],
            "ask for one thing: --role, or --action with --resource",
        ),
        (
            ["--by", "alice", "--by", "bob", "--role", "viewer"],
            "several act: name the one it is for with --principal",
        ),
        (
            ["--by", "alice", "--role", "viewer", "--kind", "document"],
            "--kind goes with --action and --resource",
        ),
        (
            ["--by", "nobody", "--role", "viewer"],
            "principal `nobody` does not exist: nobody to ask about",
        ),
        (["--by", "alice", "--role", "none"], "role `none` does not exist: nothing to ask about"),
        (
            ["--by", "alice", "--action", "read", "--resource", "none"],
            "resource `none` is unknown: name it, or its declared --kind, as it is",
        ),
        (
            ["--arbac", "x", "--by", "alice"],
            "--arbac asks a file: it goes with --role and --principal alone",
        ),
        (["--by", "alice", "--role", "viewer", "--hour", "24"], "`hour` must be between 0 and 23"),
    ],
)
def test_what_is_no_question_is_one_line(arguments: list[str], line: str, run: Run) -> None:
    """Exit code 2: a question that cannot be asked is never answered by "out of reach"."""
    ended = run("reach", *arguments)
    assert (ended.code, ended.line) == (2, line)


def test_a_role_or_a_user_that_a_file_lacks_is_no_question(run: Run, rules: str) -> None:
    """They are told by the name of the file."""
    ended = run("reach", "--arbac", rules, "--role", "none")
    assert (ended.code, ended.line) == (2, f"{rules} declares no role `none`")
    ended = run("reach", "--arbac", rules, "--principal", "none")
    assert (ended.code, ended.line) == (2, f"{rules} declares no user `none`")


def test_asking_changes_nothing(run: Run, revision: object) -> None:
    """Whatever the answer is."""
    assert callable(revision)
    before = revision()
    run("reach", "--by", "alice", "--role", "finance")
    assert revision() == before
