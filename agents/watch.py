"""watch: what a bucket holds becomes references on the `objects` topic. Never looks at what the bytes mean."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import structlog

from agents.announcer import Announcer
from schemas.base import Message
from schemas.events import BucketEvent
from streams import metrics
from streams.buckets import Bucket, Watching
from streams.buckets.s3_events import Accompanying, created, resolve
from streams.buckets.selection import EVERYTHING, Selection
from streams.buckets.store import Store

log = structlog.get_logger()


class BucketWatch:
    """Announces every state of every object of a bucket once: as it is watched, and by its server's notifications.

    Args:
        bucket: which objects.
        announcer: announces them.
        listing: seconds between listings, which find what no notification told of.
        most_bytes: of an object that is read before it is announced.
        selection: which objects.
    """

    def __init__(
        self,
        bucket: Bucket,
        announcer: Announcer,
        *,
        listing: float,
        most_bytes: int,
        selection: Selection = EVERYTHING,
    ) -> None:
        self.bucket, self._announcer = bucket, announcer
        self._watching = Watching(
            listing=listing,
            most_bytes=most_bytes,
            selection=selection,
            degraded=announcer.degraded,
            waiting=announcer.waiting,
            ignored=metrics.IGNORED.inc,
            passed_by=announcer.passed_by,
        )
        self._ready = asyncio.Event()
        self._accompanying = Accompanying(bucket) if isinstance(bucket, Store) else None

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
        assert self._accompanying is not None
        known = self._watching.known
        for keys, etag, size in created(event, self.bucket):
            if any((key, etag) in known for key in keys):
                continue
            reference = await asyncio.to_thread(resolve, self.bucket, keys, etag, size)
            if reference is None or not self._watching.selection.takes(self.bucket.below(reference.key)):
                continue
            if await asyncio.to_thread(self._accompanying.note, reference):
                continue
            # Known from here on: while the broker is away, a listing must not announce it again.
            if known.add((reference.key, reference.etag)):
                try:
                    await self._announcer.announce(reference)
                except BaseException:
                    known.discard((reference.key, reference.etag))
                    raise
        return
        yield
