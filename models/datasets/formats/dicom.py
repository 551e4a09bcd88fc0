"""DICOM: the view as secondary capture, its regions as a segmentation (SEG) and as a report by template TID 1500.

<split>/<id>/image.dcm, segmentation.dcm, report.dcm; patients, studies and series are the keyed hashes of the triplet.
Where the caller names the original file of an object, and that is a single-frame image of the view's size, the
segmentation and the report refer to it instead, and carry its patient: they are for the archive that holds it.
"""

import copy
import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import numpy.typing as npt
import pydicom
from highdicom import sr
from highdicom.sr.coding import CodedConcept
from pycocotools import mask as coco
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from models.datasets.formats.base import Example
from models.datasets.lines import Glance
from models.datasets.origin import origin_of
from models.imaging import from_pixels
from models.statements.table import table
from models.vocabulary import TERMS
from schemas.regions import Region

MAKER, MODEL = "Tristream", "Tristream triplets"
OWN_SCHEME = "99TRISTREAM"
"""Of labels that no terminology we know has a code for; the meaning is the label."""
_LONGEST = 64
"""Characters of a long string (LO)."""


class Dicom:
    """Writes three objects an image.

    Args:
        folder: of the format.
        originals: the original file of an object_id, for those whose archive is to get the marks.
    """

    def __init__(self, folder: Path, originals: Mapping[str, Path] | None = None) -> None:
        self._folder = folder
        self._originals = originals or {}

    def write(self, example: Example) -> None:
        """One image; where nothing is outlined, the image alone."""
        folder = self._folder / example.split / example.name
        folder.mkdir(parents=True, exist_ok=True)
        image = self._original(example) or _captured(example)
        if "PixelData" in image and image.SOPClassUID == SecondaryCaptureImageStorage:
            image.save_as(folder / "image.dcm", enforce_file_format=True)
        outlined = [region for region in example.triplet.regions if region.kind != "whole image"]
        if not outlined:
            return
        with warnings.catch_warnings():
            # Of an original's patient: the warning quotes the name.
            warnings.filterwarnings("ignore", message="The string .* is unlikely to represent", category=UserWarning)
            segmentation = _segmentation(example, image, outlined)
            report = _report(example, image, segmentation, outlined)
        segmentation.save_as(folder / "segmentation.dcm")
        report.save_as(folder / "report.dcm")

    def close(self) -> None:
        """As Writer has it."""

    def _original(self, example: Example) -> Dataset | None:
        path = self._originals.get(example.triplet.object_id)
        if path is None or example.triplet.metadata.frames_in_object != 1:
            return None
        try:
            found = pydicom.dcmread(path)
        except (OSError, InvalidDicomError):
            return None
        same = (found.get("Rows"), found.get("Columns")) == (example.triplet.image.rows, example.triplet.image.columns)
        return found if same else None


def _uid(example: Example, role: str) -> str:
    """Of the same object each time (DICOM PS3.5 B.2)."""
    digest = hashlib.blake2b(f"{example.name}:{role}".encode(), digest_size=16).digest()
    return f"2.25.{int.from_bytes(digest)}"


def _uid_of(key: str) -> str:
    return f"2.25.{int.from_bytes(hashlib.blake2b(key.encode(), digest_size=16).digest())}"


