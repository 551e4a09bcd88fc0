"""Text burned into pixels: which images are looked at for it, what is masked, and what is said of that.

PS3.15 E.3.1 (Clean Pixel Data Option) asks for it and leaves the way open. Knows nothing of how text is found.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.imaging.errors import IdentifyingPixels, TextOverRegion, UncertainText
from models.imaging.frames import Frame, identify
from models.imaging.header import Header, valid
from models.imaging.image_types import is_of_screen
from models.imaging.masking import Rectangle, apart_from, covered, marked_in, masked
from models.imaging.png import Stored
from models.imaging.policy import BurnedInPolicy as BurnedInPolicy
from models.imaging.policy import Decision as Decision
from models.imaging.quantities import Quantities
from models.imaging.text import VERSION, Box, Clip, Found, can_be_read, find_text
from models.imaging.text.clip import SAMPLES
from models.imaging.windows import render
from schemas.failures import InvalidInput
from schemas.images import MaskedBox, PixelCleaning, ScanReason

CERTAIN = 0.6
"""Score from which a box is text; below, the policy decides."""
OVER_REGIONS = 0.9
"""Score from which a box is text where the source marks a region too; below, the region stays whole."""
_FEWEST = 4
"""Frames that make a clip; fewer are searched each by itself."""
_LEAST_SHARE = 0.1
"""Of the image that ultrasound regions must cover for what is outside them to be called furniture."""
_MOSTLY = 0.5
"""Of a box."""
_BEYOND = 2
"""px that an ultrasound region may reach beyond the image: devices count from 0 or 1. With more it is another's."""

