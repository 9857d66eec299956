"""`grantproof policy`: files and folders checked, formatted, described and imported."""

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grantproof.cli.exits import Stop
from grantproof.cli.policy_files import text_of
from grantproof.client.policy_paths import gather
from grantproof.policyfile.policy_schema import write_schema
from grantproof.policyfile.policy_test_document import write_test_schema
from tests.unit.cli.conftest import Run

KIND = "apiVersion: grantproof/v1\nkind: Organization\n"
HEAD = KIND + "id: shop\n"
ROLES = KIND + "roles: [{id: a}, {id: b}]\nsod_sets: [{id: s, roles: [a, b], n: 2}]\n"
PEOPLE = KIND + "principals: [{id: p}]\nassignments:\n- {principal: p, role: a}\n"
BREACH = "- {principal: p, role: b}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `policy` with three files that are one policy, in the current folder."""
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "policy"
    (made / "more").mkdir(parents=True)
    (made / "shop.yaml").write_text(HEAD)
    (made / "roles.yml").write_text(ROLES)
    (made / "more" / "people.yaml").write_text(PEOPLE)
    return made


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let a text be what stands on the standard input."""

    def stand(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return stand


def test_a_policy_without_problems_is_said_to_be_so(run: Run, folder: Path) -> None:
    """Code 0, in words or as an empty array; no database is opened, as the last one shows."""
    assert folder.is_dir()
    told = run("policy", "check", "policy")
    assert (told.code, told.err) == (0, "")
    assert told.out == "organization `shop` in 3 files: no problems\n"
    assert run("policy", "check", "policy", "--json").json == []
    assert run("policy", "check", "policy", "--database", "typo.db").code == 0
    assert not Path("typo.db").exists()


def test_every_problem_is_a_line_or_a_member_of_the_array(run: Run, folder: Path) -> None:
    """Code 1; of form, of names and of what an organization refuses, at once."""
    people = folder / "more" / "people.yaml"
    people.write_text(PEOPLE + BREACH + "- {principal: q, role: a}\n")
    (folder / "shop.yaml").write_text(HEAD + "rolse: []\n")
    told = run("policy", "check", "policy")
    rule = "must name a declared principal"
    breach, *others = told.line_by_line
    assert breach.startswith("policy/more/people.yaml:6:3: assignments[1]: separation of duty: b")
    assert others == [
        f"policy/more/people.yaml:7:15: assignments[2].principal: {rule}: `q` is none",
        "policy/shop.yaml:4:1: rolse: is not a known field: did you mean `roles`?",
    ]
    assert told.code == 1
    listed = run("policy", "check", "policy", "--json")
    assert listed.code == 1
    assert [(one["line"], one["nearest"]) for one in listed.json] == [
        (6, None),
        (7, None),
        (4, "roles"),
    ]
    assert listed.json[0]["code"] == "breaks_sod"


def test_files_and_folders_may_be_named_together(run: Run, folder: Path) -> None:
    """What is named twice, or reached by a link too, is read once."""
    (folder / "again.yaml").symlink_to(folder / "roles.yml")
    assert run("policy", "check", "policy/shop.yaml", "policy", "./policy/shop.yaml").code == 0
    assert run("policy", "check", "policy/roles.yml", "policy/shop.yaml").code == 0


def test_the_standard_input_is_a_file_too(
    run: Run, folder: Path, typed: Callable[[str], None]
) -> None:
    """Its name is a dash, and it is read once."""
    assert folder.is_dir()
    typed(HEAD + "groups: 1\n")
    told = run("policy", "check", "-", "policy/roles.yml", "-")
    assert told.line == "-:4:9: groups: must be a list"


def test_what_is_no_policy_is_passed_over_in_a_folder(run: Run, folder: Path) -> None:
    """Hidden files and folders, tests of policies, other endings; tests also when named."""
    for name in (".hidden.yaml", "roles_test.yaml", "more/x_test.json", "notes.txt"):
        (folder / name).write_text("nonsense: [")
    (folder / ".git").mkdir()
    (folder / ".git" / "x.yaml").write_text("nonsense: [")
    assert run("policy", "check", "policy", "policy/roles_test.yaml").code == 0
    assert list(gather(["policy"], tests=True).texts) == [
        "policy/more/x_test.json",
        "policy/roles_test.yaml",
    ]
    ended = run("policy", "check", "policy/roles_test.yaml")
    line = "`policy/roles_test.yaml` cannot be read: no policy file, only policy tests"
    assert (ended.code, ended.line) == (2, line)


def test_whatever_cannot_be_read_is_a_line_of_its_own(run: Run, folder: Path) -> None:
    """All of it at once: links that lead back or nowhere, what is no file, no text, not there."""
    (folder / "loop").symlink_to(folder)
    (folder / "self.yaml").symlink_to(folder / "self.yaml")
    (folder / "gone.yaml").symlink_to(folder / "nowhere")
    (folder / "bytes.yaml").write_bytes(b"a: 1\nb: \xff\n")
    os.mkfifo(folder / "pipe.yaml")
    Path("empty").mkdir()
    told = run("policy", "check", "policy", "missing.yaml", "empty")
    assert told.code == 2
    assert sorted(told.line_by_line) == [
        "`empty` cannot be read: a folder without policy files",
        "`missing.yaml` cannot be read: no such file or directory",
        "`policy/gone.yaml` cannot be read: no such file or directory",
        "`policy/loop` cannot be read: a link to a folder that it is in",
        "`policy/pipe.yaml` cannot be read: not a file",
        "`policy/self.yaml` cannot be read: too many levels of symbolic links",
        "policy/bytes.yaml:2:1: not UTF-8",
    ]
    listed = run("policy", "check", "policy/bytes.yaml", "missing.yaml", "--json")
    assert [(one["file"], one["line"], one["rule"]) for one in listed.json] == [
        ("policy/bytes.yaml", 2, "not UTF-8"),
        ("missing.yaml", 1, "no such file or directory"),
    ]


def test_one_file_is_read_by_itself(folder: Path, typed: Callable[[str], None]) -> None:
    """Whatever its name, or the standard input; what cannot be read stops the command."""
    assert text_of(str(folder / "shop.yaml")) == HEAD
    typed(ROLES)
    assert text_of("-") == ROLES
    with pytest.raises(Stop) as stopped:
        text_of("policy")
    assert stopped.value.code == 2
    assert stopped.value.lines == ("`policy` cannot be read: is a directory",)


def test_a_folder_that_may_not_be_listed_is_told(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's words, whoever runs the test."""

    def denied(_: Path) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", denied)
    assert run("policy", "check", str(folder)).line.endswith("cannot be read: permission denied")


