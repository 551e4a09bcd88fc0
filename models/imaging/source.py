"""What kind of file is this? By its first bytes alone: names and extensions lie, and may hold names."""

from models.imaging.codestreams import JPEG_START, PNG_SIGNATURE
from models.imaging.dicom import open_dicom
from models.imaging.errors import EmptyFile
from models.imaging.frames import Source
from models.imaging.limits import check_file
from models.imaging.nifti import GZIP_START, is_nifti, open_nifti
from models.imaging.pictures import open_picture
from models.imaging.policy import FramePolicy
from models.imaging.sidecar import describe
from models.imaging.slides import levels_of, open_slide
from models.imaging.tiff import STARTS, Pages, open_pages
from schemas.limits import DEFAULT_LIMITS, Limits


def open_source(
    data: bytes,
    policy: FramePolicy,
    limits: Limits = DEFAULT_LIMITS,
    *,
    sidecar: bytes | None = None,
    mask: bytes | None = None,
) -> Source:
    """Open DICOM (with or without preamble), PNG, JPEG, TIFF or NIfTI. Safe to call from any thread.

    Structure, lengths and sizes are checked here, before anything is decoded; a frame that turns out damaged
    raises from `Source.read` or `Source.frames`.

    Args:
        data: the file.
        policy: which of its frames to take.
        limits: that it is held to.
        sidecar: the JSON file beside it, a `schemas.sidecars.Sidecar`.
        mask: the file that the sidecar names.

    Raises:
        InvalidInput: one of models.imaging.errors, or models.imaging.limits.TooLarge.
    """
    source = _open(data, policy, limits)
    if sidecar is None:
        return source
    return describe(source, sidecar, mask, lambda labels: _open(labels, FramePolicy(), limits))


def _open(data: bytes, policy: FramePolicy, limits: Limits) -> Source:
    if not data:
        raise EmptyFile
    check_file(len(data), limits)
    if data.startswith((PNG_SIGNATURE, JPEG_START)):
        return open_picture(data, policy, limits)
    # A DICOM object may begin as a TIFF file (PS3.10, 7.1: the preamble is for that).
    if data[128:132] != b"DICM":
        if data.startswith(STARTS):
            pages = Pages(data)
            levels = levels_of(pages, limits)
            return open_slide(pages, levels, policy, limits) if levels else open_pages(pages, policy, limits)
        if data.startswith(GZIP_START) or is_nifti(data):
            return open_nifti(data, policy, limits)
    return open_dicom(data, policy, limits)
