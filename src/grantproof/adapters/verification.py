"""Whether the rules that run are those that were verified: the gate's report, held to the source.

A report counts only for the very source it is about: `core_digest` is written into it by the gate,
and computed again here. A check that was left out, or that failed, is no verification.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import msgspec

from grantproof.service.ports import StoreUnusable

CORE: Final = "grantproof.core"
STAGES: Final = ("specs", "properties", "tla", "faults", "traces", "crosshair", "smoke")
"""The stages of the gate; a report that lacks one is no report of the whole."""
SHORT: Final = 12
"""How many digits of a digest are told: enough to compare by eye."""
BYTES_MAX: Final = 64 * 1024 * 1024


class _Stage(msgspec.Struct, frozen=True):
    name: str
    passed: bool


class _Origin(msgspec.Struct, frozen=True):
    core: str | None = None


class _Report(msgspec.Struct, frozen=True):
    passed: bool
    stages: tuple[_Stage, ...]
    origin: _Origin = _Origin()


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether what runs is `verified`, and the `source` that runs, as a short digest."""

    verified: bool
    source: str


def verification(report: Path | None) -> Verification:
    """Return what a report says of the source that runs; without one it is not verified.

    Raises `StoreUnusable` where the file cannot be read or is no report of the gate.
    """
    running = _running()
    verified = report is not None and _says(_read(report), running)
    return Verification(verified, running[:SHORT])


@cache
def _running() -> str:
    # What was loaded stays as it is, whatever becomes of its files.
    return core_digest()


def core_digest() -> str:
    """Return the SHA-256 over the source files of `grantproof.core`, in the order of their paths.

    Of each its path below the package and its bytes, both preceded by their length.
    """
    digest = hashlib.sha256()
    for path, file in sorted(_sources(files(CORE), "").items()):
        for part in (path.encode(), file.read_bytes()):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _sources(folder: Traversable, prefix: str) -> dict[str, Traversable]:
    found: dict[str, Traversable] = {}
    for entry in folder.iterdir():
        path = f"{prefix}{entry.name}"
        if entry.is_dir():
            found |= _sources(entry, f"{path}/")
        elif path.endswith(".py"):
            found[path] = entry
    return found


def _read(path: Path) -> _Report:
    try:
        with path.open("rb") as file:
            text = file.read(BYTES_MAX + 1)
        if len(text) > BYTES_MAX:
            message = f"it has more than {BYTES_MAX} bytes"
            raise ValueError(message)
        return msgspec.json.decode(text, type=_Report)
    except OSError as error:
        why = str(error.strerror)
    except (ValueError, RecursionError) as error:
        why = str(error)
    message = f"`{path}` is no report of `make verify` that can be read: {why}"
    raise StoreUnusable(message)


def _says(report: _Report, running: str) -> bool:
    """Return whether the report says that all of the gate passes, of what runs."""
    passed = {stage.name for stage in report.stages if stage.passed}
    failed = {stage.name for stage in report.stages if not stage.passed}
    whole = passed.issuperset(STAGES) and len(failed) == 0
    return report.passed and whole and report.origin.core == running