def test_files_are_formatted_where_they_stand(run: Run, folder: Path) -> None:
    """Only those that change are written and named; a link stays a link, the mode stays too."""
    (folder / "shop.yaml").write_text("id:  shop # of ours\n" + KIND)
    (folder / "shop.yaml").chmod(0o640)
    (folder / "link.yaml").symlink_to(folder / "shop.yaml")
    before = (folder / "roles.yml").stat().st_mtime_ns
    ended = run("policy", "fmt", "policy")
    assert (ended.code, ended.out, ended.err) == (0, "", "formatted: policy/link.yaml\n")
    assert (folder / "shop.yaml").read_text() == KIND + "id: shop  # of ours\n"
    assert (folder / "shop.yaml").stat().st_mode & 0o777 == 0o640
    assert (folder / "link.yaml").is_symlink()
    assert (folder / "roles.yml").stat().st_mtime_ns == before
    assert sorted(path.name for path in folder.iterdir()) == [
        "link.yaml",
        "more",
        "roles.yml",
        "shop.yaml",
    ]
    assert run("policy", "fmt", "policy", "--check").code == 0


def test_what_would_change_is_told_and_not_done(run: Run, folder: Path) -> None:
    """With --check by name, with --diff by line, for programs as a list; code 1 each time."""
    untidy = KIND + "id:   shop\n"
    (folder / "shop.yaml").write_text(untidy)
    checked = run("policy", "fmt", "--check", "policy")
    assert (checked.code, checked.line) == (1, "would be formatted: policy/shop.yaml")
    shown = run("policy", "fmt", "--diff", "policy")
    assert shown.code == 1
    assert [line for line in shown.out.splitlines() if line[0] in "+-"] == [
        "--- policy/shop.yaml",
        "+++ policy/shop.yaml (formatted)",
        "-id:   shop",
        "+id: shop",
    ]
    assert run("policy", "fmt", "--check", "policy", "--json").json == {
        "changed": ["policy/shop.yaml"]
    }
    assert (folder / "shop.yaml").read_text() == untidy


