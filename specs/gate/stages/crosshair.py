"""What CrossHair confirms of the scalar contracts."""

from collections.abc import Callable

from specs.crosshair.run import Verdict, run_all
from specs.gate.report import Row


def run(emit: Callable[[Row], None], jobs: int) -> dict[str, int]:
    """Let CrossHair check the contracts, and the twins that it must refute."""
    verdicts = run_all(jobs=jobs, on_verdict=lambda verdict: emit(row(verdict)))
    good = [verdict for verdict in verdicts if verdict.as_expected]
    refuted = sum(verdict.expected == "refuted" for verdict in good)
    return {"contracts": len(good) - refuted, "refuted_twins": refuted}


def row(verdict: Verdict) -> Row:
    """Return a verdict as a row."""
    passed = "confirmed" if verdict.expected == "confirmed" else "refuted as expected"
    shown = () if verdict.as_expected else (f"{verdict.said}, expected {verdict.expected}",)
    said = passed if verdict.as_expected else f"not {verdict.expected}"
    return Row(verdict.property_id, verdict.name, said, verdict.seconds, shown)
