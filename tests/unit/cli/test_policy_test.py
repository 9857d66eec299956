"""`grantproof policy test`: what it prints, how it ends, and what it writes for other programs."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from grantproof.cli.junit import Case, junit
from grantproof.cli.main import main
from tests.unit.cli.conftest import Ended, Run

POLICY = (
    "apiVersion: grantproof/v1\nkind: Organization\nid: acme\nkinds: [{id: document}]\n"
    "principals: [{id: alice}, {id: bob}]\nroles: [{id: reader}, {id: writer}]\n"
    "resources: [{id: docs, kind: document}]\n"
    "claims:\n"
    "  - {id: read, role: reader, action: read, resource: docs}\n"
    "  - {id: write, role: writer, action: write, resource: docs}\n"
    "sod_sets: [{id: both, roles: [reader, writer], n: 2}]\n"
    "assignments: [{principal: alice, role: reader}]\n"
)
TESTS = (
    "apiVersion: grantproof/v1\nkind: PolicyTest\nname: documents\ncontext: {instant: 7}\n"
    "cases:\n"
    "  - name: alice reads\n"
    "    request: {principal: alice, action: read, resource: docs}\n"
    "    expect: Allow\n"
    "tables:\n"
    "  - name: writing\n"
    "    resources: [docs]\n"
    "    rows: [{principals: [alice, bob], actions: [write], expect: [Deny]}]\n"
    "changes:\n"
    "  - name: nobody does both\n"
    "    change: {type: AssignRole, principal: alice, role: writer}\n"
    "    expect: refused\n"
    "    witness: {kind: breaks_sod}\n"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a policy and its tests, to work in; there is no database."""
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "acme.yaml").write_text(POLICY)
    (tmp_path / "policy" / "acme_test.yaml").write_text(TESTS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `policy test` in the folder."""
    assert folder.exists()

    def ended(*arguments: str) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main(["policy", "test", *arguments])
        captured = capsys.readouterr()
        return Ended(int(stopped.value.code or 0), captured.out, captured.err)

    return ended


def failing(folder: Path) -> None:
    """Let three tests fail: a case, a cell and a change."""
    text = TESTS.replace("expect: Allow", "expect: Deny").replace("[Deny]", "[Allow]")
    path = folder / "policy" / "acme_test.yaml"
    path.write_text(text.replace("kind: breaks_sod", "kind: breaks_sod, n: 3"))


def test_what_passes_is_a_line(run: Run) -> None:
    """Files or the folder that they are in, once each however often they are named."""
    assert run("policy") == Ended(0, "4 passed, 0 failed\n", "")
    named = run("policy/acme.yaml", "policy/acme_test.yaml", "policy/acme_test.yaml")
    assert named == run("policy")


def test_what_fails_is_shown_with_its_place_and_why(run: Run, folder: Path) -> None:
    """The evidence of an allow, the claims against a deny, the witness of a refusal."""
    failing(folder)
    ended = run("policy")
    assert (ended.code, ended.err) == (1, "")
    assert ended.out == (
        "policy/acme_test.yaml:6:5: alice reads\n"
        "  expected: Deny\n"
        "  actual:   Allow, claim `read`\n"
        "  wrong:    Allow, expected Deny\n"
        "  principal alice -> role reader\n"
        "  claim read: read docs\n"
        "\n"
        "policy/acme_test.yaml:12:66: writing: alice write docs\n"
        "  expected: Allow\n"
        "  actual:   Deny, no_matching_claim: no matching claim\n"
        "  wrong:    Deny, expected Allow\n"
        "  active roles: reader\n"
        "  claim write of role writer (not active): write docs\n"
        "\n"
        "policy/acme_test.yaml:12:66: writing: bob write docs\n"
        "  expected: Allow\n"
        "  actual:   Deny, no_role: no active role\n"
        "  wrong:    Deny, expected Allow\n"
        "  active roles: -\n"
        "  claim write of role writer (not active): write docs\n"
        "\n"
        "policy/acme_test.yaml:14:5: nobody does both\n"
        "  expected: refused: kind breaks_sod, n 3\n"
        "  actual:   refused: separation of duty: writer conflicts with reader: `alice` would hold"
        " 2 roles of `both` (writer; reader)\n"
        "  wrong:    witness.n: 2, expected 3\n"
        "  principal alice would hold\n"
        "    role writer\n"
        "      assigned directly\n"
        "    role reader\n"
        "      assigned directly\n"
        "    separation-of-duty set both forbids 2 of its roles together\n"
        "\n"
        "0 passed, 4 failed\n"
    )


def test_nothing_speaks_of_what_no_claim_is_on(run: Run, folder: Path) -> None:
    """A deny that no claim could turn says so."""
    path = folder / "policy" / "acme_test.yaml"
    path.write_text(TESTS.replace("action: read, ", "action: burn, "))
    assert "  no claim speaks of this action on this resource\n" in run("policy").out


def test_coverage_says_what_no_test_exercises(run: Run, folder: Path) -> None:
    """Apart: what no passing test is allowed by, and what no test touches."""
    assert run("policy", "--coverage").out == (
        "4 passed, 0 failed\n"
        "claims: 1 of 2 exercised (50.0 %)\n"
        "  touched by no test: write\n"
        "roles: 1 of 2 exercised (50.0 %)\n"
        "  touched by no test: writer\n"
    )
    failing(folder)
    assert "  allowed by no passing test: read\n  touched by no test: write\n" in (
        run("policy", "--coverage").out
    )


@pytest.mark.parametrize(("least", "code"), [("0", 0), ("50", 0), ("50.1", 1), ("100", 1)])
def test_too_little_coverage_fails(least: str, code: int, run: Run) -> None:
    """Though every test passes; then what is missing is told."""
    ended = run("policy", "--coverage-min", least)
    assert ended.code == code
    assert ("  touched by no test: writer\n" in ended.out) == (code == 1)
    assert ended.out.endswith(f"coverage is below {least} %\n") == (code == 1)
    told = run("policy", "--coverage-min", least, "--json")
    assert (told.code, told.json["outcome"]) == (code, "failed" if code else "passed")


def test_long_lists_are_cut_for_people_only(run: Run, folder: Path) -> None:
    """Programs get every id."""
    roles = ", ".join(f"{{id: r{i:02}}}" for i in range(25))
    claims = "".join(
        f"  - {{id: c{i:02}, role: r{i:02}, action: x, resource: docs}}\n" for i in range(25)
    )
    text = POLICY.replace("{id: reader}", f"{{id: reader}}, {roles}")
    (folder / "policy" / "acme.yaml").write_text(text.replace("claims:\n", f"claims:\n{claims}"))
    assert "c18, c19 and 6 more\n" in run("policy", "--coverage").out
    untouched = run("policy", "--json").json["coverage"]["claims"]["untouched"]
    assert len(untouched) == 26


def test_results_are_told_to_programs(run: Run, folder: Path) -> None:
    """One JSON value, with the place, what was expected and what happened."""
    failing(folder)
    told = run("policy", "--json").json
    assert (told["outcome"], told["passed"], told["failed"]) == ("failed", 0, 4)
    assert told["tests"][0] == {
        "file": "policy/acme_test.yaml",
        "line": 6,
        "column": 5,
        "name": "alice reads",
        "outcome": "failed",
        "expected": "Deny",
        "actual": "Allow, claim `read`",
        "wrong": ["Allow, expected Deny"],
        "why": ["principal alice -> role reader", "claim read: read docs"],
    }
    assert told["coverage"]["roles"] == {
        "percent": 0.0,
        "exercised": [],
        "touched_only": ["reader"],
        "untouched": ["writer"],
    }


def test_junit_holds_every_test(run: Run, folder: Path) -> None:
    """With its suite, its place and its failure; the same results give the same bytes."""
    failing(folder)
    assert run("policy", "--junit", "out.xml").code == 1
    first = (folder / "out.xml").read_bytes()
    run("policy", "--junit", "out.xml")
    assert (folder / "out.xml").read_bytes() == first
    root = ET.fromstring(first)  # noqa: S314 - our own bytes
    assert root.attrib == {"tests": "4", "failures": "4", "errors": "0", "skipped": "0"}
    (suite,) = root
    assert (suite.get("name"), suite.get("tests")) == ("documents", "4")
    case = suite[0]
    assert (case.get("classname"), case.get("name")) == ("documents", "alice reads")
    assert (case.get("file"), case.get("line")) == ("policy/acme_test.yaml", "6")
    (failure,) = case
    assert failure.get("message") == "Allow, expected Deny"
    assert (failure.text or "").startswith("policy/acme_test.yaml:6:5\nexpected: Deny\nactual: ")


def test_junit_is_well_formed_whatever_the_names() -> None:
    """What XML cannot hold is written out; passing tests have no failure."""
    text = junit(
        [
            Case("<a&b>", 'say "no"', "x.yaml", 1, ("a\x00b", "c\x1bd\ne")),
            Case("second", "fine", "y.yaml", 2, None),
        ]
    )
    root = ET.fromstring(text)  # noqa: S314 - our own text
    assert [suite.get("name") for suite in root] == ["<a&b>", "second"]
    assert root[0][0][0].attrib == {"message": "a\\x00b", "type": "failure"}
    assert root[0][0][0].text == "c\\x1bd\ne"
    assert list(root[1][0]) == []


def test_only_tests_that_the_pattern_finds_are_run(run: Run) -> None:
    """By their names, those of cells included."""
    assert run("policy", "--run", "^writing: (bob|carol)").out == "1 passed, 0 failed\n"
    assert run("policy", "--run", "both$").out == "1 passed, 0 failed\n"
    assert run("policy", "--run", "nothing").line == "no test has a name that `nothing` finds"
    assert run("policy", "--run", "(").line.startswith("`--run` must be a regular expression: ")


def test_json_policies_and_tests_are_read_too(run: Run, folder: Path) -> None:
    """A suite without a name is called after its file."""
    (folder / "more_test.json").write_text(
        json.dumps(
            {
                "apiVersion": "grantproof/v1",
                "kind": "PolicyTest",
                "tables": [
                    {
                        "name": "t",
                        "context": {"instant": 1},
                        "resources": ["docs"],
                        "rows": [{"principals": ["bob"], "actions": ["read"], "expect": "Deny"}],
                    }
                ],
            },
            indent=1,
        )
    )
    assert run("policy", "more_test.json", "--junit", "o.xml").out == "5 passed, 0 failed\n"
    assert 'testsuite name="more_test"' in (folder / "o.xml").read_text()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["policy/acme.yaml"], "`policy/acme.yaml` cannot be read: no policy test"),
        (["policy/acme_test.yaml"], "`policy/acme_test.yaml` cannot be read: no policy file"),
        (["nowhere.yaml"], "`nowhere.yaml` cannot be read: no such file or directory"),
        (["policy", "--junit", "no/where.xml"], "the file `no/where.xml` cannot be written: no"),
        (["policy", "--coverage-min", "nan"], "`--coverage-min` must be between 0 and 100"),
        (["policy", "--coverage-min", "101"], "`--coverage-min` must be between 0 and 100"),
    ],
)
def test_what_cannot_be_run_is_one_line(arguments: list[str], line: str, run: Run) -> None:
    """Code 2."""
    ended = run(*arguments)
    assert (ended.code, ended.line[: len(line)]) == (2, line)


def test_every_problem_of_every_file_is_a_line(run: Run, folder: Path) -> None:
    """Names that the policy does not have are among them; nothing is run, nothing written."""
    path = folder / "policy" / "acme_test.yaml"
    path.write_text(TESTS.replace("principal: alice, action: read", "principal: al, action: read"))
    (folder / "other_test.yaml").write_text("kind: PolicyTest\n")
    ended = run("policy", "other_test.yaml", "--junit", "out.xml")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "policy/acme_test.yaml:7:26: cases[0].request.principal: must name a principal of the"
        " policy: `al` is none\n"
        "other_test.yaml:1:1: apiVersion: is required\n"
    )
    assert not (folder / "out.xml").exists()


def test_a_policy_that_cannot_be_is_not_tested(run: Run, folder: Path) -> None:
    """It breaks its own separation of duty."""
    text = POLICY.replace("role: reader}]", "role: reader}, {principal: alice, role: writer}]")
    (folder / "policy" / "acme.yaml").write_text(text)
    ended = run("policy")
    assert ended.code == 1
    assert ended.line.startswith("policy/acme.yaml:12:49: assignments[1]: separation of duty: ")


def test_an_empty_policy_can_be_tested(run: Run, folder: Path) -> None:
    """Nobody may anything, and a first role may be made."""
    (folder / "bare.yaml").write_text("apiVersion: grantproof/v1\nkind: Organization\nid: bare\n")
    (folder / "bare_test.yaml").write_text(
        "apiVersion: grantproof/v1\nkind: PolicyTest\nchanges:\n"
        "  - {name: first, change: {type: CreateRole, role: r}, expect: accepted}\n"
    )
    assert run("bare.yaml", "bare_test.yaml", "--coverage-min", "100").code == 0
