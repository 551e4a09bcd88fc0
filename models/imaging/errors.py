"""Why a file cannot become frames, one class a cause, and the one place where libraries' errors are caught.

Knows nothing of how files are read. No message quotes the file: see schemas.failures.
"""

import struct
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import cv2

from schemas.failures import InvalidInput, NeedsTooMuchMemory


class EmptyFile(InvalidInput):
    """Not one byte."""

    def __init__(self) -> None:
        super().__init__("the file is empty; send it again from its source")


class NotAnImage(InvalidInput):
    """None of the formats that are read here."""

    of_the_input = True

    def __init__(self) -> None:
        super().__init__("the file is not DICOM, PNG, JPEG, TIFF or NIfTI; convert it to one of them, or leave it out")


class TruncatedFile(InvalidInput):
    """The file ends before what its own structure announces."""

    def __init__(self) -> None:
        super().__init__("the file ends too early, so a part of it is missing; copy it again from its source")


class NoPixelData(InvalidInput):
    """A DICOM object without an image: a report, a plan, a directory, a waveform."""

    of_the_input = True

    def __init__(self) -> None:
        super().__init__(
            "the DICOM object holds no pixel data, as reports, plans, waveforms and directories do; "
            "send image objects only, or export it again with its pixels"
        )


class UnsupportedTransferSyntax(InvalidInput):
    """Encoded in a way that no decoder here can read. `syntax` is shown: pass registered names only."""

    def __init__(self, syntax: str = "not a registered one") -> None:
        super().__init__(
            f"the transfer syntax ({syntax}) cannot be decoded here; "
            "convert the file to Explicit VR Little Endian, for example with dcmdjpeg, dcmdjpls or gdcmconv --raw"
        )


class ContradictorySyntax(InvalidInput):
    """Pixel data that is not encoded as the transfer syntax says. `syntax`: a registered name; `found`: own words."""

    def __init__(self, syntax: str, found: str) -> None:
        super().__init__(
            f"the transfer syntax ({syntax}) and the pixel data, which is {found}, contradict each other; "
            "export the object again, or correct its Transfer Syntax UID"
        )


class WrongPixelLength(InvalidInput):
    """The header and the amount of pixel data contradict each other. `sums` is shown: pass own words and numbers."""

    def __init__(self, sums: str) -> None:
        super().__init__(
            f"the amount of pixel data does not fit the header: {sums}; "
            "export the object again, or correct the attribute that is wrong"
        )


class CorruptHeader(InvalidInput):
    """The header cannot be read, or lacks what an image must have."""

    def __init__(self) -> None:
        super().__init__(
            "the header is damaged or lacks an attribute that every image has (Rows, Columns, Bits Allocated, "
            "Photometric Interpretation, ...); check it with dciodvfy and export the object again"
        )


class CorruptPalette(InvalidInput):
    """A palette's table cannot be read. `colour`: which, a word of ours."""

    def __init__(self, colour: str) -> None:
        super().__init__(
            f"the {colour} Palette Color Lookup Table is missing, or is not of the length and bits that its Descriptor "
            "says; export the image again, or as RGB"
        )


class MalformedAttribute(InvalidInput):
    """An attribute without which the pixels cannot be read holds none of the values that it may have.

    Args:
        keyword: of the attribute, in the dictionary of DICOM (PS3.6).
    """

    def __init__(self, keyword: str) -> None:
        from pydicom.datadict import dictionary_description, tag_for_keyword

        tag = tag_for_keyword(keyword) or 0
        super().__init__(
            f"the header's {dictionary_description(keyword)} ({tag >> 16:04X},{tag & 0xFFFF:04X}) is malformed; "
            "correct it at its source, and send the image again"
        )


class CorruptPixels(InvalidInput):
    """The header can be read, the compressed pixels cannot."""

    def __init__(self) -> None:
        super().__init__("the compressed pixel data is damaged and cannot be decoded; export the image again")


