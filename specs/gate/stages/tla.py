"""The models of concurrent administration."""

from collections.abc import Callable

from specs.gate.detail import Detail
from specs.gate.report import Row
from specs.tlc.check import Result, as_expected, run_all


def run(emit: Callable[[Row], None], jobs: int) -> dict[str, int]:
    """Let TLC check every configuration, those that must fail included."""
    results = run_all(jobs=jobs, on_result=lambda result: emit(row(result)))
    good = [result for result in results if as_expected(result)]
    return {
        "configurations": len(good),
        "distinct_states": sum(result.states or 0 for result in good),
    }


def row(result: Result) -> Row:
    """Return a result as a row; one that must be refuted passes when it is, and as it must."""
    if not as_expected(result):
        found = "failed" if result.verdict == "holds" else result.verdict
        told = (f"{result.verdict}, expected {result.expected}: {result.detail}", *result.trace)
        return Row(result.property, result.id, found, result.seconds, told, detail(result))
    verdict = "holds" if result.verdict == "holds" else "refuted as expected"
    return Row(result.property, result.id, verdict, result.seconds, result.trace, detail(result))


def detail(result: Result) -> Detail:
    """Return what TLC was asked, and the figures that it gave."""
    counted = {
        "generated": result.generated,
        "distinct": result.states,
        "depth": result.depth,
    }
    figures = {name: count for name, count in counted.items() if count is not None}
    labels = {"expected": result.expected, "found": result.verdict, "said": result.detail}
    return Detail(figures, labels)
