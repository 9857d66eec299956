"""Rows of CSV (RFC 4180) that a spreadsheet shows as they are, and reads no formula from.

A cell that a spreadsheet might take for a formula gets an apostrophe in front, and so does one that
begins with an apostrophe, so that `plain` can undo it.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula, or strips to find one."""
GUARD: Final = "'"
LINE_END: Final = "\r\n"
DELIMITERS: Final = (",", ";", "\t")
"""What spreadsheets put between cells, by the country that they are set to."""
BYTE_ORDER_MARK: Final = "\ufeff"


def guarded(text: str) -> str:
    """Return the text of a cell that is no formula."""
    return f"{GUARD}{text}" if text.startswith((*FORMULA, GUARD)) else text


def plain(cell: str) -> str:
    """Return the text that `guarded` made the cell of; any other cell as it is."""
    return cell[1:] if cell.startswith(GUARD) and guarded(cell[1:]) == cell else cell


def row(cells: Iterable[str], *, line_end: str = LINE_END) -> str:
    """Return a row with its line end; no cell is taken for a formula."""
    line = io.StringIO()
    csv.writer(line, lineterminator=line_end).writerow(map(guarded, cells))
    return line.getvalue()


def rows(lines: Iterable[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield the rows of a file, each with the number of the line it begins on; empty ones not.

    The header tells what stands between cells. Raises `ValueError` that says what is no CSV, and on
    which line.
    """
    source = iter(lines)
    header = next(source, "").removeprefix(BYTE_ORDER_MARK)
    delimiter = max(DELIMITERS, key=header.count)
    reader = csv.reader(_from(header, source), delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            message = f"line {number}: is no CSV: {error}"
            raise ValueError(message) from None
        if any(cells):
            yield number, [plain(cell) for cell in cells]


def _from(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest
