"""Batches that cannot be taken apart are passed by: one in a codec that nobody here knows must not end a stage.

aiokafka raises for such a batch and stays before it, so a stage ends at it, is started again, and ends at it again, for
ever. aiokafka has no setting for that: `pass_by_unreadable_batches` puts a class of ours in the place of the one that
takes batches apart. Knows nothing of messages.
"""

import logging
from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import PartitionRecords

from streams import metrics

log = logging.getLogger(__name__)


class ReadableRecords(PartitionRecords):
    """Records of a partition, without those of batches that cannot be taken apart."""

    def __init__(self, tp: Any, records: Any, *arguments: Any, **named: Any) -> None:
        super().__init__(tp, _Batches(tp, records), *arguments, **named)


class _Batches:
    def __init__(self, tp: Any, batches: Any) -> None:
        self._tp, self._batches = tp, batches

    def has_next(self) -> bool:
        return self._batches.has_next()

    def next_batch(self) -> Any:
        return _Batch(self._tp, self._batches.next_batch())


class _Batch:
    """A batch that ends where it cannot be read on. All else is asked of the batch itself."""

    def __init__(self, tp: Any, batch: Any) -> None:
        self._tp, self._batch = tp, batch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._batch
        except Exception as error:  # noqa: BLE001 - each codec has errors of its own, and none of them is worth a stage
            place = f"{self._tp.topic}/{self._tp.partition}/{self._batch.base_offset}"
            log.warning("passed by the batch %s: %s", place, type(error).__name__)
            metrics.UNREADABLE.labels(self._tp.topic).inc()


def pass_by_unreadable_batches() -> None:
    """Have every consumer of this process do so."""
    fetcher.PartitionRecords = ReadableRecords
