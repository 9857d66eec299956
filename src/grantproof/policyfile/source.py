"""Text as plain objects and lists that remember where they stand: YAML 1.2, or JSON.

Text that begins with a brace is JSON, anything else YAML. Nothing is taken silently: a key given
twice, a tag, a merge or a bomb of aliases is a problem with its line and column.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass

from grantproof.policyfile.faults import Location, written_path

Place = tuple[int, int]
"""A line and a column, both from 1."""

START: Place = (1, 1)


@dataclass(frozen=True, slots=True)
class Problem:
    """A part of a text that breaks a rule: its path, where it stands, and the rule in words."""

    path: Location
    line: int
    column: int
    message: str

    def in_file(self, name: str) -> str:
        """Return the problem in one line: `policy.yaml:3:5: claims[0].role: is required`."""
        field = f"{written_path(self.path)}: " if self.path else ""
        return f"{name}:{self.line}:{self.column}: {field}{self.message}"


@dataclass(frozen=True, slots=True)
class Source:
    """What a text holds, and a function that finds where parts of it stand.

    `locate` returns a place for each path: of the part itself, or where that is missing of the
    nearest part around it.
    """

    data: object
    locate: Callable[[Iterable[Location]], Mapping[Location, Place]]


def nearest(path: Location, known: Container[Location]) -> Location:
    """Return the path, or its longest beginning that is known; the empty path must be."""
    while path not in known:
        path = path[:-1]
    return path
