"""An S3 bucket: what lies in it, one object of it, and what its server's notifications mean.

Knows nothing of what the objects hold.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NoReturn, TypeVar
from urllib.parse import unquote_plus, urlsplit

import obstore
import stamina
from obstore.exceptions import BaseError, GenericError, InvalidPathError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store, from_url

from schemas.events import BucketEvent
from schemas.failures import Unavailable
from schemas.objects import ObjectReference
from streams.aws import options
from streams.folder import (
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

if TYPE_CHECKING:
    from obstore import ObjectMeta

T = TypeVar("T")

SCHEME = "s3://"
CREATED = "ObjectCreated:"
BESIDE = " "
"""Between an object's etag and its sidecar's, in the state of both: no etag has a space (RFC 9110, 8.8.3)."""
PAGE = 1000
"""Keys a listing asks for at once: the most that S3 gives."""
PATIENCE = 10.0
"""Seconds for which a question is asked again; after them the stage waits for the bucket, and says so."""
REFUSED = re.compile(r"non-2xx status code: (3\d\d|4(?!08|29)\d\d)")
"""In obstore's text of an answer that it has no class for: one that asking again does not change."""


class Hiccup(Exception):
    """The server is away, throttles (429, 503) or fails (5xx): asking again may help."""


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
    # obstore's own retries are left out: what is asked again, and for how long, stands in `_asked` alone.
    return from_url(bucket, retry_config={"max_retries": 0}, **options(bucket))  # pyright: ignore[reportReturnType]


def clear_stores() -> None:
    """Have the environment read again at the next question."""
    _store.cache_clear()


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
        case GenericError() if REFUSED.search(str(error)):
            raise Unavailable(
                "the bucket refuses to be asked like this: look at AWS_REGION and AWS_ENDPOINT_URL"
            ) from None
        case GenericError() | OSError():
            raise Unavailable("the bucket does not answer") from None
        case _:
            raise ObjectUnreadable("The object cannot be asked for by its key. Copy it to another key.") from None


def _asked(question: Callable[[], T]) -> T:
    """The answer of the bucket, asked again through hiccups.

    Raises:
        BaseError, OSError, ValueError: obstore's, of a question that no retry mends, or that none has mended.
    """
    failed: GenericError | None = None
    try:
        for attempt in stamina.retry_context(
            on=Hiccup, attempts=None, timeout=PATIENCE, wait_initial=0.2, wait_jitter=0.2
        ):
            with attempt:
                try:
                    return question()
                except GenericError as error:
                    if REFUSED.search(str(error)):
                        raise
                    failed = error
                    # stamina logs what it retries for, and obstore's text holds the key.
                    raise Hiccup from None
    except Hiccup:
        assert failed is not None
        raise failed from None
    raise AssertionError


def _answered(question: Callable[[], T]) -> T:
    try:
        return _asked(question)
    except (BaseError, OSError, ValueError) as error:
        _failed(error)


def read_s3(reference: ObjectReference) -> Content:
    """What a reference means, with its companions as they are now. Blocks.

    The sidecar's state in the etag is there to announce a changed one; which one is read is not held against it, as a
    newer one is announced by itself and ends in the same triplet.

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
    if etag != reference.etag.partition(BESIDE)[0]:
        raise ObjectChanged(
            "The object was overwritten after it was announced. Its new content is announced by itself; nothing to do."
        )
    return Content(data, dict(_companions(reference)))


def read_now(reference: ObjectReference) -> Content:
    """An object as it is now, with its companions. Blocks.

    Raises:
        ObjectGone, ObjectUnreadable: see there.
        Unavailable: the bucket does not answer.
    """
    return Content(get(reference), dict(_companions(reference)))


def get(reference: ObjectReference, most: int = -1) -> bytes:
    """An object's bytes as they are now, without companions; only the first so many, or below 0 all. Blocks.

    Raises:
        ObjectGone, ObjectUnreadable: see there.
        Unavailable: the bucket does not answer.
    """
    if most >= 0 and reference.size == 0:
        return b""  # Of nothing there is no range.
    return _get(reference.bucket, reference.key, most)[0]


def _get(bucket: str, key: str, most: int = -1) -> tuple[bytes, str]:
    def get() -> tuple[bytes, str]:
        result = obstore.get(_store(bucket), key, options={"range": (0, most)} if most >= 0 else None)
        return bytes(result.bytes()), _bare(result.meta["e_tag"])

    return _answered(get)


def _companions(reference: ObjectReference) -> Iterator[tuple[str, bytes]]:
    """The object's sidecar, and the objects that it names below the same prefix, by what they are."""
    key = PurePosixPath(reference.key)
    if not may_have_companions(key):
        return
    try:
        sidecar, _ = _get(reference.bucket, reference.key + SIDECAR)
    except ObjectGone:
        return
    yield "sidecar", sidecar
    for role, name in named_in(sidecar).items():
        if not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts:
            with contextlib.suppress(ObjectGone):
                yield role, _get(reference.bucket, str(key.parent / name))[0]


def head(bucket: str, key: str) -> ObjectReference | None:
    """The reference to an object as it is now, its sidecar included, or None where there is none. Blocks.

    Raises:
        ObjectUnreadable: it may not be asked for.
        Unavailable: the bucket does not answer.
    """
    found = _meta(bucket, key)
    if found is None:
        return None
    beside = _meta(bucket, key + SIDECAR) if may_have_companions(PurePosixPath(key)) else None
    return _reference(bucket, found, beside)


