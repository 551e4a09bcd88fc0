"""Text burned into pixels: which images are looked at for it, what is masked, and what is said of that.

PS3.15 E.3.1 (Clean Pixel Data Option) asks for it and leaves the way open. Knows nothing of how text is found.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from models.imaging.errors import IdentifyingPixels, UncertainText
from models.imaging.frames import Frame, frame_of
from models.imaging.header import Header, valid
from models.imaging.photometric import photometric_of
from models.imaging.png import Stored
from models.imaging.quantities import Quantities
from models.imaging.text_boxes import Box
from models.imaging.text_detector import VERSION, Found, Known, find_text
from models.imaging.windows import render
from schemas.failures import InvalidInput
from schemas.images import ImageMetadata, MaskedBox, PixelCleaning, ScanReason

CERTAIN = 0.6
"""Score from which a box is text; below, the policy decides."""
_LEAST_SHARE = 0.1
"""Of the image that ultrasound regions must cover for what is outside them to be called furniture."""
_RING = 3

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
# Modality (PS3.3 C.7.3.1.1.1): those whose images usually or often carry text.
_ULTRASOUND = frozenset({"US", "IVUS", "BDUS"})
_VISIBLE_LIGHT = frozenset({"XC", "ES", "GM", "DMS", "OP"})
_PROJECTION = frozenset({"CR", "DX", "RG", "RF", "XA", "MG", "IO", "PX", "RTIMAGE"})
# Those whose originals have none; those that are no pictures at all, and slides, whose labels are refused as a whole.
_CROSS_SECTIONS = frozenset({"CT", "MR", "PT", "NM"})
_NO_PICTURES = frozenset({"SEG", "RTDOSE", "SM"})
_SCREENS = ("SCREEN", "DOSE", "REPORT", "PROTOCOL")

Rectangle = tuple[int, int, int, int]
"""Left, top, right, bottom; right and bottom exclusive."""


@dataclass(frozen=True, slots=True)
class BurnedInPolicy:
    """What is done with uncertain text: `mask`, `dead-letter` or `pass`; with `:always`, every image is looked at.

    Text that the detector is certain of is always masked.
    """

    uncertain: Literal["mask", "dead-letter", "pass"] = "mask"
    always: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a setting.

        Raises:
            ValueError: it is none of the forms.
        """
        word, colon, rest = text.strip().partition(":")
        if (word == "mask" or word == "dead-letter" or word == "pass") and rest == ("always" if colon else ""):
            return cls(word, always=bool(colon))
        raise ValueError(f"burned-in policy {text!r}: write mask, dead-letter or pass, with or without :always")

    def __str__(self) -> str:
        return self.uncertain + (":always" if self.always else "")


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
    if any(word in value for value in image_type[2:] for word in _SCREENS):
        return "screen capture"
    if code in _ULTRASOUND or header.items("SequenceOfUltrasoundRegions"):
        return "ultrasound"
    if code in _VISIBLE_LIGHT:
        return "visible light"
    if code in _PROJECTION:
        return "projection X-ray"
    if code in _CROSS_SECTIONS:
        colour = header.number("SamplesPerPixel") == 3 or photometric_of(header) == "PALETTE COLOR"
        return "derived" if colour or image_type[1:2] != ("PRIMARY",) else "not suspected"
    return "unknown source"


def _regions(header: Header) -> list[Rectangle]:
    """Where the data of an ultrasound image is (PS3.3 C.8.5.5.1; the far corner belongs to the region)."""
    found: list[Rectangle] = []
    for item in header.items("SequenceOfUltrasoundRegions"):
        corners = [valid(header.number(f"RegionLocation{end}", item)) for end in ("MinX0", "MinY0", "MaxX1", "MaxY1")]
        if None in corners:
            return []
        left, top, right, bottom = (int(corner or 0) for corner in corners)
        found.append((left, top, right + 1, bottom + 1))
    return found


