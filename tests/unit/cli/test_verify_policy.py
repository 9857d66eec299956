"""`grantproof verify PATH`: what each stage finds, the forms of the report, the exit codes."""

import json
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from grantproof.analysis.formulas import Formula
from grantproof.analysis.guardrails import Inquiry
from grantproof.analysis.solving import Solution, Span, Undetermined
from grantproof.service import verification
from tests.unit.analysis.baffled import Baffled
from tests.unit.cli.conftest import Ended, Run

POLICY = """\
apiVersion: grantproof/v1
kind: Organization
id: shop
kinds: [{id: document}]
principals: [{id: ann}, {id: bob}]
roles: [{id: viewer}]
resources: [{id: plan, kind: document}]
guardrails:
  - id: keep
    type: forbidden
    access: {action: delete, resource: "*"}
claims:
  - id: c1
    role: viewer
    action: read
    resource: plan
    constraints: [{type: time_window, start: 9, end: 17}]
assignments: [{principal: ann, role: viewer}]
"""
TESTS = """\
apiVersion: grantproof/v1
kind: PolicyTest
context: {instant: "2026-01-30T09:30:00Z"}
cases:
  - name: ann reads
    request: {principal: ann, action: read, resource: plan}
    expect: Allow
  - name: bob <b>reads</b>
    request: {principal: bob, action: read, resource: plan}
    expect: Deny
"""
DELETES = POLICY.replace(
    "assignments:", "  - {id: c2, role: viewer, action: delete, resource: plan}\nassignments:"
)
LONGER = POLICY.replace("end: 17", "end: 20")


class GivingUp(Baffled):
    """Does not guess, either."""

    def decide(self, formula: Formula) -> Solution:
        """Return that it is not known."""
        return self.solve(formula, Span(0))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a policy and its tests in `policy`."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "policy"
    folder.mkdir()
    (folder / "shop.yaml").write_text(POLICY)
    (folder / "shop_test.yaml").write_text(TESTS)
    (tmp_path / "base.yaml").write_text(POLICY)
    return folder


def stages(ended: Ended) -> dict[str, str]:
    """What came of each stage, by its name."""
    return {one["name"]: one["outcome"] for one in ended.json["stages"]}


def findings(ended: Ended, stage: str) -> list[dict[str, Any]]:
    """What a stage found, apart from what is as it should be."""
    (found,) = (one["findings"] for one in ended.json["stages"] if one["name"] == stage)
    return [one for one in found if one["level"] != "ok"]


def test_a_policy_without_fault_passes(run: Run, shop: Path) -> None:
    """A line for each stage: what it looked at, and what it did not."""
    ended = run("verify", shop.name, "--base", "base.yaml")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "check       passed: organization `shop` in 1 file: no problems",
        "test        passed: 2 passed, 0 failed; 1 of 1 claims exercised; 1 of 1 roles exercised",
        "guardrails  passed: 1 of 1 hold",
        "diff        passed: both allow the same",
        "warnings    passed: 0 warnings",
    ]


def test_what_is_not_there_is_not_run(run: Run, shop: Path) -> None:
    """Without tests, guardrails and a base nothing of them is claimed to have passed."""
    (shop / "shop_test.yaml").unlink()
    text = POLICY.replace("guardrails:\n  - id: keep\n    type: forbidden\n", "")
    (shop / "shop.yaml").write_text(
        text.replace('    access: {action: delete, resource: "*"}\n', "")
    )
    ended = run("verify", "policy", "--json")
    never = {"test": "not run", "guardrails": "not run", "diff": "not run"}
    assert (ended.code, stages(ended)) == (0, {"check": "passed", **never, "warnings": "passed"})


def test_a_problem_ends_it(run: Run, shop: Path) -> None:
    """With its file, line and column; code 1, and nothing else is looked at."""
    (shop / "shop.yaml").write_text(POLICY.replace("role: viewer\n", "role: vewer\n"))
    ended = run("verify", "policy")
    assert ended.code == 1
    place = "policy/shop.yaml:14:11: error: claims[0].role: "
    assert ended.out.splitlines()[1].startswith(place)
    assert ended.out.count("not run: the policy has to be put right first") == 4


def test_what_cannot_be_read_is_worse(run: Run, shop: Path) -> None:
    """Code 2, though another file has a problem too; the reason stands at its line."""
    (shop / "shop.yaml").write_text("id: [")
    (shop / "broken.yaml").write_bytes(b"id: a\n# \xff\n")
    (shop / "bad_test.yaml").write_bytes(b"\xff")
    ended = run("verify", "policy", "missing", "--json")
    assert (ended.code, ended.json["outcome"]) == (2, "unreadable")
    found = [(one["file"], one["line"]) for one in findings(ended, "check")]
    assert found == [("policy/broken.yaml", 2), ("missing", 1), ("policy/bad_test.yaml", 1)]