def test_a_difference_keeps_its_lines_apart(run: Run, folder: Path) -> None:
    """Also where a file lacks its last end of line."""
    (folder / "shop.yaml").write_text(KIND + "id: shop  # ours\nroles: [{id:  a}]")
    assert run("policy", "fmt", "--diff", "policy").out == (
        "--- policy/shop.yaml\n"
        "+++ policy/shop.yaml (formatted)\n"
        "@@ -1,4 +1,4 @@\n"
        " apiVersion: grantproof/v1\n"
        " kind: Organization\n"
        " id: shop  # ours\n"
        "-roles: [{id:  a}]\n"
        "\\ No newline at end of file\n"
        "+roles: [{id: a}]\n"
    )


def test_without_a_path_the_standard_input_is_formatted(
    run: Run, typed: Callable[[str], None]
) -> None:
    """To the standard output, whether or not it changes."""
    for text in ("id:   shop\n" + KIND, HEAD):
        typed(text)
        assert run("policy", "fmt").out == HEAD
    typed("id:   shop\n" + KIND)
    assert run("policy", "fmt", "-", "--check").line == "would be formatted: -"


def test_nothing_is_formatted_when_one_file_cannot_be(run: Run, folder: Path) -> None:
    """Code 2 and where; the others stay as they were."""
    (folder / "shop.yaml").write_text(KIND + "id:   shop\n")
    (folder / "z.yaml").write_text("a: [\n")
    ended = run("policy", "fmt", "policy")
    assert ended.code == 2
    assert ended.line.startswith("policy/z.yaml:2:1: not YAML: ")
    assert (folder / "shop.yaml").read_text() == KIND + "id:   shop\n"


def test_a_file_that_cannot_be_written_is_one_line(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays whole, and nothing is left beside it."""

    def full(_: Path, __: bytes) -> int:
        raise OSError(28, "No space left on device")

    (folder / "shop.yaml").write_text(KIND + "id:   shop\n")
    monkeypatch.setattr(Path, "write_bytes", full)
    ended = run("policy", "fmt", "policy/shop.yaml")
    line = "the file `policy/shop.yaml` cannot be written: no space left on device"
    assert (ended.code, ended.line) == (2, line)
    assert (folder / "shop.yaml").read_text() == KIND + "id:   shop\n"
    assert not list(folder.glob(".*"))


def test_the_schema_is_printed(run: Run) -> None:
    """To be put into a file that editors read; of policies, or of their tests."""
    assert run("policy", "schema").out == run("policy", "schema", "organization").out
    assert run("policy", "schema").out == write_schema()
    assert run("policy", "schema", "test").out == write_test_schema()
    assert run("policy", "schema", "tests").code == 2


@pytest.mark.parametrize("command", [["import"], ["policy", "import"]])
def test_a_folder_is_imported_as_one_policy(command: list[str], run: Run, folder: Path) -> None:
    """By either name; what it exports is what was written, and can be imported again."""
    assert run(*command, str(folder)).out == "imported organization `shop` (shop, revision 1)\n"
    text = run("policy", "export", "shop").out
    assert text == run("export", "shop").out
    Path("copy.yaml").write_text(text)
    assert run(*command, "copy.yaml", "--org", "copy").code == 0
    assert run("export", "copy").out == text.replace("shop", "copy", 1)


def test_import_refuses_what_check_refuses(run: Run, folder: Path) -> None:
    """The same lines; a breach ends with code 1 and its witness, anything else with code 2."""
    people = folder / "more" / "people.yaml"
    people.write_text(PEOPLE + BREACH + "- {principal: p, role: a}\n")
    checked, imported = run("policy", "check", "policy"), run("import", "policy")
    assert (imported.code, imported.err) == (2, checked.err)
    people.write_text(PEOPLE + BREACH)
    checked, imported = run("policy", "check", "policy"), run("import", "policy", "--json")
    assert (imported.code, imported.err) == (1, checked.err)
    assert imported.json["code"] == "breaks_sod"
    assert run("org", "show", "shop").code == 1


def test_an_import_tells_every_refusal(run: Run, folder: Path) -> None:
    """Not only the first one."""
    people = KIND + "principals: [{id: p}, {id: q}]\nassignments:\n"
    pairs = "".join(f"- {{principal: {who}, role: {role}}}\n" for who in "pq" for role in "ab")
    (folder / "more" / "people.yaml").write_text(people + pairs)
    told = run("import", "policy").line_by_line
    assert [line.partition(": ")[0] for line in told] == [
        "policy/more/people.yaml:6:3",
        "policy/more/people.yaml:8:3",
    ]
