"""A missing prerequisite of `make` is one clear line that names the remedy, never a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository.checkout import ROOT

# Programs that stand in for python3. `$2` is the code or the module that it is asked to run.
OLD = "echo 3.9; case $2 in *'< (3, 11)'*) exit 1 ;; esac"
WITHOUT_VENV = f'case $2 in *ensurepip*) exit 1 ;; esac; exec {sys.executable} "$@"'
BROKEN = "echo 'Traceback (most recent call last):' >&2; exit 1"
# Makes a virtual environment whose pip fails, and leaves a trace of how often it was asked to.
FAILING_INSTALL = f"""
if [ "$1 $2" = '-m venv' ]; then
    mkdir -p "$3/bin"
    touch "$3/pyvenv.cfg" && [ ! -e "$3/leftover" ]
    printf '#!/bin/sh\\ntouch "%s/leftover"\\nexit 1\\n' "$3" > "$3/bin/python"
    chmod +x "$3/bin/python"
else
    exec {sys.executable} "$@"
fi
"""


def stand_in(folder: Path, script: str) -> Path:
    """A program of that script, made in `folder`."""
    program = folder / "python3"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def make_environment(python: Path | str, venv: Path) -> subprocess.CompletedProcess[str]:
    """Run what `make` runs before anything else."""
    command = [ROOT / ".ci" / "venv", python, venv]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("script", "message"),
    [(OLD, "is Python 3.9, too old"), (WITHOUT_VENV, "python3-venv"), (BROKEN, "does not start")],
)
def test_an_unfit_python_is_one_line(script: str, message: str, tmp_path: Path) -> None:
    """Too old, without venv or not starting: one line, and nothing is made."""
    done = make_environment(stand_in(tmp_path, script), tmp_path / "venv")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert message in done.stderr
    assert not (tmp_path / "venv").exists()


def test_a_missing_python_is_one_line(tmp_path: Path) -> None:
    """Without any python3 the line says what to install and how to name another."""
    done = make_environment(tmp_path / "python3", tmp_path / "venv")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "not found: install Python 3.11 or newer" in done.stderr


def test_a_failed_install_is_not_taken_for_done(tmp_path: Path) -> None:
    """A half-made environment gets no stamp, and is made from nothing the next time."""
    python, venv = stand_in(tmp_path, FAILING_INSTALL), tmp_path / "venv"
    for _ in range(2):
        done = make_environment(python, venv)
        assert done.returncode == 1
        assert "installing packages failed" in done.stderr.splitlines()[-1]
        assert (venv / "leftover").exists()
        assert not (venv / ".installed").exists()


def test_a_folder_that_is_no_environment_is_left_alone(tmp_path: Path) -> None:
    """VENV naming somebody's folder by mistake deletes nothing."""
    keepsake = tmp_path / "photos" / "cat.jpg"
    keepsake.parent.mkdir()
    keepsake.touch()
    done = make_environment(sys.executable, keepsake.parent)
    assert "is no virtual environment" in done.stderr.splitlines()[-1]
    assert keepsake.exists()
