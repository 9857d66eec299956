"""Numbers for Prometheus, read where they are kept when somebody asks, so that counting is free."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from grantproof.service import contracts
from grantproof.service.decision_log import Tally


class Telemetry:
    """The metrics of one process, in the text format that Prometheus reads."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=False)

    def watch_decision_log(self, tally: Callable[[], Tally]) -> None:
        """Tell from now on what becomes of the entries of the decision log."""
        self._registry.register(_DecisionLog(tally))

    def watch_contracts(self, tally: Callable[[], contracts.Tally]) -> None:
        """Tell from now on which contracts were checked, and broken."""
        self._registry.register(_Contracts(tally))

    def written(self) -> bytes:
        """Return every metric as it is now (text format 0.0.4)."""
        return generate_latest(self._registry)


class _DecisionLog(Collector):
    def __init__(self, tally: Callable[[], Tally]) -> None:
        self._tally = tally

    @override
    def collect(self) -> Iterator[Metric]:
        now = self._tally()
        entries = CounterMetricFamily(
            "grantproof_decision_log_entries",
            "Entries of the decision log by what became of them.",
            labels=["outcome"],
        )
        entries.add_metric(["written"], now.written)
        entries.add_metric(["dropped"], now.dropped)
        yield entries
        yield GaugeMetricFamily(
            "grantproof_decision_log_waiting_entries",
            "Entries of the decision log that are taken and not written yet.",
            value=now.waiting,
        )


class _Contracts(Collector):
    def __init__(self, tally: Callable[[], contracts.Tally]) -> None:
        self._tally = tally

    @override
    def collect(self) -> Iterator[Metric]:
        now = self._tally()
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
            "grantproof_organizations_withdrawn",
            "How often an organization that was not valid was taken out of memory.",
            value=now.withdrawn,
        )
        cases = CounterMetricFamily(
            "grantproof_cases",
            "Cases of what was found, by what became of them.",
            labels=["outcome"],
        )
        cases.add_metric(["kept"], now.cases.kept)
        cases.add_metric(["dropped"], now.cases.dropped)
        yield cases
