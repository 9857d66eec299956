"""Events as lines: for people, for programs, and for spreadsheets."""

import json
from collections.abc import Iterator
from typing import Final

from grantproof.cli.output import NOTHING
from grantproof.cli.shown import moment
from grantproof.service import spreadsheet
from grantproof.service.history import Entry, command_types
from grantproof.service.ports import ERASED

COLUMNS: Final = (
    "organization",
    "revision",
    "instant",
    "moment",
    "actor",
    "reason",
    "request_id",
    "erased_at",
    "command",
    "delta",
    "mac",
)
SEALS: Final = frozenset({"erased_at", "mac"})
"""What only whoever has the database is told."""


def jsonl_lines(entries: Iterator[Entry], *, sealed: bool) -> Iterator[str]:
    """Yield each event as one line of JSON."""
    for entry in entries:
        told = _told(entry)
        document = {
            **{name: told[name] for name in _columns(sealed=sealed)},
            "command": json.loads(entry.command),
            "delta": json.loads(entry.delta),
        }
        yield json.dumps(document, ensure_ascii=True) + "\n"


def csv_rows(entries: Iterator[Entry], *, sealed: bool = True) -> Iterator[str]:
    """Yield a header, and each event as a row; no cell is taken for a formula."""
    columns = _columns(sealed=sealed)
    yield _row(columns)
    for entry in entries:
        told = _told(entry)
        yield _row(tuple(_cell(told[name]) for name in columns))


def entry_line(entry: Entry) -> str:
    """Return an event as a line for people."""
    actor = ERASED if entry.actor is None else entry.actor
    types = command_types(entry)
    what = types[0] if len(types) == 1 else f"{types[0]} of {len(types) - 1}"
    told = [f"{entry.revision}", moment(entry.instant), actor, what, entry.request_id or NOTHING]
    return "  ".join([*told, *([] if entry.reason is None else [f'"{entry.reason}"'])])


def _columns(*, sealed: bool) -> tuple[str, ...]:
    return COLUMNS if sealed else tuple(name for name in COLUMNS if name not in SEALS)


def _told(entry: Entry) -> dict[str, object]:
    return {
        name: moment(entry.instant) if name == "moment" else getattr(entry, name)
        for name in COLUMNS
    }


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def _row(cells: tuple[str, ...]) -> str:
    return spreadsheet.row(cells, line_end="\n")
