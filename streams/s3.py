"""An S3 bucket: what lies in it, one object of it, and what its server's notifications mean.

Credentials and endpoint come by the usual AWS variables and metadata services, as obstore reads them. Knows nothing of
what the objects hold.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import PurePosixPath
from typing import NoReturn, TypeVar
from urllib.parse import unquote_plus, urlsplit

import obstore
from obstore.exceptions import BaseError, GenericError, InvalidPathError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store, from_url

from schemas.events import BucketEvent
from schemas.failures import Unavailable
from schemas.objects import ObjectReference
from streams.folder import (
    NAMED_IN,
    SIDECAR,
    UNFINISHED,
    Content,
    ObjectChanged,
    ObjectGone,
    ObjectUnreadable,
    is_sidecar,
    may_have_companions,
    named_in,
)

T = TypeVar("T")

SCHEME = "s3://"
CREATED = "ObjectCreated:"


@dataclass(frozen=True, slots=True)
class Location:
    """A bucket, or what lies below a prefix in it.

    Args:
        bucket: s3://name.
        prefix: without a slash at its ends; empty: all of the bucket.
    """

    bucket: str
    prefix: str = ""

    @classmethod
    def parse(cls, url: str) -> "Location":
        """From s3://name or s3://name/prefix.

        Raises:
            ValueError: it is neither.
        """
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
            raise ValueError(f"{url!r} is not of the form s3://bucket or s3://bucket/prefix")
        return cls(f"{SCHEME}{parts.netloc}", parts.path.strip("/"))

    def holds(self, key: str) -> bool:
        """Whether a key lies below the prefix, and is not hidden, no upload's temporary name and no sidecar."""
        below = key.removeprefix(f"{self.prefix}/") if self.prefix else key
        if self.prefix and below == key:
            return False
        hidden = any(part.startswith(".") for part in below.split("/"))
        return not hidden and not key.endswith((*UNFINISHED, "/")) and not is_sidecar(PurePosixPath(key))


def is_bucket(inbox: str) -> bool:
    """Whether an inbox is a bucket; a folder otherwise."""
    return inbox.startswith(SCHEME)


@lru_cache(maxsize=8)
def _store(bucket: str) -> S3Store:
    # Retries here are for a hiccup; who waits for a server to come back is the stage, which says so meanwhile.
    return from_url(bucket, retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=20)})  # pyright: ignore[reportReturnType]


def _failed(error: BaseError | OSError | ValueError) -> NoReturn:
    match error:
        case FileNotFoundError():
            raise ObjectGone("The object was deleted before it was read. Put it again to have it annotated.") from None
        case PermissionDeniedError() | UnauthenticatedError():
            raise ObjectUnreadable(
                "The bucket refuses to give the object. Let the worker's credentials read it, then replay it."
            ) from None
        case InvalidPathError():
            raise ObjectUnreadable(
                "The object's key has an empty segment, or one of dots alone, and cannot be asked for. Copy the object "
                "to another key."
            ) from None
        case GenericError() | OSError():
            raise Unavailable("the bucket does not answer") from None
        case _:
            raise ObjectUnreadable("The object cannot be asked for by its key. Copy it to another key.") from None


def _asked(question: Callable[[], T]) -> T:
    try:
        return question()
    except (BaseError, OSError, ValueError) as error:
        _failed(error)


def read_s3(reference: ObjectReference) -> Content:
    """What a reference means, with its companions as they are now: their states are not in the etag. Blocks.

    Raises:
        ObjectGone, ObjectUnreadable, ObjectChanged: see there.
        Unavailable: the bucket does not answer.
    """
    data, etag = _get(reference.bucket, reference.key)
    if not etag:
        raise ObjectUnreadable(
            "The bucket's server gives no etags, so the states of an object cannot be told apart. Let it keep them, "
            "then replay the object."
        )
    if etag != reference.etag:
        raise ObjectChanged(
            "The object was overwritten after it was announced. Its new content is announced by itself; nothing to do."
        )
    return Content(data, dict(_companions(reference)))


def _get(bucket: str, key: str) -> tuple[bytes, str]:
    def get() -> tuple[bytes, str]:
        result = obstore.get(_store(bucket), key)
        return bytes(result.bytes()), _bare(result.meta["e_tag"])

    return _asked(get)


def _companions(reference: ObjectReference) -> Iterator[tuple[str, bytes]]:
    """The object's sidecar, and the object that it names below the same prefix, by what they are."""
    key = PurePosixPath(reference.key)
    if not may_have_companions(key):
        return
    try:
        sidecar, _ = _get(reference.bucket, reference.key + SIDECAR)
        yield "sidecar", sidecar
        name = named_in(sidecar)
        if name is not None and not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts:
            yield NAMED_IN, _get(reference.bucket, str(key.parent / name))[0]
    except ObjectGone:
        return


def head(bucket: str, key: str) -> ObjectReference | None:
    """The reference to an object as it is now, or None where there is none. Blocks.

    Raises:
        ObjectUnreadable: it may not be asked for.
        Unavailable: the bucket does not answer.
    """
    try:
        meta = _asked(lambda: obstore.head(_store(bucket), key))
    except ObjectGone:
        return None
    return ObjectReference(bucket=bucket, key=key, etag=_bare(meta["e_tag"]), size=meta["size"])


async def listing(location: Location) -> AsyncIterator[ObjectReference]:
    """References to all objects of a location, in pages, as they are now.

    Raises:
        Unavailable: the bucket does not answer, or may not be listed.
    """
    pages = obstore.list(_store(location.bucket), location.prefix or None, chunk_size=1000)
    while True:
        try:
            page = await asyncio.to_thread(next, pages, None)
        except (BaseError, OSError) as error:
            raise Unavailable("the bucket cannot be listed") from error
        if page is None:
            return
        for meta in page:
            if location.holds(meta["path"]):
                yield ObjectReference(
                    bucket=location.bucket, key=meta["path"], etag=_bare(meta["e_tag"]), size=meta["size"]
                )


def created(event: BucketEvent, location: Location) -> Iterator[tuple[tuple[str, ...], str | None, int | None]]:
    """Objects that a notification says were made: the keys it can mean, the likelier first, and etag and size.

    AWS and MinIO write keys URL-encoded, with + for a space; others write them as they are. Only where the two readings
    differ are there two keys.
    """
    for record in event.records:
        if not record.name.removeprefix("s3:").startswith(
            CREATED
        ) or record.s3.bucket.name != location.bucket.removeprefix(SCHEME):
            continue
        written = record.s3.object.key
        keys = tuple(dict.fromkeys((unquote_plus(written), written)))
        if any(location.holds(key) for key in keys):
            etag, size = record.s3.object.etag, record.s3.object.size
            yield keys, None if etag is None else _bare(etag), size


def resolve(location: Location, keys: tuple[str, ...], etag: str | None, size: int | None) -> ObjectReference | None:
    """The object that a notification means; None where it is gone or lies elsewhere. Asks the bucket only in doubt.

    Raises:
        ObjectUnreadable, Unavailable: as `head`.
    """
    if len(keys) == 1 and etag is not None and size is not None:
        return ObjectReference(bucket=location.bucket, key=keys[0], etag=etag, size=size)
    found = [one for key in keys if location.holds(key) and (one := head(location.bucket, key)) is not None]
    # Two objects, one for each reading: the etag tells which is meant.
    return next((one for one in found if one.etag == etag), found[0] if found else None)


def _bare(etag: str | None) -> str:
    """An etag without the quotes and weakness mark of HTTP: listings, answers and notifications differ in them."""
    return (etag or "").removeprefix("W/").strip('"')
