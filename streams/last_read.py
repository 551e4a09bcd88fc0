"""What was read last, so that who reads the same soon again is given it. Knows nothing of what it is."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from schemas.failures import InvalidInput

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class LastRead(Generic[K, V]):
    """Values by what they were read of, and that they cannot be read.

    Args:
        most: kept, one at least.
        weight: of a value; one that cannot be read has none.
        heaviest: all of them together; the last one is kept whatever it weighs.
    """

    def __init__(self, most: int, weight: Callable[[V], int] = lambda _: 0, heaviest: int = 0) -> None:
        self._most, self._weight, self._heaviest = most, weight, heaviest
        self._kept: OrderedDict[K, V | InvalidInput] = OrderedDict()
        self._reading = asyncio.Lock()

    async def get(self, key: K, read: Callable[[], Awaitable[V]]) -> V:
        """A value, by `read` where it is not one of the last.

        Raises:
            InvalidInput: what `read` raised, or had raised.
        """
        async with self._reading:  # Messages in work at the same time would read the same.
            if key not in self._kept:
                try:
                    self._kept[key] = await read()
                except InvalidInput as error:
                    self._kept[key] = error
            self._kept.move_to_end(key)
            while len(self._kept) > self._most or (len(self._kept) > 1 and self._weighed > self._heaviest):
                self._kept.popitem(last=False)
            found = self._kept[key]
        if isinstance(found, InvalidInput):
            raise found
        return found

    @property
    def _weighed(self) -> int:
        return sum(self._weight(one) for one in self._kept.values() if not isinstance(one, InvalidInput))
