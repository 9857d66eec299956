"""The server that the tests use: it leaves nothing behind, and nothing as open as it was not."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests import postgresql
from tests.postgresql import Server, running_server

PATIENCE_SECONDS = 60

KILLED = """
import os, signal
from tests.postgresql import running_server
with running_server() as server:
    print(server.folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_server_ends_with_the_session_that_is_killed(postgresql_server: Server) -> None:
    """Beside that of another session; no folder above it or its programs is opened to anybody."""
    watched = {*Path(tempfile.gettempdir()).parents, *Path(sys.executable).parents, Path.home()}
    before = {folder: folder.stat().st_mode for folder in watched}
    session = subprocess.run(
        [sys.executable, "-c", KILLED],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
        cwd=Path(__file__).parents[2],
    )
    folder = Path(session.stdout.strip())
    assert folder.name.startswith("gp-"), session.stderr
    deadline = time.monotonic() + PATIENCE_SECONDS
    while folder.exists():
        assert time.monotonic() < deadline, "the server outlived its session"
        time.sleep(0.05)
    assert {folder: folder.stat().st_mode for folder in watched} == before
    assert postgresql_server.query("postgres", "SELECT 1") == [(1,)]


def test_a_server_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests fail with its own words, and nothing of it is left."""
    monkeypatch.setitem(postgresql.SETTINGS, "shared_buffers", "much")
    with tempfile.TemporaryDirectory(prefix="gp-") as folder:
        Path(folder).chmod(0o711)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        with pytest.raises(RuntimeError, match=r'did not start: .*"much"'), running_server():
            pass
        assert list(Path(folder).iterdir()) == []
        monkeypatch.undo()