def _captured(example: Example) -> Dataset:
    """The view as a Secondary Capture Image (PS3.3 A.8.1)."""
    triplet = example.triplet
    stored = from_pixels(triplet.image)
    if stored.dtype != np.uint8:
        stored = (stored >> 8).astype(np.uint8)
    origin = origin_of(Glance.of(triplet))
    study = triplet.provenance.study if triplet.provenance and triplet.provenance.study else triplet.object_id
    found = Dataset()
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found.SOPClassUID, found.SOPInstanceUID = SecondaryCaptureImageStorage, _uid(example, "image")
    found.StudyInstanceUID, found.SeriesInstanceUID = _uid_of(f"study:{study}"), _uid_of(f"series:{origin.series}")
    found.PatientID, found.PatientName = origin.group, ""
    found.PatientBirthDate = found.PatientSex = found.StudyDate = found.StudyTime = ""
    found.StudyID = found.AccessionNumber = found.ReferringPhysicianName = ""
    found.Modality, found.ConversionType, found.Manufacturer = "OT", "WSD", MAKER
    found.SeriesNumber, found.InstanceNumber = 1, triplet.frame + 1
    found.ImageType = ["DERIVED", "SECONDARY"]
    found.PatientIdentityRemoved, found.DeidentificationMethod = "YES", "Tristream: pixels and an allowlist of metadata"
    found.PatientOrientation = ""
    found.BurnedInAnnotation = "NO"
    found.DerivationDescription = "8-bit view of quantitative pixels"
    if (spacing := triplet.metadata.spacing) is not None:
        found.PixelSpacing = [f"{spacing.row_mm:.6g}", f"{spacing.column_mm:.6g}"]
    if triplet.metadata.slice_thickness_mm is not None:
        found.SliceThickness = f"{triplet.metadata.slice_thickness_mm:.6g}"
    found.Rows, found.Columns = stored.shape[:2]
    found.SamplesPerPixel = 1 if stored.ndim == 2 else 3
    found.PhotometricInterpretation = "MONOCHROME2" if stored.ndim == 2 else "RGB"
    if stored.ndim == 3:
        found.PlanarConfiguration = 0
    found.BitsAllocated = found.BitsStored = 8
    found.HighBit, found.PixelRepresentation = 7, 0
    data = stored.tobytes()
    found.PixelData = data + b"\0" * (len(data) % 2)
    return found


def _segmentation(example: Example, image: Dataset, regions: list[Region]) -> Dataset:
    """A segment a region; they may overlap (PS3.3 A.51)."""
    masks: npt.NDArray[np.uint8] = np.stack([coco.decode(one.mask.rle) for one in regions], axis=-1)
    source = image
    if "PixelSpacing" in image and "SliceThickness" not in image:
        # A segmentation tells both or neither (PS3.3 C.7.6.16.2.1), and no thickness is made up; the image tells its.
        source = copy.copy(image)
        del source.PixelSpacing
    return hd.seg.Segmentation(
        source_images=[source],
        pixel_array=masks[np.newaxis].astype(np.uint8),
        segmentation_type="BINARY",
        segment_descriptions=[_segment(example, number, one) for number, one in enumerate(regions, start=1)],
        series_instance_uid=_uid(example, "segmentation series"),
        series_number=2,
        sop_instance_uid=_uid(example, "segmentation"),
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name=MODEL,
        software_versions=example.triplet.lineage.grounding[:_LONGEST],
        device_serial_number="0",
        content_label="REGIONS",
        content_description="Regions of interest of a triplet",
        omit_empty_frames=False,
    )


def _segment(example: Example, number: int, region: Region) -> hd.seg.SegmentDescription:
    """Manual: marked by the source, whoever did it there; automatic: found by an expert."""
    by_source = region.kind == "source annotation"
    algorithm = None
    if not by_source:
        name, _, version = region.expert.partition("@")
        algorithm = hd.AlgorithmIdentificationSequence(
            name=name[:_LONGEST], version=(version or "0")[:_LONGEST], family=codes.DCM.ArtificialIntelligence
        )
    category, kind = _concepts(region)
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=region.label[:_LONGEST],
        segmented_property_category=category,
        segmented_property_type=kind,
        algorithm_type="MANUAL" if by_source else "AUTOMATIC",
        algorithm_identification=algorithm,
        tracking_uid=_uid(example, region.region_id),
        tracking_id=region.region_id,
    )


