"""Which format a file is of, by its first bytes alone, for counting what lies somewhere. Reads nothing."""

from models.imaging.codestreams import JPEG_START, PNG_SIGNATURE
from models.imaging.given.kinds import looks_like
from models.imaging.nifti import GZIP_START
from models.imaging.nifti_header import is_nifti
from models.imaging.tiff import STARTS

HEAD = 4096
"""Bytes that are looked at."""
_WITHOUT_PREAMBLE = (b"\x02\x00\x00\x00", b"\x08\x00")
"""How a DICOM file begins that has no preamble: with its file meta information, or at once with group 0008."""


def format_of(head: bytes) -> str:
    """The format of a file in words: it may turn out damaged, or another, when it is read.

    Args:
        head: its first HEAD bytes.
    """
    if not head:
        return "empty"
    if head[128:132] == b"DICM" or head.startswith(_WITHOUT_PREAMBLE):
        kind = looks_like(head)
        return f"DICOM {kind}, which marks other images" if kind else "DICOM"
    if head.startswith(PNG_SIGNATURE):
        return "PNG"
    if head.startswith(JPEG_START):
        return "JPEG"
    if head.startswith(STARTS):
        return "TIFF, or a slide"
    if head.startswith(GZIP_START):
        return "gzip, NIfTI if an image"
    return "NIfTI" if is_nifti(head) else "no image format that is read here"
