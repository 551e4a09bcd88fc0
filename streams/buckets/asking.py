"""Asking an object store by obstore: what is asked again and for how long, and what its refusals mean.

Knows nothing of what is asked for. obstore's own words hold keys, and go nowhere.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import obstore
import stamina
from obstore.exceptions import BaseError, GenericError, InvalidPathError, PermissionDeniedError, UnauthenticatedError
from obstore.store import from_url

from schemas.failures import Unavailable
from streams.buckets.aws import options
from streams.buckets.base import ObjectGone, ObjectUnreadable

if TYPE_CHECKING:
    from obstore import ObjectMeta

T = TypeVar("T")

PAGE = 1000
"""Keys of a page of a listing: the most that S3 gives at once."""
PATIENCE = 10.0
"""Seconds for which a question is asked again; after them the stage waits for the bucket, and says so."""
REFUSED = re.compile(r"non-2xx status code: (3\d\d|4(?!08|29)\d\d)")
"""In obstore's text of an answer that it has no class for: one that asking again does not change."""
MISCONFIGURED = re.compile(
    r"non-2xx status code: 3\d\d|<Code>(AuthorizationHeaderMalformed|ExpiredToken|InvalidToken|TokenRefreshRequired"
    r"|PermanentRedirect|IllegalLocationConstraintException|InvalidBucketName|NoSuchBucket|RequestTimeTooSkewed"
    r"|InvalidAuthenticationInfo|AuthenticationFailed|ContainerNotFound)</Code>"
)
"""Of a refused question about one object: what is the matter with the worker, and not with the object."""

CONTROL = re.compile(r"[\0-\x1f\x7f]")
ARCHIVED = re.compile(r"<Code>(InvalidObjectState|BlobArchived|BlobBeingRehydrated)</Code>")
"""Of an object whose storage class gives no bytes before it was restored: S3 calls that forbidden, Azure a conflict."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a listing tells of a key."""

    key: str
    etag: str
    size: int


def entry_of(meta: "ObjectMeta") -> Entry:
    """The same in our words."""
    return Entry(meta["path"], meta["e_tag"] or "", meta["size"])


def can_tell(key: str) -> bool:
    """Whether obstore can tell a key or a prefix: it takes a slash from each end, and then each segment for a name."""
    if key in ("", "/"):
        return True
    segments = key.removeprefix("/").removesuffix("/").split("/")
    return not any(segment in ("", ".", "..") or CONTROL.search(segment) for segment in segments)


class Hiccup(Exception):
    """The server is away, throttles (429, 503) or fails (5xx): asking again may help."""


@lru_cache(maxsize=8)
def store_of(bucket: str) -> Any:
    """A client of a bucket: s3://name, gs://name or az://container."""
    # obstore's own retries are left out: what is asked again, and for how long, stands in `asked` alone.
    return from_url(bucket, retry_config={"max_retries": 0}, **options(bucket))


def clear_stores() -> None:
    """Have the environment read again at the next question."""
    store_of.cache_clear()


def asked(question: Callable[[], T]) -> T:
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


def answered(question: Callable[[], T]) -> T:
    """The answer to a question about one object.

    Raises:
        ObjectGone, ObjectUnreadable: see there.
        Unavailable: the bucket does not answer, or nobody as the worker is.
    """
    try:
        return asked(question)
    except (BaseError, OSError, ValueError) as error:
        _failed(error)


def _failed(error: BaseError | OSError | ValueError) -> NoReturn:
    match error:
        case FileNotFoundError():
            raise ObjectGone("The object was deleted before it was read. Put it again to have it annotated.") from None
        case BaseError() if ARCHIVED.search(str(error)):
            raise ObjectUnreadable(
                "The object is archived (GLACIER, DEEP_ARCHIVE, or an archive tier), and gives no bytes as it is. "
                "Restore it, or copy it to another storage class, then replay it."
            ) from None
        case PermissionDeniedError() | UnauthenticatedError():
            raise ObjectUnreadable(
                "The bucket refuses to give the object. Let the worker's credentials read it, then replay it."
            ) from None
        case InvalidPathError():
            raise _unaskable() from None
        case GenericError() if MISCONFIGURED.search(str(error)):
            raise Unavailable(
                "the bucket refuses to be asked like this: look at its address, its region and the worker's credentials"
            ) from None
        case GenericError() if REFUSED.search(str(error)):
            raise ObjectUnreadable(
                "The bucket's server refuses to give this object, as it does where it was encrypted with a key that is "
                "the sender's own or was disabled. Copy it without that key, or enable the key, then replay it."
            ) from None
        case GenericError() | OSError():
            raise Unavailable("the bucket does not answer") from None
        case _:
            raise _unaskable() from None


def _unaskable() -> ObjectUnreadable:
    return ObjectUnreadable(
        "The object's key has an empty segment, one of dots alone or a control character, and cannot be asked for. "
        "Copy the object to another key."
    )


def listed(question: "Callable[[], Sequence[ObjectMeta]]") -> "Sequence[ObjectMeta]":
    """The answer to a question about many objects.

    Raises:
        InvalidPathError: a key in it cannot be told by obstore.
        Unavailable: the bucket does not answer, or may not be listed.
    """
    try:
        return asked(question)
    except InvalidPathError:
        raise
    except (BaseError, OSError) as error:
        # Of a listing, obstore has no classes for refusals.
        match REFUSED.search(str(error)):
            case None:
                why = "the bucket cannot be listed"
            case found if found[1] == "404":
                why = "there is no such bucket"
            case _:
                why = "the bucket refuses to be listed: look at its address, its region and the worker's credentials"
        raise Unavailable(why) from None


def told(store: Any, prefix: str | None, after: str | None = None) -> Iterator[Sequence[Entry]]:
    """What lies below a prefix, in pages, none of them empty. A listing that fails goes on after the last key.

    Raises:
        InvalidPathError: a key in it cannot be told by obstore.
        Unavailable: the bucket does not answer, or may not be listed.
    """
    stream: Iterator[Sequence[ObjectMeta]] | None = None

    def question() -> "Sequence[ObjectMeta]":
        nonlocal stream
        stream = stream or iter(obstore.list(store, prefix, offset=after, chunk_size=PAGE))
        try:
            return next(stream, [])
        except BaseException:
            stream = None
            raise

    while page := [entry_of(meta) for meta in listed(question)]:
        after = page[-1].key
        yield page
