"""Waiting for what is away, for ever, and telling of it once."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina
import structlog
from aiokafka.errors import KafkaError
from faust.exceptions import ProducerSendError

from schemas.dead_letters import Stage
from schemas.failures import Unavailable
from streams import metrics

log = structlog.get_logger()

Result = TypeVar("Result")

LONGEST_WAIT_S = 5.0
"""Between two tries of what is away: so soon after it is back, work goes on."""


class Patience:
    """One stage's: what it waits for now, and how it waits.

    Args:
        stage: its name, used in logs and metrics.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage: Stage = stage
        self.reason = ""
        """What is away, in words; empty: nothing."""

    async def until_done(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """What `work` gives, tried again for as long as the broker, or a server that it needs, is away.

        Raises:
            Exception: whatever else it raises.
        """
        async for attempt in stamina.retry_context(
            on=self._waits, attempts=None, timeout=None, wait_initial=0.5, wait_max=LONGEST_WAIT_S
        ):
            with attempt:
                result = await work()
                self.waits_for("")
                return result
        raise AssertionError("stamina gives up by raising")

    def waits_for(self, reason: str) -> None:
        """Note what is waited for; empty: nothing any more.

        It is logged once, whatever number of messages wait for it, and however often they are tried.
        """
        if reason and reason != self.reason:
            log.warning("waiting", stage=self._stage, reason=reason)
        elif self.reason and not reason:
            log.info("goes on", stage=self._stage, reason=self.reason)
        self.reason = reason

    def _waits(self, error: Exception) -> bool:
        if not isinstance(error, Unavailable | KafkaError | ProducerSendError):
            return False
        metrics.RETRIES.labels(self._stage, type(error).__name__).inc()
        self.waits_for(str(error) if isinstance(error, Unavailable) else _of_kafka(error))
        return True


def _of_kafka(error: Exception) -> str:
    return f"Kafka does not take messages: {type(error).__name__}"
