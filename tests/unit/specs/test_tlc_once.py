"""What TLC said is shared within one run of the gate, never beyond it and never when stale."""

import os
import sys
from pathlib import Path

import pytest

from specs.tlc import startup
from specs.tlc.jar import Tools
from specs.tlc.once import VARIABLE, Run, for_one_run, hash_of, shared


class Counting:
    """A TLC that says how often it was run."""

    def __init__(self, exit_code: int | None = 0) -> None:
        self.runs = 0
        self._exit_code = exit_code

    def __call__(self) -> Run:
        """Count, and answer."""
        self.runs += 1
        return Run(self._exit_code, f"run {self.runs}", 1.0)


@pytest.fixture(autouse=True)
def outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test begins within a run of the gate."""
    monkeypatch.delenv(VARIABLE, raising=False)


def test_outside_a_run_nothing_is_shared() -> None:
    """TLC is run whenever it is asked."""
    tlc = Counting()
    assert [shared([b"model"], tlc).text for _ in range(2)] == ["run 1", "run 2"]


def test_within_a_run_the_same_is_run_once() -> None:
    """The second to ask reads what the first was told, word for word."""
    tlc = Counting()
    with for_one_run():
        assert shared([b"model", b"cfg"], tlc) == shared([b"model", b"cfg"], tlc)
    assert tlc.runs == 1


def test_whatever_differs_is_run_anew() -> None:
    """Another byte, another order, another split of the same bytes: other inputs."""
    tlc = Counting()
    inputs = [[b"ab", b"c"], [b"a", b"bc"], [b"c", b"ab"], [b"ab", b"d"], [b"ab"], [b"ab", b"c"]]
    with for_one_run():
        for each in inputs:
            shared(each, tlc)
    assert tlc.runs == len(inputs) - 1
    assert len({hash_of(each) for each in inputs}) == len(inputs) - 1


def test_nothing_outlives_the_run() -> None:
    """The next run begins with nothing, and the folder is gone."""
    tlc = Counting()
    with for_one_run():
        folder = Path(os.environ[VARIABLE])
        shared([b"model"], tlc)
    assert not folder.exists()
    assert VARIABLE not in os.environ
    with for_one_run():
        shared([b"model"], tlc)
    assert tlc.runs == 2


def test_a_run_that_was_stopped_is_not_shared() -> None:
    """A time-out of one stage is not the answer of the next."""
    tlc = Counting(None)
    with for_one_run():
        shared([b"model"], tlc)
        shared([b"model"], tlc)
    assert tlc.runs == 2


def tools(folder: Path) -> Tools:
    """Tools of which only the files are real: the Java is this Python, and makes no archive."""
    jar = folder / "some.jar"
    jar.write_bytes(b"some")
    return Tools(Path(sys.executable), jar, pinned=False)


def test_without_an_archive_tlc_still_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the archive cannot be made the options are those without it, and nothing is left."""
    monkeypatch.setattr(startup, "FOLDER", tmp_path / "build")
    startup.prepare(tools(tmp_path))
    assert startup.options(tools(tmp_path)) == startup.JAVA_OPTIONS
    assert list((tmp_path / "build").iterdir()) == []


def test_an_archive_is_used_for_the_tools_it_was_made_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another jar in the same place has another archive, which is not there yet."""
    monkeypatch.setattr(startup, "FOLDER", tmp_path)
    found = tools(tmp_path)
    startup.archive(found).touch()
    assert startup.options(found)[-1] == f"-XX:AOTCache={startup.archive(found)}"
    found.jar.write_bytes(b"another")
    assert startup.options(found) == startup.JAVA_OPTIONS
