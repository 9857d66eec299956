"""Numbers for Prometheus, read where they are kept when somebody asks, so that counting is free.

Base units, and labels from closed sets only: no id of anything that is kept is ever a label.
`docs/metrics.md` tells each of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from typing_extensions import override

import grantproof
from grantproof.core.model import Claim
from grantproof.core.organization import Organization
from grantproof.policyfile.answers import CODES
from grantproof.service import attempts, contracts, requests, shelf, solving
from grantproof.service.decision_log import LogCounts
from grantproof.service.outcomes import Counts

BUCKETS: Final = (*map(floatToGoString, requests.BOUNDS), "+Inf")


@dataclass(frozen=True, slots=True)
class Followed:
    """The states that are followed now, and how old what is known of them may be.

    `age` is in seconds; `not_current` counts those that are too old to be answered from.
    """

    states: Callable[[], Iterable[Organization]]
    age: Callable[[], float]
    not_current: Callable[[], int]


class Telemetry:
    """The metrics of one process, in the text format that Prometheus reads."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def watch_decisions(self, tally: Callable[[], Counts]) -> None:
        """Tell from now on how decisions end."""
        self._watch(lambda: _decisions(tally()))

    def watch_requests(self, tally: Callable[[], requests.RequestCounts]) -> None:
        """Tell from now on how requests are answered, and how long that takes."""
        self._watch(lambda: _requests(tally()))

    def watch_following(self, following: Followed) -> None:
        """Tell from now on what is followed, and how old it may be."""
        self._watch(lambda: _following(following))

    def watch_changes(self, tally: Callable[[], attempts.AttemptCounts]) -> None:
        """Tell from now on what becomes of changes."""
        self._watch(lambda: _changes(tally()))

    def watch_charges(self, tally: Callable[[], attempts.AttemptCounts]) -> None:
        """Tell from now on what becomes of uses that are to be counted."""
        self._watch(lambda: _charges(tally()))

    def watch_solver(self, tally: Callable[[], solving.EndingCounts]) -> None:
        """Tell from now on how questions to the solver end, and how long they take."""
        self._watch(lambda: _solver(tally()))

    def watch_credentials(self, refused: Callable[[], int]) -> None:
        """Tell from now on how many credentials are refused."""
        self._watch(lambda: _credentials(refused()))

    def watch_decision_log(self, tally: Callable[[], LogCounts]) -> None:
        """Tell from now on what becomes of the entries of the decision log."""
        self._watch(lambda: _decision_log(tally()))

    def watch_snapshot_files(self, tally: Callable[[], shelf.ShelfCounts]) -> None:
        """Tell from now on what becomes of snapshot files."""
        self._watch(lambda: _snapshot_files(tally()))

    def watch_contracts(self, tally: Callable[[], contracts.ContractCounts]) -> None:
        """Tell from now on which contracts were checked, and broken."""
        self._watch(lambda: _contracts(tally()))

    def tell_verification(self, *, verified: bool, source: str) -> None:
        """Tell whether what runs is verified, and the short digest of its source."""
        self._watch(lambda: _verification(verified=verified, source=source))

    def written(self) -> bytes:
        """Return every metric as it is now (text format 0.0.4)."""
        return generate_latest(self._registry)

    def _watch(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._registry.register(_Reading(read))


class _Reading(Collector):
    """Reads the metrics of one kind when they are asked for."""

    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    @override
    def collect(self) -> Iterable[Metric]:
        return self._read()


def _decisions(now: Counts) -> Iterator[Metric]:
    decisions = CounterMetricFamily(
        "grantproof_decisions",
        "Decisions that were answered, by outcome and true reason of a deny.",
        labels=["outcome", "reason"],
    )
    decisions.add_metric(["allow", ""], now[Claim])
    for reason, code in CODES.items():
        decisions.add_metric(["deny", code], now[reason])
    yield decisions


def _requests(now: requests.RequestCounts) -> Iterator[Metric]:
    answered = CounterMetricFamily(
        "grantproof_requests",
        "Requests that were answered, by route and status.",
        labels=["route", "status"],
    )
    for (route, status), count in sorted(now.answered.items()):
        answered.add_metric([route, str(status)], count)
    yield answered
    durations = HistogramMetricFamily(
        "grantproof_request_duration_seconds",
        "Time from a request to its answer, by route and class of status.",
        labels=["route", "status_class"],
    )
    for (route, first), found in sorted(now.durations.items()):
        durations.add_metric([route, f"{first}xx"], _buckets(found), found.seconds)
    yield durations


def _following(following: Followed) -> Iterator[Metric]:
    states = tuple(following.states())
    yield GaugeMetricFamily(
        "grantproof_organizations_followed",
        "Organizations that are held in memory and followed.",
        value=len(states),
    )
    yield GaugeMetricFamily(
        "grantproof_snapshot_revisions",
        "Sum of the revisions of the followed organizations.",
        value=sum(state.revision for state in states),
    )
    yield GaugeMetricFamily(
        "grantproof_snapshot_age_seconds",
        "Time since the beginning of the last look at the store for what has changed.",
        value=following.age(),
    )
    yield GaugeMetricFamily(
        "grantproof_organizations_not_current",
        "Followed organizations that are too old to be answered from.",
        value=following.not_current(),
    )
    entities = GaugeMetricFamily(
        "grantproof_snapshot_entities",
        "Entities that are held in memory and indexed, by kind.",
        labels=["kind"],
    )
    for kind, size in SIZES.items():
        entities.add_metric([kind], sum(map(size, states)))
    yield entities


def _changes(now: attempts.AttemptCounts) -> Iterator[Metric]:
    yield _outcomes("grantproof_changes", "Changes by what became of them.", now.outcomes)
    yield CounterMetricFamily(
        "grantproof_commit_retries",
        "Attempts at a change after the first: each follows a race that another writer won.",
        value=now.retries,
    )


def _charges(now: attempts.AttemptCounts) -> Iterator[Metric]:
    yield _outcomes(
        "grantproof_charges", "Uses to be counted, by what became of them.", now.outcomes
    )
    yield CounterMetricFamily(
        "grantproof_charge_retries",
        "Attempts at a use after the first: each follows a race that another one won.",
        value=now.retries,
    )


def _solver(now: solving.EndingCounts) -> Iterator[Metric]:
    runs = CounterMetricFamily(
        "grantproof_solver_runs",
        "Questions to the solver by how they ended: all but `answered` are undetermined.",
        labels=["ending"],
    )
    for ending, count in now.endings.items():
        runs.add_metric([ending], count)
    yield runs
    yield HistogramMetricFamily(
        "grantproof_solver_run_duration_seconds",
        "Time from the beginning of a solver's process to its end.",
        buckets=_buckets(now.durations),
        sum_value=now.durations.seconds,
    )


def _credentials(refused: int) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "grantproof_credentials_refused",
        "Requests whose credential was missing or wrong.",
        value=refused,
    )


