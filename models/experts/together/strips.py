"""Windows of many regions in one array, so that a step of measurement is one call for all of them.

Knows nothing of what is measured.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from models.experts.candidates import BinaryImage, Component, FloatImage

Counts = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

_Kind = TypeVar("_Kind", bound=np.generic)

MOST_PX = 2**20
"""Of a strip with several windows: what is worked on stays small however many regions there are."""
MOST_PARTS = 512
"""Regions of a strip: co-occurrences of 128 levels take 130 kB each."""
PIECE_PX = 2**17
"""Pixels that are worked on at once: of a whole slide, indices and double precision of all would fill the memory."""


@dataclass(frozen=True)
class Strip:
    """Windows of regions, transposed, one below the other: pixels lie region by region, and column by column in each.

    `mask` (lines, breadth), uint8: 1 where a region is. `values`: those of the image, and 0 outside of it. `seen`: 1
    where the image is, and is not masked. A line is a column of the image; `first` and `ends` (n): the lines that a
    window begins with and ends before. `margin`: px of a window on each side of its region's box.
    """

    parts: Sequence[Component]
    mask: BinaryImage
    values: FloatImage
    seen: BinaryImage
    first: Counts
    ends: Counts
    margin: int

    @classmethod
    def of(cls, parts: Sequence[Component], luma: FloatImage, visible: BinaryImage | None, margin: int) -> "Strip":
        """Of regions of `luma` (rows, columns). `visible`: 0 where it is masked."""
        rows, columns = luma.shape
        ends = np.cumsum([part.crop.shape[1] + 2 * margin for part in parts])
        first = np.concatenate((np.zeros(1, np.int64), ends[:-1]))
        size = int(ends[-1]), max(part.crop.shape[0] for part in parts) + 2 * margin
        mask, seen, values = np.zeros(size, np.uint8), np.zeros(size, np.uint8), np.zeros(size, np.float32)
        turned, shown = luma.T, None if visible is None else visible.T
        for part, line in zip(parts, first.tolist(), strict=True):
            height, width = part.crop.shape
            mask[line + margin : line + margin + width, margin : margin + height] = part.crop.T
            left, top = max(0, part.x - margin), max(0, part.y - margin)
            right, bottom = min(columns, part.x + width + margin), min(rows, part.y + height + margin)
            line, across = line - part.x + margin, margin - part.y
            window = slice(line + left, line + right), slice(across + top, across + bottom)
            values[window] = turned[left:right, top:bottom]
            seen[window] = 1 if shown is None else shown[left:right, top:bottom]
        return cls(parts, mask, values, seen, first, ends, margin)

    @cached_property
    def area(self) -> Counts:
        """Pixels of each region."""
        return np.array([part.area_px for part in self.parts])

    @cached_property
    def owners(self) -> Counts:
        """Of which region each line is."""
        return np.repeat(np.arange(len(self.parts)), self.ends - self.first)

    def pieces(self) -> Iterator[Counts]:
        """The regions' pixels by their places in the flat arrays, in turns."""
        lines, breadth = self.mask.shape
        step = max(1, PIECE_PX // breadth)
        for line in range(0, lines, step):
            yield np.flatnonzero(self.mask[line : line + step]) + line * breadth


def strips(
    parts: Sequence[Component], luma: FloatImage, visible: BinaryImage | None, margin: int
) -> Iterator[tuple[list[int], Strip]]:
    """Which of `parts` lie in a strip, and the strip; each of them lies in one."""
    # Those of one height together: as little as may be lies beside them.
    order = sorted(range(len(parts)), key=lambda n: -parts[n].crop.shape[0])
    together: list[int] = []
    lines = breadth = 0
    for index in order:
        height, width = (side + 2 * margin for side in parts[index].crop.shape)
        if together and ((lines + width) * breadth > MOST_PX or len(together) == MOST_PARTS):
            yield together, Strip.of([parts[n] for n in together], luma, visible, margin)
            together, lines = [], 0
        breadth = breadth if together else height
        together.append(index)
        lines += width
    if together:
        yield together, Strip.of([parts[n] for n in together], luma, visible, margin)


def split(values: npt.NDArray[_Kind], count: Counts) -> list[npt.NDArray[_Kind]]:
    """So many of `values` (n, …) each. np.split takes three times as long."""
    ends = np.cumsum(count).tolist()
    return [values[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


@dataclass(frozen=True)
class Groups:
    """Values of several regions, those of each together: `values` (float32), and how many each has."""

    values: npt.NDArray[np.float32]
    count: Counts

    @cached_property
    def ends(self) -> Counts:
        return np.cumsum(self.count)

    @cached_property
    def some(self) -> Counts:
        """Which have any."""
        return np.flatnonzero(self.count)

    @cached_property
    def starts(self) -> Counts:
        """Of those that have any."""
        return (self.ends - self.count)[self.some]

    @cached_property
    def mean(self) -> Reals:
        """0 of those that have none, as are `least` and `largest`."""
        return self.total / np.maximum(self.count, 1)

    @cached_property
    def total(self) -> Reals:
        return self._reduced(np.add)

    @cached_property
    def least(self) -> Reals:
        return self._reduced(np.minimum)

    @cached_property
    def largest(self) -> Reals:
        return self._reduced(np.maximum)

    def _reduced(self, by: np.ufunc) -> Reals:
        found = np.zeros(len(self.count))
        if len(self.some):
            found[self.some] = by.reduceat(self.values, self.starts, dtype=np.float64)
        return found

    def sort(self) -> None:
        """Sorts the values of each."""
        for each in split(self.values, self.count):
            each.sort()

    def moments(self, *orders: int) -> list[Reals]:
        """Means of these powers of what values lie off their mean."""
        found = [np.zeros(len(self.count)) for _ in orders]
        begins = self.ends - self.count
        for begin in range(0, len(self.values), PIECE_PX):
            end = min(begin + PIECE_PX, len(self.values))
            length = np.minimum(self.ends, end) - np.maximum(begins, begin)
            own = np.flatnonzero(length > 0)
            length = length[own]
            apart = self.values[begin:end] - np.repeat(self.mean[own], length)
            starts = np.cumsum(length) - length
            power, product = 1, apart
            for order, total in zip(orders, found, strict=True):
                while power < order:
                    power, product = power + 1, product * apart
                total[own] += np.add.reduceat(product, starts)
        return [total / np.maximum(self.count, 1) for total in found]
