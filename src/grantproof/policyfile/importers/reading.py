"""Texts of other systems as parts that know their places, and the report of what becomes of them.

Nothing is dropped silently: a field that no importer takes, and that is not listed as irrelevant,
is reported when its object is closed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from grantproof.policyfile.faults import Location, written_path
from grantproof.policyfile.json_source import parse_json
from grantproof.policyfile.organization_document import OrganizationDocument
from grantproof.policyfile.policy_problems import Spot
from grantproof.policyfile.source import START, Place, Problem, Source
from grantproof.policyfile.yaml_source import parse_yaml_stream

SHOWN_MAX: Final = 60
"""Characters of a value that a message repeats."""


@dataclass(frozen=True, slots=True)
class Text:
    """What a file holds, and the name by which messages call it."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class Untranslated:
    """A part of a text that has no equivalent here, or none that says all of it."""

    file: str
    line: int
    column: int
    what: str
    why: str

    @property
    def message(self) -> str:
        """The note in one line: `roles.yaml:3:5: rules[0].verbs: ...`."""
        return f"{self.file}:{self.line}:{self.column}: {self.what}: {self.why}"


@dataclass(frozen=True, slots=True)
class Refused:
    """A part of a text that keeps all of it from being translated."""

    file: str
    line: int
    column: int
    rule: str

    @property
    def message(self) -> str:
        """The problem in one line: `roles.yaml:3:5: items[0].metadata.name: is required`."""
        return f"{self.file}:{self.line}:{self.column}: {self.rule}"


@dataclass(frozen=True, slots=True)
class Imported:
    """An organization made of texts of another system, and what of them it does not say."""

    document: OrganizationDocument
    untranslated: tuple[Untranslated, ...]


