"""Policy files by their paths: what is read of files and folders, and what cannot be.

A folder means the policy files in it and below, in sorted order; names that begin with a dot and
policy tests are passed over. A file that is named twice, or reached twice by links, is read once.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

STANDARD_INPUT: Final = "-"
ENDINGS: Final = (".yaml", ".yml", ".json")
TEST_ENDINGS: Final = tuple(f"_test{ending}" for ending in ENDINGS)

Identity = tuple[int, int]
"""What tells a file or a folder from every other, whatever it is called: its device and number."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A path that cannot be read, and why, in words; `line` where in the file, if in a file."""

    name: str
    why: str
    line: int = 0

    @property
    def message(self) -> str:
        """The reason in one line."""
        if self.line:
            return f"{self.name}:{self.line}:1: {self.why}"
        return f"`{self.name}` cannot be read: {self.why}"

    def written(self) -> dict[str, object]:
        """Return the fault for programs, as problems of a policy are written."""
        place = {"line": max(self.line, 1), "column": 1, "path": ""}
        return {"file": self.name, **place, "rule": self.why, "nearest": None}


@dataclass(slots=True)
class Reading:
    """What was found so far: texts by the names of their files, and what could not be read.

    With `tests` the files of policy tests are meant, without it all others.
    """

    tests: bool = False
    texts: dict[str, str] = field(default_factory=dict[str, str])
    unreadable: list[Unreadable] = field(default_factory=list[Unreadable])
    _met: set[Identity] = field(default_factory=set[Identity])

    def read(self, name: str, path: Path | None) -> None:
        """Read a file, or the standard input when there is no path; neither a second time."""
        try:
            if name in self.texts or (path is not None and self._known(path)):
                return
            content = sys.stdin.buffer.read() if path is None else path.read_bytes()
            self.texts[name] = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            self.unreadable.append(Unreadable(name, "not UTF-8", line))
        except OSError as error:
            self._refuse(name, error)

    def walk(self, folder: Path) -> None:
        """Read what is meant of the folder and all below; it is a fault when there is no file."""
        faults = len(self.unreadable)
        found = list(self._inside(folder, ()))
        for path in filter(self.means, found):
            if path.exists() and not path.is_file():
                self.unreadable.append(Unreadable(str(path), "not a file"))
            else:
                self.read(str(path), path)
        if not found and len(self.unreadable) == faults:
            self.unreadable.append(Unreadable(str(folder), "a folder without policy files"))

    def means(self, path: Path) -> bool:
        """Return whether a file of that name is meant."""
        return path.name.endswith(TEST_ENDINGS) == self.tests

    def _known(self, path: Path) -> bool:
        """Return whether the file was read already, by whatever name, and remember it."""
        identity = _identity(path)
        known = identity in self._met
        self._met.add(identity)
        return known

    def _inside(self, folder: Path, around: tuple[Identity, ...]) -> Iterator[Path]:
        try:
            identity = _identity(folder)
            entries = sorted(folder.iterdir())
        except OSError as error:
            self._refuse(str(folder), error)
            return
        if identity in around:
            self.unreadable.append(Unreadable(str(folder), "a link to a folder that it is in"))
            return
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from self._inside(entry, (*around, identity))
            elif entry.name.endswith(ENDINGS):
                yield entry

    def _refuse(self, name: str, error: OSError) -> None:
        why = (error.strerror or "it cannot be read").lower()
        self.unreadable.append(Unreadable(name, why))


def _identity(path: Path) -> Identity:
    found = path.stat()
    return found.st_dev, found.st_ino


def gather(paths: Sequence[str], *, tests: bool = False) -> Reading:
    """Return what can be read at the paths, and what cannot; of policies, or of their tests."""
    reading = Reading(tests)
    for name in paths:
        path = Path(name)
        if name == STANDARD_INPUT:
            reading.read(name, None)
        elif path.is_dir():
            reading.walk(path)
        elif reading.means(path):
            reading.read(name, path)
    if not reading.texts and not reading.unreadable:
        rest = "no policy test, only policies" if tests else "no policy file, only policy tests"
        reading.unreadable.append(Unreadable(" ".join(paths), rest))
    return reading
