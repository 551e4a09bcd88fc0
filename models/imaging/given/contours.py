"""DICOM RT structure sets (PS3.3 A.19.3, C.8.8.5 to C.8.8.8): closed planar contours.

Knows nothing of how they are found.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataelem import RawDataElement

from models.imaging.errors import LIBRARY_ERRORS, InvalidAnnotations
from models.imaging.given.concepts import Named, named
from models.imaging.given.marks import OFF_MM, SAME_MM, Given, Mark, Meant, Target, filled, lies_in, meant_by
from models.imaging.header import Header, valid
from models.imaging.planes import Points

ELEMENTS = (
    "StructureSetROISequence", "ROIContourSequence", "RTROIObservationsSequence", "ReferencedFrameOfReferenceSequence",
)  # fmt: skip
"""Read beside those of an image."""

_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
# Of RT ROI Interpreted Type (PS3.3 C.8.8.8.1), what names a region where neither a code nor its name does.
_INTERPRETED = {
    "EXTERNAL": "body outline", "GTV": "gross tumour volume", "CTV": "clinical target volume",
    "PTV": "planning target volume",
}  # fmt: skip
# Sides as radiotherapy abbreviates them: Lung_L (AAPM TG-263).
_SIDED = re.compile(r"[_ -]([LR])$")
_SIDES = {"L": "left", "R": "right"}


@dataclass(frozen=True, slots=True, eq=False)
class _Contour:
    closed: bool
    meant: Meant
    """Images in whose plane it was drawn; empty where it names none."""
    item: Dataset

    def points(self) -> Points:
        """(n, 3) mm. Raises InvalidAnnotations."""
        values = _numbers(self.item)
        if values.size == 0 or values.size % 3 or not (np.abs(values) < 1e6).all():
            raise InvalidAnnotations("has a contour that is no list of points in the patient")
        return values.reshape(-1, 3)


def _numbers(item: Dataset) -> NDArray[np.float64]:
    """Contour Data. pydicom makes an object of each number; a structure set has millions."""
    try:
        element = item.get_item("ContourData")
        value = element.value
        if isinstance(element, RawDataElement) and isinstance(value, bytes):
            value = value.rstrip(b"\0 ").split(b"\\")
        return np.array([float(number) for number in value], np.float64)  # pyright: ignore[reportArgumentType]
    except LIBRARY_ERRORS:
        raise InvalidAnnotations("has a contour that is no list of points in the patient") from None


@dataclass(frozen=True, slots=True, eq=False)
class _Structure:
    """A region of interest."""

    named: Named
    frame_of_reference: str | None
    contours: tuple[_Contour, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _StructureSet:
    structures: tuple[_Structure, ...]
    named: frozenset[str]
    """Images that the object as a whole names."""

    def on(self, target: Target) -> Iterator[Mark | None]:
        """One mark a structure; None for each contour that is no area."""
        for structure in self.structures:
            polygons: list[NDArray[np.float64]] = []
            for contour in structure.contours:
                points = self._points_on(contour, structure, target)
                if points is None:
                    continue
                if not contour.closed or len(points) < 3:
                    yield None
                    continue
                assert target.plane is not None
                polygons.append(target.plane.seen(points)[0])
            if polygons and (mask := filled(polygons, target.shape)).any():
                yield Mark(structure.named, mask)

    def _points_on(self, contour: _Contour, structure: _Structure, target: Target) -> Points | None:
        """A contour's points, where it is of the frame: by the image that it names, else by where it lies."""
        if contour.meant.images:
            if not contour.meant.includes(target):
                return None
            points = contour.points()
            alone = len(contour.meant.images) == 1 and contour.meant.tells_frame(target)
            if lies_in(points, target.plane, OFF_MM if alone else SAME_MM):
                return points
            if not alone:
                return None
            raise InvalidAnnotations("has a contour that does not lie in the plane of the image that it names")
        if self.named and target.image.uid not in self.named:
            return None
        place = structure.frame_of_reference
        if target.plane is None or place is None or place != target.image.frame_of_reference:
            return None
        points = contour.points()
        return points if lies_in(points, target.plane, SAME_MM) else None


def read_contours(header: Header) -> Given:
    """A structure set.

    Raises:
        InvalidAnnotations: from what is returned, where a contour cannot be used.
    """
    observed: dict[float, list[Dataset]] = defaultdict(list)
    for item in header.items("RTROIObservationsSequence"):
        if (number := valid(header.number("ReferencedROINumber", item))) is not None:
            observed[number].append(item)
    drawn: dict[float, list[_Contour]] = defaultdict(list)
    for item in header.items("ROIContourSequence"):
        if (number := valid(header.number("ReferencedROINumber", item))) is not None:
            drawn[number] += [_contour(header, one) for one in header.items("ContourSequence", item)]
    structures: list[_Structure] = []
    for item in header.items("StructureSetROISequence"):
        number = valid(header.number("ROINumber", item))
        if number is None:
            continue
        structures.append(
            _Structure(
                _named(header, item, observed[number]),
                header.text("ReferencedFrameOfReferenceUID", item),
                tuple(drawn[number]),
            )
        )
    whole = frozenset(_images(header))
    places = {one.frame_of_reference for one in structures if one.frame_of_reference}
    drawn_on = [one.meant.images for structure in structures for one in structure.contours]
    names = {uid for images in drawn_on for uid in images}
    if not all(drawn_on):
        names |= whole or places
    return Given(frozenset(names), frozenset(names | whole | places), _StructureSet(tuple(structures), whole).on)


def _contour(header: Header, item: Dataset) -> _Contour:
    closed = header.text("ContourGeometricType", item) in _CLOSED
    return _Contour(closed, meant_by(header, header.items("ContourImageSequence", item)), item)


def _named(header: Header, structure: Dataset, observations: list[Dataset]) -> Named:
    codes = tuple(code for one in observations for code in header.items("RTROIIdentificationCodeSequence", one))
    name = _SIDED.sub(lambda found: f" {_SIDES[found[1]]}", header.text("ROIName", structure) or "")
    found = named(header, codes, name)
    if found != Named():
        return found
    kinds = (header.text("RTROIInterpretedType", one) or "" for one in observations)
    return Named(next((_INTERPRETED[kind] for kind in kinds if kind in _INTERPRETED), found.label))


def _images(header: Header) -> Iterator[str]:
    for place in header.items("ReferencedFrameOfReferenceSequence"):
        for study in header.items("RTReferencedStudySequence", place):
            for series in header.items("RTReferencedSeriesSequence", study):
                yield from meant_by(header, header.items("ContourImageSequence", series)).images
