"""Where images lie, of whatever kind: a folder, S3, Google Cloud Storage or Azure Blob Storage.

Nothing outside this room asks which kind a bucket is.
"""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from schemas.objects import ObjectReference
from streams.buckets.base import (
    Bucket,
    Content,
    ObjectChanged,
    ObjectElsewhere,
    ObjectGone,
    ObjectUnreadable,
    Watching,
)
from streams.buckets.folder import SCHEME, Folder
from streams.buckets.store import SCHEMES, Store

__all__ = [
    "Bucket", "Content", "ObjectChanged", "ObjectElsewhere", "ObjectGone", "ObjectUnreadable", "Watching",
    "bucket_of", "folder_of", "open_bucket",
]  # fmt: skip


def open_bucket(place: str) -> Bucket:
    """A bucket by its URL, s3://name/prefix, gs://name/prefix or az://container/prefix; or a folder by its path or URL.

    Raises:
        ValueError: it begins as one of these and is not of its form.
    """
    if place.partition("://")[0] in SCHEMES and "://" in place:
        return Store.parse(place)
    if place.startswith(SCHEME):
        return Folder(Path(unquote(urlsplit(place).path)))
    return Folder(Path(place).expanduser().absolute())


def bucket_of(reference: ObjectReference) -> Bucket:
    """The bucket that a reference speaks of, whole."""
    return open_bucket(reference.bucket)


def folder_of(place: str) -> Path | None:
    """Where a bucket lies on this machine; None of an object store."""
    bucket = open_bucket(place)
    return bucket.path if isinstance(bucket, Folder) else None
