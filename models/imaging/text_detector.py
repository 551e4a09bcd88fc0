"""Where in a picture is text? PP-OCRv4's line detector (DBNet) on the parts of an image that have strokes in them.

Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020. Knows nothing of DICOM, nor of
what is done with the text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from models.imaging.text_boxes import Box, continues, distinct, height_of, joined, painted, share, shrunk, transposed

MODEL = Path(__file__).parent / "text" / "PP-OCRv4_det.onnx"
VERSION = "PP-OCRv4_det+3"
"""Of the model and of the rules here. Raised when the same picture would give other boxes."""

LOWEST = 0.2
"""Score of the pixels that are gathered into one line; no box has a lower one."""
MOST_PIXELS = 2**22
"""Larger pictures are looked at reduced to so many."""
MOST_WORKING_PIXELS = 6_500_000
"""Given to the model for one picture, over all its passes: what bounds the time."""


class _Pass(NamedTuple):
    """One look at the picture. Each finds text that the others miss: the model wants it 12 to 60 px high."""

    level: float
    """Magnification."""
    picture: Literal["shown", "even", "dark"]
    """As it is shown; with its local contrast evened out, for faint text; or dark strokes alone, shown bright."""
    turned: bool
    """By 90 degrees, for vertical text."""
    share: float
    """Of MOST_WORKING_PIXELS; what one leaves goes to the next."""


_PASSES = (
    _Pass(2.0, "even", True, 0.17), _Pass(2.0, "shown", False, 0.17), _Pass(1.0, "shown", False, 0.08),
    _Pass(1.0, "even", True, 0.08), _Pass(1.0, "shown", True, 0.07), _Pass(1.5, "dark", False, 0.07),
    _Pass(3.0, "shown", False, 0.3), _Pass(0.5, "shown", False, 0.03), _Pass(0.5, "shown", True, 0.03),
)  # fmt: skip
_ASIDE = 3.0
"""Magnification from which a pass is for what is small and faint, as far as its pixels go: it makes none incomplete."""
_LEVELS = (1.0, 0.5)
"""At which strokes are sought: of the passes, those below 1, and 1 for all others."""
_TALLEST = 28
"""Of a line's core in a pass, px. What is taller is an organ here; if it is text, a coarser pass finds it."""
_ENDS, _SIDES = 1.5, 0.7
"""The model scores the core of a line, about 0.45 of its height. A box grows by so many cores at its ends and sides."""
_REACH = 6
"""How many heights a line is followed beyond each of its ends."""
_BEST = 40
"""Height of a box, px, at which a line is followed."""
_CONFIRMING = (_BEST, 56)
"""Heights of a box, px, at one of which what is seen among dark strokes alone must be seen again."""
_LARGE = 70
"""Height of a box, px, above which it is doubted."""
_MOST_FOLLOWING = 600_000
"""Given to the model for that, px."""
_FAINTEST = (10, 16, 24, 36, 54, 80, 120)
"""Contrasts of strokes that are worth a look, of 255: the first at which all areas fit into the pass' pixels."""
_CELL = 32
_STROKES_IN_CELL = 6
_BUSIER, _AND_MORE = 1.5, 12
"""So many times the strokes that a place has in other pictures of a cine, and so many more, make it unusual."""
_STRIKING = 60
"""Contrast from which new strokes are looked at wherever they are."""
_SMALLEST = 128
"""Longest side, px, below which a reduced picture holds nothing that can be read."""

Grey = NDArray[np.uint8]
View = NDArray[np.uint8]
Values = NDArray[np.float32]
Rectangle = tuple[int, int, int, int]
"""Left, top, right, bottom; right and bottom exclusive."""


class _Line(NamedTuple):
    """The core of a line of text in one area, px of the pass, and how far the line reaches beyond it."""

    left: float
    top: float
    right: float
    bottom: float
    across: float
    down: float
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """The text of one picture."""

    boxes: tuple[Box, ...]
    complete: bool
    """False where the picture had more strokes than could be looked at: those of the highest contrast were. The look
    three times magnified does not count."""


