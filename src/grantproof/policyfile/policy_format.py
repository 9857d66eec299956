"""The canonical form of policy files: one layout, so that a difference is always a change.

Keys come in the order of the schema, two spaces an indentation, at most one blank line. What an
author chose stays: the order of entries, comments, grouping by blank lines, quotes, anchors, and
brackets for what fits on a line. A text that says something else afterwards is never returned.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from grantproof.policyfile.json_source import parse_json
from grantproof.policyfile.policy_layout import (
    BLANK,
    Branch,
    Entry,
    Layout,
    Leaf,
    read_layout,
)
from grantproof.policyfile.policy_schema import Shape, policy_shape
from grantproof.policyfile.policy_text import OTHER_BREAKS, read_source
from grantproof.policyfile.source import START, Place, Problem, Source
from grantproof.policyfile.yaml_source import parse_yaml

INDENT: Final = 2
LINE_LENGTH: Final = 100
"""A list or an object in brackets is no longer than this; nothing else is broken into lines."""

CHANGED: Final = "cannot be formatted without changing what it says"
HEAD: Final = {"apiVersion": "grantproof/v1", "kind": "Organization"}


def format_policy(text: str) -> str | tuple[Problem, ...]:
    """Return the canonical form of the text, or why it has none.

    It says the same, holds the same comments, and is its own canonical form. It need not be a legal
    policy, but text that can be read, and that says it is a policy.
    """
    source = read_source(text)
    if not isinstance(source, Source):
        return source
    data = source.data
    if not isinstance(data, dict) or any(data.get(name) != said for name, said in HEAD.items()):
        said = " and ".join(f"`{name}: {value}`" for name, value in HEAD.items())
        return _refused(f"is no policy file: it must say {said}")
    if text.lstrip().startswith("{"):
        return _formatted_json(data)
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    before = [len(plain.partition(letter)[0]) for letter in OTHER_BREAKS if letter in plain]
    if before:
        lines = plain[: min(before)].split("\n")
        place = (len(lines), len(lines[-1]) + 1)
        return _refused("must have no line breaks but the usual ones", place)
    # An alias must come after its anchor, so that keys cannot always be put in order.
    for ordered in (True, False):
        layout = read_layout(plain)
        made = _printed(layout, data, ordered=ordered)
        if _says_the_same(made, layout.comments, data):
            return made
    return _refused(CHANGED)


def _refused(rule: str, place: Place = START) -> tuple[Problem]:
    return (Problem((), *place, rule),)


def _says_the_same(made: str, comments: list[str], data: object) -> bool:
    again = parse_yaml(made)
    return (
        isinstance(again, Source)
        # JSON tells 1 from true, which comparing does not.
        and json.dumps(again.data, sort_keys=True) == json.dumps(data, sort_keys=True)
        and sorted(read_layout(made).comments) == sorted(comments)
    )


def _formatted_json(data: object) -> str | tuple[Problem, ...]:
    ordered = _in_order(data, policy_shape())
    try:
        made = json.dumps(ordered, indent=INDENT, ensure_ascii=False, allow_nan=False) + "\n"
    except ValueError:
        return _refused("must hold no number that JSON cannot say")
    again = parse_json(made)
    return made if isinstance(again, Source) and again.data == data else _refused(CHANGED)


def _in_order(data: Any, shape: Shape) -> Any:
    shape = shape.of(data)
    if isinstance(data, list):
        return [_in_order(member, shape.inside(0)) for member in data]
    if not isinstance(data, dict):
        return data
    place = {name: at for at, name in enumerate(shape.fields)}
    names = sorted(data, key=lambda name: place.get(name, len(place)))
    return {name: _in_order(data[name], shape.inside(name)) for name in names}


def _printed(layout: Layout, data: object, *, ordered: bool) -> str:
    """Return the tree as text; with `ordered` its keys in the order of the schema."""
    root = layout.root
    if isinstance(root, Leaf):
        return "\n".join([*layout.head, root.text]) + "\n"
    if ordered:
        _order(root, data, policy_shape())
    return "\n".join(_spaced([*layout.head, *_block(root, 0)])) + "\n"


def _order(branch: Branch, data: Any, shape: Shape) -> None:
    """Put the keys of the branch, and of all within, in the order of the schema."""
    shape = shape.of(data)
    for at, entry in enumerate(branch.entries):
        if isinstance(entry.value, Branch):
            part: str | int = entry.name if branch.keyed else at
            _order(entry.value, data[part], shape.inside(part))
    if branch.keyed:
        place = {name: at for at, name in enumerate(shape.fields)}
        branch.entries.sort(key=lambda entry: place.get(entry.name, len(place)))


def _block(branch: Branch, indent: int, *, hoisted: bool = False) -> Iterator[str]:
    """Yield the lines of a branch, an entry after the other.

    With `hoisted` what stands above its first entry has been written already.
    """
    pad = " " * indent
    for position, entry in enumerate(branch.entries):
        if position > 0 or not hoisted:
            above = _above(entry, indent)
            yield from _padded(above if position > 0 else _without_blank(above), pad)
        yield from _entry(entry, indent)
    yield from _padded(branch.below, pad)


def _entry(entry: Entry, indent: int) -> Iterator[str]:
    head, value = _head(entry, indent), entry.value
    beside = "".join(f"  {comment}" for comment in entry.beside[:1])
    line = _in_brackets(entry, indent)
    if isinstance(value, Leaf):
        yield f"{head} {value.text}".rstrip() + beside
        # A blank line of a literal is no blank line between entries: it is kept as white space.
        yield from (" " * (indent + INDENT) + line for line in value.lines)
    elif line is not None:
        yield line + beside
    elif _opens_beside_its_dash(entry):
        inner = _block(value, indent + INDENT, hoisted=True)
        yield f"{head} {next(inner).lstrip(' ')}"
        yield from inner
    else:
        yield f"{head} {value.anchor}".rstrip() + beside
        in_line = entry.inside.keyed and not value.keyed
        yield from _block(value, indent if in_line else indent + INDENT)


def _above(entry: Entry, indent: int) -> list[str]:
    """Return what is written above an entry: its own, and what its first line has no room for."""
    value = entry.value
    if (
        isinstance(value, Leaf)
        or not _opens_beside_its_dash(entry)
        or _in_brackets(entry, indent) is not None
    ):
        return [*entry.above, *entry.beside[1:]]
    inner = _above(value.entries[0], indent + INDENT)
    return [*entry.above, *entry.beside, *(line for line in inner if line != BLANK)]


def _opens_beside_its_dash(entry: Entry) -> bool:
    value = entry.value
    return not entry.inside.keyed and isinstance(value, Branch) and value.anchor == ""


def _in_brackets(entry: Entry, indent: int) -> str | None:
    """Return the line of an entry whose value is written in brackets, when it fits one."""
    value = entry.value
    if isinstance(value, Leaf) or (value.entries and not value.flow) or value.commented:
        return None
    line = f"{_head(entry, indent)} {_flow(value)}"
    return line if len(line) <= LINE_LENGTH or not value.entries else None


def _head(entry: Entry, indent: int) -> str:
    if not entry.inside.keyed:
        return " " * indent + "-"
    return " " * indent + _key(entry)


def _key(entry: Entry) -> str:
    # The name of an alias would take the colon for a part of itself.
    return f"{entry.key} :" if entry.key.startswith("*") else f"{entry.key}:"


def _flow(value: Leaf | Branch) -> str:
    if isinstance(value, Leaf):
        return value.text or "null"
    anchor = f"{value.anchor} " if value.anchor else ""
    if not value.keyed:
        return f"{anchor}[{', '.join(_flow(entry.value) for entry in value.entries)}]"
    pairs = (f"{_key(entry)} {_flow(entry.value)}" for entry in value.entries)
    return f"{anchor}{{{', '.join(pairs)}}}"


def _padded(lines: list[str], pad: str) -> list[str]:
    return [f"{pad}{line}" if line else line for line in lines]


def _without_blank(lines: list[str]) -> list[str]:
    return lines[1:] if lines[:1] == [BLANK] else lines


def _spaced(lines: list[str]) -> Iterator[str]:
    """Yield the lines with at most one blank between two, and none at the ends."""
    waiting = False
    for position, line in enumerate(lines):
        if line == BLANK:
            waiting = position > 0
            continue
        if waiting:
            yield BLANK
        waiting = False
        yield line.rstrip() if line.isspace() else line
