"""What was read of each file of a bucket, once for each state of it. Knows nothing of what that is."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

import structlog

from schemas.objects import ObjectReference
from streams.buckets import Bucket, bucket_of

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741 - of an index

Read = Callable[[tuple[ObjectReference, ...]], Awaitable[Sequence[T]]]
"""What is to be known of some files, in their order."""
Index = Callable[[Mapping[ObjectReference, T]], I]
"""What is asked of all that is known."""

log = structlog.get_logger()

FRESH = 1.0
"""Seconds from one listing to the next, at least."""
STALE = 60.0
"""Seconds after which a folder is listed again though what is asked for is known: others may have been written anew."""
SHARE = 10
"""And so many times as long as a listing took: files that come one by one have a folder listed again and again."""
MOST = 50_000
"""Files known at a time. A folder that holds more is not looked through; of others those used last are kept."""
TOGETHER = 64
"""Files that are read in one call."""


class Catalogue(Generic[T, I]):
    """What was read of each file of a listing.

    Args:
        read: reads files; see `Read`.
        index: of what is known of all, made anew after each listing.
        together: files that are read in one call.
    """

    def __init__(self, read: Read[T], index: Index[T, I], *, together: int | None = None) -> None:
        self._read, self._index, self._together = read, index, together or TOGETHER
        self._known: dict[ObjectReference, T] = {}
        self._keys: dict[str, T] = {}
        self.index = index({})
        self.listing = asyncio.Lock()
        self.again = float("-inf")
        """When the next listing may be."""
        self.stale = float("-inf")
        """When it must be."""

    def __len__(self) -> int:
        return len(self._known)

    def of(self, key: str) -> T | None:
        """What is known of a file, whatever its state."""
        return self._keys.get(key)

    async def refresh(self, list_now: Callable[[], Sequence[ObjectReference]]) -> None:
        """List, and read what is new or changed.

        Raises:
            Unavailable: the bucket does not answer.
        """
        started = time.monotonic()
        present = await asyncio.to_thread(list_now)
        ended = time.monotonic()
        self.again, self.stale = (ended + max(least, SHARE * (ended - started)) for least in (FRESH, STALE))
        new = [one for one in present if one not in self._known]
        found = dict(self._known)
        for at in range(0, len(new), self._together):
            part = tuple(new[at : at + self._together])
            found |= zip(part, await self._read(part), strict=True)
        self._known = {one: found[one] for one in present}
        self._keys = {one.key: what for one, what in self._known.items()}
        self.index = self._index(self._known)


class Folders(Generic[T, I]):
    """Catalogues of the folders, or prefixes, in which objects lie.

    One is listed when what is asked for is not known as it is, and now and then.

    Args:
        read, index: as of a Catalogue.
    """

    def __init__(self, read: Read[T], index: Index[T, I]) -> None:
        self._read, self._index = read, index
        self._folders: OrderedDict[tuple[str, str], Catalogue[T, I]] = OrderedDict()

    async def beside(self, reference: ObjectReference, known_as: T) -> I:
        """The index of an object's own folder.

        Args:
            reference: to the object.
            known_as: what is to be known of it: where that differs, the folder is listed.

        Raises:
            Unavailable: the bucket does not answer, or may not be listed.
        """
        name = (reference.bucket, reference.key.rpartition("/")[0])
        folder = self._folders.setdefault(name, Catalogue(self._read, self._index))
        self._folders.move_to_end(name)
        async with folder.listing:
            if folder.of(reference.key) != known_as or time.monotonic() >= folder.stale:
                await asyncio.sleep(max(0.0, folder.again - time.monotonic()))
                await folder.refresh(lambda: files_beside(reference))
                while sum(map(len, self._folders.values())) > MOST and len(self._folders) > 1:
                    self._folders.popitem(last=False)
        return folder.index


class Whole(Generic[T, I]):
    """The catalogue of all of a bucket, listed each time that it is asked, but for a second.

    Args:
        bucket: catalogued.
        read, index: as of a Catalogue.
    """

    def __init__(self, bucket: Bucket, read: Read[T], index: Index[T, I]) -> None:
        self._bucket, self._catalogue = bucket, Catalogue(read, index, together=1)
        self._listed = float("-inf")

    async def now(self) -> I:
        """The index.

        Raises:
            Unavailable: the bucket does not answer, or may not be listed.
        """
        async with self._catalogue.listing:
            if time.monotonic() - self._listed > FRESH:
                await self._catalogue.refresh(lambda: [one for page in self._bucket.list() for one in page])
                self._listed = time.monotonic()
        return self._catalogue.index


def files_beside(reference: ObjectReference) -> list[ObjectReference]:
    """The objects in an object's own folder, itself included; none where they are too many. Blocks.

    Raises:
        Unavailable: the bucket does not answer, or may not be listed.
    """
    found = [one for page in bucket_of(reference).list(beside=reference) for one in page]
    if len(found) > MOST:
        log.warning("folder left out: too many files in one place", files=len(found), most=MOST)
        return []
    return found