class Known:
    """Pictures of one size that were looked at: their strokes, at each magnification below 1 and at 1 itself.

    Args:
        pictures: view and values of each, as `find_text` takes them.
        moving: whether they are so many of a cine that its other pictures are like them. Then only what is bright or
            dark, or a place with more strokes than it had in any of them, is looked at again: speckle, which moves,
            has as many in each.
    """

    def __init__(self, pictures: Sequence[tuple[View, Values | None]], *, moving: bool = False) -> None:
        each = [_Detail(*picture) for picture in pictures]
        self._strokes = {level: np.maximum.reduce([one.strokes(level) for one in each]) for level in _LEVELS}
        self._cells = {
            level: np.maximum.reduce([_cells_by_contrast(one.strokes(level)) for one in each]) for level in _LEVELS
        } if moving else None  # fmt: skip

    def unlike(self, strokes: Grey, level: float) -> Grey:
        """Strokes of another picture of that size, without those that are as strong here."""
        new = np.where(strokes > self._strokes[level], strokes, 0).astype(np.uint8)
        if self._cells is None:
            return new
        usual = self._cells[level]
        unusual = (_cells_by_contrast(strokes) > usual * _BUSIER + _AND_MORE).any(axis=0)
        unusual |= _cells(new >= _STRIKING) >= _STROKES_IN_CELL
        inside = np.repeat(np.repeat(unusual, _CELL, axis=0), _CELL, axis=1)
        return np.where(inside[: new.shape[0], : new.shape[1]], new, 0).astype(np.uint8)


class _Detail:
    """A picture reduced to what can be looked at, and its strokes, each level of them computed once."""

    def __init__(self, view: View, values: Values | None) -> None:
        self.scale = min(1.0, (MOST_PIXELS / (view.shape[0] * view.shape[1])) ** 0.5)
        self.view: View = _resized(view, self.scale)
        self.greys = _greys(self.view, _resized(values, self.scale))
        self._strokes: dict[float, Grey] = {}

    def strokes(self, level: float) -> Grey:
        if level not in self._strokes:
            self._strokes[level] = _strokes(self.greys, level)
        return self._strokes[level]

    @cached_property
    def even(self) -> Grey:
        return _evened(self.greys[-1])

    @cached_property
    def dark(self) -> Grey:
        """What is darker than all around it and thinner than 9 px, its contrast three times as strong."""
        strokes = cv2.morphologyEx(self.greys[-1], cv2.MORPH_BLACKHAT, np.ones((9, 9), np.uint8))
        return np.minimum(strokes.astype(np.uint16) * 3, 255).astype(np.uint8)

    def picture(self, kind: Literal["shown", "even", "dark"]) -> View:
        return self.view if kind == "shown" else self.even if kind == "even" else self.dark


def find_text(view: View, values: Values | None = None, *, known: Known | None = None) -> Found:
    """Lines of text, horizontal or vertical, with capitals of 8 px or more.

    Args:
        view: (rows, columns) or (rows, columns, 3), as it is shown.
        values: (rows, columns), of a picture of more than 8 bits: text that the view's window hides is still in them.
        known: of pictures of the same size that were looked at before. Only where there are strokes that they do not
            have is looked at.
    """
    rows, columns = view.shape[:2]
    detail = _Detail(view, values)
    boxes: list[Box] = []
    seen = np.zeros((rows, columns), bool)
    budget, complete = 0.0, True
    for one in _PASSES:
        budget += one.share * MOST_WORKING_PIXELS
        reduced, magnified = min(one.level, 1.0), max(one.level, 1.0)
        if reduced < 1 and max(detail.view.shape) * reduced < _SMALLEST:
            continue
        strokes = detail.strokes(reduced)
        areas, all_of_them = _areas(known.unlike(strokes, reduced) if known else strokes, budget / magnified**2)
        complete &= all_of_them or one.level >= _ASIDE
        if not areas:
            continue
        picture = _resized(detail.picture(one.picture), reduced)
        for left, top, right, bottom in areas:
            budget -= (right - left) * (bottom - top) * magnified**2
            within = _resized(picture[top:bottom, left:right], magnified)
            for line in _lines(_scores(within, turned=one.turned)):
                place = _Place(left, top, magnified, reduced * detail.scale, rows, columns)
                # A coarse pass draws wide boxes: what a finer one found keeps its own.
                if one.level < 1 and share(seen, place.box(line, 0)) > 0.95:
                    continue
                if one.picture != "dark" or _confirmed(detail.dark, place.box(line, 1), detail.scale, rows, columns):
                    boxes.append(place.box(line, 1))
        for left, top, right, bottom, _ in boxes:
            seen[top:bottom, left:right] = True
    if not boxes:
        return Found((), complete)
    # Apart: a large box is doubted, and the lines within it must not go with it.
    large = [box for box in boxes if height_of(shrunk(box, detail.scale)) > _LARGE]
    lines = [box for box in boxes if box not in large]
    boxes = _followed(detail.even, [*distinct(lines), *distinct(large)], detail.scale, rows, columns)
    return Found(tuple(distinct(joined(boxes))), complete)


