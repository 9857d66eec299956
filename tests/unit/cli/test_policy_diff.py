"""`grantproof policy diff`: two sides, four forms of the answer, and what the exit codes mean."""

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run

POLICY = """\
apiVersion: grantproof/v1
kind: Organization
id: shop
kinds: [{id: document}]
principals: [{id: ann}, {id: bob}]
roles: [{id: viewer}]
resources: [{id: plan, kind: document}]
claims:
  - id: c1
    role: viewer
    action: read
    resource: plan
    constraints: [{type: time_window, start: 9, end: 17}]
assignments: [{principal: ann, role: viewer}]
"""


@pytest.fixture
def old(tmp_path: Path) -> str:
    """A policy file."""
    return written(tmp_path / "old.yaml", POLICY)


@pytest.fixture
def new(tmp_path: Path) -> str:
    """The policy with longer hours."""
    return written(tmp_path / "new.yaml", POLICY.replace("end: 17", "end: 20"))


def written(path: Path, text: str) -> str:
    """The path of a file that holds the text."""
    path.write_text(text)
    return str(path)


def test_the_same_policy_is_equal(run: Run, old: str) -> None:
    """Exit code 0, in every form; no database is opened for files."""
    assert (run("policy", "diff", old, old).out) == "both allow the same\n"
    told = run("policy", "diff", old, old, "--json")
    assert (told.code, told.json["verdict"], told.json["gains"]) == (0, "equal", [])


def test_a_gain_is_shown_with_an_example(run: Run, old: str, new: str) -> None:
    """Who, what, on which, in which context, by which claim, and why not before."""
    ended = run("policy", "diff", old, new)
    assert ended.code == 1
    first, _, heading, row = ended.out.splitlines()
    assert first == "the new state allows more: 1 request gained"
    assert heading.split() == ["GAINS", "ACTION", "RESOURCE", "EXAMPLE", "BECAUSE"]
    assert row.split()[:5] == ["ann", "read", "plan", "ann", "at"]
    assert "now by claim c1 (viewer); before denied: time window 9-17 does not hold" in row


def test_programs_get_everything(run: Run, old: str, new: str) -> None:
    """The scope, the request that stands for it, its context, certificate and reason."""
    told = run("policy", "diff", old, new, "--json").json
    (gain,) = told["gains"]
    assert told["gained"] == {"classes": 1, "requests": 1}
    assert (gain["principals"], gain["actions"], gain["other_actions"]) == (
        ["ann"],
        ["read"],
        False,
    )
    assert gain["resources"] == [{"resource_id": "plan", "resource_kind": None}]
    assert gain["example"]["principal_id"] == "ann"
    assert gain["context"]["hour"] in range(17, 20)
    assert gain["certificate"]["claim"]["id"] == "c1"
    assert gain["reason_code"] == "constraint_failed"


def test_markdown_is_a_comment(run: Run, old: str, new: str) -> None:
    """A heading, where from and where to, and a table of who loses what."""
    ended = run("policy", "diff", new, old, "--markdown")
    lines = ended.out.splitlines()
    assert (ended.code, lines[0]) == (1, "### Access: the new state allows less")
    assert "#### Who loses what: 1 request in 1 class" in lines
    assert sum(line.startswith("| ann | read | plan | `ann read plan` |") for line in lines) == 1


def test_no_new_access_minds_gains_only(run: Run, old: str, new: str) -> None:
    """Exit code 1 when anything is gained, 0 when access is only lost."""
    codes = [
        run("policy", "diff", *both, "--no-new-access").code for both in ((old, new), (new, old))
    ]
    assert codes == [1, 0]


def test_a_limit_leaves_the_rest_counted(run: Run, old: str, tmp_path: Path) -> None:
    """`--all` shows it."""
    claims, assignments = POLICY.split("assignments")
    more = (
        f"{claims}  - {{id: c2, role: viewer, action: write, resource: plan}}\n"
        "  - id: c3\n    role: viewer\n    action: share\n    resource: plan\n"
        "    constraints: [{type: rate_limit, per_minute: 5}]\n"
        f"assignments{assignments}"
    )
    new = written(tmp_path / "more.yaml", more)
    assert "and 1 more: see --all or --limit" in run("policy", "diff", old, new, "--limit", "1").out
    assert len(run("policy", "diff", old, new, "--limit", "1", "--json").json["gains"]) == 1
    assert len(run("policy", "diff", old, new, "--all", "--json").json["gains"]) == 2


def test_what_is_stored_is_a_side_at_any_revision(run: Run, tmp_path: Path) -> None:
    """A file against the database, and the database against itself as it was."""
    exported = written(tmp_path / "acme.yaml", run("export", "acme").out)
    assert run("policy", "diff", exported, "org:acme").code == 0
    run("revoke", "alice", "viewer")
    assert run("policy", "diff", exported, "org:acme", "--json").json["verdict"] == "less"
    assert run("policy", "diff", "org:acme@1", "org:acme", "--json").json["verdict"] == "less"
    assert run("policy", "diff", "org:acme@2", "org:acme").code == 0


def test_another_time_zone_is_said(run: Run, old: str, tmp_path: Path) -> None:
    """Decisions at an hour do not show it, so it is told apart."""
    there = written(tmp_path / "there.yaml", POLICY + "time_zone: Europe/Paris\n")
    ended = run("policy", "diff", old, there)
    assert (ended.code, ended.out) == (0, "both allow the same\n")
    assert "the time zone was `UTC` and is `Europe/Paris`" in ended.err


def test_what_cannot_be_read_is_told(run: Run, old: str, tmp_path: Path) -> None:
    """One line each, with exit code 2 for what was typed or written, 1 for what is not there."""
    broken = written(tmp_path / "broken.yaml", POLICY.replace("role: viewer\n", "role: vewer\n"))
    wrong: dict[int, list[tuple[str, ...]]] = {
        2: [("missing.yaml", old), (old, broken), ("-", "-"), (old, old, "--json", "--markdown")],
        1: [(old, "org:nobody"), (old, "org:acme@99")],
    }
    for code, calls in wrong.items():
        for call in calls:
            ended = run("policy", "diff", *call)
            assert (ended.code, ended.line != "") == (code, True), call


def test_what_an_organization_refuses_is_no_side(run: Run, old: str, tmp_path: Path) -> None:
    """A policy that reads well and that no organization could have."""
    refused = POLICY.replace(
        "roles: [{id: viewer}]",
        "roles: [{id: viewer}, {id: head}]\nsod_sets: [{id: s, roles: [viewer, head], n: 2}]",
    ).replace("role: viewer}]", "role: viewer}, {principal: ann, role: head}]")
    ended = run("policy", "diff", old, written(tmp_path / "refused.yaml", refused))
    assert ended.code == 2
    assert "refused.yaml:15:47: assignments[1]: separation of duty" in ended.line
