"""What every kind of bucket answers to, and how an object can fail to be read. Knows no kind."""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from schemas.failures import InvalidInput
from schemas.limits import DEFAULT_LIMITS
from schemas.objects import ObjectReference
from streams.buckets.known import Known
from streams.buckets.selection import EVERYTHING, Selection, Tally

Tell = Callable[[str], None]
"""Is told in words what does not work as it should; empty: all does."""


class ObjectGone(InvalidInput):
    """An object was deleted before it was read."""

    of_the_input = True


class ObjectUnreadable(InvalidInput):
    """An object exists but may not be read."""


class ObjectChanged(InvalidInput):
    """An object, or what describes it, was overwritten between being named and being read."""

    of_the_input = True

    def __init__(self) -> None:
        super().__init__(
            "The object, or a file beside it that describes it, was overwritten before it was read. A pipeline that "
            "watches its place takes the new content by itself; otherwise annotate it again."
        )


class ObjectElsewhere(InvalidInput):
    """A reference leads out of the places that a worker may read."""

    def __init__(self) -> None:
        super().__init__(
            "The object lies outside the inbox of this pipeline, which reads nothing else. Put it there; or let the "
            "workers of preprocess have TRISTREAM_READABLE name the folder or bucket where it lies, then replay it."
        )


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of an object, and of its companions by what they are: `sidecar`, `mask`, `annotations/0`, …"""

    data: bytes = field(repr=False)
    companions: Mapping[str, bytes] = field(default_factory=dict[str, bytes], repr=False)


@dataclass(slots=True)
class Watching:
    """How a bucket is watched, and what was seen of it.

    Args:
        listing: seconds between listings, which find what no notification told of.
        most_bytes: of an object whose bytes are looked at before it is announced; a larger one is announced unread.
        selection: which objects are given out.
        known: states that were announced before, and those that are given out from now on.
        degraded: is told why changes are seen only by listing; empty: they are seen at once again.
        waiting: is told why nothing can be seen at all; empty: it can again.
        ignored: is told how many objects a listing has passed by because they hold nothing, as markers of folders do.
        passed_by: is told how many files the last listing of all has passed by, for each reason.
    """

    listing: float = 60.0
    most_bytes: int = DEFAULT_LIMITS.file_bytes
    selection: Selection = EVERYTHING
    known: Known = field(default_factory=Known)
    degraded: Tell = lambda _: None
    waiting: Tell = lambda _: None
    ignored: Callable[[int], None] = lambda _: None
    passed_by: Tally = lambda _: None


class Bucket(Protocol):
    """Where objects lie: a folder, or what lies below a prefix of an object store. All its methods but `watch` block.

    The companions of an object (streams.buckets.companions) are no objects by themselves.
    """

    @property
    def url(self) -> str:
        """What `streams.buckets.open_bucket` opens it by."""
        ...

    @property
    def notifies(self) -> bool:
        """Whether its server can tell of changes on the topic `bucket-events`."""
        ...

    def holds(self, reference: ObjectReference) -> bool:
        """Whether a reference means something that lies in it."""
        ...

    def list(self, beside: ObjectReference | None = None) -> Iterator[Sequence[ObjectReference]]:
        """Its objects as they are now, in pages and a stable order.

        Args:
            beside: only those in this object's own folder, itself included, and none below it.

        Raises:
            Unavailable: it does not answer, may not be listed, or is not there.
        """
        ...

    def read(self, reference: ObjectReference) -> Content:
        """What a reference means, with its companions.

        Raises:
            ObjectGone, ObjectUnreadable, ObjectChanged: see there.
            Unavailable: the bucket does not answer.
        """
        ...

    def read_now(self, reference: ObjectReference) -> Content:
        """The same as it is now, whatever its state.

        Raises:
            ObjectGone, ObjectUnreadable: see there.
            Unavailable: the bucket does not answer.
        """
        ...

    def get(self, reference: ObjectReference, most: int = -1) -> bytes:
        """Its bytes as they are now, without companions; only the first so many, or below 0 all.

        Raises:
            ObjectGone, ObjectUnreadable: see there.
            Unavailable: the bucket does not answer.
        """
        ...

    def watch(self, watching: Watching, ledger: Iterable[ObjectReference] = ()) -> AsyncGenerator[ObjectReference]:
        """Every state of every object, once, until closed: those that are there, and those that come.

        Args:
            watching: how.
            ledger: references that earlier runs announced.
        """
        ...
