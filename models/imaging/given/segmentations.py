"""DICOM segmentations (PS3.3 A.51, C.8.20): binary, fractional and label maps. Knows nothing of how they are found."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from models.imaging.dicom import PixelData, pixel_data
from models.imaging.errors import InvalidAnnotations
from models.imaging.given.concepts import Named, named
from models.imaging.given.marks import SAME_MM, Given, Mark, MaskArray, Meant, Target, lies_in, meant_by, resampled
from models.imaging.header import Header, Malformed, valid
from models.imaging.planes import Plane, plane_of
from schemas.limits import Limits

ELEMENTS = (
    "SegmentationType", "SegmentSequence", "MaximumFractionalValue", "ReferencedSeriesSequence",
)  # fmt: skip
"""Read beside those of an image."""


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """One frame of a segmentation."""

    index: int
    segment: int | None
    """None: of a label map, whose values are the numbers of segments."""
    meant: Meant
    """Source images; empty where it names none."""
    plane: Plane | None


@dataclass(frozen=True, slots=True, eq=False)
class _Segmentation:
    header: Header
    pixels: PixelData
    segments: dict[int, Named]
    frames: tuple[_Frame, ...]
    kind: str
    most: float
    """That a value can be, where the segmentation is fractional."""
    named: frozenset[str]
    """Images that the object as a whole names."""

    def on(self, target: Target) -> Iterator[Mark]:
        """One mark a segment."""
        found: dict[int, MaskArray] = {}
        for frame in self.frames:
            if self._is_of(frame, target):
                for segment, mask in self._masks(frame):
                    placed = resampled(mask, frame.plane, target)
                    found[segment] = found[segment] | placed if segment in found else placed
        for segment, mask in sorted(found.items()):
            if mask.any():
                yield Mark(self.segments[segment], mask)

    def _is_of(self, frame: _Frame, target: Target) -> bool:
        """By the source images that the frame names; only where it names none by where it lies."""
        if frame.meant.images:
            alone = len(frame.meant.images) == 1 and frame.meant.tells_frame(target)
            return frame.meant.includes(target) and (alone or _together(frame.plane, target))
        if self.named and target.image.uid not in self.named:
            return False
        here = self.header.text("FrameOfReferenceUID")
        return here is not None and here == target.image.frame_of_reference and _together(frame.plane, target)

    def _masks(self, frame: _Frame) -> Iterator[tuple[int, MaskArray]]:
        values: NDArray[np.float64] = self.pixels.samples(frame.index)[0]
        if values.ndim != 2:
            raise InvalidAnnotations("has colours where a segmentation has none")
        if frame.segment is None:
            for number in np.unique(values).tolist():
                if number in self.segments and number:  # 0 is what no segment covers
                    yield number, values == number
        elif frame.segment in self.segments:
            yield frame.segment, values * 2.0 >= self.most if self.kind == "FRACTIONAL" else values > 0


def _together(plane: Plane | None, target: Target) -> bool:
    """Whether two frames lie in one plane."""
    return target.plane is not None and lies_in(target.plane.corners(target.shape), plane, SAME_MM)


def read_segmentation(header: Header, data: bytes, at: int, limits: Limits) -> Given:
    """A segmentation whose header was read up to its pixels at `at`.

    Raises:
        An InvalidInput of models.imaging.errors, or TooLarge.
    """
    kind = header.text("SegmentationType") or ""
    if kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
        raise InvalidAnnotations("is a segmentation of an unknown type")
    pixels = pixel_data(header, data, at, limits)
    segments = {
        int(number): named(
            header,
            header.items("SegmentedPropertyTypeCodeSequence", item),
            header.text("SegmentLabel", item),
            sides=tuple(
                side
                for code in header.items("SegmentedPropertyTypeCodeSequence", item)
                for side in header.items("SegmentedPropertyTypeModifierCodeSequence", code)
            )
            + header.items("SegmentedPropertyTypeModifierCodeSequence", item),
        )
        for item in header.items("SegmentSequence")
        if (number := valid(header.number("SegmentNumber", item))) is not None
    }
    whole = {
        uid
        for series in header.items("ReferencedSeriesSequence")
        for uid in meant_by(header, header.items("ReferencedInstanceSequence", series)).images
    }
    frames = tuple(_frames(header, pixels.frames, kind))
    found = _Segmentation(
        header=header,
        pixels=pixels,
        segments=segments,
        frames=frames,
        kind=kind,
        most=_most(header),
        named=frozenset(whole),
    )
    place = {header.text("FrameOfReferenceUID") or ""} - {""}
    names = {uid for frame in frames for uid in frame.meant.images}
    if not all(frame.meant.images for frame in frames):
        names |= whole or place
    return Given(frozenset(names), frozenset(names | whole | place), found.on)


def _most(header: Header) -> float:
    """Maximum Fractional Value (PS3.3 C.8.20.2.3): what stands for the whole of a pixel."""
    most = header.number("MaximumFractionalValue")
    if isinstance(most, Malformed) or (most is not None and most <= 0):
        raise InvalidAnnotations("has a Maximum Fractional Value that is no number above 0")
    return 255.0 if most is None else most


def _frames(header: Header, count: int, kind: str) -> Iterator[_Frame]:
    per_frame = header.items("PerFrameFunctionalGroupsSequence")
    shared = header.items("SharedFunctionalGroupsSequence")[:1]

    for index in range(count):
        groups = (*per_frame[index : index + 1], *shared)

        def macro(keyword: str, groups: tuple[Dataset, ...] = groups) -> Dataset | None:
            return next((items[0] for group in groups if (items := header.items(keyword, group))), None)

        segment = valid(header.number("ReferencedSegmentNumber", macro("SegmentIdentificationSequence")))
        sources = (
            source
            for group in groups
            for derivation in header.items("DerivationImageSequence", group)
            for source in header.items("SourceImageSequence", derivation)
        )
        if segment is None and kind != "LABELMAP":
            continue
        yield _Frame(
            index=index,
            segment=None if kind == "LABELMAP" or segment is None else int(segment),
            meant=meant_by(header, sources),
            plane=plane_of(
                header,
                macro("PlanePositionSequence"),
                macro("PlaneOrientationSequence"),
                macro("PixelMeasuresSequence"),
            ),
        )
