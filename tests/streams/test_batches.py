"""Batches that cannot be taken apart, between others that can."""

from collections.abc import Sequence

import pytest
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.record._crc32c import crc as crc32c
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition
from prometheus_client import REGISTRY

from streams.batches import HEADER, UnreadableBatch, check_readable, pass_by_unreadable_batches

NO_CODEC, ATTRIBUTES, CRC, LAST_OFFSET_DELTA = 5, 21, 17, 23
"""A codec that Kafka does not have; places of the batch's attributes, checksum and last offset (message format 2)."""


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


def wrong_checksum(*, claims: int | None = None) -> bytearray:
    """With a flipped bit; where told, one that claims to hold so many messages more than its first."""
    found = batch(2, [b"lost"] * 2)
    found[-3] ^= 1
    if claims is not None:
        found[LAST_OFFSET_DELTA : LAST_OFFSET_DELTA + 4] = claims.to_bytes(4, "big", signed=True)
    return found


def passed_by() -> float:
    """Batches so far."""
    return REGISTRY.get_sample_value("tristream_unreadable_messages_total", {"topic": "batches"}) or 0


def records_of(data: bytearray, first: int = 0) -> PartitionRecords:
    """As a consumer has them that asked from this offset."""
    return fetcher.PartitionRecords(
        TopicPartition("batches", 0), MemoryRecords(bytes(data)), None, first, None, None, True, 0
    )


@pytest.fixture(autouse=True)
def passing_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetcher, "PartitionRecords", fetcher.PartitionRecords)
    pass_by_unreadable_batches()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (unknown_codec(), "UnsupportedCodecError"),
        (broken(DefaultRecordBatch.CODEC_GZIP), ""),
        (broken(DefaultRecordBatch.CODEC_SNAPPY), ""),
        (broken(DefaultRecordBatch.CODEC_LZ4), ""),
        (broken(DefaultRecordBatch.CODEC_ZSTD), ""),
        (wrong_checksum(), "WrongChecksum"),
        (wrong_checksum(claims=1_000_000), "WrongChecksum"),
        (wrong_checksum(claims=-7), "WrongChecksum"),
    ],
    ids=["unknown", "gzip", "snappy", "lz4", "zstd", "checksum", "too far", "backwards"],
)
def test_a_batch_that_cannot_be_read_costs_itself(bad: bytearray, reason: str) -> None:
    """The records before and after it come, and in its place one that says why; the position goes past it."""
    before = passed_by()
    records = records_of(batch(0, [b"a", b"b"]) + bad + batch(4, [b"c"]))
    found = list(records)
    assert [(record.offset, record.value) for record in found] == [(0, b"a"), (1, b"b"), (2, b""), (4, b"c")]
    assert dict(found[2].headers)[HEADER].decode().startswith(reason)
    with pytest.raises(UnreadableBatch, match=f"{reason}.*disk"):
        check_readable(found[2].headers)
    for good in (found[0], found[1], found[3]):
        check_readable(good.headers)
    assert records.next_fetch_offset == 5
    assert passed_by() - before == 1


@pytest.mark.parametrize("claims", [None, 1_000_000, -7])
def test_the_last_batch_is_passed_by_one_offset_at_a_time(claims: int | None) -> None:
    """What lies behind it is not known yet, and what it says of itself may be what is wrong; it is told once."""
    before = passed_by()
    bad = wrong_checksum(claims=claims)
    for first, told, then in ((2, [2], 3), (3, [], 4)):
        records = records_of(bad, first)
        assert ([record.offset for record in records], records.next_fetch_offset) == (told, then)
    assert passed_by() - before == 1
