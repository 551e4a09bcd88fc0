"""Sending to topics from outside the stages, so that all is known to have arrived. Knows nothing of what is sent."""

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.failures import Unavailable
from streams.security import for_confluent, knock
from streams.settings import Wires
from streams.topics import MAX_MESSAGE_BYTES

PATIENCE = 30.0
"""Seconds without an answer after which a broker is away."""


class Sender:
    """Sends and, at the end, knows that everything arrived."""

    def __init__(self, wires: Wires) -> None:
        knock(wires)
        self._producer = Producer(
            {
                **for_confluent(wires),
                "acks": "all",
                "enable.idempotence": True,
                "message.max.bytes": MAX_MESSAGE_BYTES,
                # The same partitioner as the workers' client: a key's messages stay in one partition.
                "partitioner": "murmur2_random",
            }
        )
        self._errors: list[KafkaError] = []

    def send(self, topic: str, key: str | bytes, value: bytes | None, head: list[tuple[str, bytes]]) -> None:
        """Send a message: it has arrived once `flush` has returned."""
        while True:
            try:
                self._producer.produce(topic, value, key, headers=list(head), on_delivery=self._delivered)
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)

    def flush(self) -> None:
        """Return when all that was sent has arrived.

        Raises:
            Unavailable: the broker did not take some of it.
        """
        # However long it takes, as long as the broker lives: it may be between two lives, or have much to do.
        while (left := self._producer.flush(PATIENCE)) and not self._errors:
            try:
                self._producer.list_topics(timeout=PATIENCE)
            except KafkaException:
                break
        if left or self._errors:
            raise Unavailable(f"Kafka did not take {left or len(self._errors)} messages: send them again")

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._errors.append(error)
