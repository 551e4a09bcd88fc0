"""watch: what a bucket holds becomes references on the `objects` topic. Never looks at what the bytes mean."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import stamina
import structlog
from aiokafka.errors import KafkaError
from faust.exceptions import ProducerSendError
from opentelemetry.trace import SpanKind

from schemas.base import Message
from schemas.events import BucketEvent
from schemas.failures import Unavailable
from schemas.objects import ObjectReference
from schemas.stages import StageState
from streams import metrics, tracing
from streams.codec import Context, encode, headers
from streams.folder import FolderWatcher
from streams.identity import Identity
from streams.known import Known
from streams.reader import latest
from streams.s3 import Location, created, listing, resolve
from streams.settings import Wires
from streams.stage import Send, away
from streams.topics import OBJECTS

log = structlog.get_logger()


class Announcer:
    """Announces references. One counts as announced only when the broker has acknowledged it.

    The `objects` topic is the ledger: what stands there need not be announced again.

    Args:
        wires: where the topics are.
        identity: names objects.
        send: sends one message; see `streams.stage.Send`.
    """

    def __init__(self, *, wires: Wires, identity: Identity, send: Send) -> None:
        self._wires, self._identity, self._send = wires, identity, send
        self._done = 0
        self._away = ""

    async def ledger(self) -> list[ObjectReference]:
        """What was announced before."""
        records = await asyncio.to_thread(latest, self._wires, OBJECTS)
        return [record.message for record in records.values() if record.message is not None]

    async def announce(self, reference: ObjectReference) -> None:
        """Put it on the topic, however long the broker is away."""
        object_id = self._identity.object_id(reference)
        with tracing.span("watch", Context(), SpanKind.PRODUCER) as context:
            async for attempt in stamina.retry_context(on=self._retry, attempts=None, timeout=None, wait_max=15):
                with attempt:
                    head = headers(reference, "watch", context)
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

    def state(self) -> StageState:
        """What this worker is doing."""
        return StageState(
            worker=f"watch/{self._wires.worker}",
            stage="watch",
            state="waiting" if self._away else "running",
            reason=self._away,
            in_flight=0,
            done=self._done,
            dead_letters=0,
            updated_at=datetime.now(UTC),
        )


async def watch_folder(folder: Path, announcer: Announcer, *, every: float) -> None:
    """Announce every content of every file in a folder and all folders below it once, until cancelled.

    Args:
        folder: watched.
        announcer: announces what is found.
        every: seconds between listings, which find what the watcher missed.
    """
    watcher = FolderWatcher(folder, await announcer.ledger(), listing=every)
    log.info("watching", known=len(watcher.taken))
    stop = asyncio.Event()
    try:
        async for reference in watcher.references(stop):
            await announcer.announce(reference)
    finally:
        stop.set()


class BucketWatch:
    """Announces every state of every object of a bucket once, by its server's notifications and by listing it.

    Args:
        location: which objects.
        announcer: announces them.
        every: seconds between listings, which find what no notification told of.
    """

    def __init__(self, location: Location, announcer: Announcer, *, every: float) -> None:
        self._location, self._announcer, self._every = location, announcer, every
        self._known = Known()
        self._ready = asyncio.Event()

    async def list_on(self) -> None:
        """List the bucket again and again until cancelled."""
        for known in await self._announcer.ledger():
            if known.bucket == self._location.bucket:
                self._known.add((known.key, known.etag))
        log.info("watching", known=len(self._known))
        self._ready.set()
        while True:
            try:
                async for reference in listing(self._location):
                    await self._once(reference)
                self._announcer.waiting("")
            except Unavailable as error:
                self._announcer.waiting(str(error))
            await asyncio.sleep(self._every)

    async def on_event(self, event: BucketEvent) -> AsyncIterator[Message]:
        """Announce what a notification tells of; yields nothing, for each is acknowledged before the next.

        Raises:
            ObjectUnreadable: the bucket refuses to be asked which object is meant.
            Unavailable: the bucket does not answer.
        """
        await self._ready.wait()
        for keys, etag, size in created(event, self._location):
            if any((key, etag) in self._known for key in keys):
                continue
            reference = await asyncio.to_thread(resolve, self._location, keys, etag, size)
            if reference is not None:
                await self._once(reference)
        return
        yield

    async def _once(self, reference: ObjectReference) -> None:
        state = (reference.key, reference.etag)
        # Known from here on: while the broker is away, a listing must not announce again what an event is announcing.
        if not self._known.add(state):
            return
        try:
            await self._announcer.announce(reference)
        except BaseException:
            self._known.discard(state)
            raise
