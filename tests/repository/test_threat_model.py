"""The threat model is held to the repository: against each threat there is code, and a test."""

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.repository.checkout import ROOT

PAGE = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
HEADING = "| # | STRIDE | threat | mitigation | code | shown by |"
LETTERS = "STRIDE"
PLACES = (ROOT / "src/grantproof", ROOT)


@dataclass(frozen=True)
class Threat:
    """A row of the table."""

    number: str
    letters: str
    threat: str
    mitigation: str
    code: list[str]
    tests: list[str]


def threats(page: str) -> list[Threat]:
    """The rows of the table; raises ValueError where there is no such table."""
    _, found, table = page.partition(HEADING)
    if not found:
        message = "there is no table of threats"
        raise ValueError(message)
    rows = table.strip().partition("\n\n")[0].splitlines()[1:]
    return [threat(row) for row in rows]


def threat(row: str) -> Threat:
    """One row; raises ValueError for one that has not six cells."""
    number, letters, told, mitigation, code, tests = (
        cell.strip() for cell in row.strip("|").split("|")
    )
    return Threat(number, letters, told, mitigation, quoted(code), quoted(tests))


def quoted(cell: str) -> list[str]:
    """What stands in backticks in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def faults(found: list[Threat]) -> list[str]:
    """Everything that is wrong with the table, in words."""
    told = [f"no threat for {letter}" for letter in LETTERS if not covered(letter, found)]
    numbers = [one.number for one in found]
    told += [f"{number} stands twice" for number in set(numbers) if numbers.count(number) > 1]
    for one in found:
        if not one.letters or not set(one.letters.replace(" ", "")) <= set(LETTERS):
            told.append(f"{one.number}: no letter of STRIDE")
        if not one.threat or not one.mitigation:
            told.append(f"{one.number}: empty")
        if not one.code or not one.tests:
            told.append(f"{one.number}: without code, or without a test")
        told += [f"{one.number}: no `{code}`" for code in one.code if not is_there(code)]
        told += [f"{one.number}: no `{name}`" for name in one.tests if not is_test(name)]
    return told


def covered(letter: str, found: list[Threat]) -> bool:
    """Whether a threat is of that kind."""
    return any(letter in one.letters for one in found)


def is_there(code: str) -> bool:
    """Whether there is such a file or folder, in the product or at the top."""
    return any((place / code).exists() for place in PLACES)


def is_test(name: str) -> bool:
    """Whether `path::test` is a test, whose path is below `tests`."""
    path, _, function = name.partition("::")
    file = ROOT / "tests" / path
    if not function.startswith("test_") or not Path(path).name.startswith("test_"):
        return False
    return file.is_file() and function in functions(file.read_text(encoding="utf-8"))


@cache
def functions(source: str) -> set[str]:
    """The functions of a module that pytest collects; a file that many rows name is parsed once."""
    tree = ast.parse(source)
    return {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_every_threat_has_a_mitigation_and_a_test_that_is_there() -> None:
    """In every row; and each letter of STRIDE has a threat."""
    found = threats(PAGE)
    assert len(found) >= 30
    assert faults(found) == []


GOOD = (
    "| 1 | STRIDE | a threat | a mitigation | `core/policy.py` | "
    "`repository/test_threat_model.py::test_a_bad_row_is_told` |"
)


def test_a_good_row_is_not_told() -> None:
    """With a heading of its own."""
    assert faults(threats(f"{HEADING}\n|---|\n{GOOD}\n\nmore")) == []


def test_a_bad_row_is_told() -> None:
    """A test that is gone, code that is gone, a cell that is empty, a letter that is none."""
    bad = {
        "test_a_bad_row_is_told": "test_that_is_not_there",
        "core/policy.py": "core/nothing.py",
        "`core/policy.py`": "somewhere",
        "a mitigation": "",
        "STRIDE": "X",
        "repository/test_threat": "repository/test_threats",
    }
    for said, spoilt in bad.items():
        assert faults([threat(GOOD.replace(said, spoilt, 1))]) != [], spoilt


def test_a_letter_without_a_threat_is_told() -> None:
    """And a number that stands twice."""
    one = threat(GOOD.replace("STRIDE", "S"))
    assert faults([one])[:2] == ["no threat for T", "no threat for R"]
    assert "1 stands twice" in faults([threat(GOOD)] * 2)


def test_the_links_to_the_threat_model_are_there() -> None:
    """Whoever looks for it in the usual places finds it."""
    for page, link in (("SECURITY.md", "docs/threat-model.md"), ("README.md", "docs/errors.md")):
        assert f"({link})" in (ROOT / page).read_text(encoding="utf-8")
    assert "(docs/threat-model.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
