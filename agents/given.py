"""Which annotation objects of a place mean which image, for preprocess. Each is read by its header, once a state.

UIDs are kept in memory, and go nowhere.
"""

from collections.abc import Mapping

import structlog

from models.imaging.given.kinds import HEAD, looks_like
from schemas.failures import InvalidInput, Unavailable
from schemas.limits import Limits
from schemas.objects import ObjectReference
from streams.buckets import bucket_of, open_bucket
from streams.buckets.catalogue import Whole
from streams.identity import Identity
from streams.isolation import Isolated

log = structlog.get_logger()

Marks = dict[str, list[ObjectReference]]
"""Annotation objects by the UIDs that they mean."""


class GivenAnnotations:
    """The annotation objects of a place.

    Args:
        place: a folder, or the URL of a bucket.
        isolated: in which they are read.
        identity: names them in the log.
        limits: that each is held to.
    """

    def __init__(self, place: str, *, isolated: Isolated, identity: Identity, limits: Limits) -> None:
        self._isolated, self._identity, self._limits = isolated, identity, limits
        self._place: Whole[frozenset[str], Marks] = Whole(open_bucket(place), self._read, _by_name)

    async def of(self, names: frozenset[str]) -> tuple[ObjectReference, ...]:
        """Those that mean one of these UIDs, in a stable order.

        Raises:
            Unavailable: the place does not answer.
        """
        if not names:
            return ()
        try:
            marks = await self._place.now()
        except Unavailable as error:
            raise Unavailable(f"what TRISTREAM_ANNOTATIONS names: {error}") from None
        found = {reference for name in names for reference in marks.get(name, ())}
        return tuple(sorted(found, key=lambda reference: (reference.key, reference.etag)))

    async def _read(self, files: tuple[ObjectReference, ...]) -> list[frozenset[str]]:
        return [await self._names(one) for one in files]

    async def _names(self, reference: ObjectReference) -> frozenset[str]:
        try:
            return await self._isolated.call(names_in, reference, self._limits)
        except InvalidInput as error:
            # No object of the stream, and so no dead letter: its images are annotated without it.
            log.warning(
                "annotations left out", object_id=self._identity.object_id(reference), error=type(error).__name__
            )
            return frozenset()


def _by_name(known: Mapping[ObjectReference, frozenset[str]]) -> Marks:
    found: Marks = {}
    for reference, names in known.items():
        for name in names:
            found.setdefault(name, []).append(reference)
    return found


def marks_in(place: str, limits: Limits) -> Marks:
    """The annotation objects that lie in a place now, by the UIDs that they mean; one that cannot be read means none.

    Args:
        place: a folder, or the URL of a bucket.
        limits: that each is held to.

    Raises:
        Unavailable: it does not answer, or is not there.
    """

    def names(reference: ObjectReference) -> frozenset[str]:
        try:
            return names_in(reference, limits)
        except InvalidInput:
            return frozenset()

    return _by_name({reference: names(reference) for page in open_bucket(place).list() for reference in page})


def names_in(reference: ObjectReference, limits: Limits) -> frozenset[str]:
    """UIDs that an annotation object means; none where the file is no such object. Runs isolated."""
    bucket = bucket_of(reference)
    if looks_like(bucket.get(reference, HEAD)) is None:
        return frozenset()
    from models.imaging.given.marking import read_given  # With all that reads DICOM: for the process where this runs.

    given = read_given(bucket.get(reference), limits)
    return given.names if given is not None else frozenset()
