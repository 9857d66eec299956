"""Whether the rules that run are those that were verified: the gate's report, held to the source.

A report counts only for the very source it is about: `core_digest` is written into it by the gate,
and computed again here. A check that was left out, or that failed, is no verification.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
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


PASSES: Final = frozenset(
    {"proved", "caught", "holds", "refuted as expected", "passed", "confirmed"}
)
"""The verdicts of the gate that are passes; any other word is a failure."""


class _Row(msgspec.Struct, frozen=True):
    property_id: str
    verdict: str
    name: str = ""
    seconds: float = 0.0


class _Stage(msgspec.Struct, frozen=True):
    name: str
    passed: bool
    seconds: float = 0.0
    problem: str = ""
    rows: tuple[_Row, ...] = ()


class _Origin(msgspec.Struct, frozen=True):
    core: str | None = None
    begun: str = ""
    revision: str | None = None
    changed: bool | None = None
    versions: dict[str, str] = {}


class _Report(msgspec.Struct, frozen=True):
    passed: bool
    stages: tuple[_Stage, ...]
    seconds: float = 0.0
    origin: _Origin = _Origin()


class Standing(StrEnum):
    """What is known of what runs."""

    VERIFIED = "verified"
    """All of the gate passes, of just this source."""
    FAILED = "failed"
    """Something in it does not, of just this source."""
    PARTIAL = "partial"
    """What was run passes, but that was not all of it."""
    OTHER_SOURCE = "other source"
    """The report is about something else, or does not say what it is about."""
    NO_REPORT = "no report"


@dataclass(frozen=True, slots=True)
class StageTold:
    """What became of a stage: how many things it looked at, and in how many seconds."""

    name: str
    passed: bool
    looked_at: int
    seconds: float
    problem: str


@dataclass(frozen=True, slots=True)
class PropertyTold:
    """What bears on a property: how many verdicts passed and did not, of which stages."""

    id: str
    passed: int
    failures: tuple[str, ...]
    stages: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Told:
    """What a report says: `begun` (ISO 8601), by which tools, and how long all of it took."""

    about: str | None
    begun: str
    revision: str | None
    changed: bool | None
    tools: Mapping[str, str]
    seconds: float
    stages: tuple[StageTold, ...]
    properties: Mapping[str, PropertyTold]


@dataclass(frozen=True, slots=True)
class Verification:
    """What is known of what runs; `source` is what runs, as a short digest.

    `told` is what the report says, where there is one.
    """

    standing: Standing
    source: str
    told: Told | None = None

    @property
    def verified(self) -> bool:
        """Whether all of the gate passes, of just this source."""
        return self.standing is Standing.VERIFIED


def verification(report: Path | None) -> Verification:
    """Return what a report says of the source that runs; without one it is not verified.

    Raises `StoreUnusable` where the file cannot be read or is no report of the gate.
    """
    running = _running()
    if report is None:
        return Verification(Standing.NO_REPORT, running[:SHORT])
    read = _read(report)
    return Verification(_standing(read, running), running[:SHORT], _told(read))


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


def _standing(report: _Report, running: str) -> Standing:
    """Return what the report says of what runs; it counts only when it says all of it."""
    passed = {stage.name for stage in report.stages if stage.passed}
    failed = {stage.name for stage in report.stages if not stage.passed}
    if report.origin.core != running:
        return Standing.OTHER_SOURCE
    if not report.passed or len(failed) > 0:
        return Standing.FAILED
    return Standing.VERIFIED if passed.issuperset(STAGES) else Standing.PARTIAL


def _told(report: _Report) -> Told:
    origin = report.origin
    return Told(
        about=None if origin.core is None else origin.core[:SHORT],
        begun=origin.begun,
        revision=origin.revision,
        changed=origin.changed,
        tools=origin.versions,
        seconds=report.seconds,
        stages=tuple(
            StageTold(one.name, one.passed, len(one.rows), one.seconds, one.problem)
            for one in report.stages
        ),
        properties=_properties(report),
    )


def _properties(report: _Report) -> dict[str, PropertyTold]:
    """Return what bears on each property; a row may bear on several."""
    rows = defaultdict[str, list[tuple[str, _Row]]](list)
    for stage in report.stages:
        for row in stage.rows:
            for name in row.property_id.split(", "):
                rows[name].append((stage.name, row))
    return {
        name: PropertyTold(
            name,
            passed=sum(row.verdict in PASSES for _, row in found),
            failures=tuple(
                f"{stage}: {row.name}: {row.verdict}"
                for stage, row in found
                if row.verdict not in PASSES
            ),
            stages=tuple(dict.fromkeys(stage for stage, _ in found)),
            seconds=sum(row.seconds for _, row in found),
        )
        for name, found in rows.items()
    }
