"""Pixels too large for a message: put into an object store by content address, and fetched again.

Knows PNG files only as bytes.
"""

import asyncio
import hashlib
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

import obstore
import pybase64
import stamina
import structlog
from obstore.exceptions import GenericError
from obstore.store import from_url

from schemas.failures import InvalidInput, Unavailable
from schemas.images import Pixels
from streams.buckets.aws import options
from streams.private import OWN
from streams.topics import IMAGES

log = structlog.get_logger()


_NONE = "memory:///"

Kind = Literal["passing", "kept"]
"""Folders of the store. passing: of messages between stages, which their topics keep for days; kept: of triplets."""
OUTLIVED = timedelta(milliseconds=IMAGES.retention_ms) + timedelta(days=1)
"""The age at which passing pixels are of no message any more."""


class PayloadMissing(InvalidInput):
    """A message refers to pixels that the payload store no longer has."""


def _passing(error: Exception) -> bool:
    return isinstance(error, GenericError | OSError) and not isinstance(error, FileNotFoundError)


class Payloads:
    """The store behind `Pixels.reference`. Content-addressed: putting twice is putting once.

    Args:
        url: file:///folder, s3://bucket/prefix, or any URL that obstore knows.
        inline_limit: bytes of PNG up to which pixels stay in the message.
    """

    def __init__(self, url: str, inline_limit: int) -> None:
        self._folder = url.startswith("file://")
        if self._folder:
            Path(unquote(urlsplit(url).path)).mkdir(OWN, parents=True, exist_ok=True)
        self._store = from_url(url) if self._folder else from_url(url, **options(url))
        self._inline_limit = inline_limit
        self._none = url == _NONE

    @classmethod
    def none(cls) -> Self:
        """No store at all: pixels of any size stay in their message, as long as that does not leave the process."""
        return cls(_NONE, sys.maxsize)

    async def place(self, pixels: Pixels, kind: Kind = "passing") -> Pixels:
        """The same pixels, by reference where they are above the limit.

        Raises:
            Unavailable: the store did not take them.
        """
        (placed,) = await self.place_all([pixels], kind)
        return placed

    async def refer(self, pixels: Pixels, kind: Kind = "passing") -> Pixels:
        """The same pixels by reference, whatever their size; in the message where there is no store at all.

        Raises:
            Unavailable: the store did not take them.
        """
        return pixels if self._none or pixels.data is None else await self._put(pixels, kind)

    async def place_all(self, message: Sequence[Pixels], kind: Kind = "passing") -> list[Pixels]:
        """All pixels of one message: those stay in it that are within the limit together with those before them.

        Raises:
            Unavailable: the store did not take them.
        """
        left = (self._inline_limit + 2) // 3 * 4
        placed: list[Pixels] = []
        for pixels in message:
            fits = pixels.data is None or len(pixels.data) <= left
            placed.append(pixels if fits else await self._put(pixels, kind))
            left -= len(placed[-1].data or "")
        return placed

    async def _put(self, pixels: Pixels, kind: Kind) -> Pixels:
        assert pixels.data is not None
        png = pybase64.b64decode(pixels.data)
        reference = f"{kind}/{hashlib.sha256(png).hexdigest()}.png"
        try:
            async for attempt in stamina.retry_context(on=_passing, attempts=3):
                with attempt:
                    await obstore.put_async(self._store, reference, png)
        except (GenericError, OSError) as error:
            raise Unavailable("the payload store did not take the pixels") from error
        return pixels.model_copy(update={"data": None, "reference": reference})

    async def fetch(self, pixels: Pixels) -> Pixels:
        """The same pixels, in the message.

        Raises:
            PayloadMissing: the store has no such content.
            Unavailable: the store did not answer.
        """
        if pixels.reference is None:
            return pixels
        try:
            async for attempt in stamina.retry_context(on=_passing, attempts=3):
                with attempt:
                    result = await obstore.get_async(self._store, pixels.reference)
                    png = bytes(await result.bytes_async())
        except FileNotFoundError:
            raise PayloadMissing(
                "The pixels that this message refers to are no longer in the payload store: replay the object."
            ) from None
        except (GenericError, OSError) as error:
            raise Unavailable("the payload store did not answer") from error
        return pixels.model_copy(update={"data": pybase64.b64encode_as_string(png), "reference": None})  # pyright: ignore[reportPossiblyUnboundVariable]

    async def delete_on(self, every: float = 3600.0) -> None:
        """Delete passing pixels that no message refers to any more, now and again until cancelled.

        Of a folder. An object store does that by a rule of its own: see docs/operations.md.
        """
        while self._folder:
            try:
                if deleted := await asyncio.to_thread(self._delete, datetime.now(UTC) - OUTLIVED):
                    log.info("payloads deleted", files=deleted)
            except (GenericError, OSError) as error:
                log.warning("payloads not deleted", error=type(error).__name__)
            await asyncio.sleep(every)

    def _delete(self, before: datetime) -> int:
        deleted = 0
        for page in obstore.list(self._store, "passing"):
            old = [meta["path"] for meta in page if meta["last_modified"] < before]
            obstore.delete(self._store, old)
            deleted += len(old)
        return deleted

    def fetch_now(self, pixels: Pixels) -> Pixels:
        """`fetch` for callers without an event loop."""
        return pixels if pixels.reference is None else asyncio.run(self.fetch(pixels))
