"""YAML text as a tree that keeps what a reader sees of it: comments, blank lines, quotes, anchors.

A comment belongs to the entry that it stands above or beside, or, when it is indented deeper than
what follows, to the end of what it stands in. What precedes the first entry is the text's head.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamStartEvent,
)

BLANK: Final = ""
"""Stands among comments for a blank line."""

PROPERTIES: Final = re.compile(r"(?:[&!][^\s,\[\]{}]*|#[^\n]*\n|\s)*")
"""What may precede a scalar in its event: its anchor, its tag, and what is between them."""

COMMENT: Final = re.compile(r"[&*!%][^\s,\[\]{}]*|(#[^\n]*)")
"""A comment, between scalars; the sign means none inside the name of an anchor or of a tag."""

ESCAPES: Final = {'"': r"\"", "\\": r"\\", "\n": r"\n", "\t": r"\t"}
TEXT_TAG: Final = "tag:yaml.org,2002:str"


@dataclass(slots=True)
class Leaf:
    """A scalar or an alias: its text on the line of its key, and the lines of a literal below."""

    text: str
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Branch:
    """A list or an object; `flow` when it is written in brackets, `below` are comments at its end.

    `anchor` is its anchor as it is written.
    """

    keyed: bool
    flow: bool
    anchor: str
    column: int
    holder: "Entry | None"
    entries: "list[Entry]" = field(default_factory=list)
    below: list[str] = field(default_factory=list)

    @property
    def commented(self) -> bool:
        """Whether there is any comment inside."""
        return any(self.below) or any(
            any(entry.above)
            or len(entry.beside) > 0
            or (isinstance(entry.value, Branch) and entry.value.commented)
            for entry in self.entries
        )


@dataclass(slots=True, eq=False)
class Entry:
    """A member of a list, or a key with its value, and the comments above and beside it.

    `key` is as written, `name` what it means. `offset` and `column` say where it begins.
    """

    inside: Branch
    key: str
    name: str
    offset: int
    column: int
    value: Leaf | Branch = field(default_factory=lambda: Leaf(""))
    above: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Layout:
    """A whole text: the comments at its head, what it holds, and all its comments in order."""

    head: list[str]
    root: Leaf | Branch
    comments: list[str]


Span = tuple[int, int]


def read_layout(text: str) -> Layout:
    """Return the tree of YAML text that `parse_yaml` can read, its line breaks the usual ones."""
    building = Building(text, YAML(typ="safe", pure=True).parse(text))
    root = building.build()
    found = list(building.comments())
    comments = [comment for _, comment in found]
    if not isinstance(root, Branch) or not root.entries:
        return Layout(comments, root, comments)
    for offset, comment in found:
        building.place(offset, comment)
    for entry in building.entries:
        building.part(entry)
    first = root.entries[0]
    head, first.above = first.above, []
    return Layout(head, root, comments)


class Building:
    """One pass over the events of a text: the tree, and where its pieces begin and end.

    `spans` are those of scalars; `ends` has for each piece where it ends and the entry it is of,
    `starts` where each begins, both in the order of the text.
    """

    def __init__(self, text: str, events: Iterator[Any]) -> None:
        self._text = text
        self._events = events
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]
        self._last: Branch | None = None
        self.spans: list[Span] = []
        self.entries: list[Entry] = []
        self.offsets: list[int] = []
        self.ends: list[tuple[int, Entry]] = []
        self.starts: list[tuple[int, Entry]] = []

    def build(self) -> Leaf | Branch:
        """Return the tree, without its comments."""
        for event in self._events:
            if not isinstance(event, StreamStartEvent | DocumentStartEvent):
                return self._node(event, None)
        return Leaf("")

    def comments(self) -> Iterator[tuple[int, str]]:
        """Yield each comment with its offset: what begins with `#` between scalars."""
        edges = [0, *(edge for span in self.spans for edge in span), len(self._text)]
        for position, (start, end) in enumerate(pairwise(edges)):
            if position % 2 == 0:
                for found in COMMENT.finditer(self._text, start, end):
                    if found[1] is not None:
                        yield found.start(), found[1].rstrip()

    def place(self, offset: int, comment: str) -> None:
        """Give a comment to what it belongs to."""
        line_start = self._lines[self._line(offset)]
        before = bisect_right(self.ends, offset, key=lambda end: end[0]) - 1
        if before >= 0 and self.ends[before][0] > line_start:
            self.ends[before][1].beside.append(comment)
            return
        lead = self._text[line_start:offset]
        column = offset - line_start if lead.isspace() or lead == "" else 0
        home = self._home(offset, column, self.ends[before][1] if before >= 0 else None)
        if self._after_blank(offset):
            home.append(BLANK)
        home.append(comment)

    def part(self, entry: Entry) -> None:
        """Keep the blank line above an entry that begins a line."""
        position = bisect_left(self.offsets, entry.offset)
        start = self._lines[self._line(entry.offset)]
        begins = self._text[start : entry.offset].strip(" -") == ""
        if begins and self.entries[position] is entry and self._after_blank(entry.offset):
            entry.above.append(BLANK)

    def _home(self, offset: int, column: int, previous: Entry | None) -> list[str]:
        """Return the list of comments that one on a line of its own joins."""
        at = bisect_left(self.starts, offset, key=lambda start: start[0])
        upcoming = self.starts[at][1] if at < len(self.starts) else None
        if upcoming is not None and upcoming.offset < offset:
            # Between a key and its value, or before the bracket that closes a list.
            value = upcoming.value
            return value.below if isinstance(value, Branch) and value.flow else upcoming.above
        root = self.entries[0].inside
        after = bisect_left(self.offsets, offset)
        first = self.entries[after] if after < len(self.entries) else None
        if first is None:
            around = {root}
            if any(root.below) or column == 0:
                return root.below
        else:
            around = _around(first)
            if any(first.above) or column <= first.column or first.inside.flow:
                return first.above
        branch = previous.inside if previous is not None else None
        while branch is not None and branch not in around:
            if branch.column <= column and not branch.flow:
                return branch.below
            branch = branch.holder.inside if branch.holder is not None else None
        return root.below if first is None else first.above

    def _line(self, offset: int) -> int:
        return bisect_right(self._lines, offset) - 1

    def _after_blank(self, offset: int) -> bool:
        line = self._line(offset)
        return line > 0 and self._text[self._lines[line - 1] : self._lines[line]].isspace()

    def _node(self, event: Any, holder: Entry | None) -> Leaf | Branch:
        if isinstance(event, AliasEvent):
            self._piece(event.start_mark.index, event.end_mark.index, holder)
            return Leaf(f"*{event.anchor}")
        if isinstance(event, ScalarEvent):
            return self._scalar(event, holder)
        keyed = isinstance(event, MappingStartEvent)
        anchor = f"&{event.anchor}" if event.anchor else ""
        flow = bool(event.flow_style)
        branch = Branch(keyed, flow, anchor, self._column(event.start_mark.index), holder)
        start = event.start_mark.index
        if flow:
            self._piece(start, event.end_mark.index, holder)
        elif anchor:
            self._piece(start, start + len(anchor), holder)
        while not isinstance(event := next(self._events), MappingEndEvent | SequenceEndEvent):
            self._entry(event, branch)
        if flow:
            self._piece(event.start_mark.index, event.end_mark.index, holder)
        return branch

    def _column(self, offset: int) -> int:
        """Return the column of the first dash or key after an anchor and a tag, if any."""
        found = PROPERTIES.match(self._text, offset)
        begins = offset if found is None else found.end()
        return begins - self._lines[self._line(begins)]

    def _entry(self, event: Any, branch: Branch) -> None:
        mark = event.start_mark
        column = branch.column if not branch.flow else mark.column
        entry = Entry(branch, "", "", mark.index, column)
        branch.entries.append(entry)
        self.entries.append(entry)
        self.offsets.append(entry.offset)
        if branch.keyed:
            key = self._node(event, entry)
            entry.key = key.text if isinstance(key, Leaf) else ""
            entry.name = str(getattr(event, "value", entry.key))
            event = next(self._events)
        entry.value = self._node(event, entry)

    def _scalar(self, event: ScalarEvent, holder: Entry | None) -> Leaf:
        whole, end = event.start_mark.index, event.end_mark.index
        if whole == end:
            return Leaf(f"&{event.anchor}" if event.anchor else "")
        start = whole
        if event.anchor or event.tag:
            found = PROPERTIES.match(self._text, whole, end)
            start = whole if found is None else found.end()
        written = self._text[start:end]
        anchor = f"&{event.anchor} " if event.anchor else ""
        if event.style in {"|", ">"}:
            header = written.partition("\n")[0]
            self.spans.append((start + len(header), end))
            self._piece(whole, start + len(header.partition(" ")[0]), holder)
            return literal(event.value, anchor)
        self.spans.append((start, end))
        self._piece(whole, end, holder)
        rewritten = "\n" in written or (event.tag == TEXT_TAG and event.style is None)
        return Leaf(anchor + (quoted(event.value) if rewritten else written))

    def _piece(self, start: int, end: int, entry: Entry | None) -> None:
        if entry is not None:
            self.starts.append((start, entry))
            self.ends.append((end, entry))


def literal(value: str, anchor: str) -> Leaf:
    """Return a block of text as a literal, or in quotes where a literal would not say the same."""
    lines = value.removesuffix("\n").split("\n")
    plain = all(line.isprintable() for line in lines) and lines[-1] != ""
    if not plain or lines[0] == "" or lines[0].startswith(" "):
        return Leaf(anchor + quoted(value))
    return Leaf(f"{anchor}|" if value.endswith("\n") else f"{anchor}|-", lines)


def quoted(value: str) -> str:
    """Return the text of a scalar in double quotes, on one line."""
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(letter: str) -> str:
    if letter in ESCAPES:
        return ESCAPES[letter]
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"


def _around(entry: Entry) -> set[Branch]:
    """Return the branches that the entry is in."""
    found = set()
    branch: Branch | None = entry.inside
    while branch is not None:
        found.add(branch)
        branch = branch.holder.inside if branch.holder is not None else None
    return found
