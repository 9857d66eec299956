"""What is printed: tables and trees on a terminal, plain text in a pipe, JSON on demand.

Stored text may hold anything a terminal obeys, so what is not printable is written as an escape.
"""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import typer

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


def tell(line: str = "") -> None:
    """Print one line."""
    typer.echo(printable(line))


def tell_coloured(line: str, colour: str | None) -> None:
    """Print one line in a colour, if in one: on a terminal, unless NO_COLOR is set."""
    shown = printable(line)
    typer.echo(shown if "NO_COLOR" in os.environ else typer.style(shown, fg=colour))


def complain(line: str) -> None:
    """Print one line on the standard error."""
    typer.echo(printable(line), err=True)


def tell_text(text: str) -> None:
    """Print a document as it is; for a file or another program."""
    typer.echo(text, nl=False)


def tell_json(document: Any) -> None:
    """Print one JSON value."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    typer.echo("".join(_json_escaped(letter) for letter in text))


def tell_table(table: Table) -> None:
    """Print a table: ruled and wrapped on a terminal, aligned text elsewhere."""
    shown = Table(table.columns, [[printable(cell) for cell in row] for row in table.rows])
    if sys.stdout.isatty():
        _rule(shown)
    else:
        for line in aligned(shown):
            typer.echo(line)


def tell_fields(fields: Sequence[tuple[str, str | Sequence[str]]]) -> None:
    """Print what is known of one thing: a name a line, several values below each other."""
    width = max(len(name) for name, _ in fields)
    for name, value in fields:
        values = [value] if isinstance(value, str) else value
        for position, one in enumerate(values or [NOTHING]):
            heading = name if position == 0 else ""
            typer.echo(f"{heading.ljust(width)}{COLUMN_GAP}{printable(one)}")


def tell_tree(tree: "Tree", *, err: bool = False) -> None:
    """Print a tree: with branches on a terminal, indented text elsewhere."""
    stream = sys.stderr if err else sys.stdout
    if stream.isatty():
        _grow(tree, err=err)
    else:
        for line in indented(tree):
            typer.echo(line, err=err)


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
    Console().print(shown)


def _grow(tree: "Tree", *, err: bool) -> None:
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree as RichTree

    def grown(branch: "Tree", into: RichTree) -> RichTree:
        for twig in branch.branches:
            grown(twig, into.add(Text(printable(twig.label))))
        return into

    Console(stderr=err).print(grown(tree, RichTree(Text(printable(tree.label)))))
