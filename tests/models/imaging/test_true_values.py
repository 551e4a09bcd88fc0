"""The table of benchmarks.values: files made here, each with a value that is easily read wrong, and what is right."""

import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from pydicom import Dataset

from benchmarks.values import EXPECTED, rows
from models.experts.registry import Registry
from models.imaging import FramePolicy, open_source
from tests.models.imaging.samples import MakeDicom, with_octets, with_private

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

AXIAL: dict[str, Any] = {
    "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "ImagePositionPatient": [0, 0, 0], "PixelSpacing": [0.7, 0.7],
}  # fmt: skip
RESCALED: dict[str, Any] = {"RescaleSlope": "1", "RescaleIntercept": "-1024"}
CT = np.full((64, 64), 1064, np.uint16)
CT[:16], CT[40:, 50:] = 0, 1264
MAP = CT.astype(np.float32) / 1000
RADIOGRAPH = np.linspace(1500, 3000, 128 * 128).astype(np.uint16).reshape(128, 128)
STEPS = np.linspace(0, 1, 4096, dtype=np.float32).reshape(64, 64)
MR = (np.add.outer(np.arange(128) * 4, np.arange(128) * 5) + 20).astype(np.uint16)
ELSEWHERE = {path for path in EXPECTED if path[:2] in ("09", "10", "11")}
"""Tested where codecs and palettes are."""


def pet(make: MakeDicom, highest: int, slope: str, **elements: Any) -> bytes:
    """A slice an hour after 350 MBq of fluorine-18."""
    activity = np.linspace(50, highest, 4096).astype(np.int16).reshape(64, 64)
    injected = Dataset()
    injected.RadionuclideTotalDose, injected.RadionuclideHalfLife = "350000000", "6586.2"
    injected.RadiopharmaceuticalStartTime = "100000"
    if "TimezoneOffsetFromUTC" in elements:
        injected.RadiopharmaceuticalStartDateTime = "20240101090000.00+0000"
    return make(
        activity, **AXIAL, Modality="PT", SOPClassUID="1.2.840.10008.5.1.4.1.1.128", Units="BQML", RescaleSlope=slope,
        RescaleIntercept="0", DecayCorrection="START", CorrectedImage=["DECY", "ATTN"], PatientWeight="70",
        SeriesDate="20240101", SeriesTime="110000", AcquisitionDate="20240101", AcquisitionTime="110000",
        RadiopharmaceuticalInformationSequence=[injected], **elements,
    )  # fmt: skip


def mosaic(make: MakeDicom) -> bytes:
    """Four slices of 64 × 64 in one frame."""
    dataset = make(
        MR, Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.4", SpacingBetweenSlices="4", PixelSpacing=[3, 3],
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0], ImagePositionPatient=[0, 0, 0],
        ImageType=["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"], AcquisitionMatrix=[64, 0, 0, 64],
    )  # fmt: skip
    return with_private(dataset, 0x0019, "SIEMENS MR HEADER", {0x0A: ("US", 4)})


def tiff(samples: NDArray[Any]) -> bytes:
    """A TIFF file of one strip."""
    file = BytesIO()
    tifffile.imwrite(file, samples, photometric="minisblack", rowsperstrip=samples.shape[0])
    return file.getvalue()


def without_byte_count(data: bytes) -> bytes:
    """The same with 0 as the length of its strip (tag 279)."""
    (directory,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, directory)
    at = next(
        entry for entry in range(directory + 2, directory + 2 + 12 * count, 12)
        if struct.unpack_from("<H", data, entry) == (279,)
    )  # fmt: skip
    return data[: at + 8] + struct.pack("<I", 0) + data[at + 12 :]


def nifti() -> bytes:
    """Four fifths of each slice are -1e30."""
    volume = np.full((20, 24, 6), -1e30, np.float32)
    volume[5:15, 7:17] = np.linspace(-3, 2.5, 600, dtype=np.float32).reshape(10, 10, 6)
    volume[5, 7], volume[14, 16] = -3, 2.5
    return nib.Nifti1Image(volume, np.diag([2, 2, 4, 1])).to_bytes()


def float_map(make: MakeDicom) -> bytes:
    """A parametric map whose outside is the lowest float, as Float Pixel Padding Value says."""
    lowest = float(np.finfo(np.float32).min)
    samples = np.where(MAP == 0, np.float32(lowest), MAP)
    return make(
        samples, **AXIAL, Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.30", FloatPixelPaddingValue=lowest
    )


