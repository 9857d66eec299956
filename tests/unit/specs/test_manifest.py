"""The manifest and the documentation of what is proved: what they point to is there."""

import re
from collections import Counter

from specs.faults.catalogue import FAULTS
from specs.manifest import TESTED
from specs.theorems import statements
from specs.tlc.expectations import TABLE, read_expectations
from tests.repository.checkout import ROOT, python_files, read

PROPERTY_ID = re.compile(r"\bP-[A-Z]+(?:-[A-Z]+)*\b")
PROPERTIES = ROOT / "docs/properties.md"


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
