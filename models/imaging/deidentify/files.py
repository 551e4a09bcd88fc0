"""A DICOM file in, its de-identified copy out. Its samples stay as they are, but for burned-in text.

Knows nothing of folders and of keys' whereabouts, nor of how text is found.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO

import pydicom
from pydicom import Dataset
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import FileMetaDataset
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag
from pydicom.uid import UID

from models.imaging.allowlist import PIXEL_ELEMENTS
from models.imaging.deidentify.engine import Actions, deidentify
from models.imaging.deidentify.policy import Policy
from models.imaging.deidentify.pseudonyms import Pseudonyms
from models.imaging.deidentify.stored import pixel_element, rewrite_pixels
from models.imaging.errors import (
    CorruptHeader,
    EmptyFile,
    IdentifyingPixels,
    MalformedAttribute,
    NotAnImage,
    TruncatedFile,
    failing_as,
)
from models.imaging.header import Header
from models.imaging.parsing import read_header
from schemas.failures import InvalidInput

IMPLEMENTATION_CLASS_UID = UID("2.25.263396925751641424850039849662456812346")
IMPLEMENTATION_VERSION_NAME = "TRISTREAM"

_LAST = 0x7FE00010
_UNDEFINED = 0xFFFFFFFF
_LONG_VRS = (b"OB", b"OW", b"OF", b"OD", b"OV", b"UN")
# By their names in PS3.6: a document, a voice or a vendor's own format is not cleaned by a table of attributes.
_REFUSED = ("Encapsulated", "Raw Data", "Audio", "Directory")


class NotDicom(InvalidInput):
    """Another format, or none."""

    def __init__(self) -> None:
        super().__init__("the file is not DICOM; only DICOM files are de-identified and copied")


class UncleanableObject(InvalidInput):
    """A SOP class whose content cannot be de-identified attribute by attribute."""

    def __init__(self) -> None:
        super().__init__(
            "the object is of a private SOP class, or is a directory, an encapsulated document, raw data or audio, and "
            "these cannot be de-identified attribute by attribute; leave it out"
        )


class PartlyMaskedText(InvalidInput):
    """Burned In Annotation (0028,0301) is YES, and not all of the text may be gone."""

    def __init__(self) -> None:
        super().__init__(
            "the header says that text burned into the pixels identifies the patient (Burned In Annotation is YES), "
            "and not all of it may be gone: they have more detail than could be looked at, or text was kept over a "
            "region that the source marks or by TRISTREAM_BURNED_IN; clean them at the source, and set the attribute "
            "to NO"
        )


@dataclass(frozen=True, slots=True)
class Masked:
    """Pixels that were looked at, and what was done about the text found in them."""

    areas: int
    """Boxes of text, counted in each frame; what lies outside the ultrasound regions of a frame is one."""
    complete: bool
    """False where not all text may be gone, and nothing is said of the copy: a frame had more detail than could be
    looked at, text was kept over a region that the source marks, or uncertain text may be kept by policy."""
    masked_over_regions_px: int = 0
    """Of regions that the source marks, over all frames."""
    left_over_regions_px: int = 0
    """Of such regions, what looked like text, or holds it, and was kept."""


CleanPixels = Callable[[Dataset, Header, bytes, int], Masked | None]
"""Masks the text burned into a dataset's pixels, in place. Takes what read_header gave too; None: no reason to look."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A de-identified file. The UIDs are its new ones; a palette is of no study or series, which are empty then."""

    data: bytes = field(repr=False)
    study: str
    series: str
    instance: str
    actions: Actions
    masked: Masked | None = None
    """None where the pixels were not looked at."""


def deidentify_file(
    data: bytes, pseudonyms: Pseudonyms, policy: Policy, *, clean_pixels: CleanPixels | None = None
) -> Copy:
    """De-identify a DICOM file, with or without preamble; what follows its data set is left behind.

    Args:
        data: the file.
        pseudonyms: replacements for UIDs and patients.
        policy: options of the profile.
        clean_pixels: called before the header is cleaned, while it still says what to look for.

    Raises:
        InvalidInput: NotDicom, UncleanableObject, PartlyMaskedText, one of models.imaging.errors, or
            what `clean_pixels` raises.
    """
    if not data:
        raise EmptyFile
    try:
        header, body, at = read_header(data)
    except NotAnImage:
        raise NotDicom from None
    if header.contradicted:
        raise MalformedAttribute(keyword_for_tag(min(header.contradicted)))
    dataset = _read(data, header, body, at)
    _check_class(dataset)
    with failing_as(CorruptHeader()):
        rewritten = rewrite_pixels(dataset, header, body, at)
        masked = clean_pixels(dataset, header, *pixel_element(dataset, body, at)) if clean_pixels else None
        cleaned = masked is not None and masked.complete
        if not cleaned and str(dataset.get("BurnedInAnnotation") or "").strip() == "YES":
            raise PartlyMaskedText if masked else IdentifyingPixels
        actions = deidentify(dataset, pseudonyms, policy, pixels_cleaned=cleaned)
        if rewritten or (masked and masked.areas):
            actions["(7fe0,0010)"] = "C"
    with failing_as(CorruptHeader()):
        copy = _written(dataset)
        study, series, instance = (
            str(dataset.get(word) or "") for word in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
        )
    return Copy(copy, study, series, instance, actions, masked)


def _read(data: bytes, header: Header, body: bytes, at: int) -> Dataset:
    """The whole data set, up to its pixel data: what comes later is padding, signatures, or no DICOM at all."""
    with failing_as(CorruptHeader()):
        dataset = read_partial(BytesIO(data), stop_when=_after_pixels, force=True)
        # A deflated object is named as such by its own file meta alone: its header was read inflated.
        named = dataset.file_meta.get("TransferSyntaxUID") if hasattr(dataset, "file_meta") else None
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = UID(named) if named else header.syntax
    if at < len(body):
        _check_whole(header, body, at)
        if not any(tag in dataset for tag in PIXEL_ELEMENTS):
            raise TruncatedFile
    return dataset


def _after_pixels(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag > _LAST


def _check_whole(header: Header, body: bytes, at: int) -> None:
    """The pixel data element at `at` ends within the file (pydicom returns what there is)."""
    order = "<" if header.syntax.is_little_endian else ">"
    explicit = body[at + 4 : at + 6] in _LONG_VRS
    try:
        (length,) = struct.unpack_from(order + "I", body, at + (8 if explicit else 4))
    except struct.error:
        raise TruncatedFile from None
    if length != _UNDEFINED and at + (12 if explicit else 8) + length > len(body):
        raise TruncatedFile


def _check_class(dataset: Dataset) -> None:
    with failing_as(CorruptHeader()):
        uid, instance = str(dataset.get("SOPClassUID") or ""), str(dataset.get("SOPInstanceUID") or "")
    refused = any(word in UID(uid).name for word in _REFUSED) or "DirectoryRecordSequence" in dataset
    if refused or (uid and UID(uid).type != "SOP Class"):
        raise UncleanableObject
    if not (uid and instance):
        raise CorruptHeader


def _written(dataset: Dataset) -> bytes:
    """The file, with a preamble of zeros and file meta information of our own (PS3.10, 7.1)."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    dataset.file_meta = meta
    dataset.preamble = bytes(128)
    file = BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()
