"""Commits where a stage stands, in Faust's place, and sees that no message was passed by. Knows nothing of the work.

Faust commits what its streams acknowledge, and they acknowledge also what they throw away unseen: messages from before
a rebalance that reach a stream after it. Delivered again, such a message counts as done while it is in work, and a
worker that is killed then has lost it. So Faust acknowledges nothing here (`acks=False`). It also takes any gap for
one of compaction, so the first message of a partition that was assigned is held against where the group stands.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeVar

import faust
import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import TopicPartition
from faust.exceptions import ConsumerNotStarted

from schemas.failures import Unavailable
from streams.leaving import leave
from streams.ordered import Partition, Standing
from streams.security import for_aiokafka
from streams.settings import Wires

log = structlog.get_logger()

INTERVAL = 1.0
"""Seconds between two commits: what a worker that is killed has done twice at most, beside what is in work."""
ANSWER_S = 5.0
"""For which the broker is waited for: a commit that waits longer might be sent once partitions are divided anew."""
READ_S = 30.0
"""For which a message is waited for, which may be large, and the wire to the broker thin."""

ENDED = "the consumer has ended"

T = TypeVar("T")


class Group(Protocol):
    """What is asked of the broker."""

    async def commit(self, offsets: Mapping[Partition, int]) -> bool:
        """Commit; False: the partitions are no longer this worker's. Raises Unavailable."""
        ...

    async def begins(self, partition: Partition) -> int:
        """Where the group stands: the offset of the first message that is to be done. Raises Unavailable."""
        ...

    async def first_kept(self, partition: Partition, first: int, before: int) -> int | None:
        """The offset of the first message kept from `first` on; None: of those `before` none is. Raises Unavailable."""
        ...

    async def position(self, partition: Partition) -> int:
        """Behind which message the consumer has handed out none. Raises Unavailable."""
        ...


class Commits:
    """Commits for one worker.

    Args:
        standing: of its stage.
        group: of its stage.
        end: called with the reason when messages were passed by.
    """

    def __init__(self, standing: Standing, group: Group, end: Callable[[str], None]) -> None:
        self._standing, self._group, self._end = standing, group, end
        self._left = self._away = False

    async def run(self) -> None:
        """Commit again and again until cancelled."""
        while not self._left:
            await self.commit()
            await asyncio.sleep(INTERVAL)

    async def leave(self, *_: Any, **__: Any) -> None:
        """Commit a last time: the consumer is about to leave its group."""
        self._left = True
        await self.commit()

    async def commit(self) -> None:
        """Commit what is due. What cannot be committed now is due the next time."""
        due, division = self._standing.due, self._standing.division
        try:
            if due and await self._group.commit(due) and self._standing.division == division:
                self._standing.commit(due)
        except Unavailable as error:
            if not self._away:
                log.warning("not committed", reason=str(error))
            self._away = True
        else:
            self._away = False

    async def may_begin(self, partition: Partition, offset: int) -> bool:
        """Whether a partition that was assigned may begin with this message: none was passed by.

        Where one was, the worker ends, to be started again where the group stands.

        Raises:
            Unavailable: the broker does not answer.
        """
        begins = await self._group.begins(partition)
        if offset <= begins or (kept := await self._group.first_kept(partition, begins, offset)) is None:
            return True
        self._end(f"messages from {kept} to {offset - 1} of {partition[0]}/{partition[1]} were passed by")
        return False


class FaustGroup:
    """The consumer group of a Faust app, asked past Faust in the thread in which its consumer lives.

    Args:
        app: once it runs.
        wires: which cluster.
    """

    def __init__(self, app: faust.App, wires: Wires) -> None:
        self._app, self._wires = app, wires

    async def commit(self, offsets: Mapping[Partition, int]) -> bool:
        """See `Group`."""
        try:
            await self._asked(
                lambda consumer: consumer.commit({TopicPartition(*one): offset for one, offset in offsets.items()})
            )
        except Unavailable as error:
            if isinstance(error.__cause__, CommitFailedError | IllegalStateError):
                return False
            raise
        return True

    async def begins(self, partition: Partition) -> int:
        """See `Group`."""
        place = TopicPartition(*partition)

        async def found(consumer: AIOKafkaConsumer) -> int:
            committed = await consumer.committed(place)
            return (await consumer.beginning_offsets([place]))[place] if committed is None else committed

        return await self._asked(found)

    async def first_kept(self, partition: Partition, first: int, before: int) -> int | None:
        """See `Group`."""
        place = TopicPartition(*partition)
        reader = AIOKafkaConsumer(**for_aiokafka(self._wires), enable_auto_commit=False, auto_offset_reset="earliest")
        try:
            async with asyncio.timeout(READ_S):
                await reader.start()
                first = max(first, (await reader.beginning_offsets([place]))[place])
                if first >= before:
                    return None
                reader.assign([place])
                reader.seek(place, first)
                found = (await reader.getone()).offset
        except (KafkaError, TimeoutError) as error:
            raise _away(error) from error
        finally:
            await leave(reader)
        return found if found < before else None

    async def position(self, partition: Partition) -> int:
        """See `Group`."""
        return await self._asked(lambda consumer: consumer.position(TopicPartition(*partition)))

    async def _asked(self, question: Callable[[AIOKafkaConsumer], Awaitable[T]]) -> T:
        """The answer of the consumer, which belongs to a thread of its own."""
        # Faust has no public way to its consumer, and its own to commit ends the app where the broker refuses.
        thread: Any = self._app.consumer._thread  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]

        async def asking() -> T:
            async with asyncio.timeout(ANSWER_S):
                return await question(thread._ensure_consumer())

        work: Coroutine[Any, Any, T] = asking()
        try:
            answer = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, thread.thread_loop))
        except RuntimeError as error:
            work.close()
            raise Unavailable(ENDED) from error
        try:
            # A thread that is ending does no more of what it is given, and cancels what it has.
            await asyncio.wait({answer}, timeout=2 * ANSWER_S)
            if not answer.done() or answer.cancelled():
                raise Unavailable(ENDED)
            return answer.result()
        except (KafkaError, TimeoutError, ConsumerNotStarted) as error:
            raise _away(error) from error
        finally:
            answer.cancel()


def _away(error: Exception) -> Unavailable:
    return Unavailable(f"Kafka does not answer: {type(error).__name__}")
