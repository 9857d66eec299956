"""What the run says of each property, gathered from all stages; what is missing counts against it.

A property holds when whatever is documented to hold it has run, has said something, and passes. One
that only tests outside the gate hold is held elsewhere, however many faults were caught.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from specs.gate.detail import Cell
from specs.gate.report import Report, Row, Stage
from specs.gate.worker import STAGES
from specs.report.documented import Statement

ID: Final = re.compile(r"P-[A-Z]+(?:-[A-Z]+)*")
TEST: Final = re.compile(r"`(tests/[^`]+)`")
RUN_HERE: Final = ("tests/properties/", "tests/stateful/")
"""The tests that the gate runs; the others belong to `make test`."""
HOLDING: Final = ("specs", "properties", "tla", "traces")
"""The stages that say of a property that it holds; that faults are caught does not."""
REFUTED: Final = ("broken", "reachable")
"""The folders of the configurations that TLC must refute."""
INDUCTION: Final = "P-INDUCT"
CLOSING: Final = ("frame", "removal", "construction", "theorem")
"""The kinds of arguments that close a cell of the matrix."""
Standing = Literal["holds", "fails", "incomplete", "elsewhere"]
STANDINGS: Final[dict[Standing, str]] = {
    "holds": "✓ holds",
    "fails": "✗ fails",
    "incomplete": "! incomplete",
    "elsewhere": "○ held elsewhere",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is documented of a property, and the rows that are about it, by stage."""

    statement: Statement
    rows: dict[str, tuple[Row, ...]]
    lacking: tuple[str, ...]

    @property
    def standing(self) -> Standing:
        """Return what the run says of it. Fails closed."""
        found = [row for rows in self.rows.values() for row in rows]
        if not all(row.passed for row in found):
            return "fails"
        if self.lacking:
            return "incomplete"
        held = [row for name in HOLDING for row in self.rows[name] if model_kind(row) == ""]
        return "holds" if held else "elsewhere"

    @property
    def seconds(self) -> float:
        """How long it all took."""
        return sum(row.seconds for rows in self.rows.values() for row in rows)

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """Return the tests that hold it and that the gate does not run."""
        return tuple(
            path for path in TEST.findall(self.statement.tested) if not path.startswith(RUN_HERE)
        )

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the functions whose source the proofs of it read."""
        return tuple(sorted({name for row in self.rows["specs"] for name in row.more.reads}))

    @property
    def obligations(self) -> int:
        """How many obligations its theorems have."""
        return sum(row.more.figures.get("obligations", 0) for row in self.rows["specs"])


def evidence(statements: Sequence[Statement], report: Report) -> tuple[Evidence, ...]:
    """Return the evidence for each property, in their order."""
    return tuple(_of(one, report) for one in statements)


def _of(statement: Statement, report: Report) -> Evidence:
    rows = {name: tuple(_about(statement.id, stage_of(report, name))) for name in STAGES}
    return Evidence(statement, rows, tuple(_lacking(statement, rows, report)))


def _lacking(
    statement: Statement, rows: dict[str, tuple[Row, ...]], report: Report
) -> Iterator[str]:
    """Yield what is documented to say something of the property, and does not, or not in full."""
    broken = [row for row in rows["tla"] if model_kind(row) == "broken"]
    for stage, what, least, found in (
        ("specs", "proofs", int("`specs/" in statement.proved), rows["specs"]),
        ("properties", "property tests", _tests(statement), rows["properties"]),
        ("faults", "faults", _number(statement, "fault"), rows["faults"]),
        ("tla", "broken models", _number(statement, "model"), broken),
    ):
        if least > len(found):
            yield f"{what}: {len(found)} of {least} or more"
        elif least > 0 and (problem := stage_of(report, stage).problem):
            yield f"{what}: {problem}"
    if statement.id == INDUCTION and not is_closed(report):
        yield "the inductive matrix, whole and closed by theorems that this run has proved"


def _tests(statement: Statement) -> int:
    """Return how many tests there must at least be: one for each file that the gate runs."""
    return sum(path.startswith(RUN_HERE) for path in TEST.findall(statement.tested))


def _number(statement: Statement, noun: str) -> int:
    """Return how many of them are documented to be refuted as this property."""
    found = re.search(rf"(\d+) {noun}s?\b", statement.refuted)
    return 0 if found is None else int(found[1])


def proved(report: Report) -> frozenset[str]:
    """Return the names of the theorems that the run has proved, by every verdict on them."""
    rows = stage_of(report, "specs").rows
    return frozenset(row.name for row in rows) - {row.name for row in rows if not row.passed}


def is_open(cell: Cell, theorems: frozenset[str]) -> bool:
    """Return whether nothing closes the cell: no argument, or a theorem that is not proved."""
    return cell.kind not in CLOSING or not theorems.issuperset(cell.theorems)


def is_closed(report: Report) -> bool:
    """Return whether there is a matrix and every cell of it is closed."""
    cells = stage_of(report, "specs").more.cells
    theorems = proved(report)
    return len(cells) > 0 and not any(is_open(cell, theorems) for cell in cells)


def stage_of(report: Report, name: str) -> Stage:
    """Return a stage by its name; one that has not run is a stage that says nothing."""
    return next((one for one in report.stages if one.name == name), Stage(name))


def _about(property_id: str, stage: Stage) -> Iterator[Row]:
    rows = sorted(stage.rows, key=lambda row: (row.name, row.property_id))
    return (row for row in rows if property_id in ID.findall(row.property_id))


def passed(report: Report) -> bool:
    """Return whether the run passed, and its own rows do not say otherwise."""
    return report.passed and len(report.stages) > 0 and all(one.passed for one in report.stages)


def model_kind(row: Row) -> str:
    """Return the folder of a configuration: `broken`, `reachable`, or nothing where it must hold.

    TLC refutes both: a broken model in its property, and that an interesting state is never met.
    """
    folder = row.name.partition("/")[0]
    return folder if folder in REFUTED else ""
