"""Files that come, change and go in a folder. Each content is an image of its own, so that its outcome can be told."""

import io
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file

SIZE = 64


def numbered(dataset: Dataset, pixels: NDArray[np.generic], number: int) -> None:
    """Give a data set the first `SIZE` rows and columns of these pixels, another picture for every number."""
    pixels = pixels[:SIZE, :SIZE].copy()
    for place in range(4):
        pixels[0, place] = 100 + (number >> (8 * place)) % 256
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelData = pixels.tobytes()


def written(dataset: Dataset) -> bytes:
    """The file of a data set."""
    file = io.BytesIO()
    dataset.save_as(file)
    return file.getvalue()


def image(number: int) -> bytes:
    """A small DICOM file, other pixels for every number."""
    dataset = dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
    numbered(dataset, dataset.pixel_array, number)
    return written(dataset)


@dataclass(slots=True)
class Churn:
    """Makes something happen in a folder at each `step`, and remembers what must be there at the end.

    Args:
        folder: of the files.
        chance: decides what happens.
        put: stores an object elsewhere too; None: nowhere.
    """

    folder: Path
    chance: random.Random
    put: Callable[[str, bytes], bool] | None = None
    made: int = 0
    standing: dict[Path, bytes] = field(default_factory=dict[Path, bytes])
    stored: dict[str, bytes] = field(default_factory=dict[str, bytes])
    marked: dict[Path, bytes] = field(default_factory=dict[Path, bytes])
    poisoned: int = 0
    _later: list[tuple[float, Path, bytes]] = field(default_factory=list[tuple[float, Path, bytes]])

    def step(self) -> None:
        """Do one thing that people and programs do to files."""
        for entry in [one for one in self._later if one[0] <= time.monotonic()]:
            self._later.remove(entry)
            self._write(entry[1], entry[2])
        kinds = ("new", "new", "new", "new", "store", "slow", "cut", "replace", "rename", "delete", "poison")
        getattr(self, f"_{self.chance.choice(kinds)}")()

    def mark(self) -> Path:
        """Write a file that nothing happens to, to see when its triplet comes."""
        path, data = self._next()
        path = path.with_name(f"mark-{path.name}")
        path.write_bytes(data)
        self.marked[path] = data
        return path

    def finish(self) -> None:
        """Complete what was begun."""
        for _, path, data in self._later:
            self._write(path, data)
        self._later.clear()

    def _next(self) -> tuple[Path, bytes]:
        self.made += 1
        return self.folder / f"{self.made:06}.dcm", image(self.made)

    def _write(self, path: Path, data: bytes) -> None:
        path.write_bytes(data)
        self.standing[path] = data

    def _new(self) -> None:
        self._write(*self._next())

    def _store(self) -> None:
        path, data = self._next()
        if self.put is not None and self.put(path.name, data):
            self.stored[path.name] = data

    def _slow(self) -> None:
        """Half of a file, and the rest while it is being taken."""
        path, data = self._next()
        path.write_bytes(data[: len(data) // 2])
        self._later.append((time.monotonic() + self.chance.uniform(0.1, 3), path, data))

    def _cut(self) -> None:
        """A file that loses its end, and gets it back."""
        path, data = self._next()
        path.write_bytes(data)
        path.write_bytes(data[: len(data) * 3 // 4])
        self._later.append((time.monotonic() + self.chance.uniform(0.5, 5), path, data))

    def _replace(self) -> None:
        if self.standing:
            _, data = self._next()
            self._write(self.chance.choice(list(self.standing)), data)

    def _rename(self) -> None:
        if self.standing:
            self.made += 1
            path, moved = self.chance.choice(list(self.standing)), self.folder / f"{self.made:06}.dcm"
            path.rename(moved)
            self.standing[moved] = self.standing.pop(path)

    def _delete(self) -> None:
        if self.standing and self.chance.random() < 0.3:
            path = self.chance.choice(list(self.standing))
            del self.standing[path]
            path.unlink()

    def _poison(self) -> None:
        """What is no image, in any of its forms."""
        self.poisoned += 1
        path = self.folder / f"poison-{self.poisoned:05}"
        content = self.chance.choice((b"", b"Patient DOE^JOHN", bytes(3000), image(0)[:700], b"{" * 3000))
        path.with_suffix(self.chance.choice((".dcm", ".png", ".txt", ".nii"))).write_bytes(content)
