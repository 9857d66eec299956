"""The manifest of what is proved: no public function of the core without a row that is true."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from specs.faults.catalogue import FAULTS
from specs.manifest import CORE, TESTED, rows
from specs.theorems import readers, statements
from specs.tlc.expectations import TABLE, read_expectations
from tests.repository.checkout import ROOT, python_files, read

PROPERTY_ID = re.compile(r"\bP-[A-Z]+(?:-[A-Z]+)*\b")
PROPERTIES = ROOT / "docs/properties.md"
CORE_FOLDER = Path("src/grantproof/core")


def public_functions() -> Iterator[str]:
    """Yield the dotted name of every public function and method of the core."""
    for path in python_files(str(CORE_FOLDER)):
        parts = path.relative_to(CORE_FOLDER).with_suffix("").parts
        module = CORE + "".join(f"{part}." for part in parts if part != "__init__")
        for node in ast.parse(read(path)).body:
            yield from (module + name for name in public_names(node))


def public_names(node: ast.stmt) -> Iterator[str]:
    """Yield the name of a public function, and of the public methods of a public class."""
    if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
        yield node.name
    if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
        yield from (f"{node.name}.{name}" for inner in node.body for name in public_names(inner))


def test_every_public_function_of_the_core_has_a_row() -> None:
    """A new function comes with its proof, or with the tests and the reason why not."""
    assert set(public_functions()) - {row.function for row in rows()} == set()


def test_no_row_is_about_what_is_not_there() -> None:
    """A row goes when its function goes."""
    names = {CORE + name for name in TESTED}
    assert names - set(public_functions()) == set()


def test_what_is_said_to_be_only_tested_is_not_proved() -> None:
    """A function that is proved, or read in a proof, no longer counts as tested only."""
    proved = {name.removeprefix(CORE) for name in (*statements(), *readers())}
    assert set(TESTED) & proved == set()


def test_the_tests_of_a_row_name_its_function_or_its_property() -> None:
    """A row points to a file that is there and tests something."""
    missing = {
        test for tests, _ in TESTED.values() for test in tests if not (ROOT / test).is_file()
    }
    assert missing == set()


def test_every_property_that_is_proved_is_told_and_tested() -> None:
    """Each id stands in the documentation and in a test, as itself."""
    proved = {statement.property_id for statement in statements().values()}
    told = set(PROPERTY_ID.findall((ROOT / "docs/properties.md").read_text()))
    tests = "".join(read(path) for path in python_files("tests"))
    assert proved - told == set()
    assert proved - set(PROPERTY_ID.findall(tests)) == set()


def test_every_property_that_is_told_to_be_proved_is() -> None:
    """The documentation's column of proofs names modules that are there."""
    told = re.findall(r"`(specs/[\w/]+\.py)`", (ROOT / "docs/properties.md").read_text())
    assert len(told) > 0
    assert [path for path in told if not (ROOT / path).is_file()] == []


def test_what_refutes_a_property_is_counted() -> None:
    """The documentation's last column says how many faults and broken models each property has."""
    faults = Counter(fault.property_id for fault in FAULTS)
    broken = [one for one in read_expectations(TABLE.read_text()) if one.name.startswith("broken/")]
    models = Counter(one.property for one in broken)
    rows = re.findall(r"^\| (P-[A-Z-]+) \|.*\| ([^|]+) \|$", PROPERTIES.read_text(), re.MULTILINE)
    told = {name: (told_of(cell, "fault"), told_of(cell, "model")) for name, cell in rows}
    assert told == {name: (faults[name], models[name]) for name in told}
    assert (set(faults) | set(models)) - set(told) == set()


def told_of(cell: str, noun: str) -> int:
    """The number before the noun, or nothing."""
    found = re.search(rf"(\d+) {noun}s?\b", cell)
    return int(found[1]) if found is not None else 0
