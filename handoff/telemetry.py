"""The metrics for OpenTelemetry: whatever exporter Rasa's ``endpoints.yml`` sets up takes them.

The API only: without an SDK in the process, all of it does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from handoff.instruments import ALL, Instrument, Kind
from handoff.measures import Measures, Recorder

SCOPE = "rasa-servicenow-handoff"

Record = Callable[[float, dict[str, str]], None]


class Telemetry:
    """A sink for one meter."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._recorders = {one: _make(one, meter) for one in ALL if one.kind is not Kind.GAUGE}

    def find(self, instrument: Instrument, labels: tuple[str, ...]) -> Recorder:
        record = self._recorders[instrument]
        attributes = dict(zip(instrument.labels, labels, strict=True))
        return lambda value: record(value, attributes)

    def show_gauges(self, measures: Measures) -> None:
        """Read its gauges whenever they are exported."""
        for instrument in ALL:
            if instrument.kind is Kind.GAUGE:
                self._meter.create_observable_gauge(
                    instrument.name,
                    [_observe(measures, instrument)],
                    unit=instrument.unit,
                    description=instrument.meaning,
                )


def _observe(
    measures: Measures, instrument: Instrument
) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def observe(_: CallbackOptions) -> Iterable[Observation]:
        for labels, value in measures.look(instrument):
            yield Observation(value, dict(zip(instrument.labels, labels, strict=True)))

    return observe


def _make(instrument: Instrument, meter: Meter) -> Record:
    if instrument.kind is Kind.COUNTER:
        return meter.create_counter(instrument.name, instrument.unit, instrument.meaning).add
    buckets = list(instrument.buckets)
    return meter.create_histogram(
        instrument.name, instrument.unit, instrument.meaning, explicit_bucket_boundaries_advisory=buckets
    ).record
