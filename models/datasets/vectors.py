"""Vectors of pictures in files, and which of them are alike. Knows nothing of what made them, nor of groups.

Those of one encoder alone can be compared: each has a file of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np
import numpy.typing as npt

BLOCK = 2048
"""Vectors that are held against as many others at a time: of the products 16 MB."""


@dataclass(slots=True)
class _Rows:
    file: IO[bytes]
    size: int
    numbers: list[int] = field(default_factory=list[int])

    def read(self, rows: slice) -> npt.NDArray[np.float32]:
        self.file.seek(4 * self.size * rows.start)
        return np.fromfile(self.file, np.float32, (rows.stop - rows.start) * self.size).reshape(-1, self.size)


class Vectors:
    """Vectors of length 1 by number, four bytes a component on disk and none in memory.

    Args:
        folder: in which the files lie until this is closed or forgotten.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: dict[str, _Rows] = {}

    def add(self, number: int, encoder: str, values: Sequence[float]) -> bool:
        """Take one down; False, and nothing is, where it is shorter or longer than the first of its encoder."""
        rows = self._rows.get(encoder)
        if rows is None:
            rows = self._rows[encoder] = _Rows(TemporaryFile(dir=self._folder), len(values))  # noqa: SIM115 - see close
        if len(values) != rows.size:
            return False
        rows.file.write(np.asarray(values, np.float32).tobytes())
        rows.numbers.append(number)
        return True

    def alike(self, least: float, groups: Mapping[int, str]) -> Iterator[tuple[str, str]]:
        """Pairs of groups, each told once a block at most, of which vectors have a cosine of `least` or more.

        Args:
            least: cosine.
            groups: of the numbers that are looked at.
        """
        for rows in self._rows.values():
            rows.file.flush()
            names, codes = np.unique([groups.get(number, "") for number in rows.numbers], return_inverse=True)
            blocks = [slice(at, min(at + BLOCK, len(codes))) for at in range(0, len(codes), BLOCK)]
            for n, one in enumerate(blocks):
                first = rows.read(one)
                for other in blocks[n:]:
                    near = first @ rows.read(other).T >= least
                    # Vectors of one group need no joining, and are most of those that are alike: slices of one patient.
                    near &= codes[one][:, None] != codes[other][None]
                    across, down = np.nonzero(near)
                    pairs = np.unique(codes[one][across] * len(names) + codes[other][down])
                    found = ((str(names[pair // len(names)]), str(names[pair % len(names)])) for pair in pairs)
                    yield from ((a, b) for a, b in found if a and b)

    def close(self) -> None:
        """Remove the files."""
        for rows in self._rows.values():
            rows.file.close()
