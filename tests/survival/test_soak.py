"""A short soak with the code of `make soak`, and that its judge finds what it is there to find."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.databases import SqliteDatabases
from tests.survival.scales import SCALE
from tests.survival.serving import process_on, serving
from tests.survival.soak import MEGABYTE, SETTINGS, Report, Sample, judge, soak


def test_a_steady_load_leaves_memory_flat_and_decides_everything_twice_the_same(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """No growth after the warm-up, no 5xx, no difference between index and reference."""
    process = process_on(SqliteDatabases(tmp_path).empty, tmp_path / "service", **SETTINGS)
    with serving(process):
        report = soak(process, seconds=SCALE.soak_seconds, sample_seconds=SCALE.soak_sample_seconds)
        process.stop()
    record_property("figure", report.figure())
    assert report.faults == []
    assert {"200", "400"} <= set(report.statuses)


FLAT = [Sample(float(n), 100 * MEGABYTE, 20, 10, 100, 0.002, 0.01) for n in range(40)]
FAULTY: dict[str, tuple[str, list[Sample], int, int]] = {
    "memory": (
        "`resident_bytes` rose",
        [replace(one, resident_bytes=n * MEGABYTE) for n, one in enumerate(FLAT)],
        1,
        0,
    ),
    "files": ("`files` rose", [replace(one, files=20 + n) for n, one in enumerate(FLAT)], 1, 0),
    "threads": ("`threads` rose", [replace(one, threads=n) for n, one in enumerate(FLAT)], 1, 0),
    "latency": (
        "the median latency rose",
        [replace(one, latency_median=0.002 + n * n / 1_000) for n, one in enumerate(FLAT)],
        1,
        0,
    ),
    "a difference": ("1 checks of the service itself failed", FLAT, 1, 1),
    "no shadow": ("no decision was made twice", FLAT, 0, 0),
    "too short": ("fewer than", FLAT[:5], 1, 0),
}


@pytest.mark.parametrize("name", FAULTY)
def test_the_judge_of_a_soak_finds(name: str) -> None:
    """Each kind of growth, and what makes a run worthless, is a fault and the only one."""
    expected, samples, checks, violations = FAULTY[name]
    report = Report(40.0, samples, {"200": 1}, checks, violations)
    judge(report, [])
    assert [fault.startswith(expected) for fault in report.faults] == [True]


def test_the_judge_of_a_soak_lets_a_flat_one_pass() -> None:
    """What only fills at the beginning is no growth, and an error of the server is a fault."""
    warm = [replace(one, resident_bytes=min(n, 8) * 12 * MEGABYTE) for n, one in enumerate(FLAT)]
    report = Report(40.0, warm, {"200": 1}, 1, 0)
    judge(report, [])
    assert report.faults == []
    judge(report, ["POST /evaluate: 500 internal"])
    assert report.faults == ["POST /evaluate: 500 internal"]