def _decision_log(now: LogCounts) -> Iterator[Metric]:
    yield _outcomes(
        "grantproof_decision_log_entries",
        "Entries of the decision log by what became of them.",
        {"written": now.written, "dropped": now.dropped},
    )
    yield GaugeMetricFamily(
        "grantproof_decision_log_waiting_entries",
        "Entries of the decision log that are taken and not written yet.",
        value=now.waiting,
    )
    yield GaugeMetricFamily(
        "grantproof_decision_log_waiting_entries_max",
        "Entries of the decision log that may wait before requests have to.",
        value=now.waiting_max,
    )


def _snapshot_files(now: shelf.ShelfCounts) -> Iterator[Metric]:
    yield _outcomes(
        "grantproof_snapshot_files",
        "Snapshot files by what became of them.",
        {
            "used": now.used,
            "written": now.written,
            "ignored": now.ignored,
            "failed": now.failed,
        },
    )


def _contracts(now: contracts.ContractCounts) -> Iterator[Metric]:
    checks = CounterMetricFamily(
        "grantproof_contract_checks",
        "Checks of the program by itself, by the contract that was checked.",
        labels=["contract"],
    )
    violations = CounterMetricFamily(
        "grantproof_contract_violations",
        "Checks that failed, by contract: each is a fault of the program or of the data.",
        labels=["contract"],
    )
    for contract, count in now.checks.items():
        checks.add_metric([contract], count)
    for contract, count in now.violations.items():
        violations.add_metric([contract], count)
    yield checks
    yield violations
    yield CounterMetricFamily(
        "grantproof_shadow_evaluations",
        "Decisions that were made by the reference too.",
        value=now.checks["shadow"],
    )
    yield CounterMetricFamily(
        "grantproof_shadow_differences",
        "Decisions on which the reference said otherwise than the index, or failed.",
        value=now.violations["shadow"],
    )
    yield CounterMetricFamily(
        "grantproof_organizations_withdrawn",
        "How often an organization that was not valid was taken out of memory.",
        value=now.withdrawn,
    )
    yield _outcomes(
        "grantproof_cases",
        "Cases of what was found, by what became of them.",
        {"kept": now.cases.kept, "dropped": now.cases.dropped},
    )


def _verification(*, verified: bool, source: str) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "grantproof_verified",
        "1 when the named report of `make verify` passes and is about the source that runs, or 0.",
        value=int(verified),
    )
    yield InfoMetricFamily(
        "grantproof_verification",
        "The version that runs, and the short SHA-256 of the source of its rules.",
        value={"version": grantproof.__version__, "source": source},
    )


def _buckets(durations: requests.Durations) -> list[tuple[str, float]]:
    counts = accumulate(durations.buckets)
    return [(bound, float(count)) for bound, count in zip(BUCKETS, counts, strict=True)]


def _outcomes(name: str, told: str, counts: Mapping[str, int]) -> CounterMetricFamily:
    found = CounterMetricFamily(name, told, labels=["outcome"])
    for outcome, count in counts.items():
        found.add_metric([outcome], count)
    return found


SIZES: Final[Mapping[str, Callable[[Organization], int]]] = {
    "principal": lambda state: len(state.principals),
    "group": lambda state: len(state.groups),
    "role": lambda state: len(state.roles),
    "resource": lambda state: len(state.resources),
    "claim": lambda state: len(state.claims),
    "sod_set": lambda state: len(state.sod_sets),
    "guardrail": lambda state: len(state.guardrails),
}
"""How many entities there are of a kind; each is known without counting."""
