"""What watch says of what it found: references on the `objects` topic, each once the broker has acknowledged it."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

import structlog
from opentelemetry.trace import SpanKind

from schemas.objects import ObjectReference
from schemas.stages import StageState
from streams import metrics, tracing
from streams.buckets.selection import Reason
from streams.codec import Context, encode, headers
from streams.identity import Identity
from streams.open_letters import OpenLetters
from streams.outgoing import Send
from streams.patience import Patience
from streams.reader import latest
from streams.settings import Wires
from streams.topics import OBJECTS

log = structlog.get_logger()


class Announcer:
    """Announces references. One counts as announced only when the broker has acknowledged it.

    The `objects` topic is the ledger: what stands there need not be announced again.

    Args:
        wires: where the topics are.
        identity: names objects.
        send: sends one message; see `streams.outgoing.Send`.
        letters: dead letters of earlier contents of a file; whoever takes its new content clears them.
    """

    def __init__(self, *, wires: Wires, identity: Identity, send: Send, letters: OpenLetters) -> None:
        self._wires, self._identity, self._send, self._letters = wires, identity, send, letters
        self._done = self._passed_by = 0
        self._patience = Patience("watch")
        self._degraded = ""

    async def ledger(self) -> list[ObjectReference]:
        """What was announced before."""
        records = await asyncio.to_thread(latest, self._wires, OBJECTS)
        return [record.message for record in records.values() if record.message is not None]

    async def announce(self, reference: ObjectReference) -> None:
        """Put it on the topic, however long the broker is away."""
        object_id = self._identity.object_id(reference)
        with tracing.span("watch", Context(), SpanKind.PRODUCER) as context:
            await self._patience.until_done(partial(self._once, reference, object_id, context))
            self._done += 1
            metrics.ANNOUNCED.inc()
            log.info("announced", object_id=object_id, size=reference.size)

    async def _once(self, reference: ObjectReference, object_id: str, context: Context) -> None:
        older = self._letters.older(self._identity.file_id(reference), object_id)
        head = headers(reference, "watch", context, older)
        await (await self._send(OBJECTS.on(self._wires), object_id, encode(reference), head))

    def waiting(self, reason: str) -> None:
        """Say what is waited for; empty: nothing any more."""
        self._patience.waits_for(reason)

    def degraded(self, reason: str) -> None:
        """Say what works less well than it should; empty: nothing any more."""
        if reason and reason != self._degraded:
            log.warning("degraded", stage="watch", reason=reason)
        self._degraded = reason

    def passed_by(self, files: Mapping[Reason, int]) -> None:
        """Say what a listing has passed by."""
        for reason, number in files.items():
            metrics.PASSED_BY.labels(reason).set(number)
        self._passed_by = sum(files.values())

    def state(self) -> StageState:
        """What this worker is doing."""
        return StageState(
            worker=f"watch/{self._wires.worker}",
            stage="watch",
            state="waiting" if self._patience.reason else "running",
            reason=self._patience.reason or self._degraded,
            in_flight=0,
            done=self._done,
            dead_letters=0,
            passed_by=self._passed_by,
            updated_at=datetime.now(UTC),
        )
