"""The lags of all stages with the size of what waits: messages grow and shrink on their way. Asks the broker."""

from collections import deque
from collections.abc import Mapping, Sequence
from statistics import fmean

from confluent_kafka import Consumer, TopicPartition

from schemas.dead_letters import Stage
from streams.lag import INPUTS, Lag, LagReader, Position, lag_of
from streams.security import for_confluent
from streams.settings import Wires

KEPT = 16
_GOLDEN = 0.618034
PATIENCE = 2.0


class Backlog:
    """Asks one broker for lags, and weighs one waiting message of each stage at each turn. Blocks: call it in a thread.

    Args:
        wires: which cluster.
        weighed: stages whose waiting messages are weighed.
    """

    def __init__(self, wires: Wires, weighed: Sequence[Stage]) -> None:
        self._wires, self._reader = wires, LagReader(wires)
        self._sizes: dict[Stage, deque[int]] = {stage: deque(maxlen=KEPT) for stage in weighed}
        self._turn = 0
        self._consumer = Consumer(
            {
                **for_confluent(wires),
                "group.id": f"{wires.prefix}tristream-reader",
                "enable.auto.commit": False,
                # One message is wanted: a broker gives the first batch even where it is larger than this.
                "fetch.message.max.bytes": 1,
                "queued.min.messages": 1,
            }
        )

    def read(self) -> dict[Stage, Lag]:
        """The lag of every stage that consumes.

        Raises:
            Unavailable: the broker does not answer.
        """
        self._turn += 1
        return {stage: self._weighed(stage, self._reader.positions(stage)) for stage in INPUTS}

    def _weighed(self, stage: Stage, positions: Mapping[int, Position]) -> Lag:
        lag, sizes = lag_of(positions), self._sizes.get(stage)
        if sizes is None:
            return lag
        if lag.waiting and (size := self._size(stage, positions, lag.waiting)):
            sizes.append(size)
        return Lag(lag.done, lag.waiting, fmean(sizes) if sizes else 0.0)

    def _size(self, stage: Stage, positions: Mapping[int, Position], waiting: int) -> int:
        # Steps of the golden ratio spread over what waits, however much that is.
        left = int(waiting * (self._turn * _GOLDEN % 1))
        for number, position in positions.items():
            here = max(0, position.end - position.committed)
            if left < here:
                place = TopicPartition(INPUTS[stage].on(self._wires), number, position.committed + left)
                self._consumer.assign([place])
                message = self._consumer.poll(PATIENCE)
                self._consumer.unassign()
                return len(message.value() or b"") if message is not None and message.error() is None else 0
            left -= here
        return 0
