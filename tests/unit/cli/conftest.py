"""What the tests of the command line share: a database with `acme` in it, and a way to run."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grantproof.bootstrap import compose
from grantproof.cli.main import main
from grantproof.settings import Settings
from tests.databases import copied
from tests.processes import without_settings


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that ended: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value on the standard output."""
        return json.loads(self.out)

    @property
    def line(self) -> str:
        """The one line on the standard error, when there is nothing else."""
        assert self.out == ""
        assert self.err.count("\n") == 1, self.err
        return self.err.rstrip("\n")

    @property
    def line_by_line(self) -> list[str]:
        """The lines on the standard error, when there is nothing else."""
        assert self.out == ""
        return self.err.splitlines()


Run = Callable[..., Ended]
Written = Callable[[str], str]


@pytest.fixture(scope="session")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the demo organization in it, to be copied."""
    path = tmp_path_factory.mktemp("acme") / "acme.db"
    compose(Settings(database_url=str(path), demo=True)).close()
    return path


@pytest.fixture
def pointed_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Path]:
    """Copy a database, and let the environment name the copy and its organization."""

    def copy(original: Path) -> Path:
        without_settings(monkeypatch)
        path = copied(original, tmp_path / "copy.db")
        monkeypatch.setenv("GRANTPROOF_DATABASE_URL", str(path))
        monkeypatch.setenv("GRANTPROOF_ORG", "acme")
        return path

    return copy


@pytest.fixture
def database(acme: Path, pointed_at: Callable[[Path], Path]) -> Path:
    """A copy of the demo's database, which the environment names."""
    return pointed_at(acme)


@pytest.fixture
def run(database: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line on the database."""
    assert database.exists()

    def ended(*arguments: str) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        captured = capsys.readouterr()
        return Ended(int(stopped.value.code or 0), captured.out, captured.err)

    return ended


@pytest.fixture
def revision(database: Path) -> Callable[[], int]:
    """The revision of `acme`: it moves with every change, and with nothing else."""

    def stored() -> int:
        with closing(sqlite3.connect(database)) as connection:
            (found,) = connection.execute("SELECT revision FROM organization").fetchone()
        return int(found)

    return stored


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Write a file and return its name."""

    def write(text: str) -> str:
        path = tmp_path / "policy.yaml"
        path.write_text(text)
        return str(path)

    return write
