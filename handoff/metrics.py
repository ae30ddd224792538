"""The metrics of a process: where they are recorded, and the page and exporters that show them."""

from __future__ import annotations

from functools import cache

from opentelemetry.metrics import Meter, get_meter

from handoff.measures import Measures
from handoff.metrics_page import MetricsPage
from handoff.telemetry import SCOPE, Telemetry


class Metrics:
    """``meter`` is OpenTelemetry's, None for the page alone."""

    def __init__(self, meter: Meter | None = None) -> None:
        self.page = MetricsPage()
        self.measures = Measures(self.page, *([Telemetry(meter)] if meter else []))


@cache
def metrics_of_process() -> Metrics:
    """One for all that run in this process, on whichever event loop; exported as Rasa has set it up."""
    return Metrics(get_meter(SCOPE))
