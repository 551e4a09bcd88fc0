"""What S3 servers say, understood: whose keys are encoded, and which events matter."""

from pathlib import Path

import pytest

from schemas.events import BucketEvent
from streams.buckets import folder_of
from streams.buckets.s3_events import created, resolve
from streams.buckets.store import Store
from streams.codec import decode

LOCATION = Store.parse("s3://scans/in")


def event(*records: tuple[str, str], name: str = "s3:ObjectCreated:Put") -> BucketEvent:
    """A notification as it comes, with more fields than are read."""
    found = [
        {
            "eventVersion": "2.2",
            "eventSource": "aws:s3",
            "eventName": name,
            "userIdentity": {"principalId": "someone"},
            "s3": {
                "s3SchemaVersion": "1.0",
                "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
                "object": {"key": key, "size": 3, "eTag": '"abc"', "sequencer": "1"},
            },
        }
        for bucket, key in records
    ]
    return BucketEvent.model_validate({"Records": found})


def keys(notification: BucketEvent) -> list[tuple[str, ...]]:
    return [found for found, _, _ in created(notification, LOCATION)]


@pytest.mark.parametrize("text", ["s3://", "s3:scans", "file:///scans", "s3://scans?versions", ""])
def test_what_is_no_bucket_is_refused(text: str) -> None:
    """A URL that names no bucket is told apart at once, with the form that is wanted."""
    with pytest.raises(ValueError, match="s3://bucket/prefix"):
        Store.parse(text)


def test_a_folder_is_no_bucket() -> None:
    """Only the scheme tells; a folder may have any other name."""
    for place in ("s3://scans", "gs://scans/in", "az://scans"):
        assert folder_of(place) is None
    for place in ("/s3/scans", "file:///s3/scans"):
        assert folder_of(place) == Path("/s3/scans")


def test_several_records_are_several_objects() -> None:
    """A notification may tell of several objects; each plain key is meant as it stands, and nothing needs be asked."""
    found = list(created(event(("scans", "in/IM0001"), ("scans", "in/IM0002")), LOCATION))
    assert [resolve(LOCATION, *one) for one in found] == [
        resolve(LOCATION, ("in/IM0001",), "abc", 3),
        resolve(LOCATION, ("in/IM0002",), "abc", 3),
    ]
    assert [one.etag for one in (resolve(LOCATION, *one) for one in found) if one] == ["abc", "abc"]


def test_keys_may_be_encoded_or_not() -> None:
    """Where the two readings of a key differ, both are kept, the encoded one first."""
    assert keys(event(("scans", "in/Jos%C3%A9+1.dcm"))) == [("in/José 1.dcm", "in/Jos%C3%A9+1.dcm")]
    assert keys(event(("scans", "in/José 1.dcm"))) == [("in/José 1.dcm",)]


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        ("others", "in/a.dcm"),
        ("scans", "out/a.dcm"),
        ("scans", "inner.dcm"),
        ("scans", "in/a.part"),
        ("scans", "in/x/"),
        ("scans", "in/.masks/a.png"),
    ],
)
def test_other_places_are_left_alone(bucket: str, key: str) -> None:
    """Another bucket or prefix, unfinished uploads, folder markers, sidecars and hidden keys are left out."""
    assert keys(event((bucket, key))) == []


def test_a_sidecar_stands_for_what_it_describes() -> None:
    """Its own etag and size say nothing of the image: the bucket has to be asked."""
    notification = event(("scans", "in/Jos%C3%A9+1.png.json"))
    assert list(created(notification, LOCATION)) == [(("in/José 1.png", "in/Jos%C3%A9+1.png"), None, None)]


def test_events_that_make_nothing_are_left_alone() -> None:
    """Removals, and the test notification that servers send first, announce nothing."""
    assert keys(event(("scans", "in/a.dcm"), name="s3:ObjectRemoved:Delete")) == []
    assert keys(event(("scans", "in/a.dcm"), name="ObjectCreated:Copy")) == [("in/a.dcm",)]
    assert keys(decode(BucketEvent, b'{"Service":"S3","Event":"s3:TestEvent","Bucket":"scans"}')) == []


def test_a_notification_does_not_print_its_key() -> None:
    """Keys can hold names; what is logged of an event does not."""
    assert "DOE" not in repr(event(("scans", "in/DOE^JOHN.dcm")))
