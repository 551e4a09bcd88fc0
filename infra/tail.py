"""Printing a topic: each key once. Knows nothing of what the messages mean."""

import heapq
from collections.abc import Iterator
from typing import TypeVar

from schemas.base import Message
from streams.reader import Record, partitions_of, read
from streams.settings import Wires
from streams.topics import Topic

M = TypeVar("M", bound=Message)


def each_once(wires: Wires, topic: Topic[M], follow: bool) -> Iterator[M]:
    """Messages of a topic, one for each key.

    Without `follow`, the last of each key as the topic stands now, without those that were cleared, in the order of
    their times, so that of two annotations of an image the newer stands later. With it, the first of each key as they
    come, for ever: a later message of a key is the same work done again.

    Raises:
        Unavailable: Kafka does not answer.
    """
    if follow:
        seen: set[str] = set()
        for record in read(wires, [topic], follow=True):
            if record is not None and record.message is not None and record.key not in seen:
                seen.add(record.key)
                yield record.message
        return
    # Two passes: images are not held in memory, only where the last message of each key stands.
    last: dict[str, tuple[int, int]] = {}
    for record in read(wires, [topic]):
        if record is not None:
            last[record.key] = (record.partition, record.offset)
    partitions = [read(wires, [topic], first={number: 0}) for number in partitions_of(wires, topic)]
    for record in heapq.merge(*map(_records, partitions), key=lambda record: record.at):
        if record.message is None:
            continue
        if last.get(record.key) == (record.partition, record.offset):
            yield record.message


def _records(found: Iterator[Record[M] | None]) -> Iterator[Record[M]]:
    return (record for record in found if record is not None)
