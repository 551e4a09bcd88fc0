"""All text of a picture: thin strokes choose where the line finder looks, and what it finds is read before it counts.

Knows nothing of frames that belong together but what it is told of them.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.imaging.text.areas import Part, areas_of, parts_around
from models.imaging.text.boxes import Box, around, beside, continues, distinct, joined, painted, share_within
from models.imaging.text.ends import ends_of
from models.imaging.text.lines import lines_of, scores_of, unsure_of
from models.imaging.text.proof import TELLING, is_sign, proved
from models.imaging.text.stacks import stacks_in
from models.imaging.text.strokes import CONTRASTS, LEAST, Picture, strokes_of, worth_a_look

VERSION = "lines-6+PP-OCRv6_rec_small"
"""Of the models and of the rules here. Raised when the same picture would give other boxes."""
MOST_PIXELS = 2**22
"""Larger pictures are looked at reduced to so many."""
MOST_READ = 60
"""Lines that are read in one picture, the surest first: what bounds the time."""
_LEVELS = (1.0, 0.5, 0.25)
"""Magnifications at which lines are sought: each finds letters from 6 to 30 px high."""
_MAGNIFIED = 2.0, 2**17
"""Also at this one, in pictures of at most so many px: those of small screens have smaller letters."""
_BORNE_OUT = 0.8
"""Score that a line must have there."""
_SMALLEST = 96
"""Longest side, px, below which a reduced picture holds nothing that can be read."""
_LIKELY = 0.35
"""Score of the line finder from which a line is read; one below it counts where it continues a line that was read."""
_PLAIN = 0.8
"""Score of a sign, from which what goes on beside it is read."""
_SURE = 0.88
"""Score of a block, from which it may be several lines."""
_FEWEST_OF_A_STACK = 2
"""Lines of a block that must be read for any of them to count: tissue has edges beneath each other, too."""
_LONG, _FAINT = 3, 0.22
"""Length by height from which a line is read at the lower score: letters of 8 px are faint to the finder."""
_BESIDE = 0.7
"""Score of single signs that stand beside each other."""
_CONTINUED = 0.75
"""Score of a line from which what continues it belongs to it."""
_MARGIN, _AT_ENDS = 0.15, 0.32
"""Of a line's height, by which its box is larger than its glyphs, and a pixel more; the second at its two ends."""
_TALLEST = 52
"""Of a line at its level, px."""
_COVERED = 0.85
"""Of a line, from which it is masked with others."""
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


class _Candidate(NamedTuple):
    """A line that the finder saw."""

    box: Box
    level: float
    picture: int
    again: bool = False
    """Whether only a second look showed it. What the first look showed at this level is read before it."""


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
    boxes, complete = _proved(pictures, candidates, known)
    grown = [_with_margins(box, pictures[0].shape) for box in boxes]
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
    size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)


def pictures_of(view: Picture, values: Values | None) -> Iterator[Picture]:
    """The view, and the values over their whole range; reduced to MOST_PIXELS."""
    scale = _scale(view.shape)
    yield resized(view, scale)
    if values is not None:
        low, high = float(values.min()), float(values.max())
        yield resized(((values - low) * (255 / ((high - low) or 1))).astype(np.uint8), scale)


def looked_at(picture: Picture, reduced: bool) -> Picture:
    """A picture as strokes are sought in it: as it is, or reduced to a half for thick ones."""
    return resized(picture, 0.5) if reduced else picture


def _scale(shape: tuple[int, ...]) -> float:
    return min(1.0, (MOST_PIXELS / (shape[0] * shape[1])) ** 0.5)


def _candidates(pictures: Sequence[Picture], usual: Usual | None) -> Iterator[_Candidate]:
    shown: dict[bool, NDArray[np.uint8]] = {}
    for number, picture in enumerate(pictures):
        areas: dict[bool, list[Part]] = {}
        new: dict[bool, NDArray[np.uint8]] = {}
        for reduced in (False, True):
            strokes = strokes_of(looked_at(picture, reduced))
            if number == 0:
                shown[reduced] = np.asarray(cv2.dilate(strokes, np.ones((5, 5), np.uint8)), np.uint8)
            cells: NDArray[np.bool_] | bool = True
            if usual is not None:
                strokes = usual.passing(number, reduced, strokes)
                cells = usual.unusual(number, reduced, strokes)
            if number > 0:  # the values: only what the view does not show
                strokes = np.where(strokes > _HIDDEN * shown[reduced], strokes, 0).astype(np.uint8)
            areas[reduced] = areas_of(worth_a_look(strokes) & cells, strokes.shape)
            new[reduced] = strokes
        for one in _seen(picture, areas, number):
            if _has_strokes(one.box, new[one.level < 1], picture.shape):
                yield one