def _confirmed(picture: Grey, box: Box, scale: float, rows: int, columns: int) -> bool:
    """Whether a line is seen there at one of two other heights too: gaps between organs seldom are."""
    flat = shrunk(box, scale)
    turned = flat.bottom - flat.top > flat.right - flat.left
    height = height_of(flat)
    left, top = max(0, flat.left - height), max(0, flat.top - height)
    part = picture[top : flat.bottom + height, left : flat.right + height]
    for wanted in _CONFIRMING:
        magnified = min(4.0, wanted / height)
        place = _Place(left, top, magnified, scale, rows, columns)
        lines = _seen(part, place, turned=turned)
        if share(painted(lines, (rows, columns)), box) > 0.5:
            return True
    return False


def _seen(part: Grey, place: "_Place", *, turned: bool) -> list[Box]:
    """The lines of a part of a picture, looked at as much magnified as `place` says."""
    scores = _scores(_resized(part, place.magnified), turned=turned)
    return [place.box(line, 1) for line in _lines(scores)]


def _followed(even: Grey, boxes: list[Box], scale: float, rows: int, columns: int) -> list[Box]:
    """Each line with the rest of it, looked for in its direction at the height that the model likes best.

    A large box in which no line is seen then is left out: it was a blob of tissue.
    """
    kept: list[Box] = []
    budget = _MOST_FOLLOWING
    for box in boxes:
        flat = shrunk(box, scale)
        turned = flat.bottom - flat.top > flat.right - flat.left
        height = height_of(flat)
        across, down = (height // 3, _REACH * height) if turned else (_REACH * height, height // 3)
        left, top = max(0, flat.left - across), max(0, flat.top - down)
        part = even[top : flat.bottom + down, left : flat.right + across]
        magnified = min(4.0, _BEST / height)
        budget -= int(part.size * magnified**2)
        if budget < 0:
            kept.append(box)
            continue
        place = _Place(left, top, magnified, scale, rows, columns)
        lines = _seen(part, place, turned=turned)
        lines = [one for one in lines if continues(*((transposed(box), transposed(one)) if turned else (box, one)))]
        if height <= _LARGE or share(painted(lines, (rows, columns)), box) > 0.5:
            kept += [box, *lines]
    return kept


def _resized(picture: Any, scale: float) -> Any:
    if scale == 1 or picture is None:
        return picture
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    return cv2.resize(picture, size, interpolation=how)


def _greys(view: View, values: Values | None) -> list[Grey]:
    """The view without colour, and the values over their whole range."""
    greys: list[Any] = [view if view.ndim == 2 else cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)]
    if values is not None:
        low, high = float(values.min()), float(values.max())
        greys.append(((values - low) * (255 / ((high - low) or 1))).astype(np.uint8))
    return greys


