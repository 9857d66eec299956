"""YAML 1.2 text as plain objects and lists that know their places.

Only what JSON can say: no tags, no merges, no keys but strings. A moment stays the text it is. An
alias is read where it stands, up to a limit, so that a few lines cannot become a million facts.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from grantproof.policyfile.faults import Location
from grantproof.policyfile.source import START, Place, Problem, Source, nearest

YAML_LENGTH_MAX: Final = 4_000_000
"""Characters; the parser reads some 100,000 a second. JSON has room for more."""

DEPTH_MAX: Final = 16
ALIASED_NODES_MAX: Final = 10_000

LEAKS: Final = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What ruamel.yaml lets through on odd input, such as an escape beyond Unicode."""

PREFIX: Final = "tag:yaml.org,2002:"
DECIMAL: Final = re.compile(r"[-+]?[0-9]{1,4000}", re.ASCII)
"""As many digits as the interpreter reads, and more than any field takes: that tells why."""


def read_integer(text: str) -> int:
    """Return the number; a sign and decimal digits are all it may have."""
    if DECIMAL.fullmatch(text) is None:
        raise ValueError(text)
    return int(text)


SCALARS: Final[Mapping[str, Callable[[str], object]]] = {
    "str": str,
    "timestamp": str,
    "null": lambda _: None,
    # Under another version of YAML `yes` would be a bool; here it is text.
    "bool": lambda text: {"true": True, "false": False}.get(text.lower(), text),
    "int": read_integer,
    "float": float,
}
"""What the text of a scalar means, by the tag that its form implies."""


def parse_yaml(text: str) -> Source | tuple[Problem, ...]:
    """Return what the text holds, or every problem that keeps it from being read."""
    nodes = _composed(text, lambda yaml: [yaml.compose(text)])
    if isinstance(nodes, tuple):
        return nodes
    reading = Reading()
    data = [None if node is None else reading.read(node, ()) for node in nodes]
    return tuple(reading.problems) or Source(data[0], partial(_located, reading.places))


def parse_yaml_stream(text: str) -> Source | tuple[Problem, ...]:
    """Return the list of the documents of the text, which `---` parts, or every problem.

    A path into it begins with the position of the document. The limits are those of one text.
    """
    nodes = _composed(text, lambda yaml: list(yaml.compose_all(text)))
    if isinstance(nodes, tuple):
        return nodes
    reading = Reading()
    data = [None if node is None else reading.read(node, (i,)) for i, node in enumerate(nodes)]
    return tuple(reading.problems) or Source(data, partial(_located, reading.places))


def _composed(
    text: str, compose: Callable[[YAML], list[Node | None]]
) -> list[Node | None] | tuple[Problem, ...]:
    """Return the nodes of the text, or the problem that keeps it from being YAML."""
    if len(text) > YAML_LENGTH_MAX:
        rule = f"must have at most {YAML_LENGTH_MAX} characters: write a large one as JSON"
        return (Problem((), *START, rule),)
    try:
        return compose(YAML(typ="safe", pure=True))
    except MarkedYAMLError as error:
        return (_syntax(error),)
    except ReaderError as error:
        before = text[: error.position].split("\n")
        place = (len(before), len(before[-1]) + 1)
        return (Problem((), *place, f"not YAML: {str(error).splitlines()[0]}"),)
    except YAMLError as error:
        return (Problem((), *START, f"not YAML: {str(error).splitlines()[0]}"),)
    except RecursionError:
        return (Problem((), *START, f"must be nested at most {DEPTH_MAX} deep"),)
    except LEAKS:
        return (Problem((), *START, "not YAML: it cannot be read"),)


def _syntax(error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = START if mark is None else (mark.line + 1, mark.column + 1)
    message = error.problem or error.context or ""
    if message.startswith("but "):
        message = f"{error.context}, {message}"
    return Problem((), line, column, f"not YAML: {_line(message)}")


def _line(message: str) -> str:
    return " ".join(message.split())


def _located(places: dict[Location, Place], paths: Iterable[Location]) -> dict[Location, Place]:
    return {path: places[nearest(path, places)] for path in paths}


@dataclass(slots=True)
class Reading:
    """One pass over the nodes of a text: the places of all parts, and what is wrong with them."""

    places: dict[Location, Place] = field(default_factory=lambda: {(): START})
    problems: list[Problem] = field(default_factory=list)
    met: set[int] = field(default_factory=set)
    aliased: int = 0

    def read(self, node: Node, path: Location) -> object:
        """Return the node as a plain value; what is wrong with it is kept in `problems`."""
        self.places.setdefault(path, _place(node))
        if not self._affordable(node, path):
            return None
        match node:
            case MappingNode() if _tag(node) == "map":
                return self._mapping(node, path)
            case SequenceNode() if _tag(node) == "seq":
                return [self.read(item, (*path, i)) for i, item in enumerate(node.value)]
            case ScalarNode():
                return self._scalar(node, path)
            case _:
                self._refuse(node, path, "must not have a tag")
                return None

    def _affordable(self, node: Node, path: Location) -> bool:
        """Return whether the node may be read: neither too deep nor one alias too many."""
        if len(path) > DEPTH_MAX:
            self._refuse(node, path, f"must be nested at most {DEPTH_MAX} deep")
            return False
        if id(node) not in self.met:
            self.met.add(id(node))
            return True
        self.aliased += 1
        if self.aliased == ALIASED_NODES_MAX + 1:
            self._refuse(node, path, f"must repeat at most {ALIASED_NODES_MAX} parts by aliases")
        return self.aliased <= ALIASED_NODES_MAX

    def _mapping(self, node: MappingNode, path: Location) -> dict[str, object]:
        read: dict[str, object] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode) or _tag(key) == "merge":
                self._refuse(key, path, "must have strings as keys, and no merges")
                continue
            name = str(key.value)
            inside = (*path, name)
            if name in read:
                self._refuse(key, inside, "must not be given twice")
                continue
            if not isinstance(value, ScalarNode) or value.start_mark.index == value.end_mark.index:
                # Where nothing is written, the mark is that of what comes next.
                self.places[inside] = _place(key)
            read[name] = self.read(value, inside)
        return read

    def _scalar(self, node: ScalarNode, path: Location) -> object:
        tag = _tag(node)
        if tag not in SCALARS:
            self._refuse(node, path, "must not have a tag")
            return None
        try:
            return SCALARS[tag](node.value)
        except ValueError:
            self._refuse(node, path, "must be written in decimal digits")
            return None

    def _refuse(self, node: Node, path: Location, rule: str) -> None:
        self.problems.append(Problem(path, *_place(node), rule))


def _tag(node: Node) -> str:
    return str(node.tag).removeprefix(PREFIX)


def _place(node: Node) -> Place:
    mark = node.start_mark
    return (mark.line + 1, mark.column + 1)
