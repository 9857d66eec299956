"""What is wrong with policy files, each problem in its file, line and column, in a fixed order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from grantproof.core.errors import SingleRefusal
from grantproof.policyfile.faults import Location, written_path
from grantproof.policyfile.source import START, Place, Source
from grantproof.policyfile.witnesses import kind_of, witness_of


@dataclass(frozen=True, slots=True)
class FiledProblem:
    """A part of a file that breaks a rule, or that asks for a change which would be refused.

    `path` is empty for the file as a whole. `nearest` is the valid name that was probably meant;
    `refusal` is there when the rule is one of the organization and not of the form.
    """

    file: str
    line: int
    column: int
    path: Location
    rule: str
    nearest: str | None = None
    refusal: SingleRefusal | None = None

    @property
    def place(self) -> tuple[str, int, int]:
        """Where it is, as problems are sorted."""
        return (self.file, self.line, self.column)

    @property
    def message(self) -> str:
        """The problem in one line: `a.yaml:3:5: roles[0].id: is required`."""
        field = f"{written_path(self.path)}: " if self.path else ""
        advice = "" if self.nearest is None else f": did you mean `{self.nearest}`?"
        return f"{self.file}:{self.line}:{self.column}: {field}{self.rule}{advice}"

    def written(self) -> dict[str, Any]:
        """Return the problem for programs; of a refusal with its code and its witness."""
        written: dict[str, Any] = {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "path": written_path(self.path),
            "rule": self.rule,
            "nearest": self.nearest,
        }
        if self.refusal is not None:
            written |= {"code": kind_of(self.refusal), "witness": witness_of(self.refusal)}
        return written


Spot = tuple[str, Location]
"""A file, and a part of what it holds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a part of a file, before anybody has looked up where that stands.

    `see` is another part that has to do with it.
    """

    spot: Spot
    rule: str
    nearest: str | None = None
    see: Spot | None = None
    refusal: SingleRefusal | None = None


def placed(findings: Iterable[Finding], sources: Mapping[str, Source]) -> tuple[FiledProblem, ...]:
    """Return the findings with their lines and columns, sorted by file, line and column.

    Each file is searched once, however much is wrong with it.
    """
    found = list(findings)
    wanted: dict[str, list[Location]] = {}
    for spot in (spot for one in found for spot in (one.spot, one.see) if spot is not None):
        wanted.setdefault(spot[0], []).append(spot[1])
    places = {
        file: sources[file].locate(paths) for file, paths in wanted.items() if file in sources
    }

    def place(spot: Spot) -> Place:
        return places[spot[0]][spot[1]] if spot[0] in places else START

    def problem(one: Finding) -> FiledProblem:
        see = "" if one.see is None else f": see {one.see[0]}:{_written(place(one.see))}"
        file, path = one.spot
        return FiledProblem(file, *place(one.spot), path, one.rule + see, one.nearest, one.refusal)

    return tuple(sorted(map(problem, found), key=lambda made: (made.place, made.path != ())))


def _written(place: Place) -> str:
    return f"{place[0]}:{place[1]}"
