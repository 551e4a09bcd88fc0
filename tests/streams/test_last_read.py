"""What is read again soon is not read again, and no more is kept than was said."""

import asyncio

import pytest

from schemas.failures import InvalidInput
from streams.last_read import LastRead


class Shelf:
    """Reads words, and notes which."""

    def __init__(self) -> None:
        self.read: list[str] = []

    async def of(self, kept: "LastRead[str, str]", key: str) -> str:
        async def read() -> str:
            self.read.append(key)
            await asyncio.sleep(0)
            if key.startswith("bad"):
                raise InvalidInput(key)
            return key * 10

        return await kept.get(key, read)


async def test_those_read_last_are_kept() -> None:
    """At once or one after another, each is read once; the one not asked for longest goes first."""
    shelf, kept = Shelf(), LastRead[str, str](2)
    assert await asyncio.gather(*(shelf.of(kept, "a") for _ in range(5))) == ["a" * 10] * 5
    for key in ("b", "a", "c", "a", "b"):
        await shelf.of(kept, key)
    assert shelf.read == ["a", "b", "c", "b"]


async def test_what_cannot_be_read_is_not_tried_again() -> None:
    """The error is kept as the value would be."""
    shelf, kept = Shelf(), LastRead[str, str](2)
    for _ in range(2):
        with pytest.raises(InvalidInput, match="bad"):
            await shelf.of(kept, "bad")
    assert shelf.read == ["bad"]


async def test_weight_bounds_what_is_kept() -> None:
    """All together weigh no more than they may; one alone may weigh what it does."""
    shelf, kept = Shelf(), LastRead[str, str](100, len, 25)
    for key in ("a", "b", "c", "b", "a"):
        await shelf.of(kept, key)
    assert shelf.read == ["a", "b", "c", "a"]
    for key in ("long" * 9, "long" * 9):
        await shelf.of(kept, key)
    assert shelf.read[4:] == ["long" * 9]
