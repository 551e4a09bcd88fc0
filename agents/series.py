"""Which objects beside an object are the next slices of its series, for preprocess.

Of each file beside it the header is read, once for each state. Fingerprints of UIDs are kept in memory, and go nowhere.
"""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from models.imaging.errors import TruncatedFile
from models.imaging.limits import check_file
from models.imaging.neighbours import Stack
from models.imaging.series import HEAD, Next, Slice, Slices, read_slice
from schemas.failures import InvalidInput
from schemas.images import MedicalImage
from schemas.limits import Limits
from schemas.objects import ObjectReference
from streams.buckets import bucket_of
from streams.buckets.catalogue import Folders
from streams.isolation import Isolated
from streams.last_read import LastRead

ASKED = 16
"""Files whose beginnings are read at a time."""
KEPT = 2**26
"""Bytes of pixels, in base64, of slices that were read last."""
MOST_KEPT = 256


class Series:
    """The slices of series, one file each, among the objects of a bucket.

    Only where all files of a series are there before the first is read do messages not depend on when they are made.

    Args:
        isolated: in which headers are read.
        limits: that each file is held to.
    """

    def __init__(self, *, isolated: Isolated, limits: Limits) -> None:
        self._isolated, self._limits = isolated, limits
        self._folders: Folders[Slice | None, Slices[ObjectReference]] = Folders(self._slices, Slices)
        self._read: LastRead[ObjectReference, MedicalImage] = LastRead(MOST_KEPT, _size, KEPT)

    async def beside(self, reference: ObjectReference, found: Slice, most: int) -> list[Next[ObjectReference]]:
        """Up to `most` slices on each side of one, by ascending steps.

        Raises:
            Unavailable: the bucket does not answer, or may not be listed.
        """
        return (await self.whole(reference, found, most))[0]

    async def whole(
        self, reference: ObjectReference, found: Slice, most: int
    ) -> tuple[list[Next[ObjectReference]], Stack | None]:
        """The same, and the stack that they are of."""
        return (await self._folders.beside(reference, found)).in_stack(found, most)

    async def read(self, one: Next[ObjectReference], read: Callable[[], Awaitable[MedicalImage]]) -> MedicalImage:
        """A slice, as `read` gives it where it is not one of those that were read last. Raises InvalidInput."""
        return await self._read.get(one.key, read)

    async def _slices(self, files: tuple[ObjectReference, ...]) -> list[Slice | None]:
        try:
            return await self._isolated.call(slices_of, files, self._limits)
        except InvalidInput:
            # Each is an object of the stream, and ends in a dead letter of its own.
            if len(files) == 1:
                return [None]
        return [found for one in files for found in await self._slices((one,))]


def _size(one: MedicalImage) -> int:
    return len(one.pixels.data or "")


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
