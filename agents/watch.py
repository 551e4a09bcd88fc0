"""watch: what a bucket holds becomes references on the `objects` topic. Never looks at what the bytes mean."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime

import stamina
import structlog
from aiokafka.errors import KafkaError
from faust.exceptions import ProducerSendError
from opentelemetry.trace import SpanKind

from schemas.base import Message
from schemas.events import BucketEvent
from schemas.objects import ObjectReference
from schemas.stages import StageState
from streams import metrics, tracing
from streams.buckets import Bucket, Watching
from streams.buckets.s3_events import created, resolve
from streams.buckets.store import Store
from streams.codec import Context, encode, headers
from streams.identity import Identity
from streams.open_letters import OpenLetters
from streams.reader import latest
from streams.settings import Wires
from streams.stage import LONGEST_WAIT_S, Send, away
from streams.topics import OBJECTS

log = structlog.get_logger()


class Announcer:
    """Announces references. One counts as announced only when the broker has acknowledged it.

    The `objects` topic is the ledger: what stands there need not be announced again.

    Args:
        wires: where the topics are.
        identity: names objects.
        send: sends one message; see `streams.stage.Send`.
        letters: dead letters of earlier contents of a file; whoever takes its new content clears them.
    """

    def __init__(self, *, wires: Wires, identity: Identity, send: Send, letters: OpenLetters) -> None:
        self._wires, self._identity, self._send, self._letters = wires, identity, send, letters
        self._done = 0
        self._away = self._degraded = ""

    async def ledger(self) -> list[ObjectReference]:
        """What was announced before."""
        records = await asyncio.to_thread(latest, self._wires, OBJECTS)
        return [record.message for record in records.values() if record.message is not None]

    async def announce(self, reference: ObjectReference) -> None:
        """Put it on the topic, however long the broker is away."""
        object_id = self._identity.object_id(reference)
        with tracing.span("watch", Context(), SpanKind.PRODUCER) as context:
            async for attempt in stamina.retry_context(
                on=self._retry, attempts=None, timeout=None, wait_max=LONGEST_WAIT_S
            ):
                with attempt:
                    older = self._letters.older(self._identity.file_id(reference), object_id)
                    head = headers(reference, "watch", context, older)
                    await (await self._send(OBJECTS.on(self._wires), object_id, encode(reference), head))
            self._away = ""
            self._done += 1
            metrics.ANNOUNCED.inc()
            log.info("announced", object_id=object_id, size=reference.size)

    def _retry(self, error: Exception) -> bool:
        if not isinstance(error, KafkaError | ProducerSendError):
            return False
        metrics.RETRIES.labels("watch", type(error).__name__).inc()
        self.waiting(away(error))
        return True

    def waiting(self, reason: str) -> None:
        """Say what is waited for; empty: nothing any more."""
        if reason:
            log.warning("waiting", stage="watch", reason=reason)
        self._away = reason

    def degraded(self, reason: str) -> None:
        """Say what works less well than it should; empty: nothing any more."""
        if reason and reason != self._degraded:
            log.warning("degraded", stage="watch", reason=reason)
        self._degraded = reason

    def state(self) -> StageState:
        """What this worker is doing."""
        return StageState(
            worker=f"watch/{self._wires.worker}",
            stage="watch",
            state="waiting" if self._away else "running",
            reason=self._away or self._degraded,
            in_flight=0,
            done=self._done,
            dead_letters=0,
            updated_at=datetime.now(UTC),
        )


class BucketWatch:
    """Announces every state of every object of a bucket once: as it is watched, and by its server's notifications.

    Args:
        bucket: which objects.
        announcer: announces them.
        listing: seconds between listings, which find what no notification told of.
        most_bytes: of an object that is read before it is announced.
    """

    def __init__(self, bucket: Bucket, announcer: Announcer, *, listing: float, most_bytes: int) -> None:
        self.bucket, self._announcer = bucket, announcer
        self._watching = Watching(
            listing=listing,
            most_bytes=most_bytes,
            degraded=announcer.degraded,
            waiting=announcer.waiting,
            ignored=metrics.IGNORED.inc,
        )
        self._ready = asyncio.Event()

    async def watch_on(self) -> None:
        """Announce what is there, and what comes, until cancelled."""
        ledger = await self._announcer.ledger()
        async with aclosing(self.bucket.watch(self._watching, ledger)) as references:
            log.info("watching", known=len(ledger))
            self._ready.set()
            async for reference in references:
                await self._announcer.announce(reference)

    async def on_event(self, event: BucketEvent) -> AsyncIterator[Message]:
        """Announce what a notification tells of; yields nothing, for each is acknowledged before the next.

        Raises:
            Unavailable: the bucket does not answer.
        """
        await self._ready.wait()
        assert isinstance(self.bucket, Store)
        known = self._watching.known
        for keys, etag, size in created(event, self.bucket):
            if any((key, etag) in known for key in keys):
                continue
            reference = await asyncio.to_thread(resolve, self.bucket, keys, etag, size)
            # Known from here on: while the broker is away, a listing must not announce it again.
            if reference is not None and known.add((reference.key, reference.etag)):
                try:
                    await self._announcer.announce(reference)
                except BaseException:
                    known.discard((reference.key, reference.etag))
                    raise
        return
        yield
