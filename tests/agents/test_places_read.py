"""Whoever can write to the topic of references has no file read that does not lie in the inbox."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agents.preprocess import below
from schemas.objects import ObjectReference
from streams.buckets import ObjectElsewhere, open_bucket


async def handed_on(places: list[str], bucket: str, key: str) -> bool:
    """Whether a reference is read."""
    asked: list[ObjectReference] = []

    async def handler(reference: ObjectReference) -> AsyncIterator[Any]:
        asked.append(reference)
        yield None

    reference = ObjectReference(bucket=bucket, key=key, etag="e", size=1)
    try:
        assert [one async for one in below([open_bucket(place) for place in places], handler)(reference)] == [None]
    except ObjectElsewhere:
        assert not asked
        return False
    return asked == [reference]


@pytest.mark.parametrize(
    ("bucket", "key", "read"),
    [
        ("file:///srv/inbox", "a.dcm", True),
        ("file:///srv/inbox", "CT/a%20b.dcm", True),
        ("file:///", "srv/inbox/a.dcm", True),
        ("file:///srv", "inbox/CT/a.dcm", True),
        ("file:///srv/inbox", "../private/a.dcm", False),
        ("file:///srv/inbox", "%2e%2e/private/a.dcm", False),
        ("file:///srv/inbox", "CT/%2e%2e/%2E%2E/private/a.dcm", False),
        ("file:///srv/inbox/../private", "a.dcm", False),
        ("file:///", "root/private.dcm", False),
        ("file:///srv/inbox2", "a.dcm", False),
        ("file:///srv", "inbox", False),
        ("s3://scans", "srv/inbox/a.dcm", False),
        ("", "/srv/inbox/a.dcm", False),
    ],
)
async def test_a_folder_is_read_below_itself_only(bucket: str, key: str, read: bool) -> None:
    """As a path is written, dots in it plain or encoded, from whichever folder it starts."""
    assert await handed_on(["/srv/inbox"], bucket, key) is read


@pytest.mark.parametrize(
    ("bucket", "key", "read"),
    [
        ("s3://scans", "in/a.dcm", True),
        ("s3://scans", "in/CT/a.dcm", True),
        ("s3://scans", "inner/a.dcm", False),
        ("s3://scans", "a.dcm", False),
        ("s3://others", "in/a.dcm", False),
        ("gs://scans", "in/a.dcm", False),
        ("file:///s3://scans", "in/a.dcm", False),
    ],
)
async def test_a_store_is_read_below_its_prefix_only(bucket: str, key: str, read: bool) -> None:
    """Of this bucket, of this kind."""
    assert await handed_on(["s3://scans/in"], bucket, key) is read


async def test_more_places_may_be_named(tmp_path: Path) -> None:
    """Each counts by itself; the root of a machine is all of it; an inbox that is a link is known by both its names."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    for folder in ("real", "link"):
        assert await handed_on([str(tmp_path / "link")], (tmp_path / folder).as_uri(), "a.dcm")
    assert await handed_on(["/srv/inbox", "/data"], "file:///data", "a.dcm")
    assert await handed_on(["/srv/inbox", "/"], "file:///data", "a.dcm")
    assert not await handed_on(["/srv/inbox", "/"], "s3://data", "a.dcm")
