"""A collector of OpenTelemetry on loopback: takes metrics and spans by OTLP over gRPC, and keeps them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from google.protobuf.text_format import MessageToString
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """What was exported, as it came."""

    def __init__(self) -> None:
        self.address = ""
        self._traces: list = []
        self.metrics = Metrics()

    async def Export(self, request, context):  # noqa: N802 - gRPC's name
        self._traces.append(request)
        return trace_service_pb2.ExportTraceServiceResponse()

    @property
    def spans(self) -> list:
        return [
            span
            for request in self._traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def named(self, name: str) -> list:
        return [span for span in self.spans if span.name == name]

    @property
    def text(self) -> str:
        """All that anybody could read."""
        return "\n".join(MessageToString(one) for one in (*self._traces, *self.metrics.requests))


class Metrics(metrics_service_pb2_grpc.MetricsServiceServicer):
    """The same for metrics."""

    def __init__(self) -> None:
        self.requests: list = []

    async def Export(self, request, context):  # noqa: N802 - gRPC's name
        self.requests.append(request)
        return metrics_service_pb2.ExportMetricsServiceResponse()

    @property
    def names(self) -> set[str]:
        return {
            metric.name
            for request in self.requests
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@asynccontextmanager
async def collect() -> AsyncIterator[Collector]:
    server, collector = grpc.aio.server(), Collector()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(collector.metrics, server)
    collector.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield collector
    finally:
        await server.stop(0)


def write_endpoints(collector: Collector, known: str) -> str:
    """An endpoints file with the collector in it, as docs/operations.md says."""
    where = f"  type: otlp\n  endpoint: {collector.address}\n  insecure: true\n"
    return f"{known}\nmetrics:\n{where}tracing:\n{where}"
