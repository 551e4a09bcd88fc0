"""Batches that cannot be taken apart, between others that can."""

from collections.abc import Sequence

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record._crc32c import crc as crc32c
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from streams import metrics
from streams.batches import pass_by_unreadable_batches

NO_CODEC, ATTRIBUTES, CRC = 5, 21, 17
"""A codec that Kafka has not; places of the batch's last attributes byte and of its checksum (message format 2)."""


def batch(first: int, values: Sequence[bytes], codec: int = 0) -> bytearray:
    """A batch as it lies on the wire."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=codec, is_transactional=False, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=1 << 20,
    )  # fmt: skip
    for number, value in enumerate(values):
        builder.append(number, timestamp=1, key=None, value=value, headers=[])
    built = bytearray(builder.build())
    built[:8] = first.to_bytes(8, "big")
    return built


def sealed(damaged: bytearray) -> bytearray:
    """With the checksum of what it now holds."""
    damaged[CRC : CRC + 4] = crc32c(bytes(damaged[ATTRIBUTES:])).to_bytes(4, "big")
    return damaged


def unknown_codec() -> bytearray:
    found = batch(2, [b"lost"] * 2)
    found[ATTRIBUTES + 1] = NO_CODEC
    return sealed(found)


def broken(codec: int) -> bytearray:
    found = batch(2, [b"lost" * 100] * 2, codec)
    found[70:] = bytes(len(found) - 70)
    return sealed(found)


@pytest.mark.parametrize(
    "bad",
    [
        unknown_codec(),
        broken(DefaultRecordBatch.CODEC_GZIP),
        broken(DefaultRecordBatch.CODEC_SNAPPY),
        broken(DefaultRecordBatch.CODEC_LZ4),
        broken(DefaultRecordBatch.CODEC_ZSTD),
    ],
    ids=["unknown", "gzip", "snappy", "lz4", "zstd"],
)
def test_a_batch_that_cannot_be_taken_apart_is_passed_by(bad: bytearray, monkeypatch: pytest.MonkeyPatch) -> None:
    """The records before and after it come, the position goes past it, and it is counted."""
    monkeypatch.setattr(fetcher, "PartitionRecords", fetcher.PartitionRecords)
    pass_by_unreadable_batches()
    records = MemoryRecords(bytes(batch(0, [b"a", b"b"]) + bad + batch(4, [b"c"])))
    counter = metrics.UNREADABLE.labels("batches")
    before = counter._value.get()
    found = fetcher.PartitionRecords(TopicPartition("batches", 0), records, None, 0, None, None, True, 0)
    assert [(record.offset, record.value) for record in found] == [(0, b"a"), (1, b"b"), (4, b"c")]
    assert found.next_fetch_offset == 5
    assert counter._value.get() - before == 1
