"""What can be seen of a process: its metrics, the page and the exporter that show them, and its traces."""

from __future__ import annotations

from functools import cache

from opentelemetry.metrics import Meter, get_meter
from opentelemetry.trace import get_tracer

from handoff.measures import Measures
from handoff.metrics_page import MetricsPage
from handoff.telemetry import SCOPE, Telemetry
from handoff.tracing import OFF, Tracing, has_provider


class Observation:
    """``meter`` is OpenTelemetry's, None for the page alone."""

    def __init__(self, meter: Meter | None = None, tracing: Tracing = OFF) -> None:
        self.page = MetricsPage()
        self.measures = Measures(self.page, *([Telemetry(meter)] if meter else []))
        self.tracing = tracing


@cache
def observation_of_process() -> Observation:
    """One for all that run in this process, on whichever event loop; exported as Rasa has set it up."""
    return Observation(get_meter(SCOPE), Tracing(get_tracer(SCOPE), has_provider))
