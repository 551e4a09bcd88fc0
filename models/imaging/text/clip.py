"""What stays the same over a clip is searched once; a frame, only where its fine structure is not that of the clip.

Static text is in every frame, so it is in the darkest and in the brightest that each pixel ever is, where all that
moves is dark, or bright and smooth. Text that comes and goes makes more strokes where it stands than there are in some
other frame. Knows nothing of files.
"""

import itertools
import math
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.imaging.text.boxes import Box, distinct
from models.imaging.text.search import Found, Values, find_text, looked_at, pictures_of
from models.imaging.text.strokes import Picture, counted_by_contrast, strokes_of

SAMPLES = 12
"""Frames, spread over the whole clip, that it is known by."""
_BUSIER, _AND_MORE = 1.5, 12
"""So many times the passing strokes that a place has in the calmest sample, and so many px more, are not the clip's."""
_STRONGER = 16
"""Of 255, by which a stroke must stand out more than what lasts there, to be a passing one."""


_PLAIN = 24
"""Contrast of strokes that are looked for in every sample, where text is to be static."""
_MOSTLY = 0.6


class Clip:
    """The samples of a clip.

    Args:
        samples: view and values of each, all of one shape, as `find_text` takes them; at least one.
    """

    def __init__(self, samples: Sequence[tuple[Picture, Values | None]]) -> None:
        self.shape = samples[0][0].shape
        self.static = Found((), complete=True)
        self._lasting: dict[tuple[int, bool], NDArray[np.uint8]] = {}
        self._calmest: dict[tuple[int, bool], NDArray[np.float32]] = {}
        strokes = {
            (number, reduced): [strokes_of(looked_at(picture, reduced)) for picture in _each(samples, number)]
            for number in range(1 if samples[0][1] is None else 2)
            for reduced in (False, True)
        }
        for key, each in strokes.items():
            # A px to each side: cines are compressed, and what stands still trembles.
            wide = [np.asarray(cv2.dilate(one, np.ones((3, 3), np.uint8)), np.uint8) for one in each]
            self._lasting[key] = np.minimum.reduce(wide)
        self.static = self._static_text(samples)
        for key, each in strokes.items():
            self._calmest[key] = np.minimum.reduce([counted_by_contrast(self.passing(*key, one)) for one in each])

    def _static_text(self, samples: Sequence[tuple[Picture, Values | None]]) -> Found:
        views = np.stack([view for view, _ in samples])
        values = [each for _, each in samples if each is not None]
        found: list[Found] = []
        boxes: list[Box] = []
        for end in (np.min, np.max):
            picture = end(views, axis=0), end(np.stack(values), axis=0) if values else None
            found.append(find_text(*picture))
            boxes += [box for box in found[-1].boxes if self._lasts(box, picture)]
        return Found(tuple(distinct(boxes)), all(one.complete for one in found))

    def _lasts(self, box: Box, extreme: tuple[Picture, Values | None]) -> bool:
        """Whether its strokes are in every sample: what passes is in one of the extremes, too."""
        for number, picture in enumerate(pictures_of(*extreme)):
            for reduced in (False, True):
                place = _placed(box, looked_at(picture, reduced).shape, self.shape)
                there = strokes_of(looked_at(picture, reduced))[place] >= _PLAIN
                lasting = self._lasting[number, reduced][place] >= _PLAIN
                if there.any() and (lasting & there).sum() >= _MOSTLY * there.sum():
                    return True
        return False

    def passing(self, number: int, reduced: bool, strokes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Of a frame's strokes (0 the view, 1 the values), those that do not last, and are not of static text."""
        passing = np.where(cv2.subtract(strokes, self._lasting[number, reduced]) > _STRONGER, strokes, 0)
        for box in self.static.boxes:
            passing[_placed(box, strokes.shape, self.shape)] = 0
        return passing.astype(np.uint8)

    def unusual(self, number: int, reduced: bool, passing: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Of each cell of a frame's picture, whether it has more passing strokes than the clip."""
        usual = self._calmest[number, reduced]
        return np.any(counted_by_contrast(passing) > usual * _BUSIER + _AND_MORE, axis=0)


def _each(samples: Sequence[tuple[Picture, Values | None]], number: int) -> Iterator[Picture]:
    for sample in samples:
        yield next(itertools.islice(pictures_of(*sample), number, None))


def _placed(box: Box, shape: tuple[int, ...], whole: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of a box in a picture of another size."""
    down, across = shape[0] / whole[0], shape[1] / whole[1]
    return (
        slice(int(box.top * down), math.ceil(box.bottom * down)),
        slice(int(box.left * across), math.ceil(box.right * across)),
    )
