"""What kind of file is this? By its first bytes alone: names and extensions lie, and may hold names."""

from models.imaging.codestreams import JPEG_START, PNG_SIGNATURE
from models.imaging.dicom import open_dicom
from models.imaging.errors import EmptyFile
from models.imaging.frames import Source
from models.imaging.limits import check_file
from models.imaging.pictures import open_picture
from models.imaging.policy import FramePolicy
from schemas.limits import DEFAULT_LIMITS, Limits


def open_source(data: bytes, policy: FramePolicy, limits: Limits = DEFAULT_LIMITS) -> Source:
    """Open DICOM (with or without preamble), PNG or JPEG. Safe to call from any thread.

    Structure, lengths and sizes are checked here, before anything is decoded; a frame that turns out damaged
    raises from `Source.read` or `Source.frames`.

    Raises:
        InvalidInput: one of models.imaging.errors, or models.imaging.limits.TooLarge.
    """
    if not data:
        raise EmptyFile
    check_file(len(data), limits)
    if data.startswith((PNG_SIGNATURE, JPEG_START)):
        return open_picture(data, policy, limits)
    return open_dicom(data, policy, limits)
