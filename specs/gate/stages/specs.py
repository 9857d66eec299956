"""The proofs about the production source, and the inductive matrix that they close."""

from collections.abc import Callable

from specs.gate.report import Row
from specs.matrix import grid, holes
from specs.run import verdicts
from specs.theorems import statements


def run(emit: Callable[[Row], None], jobs: int) -> dict[str, int]:
    """Decide every theorem with every seed."""
    theorems = obligations = 0
    for result in verdicts(list(statements()), jobs):
        shown = () if result.holds else (f"{result.verdict}: {result.detail}",)
        emit(Row(result.property_id, result.name, result.verdict, result.seconds, shown))
        theorems += 1
        obligations += result.goals
    cells = grid()
    open_ones = holes(cells)
    for cell in open_ones:
        emit(Row("P-INDUCT", f"{cell.command} x {cell.invariant}", cell.kind, 0.0, (cell.reason,)))
    closed = len(cells) - len(open_ones)
    return {"theorems": theorems, "obligations": obligations, "cells": closed}
