"""The metrics of a worker, for Prometheus. Names begin with `steadyhand_`; units are in the names."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector


class Metrics:
    """All metrics of one process, in a registry of their own, so that tests may make several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.activities = Histogram(
            "steadyhand_activity_seconds",
            "How long activities took that do not wait for the market.",
            ["activity", "outcome"],
            registry=self.registry,
        )
        self.watch_results = Counter(
            "steadyhand_watch_results_total", "Why watches ended.", ["outcome"], registry=self.registry
        )
        self.orders = Counter(
            "steadyhand_orders_total", "Answers of brokers to orders.", ["side", "status"], registry=self.registry
        )

    def gauge(self, name: str, help_: str, read: Callable[[], float]) -> None:
        """Add a gauge that is read when it is asked for."""
        Gauge(f"steadyhand_{name}", help_, registry=self.registry).set_function(read)

    def gauge_by(self, name: str, help_: str, label: str, read: Callable[[], Mapping[str, float]]) -> None:
        """Add a gauge with one value for each value of a label, read when it is asked for."""
        self.registry.register(_Readings(f"steadyhand_{name}", help_, label, read))


class _Readings(Collector):
    """What can be read of several things at once, such as of each venue."""

    def __init__(self, name: str, help_: str, label: str, read: Callable[[], Mapping[str, float]]) -> None:
        self._name, self._help, self._label, self._read = name, help_, label, read

    def collect(self) -> Iterator[Metric]:
        """Yield the readings of this moment."""
        family = GaugeMetricFamily(self._name, self._help, labels=[self._label])
        for value, reading in self._read().items():
            family.add_metric([value], reading)
        yield family
