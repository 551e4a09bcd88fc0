"""Which objects beside an object are the next slices of its series, for preprocess.

A folder, or prefix of a bucket, is listed when an object of it is not known, and now and then; of each file the header
is read, once for each state. Fingerprints of UIDs are kept in memory, and go nowhere.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import structlog

from models.imaging.errors import TruncatedFile
from models.imaging.limits import check_file
from models.imaging.neighbours import Beside, Stack
from models.imaging.series import HEAD, Slice, read_slice, stacks_in
from schemas.failures import InvalidInput
from schemas.images import MedicalImage
from schemas.limits import Limits
from schemas.objects import ObjectReference
from streams.buckets import bucket_of
from streams.isolation import Isolated

log = structlog.get_logger()

FRESH = 1.0
"""Seconds from one listing of a place to the next, at least."""
STALE = 60.0
"""Seconds after which a place is listed again though what is asked for is known: others may have been written anew."""
SHARE = 10
"""And so many times as long as a listing took: files that come one by one have a place listed again and again."""
MOST = 50_000
"""Files that are known at a time. A place that holds more is not looked through; of others those used last are kept."""
TOGETHER = 64
"""Headers that are read in one call."""
ASKED = 16
"""Files whose beginnings are read at a time."""
KEPT = 2**26
"""Bytes of pixels, in base64, of slices that were read last."""
MOST_KEPT = 256

Member = tuple[ObjectReference, Slice]


@dataclass(frozen=True, slots=True)
class Next:
    """A slice beside another, and in what file it lies."""

    reference: ObjectReference
    slice: Slice
    beside: Beside


@dataclass(slots=True)
class _Kind:
    """Slices that may be of one stack, each once, by their UIDs."""

    members: dict[bytes, Member] = field(default_factory=dict[bytes, Member])
    listed: list[Member] = field(default_factory=list[Member])
    places: dict[bytes, tuple[Stack, int]] | None = None
    """Of those that are of a stack, where in it."""

    def around(self, found: Slice, most: int) -> list[Next]:
        if self.places is None:
            self.listed = list(self.members.values())
            self.places = {
                self.listed[frame][1].uid: (stack, at)
                for stack in stacks_in([one for _, one in self.listed])
                for at, frame in enumerate(stack.frames)
            }
        if found.uid not in self.places:
            return []
        stack, at = self.places[found.uid]
        stack = stack if found.sided else stack.unsided()
        return [Next(*self.listed[one.frame], one) for one in stack.beside(at, most)]


@dataclass(slots=True)
class _Place:
    """What is known of a folder, or of a prefix."""

    known: dict[ObjectReference, Slice | None] = field(default_factory=dict[ObjectReference, Slice | None])
    keys: dict[str, Slice | None] = field(default_factory=dict[str, Slice | None])
    kinds: dict[bytes, _Kind] = field(default_factory=dict[bytes, _Kind])
    again: float = float("-inf")
    """When it may be listed again."""
    stale: float = float("-inf")
    """When it must be."""
    listing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def take(self, known: dict[ObjectReference, Slice | None]) -> None:
        self.known, self.keys, self.kinds = known, {one.key: found for one, found in known.items()}, {}
        for reference, found in known.items():
            if found is not None:
                self.kinds.setdefault(found.kind, _Kind()).members.setdefault(found.uid, (reference, found))

    def around(self, found: Slice, most: int) -> list[Next]:
        kind = self.kinds.get(found.kind)
        if kind is None or kind.members.get(found.uid, (None, None))[1] != found:
            return []
        return kind.around(found, most)


class Series:
    """The slices of series, one file each, among the objects of a bucket.

    Only where all files of a series are there before the first is read do messages not depend on when they are made.

    Args:
        isolated: in which headers are read.
        limits: that each file is held to.
    """

    def __init__(self, *, isolated: Isolated, limits: Limits) -> None:
        self._isolated, self._limits = isolated, limits
        self._places: OrderedDict[tuple[str, str], _Place] = OrderedDict()
        self._read: OrderedDict[ObjectReference, MedicalImage | InvalidInput] = OrderedDict()
        self._reading = asyncio.Lock()

    async def beside(self, reference: ObjectReference, found: Slice, most: int) -> list[Next]:
        """Up to `most` slices on each side of one, by ascending steps.

        Raises:
            Unavailable: the bucket does not answer, or may not be listed.
        """
        name = (reference.bucket, reference.key.rpartition("/")[0])
        place = self._places.setdefault(name, _Place())
        self._places.move_to_end(name)
        async with place.listing:
            if place.keys.get(reference.key) != found or time.monotonic() >= place.stale:
                await asyncio.sleep(max(0.0, place.again - time.monotonic()))
                await self._list(place, reference)
        return place.around(found, most)

    async def read(self, one: Next, read: Callable[[], Awaitable[MedicalImage]]) -> MedicalImage:
        """A slice, as `read` gives it where it is not one of those that were read last. Raises InvalidInput."""
        async with self._reading:  # Messages in work at the same time would read the same.
            found = self._read.pop(one.reference, None)
            if found is None:
                try:
                    found = await read()
                except InvalidInput as error:
                    found = error
            self._read[one.reference] = found
            while len(self._read) > MOST_KEPT or (len(self._read) > 1 and sum(map(_size, self._read.values())) > KEPT):
                self._read.popitem(last=False)
        if isinstance(found, InvalidInput):
            raise found
        return found

    async def _list(self, place: _Place, reference: ObjectReference) -> None:
        started = time.monotonic()
        present = await asyncio.to_thread(beside, reference)
        ended = time.monotonic()
        place.again, place.stale = (ended + max(least, SHARE * (ended - started)) for least in (FRESH, STALE))
        if len(present) > MOST:
            log.warning("series left out: too many files in one place", files=len(present), most=MOST)
            present = []
        new = [one for one in present if one not in place.known]
        found = dict(place.known)
        for at in range(0, len(new), TOGETHER):
            part = tuple(new[at : at + TOGETHER])
            found |= zip(part, await self._slices(part), strict=True)
        place.take({one: found[one] for one in present})
        while sum(len(each.known) for each in self._places.values()) > MOST and len(self._places) > 1:
            self._places.popitem(last=False)

    async def _slices(self, files: tuple[ObjectReference, ...]) -> list[Slice | None]:
        try:
            return await self._isolated.call(slices_of, files, self._limits)
        except InvalidInput:
            # Each is an object of the stream, and ends in a dead letter of its own.
            if len(files) == 1:
                return [None]
        return [found for one in files for found in await self._slices((one,))]


def _size(one: MedicalImage | InvalidInput) -> int:
    return len(one.pixels.data or "") if isinstance(one, MedicalImage) else 0


def beside(reference: ObjectReference) -> list[ObjectReference]:
    """The objects in its own folder, itself included. Blocks."""
    return [one for page in bucket_of(reference).list(beside=reference) for one in page]


def slices_of(files: tuple[ObjectReference, ...], limits: Limits) -> list[Slice | None]:
    """Of each file, which slice of a series it is; None where it is none, or cannot be read. Runs isolated."""

    def start(one: ObjectReference) -> bytes | None:
        try:
            check_file(one.size, limits)
            return bucket_of(one).get(one, HEAD)
        except InvalidInput:
            return None

    with ThreadPoolExecutor(ASKED) as threads:
        return [_slice(one, head, limits) for one, head in zip(files, threads.map(start, files), strict=True)]


def _slice(file: ObjectReference, head: bytes | None, limits: Limits) -> Slice | None:
    if head is None:
        return None
    try:
        try:
            return read_slice(head, limits)
        except TruncatedFile:
            return read_slice(bucket_of(file).get(file), limits) if file.size > len(head) else None
    except InvalidInput:
        return None
