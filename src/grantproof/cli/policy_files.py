"""Policy files as a command line names them: files, folders, the standard input.

A folder means the policy files in it and below, in sorted order; names that begin with a dot and
policy tests are passed over. A file that is named twice, or reached twice by links, is read once.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from grantproof.cli.exits import ExitCode, Stop
from grantproof.cli.progress import Progress

if TYPE_CHECKING:
    from grantproof.core.organization import Organization
    from grantproof.policyfile.organization_document import OrganizationDocument
    from grantproof.policyfile.policy_problems import FiledProblem

STANDARD_INPUT: Final = "-"
ENDINGS: Final = (".yaml", ".yml", ".json")
TEST_ENDINGS: Final = tuple(f"_test{ending}" for ending in ENDINGS)

Identity = tuple[int, int]
"""What tells a file or a folder from every other, whatever it is called: its device and number."""

Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATHS...",
        help="YAML or JSON files, or folders of them, read as one policy; - is the standard input.",
    ),
]


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
    texts: dict[str, str] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)
    _met: set[Identity] = field(default_factory=set)

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


def read_paths(paths: Sequence[str]) -> dict[str, str]:
    """Return the texts of all policy files at the paths, by name; raises `Stop` with every fault.

    Policy tests that are named themselves, as a pattern of the shell does, are passed over too.
    """
    reading = gather(paths)
    if reading.unreadable:
        raise Stop(ExitCode.USAGE, *(one.message for one in reading.unreadable))
    return reading.texts


def text_of(name: str) -> str:
    """Return what one file holds, or for a dash the standard input; raises `Stop`."""
    reading = Reading()
    reading.read(name, None if name == STANDARD_INPUT else Path(name))
    if reading.unreadable:
        raise Stop(ExitCode.USAGE, reading.unreadable[0].message)
    return reading.texts[name]


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


def read_policy_of(
    paths: Sequence[str], bar: Progress, *, name: str | None = None
) -> "OrganizationDocument":
    """Return the organization that the files at the paths describe together, `name` if given.

    Raises `Stop` with every problem: of the files, of what they hold, of what would be refused.
    """
    from grantproof.core.identifiers import OrganizationId
    from grantproof.policyfile.organization_document import OrganizationDocument
    from grantproof.service.policy_checks import check_policy

    named = None if name is None else OrganizationId(name)
    found = check_policy(read_paths(paths), name=named, told=bar.step)
    if isinstance(found, OrganizationDocument):
        return found
    raise refused(found)


def state_of_policy(paths: Sequence[str], bar: Progress) -> "Organization":
    """Return the organization that the files at the paths make; raises `Stop` as they are read."""
    from grantproof.service.policy_checks import state_of

    return state_of(read_policy_of(paths, bar))


def refused(problems: "Sequence[FiledProblem]") -> Stop:
    """Return the end of a command on a policy with problems.

    A policy that cannot be read as one ends with code 2, one that an organization would refuse with
    code 1, and then the first refusal is told to programs and on a terminal as any other is.
    """
    from grantproof.cli.witness import refused as refused_change

    lines = [problem.message for problem in problems]
    refusals = [problem.refusal for problem in problems if problem.refusal is not None]
    if len(refusals) < len(problems):
        return Stop(ExitCode.USAGE, *lines)
    first = refused_change(refusals[0])
    return Stop(ExitCode.NO, *lines, document=first.document, tree=first.tree)
