"""A report counts for exactly the source that it is about, when all of it passes."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from grantproof.adapters import verification as module
from grantproof.adapters.verification import STAGES, core_digest, verification
from grantproof.service.ports import StoreUnusable

Json = dict[str, Any]


def report(**changed: Any) -> Json:
    """A report of a whole gate that passed, about what runs here."""
    stages: list[Json] = [
        {"name": name, "passed": True, "rows": [], "seconds": 1.5} for name in STAGES
    ]
    origin = {"begun": "2026-01-02T03:04:05+00:00", "core": core_digest()}
    return {"passed": True, "seconds": 99.5, "origin": origin, "stages": stages, **changed}


def written(folder: Path, told: object) -> Path:
    """The file of a report."""
    path = folder / "report.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    return path


def with_stage(name: str, *, passed: bool) -> list[Json]:
    """The stages, one of which ended so."""
    return [{"name": one, "passed": passed or one != name} for one in STAGES]


def test_a_whole_report_about_what_runs_verifies_it(tmp_path: Path) -> None:
    """And the source is told short."""
    found = verification(written(tmp_path, report()))
    assert found.verified
    assert found.source == core_digest()[:12]


def test_without_a_report_nothing_is_verified() -> None:
    """What runs is told all the same."""
    found = verification(None)
    assert not found.verified
    assert found.source == core_digest()[:12]


@pytest.mark.parametrize(
    "changed",
    [
        {"passed": False},
        {"origin": {"core": "0" * 64}},
        {"origin": {}},
        {"origin": {"core": None}},
        {"origin": {"core": core_digest()[:12]}},
        {"stages": []},
        {"stages": with_stage("tla", passed=True)[1:]},
        *({"stages": with_stage(name, passed=False)} for name in STAGES),
        {"stages": [*with_stage("tla", passed=True), {"name": "new", "passed": False}]},
        {"stages": [*with_stage("tla", passed=True), {"name": "tla", "passed": False}]},
    ],
)
def test_any_other_report_verifies_nothing(tmp_path: Path, changed: Json) -> None:
    """A failed one, one of other source or of none, one of a part of the gate."""
    assert not verification(written(tmp_path, report(**changed))).verified


def test_a_report_from_before_there_were_origins_verifies_nothing(tmp_path: Path) -> None:
    """It does not say what it is about."""
    told = report()
    del told["origin"]
    assert not verification(written(tmp_path, told)).verified


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Input data was truncated"),
        ("[]", "Expected `object`"),
        ("{}", "missing required field `passed`"),
        ('{"passed": 1, "stages": []}', "Expected `bool`"),
        ('{"passed": true, "stages": [{}]}', "missing required field `name`"),
        ('{"passed": true, "stages": {}}', "Expected `array`"),
        ("[" * 100_000, ""),
        ('{"x": ' + "[" * 100_000, ""),
    ],
)
def test_a_file_that_is_no_report_is_refused_in_a_line(tmp_path: Path, text: str, why: str) -> None:
    """It names the file, and says what is wrong."""
    path = tmp_path / "report.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StoreUnusable, match="is no report of `make verify`") as refused:
        verification(path)
    assert str(path) in str(refused.value)
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Absent, or a folder."""
    for path, why in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(StoreUnusable, match=why):
            verification(path)


def test_a_file_without_end_is_not_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is larger than a report can be is none."""
    path = written(tmp_path, report())
    monkeypatch.setattr(module, "BYTES_MAX", path.stat().st_size - 1)
    with pytest.raises(StoreUnusable, match="it has more than"):
        verification(path)
    monkeypatch.setattr(module, "BYTES_MAX", path.stat().st_size)
    assert verification(path).verified


def test_the_digest_is_of_every_source_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of names and contents, below too; what is compiled or not source does not count."""
    monkeypatch.setattr(module, "files", lambda _: tmp_path)
    (tmp_path / "below").mkdir()
    one, two = tmp_path / "one.py", tmp_path / "below" / "two.py"
    one.write_bytes(b"a = 1\n")
    two.write_bytes(b"b = 2\n")
    found = [core_digest()]
    (tmp_path / "one.pyc").write_bytes(b"compiled")
    (tmp_path / "__pycache__").mkdir()
    assert core_digest() == found[0]
    two.write_bytes(b"b = 3\n")
    found.append(core_digest())
    two.rename(tmp_path / "below" / "three.py")
    found.append(core_digest())
    one.write_bytes(b"a = 1\nb")
    (tmp_path / "below" / "three.py").write_bytes(b" = 3\n")
    found.append(core_digest())
    assert len(set(found)) == len(found)


def test_the_digest_of_the_core_is_that_of_its_files() -> None:
    """All modules of the core, and nothing else of the program."""
    found = module._sources(files(module.CORE), "")  # noqa: SLF001 - what is hashed
    root = Path(module.__file__).parents[1] / "core"
    assert set(found) == {path.relative_to(root).as_posix() for path in root.rglob("*.py")}
    assert {"policy.py", "commands/refusal.py"} <= set(found)
