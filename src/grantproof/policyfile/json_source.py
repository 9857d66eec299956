"""JSON text as plain objects and lists; places are looked for only when something is wrong."""

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final

from grantproof.policyfile.faults import Location
from grantproof.policyfile.source import START, Place, Problem, Source, nearest

JSON_LENGTH_MAX: Final = 512_000_000
"""Characters; a million assignments take a fifth of that."""

TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def parse_json(text: str) -> Source | tuple[Problem, ...]:
    """Return what the text holds, or every problem that keeps it from being JSON."""
    if len(text) > JSON_LENGTH_MAX:
        return (Problem((), *START, f"must have at most {JSON_LENGTH_MAX} characters"),)
    repeated: list[str] = []
    try:
        data = json.loads(text, object_pairs_hook=partial(_object, repeated))
    except json.JSONDecodeError as error:
        return (Problem((), error.lineno, error.colno, f"not JSON: {error.msg.lower()}"),)
    except RecursionError:
        return (Problem((), *START, "must not be nested so deep"),)
    except ValueError:
        # The interpreter's own limit, of some thousand digits.
        return (Problem((), *START, "must not hold a number of so many digits"),)
    return tuple(_repetitions(text)) if repeated else Source(data, partial(_located, text))


def _object(repeated: list[str], pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the object; keep in `repeated` that a key was given twice."""
    made = dict(pairs)
    if len(made) < len(pairs):
        repeated.extend(made)
    return made


def _tokens(text: str) -> Iterator[tuple[Location, int, bool]]:
    """Yield for each key and each value of JSON text its path, its offset and whether it is a key.

    `open_at` has the position reached in each open list, the key reached in each open object.
    """
    open_at: list[str | int | None] = []
    for token in TOKEN.finditer(text):
        match token[0]:
            case "]" | "}":
                open_at.pop()
            case ",":
                reached = open_at[-1]
                open_at[-1] = reached + 1 if isinstance(reached, int) else None
            case ":":
                continue
            case key if open_at and open_at[-1] is None:
                open_at[-1] = str(json.loads(key))
                yield _path(open_at), token.start(), True
            case value:
                yield _path(open_at), token.start(), False
                if value in {"[", "{"}:
                    open_at.append(0 if value == "[" else None)


def _path(open_at: list[str | int | None]) -> Location:
    return tuple(part for part in open_at if part is not None)


def _located(text: str, paths: Iterable[Location]) -> dict[Location, Place]:
    wanted = set(paths)
    around = {path[:length] for path in wanted for length in range(len(path) + 1)}
    offsets: dict[Location, int] = {}
    for path, offset, _ in _tokens(text):
        # A list or an object that has a key is shown by its key.
        if path in around and (path not in offsets or text[offset] not in "[{"):
            offsets[path] = offset
    place = _placing(text)
    return {path: place(offsets[nearest(path, offsets)]) for path in wanted}


def _repetitions(text: str) -> Iterator[Problem]:
    place = _placing(text)
    seen: set[Location] = set()
    for path, offset, is_key in _tokens(text):
        if is_key and path in seen:
            yield Problem(path, *place(offset), "must not be given twice")
        elif is_key:
            seen.add(path)


def _placing(text: str) -> Callable[[int], Place]:
    """Return the function from an offset in the text to its line and column."""
    starts = [0, *(end.end() for end in re.finditer("\n", text))]

    def place(offset: int) -> Place:
        line = bisect_right(starts, offset)
        return (line, offset - starts[line - 1] + 1)

    return place