def _evened(grey: Grey) -> Grey:
    """Local mean 128 and local standard deviation 45, over some 60 px."""

    def local(picture: Values) -> Any:
        small: Any = cv2.resize(picture, [max(1, side // 8) for side in grey.shape[::-1]], interpolation=cv2.INTER_AREA)
        return cv2.resize(cv2.GaussianBlur(small, (0, 0), 2), grey.shape[::-1])

    difference = grey.astype(np.float32)
    difference -= local(difference)
    spread = np.sqrt(local(difference * difference) + np.float32(36))
    return np.clip(128 + difference / spread * 45, 0, 255).astype(np.uint8)


def _strokes(greys: list[Grey], scale: float) -> Grey:
    """How much a pixel stands out, in any of the pictures, as part of something thinner than 5 px, light or dark."""
    kernel = np.ones((5, 5), np.uint8)
    pictures = [_resized(grey, scale) for grey in greys]
    light = [cv2.morphologyEx(picture, cv2.MORPH_TOPHAT, kernel) for picture in pictures]
    dark = [cv2.morphologyEx(picture, cv2.MORPH_BLACKHAT, kernel) for picture in pictures]
    return np.maximum.reduce(light + dark)


def _cells(chosen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How many pixels are chosen in each cell."""
    rows, columns = chosen.shape
    padded = np.pad(chosen.astype(np.float32), ((0, -rows % _CELL), (0, -columns % _CELL)))
    shares = cv2.resize(padded, None, fx=1 / _CELL, fy=1 / _CELL, interpolation=cv2.INTER_AREA)
    return np.rint(shares * np.float32(_CELL**2))


def _cells_by_contrast(strokes: Grey) -> NDArray[np.float32]:
    """(contrasts, rows, columns): pixels of each cell with strokes of at least each contrast."""
    return np.stack([_cells(strokes >= contrast) for contrast in _FAINTEST])


def _areas(strokes: Grey, most: float) -> tuple[list[Rectangle], bool]:
    """Rectangles around cells with strokes, of at most `most` px together, and whether none had to be left out."""
    rows, columns = strokes.shape
    for contrast in _FAINTEST:
        chosen = (_cells(strokes >= contrast) >= _STROKES_IN_CELL).astype(np.uint8)
        # A ring of cells around them: the model needs to see that a line ends.
        _, _, found, _ = cv2.connectedComponentsWithStats(cv2.dilate(chosen, np.ones((3, 3), np.uint8)))
        areas: list[Rectangle] = []
        for x, y, width, height, _ in (found[1:] * _CELL).tolist():
            areas.append((x, y, min(x + width, columns), min(y + height, rows)))
        size = sum((right - left) * (bottom - top) for left, top, right, bottom in areas)
        if size > rows * columns:
            areas, size = [(0, 0, columns, rows)], rows * columns
        if size <= most:
            return areas, contrast == _FAINTEST[0]
    return [], False


@lru_cache(maxsize=1)
def _session() -> Any:
    """Loaded by the first picture that is looked at, and by no other."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # Areas differ in size, and the arena would keep the memory of each.
    options.log_severity_level = 4
    return ort.InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])


def _scores(picture: View, *, turned: bool) -> NDArray[np.float32]:
    """The model's score of each pixel: is it the core of a line of text?"""
    if turned:  # so that what reads from bottom to top stands upright
        picture = np.rot90(picture, -1)
    rows, columns = picture.shape[:2]
    colours = np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else picture[..., ::-1]
    # The model halves its input five times.
    padded = np.pad(colours, ((0, -rows % 32), (0, -columns % 32), (0, 0)), mode="edge")
    batch = np.ascontiguousarray(padded.transpose(2, 0, 1)[None], dtype=np.float32)
    batch /= 127.5
    batch -= 1
    scores = _session().run(None, {"x": batch})[0][0, 0, :rows, :columns]
    return np.rot90(scores) if turned else scores


def _lines(scores: NDArray[np.float32]) -> Iterator[_Line]:
    cores = np.ascontiguousarray(scores >= LOWEST, dtype=np.uint8)
    _, labels, found, _ = cv2.connectedComponentsWithStats(cores, connectivity=8)
    for label, (x, y, width, height, area) in enumerate(found.tolist()):
        core = min(width, height)
        if label == 0 or area < 6 or core > _TALLEST:
            continue
        where = np.s_[y : y + height, x : x + width]
        across, down = (_ENDS, _SIDES) if width >= height else (_SIDES, _ENDS)
        # Rounding takes some a little above 1.
        score = min(float(scores[where][labels[where] == label].max()), 1.0)
        yield _Line(x, y, x + width, y + height, across * core + 2, down * core + 2, score)


class _Place(NamedTuple):
    """Where an area lies in the picture."""

    left: int
    top: int
    magnified: float
    reduced: float
    rows: int
    columns: int

    def box(self, line: _Line, growth: float) -> Box:
        """A line in pixels of the picture, grown by so much of its reach."""
        left, right = (
            self._within(self.left, x, self.columns)
            for x in (line.left - growth * line.across, line.right + growth * line.across)
        )
        top, bottom = (
            self._within(self.top, y, self.rows)
            for y in (line.top - growth * line.down, line.bottom + growth * line.down)
        )
        return Box(left, top, right, bottom, line.score)

    def _within(self, start: int, at: float, most: int) -> int:
        return min(max(round((start + at / self.magnified) / self.reduced), 0), most)
