"""The catalogue of errors tells every code of a problem and every exit code, and no others."""

import re
from pathlib import Path

from grantproof.api.problems import KINDS
from grantproof.cli.exits import ExitCode

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "errors.md").read_text("utf-8")
PROBLEM = re.compile(r"^\| (\d{3}) \| `(\w+)` \| ([^|]*[^| ]) \| ([^|]*[^| ]) \|$", re.MULTILINE)
EXIT = re.compile(r"^\| (\d) \| ([^|]*[^| ]) \| ([^|]*[^| ]) \|$", re.MULTILINE)


def test_every_code_is_told_with_its_status() -> None:
    """Once each, in the order of the statuses, with when it happens and what to do."""
    rows = PROBLEM.findall(PAGE)
    assert sorted((code, int(status)) for status, code, _, _ in rows) == sorted(
        (code, status) for code, (status, _) in KINDS.items()
    )
    assert [status for status, *_ in rows] == sorted(status for status, *_ in rows)


def test_every_exit_code_is_told() -> None:
    """In order, with its meaning."""
    assert [int(code) for code, *_ in EXIT.findall(PAGE)] == [code.value for code in ExitCode]


def test_a_row_that_is_left_out_would_be_missed() -> None:
    """The patterns read whole rows: one with an empty cell is none."""
    assert PROBLEM.findall("| 404 | `x` |  |") == []
    assert PROBLEM.findall("| 404 | `x` | when | what |") == [("404", "x", "when", "what")]
