"""Many messages to one: what belongs together is gathered from a topic, and told on another once it is all there.

One process reads all partitions, for what belongs together lies in any of them. What it has committed never passes a
message of something that is still open: started anew, it reads that again, and gathers what it would have. Knows
nothing of what is gathered.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.base import Message
from streams import metrics
from streams.codec import Context, encode, headers
from streams.reader import no_answer, partitions_of, read
from streams.security import for_confluent
from streams.sending import Sender
from streams.settings import Wires
from streams.topics import Topic

log = structlog.get_logger()

In = TypeVar("In", bound=Message, contravariant=True)
Out = TypeVar("Out", bound=Message, covariant=True)
Given = TypeVar("Given", bound=Message)
Made = TypeVar("Made", bound=Message)

LOOK_S = 1.0
"""Between two looks at what has waited long enough, and two commits: what is read twice at most after a crash."""
ANSWER_S = 10.0
LAG_S = 15.0
"""Between two looks at how much is not read yet."""
STUCK_S = 300.0
"""That one turn of the loop may take before it is taken for stuck. A broker that is away does not count: the reader
comes back from it without a message."""


@dataclass(slots=True)
class Standing:
    """How a gatherer is, told by its loop and asked by its probes, from another thread.

    Args:
        reason: why it does not gather now, in words; empty: it does.
        busy_since: when it began with what it now does; None: it waits for messages.
    """

    reason: str = "starting"
    busy_since: float | None = None

    def stuck(self, now: float) -> str:
        """Why it has to be started anew, in words; empty: it need not."""
        since = self.busy_since
        return "" if since is None or now - since < STUCK_S else f"busy with one turn for {now - since:.0f} s"


class Gathering(Protocol[In, Out]):
    """What gathers."""

    def take(self, message: In, partition: int, offset: int, now: float) -> Iterable[Out]:
        """Take a message; what is complete by it."""
        ...

    def overdue(self, now: float) -> Iterable[Out]:
        """What has waited long enough for the rest of it."""
        ...

    def held(self) -> Mapping[int, int]:
        """Of each partition that holds a message of something open, the offset of the first."""
        ...


def gather(
    wires: Wires,
    takes: Topic[Given],
    gives: Topic[Made],
    gathering: Gathering[Given, Made],
    *,
    name: str,
    again: bool = False,
    standing: Standing | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Gather for ever.

    Args:
        wires: which cluster.
        takes: whose messages belong together.
        gives: where what was gathered goes, by its key.
        gathering: what gathers.
        name: under which it is kept how far was read.
        again: whether to begin at the beginning, whatever was read before.
        standing: is told how it goes.
        clock: seconds that only grow.

    Raises:
        Unavailable: the broker does not answer, or refuses. What was not committed is gathered again.
    """
    sender, places = Sender(wires), _Places(wires, takes, name)
    position = dict.fromkeys(partitions_of(wires, takes), 0) if again else places.committed()
    told = standing or Standing()
    with closing(places):
        looked = counted = clock()
        metrics.GATHER_LAG.set(places.behind(position))
        told.reason = ""

        def send(found: Iterable[Made]) -> None:
            for one in found:
                head = headers(one, name, Context())
                sender.send(gives.on(wires), str(getattr(one, gives.key)), encode(one), head)

        for record in read(wires, [takes], first=position, follow=True, idle=LOOK_S / 2):
            told.busy_since = clock()
            if record is not None:
                if record.message is not None:
                    send(gathering.take(record.message, record.partition, record.offset, clock()))
                position[record.partition] = record.offset + 1
            if clock() - looked >= LOOK_S:
                looked = clock()
                send(gathering.overdue(looked))
                sender.flush()  # Before the commit: what was told has arrived.
                held = gathering.held()
                told.reason = places.commit({one: held.get(one, offset) for one, offset in position.items()})
                if looked - counted >= LAG_S:
                    counted = looked
                    metrics.GATHER_LAG.set(places.behind(position))
            told.busy_since = None


class _Places:
    """How far was read, kept by the broker. No group is joined: nothing is ever divided anew."""

    def __init__(self, wires: Wires, topic: Topic[Any], name: str) -> None:
        self._wires, self._topic = wires, topic
        self._told: dict[int, int] = {}
        self._consumer = Consumer(
            {**for_confluent(wires), "group.id": f"{wires.prefix}tristream-{name}", "enable.auto.commit": False}
        )

    def committed(self) -> dict[int, int]:
        places = [self._at(partition) for partition in partitions_of(self._wires, self._topic)]
        try:
            found = self._consumer.committed(places, timeout=ANSWER_S)
        except KafkaException as error:
            raise no_answer(self._wires, error) from error
        self._told = {one.partition: max(0, one.offset) for one in found}
        return dict(self._told)

    def behind(self, offsets: Mapping[int, int]) -> int:
        """Messages that come after these offsets; of partitions that do not answer, none."""
        waiting = 0
        for partition, offset in offsets.items():
            try:
                low, high = self._consumer.get_watermark_offsets(self._at(partition), timeout=1.0)
            except KafkaException:
                continue
            waiting += max(0, high - max(low, offset))
        return waiting

    def commit(self, offsets: Mapping[int, int]) -> str:
        """Keep how far was read; why it could not be kept, in words."""
        changed = {one: offset for one, offset in offsets.items() if self._told.get(one) != offset}
        if not changed:
            return ""
        try:
            self._consumer.commit(
                offsets=[self._at(partition, offset) for partition, offset in changed.items()], asynchronous=False
            )
        except KafkaException as error:
            # What is not committed is due the next time; a broker that stays away ends the reader.
            reason = str(no_answer(self._wires, error))
            log.warning("not committed", reason=reason)
            return reason
        self._told |= changed
        return ""

    def close(self) -> None:
        self._consumer.close()

    def _at(self, partition: int, offset: int = 0) -> TopicPartition:
        return TopicPartition(self._topic.on(self._wires), partition, offset)
