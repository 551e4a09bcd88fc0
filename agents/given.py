"""Which annotation objects of a place mean which image, for preprocess. Reads each by its header, once for each state.

UIDs are kept in memory, and go nowhere.
"""

import asyncio
import time

import structlog

from models.imaging.given.kinds import HEAD, looks_like
from models.imaging.given.marking import read_given
from schemas.failures import InvalidInput, Unavailable
from schemas.limits import Limits
from schemas.objects import ObjectReference
from streams.buckets import bucket_of, open_bucket
from streams.identity import Identity
from streams.isolation import Isolated

log = structlog.get_logger()

FRESH = 1.0
"""Seconds for which a listing of the place is believed."""


class GivenAnnotations:
    """The annotation objects of a place.

    Args:
        place: a folder, or the URL of a bucket.
        isolated: in which they are read.
        identity: names them in the log.
        limits: that each is held to.
    """

    def __init__(self, place: str, *, isolated: Isolated, identity: Identity, limits: Limits) -> None:
        self._bucket, self._isolated, self._identity, self._limits = open_bucket(place), isolated, identity, limits
        self._known: dict[ObjectReference, frozenset[str]] = {}
        self._by_name: dict[str, list[ObjectReference]] = {}
        self._listed = float("-inf")
        self._listing = asyncio.Lock()

    async def of(self, names: frozenset[str]) -> tuple[ObjectReference, ...]:
        """Those that mean one of these UIDs, in a stable order.

        Raises:
            Unavailable: the place does not answer.
        """
        async with self._listing:
            if names and time.monotonic() - self._listed > FRESH:
                await self._list()
        found = {reference for name in names for reference in self._by_name.get(name, ())}
        return tuple(sorted(found, key=lambda reference: (reference.key, reference.etag)))

    async def _list(self) -> None:
        try:
            present = await asyncio.to_thread(lambda: [one for page in self._bucket.list() for one in page])
        except Unavailable as error:
            raise Unavailable(f"what TRISTREAM_ANNOTATIONS names: {error}") from None
        for one in present:
            if one not in self._known:
                self._known[one] = await self._read(one)
        self._known = {one: self._known[one] for one in present}
        self._by_name = {}
        for reference, names in self._known.items():
            for name in names:
                self._by_name.setdefault(name, []).append(reference)
        self._listed = time.monotonic()

    async def _read(self, reference: ObjectReference) -> frozenset[str]:
        try:
            return await self._isolated.call(names_in, reference, self._limits)
        except InvalidInput as error:
            # No object of the stream, and so no dead letter: its images are annotated without it.
            log.warning(
                "annotations left out", object_id=self._identity.object_id(reference), error=type(error).__name__
            )
            return frozenset()


def names_in(reference: ObjectReference, limits: Limits) -> frozenset[str]:
    """UIDs that an annotation object means; none where the file is no such object. Runs isolated."""
    bucket = bucket_of(reference)
    if looks_like(bucket.get(reference, HEAD)) is None:
        return frozenset()
    given = read_given(bucket.get(reference), limits)
    return given.names if given is not None else frozenset()
