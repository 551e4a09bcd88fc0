"""Series of images, and DICOM objects that mark regions of them: by highdicom, or by hand where it writes none."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
from highdicom import sr
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.sr.codedict import codes
from pydicom.uid import UID, generate_uid

AXIAL, CORONAL, SAGITTAL = (1, 0, 0, 0, 1, 0), (1, 0, 0, 0, 0, -1), (0, 1, 0, 0, 0, -1)
FLIPPED = (-1, 0, 0, 0, -1, 0)
OBLIQUE = (0.8, 0.6, 0, 0, 0, -1)


def uid(number: int) -> str:
    """Of an image."""
    return f"1.2.826.0.1.3680043.8.498.99.{number}"


PLACE = uid(900)
"""Frame of reference."""
LEFT, RIGHT = codes.SCT.Left, codes.SCT.Right
LUNG, LIVER, NODULE = codes.SCT.Lung, codes.SCT.Liver, codes.SCT.Nodule


def series(count: int = 3, axes: tuple[float, ...] = AXIAL, rows: int = 40, columns: int = 60) -> list[Dataset]:
    """CT images of pydicom's sample, cut to size, 5 mm apart, 1.5 mm high and 0.5 mm wide pixels."""
    source = pydicom.dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
    pixels = source.pixel_array[:rows, :columns].copy()
    normal = np.cross(axes[:3], axes[3:])
    found: list[Dataset] = []
    for number in range(count):
        one = pydicom.dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = uid(number)
        one.FrameOfReferenceUID = PLACE
        one.Rows, one.Columns = rows, columns
        one.PixelSpacing = [1.5, 0.5]
        one.ImageOrientationPatient = list(axes)
        one.ImagePositionPatient = [float(round(x, 4)) for x in np.array([-20.0, 30.0, 7.0]) + 5 * number * normal]
        one.InstanceNumber = number + 1
        pixels[0, 0] = number
        one.PixelData = pixels.tobytes()
        found.append(one)
    return found


def written(dataset: Dataset) -> bytes:
    """As a file."""
    file = BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def segment(number: int, kind: Any = LUNG, label: str = "DOE^JANE") -> hd.seg.SegmentDescription:
    """What highdicom writes of one, with a name where free text is."""
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=codes.SCT.Organ,
        segmented_property_type=kind,
        algorithm_type="MANUAL",
        tracking_id="DOE^JANE",
        tracking_uid=generate_uid(),
    )


def segmentation(sources: Sequence[Dataset], masks: np.ndarray, segments: Sequence[Any], **more: Any) -> Dataset:
    """Of masks (images, rows, columns, segments), by default binary."""
    return hd.seg.Segmentation(
        source_images=sources,
        pixel_array=masks,
        segmentation_type=more.pop("kind", "BINARY"),
        segment_descriptions=segments,
        series_instance_uid=generate_uid(),
        series_number=7,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="DOE^JANE",
        manufacturer_model_name="M",
        software_versions="1",
        device_serial_number="1",
        omit_empty_frames=False,
        **more,
    )


def item(**elements: Any) -> Dataset:
    """A sequence's."""
    found = Dataset()
    for keyword, value in elements.items():
        setattr(found, keyword, value)
    return found


def code(value: Any) -> Dataset:
    """A code item."""
    return item(CodeValue=value.value, CodingSchemeDesignator=value.scheme_designator, CodeMeaning=value.meaning)


def structure_set(
    contours: Sequence[tuple[str, np.ndarray, str | None]],
    *,
    name: str = "DOE^JANE",
    kind: str = "",
    concept: Any = None,
    place: str = PLACE,
) -> Dataset:
    """One structure of (geometric type, points (n, 3) mm, UID of its image)."""
    found = item(
        SOPClassUID=UID("1.2.840.10008.5.1.4.1.1.481.3"), SOPInstanceUID=generate_uid(), Modality="RTSTRUCT",
        PatientName="DOE^JANE", StructureSetLabel="DOE^JANE",
    )  # fmt: skip
    found.StructureSetROISequence = [item(ROINumber=4, ROIName=name, ReferencedFrameOfReferenceUID=place)]
    drawn: list[Dataset] = []
    for geometry, points, image in contours:
        one = item(ContourGeometricType=geometry, NumberOfContourPoints=len(points))
        one.ContourData = [f"{value:.6f}".rstrip("0") for value in np.asarray(points).ravel()]
        if image is not None:
            one.ContourImageSequence = [item(ReferencedSOPInstanceUID=image)]
        drawn.append(one)
    found.ROIContourSequence = [item(ReferencedROINumber=4, ContourSequence=drawn)]
    observation = item(ObservationNumber=1, ReferencedROINumber=4, RTROIInterpretedType=kind)
    if concept is not None:
        observation.RTROIIdentificationCodeSequence = [code(concept)]
    found.RTROIObservationsSequence = [observation]
    found.file_meta = pydicom.dataset.FileMetaDataset()
    found.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    return found


def report(sources: Sequence[Dataset], groups: Sequence[Any]) -> Dataset:
    """A comprehensive 3D report of TID 1500 measurement groups."""
    observer = sr.ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=sr.PersonObserverIdentifyingAttributes("DOE^JANE"),
    )
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_person_context=observer),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=groups,
    )
    return sr.Comprehensive3DSR(
        evidence=sources,
        content=content,
        series_instance_uid=generate_uid(),
        series_number=8,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="DOE^JANE",
    )


def group(region: Any, *, finding: Any = NODULE, site: Any = None) -> Any:
    """One measurement group around an image region, with a name where free text is."""
    sites = [sr.FindingSite(anatomic_location=site[0], laterality=site[1])] if site else None
    return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=generate_uid(), identifier="DOE^JANE"),
        referenced_region=region,
        finding_type=finding,
        finding_sites=sites,
        measurements=[
            sr.Measurement(name=codes.SCT.Area, value=7.0, unit=codes.UCUM.SquareMillimeter, tracking_identifier=None)
        ],
    )


def region(source: Dataset, kind: str, points: Any) -> Any:
    """By columns and rows of an image, from the corner of its first pixel."""
    return sr.ImageRegion(
        graphic_type=kind,
        graphic_data=np.asarray(points, np.float64),
        source_image=sr.SourceImageForRegion(source.SOPClassUID, source.SOPInstanceUID),
    )
