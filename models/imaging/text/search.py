"""All text of a picture: thin strokes choose where the line finder looks, and what it finds is read before it counts.

Knows nothing of frames that belong together but what it is told of them.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.imaging.text.areas import Part, areas_of, parts_around
from models.imaging.text.boxes import Box, distinct, joined
from models.imaging.text.choice import Candidate, text_among, with_margins
from models.imaging.text.lines import lines_of, scores_of, unsure_of
from models.imaging.text.proof import proved
from models.imaging.text.strokes import CONTRASTS, LEAST, Picture, near_fine_strokes, strokes_of, worth_a_look

VERSION = "lines-12+PP-OCRv6_rec_small"
"""Of the models and of the rules here. Raised when the same picture would give other boxes."""
MOST_PIXELS = 2**22
"""Larger pictures are looked at reduced to so many."""
_LEVELS = (1.0, 0.5, 0.25)
"""Magnifications at which lines are sought: each finds letters from 6 to 30 px high."""
_MAGNIFIED = 2.0, 2**17
"""Also at this one, in pictures of at most so many px: those of small screens have smaller letters."""
_BORNE_OUT = 0.8
"""Score that a line must have there."""
_SMALLEST = 96
"""Longest side, px, below which a reduced picture holds nothing that can be read."""
_TALLEST = 52
"""Of a line at its level, px."""
_HIDDEN = 1.5
"""So many times as strong as in the view, a stroke in the values is one that the view hides."""

Values = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Found:
    """The text of one picture."""

    boxes: tuple[Box, ...]
    complete: bool
    """False where the picture had more likely lines than could be read."""


class Usual(Protocol):
    """What is known of the pictures that this one is among."""

    @property
    def static(self) -> Found:
        """Text that all of them have: it is not sought again."""
        ...

    def passing(self, number: int, reduced: bool, strokes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Of the strokes of a picture (0 the view, 1 the values), those that the others do not have."""
        ...

    def unusual(self, number: int, reduced: bool, passing: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Of each cell of a picture, whether it has more passing strokes than the others."""
        ...


def find_text(view: Picture, values: Values | None = None, *, usual: Usual | None = None) -> Found:
    """Lines of text, upright or turned by 90 degrees, with capitals of 6 px or more.

    Args:
        view: (rows, columns) or (rows, columns, 3), as it is shown.
        values: (rows, columns), of a picture of more than 8 bits: text that the view's window hides is still in them.
        usual: of a clip. Only places whose strokes are not usual in it are looked at, and its static text is left out.
    """
    shape = view.shape[:2]
    scale = _scale(shape)
    pictures = list(pictures_of(view, values))
    candidates = list(_candidates(pictures, usual))
    known = [_scaled_box(box, scale) for box in usual.static.boxes] if usual is not None else []
    boxes, complete = text_among(pictures, candidates, known)
    grown = [with_margins(box, pictures[0].shape) for box in boxes]
    found = distinct(_enlarged(box, scale, shape) for box in distinct(joined(grown)))
    return Found(tuple(found), complete)


def can_be_read(box: Box, view: Picture, values: Values | None = None) -> bool:
    """Whether there is text in a box of a picture, given as `find_text` takes it."""
    scaled = _scaled_box(box, _scale(view.shape))
    return any(proved(picture, scaled).score > 0 for picture in pictures_of(view, values))


def resized(picture: Picture, scale: float) -> Picture:
    """A picture in another size."""
    if scale == 1:
        return picture
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return _with_sides(picture, scale, how)


def _with_sides(picture: Picture, scale: float, how: int) -> Picture:
    size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)


def _reduced(picture: Picture, scale: float) -> Picture:
    """To at most MOST_PIXELS: by means of 2 × 2 px, then between px. Means at other ratios take eight times as long."""
    while scale < 0.5:
        picture, scale = _halved(picture), 2 * scale
    return picture if scale == 1 else _with_sides(picture, scale, cv2.INTER_LINEAR)


def pictures_of(view: Picture, values: Values | None) -> Iterator[Picture]:
    """The view, and the values over their whole range; reduced to MOST_PIXELS."""
    scale = _scale(view.shape)
    yield _reduced(_in_grey(view), scale)
    if values is not None:
        low, high = float(values.min()), float(values.max())
        yield _reduced(((values - low) * (255 / ((high - low) or 1))).astype(np.uint8), scale)


def looked_at(picture: Picture, reduced: bool) -> Picture:
    """A picture as strokes are sought in it: as it is, or reduced to a half for thick ones."""
    return _halved(picture) if reduced else picture


def _halved(picture: Picture) -> Picture:
    """Means of 2 × 2 px: an odd row or column is taken twice, since other ratios than 2 cost five times as much."""
    rows, columns = (side % 2 for side in picture.shape[:2])
    if rows or columns:
        picture = np.asarray(cv2.copyMakeBorder(picture, 0, rows, 0, columns, cv2.BORDER_REPLICATE), np.uint8)
    return resized(picture, 0.5)


def _in_grey(view: Picture) -> Picture:
    """A picture whose three channels are the same, as films are often kept, as one of them."""
    if view.ndim == 2 or any(np.any(view[::16, ::16, 0] != view[::16, ::16, at]) for at in (1, 2)):
        return view
    first, second, third = cv2.split(view)
    same = np.array_equal(first, second) and np.array_equal(second, third)
    return np.asarray(first, np.uint8) if same else view


def _scale(shape: tuple[int, ...]) -> float:
    return min(1.0, (MOST_PIXELS / (shape[0] * shape[1])) ** 0.5)


def _candidates(pictures: Sequence[Picture], usual: Usual | None) -> Iterator[Candidate]:
    shown: dict[bool, NDArray[np.uint8]] = {}
    for number, picture in enumerate(pictures):
        areas: dict[float, list[Part]] = {}
        new: dict[bool, NDArray[np.uint8]] = {}
        for reduced in (False, True):
            at = looked_at(picture, reduced)
            strokes = strokes_of(at)
            if number == 0:
                shown[reduced] = np.asarray(cv2.dilate(strokes, np.ones((5, 5), np.uint8)), np.uint8)
            cells: NDArray[np.bool_] | bool = True
            if usual is not None:
                strokes = usual.passing(number, reduced, strokes)
                cells = usual.unusual(number, reduced, strokes)
            if number > 0:  # the values: only what the view does not show
                strokes = np.where(strokes > _HIDDEN * shown[reduced], strokes, 0).astype(np.uint8)
            chosen = worth_a_look(strokes) & cells
            if reduced:
                areas[_LEVELS[-1]] = areas_of(chosen, strokes.shape)
            # Of a clip so few cells are unusual that this would cost more than it saves.
            if usual is None and not _is_small(picture):
                chosen &= near_fine_strokes(at, half=reduced)
            areas[0.5 if reduced else 1.0] = areas_of(chosen, strokes.shape)
            new[reduced] = strokes
        for one in _seen(picture, areas, number):
            if _has_strokes(one.box, new[one.level < 1], picture.shape):
                yield one


def _has_strokes(box: Box, strokes: NDArray[np.uint8], shape: tuple[int, ...]) -> bool:
    """Whether there is what could be a letter in a box of a picture of that shape: the strokes may be of its half."""
    ratio = strokes.shape[0] / shape[0]
    rows, columns = (slice(int(ratio * start), math.ceil(ratio * stop)) for start, stop in (box[1::2], box[:4:2]))
    return int(np.count_nonzero(strokes[rows, columns] >= CONTRASTS[0])) >= LEAST


def _is_small(picture: Picture) -> bool:
    return picture.shape[0] * picture.shape[1] <= _MAGNIFIED[1]


def _seen(picture: Picture, areas: dict[float, list[Part]], number: int) -> Iterator[Candidate]:
    """Lines in areas of a picture by level: those of reduced ones are in px of its half."""
    small = _is_small(picture)
    unsure: list[Box] = []
    at = picture
    for level in (*_LEVELS, _MAGNIFIED[0]) if small else _LEVELS:
        at = picture if level >= 1 else _halved(at)
        if level < 1 and max(at.shape[:2]) < _SMALLEST:
            continue
        ratio = 1.0 if level >= 1 else level / 0.5
        parts = [
            (_scaled(rows, ratio, at.shape[0]), _scaled(columns, ratio, at.shape[1]))
            for rows, columns in areas[min(level, 1.0)]
        ]
        lines, spots = look(at, parts, level)
        unsure += spots if level == 1 and not small else []
        yield from (Candidate(line, level, number) for line in lines)
    for part in parts_around(unsure, picture.shape):
        lines, _ = look(picture, [part], _MAGNIFIED[0])
        yield from (Candidate(line, 1.0, number, again=True) for line in lines if line.score >= _BORNE_OUT)


def look(at: Picture, parts: Sequence[Part], level: float) -> tuple[list[Box], list[Box]]:
    """Lines in parts of a picture that is shown reduced, or not yet magnified, to a level; and where it is unsure."""
    magnified, reduced = max(level, 1.0), min(level, 1.0)
    parts = [
        (rows, columns) for rows, columns in parts if min(rows.stop - rows.start, columns.stop - columns.start) >= 8
    ]
    if not parts:
        return [], []
    top, left = (min(part[side].start for part in parts) for side in (0, 1))
    down, across = (math.ceil(max(part[side].stop for part in parts) * magnified / 2) for side in (0, 1))
    first = round(top * magnified / 2), round(left * magnified / 2)
    whole, middle = np.zeros((2, down - first[0], across - first[1]), np.float32)
    for part in parts:
        scores = scores_of(resized(at[part], magnified))
        y, x = (round(part[side].start * magnified / 2) - first[side] for side in (0, 1))
        rows, columns = scores[0].shape
        for laid, score in zip((whole, middle), scores, strict=True):
            place = laid[y : y + rows, x : x + columns]
            np.maximum(place, score, out=place)

    def placed(box: Box) -> Box:
        left_, top_, right, bottom = (
            round((start + side / magnified) / reduced) for side, start in zip(box[:4], (left, top) * 2, strict=True)
        )
        return Box(left_, top_, right, bottom, box.score)

    # What is taller is told by a coarser look; at the coarsest it is an organ.
    lines = [placed(line) for line in lines_of(whole, middle) if line.height <= _TALLEST]
    return lines, [placed(spot) for spot in unsure_of(middle)]


def _scaled(part: slice, ratio: float, most: int) -> slice:
    return slice(int(part.start * ratio), min(most, round(part.stop * ratio)))


def _scaled_box(box: Box, scale: float) -> Box:
    left, top, right, bottom = (round(side * scale) for side in box[:4])
    return Box(left, top, right, bottom, box.score)


def _enlarged(box: Box, scale: float, shape: tuple[int, ...]) -> Box:
    """From a picture reduced by `scale` to the picture itself, outwards to whole px."""
    left, top = int(box.left / scale), int(box.top / scale)
    right, bottom = min(shape[1], -int(-box.right // scale)), min(shape[0], -int(-box.bottom // scale))
    return Box(left, top, right, bottom, box.score)
