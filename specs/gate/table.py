"""What a person sees of the gate: a live table on a terminal, plain lines elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from specs.gate.report import Row, Stage


@dataclass
class Tally:
    """The rows of one property in one stage, counted."""

    verdicts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    failed: bool = False

    def add(self, row: Row) -> None:
        """Count one more row."""
        self.verdicts[row.verdict] = self.verdicts.get(row.verdict, 0) + 1
        self.seconds += row.seconds
        self.failed = self.failed or not row.passed

    @property
    def words(self) -> str:
        """The verdicts with their numbers."""
        return ", ".join(f"{count} {verdict}" for verdict, count in self.verdicts.items())


class Board:
    """Takes rows and stages from any thread and shows them as they come."""

    def __init__(self, console: Console, stages: Sequence[str]) -> None:
        self._console = console
        self._tallies: dict[tuple[str, str], Tally] = {}
        self._waiting = list(stages)
        self._ended: dict[str, Stage] = {}
        live = console.is_terminal
        self._live = Live(console=console, auto_refresh=False) if live else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.update(self.table(), refresh=True)
            self._live.__exit__(kind, error, traceback)

    def row(self, stage: str, row: Row) -> None:
        """Count a row."""
        self._tallies.setdefault((stage, row.property_id), Tally()).add(row)
        if self._live is not None:
            self._live.update(self.table(), refresh=True)
        elif not row.passed:
            self.line(f"{stage:12} {row.property_id:20} {row.verdict}: {row.name}")

    def stage(self, stage: Stage) -> None:
        """Say that a stage has ended."""
        self._ended[stage.name] = stage
        if self._live is not None:
            self._live.update(self.table(), refresh=True)
            return
        for (name, property_id), tally in self._tallies.items():
            if name == stage.name:
                self.line(f"{name:12} {property_id:20} {tally.words:32} {tally.seconds:7.1f} s")
        verdict = "passed" if stage.passed else "FAILED"
        told = ", ".join(f"{value:,} {key}" for key, value in stage.numbers.items())
        self.line(f"{stage.name:12} {verdict} in {times(stage)}: {told or stage.problem}")

    def line(self, text: str) -> None:
        """Print a line as it is."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def table(self) -> Table:
        """Return everything seen so far."""
        table = Table("stage", "property", "verdict", "time", title="grantproof verify")
        for (stage, property_id), tally in list(self._tallies.items()):
            style = "red" if tally.failed else ""
            table.add_row(stage, property_id, tally.words, f"{tally.seconds:.1f} s", style=style)
        for name in self._waiting:
            ended = self._ended.get(name)
            if ended is None:
                table.add_row(name, "", "running or waiting", "", style="dim")
            else:
                style, verdict = ("green", "passed") if ended.passed else ("red", "FAILED")
                table.add_row(name, "all", verdict, times(ended), style=style)
        return table


def times(stage: Stage) -> str:
    """Return how long a stage took, and how long it kept processors busy."""
    return f"{stage.seconds:.1f} s ({stage.processor_seconds:.1f} s of processor time)"


def failures(stages: Sequence[Stage]) -> list[str]:
    """Return one line for each failed row: stage, property, and the counterexample."""
    return [
        f"FAILED {stage.name} {row.property_id} {row.name}: "
        + (" | ".join(line.strip() for line in row.counterexample) or row.verdict)
        for stage in stages
        for row in stage.failures
    ]