def _has_strokes(box: Box, strokes: NDArray[np.uint8], shape: tuple[int, ...]) -> bool:
    """Whether there is what could be a letter in a box of a picture of that shape: the strokes may be of its half."""
    ratio = strokes.shape[0] / shape[0]
    rows, columns = (slice(int(ratio * start), math.ceil(ratio * stop)) for start, stop in (box[1::2], box[:4:2]))
    return int(np.count_nonzero(strokes[rows, columns] >= CONTRASTS[0])) >= LEAST


def _seen(picture: Picture, areas: dict[bool, list[Part]], number: int) -> Iterator[_Candidate]:
    """Lines in areas of a picture, and in those of its half."""
    small = picture.shape[0] * picture.shape[1] <= _MAGNIFIED[1]
    unsure: list[Box] = []
    for level in (*_LEVELS, _MAGNIFIED[0]) if small else _LEVELS:
        at = resized(picture, level) if level < 1 else picture
        if level < 1 and max(at.shape[:2]) < _SMALLEST:
            continue
        ratio = 1.0 if level >= 1 else level / 0.5
        for rows, columns in areas[level < 1]:
            part = _scaled(rows, ratio, at.shape[0]), _scaled(columns, ratio, at.shape[1])
            lines, spots = _look(at, part, level)
            unsure += spots if level == 1 and not small else []
            yield from (_Candidate(line, level, number) for line in lines)
    for part in parts_around(unsure, picture.shape):
        lines, _ = _look(picture, part, _MAGNIFIED[0])
        yield from (_Candidate(line, 1.0, number, again=True) for line in lines if line.score >= _BORNE_OUT)


def _look(at: Picture, part: Part, level: float) -> tuple[list[Box], list[Box]]:
    """Lines in a part of a picture that is shown reduced, or not yet magnified, to a level; and where it is unsure."""
    magnified, reduced = max(level, 1.0), min(level, 1.0)
    area = at[part]
    if min(area.shape[:2]) < 8:
        return [], []
    whole, middle = scores_of(resized(area, magnified))

    def placed(box: Box) -> Box:
        left, top, right, bottom = (
            round((start + side / magnified) / reduced)
            for side, start in zip(box[:4], (part[1].start, part[0].start) * 2, strict=True)
        )
        return Box(left, top, right, bottom, box.score)

    # What is taller is told by a coarser look; at the coarsest it is an organ.
    lines = [placed(line) for line in lines_of(whole, middle) if line.height <= _TALLEST]
    return lines, [placed(spot) for spot in unsure_of(middle)]


def _proved(pictures: Sequence[Picture], candidates: list[_Candidate], known: list[Box]) -> tuple[list[Box], bool]:
    """Those that can be read, and those that continue them; and whether all that are likely were read."""
    likely = (
        one for one in candidates if one.box.score >= (_LIKELY if one.box.length < _LONG * one.box.height else _FAINT)
    )
    reader = _Reader(pictures, known)
    complete = reader.read(sorted(likely, key=lambda one: (-one.level, one.again, -one.box.score)))
    for stack in _stacks(pictures, reader.refused):
        complete &= reader.read_stack(stack)
    kept, refused, signs = reader.kept, reader.refused, reader.signs
    # Seen in two looks at a picture, a sign bears itself out as one beside it does.
    kept += [sign for sign in signs if any(sign != other and continues(sign, other) for other in signs)]
    signs += _signs_beside(pictures, refused, [*signs, *(line for line in kept if line.score < _CONTINUED)])
    kept += [sign for sign in signs if sign not in kept and any(beside(sign, other) for other in (*signs, *kept))]
    return kept + _continued(kept, [one.box for one in candidates]), complete


