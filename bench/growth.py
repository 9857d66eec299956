"""How figures grow with size: exponents by least squares on logarithms, and a plot of each."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

GROWING: Final = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
"""Principals of the sizes that are measured, all of one shape: that of XL."""

FITTED_FROM: Final = 10_000
"""Below so many principals the figures are mostly those of a process with nothing in it."""

MIB: Final = 1_048_576
FIGURES: Final = {
    "start": ("start from the database", "seconds", 1),
    "snapshot_read": ("start from a snapshot file", "seconds", 1),
    "own": ("memory of the organization", "MiB", MIB),
    "peak_own": ("memory while loading, at most", "MiB", MIB),
    "ask": ("a question, asked again", "us", 1),
    "ask_first": ("a question at first", "us", 1),
    "assignment": ("one assignment", "us", 1),
    "each_edited": ("a role's parent, for each claim that it bears on", "us", 1),
    "claim": ("a claim made or gone", "us", 1),
}
"""What is fitted and drawn: what it is, its unit, and what it is divided by."""

PLOTS: Final = ("growth.svg", "growth.png")


def figures(cost: dict[str, float]) -> dict[str, float]:
    """Return a cost with the figures that follow from it, times as of one machine.

    A busy machine does each size at another speed, so times are what they would be where
    20,000,000 additions take a second.
    """
    times = {name for name, (_, unit, _) in FIGURES.items() if unit != "MiB"} | {"edit"}
    cost = cost | {name: cost[name] / cost["additions"] for name in times if name in cost}
    return cost | {
        "own": cost["loaded"] - cost["idle"],
        "peak_own": cost["peak"] - cost["idle"],
        "each_edited": cost["edit"] / max(cost["edited"], 1),
    }


def exponent(points: Sequence[tuple[float, float]]) -> float:
    """Return the exponent of the power of size that comes nearest to the points."""
    logs = [(math.log(size), math.log(value)) for size, value in points]
    mean_x = sum(x for x, _ in logs) / len(logs)
    mean_y = sum(y for _, y in logs) / len(logs)
    above = sum((x - mean_x) * (y - mean_y) for x, y in logs)
    return above / sum((x - mean_x) ** 2 for x, _ in logs)


def fitted(costs: Sequence[dict[str, float]]) -> list[tuple[str, str]]:
    """Return the exponent of each figure, over the sizes from `FITTED_FROM` on."""
    large = [figures(one) for one in costs if one["principals"] >= FITTED_FROM]
    return [
        (name, f"{exponent([(one['principals'], one[field]) for one in large]):.2f}")
        for field, (name, _, _) in FIGURES.items()
    ]


def plot(costs: Sequence[dict[str, float]], folder: Path) -> None:
    """Draw each figure against size, both in logarithms."""
    # Imported only here: whoever asks for a table need not have it.
    import matplotlib as mpl  # noqa: PLC0415 - see above

    mpl.use("agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - see above

    told = [figures(one) for one in costs]
    figure, axes = plt.subplots(3, 3, figsize=(12, 10), sharex=True, layout="constrained")
    for axis, (field, (name, unit, divided)) in zip(axes.flat, FIGURES.items(), strict=True):
        sizes = [one["principals"] for one in told]
        axis.loglog(sizes, [one[field] / divided for one in told], marker="o")
        axis.set_title(name, fontsize=10)
        axis.set_ylabel(unit)
        axis.grid(visible=True, which="major", alpha=0.3)
    for axis in axes[-1]:
        axis.set_xlabel("principals")
    for name in PLOTS:
        figure.savefig(folder / name)
    plt.close(figure)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
