"""What kind of file is this? By its first bytes alone: names and extensions lie, and may hold names."""

from models.imaging.codestreams import JPEG_START, PNG_SIGNATURE
from models.imaging.dicom import open_dicom
from models.imaging.errors import EmptyFile
from models.imaging.frames import Source
from models.imaging.nifti import GZIP_START, is_nifti, open_nifti
from models.imaging.pictures import open_picture
from models.imaging.policy import FramePolicy
from models.imaging.sidecar import describe
from models.imaging.slides import levels_of, open_slide
from models.imaging.tiff import STARTS, Pages, open_pages


def open_source(data: bytes, policy: FramePolicy, *, sidecar: bytes | None = None, mask: bytes | None = None) -> Source:
    """Open DICOM (with or without preamble), PNG, JPEG, TIFF or NIfTI. Safe to call from any thread.

    Structure, lengths and sizes are checked here, before anything is decoded; a frame that turns out damaged
    raises from `Source.read` or `Source.frames`.

    Args:
        data: the file.
        policy: which of its frames to take.
        sidecar: the JSON file beside it, a `schemas.sidecars.Sidecar`.
        mask: the file that the sidecar names.

    Raises:
        InvalidInput: one of models.imaging.errors.
    """
    source = _open(data, policy)
    if sidecar is None:
        return source
    return describe(source, sidecar, mask, lambda labels: _open(labels, FramePolicy()))


def _open(data: bytes, policy: FramePolicy) -> Source:
    if not data:
        raise EmptyFile
    if data.startswith((PNG_SIGNATURE, JPEG_START)):
        return open_picture(data, policy)
    # A DICOM object may begin as a TIFF file (PS3.10, 7.1: the preamble is for that).
    if data[128:132] != b"DICM":
        if data.startswith(STARTS):
            pages = Pages(data)
            levels = levels_of(pages)
            return open_slide(pages, levels, policy) if levels else open_pages(pages, policy)
        if data.startswith(GZIP_START) or is_nifti(data):
            return open_nifti(data, policy)
    return open_dicom(data, policy)
