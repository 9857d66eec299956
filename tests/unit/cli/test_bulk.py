"""`grantproof assignments import`: a file in batches, resumed where it stopped."""

import gc
from collections.abc import Callable
from pathlib import Path

import pytest

from grantproof.service.pap import AdministrationPoint
from tests.unit.cli.conftest import Run

Written = Callable[..., str]
LINES = ("alice,editor", "bob,viewer", "carol,viewer", "alice,submitter", "bob,submitter")


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Write lines into a file, under the usual header, and return its name."""

    def write(*lines: str, name: str = "some.csv", header: str = "principal,role") -> str:
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in (header, *lines) if line))
        return str(path)

    return write


def test_each_batch_is_one_change(run: Run, written: Written, revision: Callable[[], int]) -> None:
    """Five lines by two are three changes, and again they are nothing to do."""
    file, before = written(*LINES), revision()
    ended = run("assignments", "import", file, "--batch", "2")
    assert ended.out == f"assigned 5 in 3 changes (acme, revision {before + 3})\n"
    assert run("assignments", "import", file, "--batch", "2").out.startswith("nothing to do")
    again = run("assignments", "import", file, "--batch", "2", "--json").json
    assert (again["outcome"], again["batches_before"], again["lines"]) == ("nothing_to_do", 3, 5)
    assert revision() == before + 3


def test_a_file_without_a_line_was_never_imported(run: Run, written: Written) -> None:
    """There is nothing to do, and it is not said that it was done."""
    file = written()
    assert run("assignments", "import", file).out == (
        f"nothing to do: `{file}` names no assignment\n"
    )


def test_json_lines_and_moments(run: Run, written: Written) -> None:
    """A group, a validity, an empty line: all that a line can say."""
    run("group", "create", "staff")
    lines = ('{"group": "staff", "role": "viewer", "until": 2000000000}', " ")
    timed = '{"principal": "bob", "role": "viewer", "from": "2030-01-01T00:00:00Z"}'
    file = written(*lines, timed, name="some.jsonl", header="")
    told = run("assignments", "import", file, "--json").json
    assert (told["assigned"], told["refused"], told["lines"]) == (2, 0, 3)
    exported = run("export", "acme").out
    assert "from: 1893456000" in exported
    assert "until: 2000000000" in exported


@pytest.mark.parametrize(
    ("bad", "reason", "code"),
    [
        ("bob,nothing", "`nothing`", 1),
        ("nobody,viewer", "`nobody`", 1),
        ("alice,editor", "already", 1),
        ("carol,submitter", "finance-or-submitter", 1),
        ("bob", "has 1 cells, the header 2", 2),
        (",viewer", "must name either", 2),
        ('"bob,viewer', "not CSV", 2),
        ("b b,viewer", "`principal_id` must match", 2),
    ],
)
def test_a_bad_line_stops_its_batch_only(
    bad: str, reason: str, code: int, run: Run, written: Written, revision: Callable[[], int]
) -> None:
    """It is named, nothing of its batch is done, and the mended file goes on from there."""
    before = revision()
    ended = run("assignments", "import", written(*LINES[:3], bad), "--batch", "2")
    assert (ended.code, revision()) == (code, before + 1)
    assert "some.csv:5: " in ended.err
    assert reason in ended.err
    assert "goes on from line 4" in ended.err
    mended = run("assignments", "import", written(*LINES[:4]), "--batch", "2")
    assert mended.out.startswith("assigned 2 in 1 change, 1 change was made before")


def test_refused_lines_can_be_left_out(run: Run, written: Written) -> None:
    """Each is named with its reason; a batch of nothing else makes no change."""
    file = written("bob,nothing", "nobody,viewer", "bob,viewer", "bob,viewer", "bob")
    ended = run("assignments", "import", file, "--batch", "2", "--on-refusal", "skip")
    assert ended.out.startswith("assigned 1 in 1 change, left out 4 (acme")
    assert [line.split(":")[1] for line in ended.err.splitlines()] == ["2", "3", "5", "6"]


def test_a_change_of_what_was_imported_is_noticed(
    run: Run, written: Written, revision: Callable[[], int]
) -> None:
    """So is another size of a batch; under another name it is another import."""
    run("assignments", "import", written(*LINES[:2]))
    before = revision()
    other = written(*LINES[2:])
    assert "lines 2 to 4 are not those" in run("assignments", "import", other).line
    assert "are not those" in run("assignments", "import", written(*LINES[:2]), "--batch", "1").line
    assert revision() == before
    named = run("assignments", "import", written(*LINES[2:]), "--name", "second")
    assert named.out.startswith("assigned 3 in 1 change")


def test_an_interrupted_import_goes_on(
    run: Run, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped between two batches it says so, and the same command does the rest."""
    real, asked = AdministrationPoint.propose, 0

    def stop_at_second(*given: object, **named: object) -> object:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise KeyboardInterrupt
        return real(*given, **named)  # type: ignore[arg-type]  # handed through unseen

    file = written(*LINES)
    with monkeypatch.context() as patched:
        patched.setattr(AdministrationPoint, "propose", stop_at_second)
        stopped = run("assignments", "import", file, "--batch", "2")
    assert (stopped.code, "from 4" in stopped.line) == (1, True)
    rest = run("assignments", "import", file, "--batch", "2").out
    assert rest.startswith("assigned 3 in 2 changes, 1 change was made before")


def test_no_garbage_is_looked_for_meanwhile(
    run: Run, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an import makes stays: the collector rests while it runs, and no longer."""
    real, running = AdministrationPoint.propose, list[bool]()

    def seen(*given: object, **named: object) -> object:
        running.append(gc.isenabled())
        return real(*given, **named)  # type: ignore[arg-type]  # handed through unseen

    with monkeypatch.context() as patched:
        patched.setattr(AdministrationPoint, "propose", seen)
        run("assignments", "import", written(*LINES), "--batch", "2")
    assert running == [False] * 3
    assert gc.isenabled()


def test_a_file_that_is_not_one_of_ours(run: Run, written: Written, tmp_path: Path) -> None:
    """One line, exit code 2, whatever is wrong with it."""
    latin = tmp_path / "latin.csv"
    latin.write_bytes(b"principal,role\nb\xe9,viewer\n")
    cases = {
        written(header="principal,job"): "no column `job`",
        written(header="principal", name="b.csv"): "must name `role`",
        written(header="role,role,group", name="c.csv"): "twice",
        str(latin): "latin.csv:2: not UTF-8",
        written("x" * 70_000, name="d.csv"): "at most 65536 bytes",
        written(name="e.txt"): "add --format",
        str(tmp_path / "none.csv"): "no such file",
        "-": "add --format",
    }
    for file, reason in cases.items():
        ended = run("assignments", "import", file)
        assert (ended.code, reason in ended.line) == (2, True), ended.line