@dataclass(slots=True)
class Report:
    """What could not be translated, and what forbids the translation, in the order found."""

    sources: dict[str, Source] = field(default_factory=dict)
    noted: list[tuple[Spot, str, str]] = field(default_factory=list)
    refused: list[tuple[Spot, str]] = field(default_factory=list)
    unread: list[Refused] = field(default_factory=list)

    def read(self, text: Text, source: Source | tuple[Problem, ...]) -> "Part | None":
        """Return the text as a part, or nothing when it could not be read, which is reported."""
        if text.name in self.sources:
            self.unread.append(Refused(text.name, *START, "must not be given twice"))
            return None
        if not isinstance(source, Source):
            self.unread.extend(
                Refused(text.name, found.line, found.column, found.message) for found in source
            )
            return None
        self.sources[text.name] = source
        return Part(text.name, (), source.data, self)

    def problems(self) -> tuple[Refused, ...]:
        """Return every problem with its place, by file and in the order of its text."""
        places = self._places(spot for spot, _ in self.refused)
        placed = [
            Refused(spot[0], *places[spot], _about(spot, rule)) for spot, rule in self.refused
        ]
        found = dict.fromkeys([*self.unread, *placed])
        return tuple(sorted(found, key=lambda one: (one.file, one.line, one.column)))

    def notes(self) -> tuple[Untranslated, ...]:
        """Return every note with its place, by file and in the order of its text."""
        places = self._places(spot for spot, _, _ in self.noted)
        placed = dict.fromkeys(
            Untranslated(spot[0], *places[spot], what, why) for spot, what, why in self.noted
        )
        return tuple(sorted(placed, key=lambda one: (one.file, one.line, one.column)))

    def _places(self, spots: Iterable[Spot]) -> Mapping[Spot, Place]:
        wanted: dict[str, set[Location]] = {}
        for file, path in spots:
            wanted.setdefault(file, set()).add(path)
        return {
            (file, path): place
            for file, paths in wanted.items()
            for path, place in self.sources[file].locate(paths).items()
        }


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a text: what it holds, and where it stands."""

    file: str
    path: Location
    data: object
    report: Report = field(repr=False, compare=False)

    def note(self, why: str, what: str | None = None) -> None:
        """Report that the part, or `what` of it, is not translated, and why."""
        self.report.noted.append(((self.file, self.path), what or self.named, why))

    def refuse(self, rule: str) -> None:
        """Report that the part breaks a rule: then nothing is translated."""
        self.report.refused.append(((self.file, self.path), rule))

    @property
    def named(self) -> str:
        """The path to the part, as it is shown."""
        return written_path(self.path[1:])

    def fields(self, *irrelevant: str) -> "Fields":
        """Return the fields of an object; what is not one has none, and is refused."""
        if isinstance(self.data, dict):
            return Fields(self, self.data, set(irrelevant))
        self.refuse("must be an object")
        return Fields(self, {}, set())

    def items(self) -> "list[Part]":
        """Return the members of a list; what is not one has none, and is refused."""
        if isinstance(self.data, list):
            return [self.at(i, each) for i, each in enumerate(self.data)]
        self.refuse("must be a list")
        return []

    def entries(self) -> "dict[str, Part]":
        """Return the values of an object by their keys, all of which the caller reads."""
        if isinstance(self.data, dict):
            return {key: self.at(key, each) for key, each in self.data.items()}
        self.refuse("must be an object")
        return {}

    def at(self, key: str | int, data: object) -> "Part":
        """Return a part of this part."""
        return Part(self.file, (*self.path, key), data, self.report)

    def text(self) -> str:
        """Return the string; anything else is refused."""
        if isinstance(self.data, str):
            return self.data
        quoted = isinstance(self.data, bool | int | float)
        self.refuse("must be a string" + (": put it in quotes" if quoted else ""))
        return ""

    def texts(self) -> tuple[str, ...]:
        """Return the members of a list of strings."""
        return tuple(each.text() for each in self.items())

    def flag(self) -> bool:
        """Return the truth value; anything else is refused."""
        if not isinstance(self.data, bool):
            self.refuse("must be true or false")
        return self.data is True


class Fields:
    """The fields of an object, each to be taken; what is left when it is closed is reported."""

    def __init__(self, of: Part, data: Mapping[str, object], irrelevant: set[str]) -> None:
        self.of = of
        self._data = data
        self._read = irrelevant

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for name in self._data:
            if name not in self._read and self._data[name] not in (None, [], {}):
                self.of.at(name, self._data[name]).note("this field is not read")

    def take(self, name: str) -> Part | None:
        """Return the field, or nothing where it is missing or null."""
        self._read.add(name)
        held = self._data.get(name)
        return None if held is None else self.of.at(name, held)

    def text(self, name: str) -> str | None:
        """Return the field's string, or nothing where it is missing or null."""
        found = self.take(name)
        return None if found is None else found.text()

    def required(self, name: str) -> str:
        """Return the field's string, which must be there and not be empty."""
        found = self.text(name)
        if not found and (found is None or self._data.get(name) == ""):
            self.of.at(name, None).refuse("is required")
        return found or ""

    def items(self, name: str) -> list[Part]:
        """Return the field's members; none where it is missing or null."""
        found = self.take(name)
        return [] if found is None else found.items()

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the field's strings; none where it is missing or null."""
        return tuple(each.text() for each in self.items(name))

    def flag(self, name: str, *, default: bool) -> bool:
        """Return the field's truth value, or the default where it is missing or null."""
        found = self.take(name)
        return default if found is None else found.flag()


def documents(text: Text, report: Report) -> list[Part]:
    """Return the documents of a text: the one that JSON is, or all those of a YAML stream."""
    if not text.content.lstrip().startswith(("{", "[")):
        read = report.read(text, parse_yaml_stream(text.content))
    else:
        read = report.read(text, _in_a_list(parse_json(text.content)))
    return [] if read is None else [each for each in read.items() if each.data is not None]


def shown(value: str) -> str:
    """Return a value as messages repeat it, shortened where it is long."""
    return f"`{value if len(value) <= SHOWN_MAX else value[:SHOWN_MAX] + '...'}`"


def _in_a_list(source: Source | tuple[Problem, ...]) -> Source | tuple[Problem, ...]:
    if not isinstance(source, Source):
        return source

    def locate(paths: Iterable[Location]) -> Mapping[Location, Place]:
        wanted = set(paths)
        found = source.locate(path[1:] for path in wanted)
        return {path: found[path[1:]] for path in wanted}

    return Source([source.data], locate)


def _about(spot: Spot, rule: str) -> str:
    name = written_path(spot[1][1:])
    return f"{name}: {rule}" if name else rule
