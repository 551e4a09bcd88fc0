"""The wire: values, headers, and what becomes of foreign messages."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.objects import ObjectReference
from streams.codec import Context, UnreadableMessage, decode, encode, headers

REFERENCE = ObjectReference(bucket="file:///inbox", key="a%20b.dcm", etag="00ff", size=7)


def test_the_bytes_on_the_wire_are_pinned() -> None:
    """A reference is exactly these bytes: moving a class must not change messages."""
    assert encode(REFERENCE) == b'{"bucket":"file:///inbox","key":"a%20b.dcm","etag":"00ff","size":7}'


def test_a_message_survives_the_wire_and_later_fields() -> None:
    """Decoding gives back what was encoded, and ignores fields of newer producers."""
    assert decode(ObjectReference, encode(REFERENCE)) == REFERENCE
    assert decode(ObjectReference, encode(REFERENCE)[:-1] + b',"storage_class":"cold"}') == REFERENCE


@pytest.mark.parametrize(
    "value",
    [None, b"", b"not json", b"[]", b'{"key":"DOE^JOHN"}', b'{"bucket":1,"key":"DOE^JOHN","etag":"","size":-1}'],
)
def test_a_foreign_message_is_refused_without_quoting_it(value: bytes | None) -> None:
    """The error names the type and the fields, never the values."""
    with pytest.raises(UnreadableMessage, match="ObjectReference") as caught:
        decode(ObjectReference, value)
    assert "DOE" not in str(caught.value)


def test_headers_are_cloudevents_with_a_trace() -> None:
    """Every required attribute of CloudEvents 1.0 and a W3C traceparent are there; the key is not."""
    context = Context()
    found = dict(headers(REFERENCE, "watch", context))
    assert {"ce_id", "ce_source", "ce_specversion", "ce_type", "ce_time", "traceparent"} <= found.keys()
    assert found["ce_specversion"] == b"1.0"
    assert not any(b"a%20b" in value for value in found.values())
    assert Context.read(list(found.items())) == context


def test_a_trace_goes_on_through_stages() -> None:
    """A child keeps the trace and the time the object was taken, and has a span of its own."""
    parent = Context()
    child = parent.child()
    assert child.traceparent.split("-")[1] == parent.traceparent.split("-")[1]
    assert child.traceparent != parent.traceparent
    assert child.taken_at == parent.taken_at


@pytest.mark.parametrize(
    "head",
    [None, [], [("traceparent", b"garbage")], {"traceparent": b"\xff-\xff"}, [("traceparent", b"00-DOE-JOHN-01")]],
)
def test_foreign_headers_get_a_new_trace(head: object) -> None:
    """A producer without a usable trace context starts a new one."""
    context = Context.read(head)  # pyright: ignore[reportArgumentType]
    assert context.root
    assert context.child().traceparent.count("-") == 3
    assert "DOE" not in context.traceparent


@pytest.mark.parametrize("taken_at", [b"", b"yesterday", b"\xff\xfe", b"2026-01-01T00:00:00", b"DOE^JOHN"])
def test_a_foreign_moment_is_not_believed(taken_at: bytes) -> None:
    """What cannot be subtracted from now would end the stage that measures how long an object took."""
    context = Context.read([("ce_takenat", taken_at)])
    assert datetime.now(UTC) - datetime.fromisoformat(context.taken_at) < timedelta(minutes=1)