def _meta(bucket: str, key: str) -> "ObjectMeta | None":
    try:
        return _answered(lambda: obstore.head(_store(bucket), key))
    except ObjectGone:
        return None


def _reference(bucket: str, found: "ObjectMeta", beside: "ObjectMeta | None") -> ObjectReference:
    etag = _bare(found["e_tag"])
    if beside is not None:
        etag += BESIDE + _bare(beside["e_tag"])
    return ObjectReference(bucket=bucket, key=found["path"], etag=etag, size=found["size"])


async def listing(location: Location) -> AsyncIterator[ObjectReference]:
    """References to all objects of a location, in pages, as they are now.

    Raises:
        Unavailable: the bucket does not answer, or may not be listed.
    """
    waiting: dict[str, ObjectMeta] = {}
    """By the key of the sidecar that may still come: servers list keys in the order of their bytes."""
    last: str | None = None
    while page := await asyncio.to_thread(_page, location, last):
        last = page[-1]["path"]
        for meta in page:
            key = meta["path"]
            for passed in [sidecar for sidecar in waiting if sidecar.encode() < key.encode()]:
                yield _reference(location.bucket, waiting.pop(passed), None)
            if key in waiting:
                yield _reference(location.bucket, waiting.pop(key), meta)
            elif location.holds(key) and may_have_companions(PurePosixPath(key)):
                waiting[key + SIDECAR] = meta
            elif location.holds(key):
                yield _reference(location.bucket, meta, None)
    for meta in waiting.values():
        yield _reference(location.bucket, meta, None)


def _page(location: Location, after: str | None) -> "Sequence[ObjectMeta]":
    """Up to 1,000 objects whose keys come after one. A page that fails is asked for again, not those before it."""
    store, prefix = _store(location.bucket), location.prefix or None
    return _listed(lambda: next(obstore.list(store, prefix, offset=after, chunk_size=PAGE), []))


def _listed(question: "Callable[[], Sequence[ObjectMeta]]") -> "Sequence[ObjectMeta]":
    try:
        return _asked(question)
    except (BaseError, OSError) as error:
        # Of a listing, obstore has no classes for refusals.
        match REFUSED.search(str(error)):
            case None:
                reason = "the bucket cannot be listed"
            case found if found[1] == "404":
                reason = "there is no such bucket"
            case _:
                reason = (
                    "the bucket refuses to be listed: look at the worker's credentials, AWS_REGION, AWS_ENDPOINT_URL"
                )
        raise Unavailable(reason) from None


def beside(reference: ObjectReference) -> list[ObjectReference]:
    """The objects under a reference's own prefix, itself included, none below it; in a stable order. Blocks.

    Raises:
        Unavailable: the bucket does not answer, or may not be listed.
    """
    location = Location(reference.bucket, reference.key.rpartition("/")[0])
    store, prefix = _store(location.bucket), location.prefix or None
    found = {meta["path"]: meta for meta in _listed(lambda: obstore.list_with_delimiter(store, prefix)["objects"])}
    return [
        _reference(location.bucket, meta, found.get(key + SIDECAR) if may_have_companions(PurePosixPath(key)) else None)
        for key, meta in sorted(found.items())
        if location.holds(key)
    ]


def created(event: BucketEvent, location: Location) -> Iterator[tuple[tuple[str, ...], str | None, int | None]]:
    """Objects that a notification says were made: the keys it can mean, the likelier first, and etag and size.

    A sidecar stands for what it describes, of which the notification tells no etag and size. AWS and MinIO write keys
    URL-encoded, with + for a space; others write them as they are. Only where the two readings differ are there two
    keys.
    """
    for record in event.records:
        if not record.name.removeprefix("s3:").startswith(
            CREATED
        ) or record.s3.bucket.name != location.bucket.removeprefix(SCHEME):
            continue
        written = record.s3.object.key
        plain = unquote_plus(written)
        keys = tuple(dict.fromkeys(map(_described, (plain, written))))
        if any(location.holds(key) for key in keys):
            etag, size = record.s3.object.etag, record.s3.object.size
            if keys[0] != plain:
                etag = size = None
            yield keys, None if etag is None else _bare(etag), size


def resolve(location: Location, keys: tuple[str, ...], etag: str | None, size: int | None) -> ObjectReference | None:
    """The object that a notification means; None where it is gone or lies elsewhere. Asks the bucket only in doubt.

    Raises:
        ObjectUnreadable, Unavailable: as `head`.
    """
    alone = len(keys) == 1 and not may_have_companions(PurePosixPath(keys[0]))
    if alone and etag is not None and size is not None:
        return ObjectReference(bucket=location.bucket, key=keys[0], etag=etag, size=size)
    found = [one for key in keys if location.holds(key) and (one := head(location.bucket, key)) is not None]
    # Two objects, one for each reading: the etag tells which is meant.
    return next((one for one in found if one.etag.partition(BESIDE)[0] == etag), found[0] if found else None)


def _described(key: str) -> str:
    """The key of what a sidecar describes; of anything else, its own."""
    return key.removesuffix(SIDECAR) if is_sidecar(PurePosixPath(key)) else key


def _bare(etag: str | None) -> str:
    """An etag without the quotes and weakness mark of HTTP: listings, answers and notifications differ in them."""
    return (etag or "").removeprefix("W/").strip('"')
