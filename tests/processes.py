"""Programs that tests start: which one, in what environment, on which port, ended in any case."""

import os
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol

import pytest

PROGRAM: Final = Path(sys.executable).with_name("grantproof")
FIRST_PORT: Final = 20_000
PORTS_EACH: Final = 500
"""Below all ports that systems give to outgoing connections, so that none of these is taken."""


class Running(Protocol):
    """A process of which what it prints can be read."""

    def kill(self) -> None:
        """End it."""

    def communicate(self) -> tuple[str, str]:
        """What it prints until its end on both outputs."""


def bare(**settings: str) -> dict[str, str]:
    """The environment without the settings of whoever runs the tests, and with these."""
    kept = {name: value for name, value in os.environ.items() if "GRANTPROOF" not in name}
    return {**kept, **settings}


def without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the settings of whoever runs the tests out of the environment of this process."""
    for name in [name for name in os.environ if "GRANTPROOF" in name]:
        monkeypatch.delenv(name)


def free_port() -> int:
    """A port that nobody listened on a moment ago, and that no other worker of pytest is given."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = FIRST_PORT + worker % 24 * PORTS_EACH
    for port in random.sample(range(first, first + PORTS_EACH), PORTS_EACH):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError(f"no port from {first} to {first + PORTS_EACH - 1} is free")


@contextmanager
def started(
    command: Sequence[str],
    *,
    seconds: float,
    env: Mapping[str, str],
    cwd: Path | None = None,
) -> Iterator["subprocess.Popen[str]"]:
    """A process of which what it prints can be read, killed at the end or after so long."""
    process = subprocess.Popen(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with watched(process, seconds=seconds):
        yield process


@contextmanager
def watched(process: Running, *, seconds: float) -> Iterator[None]:
    """Meanwhile it runs; it is killed at the end or after so long."""
    watchdog = threading.Timer(seconds, process.kill)
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()
        process.kill()
        # Shown when the test fails.
        sys.stderr.write(process.communicate()[1])
