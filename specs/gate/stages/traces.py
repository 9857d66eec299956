"""Races and arranged meetings on real databases, each trace held to the model by TLC."""

from collections.abc import Callable

from specs.gate.report import Row
from specs.traces.run import PROPERTY, Verdict, run_all


def run(emit: Callable[[Row], None], jobs: int) -> dict[str, int]:  # noqa: ARG001 - one TLC
    """Record, and let TLC explain all of it at once."""
    done = run_all()
    recorded, validated = done.seconds
    for verdict in done.verdicts:
        # They are recorded together and validated together: each takes its share of the time.
        emit(row(verdict, (recorded + validated) / len(done.verdicts)))
    return {
        "traces": done.traces,
        "events": done.events,
        "lost_races": done.lost_races,
        "refuted_faults": done.caught,
    }


def row(verdict: Verdict, seconds: float) -> Row:
    """Return a verdict as a row, with the trace of a fault, or of what has no explanation."""
    if verdict.problem == "":
        return Row(PROPERTY, verdict.name, verdict.passed, seconds, verdict.told)
    failed = "survives" if verdict.passed == "caught" else "refuted"
    return Row(PROPERTY, verdict.name, failed, seconds, (verdict.problem, *verdict.told))
