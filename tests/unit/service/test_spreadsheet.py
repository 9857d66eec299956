"""Rows of CSV: what is written is read back, and nothing of it is a formula."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grantproof.service.spreadsheet import FORMULA, LINE_END, guarded, plain, row, rows

CELLS = st.text(st.sampled_from("=+-@\t\r\n'\",;ab é"), max_size=6)


@pytest.mark.parametrize("first", FORMULA)
def test_what_may_be_a_formula_is_guarded(first: str) -> None:
    """An apostrophe makes text of it; so it does of one that begins with an apostrophe."""
    assert guarded(f"{first}1+1") == f"'{first}1+1"
    assert guarded(f"'{first}1+1") == f"''{first}1+1"
    assert guarded(f"1{first}1") == f"1{first}1"


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=4))
def test_what_is_written_is_read_back(table: list[list[str]]) -> None:
    """By this and, guards apart, by any reader; however many lines a cell has."""
    text = "".join(map(row, [["one", "two"], *table]))
    found = [cells for _, cells in rows(io.StringIO(text, newline=""))]
    assert found == [["one", "two"], *([*cells] for cells in table if any(cells))]
    for cells in csv.reader(io.StringIO(text, newline="")):
        assert not any(cell.startswith(FORMULA) for cell in cells)


@given(CELLS)
def test_a_guard_is_taken_away_and_nothing_else(text: str) -> None:
    """Neither from a cell that a person wrote."""
    assert plain(guarded(text)) == text
    if not text.startswith("'"):
        assert plain(text) == text
    assert plain("'abc") == "'abc"


def test_a_row_ends_as_the_standard_says() -> None:
    """RFC 4180: carriage return and line feed, quotes doubled where a cell needs them."""
    assert row(["a", 'b"c', "d,e"]) == 'a,"b""c","d,e"\r\n'
    assert LINE_END == "\r\n"


@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_the_header_tells_what_stands_between_cells(between: str) -> None:
    """And each row has the number of the line that it begins on."""
    lines = [f"a{between}b\n", "\n", '"1\n', f'2"{between}3\n', f"4{between}5\n"]
    assert list(rows(lines)) == [(1, ["a", "b"]), (3, ["1\n2", "3"]), (5, ["4", "5"])]


def test_what_is_no_csv_is_told_with_its_line() -> None:
    """A quote that is not closed."""
    with pytest.raises(ValueError, match="line 2: is no CSV"):
        list(rows(["a,b\n", '"1,2\n']))
    assert list(rows([])) == []
