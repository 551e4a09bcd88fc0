"""What an adapter finds: an image with what is said of it, or a file that is left out and why."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.datasets.sources.collections import Collection
from schemas.failures import InvalidInput


class WrongLayout(InvalidInput):
    """A folder is not laid out as the collection is; the message names what was expected."""


class WrongFile(WrongLayout):
    """A file of the collection is where it should be, but damaged, cut off, or without a column that it has."""


@dataclass(frozen=True)
class MaskPart:
    """A file that marks something, and its label: of `labels`, the numbers in the file, or of all that is not 0.

    Of outlines (Aperio XML, GeoJSON) `label` is that of those which name none.
    """

    path: Path
    label: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    crops: bool = False
    """Whether files of another size than the image are crops of it, and not its masks."""


@dataclass(frozen=True)
class Drawn:
    """Pixels that stand in no picture file of their own: (rows, columns) or (rows, columns, 3), 8 or 16 bits.

    `numbers`, (rows, columns) uint8, marks what `labels` name; None where nothing is marked.
    """

    pixels: npt.NDArray[np.uint8 | np.uint16]
    numbers: npt.NDArray[np.uint8] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """One image.

    `path` is the file; `name` where it is put, below the output folder; `sidecar` what is said of it, without masks.
    `draw` gives its pixels, or a whole file, where `path` is not a picture of it alone. `text` is the source's own, and
    kept apart.
    """

    path: Path
    name: str
    sidecar: Mapping[str, Any]
    masks: Sequence[MaskPart] = ()
    draw: Callable[[], Drawn | bytes] | None = None
    text: str = ""
    without: Sequence[str] = ()
    """What the collection has of its images, and not of this one: a mask, a row of a table."""


@dataclass(frozen=True)
class LeftOut:
    """A file that is no input, and why."""

    path: Path
    reason: str


Find = Callable[[Path, Collection], Iterator[Found | LeftOut]]
"""What an adapter is."""
