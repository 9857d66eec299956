"""What is printed: tables and trees on a terminal, plain text in a pipe, JSON on demand.

Stored text may hold anything a terminal obeys, so what is not printable is written as an escape.
"""

import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import typer

from grantproof.cli.exits import ExitCode, Stop

if TYPE_CHECKING:
    from grantproof.service.trees import Tree

COLUMN_GAP: Final = "  "
INDENT: Final = "  "
NOTHING: Final = "-"
"""Stands where there is no value, so that columns can be told apart by programs too."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under the names of their columns."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]


def ready_streams() -> None:
    """Let there be every standard stream, and each able to write whatever is told.

    What stands for one that is closed also keeps its number, which no file that is opened later may
    have. A letter that the terminal's encoding lacks is written as an escape.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            none = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - it stays open
            setattr(sys, name, none)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def tell(line: str = "") -> None:
    """Print one line."""
    _told(printable(line))


def tell_coloured(line: str, colour: str | None) -> None:
    """Print one line in a colour, if in one: on a terminal, unless NO_COLOR is set."""
    shown = printable(line)
    _told(shown if "NO_COLOR" in os.environ else typer.style(shown, fg=colour))


def complain(line: str) -> None:
    """Print one line on the standard error; the exit code is left where it takes none."""
    try:
        typer.echo(printable(line), err=True)
    except OSError:
        _give_up(sys.stderr)


def tell_text(text: str) -> None:
    """Print a document as it is, in UTF-8; for a file or another program."""
    with _writing():
        typer.echo(text.encode(errors="backslashreplace"), nl=False)


def tell_json(document: Any) -> None:
    """Print one JSON value."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    tell_text("".join(_json_escaped(letter) for letter in text) + "\n")


def tell_table(table: Table) -> None:
    """Print a table: ruled and wrapped on a terminal, aligned text elsewhere."""
    shown = Table(table.columns, [[printable(cell) for cell in row] for row in table.rows])
    if sys.stdout.isatty():
        _rule(shown)
    else:
        for line in aligned(shown):
            _told(line)


def tell_fields(fields: Sequence[tuple[str, str | Sequence[str]]]) -> None:
    """Print what is known of one thing: a name a line, several values below each other."""
    width = max(len(name) for name, _ in fields)
    for name, value in fields:
        values = [value] if isinstance(value, str) else value
        for position, one in enumerate(values or [NOTHING]):
            heading = name if position == 0 else ""
            _told(f"{heading.ljust(width)}{COLUMN_GAP}{printable(one)}")


def tell_tree(tree: "Tree", *, err: bool = False) -> None:
    """Print a tree: with branches on a terminal, indented text elsewhere."""
    stream = sys.stderr if err else sys.stdout
    if stream.isatty():
        _grow(tree, err=err)
    else:
        told = complain if err else _told
        for line in indented(tree):
            told(line)


def aligned(table: Table) -> list[str]:
    """Return the header and the rows as lines whose columns line up."""
    rows = [[name.upper() for name in table.columns], *table.rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        COLUMN_GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def indented(tree: "Tree", depth: int = 0) -> list[str]:
    """Return the tree as lines, each level further in."""
    lines = [f"{INDENT * depth}{printable(tree.label)}"]
    for branch in tree.branches:
        lines.extend(indented(branch, depth + 1))
    return lines


def printable(text: str) -> str:
    """Return the text on one line, with everything that a terminal might obey written out."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def listed(names: Iterable[str]) -> str:
    """Return names as one cell: sorted, or the sign for none."""
    return ", ".join(sorted(names)) or NOTHING


def _told(line: str) -> None:
    with _writing():
        typer.echo(line)


@contextmanager
def _writing() -> Iterator[None]:
    """End the command where the standard output takes no more; a reader that left is no news."""
    try:
        yield
    except BrokenPipeError:
        _give_up(sys.stdout)
        raise Stop(ExitCode.UNDETERMINED) from None
    except OSError as error:
        _give_up(sys.stdout)
        why = (error.strerror or "it takes no more").lower()
        line = f"the answer cannot be written: {why}: after a change, look before trying again"
        raise Stop(ExitCode.UNDETERMINED, line) from None


def _give_up(stream: TextIO) -> None:
    """Let what the stream still holds go nowhere, or Python would end with a word of its own."""
    with suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape", "backslashreplace").decode("ascii")


def _json_escaped(letter: str) -> str:
    # Only strings can hold what is not printable, and in a string every letter may be escaped.
    return letter if letter.isprintable() or letter == "\n" else json.dumps(letter)[1:-1]


def _rule(table: Table) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    shown = RichTable(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in table.columns:
        shown.add_column(name, overflow="fold")
    for row in table.rows:
        shown.add_row(*(Text(cell) for cell in row))
    with _writing():
        Console().print(shown)


def _grow(tree: "Tree", *, err: bool) -> None:
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree as RichTree

    def grown(branch: "Tree", into: RichTree) -> RichTree:
        for twig in branch.branches:
            grown(twig, into.add(Text(printable(twig.label))))
        return into

    with _writing():
        Console(stderr=err).print(grown(tree, RichTree(Text(printable(tree.label)))))
