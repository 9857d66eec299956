"""A steady mixed load on one serving process, watched from outside: `make soak`.

Memory, files, threads and latencies are sampled all the time and written to a report; after the
warm-up they must stay flat. Every decision is made twice (shadow evaluation); none may differ.
"""

import argparse
import itertools
import json
import os
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from tests.api.furnished import ALWAYS, EXPORTS, FACTS, LOOKS, READS, WRITES
from tests.databases import SqliteDatabases
from tests.survival.serving import (
    Answer,
    Caller,
    Process,
    files_of,
    process_on,
    resident_bytes,
    serving,
    threads_of,
)

Json = dict[str, Any]

CLIENTS: Final = 3
REQUESTS_PER_SECOND: Final = 90
"""Steady, and little enough that a busy machine keeps up."""

SECONDS: Final = 3_600.0
SAMPLE_SECONDS: Final = 10.0
SAMPLES_MIN: Final = 8
WARM_UP_SHARE: Final = 0.25
"""So much of the time is not judged: caches fill, threads start."""

MEGABYTE: Final = 1_048_576
GROWTH_MAX: Final = {"resident_bytes": 24.0 * MEGABYTE, "files": 16.0, "threads": 16.0}
"""How much the trend may rise over all of the time that is judged."""

SLOWER_MAX: Final = 4.0
SLOWER_SECONDS: Final = 0.05
"""The median latency may not become so many times, and so much, longer."""

