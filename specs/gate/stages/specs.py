"""The proofs about the production source, and the inductive matrix that they close."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict

from specs.gate.detail import Annex, Cell, Detail, Unproved
from specs.gate.hashes import hashes
from specs.gate.report import Message, Row
from specs.kernel.proof import SEEDS, Result
from specs.manifest import CORE, TESTED
from specs.matrix import Cell as Closed
from specs.matrix import grid, holes
from specs.run import never_used, verdicts
from specs.theorems import statements


def run(emit: Callable[[Message], None], jobs: int) -> dict[str, int]:
    """Decide every theorem with every seed."""
    results: list[Result] = []
    for result in verdicts(list(statements()), jobs):
        shown = () if result.holds else (f"{result.verdict}: {result.detail}",)
        more = Detail(figures={"obligations": result.goals}, reads=result.reads)
        emit(Row(result.property_id, result.name, result.verdict, result.seconds, shown, more))
        results.append(result)
    cells = grid()
    open_ones = holes(cells)
    for cell in open_ones:
        emit(Row("P-INDUCT", f"{cell.command} x {cell.invariant}", cell.kind, 0.0, (cell.reason,)))
    closed = len(cells) - len(open_ones)
    emit(annex(results, cells))
    obligations = sum(result.goals for result in results)
    return {"theorems": len(results), "obligations": obligations, "cells": closed}


def annex(results: Sequence[Result], cells: Iterable[Closed]) -> Annex:
    """Return what the page shows beside the verdicts."""
    return Annex(
        seeds=SEEDS,
        sources=hashes({name for result in results for name in result.reads}),
        unused=tuple(never_used(results)),
        tested=tuple(
            Unproved(f"{CORE}{name}", tests, reason) for name, (tests, reason) in TESTED.items()
        ),
        cells=tuple(Cell(**asdict(cell)) for cell in cells),
    )
