"""The folder of cases: whole files, only so many, for nobody else, and never in the way."""

import threading
from pathlib import Path

import pytest

from grantproof.adapters import case_files
from grantproof.adapters.case_files import CaseFiles, CaseRules, source_digest
from grantproof.service.case_text import write_case
from grantproof.service.cases import Case, CaseCounts
from tests.organizations import ANN, made_of, people

CASE = Case("state", made_of(*people(ANN)), None, "a valid state", "another")


def test_cases_are_the_owners_alone(tmp_path: Path) -> None:
    """Folder and files."""
    files = CaseFiles(CaseRules(tmp_path / "deep" / "cases", logged=False))
    files.keep(CASE)
    files.close()
    (path,) = (tmp_path / "deep" / "cases").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_what_cannot_be_written_is_dropped_and_leaves_nothing(tmp_path: Path) -> None:
    """A case that is too large without its state, a folder that is gone."""
    files = CaseFiles(CaseRules(tmp_path, bytes_max=10, logged=False))
    files.keep(CASE)
    files.close()
    assert files.tally() == CaseCounts(0, 1)
    folder = tmp_path / "gone"
    files = CaseFiles(CaseRules(folder, logged=False))
    folder.rmdir()
    files.keep(CASE)
    files.close()
    assert files.tally() == CaseCounts(0, 1)
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_cases_are_told_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In the log, without names of principals."""
    files = CaseFiles(CaseRules())
    files.keep(CASE)
    files.close()
    told = capsys.readouterr().out
    assert "contract broken" in told
    assert "ann" not in told
    assert files.tally() == CaseCounts(0, 0)


def test_a_flood_waits_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk is slow only so many wait; the rest is dropped at once, and counted."""
    slow = threading.Event()
    real = write_case

    def waiting(*given: object, **more: object) -> bytes:
        slow.wait(10)
        return real(*given, **more)  # type: ignore[arg-type]  # whatever it was given

    monkeypatch.setattr(case_files, "write_case", waiting)
    files = CaseFiles(CaseRules(tmp_path, count_max=1_000, logged=False))
    for _ in range(100):
        files.keep(CASE)
    dropped = files.tally().dropped
    assert 100 - case_files.WAITING_MAX - 1 <= dropped < 100
    slow.set()
    files.close()
    assert files.tally() == CaseCounts(100 - dropped, dropped)


def test_the_bound_is_that_of_all_who_write_there(tmp_path: Path) -> None:
    """Processes that found the folder empty fill it together to its bound, and none is lost."""
    several = [CaseFiles(CaseRules(tmp_path, count_max=10, logged=False)) for _ in range(4)]
    for _ in range(5):
        for files in several:
            files.keep(CASE)
    for files in several:
        files.close()
    assert len(list(tmp_path.iterdir())) == 10
    tallies = [files.tally() for files in several]
    assert sum(one.kept for one in tallies) == 10
    assert [one.kept + one.dropped for one in tallies] == [5] * 4


def test_the_digest_is_of_these_files() -> None:
    """As long as a SHA-256, and the same twice."""
    assert len(source_digest()) == 64
    assert source_digest() == source_digest()