def _concepts(region: Region) -> tuple[CodedConcept, CodedConcept]:
    """What sort of thing a region is, and what: by its code, the vocabulary's, else its label in our own scheme."""
    finding = table().called(region.label).role == "finding"
    category = CodedConcept("49755003", "SCT", "Morphologically Altered Structure") if finding else CodedConcept(
        "123037004", "SCT", "Anatomical Structure"
    )  # fmt: skip
    if region.code is not None:
        return category, CodedConcept(region.code.value, region.code.scheme, region.code.meaning)
    term = TERMS.get(region.label)
    if term is not None and term.snomed:
        return category, CodedConcept(term.snomed, "SCT", term.name.capitalize()[:_LONGEST])
    value = hashlib.blake2b(region.label.encode(), digest_size=6).hexdigest().upper()
    return category, CodedConcept(value, OWN_SCHEME, region.label[:_LONGEST])


def _report(example: Example, image: Dataset, segmentation: Dataset, regions: list[Region]) -> Dataset:
    """Measurements of each region (PS3.16 TID 1500, TID 1410), which are also those of the triplet."""
    observer = sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
            uid=_uid_of(MODEL), name=MODEL, manufacturer_name=MAKER, model_name=MODEL
        ),
    )
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=observer),
        procedure_reported=CodedConcept("363679005", "SCT", "Imaging procedure"),
        imaging_measurements=[
            _measured(example, image, segmentation, number, region) for number, region in enumerate(regions, start=1)
        ],
    )
    return sr.Comprehensive3DSR(
        evidence=[image, segmentation],
        content=content[0],
        series_number=3,
        series_instance_uid=_uid(example, "report series"),
        sop_instance_uid=_uid(example, "report"),
        instance_number=1,
        manufacturer=MAKER,
        is_complete=True,
        is_final=False,
        is_verified=False,
    )


def _measured(
    example: Example, image: Dataset, segmentation: Dataset, number: int, region: Region
) -> sr.PlanarROIMeasurementsAndQualitativeEvaluations:
    by_expert = region.kind != "source annotation"
    name, _, version = region.expert.partition("@")
    category, kind = _concepts(region)
    return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=_uid(example, region.region_id), identifier=region.region_id),
        referenced_segment=_segment_of(segmentation, number, image),
        finding_type=kind,
        finding_category=category,
        algorithm_id=sr.AlgorithmIdentification(name=name, version=version or "0") if by_expert else None,
        measurements=list(_numbers(region)),
    )


def _segment_of(segmentation: Dataset, number: int, image: Dataset) -> sr.ReferencedSegmentationFrame:
    """A segment, named by its number alone: a frame's is told only where no segment's is (PS3.3 Table 10-3)."""
    source = sr.SourceImageForSegmentation(image.SOPClassUID, image.SOPInstanceUID)
    found = sr.ReferencedSegmentationFrame(
        segmentation.SOPClassUID, segmentation.SOPInstanceUID, number, number, source
    )
    del found[0].ReferencedSOPSequence[0].ReferencedFrameNumber
    return found


def _numbers(region: Region) -> Any:
    if region.area_mm2 is not None:
        yield sr.Measurement(name=codes.SCT.Area, value=region.area_mm2, unit=codes.UCUM.SquareMillimeter)
    else:
        pixels = CodedConcept("{pixels}", "UCUM", "pixels")
        yield sr.Measurement(name=codes.SCT.Area, value=float(region.area_px), unit=pixels)
    if region.size is not None and region.size.unit == "mm":
        yield sr.Measurement(name=codes.SCT.LongAxis, value=region.size.longest_axis, unit=codes.UCUM.Millimeter)
        yield sr.Measurement(name=codes.SCT.ShortAxis, value=region.size.shortest_axis, unit=codes.UCUM.Millimeter)
    if region.intensity.unit == "HU":
        unit = CodedConcept("[hnsf'U]", "UCUM", "Hounsfield unit")
        derived = CodedConcept("373098007", "SCT", "Mean")
        name = CodedConcept("112031", "DCM", "Attenuation Coefficient")
        yield sr.Measurement(name=name, value=region.intensity.mean, unit=unit, derivation=derived)
