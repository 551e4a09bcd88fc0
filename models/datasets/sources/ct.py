"""A CT slice that lies in a picture file, as DICOM: the one format of the pipeline's that says what its values are."""

import hashlib
import io
from typing import Any

from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid


def ct_file(
    values: NDArray[Any],
    *,
    intercept: float,
    spacing: tuple[float, float],
    window: tuple[float, float] | None = None,
) -> bytes:
    """A CT Image (DICOM PS3.3 A.3) without a patient.

    Args:
        values: (rows, columns) uint16; HU are value + intercept.
        intercept: HU at a stored value of 0.
        spacing: between rows and between columns, mm.
        window: lowest and highest HU that are shown.
    """
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.Modality = CTImageStorage, "CT"
    # The same pixels are the same instance, so that a run that is made again gives the same file.
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=[hashlib.sha256(values.tobytes()).hexdigest()])
    dataset.ImageType = ["DERIVED", "PRIMARY", "AXIAL"]
    dataset.Rows, dataset.Columns = values.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 0
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = 1, intercept, "HU"
    dataset.PixelSpacing = [f"{value:.6g}" for value in spacing]
    if window is not None:
        dataset.WindowCenter, dataset.WindowWidth = (window[0] + window[1]) / 2, window[1] - window[0]
    dataset.PixelData = values.astype("<u2").tobytes()
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()