def test_a_failing_test_is_told_where_it_stands(run: Run, shop: Path) -> None:
    """With what was expected and what was answered; a file of tests with a problem fails too."""
    (shop / "shop_test.yaml").write_text(TESTS.replace("expect: Allow", "expect: Deny"))
    ended = run("verify", "policy", "--json")
    (one,) = findings(ended, "test")
    assert (ended.code, one["file"], one["line"]) == (1, "policy/shop_test.yaml", 5)
    assert one["message"] == "ann reads: Allow, expected Deny"
    assert one["details"] == ["expected: Deny", "actual: Allow, claim `c1`"]
    (shop / "shop_test.yaml").write_text(TESTS.replace("principal: ann", "principal: nobody"))
    ended = run("verify", "policy", "--json")
    (one,) = findings(ended, "test")
    assert (ended.code, one["rule"], one["line"]) == (1, "policy-test-file", 6)


def test_a_broken_guardrail_comes_with_its_counterexample(run: Run, shop: Path) -> None:
    """At the guardrail, with the request, the claim and the context; programs get the evidence."""
    (shop / "shop.yaml").write_text(DELETES)
    ended = run("verify", "policy", "--json")
    (one,) = findings(ended, "guardrails")
    assert (ended.code, one["file"], one["line"]) == (1, "policy/shop.yaml", 9)
    assert one["message"] == "guardrail `keep` forbids that `ann` may delete `plan` by claim `c2`"
    assert one["details"][0].startswith("ann delete plan: by claim c2 (viewer) at ")
    assert one["evidence"]["requests"][0]["certificate"]["claim"]["id"] == "c2"


