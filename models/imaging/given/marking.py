"""Annotation objects, read, and their marks put to the frames of the image that they mean."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from itertools import islice

from models.imaging.annotations import as_annotation, digest_of
from models.imaging.errors import CorruptHeader, InvalidAnnotations, InvalidSidecar, failing_as
from models.imaging.frames import Frame, Source
from models.imaging.given import contours, reports, segmentations
from models.imaging.given.kinds import kind_of
from models.imaging.given.marks import Given, Mark, Target
from models.imaging.limits import check_file
from models.imaging.parsing import read_header
from models.imaging.planes import Instance
from schemas.failures import InvalidInput, NeedsTooMuchMemory
from schemas.images import SourceAnnotation
from schemas.limits import DEFAULT_LIMITS, Limits

MOST = 2000
"""Marks of one frame."""

_ELEMENTS = (*segmentations.ELEMENTS, *contours.ELEMENTS, *reports.ELEMENTS)


# A series has one segmentation for hundreds of images: it is parsed once, as long as few others come between.
@lru_cache(maxsize=8)
def read_given(data: bytes, limits: Limits) -> Given | None:
    """A DICOM segmentation, structure set or structured report; None where a file is none.

    Raises:
        InvalidInput: it is damaged, or beyond the limits.
    """
    check_file(len(data), limits)
    header, data, at = read_header(data, limits, _ELEMENTS)
    kind = kind_of(header.text("SOPClassUID"))
    if kind == "segmentation":
        return segmentations.read_segmentation(header, data, at, limits)
    if kind == "structure set":
        return contours.read_contours(header)
    return reports.read_report(header, limits) if kind else None


def marked(source: Source, given: Sequence[bytes], limits: Limits = DEFAULT_LIMITS, *, named: bool = False) -> Source:
    """The same frames, with what annotation objects mark in them behind what is there.

    Args:
        source: an image's.
        given: files; those that are no annotation objects, or of other images, mark nothing.
        limits: that each is held to.
        named: the image's sidecar names them, so that each must be of it.

    Raises:
        InvalidSidecar: one that is named is not of this image.
        InvalidAnnotations: one cannot be read.
    """
    image = source.instance
    objects: list[Given] = []
    for data in dict.fromkeys(given):
        with _as_annotations():
            found = read_given(data, limits)
        if found is not None and image is not None and not image.names.isdisjoint(found.names):
            objects.append(found)
        elif named and (found is None or image is None or image.names.isdisjoint(found.about)):
            raise InvalidSidecar("annotations", "names a file that is no DICOM annotation object of this image")
    if image is None or not objects:
        return source

    def decode(index: int) -> Frame:
        frame = source.decode(index)
        marks, left_out = _marks(objects, image, frame)
        annotations = (*frame.annotations, *marks)
        changes = {"annotations_digest": digest_of(annotations), "annotations_left_out": left_out}
        return replace(frame, annotations=annotations, metadata=frame.metadata.model_copy(update=changes))

    return replace(source, decode=decode)


def _marks(objects: Sequence[Given], image: Instance, frame: Frame) -> tuple[tuple[SourceAnnotation, ...], int]:
    rows, columns = frame.stored.shape[:2]
    target = Target(image, frame.index, (rows, columns), image.plane(frame.index))
    marks: list[Mark | None] = []
    for one in objects:
        with _as_annotations():
            marks += islice(one.on(target), MOST + 1)
    if len(marks) > MOST:
        raise InvalidAnnotations(f"marks more than {MOST} regions in one frame")
    areas = [mark for mark in marks if mark is not None]
    found = (as_annotation(mark.mask, mark.named.label, mark.named.code) for mark in areas)
    return tuple(found), len(marks) - len(areas)


@contextmanager
def _as_annotations() -> Generator[None]:
    """Errors that speak of "the file" would blame the image."""
    try:
        with failing_as(CorruptHeader()):
            yield
    except (InvalidAnnotations, NeedsTooMuchMemory):
        raise
    except InvalidInput:
        raise InvalidAnnotations("is damaged, or beyond a limit") from None
