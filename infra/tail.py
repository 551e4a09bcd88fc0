"""Printing a topic: each key once. Knows nothing of what the messages mean."""

from collections.abc import Iterator
from typing import TypeVar

from schemas.base import Message
from streams.reader import read
from streams.settings import Wires
from streams.topics import Topic

M = TypeVar("M", bound=Message)


def each_once(wires: Wires, topic: Topic[M], follow: bool) -> Iterator[M]:
    """Messages of a topic, one for each key.

    Without `follow`, the last of each key as the topic stands now, without those that were cleared. With it, the first
    of each key as they come, for ever: a later message of a key is the same work done again.

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
    for record in read(wires, [topic]):
        if record is None or record.message is None:
            continue
        if last.get(record.key) == (record.partition, record.offset):
            yield record.message
