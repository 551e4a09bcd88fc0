"""Batches that cannot be taken apart cost themselves: one must not end a stage.

aiokafka raises for a batch whose checksum is wrong, whose codec it does not know, or whose records are damaged, and
stays before it, so a stage ends at it, is started again, and ends at it again, for ever. aiokafka has no setting for
that: `pass_by_unreadable_batches` puts a class of ours in the place of the one that takes batches apart. In the place
of what cannot be read comes one message without a value that says why, for whoever takes it to bury. Knows nothing of
what messages hold.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import PartitionRecords

from schemas.failures import InvalidInput
from streams import metrics

log = logging.getLogger(__name__)

HEADER = "tristream-unreadable"
"""Of a message that stands for what could not be read: the class of the error."""
WRONG_CHECKSUM = "WrongChecksum"


class UnreadableBatch(InvalidInput):
    """Messages that cannot be taken out of the batch in which they lie on the broker."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"A batch of messages that begins here cannot be read ({reason}), and was passed by: the broker's disk has "
            "damaged it, or a foreign producer wrote it in a codec that Kafka does not have. Look at the broker's disk "
            "and at who writes to the topic; 'tristream annotate --kafka' sends files again whose messages were in it."
        )


def check_readable(headers: Mapping[str, bytes] | Iterable[tuple[str, bytes]] | None) -> None:
    """Raise UnreadableBatch where a message with these headers stands for what could not be read."""
    found = cast("dict[str, bytes]", dict(headers or {}))
    if (reason := found.get(HEADER)) is not None:
        raise UnreadableBatch(reason.decode("ascii", "replace"))


class ReadableRecords(PartitionRecords):
    """Records of a partition, with one message in the place of what could not be read of a batch."""

    def __init__(self, tp: Any, records: Any, aborted_transactions: Any, fetch_offset: int, *arguments: Any) -> None:
        super().__init__(tp, _Batches(tp, records, fetch_offset), aborted_transactions, fetch_offset, *arguments)


@dataclass(frozen=True, slots=True)
class _StandIn:
    """A record, as aiokafka has them."""

    offset: int
    headers: tuple[tuple[str, bytes], ...]
    timestamp: int = 0
    timestamp_type: int = 0
    key: None = None
    value: bytes = b""
    checksum: None = None


class _Batches:
    def __init__(self, tp: Any, batches: Any, fetch_offset: int) -> None:
        self._tp, self._batches, self._fetch_offset = tp, batches, fetch_offset
        self._following: Any = None

    def has_next(self) -> bool:
        return self._following is not None or self._batches.has_next()

    def next_batch(self) -> Any:
        batch = self._following or self._batches.next_batch()
        self._following = self._batches.next_batch() if self._batches.has_next() else None
        return _Batch(self._tp, batch, self._following, self._fetch_offset)


class _Batch:
    """A batch that ends where it cannot be read on. All else is asked of the batch itself."""

    def __init__(self, tp: Any, batch: Any, following: Any, fetch_offset: int) -> None:
        self._tp, self._batch, self._following, self._fetch_offset = tp, batch, following, fetch_offset
        # Batches of the formats before Kafka 0.11 do not tell where they begin.
        self._first: int = getattr(batch, "base_offset", fetch_offset)
        self._wrong = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def validate_crc(self) -> bool:
        self._wrong = not self._batch.validate_crc()
        return True

    @property
    def is_control_batch(self) -> bool:
        return not self._wrong and self._batch.is_control_batch

    @property
    def next_offset(self) -> int:
        """Where to read on.

        What a batch with a wrong checksum says of its own length may be what is wrong: the batch behind it tells. Where
        none was fetched with it, the next offset is tried, until one lies behind it: no good message is left out.
        """
        if not self._wrong:
            return self._batch.next_offset
        tried = max(self._first, self._fetch_offset) + 1
        return max(tried, getattr(self._following, "base_offset", tried))

    def __iter__(self) -> Iterator[Any]:
        offset = self._first
        if self._wrong:
            yield self._passed_by(offset, WRONG_CHECKSUM)
            return
        try:
            for record in self._batch:
                yield record
                offset = record.offset + 1
        except Exception as error:  # noqa: BLE001 - each codec has errors of its own, and none of them is worth a stage
            yield self._passed_by(offset, type(error).__name__)

    def _passed_by(self, offset: int, reason: str) -> _StandIn:
        if offset >= self._fetch_offset:
            log.warning("passed by a batch at %s/%s/%s: %s", self._tp.topic, self._tp.partition, offset, reason)
            metrics.UNREADABLE.labels(self._tp.topic).inc()
        return _StandIn(offset, ((HEADER, reason.encode()),))


def pass_by_unreadable_batches() -> None:
    """Have every consumer of this process do so."""
    fetcher.PartitionRecords = ReadableRecords
