"""What this process counts and times: recorded where it happens, shown wherever somebody listens.

``Measures`` knows nobody who reads it. The page for Prometheus (``handoff/metrics_page.py``) and
OpenTelemetry (``handoff/telemetry.py``) are its sinks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from handoff.handoff import Clock
from handoff.instruments import MANY, OTHER, Instrument

Reading = tuple[tuple[str, ...], float]  # values of the labels, and what is read there
Read = Callable[[], Iterable[Reading]]


Recorder = Callable[[float], None]


class Sink(Protocol):
    """Somebody who listens."""

    def find(self, instrument: Instrument, labels: tuple[str, ...]) -> Recorder:
        """Where to count or time something; ``labels`` are bounded already."""
        ...

    def show_gauges(self, measures: Measures) -> None:
        """Read its gauges whenever somebody looks."""
        ...


class Measures:
    """The metrics of one process."""

    def __init__(self, *sinks: Sink) -> None:
        self._sinks = sinks
        self._gauges: dict[Instrument, list[Read]] = {}
        self._found: dict[Instrument, set[tuple[str, ...]]] = {}
        self._recorders: dict[tuple[Instrument, tuple[str, ...]], list[Recorder]] = {}
        for sink in sinks:
            sink.show_gauges(self)

    def count(self, instrument: Instrument, *labels: str) -> None:
        self.record(instrument, 1, *labels)

    def record(self, instrument: Instrument, value: float, *labels: str) -> None:
        """``labels`` in the order of the instrument's own."""
        recorders = self._recorders.get((instrument, labels))
        for record in self._find(instrument, labels) if recorders is None else recorders:
            record(value)

    def _find(self, instrument: Instrument, labels: tuple[str, ...]) -> list[Recorder]:
        """Found once; kept under bounded labels only."""
        bounded = self._bound(instrument, labels)
        if (instrument, bounded) not in self._recorders:
            found = [sink.find(instrument, bounded) for sink in self._sinks]
            self._recorders[instrument, bounded] = found
        return self._recorders[instrument, bounded]

    def watch(self, instrument: Instrument, read: Read) -> Callable[[], None]:
        """Let a gauge be read whenever somebody looks; returns what ends that."""
        readers = self._gauges.setdefault(instrument, [])
        readers.append(read)
        return lambda: readers.remove(read)

    def look(self, instrument: Instrument) -> Iterator[Reading]:
        """What a gauge says now."""
        found: dict[tuple[str, ...], float] = {}
        for read in list(self._gauges.get(instrument, ())):
            for labels, value in read():
                bounded = self._bound(instrument, labels)
                known = found.get(bounded)
                found[bounded] = value if known is None else instrument.merge(known, value)
        yield from found.items()

    def _bound(self, instrument: Instrument, labels: Sequence[str]) -> tuple[str, ...]:
        """Labels with known values only; where the process finds them out, the first so many."""
        known = tuple(
            value if not allowed or value in allowed else OTHER
            for value, allowed in zip(labels, instrument.labels.values(), strict=True)
        )
        if all(instrument.labels.values()):
            return known
        found = self._found.setdefault(instrument, set())
        if known in found:
            return known
        if len(found) >= MANY:
            return tuple(OTHER for _ in known)
        found.add(known)
        return known


SILENT = Measures()


class Notes:
    """What happens within one transaction, to be recorded once it is committed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._noted: list[tuple[Instrument, float, tuple[str, ...]]] = []

    def count(self, instrument: Instrument, *labels: str) -> None:
        self._noted.append((instrument, 1, labels))

    def time(self, instrument: Instrument, since: datetime, *labels: str) -> None:
        """Seconds from an instant until now."""
        seconds = max(0.0, (self._clock() - since).total_seconds())
        self._noted.append((instrument, seconds, labels))

    def __bool__(self) -> bool:
        """Whether anything was noted."""
        return bool(self._noted)

    def record(self, measures: Measures) -> None:
        """The transaction was committed."""
        for instrument, value, labels in self._noted:
            measures.record(instrument, value, *labels)
