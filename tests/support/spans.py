"""Spans of OpenTelemetry's SDK, kept in memory."""

from __future__ import annotations

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from handoff.tracing import Tracing


class Spans:
    """One process's tracing, and what it has exported."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._provider = TracerProvider()
        self._provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = self._provider.get_tracer("test")
        self.tracing = Tracing(self.tracer)

    @property
    def all(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.all if span.name == name]

    def parent(self, span: ReadableSpan) -> ReadableSpan | None:
        if span.parent is None:
            return None
        return next((one for one in self.all if one.context.span_id == span.parent.span_id), None)

    def close(self) -> None:
        self._provider.shutdown()


def describe(spans: Spans) -> str:
    """All that anybody could read in them."""
    return "\n".join(span.to_json() for span in spans.all)