def test_what_is_not_known_is_no_pass(
    run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code 3, and 1 when something is known to be wrong besides."""
    monkeypatch.setattr(Inquiry, "judge", lambda *_: Undetermined("it took too long"))
    ended = run("verify", "policy", "--json")
    (one,) = findings(ended, "guardrails")
    assert (ended.code, one["level"]) == (3, "undetermined")
    assert one["message"].endswith("whether guardrail `keep` holds: it took too long")
    (shop / "shop_test.yaml").write_text(TESTS.replace("expect: Allow", "expect: Deny"))
    ended = run("verify", "policy", "--json")
    assert (ended.code, stages(ended)["guardrails"]) == (1, "undetermined")


def test_a_solver_that_gives_up_is_no_pass(
    run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What might be gained is undetermined: code 3; whether a claim is dead only with --strict."""
    monkeypatch.setattr(verification, "Solver", GivingUp)
    unsure = "it is not known whether claim `c1` has an effect: no idea"
    noted = run("verify", shop.name, "--json")
    assert (noted.code, [one["level"] for one in findings(noted, "warnings")]) == (0, ["note"])
    strict = run("verify", shop.name, "--json", "--strict")
    (one,) = findings(strict, "warnings")
    assert (strict.code, one["level"], one["message"]) == (3, "undetermined", unsure)
    (shop / "shop.yaml").write_text(LONGER)
    ended = run("verify", shop.name, "--json", "--base", "base.yaml", "--no-new-access")
    levels = {one["rule"]: one["level"] for one in findings(ended, "diff")}
    # A loss that is not known grants nothing to anybody.
    assert (ended.code, levels) == (3, {"new-access": "undetermined", "lost-access": "note"})


def test_what_is_gained_is_noted_or_forbidden(run: Run, shop: Path) -> None:
    """At the claim that grants it: a note, and with --no-new-access a violation; a loss is none."""
    (shop / "shop.yaml").write_text(LONGER)
    noted = run("verify", "policy", "--base", "base.yaml", "--json")
    (one,) = findings(noted, "diff")
    assert (noted.code, one["level"], one["line"]) == (0, "note", 13)
    assert (one["rule"], one["message"]) == ("new-access", "ann gains: read on plan")
    assert noted.json["access"]["gained"] == {"classes": 1, "requests": 1}
    forbidden = run("verify", "policy", "--base", "base.yaml", "--json", "--no-new-access")
    assert (forbidden.code, findings(forbidden, "diff")[0]["level"]) == (1, "error")
    Path("base.yaml").write_text(LONGER)
    (shop / "shop.yaml").write_text(POLICY)
    lost = run("verify", "policy", "--base", "base.yaml", "--json", "--no-new-access")
    assert (lost.code, findings(lost, "diff")[0]["rule"]) == (0, "lost-access")


def test_a_base_that_cannot_be_read_is_no_base(run: Run, shop: Path) -> None:
    """Code 2, and all else is told nevertheless; another time zone is a warning."""
    Path("base.yaml").write_text(POLICY.replace("role: viewer\n", "role: vewer\n"))
    for base in ("base.yaml", "missing.yaml", "org:nobody"):
        ended = run("verify", shop.name, "--base", base, "--json")
        assert (ended.code, stages(ended)["diff"]) == (2, "unreadable"), base
        assert (stages(ended)["test"], stages(ended)["guardrails"]) == ("passed", "passed")
    Path("base.yaml").write_text(f"{POLICY}time_zone: Europe/Paris\n")
    zones = run("verify", "policy", "--base", "base.yaml")
    assert "warning: the time zone changes from `Europe/Paris` to `UTC`" in zones.out


def test_what_is_stored_is_a_base(run: Run, tmp_path: Path) -> None:
    """As `policy diff` takes it."""
    exported = tmp_path / "acme.yaml"
    exported.write_text(run("export", "acme").out)
    assert "both allow the same" in run("verify", str(exported), "--base", "org:acme").out
    run("revoke", "alice", "viewer")
    ended = run("verify", str(exported), "--base", "org:acme", "--no-new-access")
    assert (ended.code, "alice gains: read" in ended.out) == (1, True)


SLIPS = """\
apiVersion: grantproof/v1
kind: Organization
id: shop
kinds: [{id: document}]
principals:
  - {id: ann}
  - {id: dan, active: false}
roles:
  - {id: viewer}
  - {id: editor, parents: [viewer]}
  - {id: ghost}
  - {id: former}
  - {id: both, parents: [editor, former]}
resources: [{id: plan, kind: document}]
sod_sets:
  - {id: apart, roles: [editor, former], n: 2}
  - {id: at-once, roles: [editor, former], n: 2, mode: dynamic}
claims:
  - {id: c1, role: viewer, action: read, resource: plan}
  - {id: c2, role: editor, action: read, resource: plan}
  - {id: c3, role: former, action: read, resource: plan}
  - id: c4
    role: viewer
    action: write
    resource: plan
    constraints:
      - {type: geo_fence, regions: [a]}
      - {type: geo_fence, regions: [b]}
assignments:
  - {principal: ann, role: editor}
  - {principal: ann, role: viewer}
  - {principal: dan, role: former}
"""


def test_what_is_without_effect_is_a_warning(run: Run, shop: Path) -> None:
    """Each where it stands; with --strict a violation."""
    (shop / "shop.yaml").write_text(SLIPS)
    (shop / "shop_test.yaml").unlink()
    ended = run("verify", "policy", "--json")
    met = [(one["rule"], one["name"], one["line"]) for one in findings(ended, "warnings")]
    assert (ended.code, {one["level"] for one in findings(ended, "warnings")}) == (0, {"warning"})
    assert met == [
        ("unholdable-role", "both", 13),
        ("unholdable-role", "both", 13),
        ("unused-role", "both", 13),
        ("unused-role", "ghost", 11),
        ("dead-claim", "c3", 21),
        ("dead-claim", "c4", 22),
        ("redundant-claim", "c2", 20),
        ("redundant-assignment", "ann viewer", 31),
    ]
    assert run("verify", "policy", "--strict").code == 1


def test_every_form_comes_of_one_run(run: Run, shop: Path) -> None:
    """The files in the order of the forms, and one form is printed."""
    (shop / "shop.yaml").write_text(DELETES)
    forms = ("sarif", "junit", "markdown", "json")
    options = [part for form in forms for part in ("--format", form, "--output", f"out.{form}")]
    ended = run("verify", *options, "--format", "text", "policy", "--base", "base.yaml")
    assert (ended.code, ended.out.splitlines()[0][:18]) == (1, "check       passed")
    assert json.loads(Path("out.json").read_text())["outcome"] == "failed"
    assert json.loads(Path("out.sarif").read_text())["version"] == "2.1.0"
    assert Path("out.markdown").read_text().startswith("### Policy `shop`: failed\n")
    suites = fromstring(Path("out.junit").read_text())  # noqa: S314 - our own output
    told = [(one.get("name"), one.get("tests"), one.get("failures")) for one in suites]
    assert told == [
        ("check", "1", "0"),
        ("test", "2", "0"),
        ("guardrails", "1", "1"),
        ("diff", "1", "0"),
        ("warnings", "1", "0"),
    ]
    assert run("verify", "policy", "--output", "out.txt").out == ""
    assert "guardrails  failed: 0 of 1 hold\n" in Path("out.txt").read_text()


def test_what_was_typed_wrong_is_told(run: Run, shop: Path) -> None:
    """One line and code 2, and nothing is written."""
    wrong: list[tuple[str, ...]] = [
        ("--base", "base.yaml"),
        ("--strict",),
        ("policy", "--only", "smoke"),
        ("policy", "--no-new-access"),
        ("policy", "--base", "-"),
        ("policy", "--format", "html"),
        ("policy", "--format", "json", "--format", "sarif"),
        ("policy", "--format", "json", "--output", "a", "--output", "b"),
        ("policy", "--output", "missing/a"),
        ("-", "--base", "git:HEAD", "policy", "--only", "x"),
    ]
    for call in wrong:
        ended = run("verify", *call)
        assert (ended.code, ended.line != "") == (2, True), call
    assert sorted(one.name for one in shop.parent.iterdir() if one.suffix == "") == ["policy"]
