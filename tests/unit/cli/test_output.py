"""What is printed: aligned text, trees and JSON, and nothing that a terminal might obey."""

import json

import pytest

from grantproof.cli.output import Table, aligned, indented, printable, tell_json
from grantproof.service.trees import Tree

ODD = "a\nb\x1b[31m\x9b\u202e\U000e0041"


def test_columns_line_up_and_nothing_trails() -> None:
    """Each column is as wide as its widest cell."""
    table = Table(("id", "roles"), [("a", "x"), ("long", "")])
    assert aligned(table) == ["ID    ROLES", "a     x", "long"]


def test_a_table_without_rows_still_has_its_header() -> None:
    """Nobody wonders whether the command did anything."""
    assert aligned(Table(("id",), [])) == ["ID"]


def test_a_tree_is_indented() -> None:
    """Each level stands further in."""
    assert indented(Tree("a", (Tree("b", (Tree("c"),)), Tree("d")))) == ["a", "  b", "    c", "  d"]


def test_what_a_terminal_might_obey_is_written_out() -> None:
    """Line breaks, escapes, C1 controls, direction marks and tags are harmless."""
    assert printable(ODD) == r"a\nb\x1b[31m\x9b\u202e\U000e0041"
    assert printable("naïve 日本") == "naïve 日本"


def test_json_is_harmless_and_the_same_value(capsys: pytest.CaptureFixture[str]) -> None:
    """What is escaped in JSON is read back as it was."""
    tell_json({ODD: [ODD]})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {ODD: [ODD]}
    assert printable(printed.replace("\n", "")) == printed.replace("\n", "")
