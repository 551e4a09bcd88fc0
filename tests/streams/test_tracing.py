"""Spans: linked from message to message, with nothing in them that an input says."""

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import Tracer

from schemas.objects import ObjectReference
from streams.codec import Context, headers
from streams.tracing import failed, outcome, span

REFERENCE = ObjectReference(bucket="file:///inbox", key="DOE^JOHN.dcm", etag="00ff", size=7)


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(spans: InMemorySpanExporter) -> Tracer:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return provider.get_tracer("test")


def over_the_wire(context: Context) -> Context:
    return Context.read(headers(REFERENCE, "test", context))


def test_each_stage_is_the_child_of_the_one_before(spans: InMemorySpanExporter, tracer: Tracer) -> None:
    """Three stages and two messages between them are one trace with one root, in a row."""
    context = Context()
    for stage in ("watch", "preprocess", "ground"):
        with span(stage, context, tracer=tracer) as below:
            outcome("done")
        context = over_the_wire(below)
    watch, preprocess, ground = spans.get_finished_spans()
    assert watch.parent is None
    assert preprocess.parent is not None
    assert ground.parent is not None
    assert preprocess.parent.span_id == watch.context.span_id
    assert ground.parent.span_id == preprocess.context.span_id
    assert len({one.context.trace_id for one in (watch, preprocess, ground)}) == 1
    assert format(ground.context.span_id, "016x") == context.traceparent.split("-")[2]
    assert context.taken_at == below.taken_at


def test_a_failure_is_told_by_its_class_alone(spans: InMemorySpanExporter, tracer: Tracer) -> None:
    """Neither the exception's words nor its traceback get into a span: they may quote the input."""

    def work() -> None:
        with span("ground", Context(), tracer=tracer):
            failed("TruncatedFile")
            raise ValueError("DOE^JOHN")

    with pytest.raises(ValueError, match="DOE"):
        work()
    (found,) = spans.get_finished_spans()
    assert found.attributes == {"error.type": "TruncatedFile"}
    assert not found.status.is_ok
    assert "DOE" not in found.to_json()


def test_without_a_receiver_ids_go_on() -> None:
    """No SDK, no spans; yet each stage has ids of its own within one trace, for the logs and for those after it."""
    context = over_the_wire(Context())
    with span("ground", context) as below:
        assert below.traceparent != context.traceparent
        assert below.traceparent.split("-")[1] == context.traceparent.split("-")[1]
        assert structlog.contextvars.get_contextvars() == {"trace_id": below.traceparent.split("-")[1]}
    assert structlog.contextvars.get_contextvars() == {}


def test_what_is_not_sampled_stays_so() -> None:
    """A head that decided not to sample is heeded by the stages after it, which still pass the trace on."""
    tracer = TracerProvider(sampler=ALWAYS_OFF).get_tracer("test")
    unsampled = Context(traceparent=f"00-{'a' * 32}-{'b' * 16}-00", root=False)
    with span("ground", unsampled, tracer=tracer) as below:
        assert below.traceparent.split("-")[1] == "a" * 32
        assert below.traceparent.endswith("-00")
