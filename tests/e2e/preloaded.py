"""`grantproof` with its imports behind it, so that pages of a hundred commands wait for them once.

A process imports the program and forks for every command. What a shell starts as `grantproof` asks
it to, over a socket, and hands over its arguments, folder, environment and open files; a service is
the program itself. Everything else is a process of its own, as it is for a reader. The clock of
commands stands still.
"""

import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import grantproof
from grantproof.adapters.clock import SystemClock
from grantproof.cli.main import main
from tests.processes import PROGRAM

ROOT: Final = Path(__file__).resolve().parents[2]
INSTANT: Final = 1_795_275_000
"""2026-11-21T15:30:00Z, a Saturday: the time at which the examples of the pages were found."""

NOT_IMPORTED: Final = frozenset({"__main__", "migrations"})
"""These run when they are imported."""

CLIENT: Final = """#!{python} -IS
import json, os, socket, sys
if sys.argv[1:2] == ["serve"]:
    os.execv({real!r}, sys.argv)
with socket.socket(socket.AF_UNIX) as way:
    way.connect({address!r})
    socket.send_fds(way, [b"-"], [0, 1, 2])
    way.sendall(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode())
    way.shutdown(socket.SHUT_WR)
    sys.exit(int(way.recv(16) or b"99"))
"""


@contextmanager
def preloaded(folder: Path) -> Iterator[Path]:
    """The folder of a program `grantproof`, while it can be run."""
    address, programs = folder / "way", folder / "bin"
    programs.mkdir()
    program = programs / "grantproof"
    program.write_text(
        CLIENT.format(python=sys.executable, address=str(address), real=str(PROGRAM))
    )
    program.chmod(0o755)
    command = [sys.executable, "-m", "tests.e2e.preloaded", str(address)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        yield programs
    finally:
        server.kill()
        server.communicate()


def serve(address: str) -> None:
    """Run commands as they are asked for, until killed."""
    standing_still: Final = lambda _clock: INSTANT  # noqa: E731 - a method, set from outside
    SystemClock.now = standing_still  # type: ignore[method-assign]  # for every command
    for module in pkgutil.walk_packages(grantproof.__path__, "grantproof."):
        if not NOT_IMPORTED & {*module.name.split(".")}:
            importlib.import_module(module.name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            way, _ = door.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                door.close()
                carry_out(way)
            way.close()


def carry_out(way: socket.socket) -> None:
    """Be the command that is asked for; the asker is told how it ended."""
    _, files, _, _ = socket.recv_fds(way, 1, 3)
    told = b"".join(iter(lambda: way.recv(65_536), b""))
    arguments, folder, environment = json.loads(told)
    for standard, file in enumerate(files):
        os.dup2(file, standard)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    code = 99
    try:
        main(arguments)
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        way.sendall(str(code).encode())
        os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1])
