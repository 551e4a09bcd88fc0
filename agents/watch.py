"""watch: a folder's files become references on the `objects` topic. Reads bytes only to tell contents apart."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import stamina
import structlog
from aiokafka.errors import KafkaError
from faust.exceptions import ProducerSendError

from schemas.objects import ObjectReference
from schemas.stages import StageState
from streams.codec import Context, encode, headers
from streams.folder import FolderWatcher
from streams.identity import Identity
from streams.reader import latest
from streams.settings import Wires
from streams.stage import Send, away
from streams.topics import OBJECTS

log = structlog.get_logger()


class Watch:
    """Announces every content of every file in a folder once.

    The `objects` topic is the ledger: what stands there is not announced again, and a reference counts as announced
    only when the broker has acknowledged it.

    Args:
        folder: watched with all folders below it.
        wires: where the topics are.
        identity: names objects.
        send: sends one message; see `streams.stage.Send`.
    """

    def __init__(self, folder: Path, *, wires: Wires, identity: Identity, send: Send) -> None:
        self._folder, self._wires, self._identity, self._send = folder, wires, identity, send
        self._done = 0
        self._away = ""

    async def run(self) -> None:
        """Watch until cancelled."""
        ledger = await asyncio.to_thread(latest, self._wires, OBJECTS)
        references = [record.message for record in ledger.values() if record.message is not None]
        watcher = FolderWatcher(self._folder, references)
        log.info("watching", known=len(watcher.taken))
        stop = asyncio.Event()
        try:
            async for reference in watcher.references(stop):
                await self._announce(reference)
        finally:
            stop.set()

    async def _announce(self, reference: ObjectReference) -> None:
        object_id = self._identity.object_id(reference)
        async for attempt in stamina.retry_context(on=self._retry, attempts=None, timeout=None, wait_max=15):
            with attempt:
                head = headers(reference, "watch", Context())
                await (await self._send(OBJECTS.on(self._wires), object_id, encode(reference), head))
        self._away = ""
        self._done += 1
        log.info("announced", object_id=object_id, size=reference.size)

    def _retry(self, error: Exception) -> bool:
        if not isinstance(error, KafkaError | ProducerSendError):
            return False
        self._away = away(error)
        log.warning("waiting", stage="watch", reason=self._away)
        return True

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
