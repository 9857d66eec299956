"""`grantproof policy apply`: the plan, whoever is asked, and the one change that is made of it."""

import json
import os
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from grantproof.cli import plan, policy_apply
from grantproof.cli.local import LocalOperator
from grantproof.core.commands.language import CreatePrincipal
from grantproof.core.identifiers import PrincipalId
from grantproof.policyfile.differing import ROWS
from tests.unit.cli.conftest import Run, Written

Revision = Callable[[], int]


@pytest.fixture
def exported(run: Run) -> str:
    """The demo organization as a file, to be changed."""
    return run("export", "acme").out


def edited(exported: str) -> str:
    """The demo with a principal more, and bob suspended."""
    assert "- id: bob\n- id: carol\n" in exported
    return exported.replace(
        "- id: bob\n- id: carol\n", "- id: bob\n  active: false\n- id: carol\n- id: dora\n", 1
    )


def test_what_is_as_it_should_be_takes_no_change(
    run: Run, exported: str, written: Written, revision: Revision
) -> None:
    """Code 0, and no revision is spent on it."""
    before = revision()
    ended = run("policy", "apply", written(exported), "--yes")
    assert (ended.code, ended.out) == (
        0,
        f"organization `acme`, revision {before}: nothing to do\n",
    )
    told = run("policy", "apply", written(exported), "--yes", "--json").json
    assert (told["outcome"], told["revision"], revision()) == ("unchanged", before, before)


def test_a_plan_is_shown_and_made_as_one_change(
    run: Run, exported: str, written: Written, revision: Revision
) -> None:
    """However many facts differ, the organization moves by one revision; then nothing is left."""
    before, name = revision(), written(edited(exported))
    ended = run("policy", "apply", name, "--yes", "--reason", "spring cleaning")
    assert ended.out == (
        f"organization `acme`, revision {before}: 0 removed, 1 edited, 1 added\n"
        "~ principal bob: active -> suspended\n"
        "+ principal dora: active\n"
        "the new state allows less: 3 requests lost\n"
        "loses: bob read docs, reports\n"
        "loses: bob write docs\n"
        f"applied (acme, revision {before + 1})\n"
    )
    assert revision() == before + 1
    assert "nothing to do" in run("policy", "apply", name, "--yes").out
    assert run("export", "acme").out == edited(exported)
    assert "spring cleaning" in run("audit", "export", "--format", "jsonl").out


def test_a_resource_can_become_another_kind_with_all_that_rests_on_it(
    run: Run, exported: str, written: Written
) -> None:
    """The kind that it had may go with it; stored rows and events stay sound, and agree."""
    assert "- id: document\n" in exported
    assert "  kind: document\n" in exported
    text = exported.replace("- id: document\n", "- id: page\n").replace(
        "  kind: document\n", "  kind: page\n"
    )
    ended = run("policy", "apply", written(text), "--yes")
    assert ended.out.splitlines()[1:5] == [
        "- kind document",
        "~ resource docs: document -> page",
        "~ resource reports: document -> page",
        "+ kind page",
    ]
    assert run("export", "acme").out == text
    assert run("db", "check").code == 0
    assert run("audit", "verify").code == 0


def test_a_dry_run_changes_nothing(
    run: Run, exported: str, written: Written, revision: Revision
) -> None:
    """It says what would be done; to programs in facts."""
    before, name = revision(), written(edited(exported))
    ended = run("policy", "apply", name, "--dry-run")
    assert "+ principal dora: active\nthe new state allows less" in ended.out
    assert ended.out.endswith("nothing was changed\n")
    told = run("policy", "apply", name, "--dry-run", "--json").json
    assert (told["outcome"], told["revision"]) == ("planned", before)
    dora = {"type": "Principal", "id": "dora", "active": True, "attributes": {}}
    bob = dora | {"id": "bob"}
    assert told["plan"] == {
        "removed": [],
        "edited": [{"before": bob, "after": bob | {"active": False}}],
        "added": [dora],
    }
    assert revision() == before


