"""Spans of work, linked across topics by `traceparent` (W3C Trace Context). Knows nothing of what the work is.

Without a receiver the SDK is not even loaded; ids go on from message to message all the same, and into the logs.
Attributes name topics, stages and classes of errors, never what a message is about.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

import structlog
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from streams.codec import Context

TRACER = trace.get_tracer("tristream")
_WIRE = TraceContextTextMapPropagator()


def send_spans(endpoint: str, service: str, instance: str) -> None:
    """Send the spans of this process to a receiver from now on, in the background, and the last ones at its exit.

    Args:
        endpoint: base URL of a receiver of OTLP over HTTP. Headers, certificates and sampling are set by
            OpenTelemetry's own variables.
        service: what the spans are of.
        instance: which of several.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": service, "service.instance.id": instance}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")))
    trace.set_tracer_provider(provider)


@contextmanager
def span(
    name: str,
    context: Context,
    kind: SpanKind = SpanKind.CONSUMER,
    attributes: dict[str, str | int] | None = None,
    *,
    tracer: Tracer = TRACER,
) -> Generator[Context]:
    """A span around some work, child of the one in `context`; what comes of the work goes on with the context given."""
    parent = None if context.root else _WIRE.extract({"traceparent": context.traceparent})
    # The words of an exception may quote the input: its class is told by `failed`.
    with tracer.start_as_current_span(
        name, parent, kind, attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        below = context.child()
        if current.is_recording():
            carrier: dict[str, str] = {}
            _WIRE.inject(carrier)
            below = replace(below, traceparent=carrier["traceparent"])
        with structlog.contextvars.bound_contextvars(trace_id=below.traceparent.split("-")[1]):
            yield below


def outcome(word: str) -> None:
    """Say in the current span how its work ended."""
    trace.get_current_span().set_attribute("tristream.outcome", word)


def failed(error: str) -> None:
    """Say in the current span that its work failed, by the class of the error."""
    current = trace.get_current_span()
    current.set_attribute("error.type", error)
    current.set_status(StatusCode.ERROR)