_Picture = tuple[NDArray[np.uint8], NDArray[np.float32] | None]
"""A view, and of more than 8 bits its values."""

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
# Modality (PS3.3 C.7.3.1.1.1): those whose images usually or often carry text.
_ULTRASOUND = frozenset({"US", "IVUS", "BDUS"})
_VISIBLE_LIGHT = frozenset({"XC", "ES", "GM", "DMS", "OP"})
_PROJECTION = frozenset({"CR", "DX", "RG", "RF", "XA", "MG", "IO", "PX", "RTIMAGE"})
# Those whose originals have none; those that are no pictures at all, and slides, whose labels are refused as a whole.
_CROSS_SECTIONS = frozenset({"CT", "MR", "PT", "NM"})
_NO_PICTURES = frozenset({"SEG", "RTDOSE", "SM"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a source says that bears on text in its pixels."""

    reason: ScanReason
    declared: bool = False
    """Burned In Annotation (0028,0301) is YES."""
    recognizable: bool | None = None
    """Recognizable Visual Features (0028,0302)."""
    ultrasound_regions: tuple[Rectangle, ...] = ()


UNKNOWN_SOURCE = Evidence("unknown source")
"""Of a picture without a header: it may be of anything."""
NOT_SUSPECTED = Evidence("not suspected")
"""Of what no screen has shown: volumes of voxels, tiles of a slide."""


def evidence_of(header: Header) -> Evidence:
    """Read the header. Burned In Annotation NO is not believed: devices write it without looking."""
    declared = header.text("BurnedInAnnotation") == "YES"
    return Evidence(
        reason="declared" if declared else _reason(header),
        declared=declared,
        recognizable={"YES": True, "NO": False}.get(header.text("RecognizableVisualFeatures") or ""),
        ultrasound_regions=tuple(_regions(header)),
    )


def _reason(header: Header) -> ScanReason:
    code, kind = header.text("Modality") or "", header.text("SOPClassUID") or ""
    image_type = header.words("ImageType")
    if code in _NO_PICTURES or header.number("BitsAllocated") == 1:
        return "not suspected"
    if kind == _SECONDARY_CAPTURE or kind.startswith(_SECONDARY_CAPTURE + ".") or header.text("ConversionType"):
        return "secondary capture"
    if is_of_screen(image_type):
        return "screen capture"
    if code in _ULTRASOUND or header.items("SequenceOfUltrasoundRegions"):
        return "ultrasound"
    if code in _VISIBLE_LIGHT:
        return "visible light"
    if code in _PROJECTION:
        return "projection X-ray"
    if code in _CROSS_SECTIONS:
        colour = header.number("SamplesPerPixel") == 3 or header.photometric == "PALETTE COLOR"
        return "derived" if colour or image_type[1:2] != ("PRIMARY",) else "not suspected"
    return "unknown source"


def _regions(header: Header) -> list[Rectangle]:
    """Where the data of an ultrasound image is (PS3.3 C.8.5.5.1; the far corner belongs to the region).

    None where one reaches beyond the image: it was made smaller, and they are those of the larger one.
    """
    found: list[Rectangle] = []
    rows, columns = (int(valid(header.number(side)) or 0) for side in ("Rows", "Columns"))
    for item in header.items("SequenceOfUltrasoundRegions"):
        corners = [valid(header.number(f"RegionLocation{end}", item)) for end in ("MinX0", "MinY0", "MaxX1", "MaxY1")]
        if None in corners:
            return []
        left, top, right, bottom = (int(corner or 0) for corner in corners)
        if right >= columns + _BEYOND or bottom >= rows + _BEYOND:
            return []
        found.append((left, top, right + 1, bottom + 1))
    return found


@dataclass(frozen=True, eq=False)
class Cleaner:
    """Masks the text of one object's frames.

    What is masked in a frame depends on that frame and on samples of all, never on the order in which they are read.
    """

    evidence: Evidence
    policy: BurnedInPolicy | None
    """None: nothing is looked at, masked or said, as for masks that people drew."""
    frames: int
    quantities: Callable[[int], Quantities] = field(repr=False)
    """Decode one frame. Raises an InvalidInput."""

    def clean(self, frame: Frame) -> Frame:
        """A frame without its text; its metadata tell what was done. Raises as `cleaned`."""
        if self.policy is None:
            return frame
        found = Quantities(frame.stored, frame.slope, frame.intercept, frame.unit, frame.window, frame.inverted)
        marked = marked_in(frame.annotations, frame.stored.shape) if frame.annotations else None
        stored, cleaning = self.cleaned(found, self.policy, marked)
        metadata = frame.metadata.model_copy(update={"pixel_cleaning": cleaning})
        if stored is frame.stored:
            return replace(frame, metadata=metadata)
        named = identify(stored, frame.slope, frame.intercept, frame.unit, frame.index, frame.inverted)
        return replace(frame, stored=stored, metadata=metadata, image_id=named)

    def cleaned(
        self, found: Quantities, policy: BurnedInPolicy, marked: NDArray[np.bool_] | None = None
    ) -> tuple[Stored, PixelCleaning]:
        """The pixels of a frame without its text, the same array where there is none, and what was done.

        Args:
            found: the frame, as `quantities` decodes it.
            policy: for what is uncertain, or lies over a region that the source marks.
            marked: (rows, columns), those regions.

        Raises:
            IdentifyingPixels: the header says that there is text, and none was found.
            UncertainText, TextOverRegion: by policy.
            InvalidInput: the frames that the clip is known by cannot be decoded.
        """
        evidence = self.evidence
        stored, outside = _inside(found.stored, evidence.ultrasound_regions, inverted=found.inverted)
        scanned = policy.always or evidence.reason != "not suspected"
        text = self._text(replace(found, stored=stored)) if scanned else Found((), complete=True)
        boxes, hidden, left = _apart_from_regions(
            _to_mask(text, policy),
            marked,
            policy.over_regions,
            lambda box, trimmed: can_be_read(box, *_shown(replace(found, stored=masked(stored, trimmed)))),
        )
        if evidence.declared and not boxes and not outside:
            raise IdentifyingPixels
        if boxes:
            stored = masked(stored, boxes)
        cleaning = PixelCleaning(
            scanned=scanned,
            reason="policy" if scanned and evidence.reason == "not suspected" else evidence.reason,
            policy=str(policy),
            detector=VERSION if scanned else None,
            complete=text.complete,
            boxes=tuple(MaskedBox(**box._asdict()) for box in boxes),
            masked_share=float(covered(stored.shape, boxes, evidence.ultrasound_regions if outside else ()).mean()),
            outside_ultrasound_regions=outside,
            masked_over_regions_px=hidden,
            left_over_regions_px=left,
            recognizable_visual_features=evidence.recognizable,
        )
        return stored, cleaning

    def _text(self, found: Quantities) -> Found:
        clip = self._clip
        picture = _shown(found)
        if clip is None or clip.shape != picture[0].shape:
            return find_text(*picture)
        here = find_text(*picture, usual=clip)
        return Found(clip.static.boxes + here.boxes, clip.static.complete and here.complete)

    @cached_property
    def _clip(self) -> Clip | None:
        """None of so few frames that each is searched by itself, and where no sample can be decoded."""
        if self.frames < _FEWEST:
            return None
        samples = _alike(self._samples())
        return Clip(samples) if samples else None

    def _samples(self) -> Iterator[_Picture]:
        for index in sorted({round(at) for at in np.linspace(0, self.frames - 1, SAMPLES)}):
            try:
                found = self.quantities(index)
            except InvalidInput:
                continue  # told by the frame itself
            stored, _ = _inside(found.stored, self.evidence.ultrasound_regions, inverted=found.inverted)
            yield _shown(replace(found, stored=stored))


def _alike(pictures: Iterator[_Picture]) -> list[_Picture]:
    """Those of the first one's shape and kind."""
    kept: list[_Picture] = []
    for view, values in pictures:
        if not kept or (view.shape == kept[0][0].shape and (values is None) == (kept[0][1] is None)):
            kept.append((view, values))
    return kept


def _to_mask(text: Found, policy: BurnedInPolicy) -> list[Box]:
    certain = [box for box in text.boxes if box.score >= CERTAIN]
    if policy.uncertain == "dead-letter" and (len(certain) < len(text.boxes) or not text.complete):
        raise UncertainText
    return certain if policy.uncertain == "pass" else list(text.boxes)


def _apart_from_regions(
    boxes: list[Box],
    marked: NDArray[np.bool_] | None,
    decision: Decision,
    can_be_read: Callable[[Box, list[Box]], bool],
) -> tuple[list[Box], int, int]:
    """Boxes to mask; and of the marked regions, how many px they hide, and how many that may hold text are left.

    A box ends where a region begins. Only what can still be read then, beyond doubt, lies over the region.

    Args:
        boxes: around text.
        marked: (rows, columns), where the regions are.
        decision: about what lies over one.
        can_be_read: whether the text of a box can be read once others are masked.

    Raises:
        TextOverRegion: by decision.
    """
    if marked is None or not (marked & covered(marked.shape, boxes, ())).any():
        return boxes, 0, 0
    over = {box: float(marked[box.top : box.bottom, box.left : box.right].mean()) for box in boxes}
    certain = [box for box in boxes if over[box] and box.score >= OVER_REGIONS]
    # What is uncertain and for the most part marked is the region, not text beside it.
    trimmed = {box: list(apart_from(box, marked)) for box in boxes if box in certain or over[box] <= _MOSTLY}
    parts = list(itertools.chain(*trimmed.values()))
    readable = [box for box in certain if can_be_read(box, parts)]
    if readable and decision == "dead-letter":
        raise TextOverRegion
    whole = readable if decision == "mask" else []
    kept = [part for box, each in trimmed.items() for part in ([box] if box in whole else each)]
    hidden = marked & covered(marked.shape, kept, ())
    unsure = [box for box in boxes if over[box] and (box not in certain or box in readable)]
    left = marked & covered(marked.shape, unsure, ()) & ~hidden
    return kept, int(hidden.sum()), int(left.sum())


def _inside(stored: Stored, regions: tuple[Rectangle, ...], *, inverted: bool) -> tuple[Stored, bool]:
    """The pixels with what lies outside the regions black, and whether anything does."""
    if not regions:
        return stored, False
    outside = covered(stored.shape, [], regions)
    if not outside.any() or 1 - outside.mean() < _LEAST_SHARE:
        return stored, False
    copy = stored.copy()
    copy[outside] = stored.max() if inverted else stored.min()
    return copy, True


def _shown(found: Quantities) -> _Picture:
    """The view, and of grey pixels of more than 8 bits the values too: a window can hide text."""
    stored = found.stored.astype(np.float32)
    view = render(stored * np.float32(found.slope) + np.float32(found.intercept), found.window, found.inverted)
    return view, stored if stored.ndim == 2 and found.stored.dtype != np.uint8 else None
