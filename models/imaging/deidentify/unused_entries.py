"""Entries of a codestream's tables that no sample needs: where a table reads as text, they are filled anew.

A quantization step of a frequency that no block has, or a code that none is coded by, can be any byte. Knows nothing of
codestreams.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from models.imaging.deidentify.lettered import reads_as_text
from models.imaging.errors import LIBRARY_ERRORS, CorruptPixels, failing_as

Fill = Callable[[bytes, frozenset[int]], bytes]
"""A table with other values at some places."""


def without_text(table: bytes, decode: Callable[[bytes], Any], fill: Fill) -> bytes:
    """The table, all entries filled whose values change no sample, if there is text in it that they may be.

    Args:
        table: its entries, a byte each.
        decode: the samples with such a table.
        fill: gives entries values of no meaning.

    Raises:
        CorruptPixels: it cannot be decoded as it is.
    """
    if not reads_as_text(table, 1):
        return table
    with failing_as(CorruptPixels()):
        expected = np.asarray(decode(table))

    def needless(places: Iterable[int]) -> bool:
        try:
            return np.array_equal(np.asarray(decode(fill(table, frozenset(places)))), expected)
        except LIBRARY_ERRORS:
            return False

    found: set[int] = set()
    groups = [range(len(table))]
    while groups:
        group = groups.pop()
        if needless(found.union(group)):
            found.update(group)
        elif len(group) > 1:
            groups += [group[: len(group) // 2], group[len(group) // 2 :]]
    return fill(table, frozenset(found))


def filled_with(value: int) -> Fill:
    """The same value everywhere."""
    return lambda table, places: bytes(value if at in places else old for at, old in enumerate(table))


def in_order(table: bytes, places: frozenset[int]) -> bytes:
    """Values that no other entry has, rising, for tables that name each value once."""
    kept = {value for at, value in enumerate(table) if at not in places}
    free = iter([value for value in range(256) if value not in kept])
    return bytes(next(free) if at in places else value for at, value in enumerate(table))