def test_programs_are_told_what_was_applied(
    run: Run, exported: str, written: Written, revision: Revision
) -> None:
    """With the revision that came of it."""
    told = run("policy", "apply", written(edited(exported)), "--yes", "--json").json
    assert (told["outcome"], told["revision"]) == ("accepted", revision())
    assert len(told["plan"]["added"]) == 1


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_who_cannot_be_asked_must_have_agreed(
    more: list[str], *, run: Run, exported: str, written: Written, revision: Revision
) -> None:
    """In a pipe there is nobody to ask, and one JSON value asks nothing."""
    before = revision()
    ended = run("policy", "apply", written(edited(exported)), *more)
    assert (ended.code, ended.line) == (
        2,
        "nobody can be asked to agree to the plan: give --yes, or --dry-run to see it",
    )
    assert revision() == before


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("", 1)])
def test_on_a_terminal_the_plan_is_asked_about(
    answer: str,
    code: int,
    *,
    run: Run,
    exported: str,
    written: Written,
    revision: Revision,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only yes applies it; the plan is shown before."""
    before, terminal = revision(), StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    ended = run("policy", "apply", written(edited(exported)))
    assert ended.code == code
    assert "+ principal dora: active\n" in ended.out
    assert revision() == before + (code == 0)


def test_a_plan_that_has_gone_stale_is_not_applied(
    run: Run, exported: str, written: Written, revision: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What somebody else changed meanwhile is not undone unseen, even where both could stand."""
    shown = policy_apply.Plan.show

    def meanwhile(plan: policy_apply.Plan) -> None:
        with LocalOperator(None, "acme", json=False) as other:
            other.change(other.organization, CreatePrincipal(PrincipalId("zoe")))
        shown(plan)

    before = revision()
    monkeypatch.setattr(policy_apply.Plan, "show", meanwhile)
    ended = run("policy", "apply", written(edited(exported)), "--yes")
    assert ended.code == 3
    assert ended.err == (
        f"organization `acme` has changed meanwhile, it is at revision {before + 1} now,"
        " nothing was changed by this: run it again\n"
    )
    assert revision() == before + 1


def test_a_plan_that_would_be_refused_is_not_asked_about(
    run: Run, exported: str, written: Written, revision: Revision
) -> None:
    """The witness is that of any other change; with --dry-run too."""
    before = revision()
    bad = exported + "- principal: carol\n  role: submitter\n"
    for flag in ("--yes", "--dry-run"):
        ended = run("policy", "apply", written(bad), flag)
        assert ended.code == 1
        assert "separation of duty: submitter conflicts with finance" in ended.line
    told = run("policy", "apply", written(bad), "--yes", "--json").json
    assert (told["outcome"], told["code"]) == ("refused", "breaks_sod")
    assert revision() == before


def test_the_last_administrator_stays(run: Run, written: Written) -> None:
    """Files that name nobody who may administer would lock everybody out."""
    run("org", "create", "lone", "--administrator", "root")
    text = run("export", "lone").out
    bare = text.split("principals:", maxsplit=1)[0]
    ended = run("policy", "apply", written(bare), "--yes")
    assert ended.code == 1
    assert "administrator" in ended.line
    assert run("export", "lone").out == text


def test_a_missing_organization_is_made_when_asked(
    run: Run, exported: str, written: Written
) -> None:
    """Under the name that the file has, or the one that --org gives."""
    name = written(exported)
    ended = run("policy", "apply", name, "--org", "fresh", "--yes")
    assert (ended.code, ended.line) == (
        1,
        "organization `fresh` does not exist: make it with --create",
    )
    shown = run("policy", "apply", name, "--org", "fresh", "--create", "--dry-run")
    assert shown.out.startswith("organization `fresh`, to be made: 0 removed, 0 edited, ")
    assert run("org", "show", "fresh").code == 1
    made = run("policy", "apply", name, "--org", "fresh", "--create", "--yes")
    assert made.out.endswith("applied (fresh, revision 1)\n")
    assert run("export", "fresh").out == exported.replace("acme", "fresh", 1)


def test_an_empty_organization_can_be_made(run: Run, written: Written) -> None:
    """With the time zone of its file, at revision 0; an id that was used is not used again."""
    name = written(
        "apiVersion: grantproof/v1\nkind: Organization\nid: bare\ntime_zone: Asia/Tokyo\n"
    )
    made = run("policy", "apply", name, "--create", "--yes")
    assert made.out.endswith("applied (bare, revision 0)\n")
    assert run("org", "show", "bare", "--json").json["time_zone"] == "Asia/Tokyo"
    run("org", "delete", "bare", "--yes")
    gone = run("policy", "apply", name, "--create", "--yes")
    assert gone.code == 1
    assert "an id is never used again" in gone.err


def test_a_dry_run_makes_no_database(
    run: Run, exported: str, written: Written, tmp_path: Path
) -> None:
    """With --create it is planned for nothing; without, there is nothing to plan for."""
    name, place = written(exported), tmp_path / "new.db"
    options = ["policy", "apply", name, "--database", str(place), "--dry-run"]
    assert run(*options, "--create").code == 0
    assert run(*options).code == 3
    assert not place.exists()


def test_a_time_zone_cannot_be_changed(
    run: Run, exported: str, written: Written, revision: Revision
) -> None:
    """No command does that, so nothing is even planned."""
    before = revision()
    text = exported.replace("id: acme\n", "id: acme\ntime_zone: Asia/Tokyo\n", 1)
    ended = run("policy", "apply", written(text), "--yes")
    assert ended.code == 1
    assert ended.line.startswith("time_zone: cannot be changed from `UTC` to `Asia/Tokyo`")
    assert revision() == before


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("kind: Organization", "policy.yaml:1:1: apiVersion: is required"),
        ("[", "policy.yaml:1:2: not YAML: "),
        (
            "apiVersion: grantproof/v1\nkind: Organization\nid: a\ntime_zone: Mars\n",
            "policy.yaml:4:12: time_zone: must be an IANA name",
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(
    text: str, line: str, *, run: Run, written: Written
) -> None:
    """Code 2, before any database is looked at."""
    ended = run("policy", "apply", written(text), "--yes")
    assert (ended.code, ended.out) == (2, "")
    assert line in ended.err


def test_tests_beside_the_policy_are_no_part_of_it(run: Run, exported: str, tmp_path: Path) -> None:
    """A folder is read for its policy files only."""
    folder = tmp_path / "policy"
    (folder / ".git").mkdir(parents=True)
    (folder / "acme.yaml").write_text(exported)
    (folder / "acme_test.yaml").write_text("no policy at all")
    (folder / ".git" / "old.yaml").write_text("nor this")
    (folder / "notes.txt").write_text("nor this")
    assert run("policy", "apply", str(folder), "--dry-run").code == 0


def test_lines_are_coloured_on_a_terminal(
    run: Run, exported: str, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes is red, what is edited yellow, what comes green; never against NO_COLOR."""
    text = edited(exported)
    monkeypatch.setattr(sys.stdout.__class__, "isatty", lambda _: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = run("policy", "apply", written(text), "--dry-run").out
    assert "\x1b[33m~ principal bob: active -> suspended\x1b[0m" in shown
    assert "\x1b[32m+ principal dora: active\x1b[0m" in shown
    monkeypatch.setitem(os.environ, "NO_COLOR", "1")
    assert "\x1b[" not in run("policy", "apply", written(text), "--dry-run").out


def test_every_fact_that_can_be_in_a_plan_has_words() -> None:
    """And a document, which the JSON form is made of."""
    assert set(plan.WORDS) == {row.fact for row in ROWS}


def test_every_type_of_fact_is_told_in_words(run: Run, written: Written) -> None:
    """A plan from nothing to an organization with one of everything."""
    document = json.dumps(
        {
            "apiVersion": "grantproof/v1",
            "kind": "Organization",
            "id": "all",
            "kinds": [{"id": "doc"}],
            "principals": [{"id": "ann", "attributes": {"level": 3}}],
            "groups": [{"id": "staff"}, {"id": "all"}],
            "roles": [{"id": "low"}, {"id": "high", "parents": ["low"]}],
            "resources": [{"id": "a", "kind": "doc"}, {"id": "b", "kind": "doc", "parent": "a"}],
            "claims": [{"id": "c", "role": "low", "action": "*", "resource": "a/**"}],
            "sod_sets": [{"id": "s", "roles": ["low", "high"], "n": 2, "mode": "dynamic"}],
            "memberships": [{"principal": "ann", "group": "staff"}],
            "nestings": [{"group": "staff", "container": "all"}],
            "assignments": [
                {"principal": "ann", "role": "low", "from": 0, "until": 60},
                {"group": "all", "role": "high"},
            ],
        }
    )
    shown = run("policy", "apply", written(document), "--create", "--dry-run").out
    assert shown.splitlines()[1:-2] == [
        "+ kind doc",
        "+ resource a: doc",
        "+ resource b: doc in a",
        "+ group all",
        "+ group staff",
        "+ role high",
        "+ role low",
        "+ principal ann: active, level=3",
        "+ separation-of-duty set s: dynamic, forbids 2 of high, low",
        "+ claim c: role low may * a/**",
        "+ role high inherits from role low",
        "+ group staff in group all",
        "+ principal ann in group staff",
        "+ principal ann holds role low: from 1970-01-01T00:00:00Z until 1970-01-01T00:01:00Z",
        "+ group all holds role high: always",
    ]
