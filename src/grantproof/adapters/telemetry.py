"""Numbers for Prometheus, read where they are kept when somebody asks, so that counting is free."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from grantproof.service.decision_log import Tally


class Telemetry:
    """The metrics of one process, in the text format that Prometheus reads."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=False)

    def watch_decision_log(self, tally: Callable[[], Tally]) -> None:
        """Tell from now on what becomes of the entries of the decision log."""
        self._registry.register(_DecisionLog(tally))

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
