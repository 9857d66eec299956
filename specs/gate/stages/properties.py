"""The property tests and the stateful tests, run by pytest in this process."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from specs.gate.report import Row

FOLDERS: Final = ("tests/properties", "tests/stateful")
ID: Final = re.compile(r"P-[A-Z]+(?:-[A-Z]+)*")
LINES_SHOWN_MAX: Final = 12


class Reporter:
    """Tells a row for every test that ends, however it does."""

    def __init__(self, emit: Callable[[Row], None]) -> None:
        self._emit = emit
        self._ids: dict[str, str] = {}
        self._seconds: dict[str, float] = {}
        self.tested: set[str] = set()
        self.passed = 0

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Learn which property each test is about: its docstring begins with the ids."""
        for item in session.items:
            docstring = getattr(getattr(item, "function", None), "__doc__", None) or ""
            module = Path(item.location[0]).stem
            self._ids[item.nodeid] = property_ids(docstring) or module.removeprefix("test_")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Tell a file that cannot be collected, or that skips itself."""
        if not report.passed:
            self._emit(Row("-", report.nodeid, report.outcome, 0.0, tail(report.longreprtext)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell a test once it has ended: a failure in any phase, a skip, or a pass."""
        seconds = self._seconds.get(report.nodeid, 0.0) + report.duration
        self._seconds[report.nodeid] = seconds
        if report.passed and report.when != "teardown":
            return
        ids = self._ids.get(report.nodeid, "-")
        if report.passed:
            self.tested |= set(ID.findall(ids))
            self.passed += 1
            self._emit(Row(ids, report.nodeid, "passed", seconds))
        else:
            self._emit(Row(ids, report.nodeid, report.outcome, seconds, tail(report.longreprtext)))


def property_ids(docstring: str) -> str:
    """Return the ids of the properties that a docstring begins with."""
    return ", ".join(ID.findall(docstring.partition(": ")[0]))


def tail(text: str) -> tuple[str, ...]:
    """Return the lines of an error that show it: assertions and what falsified them."""
    lines = [line for line in text.splitlines() if line.startswith("E")]
    return tuple((lines or text.splitlines())[:LINES_SHOWN_MAX])


def run(
    emit: Callable[[Row], None],
    jobs: int,  # noqa: ARG001 - pytest is one process
) -> dict[str, int]:
    """Run the tests; everything that is not a pass is told as what it is."""
    reporter = Reporter(emit)
    status = pytest.main([*FOLDERS, "--quiet", "--color=no"], plugins=[reporter])
    if status not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        emit(Row("-", "pytest", "failed", 0.0, (f"pytest ended with {status!r}",)))
    return {"tests": reporter.passed, "properties": len(reporter.tested)}
