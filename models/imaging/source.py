"""What kind of file is this? By its first bytes alone: names and extensions lie, and may hold names."""

from collections.abc import Sequence

from models.imaging.burned_in import BurnedInPolicy
from models.imaging.codestreams import JPEG_START, PNG_SIGNATURE
from models.imaging.dicom import open_dicom
from models.imaging.errors import EmptyFile
from models.imaging.frames import Source
from models.imaging.given.marking import marked
from models.imaging.limits import check_file
from models.imaging.nifti import GZIP_START, open_nifti
from models.imaging.nifti_header import is_nifti
from models.imaging.pictures import open_picture
from models.imaging.policy import FramePolicy
from models.imaging.sidecar import describe
from models.imaging.slides import levels_of, open_slide
from models.imaging.tiff import STARTS, Pages, open_pages
from schemas.limits import DEFAULT_LIMITS, Limits

_MASK = BurnedInPolicy()


def open_source(
    data: bytes,
    policy: FramePolicy,
    limits: Limits = DEFAULT_LIMITS,
    burned_in: BurnedInPolicy | None = _MASK,
    *,
    sidecar: bytes | None = None,
    mask: bytes | None = None,
    annotations: Sequence[bytes] = (),
    defaults: Sequence[bytes] = (),
) -> Source:
    """Open DICOM (with or without preamble), PNG, JPEG, TIFF or NIfTI. Safe to call from any thread.

    Structure, lengths and sizes are checked here, before anything is decoded; a frame that turns out damaged
    raises from `Source.read` or `Source.frames`.

    Args:
        data: the file.
        policy: which of its frames to take.
        limits: that it is held to.
        burned_in: what becomes of text in its pixels; None: nothing, for a comparison or a map of labels.
        sidecar: the JSON file beside it, a `schemas.sidecars.Sidecar`.
        mask: the file that the sidecar names.
        annotations: the DICOM annotation objects that it names.
        defaults: what holds where the sidecar says nothing, as JSON of `schemas.sidecars.FolderDefaults`: the most
            general first.

    Raises:
        InvalidInput: one of models.imaging.errors, or models.imaging.limits.TooLarge.
    """
    source = _open(data, policy, limits, burned_in)
    return described(source, limits, sidecar=sidecar, mask=mask, annotations=annotations, defaults=defaults)


def described(
    source: Source,
    limits: Limits = DEFAULT_LIMITS,
    *,
    sidecar: bytes | None = None,
    mask: bytes | None = None,
    annotations: Sequence[bytes] = (),
    defaults: Sequence[bytes] = (),
) -> Source:
    """The same frames with what the files beside theirs say of them. Arguments and errors as of `open_source`."""
    if sidecar is not None or defaults:
        named = len(annotations)
        source = describe(
            source, sidecar, mask, lambda labels: _open(labels, FramePolicy(), limits, None), named, defaults
        )
    return marked(source, annotations, limits, named=True) if annotations else source


def _open(data: bytes, policy: FramePolicy, limits: Limits, burned_in: BurnedInPolicy | None) -> Source:
    if not data:
        raise EmptyFile
    check_file(len(data), limits)
    if data.startswith((PNG_SIGNATURE, JPEG_START)):
        return open_picture(data, policy, limits, burned_in)
    # A DICOM object may begin as a TIFF file (PS3.10, 7.1: the preamble is for that).
    if data[128:132] != b"DICM":
        if data.startswith(STARTS):
            pages = Pages(data)
            levels = levels_of(pages, limits)
            return (
                open_slide(pages, levels, policy, limits, burned_in)
                if levels
                else open_pages(pages, policy, limits, burned_in)
            )
        if data.startswith(GZIP_START) or is_nifti(data):
            return open_nifti(data, policy, limits, burned_in)
    return open_dicom(data, policy, limits, burned_in)
