"""What goes wrong in the first minutes ends in one line that says what to do next.

What needs no real file, user or signal is told in `tests/unit/cli`; a port that is in use in
`test_cli_serve`, a missing package in `test_packages`, an unfit Python in `repository`.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from grantproof.bootstrap import compose
from grantproof.settings import Settings
from tests.processes import bare, free_port

PROGRAM = Path(sys.executable).with_name("grantproof")
SECONDS_MAX = 60
CAPBSET_DROP, DAC_OVERRIDE, DAC_READ_SEARCH = 24, 1, 2
INTERRUPTED = 130
ENDED = {0, INTERRUPTED}
"""How a service ends that is interrupted: 0 once it answers, as shells say it before."""
LIST = ("org", "list")
CREATE = ("org", "create", "other")
SERVE = ("serve", "--demo", "--port")
NAME = "grantproof.db"
INTERRUPTED_BEFORE_ITS_LOOP = """
import signal, uvloop
from grantproof.cli.main import main

uvloop.new_event_loop = lambda: signal.raise_signal(signal.SIGINT)
main()
"""
"""The program, interrupted where the service has all it needs but the loop to run in."""


def obey_modes() -> None:
    """Let the modes of files hold for root too, as they do for everybody else."""
    if os.getuid() == 0 and sys.platform == "linux":
        libc = ctypes.CDLL(None)
        for capability in (DAC_OVERRIDE, DAC_READ_SEARCH):
            libc.prctl(CAPBSET_DROP, capability, 0, 0, 0)


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a folder, as a user who is not root would."""
    return subprocess.run(
        [PROGRAM, *words],
        cwd=folder,
        env=bare(HOME=str(folder)),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
        preexec_fn=obey_modes,
    )


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database, where it is by default, and its audit key."""
    folder = tmp_path_factory.mktemp("original")
    compose(Settings(database_url=str(folder / NAME), demo=True)).close()
    return folder


def damage(folder: Path) -> None:
    """Write over the middle of the file."""
    with (folder / NAME).open("r+b") as file:
        file.seek(4_096)
        file.write(b"\xff" * 65_536)


def lose_key(folder: Path) -> None:
    """Restore the database without its key."""
    (folder / f"{NAME}.audit-key").unlink()


def lock_file(folder: Path) -> None:
    """Let nobody write the file."""
    (folder / NAME).chmod(0o444)


def lock_folder(folder: Path) -> None:
    """Let nobody write in the folder, in which the log of SQLite would be."""
    folder.chmod(0o555)


def empty_and_lock(folder: Path) -> None:
    """Begin in a folder in which nothing can be made."""
    for file in folder.iterdir():
        file.unlink()
    folder.chmod(0o555)


NOT_WRITTEN = (
    "the database `grantproof.db` cannot be written: allow this user to write the file and its"
    " folder"
)
NO_KEY = (
    "the audit key `grantproof.db.audit-key` cannot be used: allow this user to read it and to"
    " write its folder"
)
KEY_LOST = (
    "the audit key `grantproof.db.audit-key` is not there, and the database has events sealed"
    " under it: put it back from its backup, or name it with GRANTPROOF_AUDIT_KEY_FILE"
)
SITUATIONS: dict[str, tuple[Callable[[Path], None], tuple[str, ...], str]] = {
    "damaged": (damage, LIST, "the database `grantproof.db` is damaged: restore it from a backup"),
    "without key": (lose_key, LIST, KEY_LOST),
    "file of another": (lock_file, CREATE, NOT_WRITTEN),
    "folder of another": (lock_folder, CREATE, NOT_WRITTEN),
    "nothing can be made": (empty_and_lock, CREATE, NO_KEY),
    "nothing can be served": (empty_and_lock, (*SERVE, "0"), NO_KEY),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_is_wrong_is_one_line_that_says_what_to_do(
    name: str, original: Path, tmp_path: Path
) -> None:
    """Exit code 3: the same call works once that is done. Nothing is made or changed."""
    prepare, words, line = SITUATIONS[name]
    folder = shutil.copytree(original, tmp_path / "here")
    prepare(folder)
    if words[-1] == "0":
        words = (*words[:-1], str(free_port()))
    before = {one.name: one.read_bytes() for one in folder.iterdir()}
    try:
        ended = run(folder, *words)
    finally:
        folder.chmod(0o755)
    assert (ended.stdout, ended.stderr) == ("", f"{line}\n")
    assert ended.returncode == 3
    after = {one.name: one.read_bytes() for one in folder.iterdir()}
    assert {name: after[name] for name in before} == before
    assert {name.removeprefix(NAME) for name in after.keys() - before.keys()} <= {"-wal", "-shm"}


def test_ctrl_c_at_the_start_is_quiet(tmp_path: Path) -> None:
    """No traceback while the database is made, nor after; it can be started again at once."""
    port = str(free_port())
    started = partial(
        subprocess.Popen[str],
        [PROGRAM, *SERVE, port],
        cwd=tmp_path,
        env=bare(HOME=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with started() as process:
        while not (tmp_path / f"{NAME}.audit-key").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=SECONDS_MAX)
    assert (process.returncode in ENDED, err) == (True, "")
    with started() as again:
        assert again.stdout is not None
        assert again.stdout.readline().startswith("DEMO")
        again.send_signal(signal.SIGINT)
        try:
            _, err = again.communicate(timeout=SECONDS_MAX)
        finally:
            again.kill()
    assert (again.returncode in ENDED, err) == (True, "")


def test_ctrl_c_before_the_loop_is_quiet(tmp_path: Path) -> None:
    """It has said where it listens, and has not begun to: no traceback, no warning, no excuse."""
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_BEFORE_ITS_LOOP, *SERVE, str(free_port())],
        cwd=tmp_path,
        env=bare(HOME=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
    assert ended.stdout.startswith("DEMO")
    assert (ended.returncode, ended.stderr) == (INTERRUPTED, "")