ORGANIZATION: Final = "soaked"
REPORT: Final = Path("build/soak/report.json")
SETTINGS: Final = {
    "GRANTPROOF_CONTRACTS_SHADOW": "1",
    "GRANTPROOF_CONTRACTS_CERTIFICATES": "1",
    "GRANTPROOF_CONTRACTS_STATE_SECONDS": "20",
    "GRANTPROOF_CASES": "cases",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen at one moment; `seconds` since the beginning, latencies since the last one."""

    seconds: float
    resident_bytes: int
    files: int
    threads: int
    requests: int
    latency_median: float
    latency_worst: float


@dataclass(slots=True)
class Report:
    """What a soak has shown, and what is wrong with it, a line each."""

    seconds: float
    samples: list[Sample]
    statuses: dict[str, int]
    shadow_checks: int
    violations: int
    growth: dict[str, float] = field(default_factory=dict)
    """How much the trend has risen over the time that is judged, by what is watched."""
    faults: list[str] = field(default_factory=list)

    def figure(self) -> str:
        """The report in one line."""
        first, last = self.samples[0], self.samples[-1]
        per_hour = self.growth["resident_bytes"] / judged_seconds(self.samples) * 3_600
        return (
            f"soak of {self.seconds:.0f} s: {sum(self.statuses.values())} requests"
            f" ({', '.join(f'{code} {times}' for code, times in sorted(self.statuses.items()))}),"
            f" {self.shadow_checks} decisions made twice, {self.violations} differences;"
            f" resident {first.resident_bytes / MEGABYTE:.1f} to"
            f" {last.resident_bytes / MEGABYTE:.1f} MB, after the warm-up"
            f" {self.growth['resident_bytes'] / MEGABYTE:+.2f} MB,"
            f" {per_hour / MEGABYTE:+.1f} MB an hour;"
            f" files {first.files} to {last.files}, threads {first.threads} to {last.threads};"
            f" median {last.latency_median * 1_000:.1f} ms"
        )


def requests(client: int) -> Iterator[tuple[str, str, object]]:
    """What a client asks for, again and again; what it changes it changes back."""
    here = f"/v1/orgs/{ORGANIZATION}"
    for number in itertools.count():
        name = f"new-{client}-{number % 7}"
        for question in (READS, WRITES, LOOKS, READS):
            yield "POST", "/evaluate", {"org_id": ORGANIZATION, **question}
        yield "POST", "/evaluate", {"org_id": ORGANIZATION, **READS, "principal_id": "nobody"}
        yield "POST", "/evaluate/consume", {"org_id": ORGANIZATION, **EXPORTS}
        yield (
            "POST",
            "/evaluate/batch",
            {"org_id": ORGANIZATION, "items": [LOOKS, WRITES, READS]},
        )
        yield "POST", "/explain", {"org_id": ORGANIZATION, **READS}
        yield "POST", f"{here}/changes", {"commands": _made(name)}
        yield "GET", f"{here}/principals?limit=50", None
        yield "POST", f"{here}/changes", {"commands": _gone(name)}
        yield "POST", f"{here}/roles", {"id": "not an id"}
        yield "GET", f"{here}/events?after={number}&limit=5", None


def _made(name: str) -> list[Json]:
    return [
        {"type": "CreatePrincipal", "principal": name, "attributes": {"team": "a"}},
        {"type": "AssignRole", "principal": name, "role": "clerk", "validity": ALWAYS},
    ]


def _gone(name: str) -> list[Json]:
    return [{"type": "DeletePrincipal", "principal": name, "cascade": True}]


@dataclass(slots=True)
class Load:
    """Clients that ask at a steady pace; safe to be read while they do."""

    process: Process
    statuses: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def meanwhile(self) -> Iterator[None]:
        """Ask until the end of the block."""
        threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.over.set()
            for thread in threads:
                thread.join()

    def taken(self) -> list[float]:
        """The latencies since this was called last."""
        with self.lock:
            found, self.latencies = self.latencies, []
        return found

    def _ask(self, client: int) -> None:
        pause = CLIENTS / REQUESTS_PER_SECOND
        due = time.monotonic()
        with closing(self.process.caller()) as caller:
            for method, path, body in requests(client):
                due = max(due + pause, time.monotonic() - 1)
                if self.over.wait(max(0.0, due - time.monotonic())):
                    return
                began = time.perf_counter()
                try:
                    answer = caller.ask(method, path, body)
                except Exception as error:  # noqa: BLE001 - told in the report
                    with self.lock:
                        self.wrong.append(f"{method} {path}: {type(error).__name__}: {error}")
                    return
                self._note(time.perf_counter() - began, answer, f"{method} {path}")

    def _note(self, seconds: float, answer: Answer, asked: str) -> None:
        with self.lock:
            self.latencies.append(seconds)
            self.statuses[str(answer.status)] += 1
            if answer.status >= 500:
                self.wrong.append(f"{asked}: {answer.status} {answer.code}")


def soak(process: Process, *, seconds: float, sample_seconds: float) -> Report:
    """Load the process, which serves already, for so long; what is wrong is in the report."""
    with closing(process.caller()) as caller:
        assert caller.ask("POST", "/v1/orgs", {"id": ORGANIZATION}).status == 201
        made = caller.ask("POST", f"/v1/orgs/{ORGANIZATION}/changes", {"commands": FACTS})
        assert made.status == 200, made
    load, samples = Load(process), list[Sample]()
    began = time.monotonic()
    with load.meanwhile():
        while (passed := time.monotonic() - began) < seconds:
            time.sleep(min(sample_seconds, seconds - passed))
            samples.append(sample(process, load, since=began))
    with closing(process.caller()) as caller:
        checks, violations = counted(caller)
    report = Report(time.monotonic() - began, samples, dict(load.statuses), checks, violations)
    judge(report, load.wrong)
    kept = list((process.folder / "cases").glob("*.json"))
    report.faults += [f"a case was kept: {path.name}" for path in kept]
    return report


def sample(process: Process, load: Load, *, since: float) -> Sample:
    """What is seen of the process now."""
    latencies = load.taken() or [0.0]
    return Sample(
        time.monotonic() - since,
        resident_bytes(process.pid),
        files_of(process.pid),
        threads_of(process.pid),
        len(latencies),
        statistics.median(latencies),
        max(latencies),
    )


def counted(caller: Caller) -> tuple[int, int]:
    """How many decisions were made twice, and how many checks of the service itself failed."""
    answer = caller.ask("GET", "/metrics")
    assert answer.status == 200
    lines = [line.rpartition(" ") for line in str(answer.told).splitlines()]
    checks = [int(float(n)) for name, _, n in lines if 'checks_total{contract="shadow"' in name]
    found = [int(float(n)) for name, _, n in lines if "contract_violations_total{" in name]
    assert checks, "the service does not tell how often it checks itself"
    assert found, "the service does not tell what it found"
    return sum(checks), sum(found)


def judge(report: Report, wrong: Sequence[str]) -> None:
    """Say in the report what is not as it must be."""
    report.faults += list(dict.fromkeys(wrong))[:20]
    if len(judged(report.samples)) < SAMPLES_MIN:
        report.faults.append(f"fewer than {SAMPLES_MIN} samples after the warm-up")
    for name, most in GROWTH_MAX.items():
        rise = growth(report.samples, attrgetter(name))
        report.growth[name] = rise
        if rise > most:
            report.faults.append(f"`{name}` rose by {rise:.0f}, at most {most:.0f} may be")
    latencies = [one.latency_median for one in judged(report.samples)]
    quarter = max(1, len(latencies) // 4)
    before = statistics.median(latencies[:quarter])
    after = statistics.median(latencies[-quarter:])
    if after > before * SLOWER_MAX and after > before + SLOWER_SECONDS:
        report.faults.append(f"the median latency rose from {before:.4f} s to {after:.4f} s")
    if report.violations:
        report.faults.append(f"{report.violations} checks of the service itself failed")
    if report.shadow_checks == 0:
        report.faults.append("no decision was made twice, so this run shows nothing")


def judged(samples: Sequence[Sample]) -> Sequence[Sample]:
    """The samples after the warm-up."""
    return samples[int(len(samples) * WARM_UP_SHARE) :]


def judged_seconds(samples: Sequence[Sample]) -> float:
    """How long the time is that is judged."""
    shown = judged(samples)
    return max(shown[-1].seconds - shown[0].seconds, 1e-9)


def growth(samples: Sequence[Sample], value: Callable[[Sample], float]) -> float:
    """How much the line of least squares through what is judged rises from end to end."""
    shown = judged(samples)
    if len(shown) < 2:
        return 0.0
    line = statistics.linear_regression(
        [one.seconds for one in shown], [value(one) for one in shown]
    )
    return line.slope * judged_seconds(samples)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when all stayed flat."""
    parser = argparse.ArgumentParser(prog="python -m tests.survival.soak", description=__doc__)
    given = os.environ.get("SOAK_SECONDS")
    parser.add_argument("--seconds", type=float, default=float(given) if given else SECONDS)
    parser.add_argument("--sample-seconds", type=float, default=SAMPLE_SECONDS)
    parser.add_argument("--report", type=Path, default=REPORT)
    options = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="grantproof-soak-") as name:
        folder = Path(name)
        process = process_on(SqliteDatabases(folder).empty, folder / "service", **SETTINGS)
        with serving(process):
            report = soak(process, seconds=options.seconds, sample_seconds=options.sample_seconds)
            process.stop()
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(json.dumps(asdict(report), indent=1) + "\n", encoding="utf-8")
    lines = [report.figure(), f"written to {options.report}", *report.faults]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if report.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
