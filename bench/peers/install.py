"""Each peer from the registry of its own language, by version, into `build/bench/peers`.

Nothing is installed twice: a stamp beside each environment says what it was made of. What cannot
be installed here is absent, and the report says why.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.peers.catalogue import Environment
from bench.servers import ROOT

SOURCES: Final = ROOT / "bench" / "peers"
MADE: Final = ROOT / "build" / "bench" / "peers"
STAMP: Final = "installed"
INSTALL_SECONDS_MAX: Final = 3_600
SAID_MAX: Final = 300


@dataclass(frozen=True, slots=True)
class Absent:
    """A peer that cannot be compared on this machine, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Installed:
    """How programs of an environment are begun, and the folder where they run."""

    command: tuple[str, ...]
    folder: Path

    def program(self, module: str) -> tuple[str, ...]:
        """Return the command that runs a peer's program."""
        *begin, last = self.command
        return (*begin, last.replace("MODULE", module))


class _Failed(Exception):
    """An installer ended with an error, or there is none."""


def installed(environment: Environment) -> Installed | Absent:
    """Return the environment, made if it is not there yet, or why there is none."""
    makers = {Environment.PYTHON: _python, Environment.JAVASCRIPT: _javascript}
    try:
        return makers[environment]()
    except _Failed as why:
        return Absent(str(why))


def _python() -> Installed:
    folder, wanted = MADE / "python", SOURCES / "python" / "requirements.txt"
    interpreter = folder / "bin" / "python"

    def make() -> None:
        run((sys.executable, "-m", "venv", str(folder)))
        pip = (str(interpreter), "-m", "pip", "install", "--quiet", "--require-hashes")
        run((*pip, "-r", str(wanted)), {"PIP_DISABLE_PIP_VERSION_CHECK": "1"})

    _once(folder, wanted.read_bytes(), make)
    return Installed((str(interpreter), "-m", "bench.peers.python.MODULE"), ROOT)


def _javascript() -> Installed:
    folder, sources = MADE / "javascript", SOURCES / "javascript"

    def make() -> None:
        folder.mkdir(parents=True)
        shutil.copy(sources / "package.json", folder)
        npm = ("npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund")
        run(npm, folder=folder)

    for needed in ("node", "npm"):
        if shutil.which(needed) is None:
            message = f"`{needed}` is not installed"
            raise _Failed(message)
    _once(folder, (sources / "package.json").read_bytes(), make)
    # A module finds its packages from the folder that it lies in.
    for program in sources.glob("*.mjs"):
        shutil.copy(program, folder)
    return Installed(("node", str(folder / "MODULE.mjs")), folder)


def npm_program(package: str) -> Path | Absent:
    """Return a program that a package brings for this machine, or why there is none."""
    where = installed(Environment.JAVASCRIPT)
    if isinstance(where, Absent):
        return where
    found = sorted((where.folder / "node_modules").glob(f"@{package}/*/{package}-*"))
    return found[0] if found else Absent(f"the package `{package}` has nothing for this machine")


def go_program(module: str, package: str) -> Path | Absent:
    """Return a server's program, built if it is not there yet, or why there is none.

    `module` is what `go install` is told, or a folder of `bench/peers/go` with a `go.mod` of which
    the package is built: a module that replaces or excludes others cannot be installed by its name.
    """
    name = module.partition("@")[0].rpartition("/")[2]
    folder, source = MADE / "go" / name, SOURCES / "go" / module
    wanted = module.encode()
    environment = {
        "GOBIN": str(folder),
        "GOPATH": str(MADE / "go" / "path"),
        "GOCACHE": str(MADE / "go" / "cache"),
    }

    def make() -> None:
        if shutil.which("go") is None:
            message = "`go` is not installed"
            raise _Failed(message)
        if source.is_dir():
            build = ("go", "build", "-trimpath", "-o", str(folder / name), package)
            run(build, environment, folder=source)
        else:
            run(("go", "install", "-trimpath", module), environment)

    if source.is_dir():
        wanted = b"".join(path.read_bytes() for path in sorted(source.iterdir()))
    try:
        _once(folder, wanted, make)
    except _Failed as why:
        return Absent(str(why))
    return folder / name


def _once(folder: Path, wanted: bytes, make: Callable[[], None]) -> None:
    stamp = folder / STAMP
    if stamp.is_file() and stamp.read_bytes() == wanted:
        return
    shutil.rmtree(folder, ignore_errors=True)
    make()
    stamp.write_bytes(wanted)


def run(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    folder: Path = ROOT,
) -> None:
    """Run an installer to its end; raises `_Failed` with what it said last."""
    try:
        done = subprocess.run(  # noqa: S603 - installers of the machine, arguments of ours
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            check=False,
            text=True,
            timeout=INSTALL_SECONDS_MAX,
        )
    except (OSError, subprocess.TimeoutExpired) as why:
        message = f"`{command[0]}` could not be run: {why}"
        raise _Failed(message) from why
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-SAID_MAX:]
        message = f"`{' '.join(command[:3])}` failed: {said}"
        raise _Failed(message)
