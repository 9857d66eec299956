"""The core of a revision, taken out of git into a folder of its own; the work tree is only read."""

import importlib
import io
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Final

PACKAGE: Final = "grantproof"
INIT: Final = "src/grantproof/__init__.py"
FOLDER: Final = "src/grantproof/core"
GIT_SECONDS_MAX: Final = 60


class NoRevision(Exception):
    """There is nothing to compare with: the message says why, and what would do."""


def checked_out(revision: str, repository: Path, into: Path) -> str:
    """Put the core of the revision under `into`; return the full name of the commit.

    Raises `NoRevision` where there is no git, no checkout, no such revision, or no core in it.
    """
    _git(repository, "rev-parse", "--git-dir", problem=f"`{repository}` is not a git checkout")
    named = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    commit = _git(repository, *named, problem=f"unknown revision `{revision}`").decode().strip()
    top = _git(repository, "rev-parse", "--show-toplevel", problem="no work tree").decode().strip()
    packed = _git(
        Path(top),
        *("archive", "--format=tar", commit, "--", INIT, FOLDER),
        problem=f"`{revision}` is older than the core: it has no `{FOLDER}`",
    )
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(into, filter="data")
    return commit


def is_dirty(repository: Path) -> bool:
    """Return whether the core in the work tree is not as it was committed."""
    status = ("status", "--porcelain", "--", f":/{FOLDER}")
    return _git(repository, *status, problem="no status").strip() != b""


def texts(source: Path) -> dict[str, str]:
    """Return the text of every module of the core under a folder of sources, by dotted name."""
    found: dict[str, str] = {}
    for path in sorted((source / PACKAGE / "core").rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = path.read_text(encoding="utf-8")
    return found


def imported(source: Path, names: Iterable[str]) -> dict[str, ModuleType]:
    """Return the modules imported afresh from the folder; what was imported stays as it was.

    Raises `NoRevision` where one cannot be imported.
    """
    kept = {name: module for name, module in sys.modules.items() if _is_ours(name)}
    _forget()
    sys.path.insert(0, str(source))
    importlib.invalidate_caches()
    try:
        found = {name: importlib.import_module(name) for name in names}
    except Exception as problem:
        message = f"the core of the revision cannot be imported: {problem!r}"
        raise NoRevision(message) from problem
    finally:
        sys.path.remove(str(source))
        _forget()
        sys.modules.update(kept)
    for name, module in found.items():
        if not str(module.__file__).startswith(str(source)):
            message = f"`{name}` is imported from {module.__file__}, not from the revision"
            raise NoRevision(message)
    return found


def _is_ours(name: str) -> bool:
    return name == PACKAGE or name.startswith(f"{PACKAGE}.")


def _forget() -> None:
    for name in [name for name in sys.modules if _is_ours(name)]:
        del sys.modules[name]


def _git(repository: Path, *arguments: str, problem: str) -> bytes:
    command = ["git", "-C", str(repository), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - git, and a revision that is never an option
            command, capture_output=True, check=False, timeout=GIT_SECONDS_MAX
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        message = f"git does not answer: {failure}"
        raise NoRevision(message) from failure
    if done.returncode != 0:
        raise NoRevision(problem)
    return done.stdout
