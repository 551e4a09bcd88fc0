"""What is written in a line? PP-OCRv6's recogniser (small), as the package rapidocr brings it.

Knows nothing of where lines are.
"""

import itertools
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np

from models.imaging.text.boxes import Box
from models.imaging.text.graphs import halves_of
from models.imaging.text.signs import may_be_signs
from models.imaging.text.strokes import Picture
from models.imaging.text.weights import recogniser, session_of

HEIGHT = 48
"""px, that the model takes."""
_MIDDLE = "Add.99"
"""The tensor after 44 % of the time that a read takes."""
_SQUEEZED = 0.75
"""Of the width: read as well so, and a quarter sooner."""
_LEAST = 32
"""Width, px."""
_PIECES = (160, 224)
"""Widths, px: what is longer than the first is read in two pieces, and no further than both."""
MOST_PIECES = len(_PIECES)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in a line."""

    characters: str
    """Letters and digits of any script; signs are left out."""
    scores: tuple[float, ...]
    """Of each of them, 0 to 1."""
    places: tuple[float, ...] = ()
    """Of the middle of each of them, along what was read: 0 at its left, 1 at its right."""

    @property
    def score(self) -> float:
        """Mean over the characters; 0 where there are none."""
        return sum(self.scores) / max(1, len(self.scores))

    def __add__(self, more: "Reading") -> "Reading":
        """One piece after the other. Where they stand is not known of both together."""
        return Reading(self.characters + more.characters, self.scores + more.scores)


class _Model(NamedTuple):
    first: Any
    """From the px of a line to the middle of the recogniser."""
    second: Any
    """From there to the scores of signs."""
    letters: list[str]


@lru_cache(maxsize=1)
def _model() -> _Model:
    """Loaded by the first line that is read, and by no other."""
    first, second = (session_of(half) for half in halves_of(recogniser().read_bytes(), _MIDDLE))
    characters = second.get_modelmeta().custom_metadata_map["character"].split("\n")
    return _Model(first, second, ["", *characters, " "])


def pieces_of(line: Picture) -> list[Picture]:
    """A line in the pieces in which it is read, one or two."""
    rows, columns = line.shape[:2]
    first, end = (round(width / _SQUEEZED / HEIGHT * rows) for width in itertools.accumulate(_PIECES))
    return [line] if columns <= first + rows // 2 else [line[:, :first], line[:, first:end]]


def read(line: Picture, box: Box | None = None) -> Reading:
    """Read a line, or a piece of it, that runs from left to right and fills the height of the picture.

    Args:
        line: (rows, columns) or (rows, columns, 3).
        box: what the line finder saw, of a line that is read only as far as it may be signs.
    """
    model = _model()
    rows = line.shape[0]
    width = max(_LEAST, round(HEIGHT * _SQUEEZED * line.shape[1] / rows))
    how = cv2.INTER_CUBIC if rows < HEIGHT else cv2.INTER_AREA
    resized: Any = cv2.resize(np.ascontiguousarray(line), (width, HEIGHT), interpolation=how)
    coloured = np.repeat(resized[..., None], 3, axis=2) if resized.ndim == 2 else resized[..., ::-1]
    batch = np.ascontiguousarray(coloured.transpose(2, 0, 1)[None], dtype=np.float32) / np.float32(127.5) - 1
    (middle,) = model.first.run(None, {model.first.get_inputs()[0].name: batch})
    if box is not None and not may_be_signs(middle[0], box):
        return Reading("", ())
    scores = model.second.run(None, {_MIDDLE: middle})[0][0]
    best = scores.argmax(axis=1)
    sure = scores[np.arange(len(best)), best]
    found: list[tuple[str, float, float]] = []
    at = 0
    for code, group in itertools.groupby(best.tolist()):
        length = len(list(group))
        if model.letters[code].isalnum():
            found.append((model.letters[code], float(sure[at : at + length].max()), (at + length / 2) / len(best)))
        at += length
    characters, known, places = zip(*found, strict=True) if found else ((), (), ())
    return Reading("".join(characters), known, places)
