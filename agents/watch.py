"""watch: a folder's files become references on the `objects` topic. Reads bytes only to tell contents apart."""

import asyncio
from pathlib import Path

import stamina
import structlog
from aiokafka.errors import KafkaError
from faust.exceptions import ProducerSendError

from streams.codec import Context, encode, headers
from streams.folder import FolderWatcher
from streams.identity import Identity
from streams.reader import latest
from streams.settings import Wires
from streams.stage import Send
from streams.topics import OBJECTS

log = structlog.get_logger()


async def watch(folder: Path, *, wires: Wires, identity: Identity, send: Send) -> None:
    """Announce every content of every file in a folder once, until cancelled.

    The `objects` topic is the ledger: what stands there is not announced again, and a reference counts as announced
    only when the broker has acknowledged it.
    """
    ledger = await asyncio.to_thread(latest, wires, OBJECTS)
    references = [record.message for record in ledger.values() if record.message is not None]
    watcher = FolderWatcher(folder, references)
    log.info("watching", known=len(watcher.taken))
    stop = asyncio.Event()
    try:
        async for reference in watcher.references(stop):
            object_id = identity.object_id(reference)
            async for attempt in stamina.retry_context(on=(KafkaError, ProducerSendError), attempts=None, timeout=None):
                with attempt:
                    sent = await send(
                        OBJECTS.on(wires), object_id, encode(reference), headers(reference, "watch", Context())
                    )
                    await sent
            log.info("announced", object_id=object_id, size=reference.size)
    finally:
        stop.set()
