"""Solvers that give up on everything."""

from grantproof.analysis.formulas import Formula
from grantproof.analysis.solving import Solution, Solver, Span, Undetermined


class Baffled(Solver):
    """Knows nothing; `asked` counts how often it was asked."""

    def solve(self, formula: Formula, span: Span) -> Solution:  # noqa: ARG002 - it looks at neither
        """Return that it is not known."""
        self.asked += 1
        return Undetermined("no idea")


class Hung(Solver):
    """Never gets done: to ask it is to give up."""

    def solve(self, formula: Formula, span: Span) -> Solution:  # noqa: ARG002 - it looks at neither
        """Give up."""
        return Undetermined("the solver gave up: timeout")
