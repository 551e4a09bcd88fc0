"""What is fetched while a rebalance is under way is fetched again when it is over. Knows nothing of what messages hold.

Faust asks its consumer for messages up to a second ahead. Those that come when partitions have been divided and its
streams do not yet flow are dropped by it, and the consumer is sought back to the committed offsets: not where there are
none yet, and not where the broker fails to tell them. Faust has no setting for that, so `fetch_again` puts a method of
ours in the place of the one that asks: what it may not hand on it gives back at once, in the consumer's own thread.
"""

from typing import Any

from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

_fetch: Any = AIOKafkaConsumerThread._fetch_records  # pyright: ignore[reportPrivateUsage]


async def _fetch_records(self: Any, consumer: Any, *arguments: Any, **options: Any) -> Any:
    records = await _fetch(self, consumer, *arguments, **options)
    if self.consumer.flow_active:
        return records
    for place, found in records.items():
        if place in consumer.assignment():
            consumer.seek(place, found[0].offset)
    return {}


def fetch_again() -> None:
    """Have every Faust app of this process do so."""
    AIOKafkaConsumerThread._fetch_records = _fetch_records  # pyright: ignore[reportPrivateUsage]