@dataclass(frozen=True, eq=False)
class Cleaner:
    """Masks the text of one object's frames.

    What is masked in a frame depends on that frame and on three of all, never on the order in which they are read. Text
    in a cine mostly stands still: the first frame is looked at whole, the middle and the last where they differ from
    those before, and of the others only what none of these has.
    """

    evidence: Evidence
    policy: BurnedInPolicy | None
    """None: nothing is looked at, masked or said, as for masks that people drew."""
    frames: int
    quantities: Callable[[int], Quantities] = field(repr=False)
    """Decode one frame. Raises an InvalidInput."""

    def frame(self, index: int, metadata: ImageMetadata) -> Frame:
        """One frame without its text; its metadata tell what was done. Raises as `cleaned`."""
        if self.policy is None:
            return frame_of(index, self.quantities(index), metadata)
        found, cleaning = self.cleaned(index, self.policy)
        return frame_of(index, found, metadata.model_copy(update={"pixel_cleaning": cleaning}))

    def cleaned(self, index: int, policy: BurnedInPolicy) -> tuple[Quantities, PixelCleaning]:
        """One frame without its text, and what was done.

        Raises:
            IdentifyingPixels: the header says that there is text, and none was found.
            UncertainText: by policy.
            InvalidInput: the frame cannot be decoded.
        """
        found, evidence = self.quantities(index), self.evidence
        stored, outside = _inside(found.stored, evidence.ultrasound_regions, inverted=found.inverted)
        scanned = policy.always or evidence.reason != "not suspected"
        text = self._text(index, replace(found, stored=stored)) if scanned else Found((), complete=True)
        boxes = _to_mask(text, policy)
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
            recognizable_visual_features=evidence.recognizable,
        )
        return replace(found, stored=stored), cleaning

    def _text(self, index: int, found: Quantities) -> Found:
        if self.frames == 1:
            return find_text(*_shown(found))
        shape, text, known = self._at_keys
        if shape != found.stored.shape or known is None:
            return find_text(*_shown(found))
        if index in self._keys:
            return text
        here = find_text(*_shown(found), known=known)
        return Found(text.boxes + here.boxes, text.complete and here.complete)

    @cached_property
    def _keys(self) -> tuple[int, ...]:
        """The frames that all others are compared with."""
        return tuple(sorted({0, self.frames // 2, self.frames - 1}))

    @cached_property
    def _at_keys(self) -> tuple[tuple[int, ...], Found, Known | None]:
        """The shape of the first frame, the text of all key frames, and what else is in them.

        A key frame that is damaged, or of another shape, is left out; without the first there is nothing known.
        """
        pictures: list[tuple[NDArray[np.uint8], NDArray[np.float32] | None]] = []
        shape: tuple[int, ...] = ()
        boxes: tuple[Box, ...] = ()
        complete = True
        for index in self._keys:
            try:
                found = self.quantities(index)
            except InvalidInput:
                continue
            shape = shape or found.stored.shape
            if found.stored.shape != shape:
                continue
            stored, _ = _inside(found.stored, self.evidence.ultrasound_regions, inverted=found.inverted)
            picture = _shown(replace(found, stored=stored))
            text = find_text(*picture, known=Known(pictures) if pictures else None)
            boxes, complete = boxes + text.boxes, complete and text.complete
            pictures.append(picture)
        return shape, Found(boxes, complete), Known(pictures, moving=len(pictures) > 2) if pictures else None


def _to_mask(text: Found, policy: BurnedInPolicy) -> list[Box]:
    certain = [box for box in text.boxes if box.score >= CERTAIN]
    if policy.uncertain == "dead-letter" and (len(certain) < len(text.boxes) or not text.complete):
        raise UncertainText
    return certain if policy.uncertain == "pass" else list(text.boxes)


def median(around: NDArray[Any]) -> Any:
    """Of each channel."""
    return np.median(around, axis=0)


def masked(stored: NDArray[Any], boxes: Sequence[Box], level: Callable[[NDArray[Any]], Any] = median) -> NDArray[Any]:
    """A copy with each box filled flat, per channel, with the median, or another `level`, of what is around.

    A flat fill leaves nothing to be read; its level, that of what is beside it, makes no bright or dark finding.
    """
    copy, hidden = stored.copy(), covered(stored.shape, boxes, ())
    for left, top, right, bottom, _ in boxes:
        near = np.s_[max(0, top - _RING) : bottom + _RING, max(0, left - _RING) : right + _RING]
        around = stored[near][~hidden[near]]
        copy[top:bottom, left:right] = level(around) if around.size else stored.min(axis=(0, 1))
    return copy


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


def covered(shape: tuple[int, ...], boxes: Sequence[Box], regions: tuple[Rectangle, ...]) -> NDArray[np.bool_]:
    """(rows, columns): where boxes lie, or what lies outside all regions."""
    found = np.full(shape[:2], bool(regions))
    for left, top, right, bottom in regions:
        found[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = False
    for left, top, right, bottom, _ in boxes:
        found[top:bottom, left:right] = True
    return found


def _shown(found: Quantities) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None]:
    """The view, and of grey pixels of more than 8 bits the values too: a window can hide text."""
    stored = found.stored.astype(np.float32)
    view = render(stored * np.float32(found.slope) + np.float32(found.intercept), found.window, found.inverted)
    return view, stored if stored.ndim == 2 and found.stored.dtype != np.uint8 else None
