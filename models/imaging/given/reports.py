"""DICOM structured reports (PS3.3 A.35; PS3.16 TID 1500): regions by coordinates, with findings.

Knows nothing of what they say in text.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from models.imaging.errors import InvalidAnnotations
from models.imaging.given.concepts import Named, code_of, named
from models.imaging.given.marks import SAME_MM, Given, Mark, Meant, Target, ellipse, filled, lies_in, meant_by
from models.imaging.header import Header, valid
from schemas.limits import Limits

ELEMENTS = ("ContentSequence", "ConceptNameCodeSequence")
"""Read beside those of an image."""

_FINDING = {("DCM", "121071")}
_SITE = {("SCT", "363698007"), ("SRT", "G-C0E3")}
_LATERALITY = {("SCT", "272741003"), ("SRT", "G-C171")}
_AREAS = ("POLYLINE", "POLYGON", "CIRCLE", "ELLIPSE")
_MOST_POINTS = 2**20


@dataclass(frozen=True, slots=True, eq=False)
class _Region:
    """What one coordinate item marks."""

    named: Named
    kind: str
    """Graphic Type (PS3.3 C.18.6.1.2, C.18.9.1.2)."""
    points: NDArray[np.float64]
    """(n, 2) columns and rows from the corner of the image, or (n, 3) mm in the patient."""
    meant: Meant
    """Of the first: the images."""
    frame_of_reference: str | None
    """Of the second."""

    def outline(self) -> NDArray[np.float64] | None:
        """Of an area; None of points and open lines."""
        points = self.points
        if self.kind == "CIRCLE" and len(points) == 2:
            centre, radius = points[0], float(np.linalg.norm(points[1] - points[0]))
            return ellipse(centre, np.array([radius, 0.0]), np.array([0.0, radius]))
        if self.kind == "ELLIPSE" and len(points) == 4:
            return ellipse((points[0] + points[1]) / 2, (points[1] - points[0]) / 2, (points[3] - points[2]) / 2)
        closed = self.kind == "POLYGON" or (self.kind == "POLYLINE" and np.array_equal(points[0], points[-1]))
        return points if closed and len(points) > 2 else None

    def on(self, target: Target) -> Iterator[Mark | None]:
        """At most one."""
        in_patient = self.points.shape[1] == 3
        if in_patient:
            same = self.frame_of_reference is not None and self.frame_of_reference == target.image.frame_of_reference
            if not same or not lies_in(self.points, target.plane, SAME_MM):
                return
        elif not self.meant.includes(target):
            return
        outline = self.outline()
        if outline is None or not (in_patient or self.meant.tells_frame(target)):
            yield None
            return
        if in_patient:
            assert target.plane is not None
            places = target.plane.seen(outline)[0]
        else:
            # From the corner of the first pixel, whose centre is at a half (PS3.3 C.18.6.1.1).
            places = outline - 0.5
        mask = filled([places], target.shape)
        yield Mark(self.named, mask) if mask.any() else None


def read_report(header: Header, limits: Limits) -> Given:
    """A structured report, or its regions.

    Raises:
        InvalidAnnotations: it is nested too deeply, or coordinates are none.
    """
    regions = tuple(_regions(header, header.items("ContentSequence"), Named(), limits.nesting))

    def on(target: Target) -> Iterator[Mark | None]:
        seen: set[tuple[Named, bytes]] = set()
        for region in regions:
            for mark in region.on(target):
                # A region stands once for each measurement that was inferred from it.
                key = None if mark is None else (mark.named, mark.mask.tobytes())
                if key is None or key not in seen:
                    yield mark
                if key is not None:
                    seen.add(key)

    places = {region.frame_of_reference for region in regions if region.frame_of_reference}
    names = frozenset(places.union(*(region.meant.images for region in regions)))
    return Given(names, names, on)


def _regions(header: Header, items: tuple[Dataset, ...], around: Named, deep: int) -> Iterator[_Region]:
    """Of content items and all below them, each called by the finding of the nearest container that tells one."""
    if not deep:
        raise InvalidAnnotations("is nested too deeply")
    around = _finding(header, items) or around
    for item in items:
        kind, content = header.text("ValueType", item), header.items("ContentSequence", item)
        if kind in ("SCOORD", "SCOORD3D"):
            yield _region(header, item, content, around, 2 if kind == "SCOORD" else 3)
        elif content:
            yield from _regions(header, content, around, deep - 1)


def _finding(header: Header, items: tuple[Dataset, ...]) -> Named | None:
    codes: list[Dataset] = []
    sides: list[Dataset] = []
    for wanted in (_FINDING, _SITE):
        for item in items:
            if _concept(header, item) in wanted:
                codes += header.items("ConceptCodeSequence", item)
                for modifier in header.items("ContentSequence", item):
                    if _concept(header, modifier) in _LATERALITY:
                        sides += header.items("ConceptCodeSequence", modifier)
    return named(header, tuple(codes), sides=tuple(sides)) if codes else None


def _concept(header: Header, item: Dataset) -> tuple[str, str] | None:
    names = header.items("ConceptNameCodeSequence", item)
    return code_of(header, names[0]) if names else None


def _region(header: Header, item: Dataset, content: tuple[Dataset, ...], around: Named, axes: int) -> _Region:
    numbers = valid(header.numbers("GraphicData", item))
    if not numbers or len(numbers) % axes or len(numbers) > _MOST_POINTS or max(map(abs, numbers)) > 1e6:
        raise InvalidAnnotations("has coordinates that are none")
    kind = header.text("GraphicType", item) or ""
    if header.text("PixelOriginInterpretation", item) == "VOLUME":
        kind = ""  # Of all tiles together: on a frame it would lie elsewhere.
    images = (one for target in content for one in header.items("ReferencedSOPSequence", target))
    return _Region(
        named=around,
        kind=kind if kind in _AREAS else "",
        points=np.array(numbers, np.float64).reshape(-1, axes),
        meant=meant_by(header, images),
        frame_of_reference=header.text("ReferencedFrameOfReferenceUID", item) if axes == 3 else None,
    )