class _Reader:
    """What was read of the candidates in a picture, and what could not be."""

    def __init__(self, pictures: Sequence[Picture], known: list[Box]) -> None:
        self.kept: list[Box] = []
        self.signs: list[Box] = []
        self.refused: list[_Candidate] = []
        self._pictures, self._left = pictures, MOST_READ
        self._masked = painted(known, pictures[0].shape)

    def read(self, likely: Sequence[_Candidate]) -> bool:
        """Read those that are not masked with others. False where there are more than may be read in a picture."""
        for one in likely:
            if self._is_done(one):
                continue
            if self._left == 0:
                return False
            self._left -= 1
            self._read(one)
        return True

    def read_stack(self, lines: Sequence[_Candidate]) -> bool:
        """The same of lines beneath each other, which must bear each other out."""
        before, masked = len(self.kept), self._masked.copy()
        complete = self.read(lines)
        if len(self.kept) - before < _FEWEST_OF_A_STACK:
            del self.kept[before:]
            self._masked = masked
        return complete

    def _is_done(self, one: _Candidate) -> bool:
        left, top, right, bottom, _ = one.box
        share = float(self._masked[top:bottom, left:right].mean())
        if share > _COVERED or (share and _spans(one.box, self.kept)):
            return True
        return any(_same(one.box, other.box) for other in self.refused if other.picture == one.picture)

    def _read(self, one: _Candidate) -> None:
        picture = self._pictures[one.picture]
        proof = proved(picture, one.box)
        if proof.score > 0:
            box = one.box._replace(score=proof.score)
            self._keep(box, *ends_of(picture, box, proof.turns))
            return
        if proof.sign in TELLING and one.box.score >= _PLAIN and (both := self._initials(one, proof.turns)):
            self._keep(both)
            return
        self.refused.append(one)
        if proof.sign:
            self.signs.append(one.box._replace(score=_BESIDE))

    def _keep(self, *boxes: Box) -> None:
        self.kept += boxes
        for box in boxes:
            left, top, right, bottom, _ = _with_margins(box, self._masked.shape)
            self._masked[top:bottom, left:right] = True

    def _initials(self, one: _Candidate, turns: int) -> Box | None:
        """Of "J. D." the finder sees the one, and the other is read where it ends: both, if they can be read."""
        picture = self._pictures[one.picture]
        parts = [one.box, *ends_of(picture, one.box, turns)]
        both = around(parts)
        score = proved(picture, both).score if len(parts) > 1 else 0.0
        return both._replace(score=score) if score > 0 else None


def _stacks(pictures: Sequence[Picture], refused: Sequence[_Candidate]) -> Iterator[list[_Candidate]]:
    """Of blocks that are surely text and cannot be read as one line, the lines."""
    for one in tuple(refused):
        if one.box.score >= _SURE:
            stacks = stacks_in(pictures[one.picture], one.box)
            yield from ([one._replace(box=line) for line in lines] for lines in stacks)


def _signs_beside(pictures: Sequence[Picture], refused: list[_Candidate], signs: list[Box]) -> list[Box]:
    """Signs that are faint, or tell little by themselves, in one line with such as were read: initials."""
    near = [one for one in refused if any(beside(one.box, sign) for sign in signs)]
    return [one.box._replace(score=_BESIDE) for one in near if is_sign(pictures[one.picture], one.box)]


def _continued(lines: list[Box], others: list[Box]) -> list[Box]:
    """What goes on in a line that was read with certainty: letters that are faint, or over something else."""
    found: list[Box] = []
    reached = [line for line in lines if line.score >= _CONTINUED]
    while reached:
        line = reached.pop()
        more = [box for box in others if box not in found and continues(line, box)]
        found += more
        # Not from one faint piece to the next: tissue is full of them.
        reached += [box for box in more if box.score >= _CONTINUED]
    return found


def _spans(box: Box, lines: list[Box]) -> bool:
    """Whether it is several lower lines, and what is between them, that a reduced picture shows as one.

    Pieces of one line, as the finder sees in letters that are too large for it, lie beside each other.
    """
    within = [line for line in lines if 1.6 * line.height < box.height and share_within(line, [box]) > 0.7]
    if _beside_each_other(within):
        return False
    return bool(within) and share_within(box, within) > (0.25 if len(within) > 1 else 0.4)


def _beside_each_other(pieces: list[Box]) -> bool:
    """Whether several boxes are all in one line."""
    if len(pieces) < 2:
        return False
    along = [piece.transposed() for piece in pieces] if pieces[0].turned else pieces
    return max(piece.top for piece in along) < min(piece.bottom for piece in along)


def _with_margins(box: Box, shape: tuple[int, ...]) -> Box:
    return box.grown(_MARGIN * box.height + 1, shape, ends=_AT_ENDS * box.height + 1)


def _same(box: Box, other: Box) -> bool:
    return share_within(box, [other]) > 0.7 and share_within(other, [box]) > 0.7


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
