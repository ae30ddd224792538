"""The metrics as a page for Prometheus, with a registry of its own.

By ``prometheus_client``: the exporter of OpenTelemetry for Prometheus is a beta, needs an SDK, and cannot be
added to the meter provider that Rasa has set.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from handoff.instruments import ALL, Instrument, Kind
from handoff.measures import Measures, Recorder

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class MetricsPage:
    """A sink that can be printed."""

    def __init__(self) -> None:
        # A second series for each, which says when it began.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._metrics = {one: _make(one, self._registry) for one in ALL if one.kind is not Kind.GAUGE}
        ProcessCollector(registry=self._registry)

    def find(self, instrument: Instrument, labels: tuple[str, ...]) -> Recorder:
        return _recorder(self._metrics[instrument], labels)

    def show_gauges(self, measures: Measures) -> None:
        """Read its gauges whenever the page is printed."""
        self._registry.register(Gauges(measures))

    def print(self) -> bytes:
        return generate_latest(self._registry)


class Gauges(Collector):
    """Read when they are looked at, as Prometheus's client wants it."""

    def __init__(self, measures: Measures) -> None:
        self._measures = measures

    def collect(self) -> Iterator[Metric]:
        for instrument in ALL:
            if instrument.kind is Kind.GAUGE:
                family = GaugeMetricFamily(
                    instrument.page_name, instrument.meaning, labels=tuple(instrument.labels)
                )
                for labels, value in self._measures.look(instrument):
                    family.add_metric(labels, value)
                yield family


def _make(instrument: Instrument, registry: CollectorRegistry) -> Counter | Histogram:
    """Series whose labels are known begin at 0: what has happened once would else be no increase."""
    metric: Counter | Histogram
    about = (instrument.page_name, instrument.meaning, tuple(instrument.labels))
    if instrument.kind is Kind.COUNTER:
        metric = Counter(*about, registry=registry)
    else:
        metric = Histogram(*about, registry=registry, buckets=instrument.buckets)
    for labels in product(*instrument.labels.values()):
        _recorder(metric, labels)
    return metric


def _recorder(metric: Counter | Histogram, labels: tuple[str, ...]) -> Recorder:
    child = metric.labels(*labels) if labels else metric
    return child.inc if isinstance(child, Counter) else child.observe
