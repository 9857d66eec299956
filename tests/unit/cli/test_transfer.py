"""`grantproof import` and `export`: whole organizations as files, all or nothing."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run, Written


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_what_is_exported_can_be_imported(form: str, run: Run, written: Written) -> None:
    """A copy under another name exports the same text but for the name."""
    text = run("export", "acme", "--format", form).out
    imported = run("import", written(text), "--org", "copy")
    assert imported.out == "imported organization `copy` (copy, revision 1)\n"
    copy = run("export", "copy", "--format", form).out
    assert copy == text.replace("acme", "copy", 1)


def test_the_file_names_the_organization(
    run: Run, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment's organization is not meant: only --org renames."""
    text = run("export", "acme").out.replace("id: acme", "id: fresh", 1)
    monkeypatch.setenv("GRANTPROOF_ORG", "nope")
    told = run("import", written(text), "--json").json
    assert told == {"outcome": "accepted", "organization": "fresh", "revision": 1}


def test_for_programs_an_export_is_json(run: Run) -> None:
    """--json means the JSON form."""
    assert run("export", "acme", "--json").out == run("export", "acme", "--format", "json").out


def test_an_empty_organization_can_be_filled(run: Run, written: Written) -> None:
    """It exists already, and keeps its time zone."""
    text = run("export", "acme").out
    run("org", "create", "empty")
    assert run("import", written(text), "--org", "empty").code == 0
    assert len(run("principal", "list", "--org", "empty", "--json").json) == 3


def test_a_document_without_anything_makes_an_empty_organization(
    run: Run, written: Written
) -> None:
    """There is nothing to change, but an organization to create."""
    text = "apiVersion: grantproof/v1\nkind: Organization\nid: bare\ntime_zone: Asia/Tokyo\n"
    assert run("import", written(text)).out == "imported organization `bare` (bare, revision 0)\n"
    assert run("org", "show", "bare", "--json").json["time_zone"] == "Asia/Tokyo"


def test_the_standard_input_can_be_imported(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash stands for it."""
    text = run("export", "acme").out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert run("import", "-", "--org", "copy").code == 0


def test_every_problem_of_a_file_is_a_line_with_its_place(run: Run, written: Written) -> None:
    """Code 2; an editor can jump there, and no organization is made."""
    name = written(
        "apiVersion: grantproof/v1\nkind: Organization\nid: new\n"
        "principals:\n- id: a b\nroles:\n- id: r\n  parents: [nope]\n  colour: red\n"
    )
    ended = run("import", name)
    assert ended.code == 2
    assert ended.err.splitlines() == [
        f"{name}:5:7: principals[0].id: must match [A-Za-z0-9_][A-Za-z0-9_.:@+=~$-]*",
        f"{name}:8:3: roles[0].parents: must name a declared role: `nope` is none",
        f"{name}:9:11: roles[0].colour: is not a known field",
    ]
    assert run("org", "show", "new").code == 1


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "policy.yaml:1:1: "),
        (b"a: [", "policy.yaml:1:5: not YAML: "),
        (b'{"a": ', "policy.yaml:1:7: not JSON: "),
        (b"a: 1\nb: \xff\n", "policy.yaml:2:1: not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(
    content: bytes, line: str, *, run: Run, tmp_path: Path
) -> None:
    """Code 2 and the place, whatever is in the file."""
    path = tmp_path / "policy.yaml"
    path.write_bytes(content)
    ended = run("import", str(path))
    assert ended.code == 2
    assert line in ended.line


def test_a_file_that_is_not_there_is_one_line(run: Run, tmp_path: Path) -> None:
    """Neither is a policy in a folder without one."""
    (tmp_path / "folder").mkdir()
    missing = run("import", str(tmp_path / "nope"))
    assert (missing.code, missing.line.rsplit(": ")[-1]) == (2, "no such file or directory")
    ended = run("import", str(tmp_path / "folder"))
    assert (ended.code, ended.line.rsplit(": ")[-1]) == (2, "a folder without policy files")


def test_an_unknown_time_zone_is_refused(run: Run, written: Written) -> None:
    """Before anything is made."""
    name = written("apiVersion: grantproof/v1\nkind: Organization\nid: n\ntime_zone: Mars/Base\n")
    assert (run("import", name).code, run("org", "show", "n").code) == (2, 1)


def test_an_organization_that_is_not_empty_is_left_alone(
    run: Run, written: Written, revision: Callable[[], int]
) -> None:
    """An import never mixes with what is there."""
    ended = run("import", written(run("export", "acme").out))
    line = "organization `acme` is not empty: name a new one with --org"
    assert (ended.code, ended.line, revision()) == (1, line, 1)


def test_an_organization_with_another_time_is_left_alone(run: Run, written: Written) -> None:
    """Hours would silently mean something else."""
    text = run("export", "acme").out
    run("org", "create", "paris", "--time-zone", "Europe/Paris")
    ended = run("import", written(text), "--org", "paris")
    assert ended.code == 1
    assert "keeps the time of `Europe/Paris`" in ended.line


def test_a_deleted_name_is_not_used_again(run: Run, written: Written) -> None:
    """The line says what to do instead."""
    text = run("export", "acme").out
    run("org", "delete", "acme", "--yes")
    ended = run("import", written(text))
    line = "organization `acme` exists, or existed: name a new one with --org"
    assert (ended.code, ended.line) == (1, line)


def test_a_refused_import_names_the_line_and_leaves_nothing(run: Run, written: Written) -> None:
    """Code 1, the reason at the assignment that breaks the set; for programs the witness."""
    document = json.loads(run("export", "acme", "--json").out)
    document["assignments"].append({"principal": "carol", "role": "submitter"})
    name = written(json.dumps(document, indent=1))
    ended = run("import", name, "--org", "copy")
    number = Path(name).read_text().splitlines().index('   "role": "submitter"')
    assert ended.code == 1
    place = f"{name}:{number - 1}:3: assignments[3]"
    assert ended.line.startswith(f"{place}: separation of duty: submitter")
    told = run("import", name, "--org", "copy", "--json").json
    assert (told["code"], told["witness"]["principal"]) == ("breaks_sod", "carol")
    assert run("org", "show", "copy").code == 1


def test_on_a_terminal_an_import_shows_how_far_it_is(
    run: Run, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bar goes to the standard error, so that the output stays what it is."""
    name = written(run("export", "acme").out)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    ended = run("import", name, "--org", "copy")
    assert ended.out == "imported organization `copy` (copy, revision 1)\n"
