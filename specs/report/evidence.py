"""What the run says of each property, gathered from all stages; what is missing counts against it.

A property holds when whatever is documented to hold it has run, has said something, and passes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from specs.gate.report import Report, Row, Stage
from specs.gate.worker import STAGES
from specs.report.documented import Statement

ID: Final = re.compile(r"P-[A-Z]+(?:-[A-Z]+)*")
IN_THE_GATE: Final = re.compile(r"`tests/(?:properties|stateful)/")
Standing = Literal["holds", "fails", "incomplete", "elsewhere"]
STANDINGS: Final[dict[Standing, str]] = {
    "holds": "✓ holds",
    "fails": "✗ fails",
    "incomplete": "! incomplete",
    "elsewhere": "○ not of this gate",
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
        return "holds" if found else "elsewhere"

    @property
    def seconds(self) -> float:
        """How long it all took."""
        return sum(row.seconds for rows in self.rows.values() for row in rows)

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
    lacking = tuple(
        name
        for name in expected(statement)
        if not rows[name] or stage_of(report, name).problem != ""
    )
    return Evidence(statement, rows, lacking)


def expected(statement: Statement) -> Iterator[str]:
    """Yield the stages that are documented to say something of the property."""
    if "`specs/" in statement.proved:
        yield "specs"
    if IN_THE_GATE.search(statement.tested):
        yield "properties"
    if re.search(r"\d+ models?\b", statement.refuted):
        yield "tla"
    if re.search(r"\d+ faults?\b", statement.refuted):
        yield "faults"


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
    return row.name.rpartition("/")[0]