class UnsupportedPixels(InvalidInput):
    """Well formed, and outside what this version takes. `reason` is shown: pass text of our own only."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}; convert the image, or leave it out")


class IdentifyingPixels(InvalidInput):
    """Burned In Annotation (0028,0301) is YES, but no text was found that could be masked."""

    def __init__(self) -> None:
        super().__init__(
            "the header says that text burned into the pixels identifies the patient (Burned In Annotation is YES), "
            "but none was found to mask; clean the pixels at the source, set the attribute to NO, and send it again"
        )


class UncertainText(InvalidInput):
    """There may be text in the pixels, and the policy is to refuse what is uncertain."""

    def __init__(self) -> None:
        super().__init__(
            "there may be text burned into the pixels that the detector is not certain of; look at the image, clean it "
            "at the source, or set TRISTREAM_BURNED_IN to mask"
        )


class TextOverRegion(InvalidInput):
    """Text lies over a region that the source marks, and the policy is to refuse it."""

    def __init__(self) -> None:
        super().__init__(
            "text burned into the pixels lies over a region that the source marks; clean the image at its source, or "
            "set TRISTREAM_BURNED_IN to mask/mask, which hides the text, or to mask/pass, which keeps the region whole"
        )


class SlideLabel(InvalidInput):
    """An image of a slide's label, or of the whole glass slide with it: it shows names, and no tissue at work size."""

    def __init__(self) -> None:
        super().__init__(
            "the image shows the slide's label, or the whole slide, on which names are written; "
            "send the VOLUME images of the slide only"
        )


SIDECAR = "the sidecar (the JSON file beside the image)"
DEFAULTS = "_defaults.json of the image's folder, or what the settings say of all images"


class InvalidSidecar(InvalidInput):
    """The JSON file beside the image does not hold what it may. `field` and `problem` are shown: pass own text only,
    or what cannot be but a field's name, misspelt."""

    def __init__(self, field: str, problem: str, where: str = SIDECAR) -> None:
        super().__init__(f"in {where}, {field} {problem}; correct it as docs/formats.md says, or remove it")


class InvalidAnnotations(InvalidInput):
    """A DICOM object that marks regions of the image cannot be used. `problem` is shown: pass text of our own only."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"a DICOM segmentation, structure set or structured report that is given for the image {problem}; "
            "export it again, or take it away, and replay the image"
        )


class MarksOtherImages(InvalidInput):
    """A DICOM object that is no image but marks regions of some. `kind` is shown: one of models.imaging.given.kinds."""

    of_the_input = True

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"the object is a DICOM {kind}, which marks regions of other images and is none itself; give it as their "
            "annotations: name its folder by --annotations or TRISTREAM_ANNOTATIONS, or itself in a sidecar of an "
            "image, as docs/formats.md says"
        )


if TYPE_CHECKING:
    LIBRARY_ERRORS: tuple[type[Exception], ...]


@cache
def library_errors() -> tuple[type[Exception], ...]:
    """What pydicom, imagecodecs, NumPy and OpenCV were seen or are documented to raise on damaged input."""
    # Imported at the first error: a process that decodes nothing of DICOM need not load pydicom.
    from pydicom.errors import BytesLengthException, InvalidDicomError

    return (
        ArithmeticError, AssertionError, AttributeError, BytesLengthException, EOFError, InvalidDicomError, LookupError,
        OSError, RuntimeError, StopIteration, TypeError, ValueError, cv2.error, struct.error, zlib.error,
    )  # fmt: skip


def __getattr__(name: str) -> object:
    if name != "LIBRARY_ERRORS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return library_errors()


_CV2_NO_MEMORY = -4
"""cv::Error::StsNoMem."""


@contextmanager
def failing_as(error: InvalidInput) -> Generator[None]:
    """Turn any library's error into `error`, without its text and without its traceback's values."""
    try:
        yield
    except MemoryError:
        raise NeedsTooMuchMemory from None
    except library_errors() as caught:
        if isinstance(caught, cv2.error) and caught.code == _CV2_NO_MEMORY:
            raise NeedsTooMuchMemory from None
        raise error from None
