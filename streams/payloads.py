"""Pixels too large for a message: put into an object store by content address, and fetched again.

Knows PNG files only as bytes.
"""

import asyncio
import hashlib
import sys
from collections.abc import Sequence
from typing import Self

import obstore
import pybase64
import stamina
from obstore.exceptions import GenericError
from obstore.store import from_url

from schemas.failures import InvalidInput, Unavailable
from schemas.images import Pixels
from streams.buckets.aws import options


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
        self._store = from_url(url, mkdir=True) if url.startswith("file://") else from_url(url, **options(url))
        self._inline_limit = inline_limit

    @classmethod
    def none(cls) -> Self:
        """No store at all: pixels of any size stay in their message, as long as that does not leave the process."""
        return cls("memory:///", sys.maxsize)

    async def place(self, pixels: Pixels) -> Pixels:
        """The same pixels, by reference where they are above the limit.

        Raises:
            Unavailable: the store did not take them.
        """
        (placed,) = await self.place_all([pixels])
        return placed

    async def place_all(self, message: Sequence[Pixels]) -> list[Pixels]:
        """All pixels of one message: those stay in it that are within the limit together with those before them.

        Raises:
            Unavailable: the store did not take them.
        """
        left = (self._inline_limit + 2) // 3 * 4
        placed: list[Pixels] = []
        for pixels in message:
            fits = pixels.data is None or len(pixels.data) <= left
            placed.append(pixels if fits else await self._put(pixels))
            left -= len(placed[-1].data or "")
        return placed

    async def _put(self, pixels: Pixels) -> Pixels:
        assert pixels.data is not None
        png = pybase64.b64decode(pixels.data)
        reference = f"sha256/{hashlib.sha256(png).hexdigest()}.png"
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

    def fetch_now(self, pixels: Pixels) -> Pixels:
        """`fetch` for callers without an event loop."""
        return pixels if pixels.reference is None else asyncio.run(self.fetch(pixels))