def made(make: MakeDicom) -> dict[str, Callable[[], bytes]]:
    """How each file of the table is made."""
    ct = {**AXIAL, **RESCALED}
    scout = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"], "ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}
    outlier = STEPS.copy()
    outlier[3, 3] = 1e9
    grey = np.where(np.arange(4096).reshape(64, 64) % 50 < 31, 136, 135).astype(np.uint8)
    film = {"Modality": "DX", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1", "PatientOrientation": ["L", "F"]}
    return {
        "01_comma_decimal/base.dcm": lambda: make(CT, **ct),
        "01_comma_decimal/comma_intercept.dcm": lambda: with_octets(make(CT, **ct), RescaleIntercept=b"-1024,00"),
        "01_comma_decimal/comma_slope_half.dcm": lambda: with_octets(make(CT, **ct), RescaleSlope=b"0,50"),
        "01_comma_decimal/empty_intercept.dcm": lambda: with_octets(make(CT, **ct), RescaleIntercept=b""),
        "01_comma_decimal/pet_ok.dcm": lambda: pet(make, 9000, "2.5"),
        "02_pet_timezone/pet_plain.dcm": lambda: pet(make, 20_000, "0.5"),
        "02_pet_timezone/pet_tz.dcm": lambda: pet(make, 9000, "2.5", TimezoneOffsetFromUTC="+0100"),
        "03_mosaic/mosaic.dcm": lambda: mosaic(make),
        "04_tiff_bytecounts_zero/bytecounts_zero.tif": lambda: without_byte_count(tiff(grey)),
        "05_float_sentinel/D_float_padding.dcm": lambda: float_map(make),
        "05_float_sentinel/m1e30.nii": nifti,
        "06_float_outlier/float_ok.tif": lambda: tiff(STEPS),
        "06_float_outlier/float_outlier.tif": lambda: tiff(outlier),
        "07_contrast_none/contrast_none.dcm": lambda: make(CT, **ct, ContrastBolusAgent="NONE"),
        "21_localizer/localizer.dcm": lambda: make(CT, **ct | scout),
        "22_presentation_lut_shape/dx_m1_id.dcm": lambda: make(
            RADIOGRAPH, **film, PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="IDENTITY"
        ),
        "22_presentation_lut_shape/dx_m2_inv.dcm": lambda: make(RADIOGRAPH, **film, PresentationLUTShape="INVERSE"),
        "22_presentation_lut_shape/m2_inverse.dcm": lambda: make(CT, **film, PresentationLUTShape="INVERSE"),
        "23_sc_modality_cr/rsna_sc_cr.dcm": lambda: make(
            CT.astype(np.uint8), Modality="CR", SOPClassUID="1.2.840.10008.5.1.4.1.1.7", ConversionType="WSD",
            ViewPosition="PA", BodyPartExamined="CHEST",
        ),
        "24_skull_base/skullbase.dcm": lambda: make(CT, **ct, StudyDescription="PET CT SKULL BASE TO MID THIGH"),
    }  # fmt: skip


@pytest.mark.parametrize("path", sorted(EXPECTED.keys() - ELSEWHERE))
def test_values_are_true_or_not_told(make_dicom: MakeDicom, tmp_path: Path, path: str) -> None:
    """Expected against got, as the table prints them."""
    (tmp_path / path).parent.mkdir()
    (tmp_path / path).write_bytes(made(make_dicom)[path]())
    (row,) = rows(tmp_path)
    assert row.right, row


def test_a_strip_of_no_length_is_read() -> None:
    """A file whose byte count is 0 has the pixels of the one that has it."""
    grey = np.random.default_rng(1).integers(0, 256, (64, 64)).astype(np.uint8)
    (frame,) = open_source(without_byte_count(tiff(grey)), FramePolicy()).frames()
    np.testing.assert_array_equal(frame.stored, grey)


@pytest.mark.parametrize("unit", [None, "HU"])
def test_no_expert_of_density_looks_at_a_localizer(make_dicom: MakeDicom, unit: str | None) -> None:
    """Nor where Rescale Type, or a sidecar, says HU: a projection has none."""
    data = made(make_dicom)["21_localizer/localizer.dcm"]()
    if unit:
        data = with_octets(data, RescaleType=unit.encode())
    (frame,) = open_source(data, FramePolicy(), sidecar=b'{"unit": "HU"}').frames()
    manifests = [expert.manifest for expert in Registry.load().experts]
    of_density = [one for one in manifests if "HU" in one.input.units]
    assert of_density
    assert not any(one.fits(frame.metadata, frame.unit, (512, 512)) for one in of_density)
