"""Traces by OpenTelemetry: one from what a requester wrote to what the live agent answered.

What goes on in one task is found by OpenTelemetry itself. What waits in the ledger carries the W3C
traceparent of the work that wrote it, so that whoever takes it up, in whichever process, goes on in the
same trace. The API only: without an SDK, or where Rasa's ``tracing:`` sets none up, nothing happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry.context import Context
from opentelemetry.trace import (
    INVALID_SPAN,
    ProxyTracerProvider,
    Span,
    SpanKind,
    StatusCode,
    Tracer,
    get_current_span,
    get_tracer_provider,
    use_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from handoff.digest import digest

CONVERSATION, HANDOFF, MESSAGE = "handoff.conversation", "handoff.id", "handoff.message"

NOTHING = nullcontext(INVALID_SPAN)  # may be entered again and again

_w3c = TraceContextTextMapPropagator()


class Tracing:
    """The spans of one process.

    They hold ids of handoffs and messages, and of a conversation its digest; never what was said, and of
    an error its kind only.
    """

    def __init__(self, tracer: Tracer | None = None, is_on: Callable[[], bool] | None = None) -> None:
        self._tracer = tracer
        self._is_on = is_on or (lambda: tracer is not None)

    @property
    def is_on(self) -> bool:
        return self._is_on()

    def span(
        self,
        name: str,
        kind: SpanKind = SpanKind.INTERNAL,
        *,
        within: Context | None = None,
        conversation: str | None = None,
        handoff: str | None = None,
        message: str | None = None,
    ) -> AbstractContextManager[Span]:
        """A piece of the work that is under way (or of ``within``), or the first piece of a trace."""
        if self._tracer is None or not self._is_on():
            return NOTHING
        known = {CONVERSATION: conversation and digest(conversation), HANDOFF: handoff, MESSAGE: message}
        attributes = {key: value for key, value in known.items() if value}
        return _be_in(self._tracer.start_span(name, within, kind, attributes))

    def follow(
        self, trace: str | None, name: str, kind: SpanKind = SpanKind.INTERNAL, **about: str | None
    ) -> AbstractContextManager[Span]:
        """A piece of work that a stored ``trace`` goes on with; nothing where there is none."""
        if trace is None:
            return NOTHING
        return self.span(name, kind, within=_w3c.extract({"traceparent": trace}, Context()), **about)

    def begin_piece(self, name: str) -> Span:
        """A piece of the work under way, to be ended by the caller; nothing outside of any."""
        if self._tracer is None or not get_current_span().is_recording():
            return INVALID_SPAN
        return self._tracer.start_span(name)


@contextmanager
def _be_in(span: Span) -> Iterator[Span]:
    """Of an error its kind only: its words may be somebody's."""
    with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield span
        except BaseException as error:
            span.set_status(StatusCode.ERROR, type(error).__name__)
            raise


OFF = Tracing()


def present_trace() -> str | None:
    """The W3C traceparent of the work under way, None where nothing is traced."""
    if not get_current_span().get_span_context().is_valid:
        return None
    carrier: dict[str, str] = {}
    _w3c.inject(carrier)
    return carrier["traceparent"]


def has_provider() -> bool:
    """Whether somebody, as Rasa by its ``tracing:``, has set up where spans go."""
    return not isinstance(get_tracer_provider(), ProxyTracerProvider)
