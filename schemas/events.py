"""What an S3 server says happened in its buckets (S3 event message structure, 2.x), as AWS, MinIO and others send it.

Only what is needed is read. Tristream consumes these messages and never sends one.
"""

from pydantic import Field

from schemas.base import Message


class EventBucket(Message):
    """The bucket of an event."""

    name: str = Field(repr=False, description="Of the bucket")


class EventObject(Message):
    """The object of an event."""

    key: str = Field(repr=False, description="URL-encoded by AWS and MinIO, as it is by others; may identify a patient")
    etag: str | None = Field(default=None, alias="eTag", description="Of its content, where the server tells it")
    size: int | None = Field(default=None, ge=0, description="Bytes")


class EventDetail(Message):
    """What an event is about."""

    bucket: EventBucket = Field(description="Where it happened")
    object: EventObject = Field(description="What it happened to")


class EventRecord(Message):
    """One event."""

    name: str = Field(alias="eventName", description="s3:ObjectCreated:Put, ObjectCreated:Copy, …")
    s3: EventDetail = Field(description="What it is about")


class BucketEvent(Message):
    """One notification: none, one or several events. Servers also send test notifications, which have none."""

    records: tuple[EventRecord, ...] = Field(
        default=(), alias="Records", description="Events, in the order of the server"
    )
