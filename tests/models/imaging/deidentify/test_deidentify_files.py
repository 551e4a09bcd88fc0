"""Whole files: what stands around the data set, what is refused, and pixels that pass untouched."""

import os
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import UID, AllTransferSyntaxes, ExplicitVRBigEndian, ImplicitVRLittleEndian

from benchmarks.identities import images
from models.imaging import FramePolicy, open_source
from models.imaging.deidentify import Policy, Pseudonyms
from models.imaging.deidentify.files import (
    CleanPixels,
    Copy,
    Masked,
    NotDicom,
    PartlyMaskedText,
    UncleanableObject,
    deidentify_file,
)
from models.imaging.dicom import pixel_data
from models.imaging.errors import CorruptHeader, EmptyFile, IdentifyingPixels, TruncatedFile
from models.imaging.parsing import read_header
from schemas.failures import InvalidInput
from tests.models.imaging.samples import MakeDicom, Sample

KEY = Pseudonyms(b"a key for the tests")
PIXELS = np.arange(64, dtype=np.uint16).reshape(8, 8)
# Cut; its width lost to a delimiter; and of 10 × 10 pixels, with 5,600 bytes more.
REFUSED = {"MR_truncated.dcm", "JPEG2000-embedded-sequence-delimiter.dcm", "badVR.dcm"}
IDS = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.4", "PatientName": "JONES^A", "PatientID": "4711"}


def clean(data: bytes, policy: Policy | None = None, *, clean_pixels: CleanPixels | None = None) -> Copy:
    return deidentify_file(data, KEY, policy or Policy(), clean_pixels=clean_pixels)


def test_images_of_pydicom_keep_their_pixels_and_stay_dicom(tmp_path: Path) -> None:
    """In every transfer syntax the copy decodes to the same samples, and is read as the same image."""
    syntaxes: set[str] = set()
    for path in images():
        if path.name in REFUSED:
            continue
        copy = clean(path.read_bytes())
        before, after = pydicom.dcmread(path), pydicom.dcmread(BytesIO(copy.data))
        for frame, expected in zip(samples_of(copy.data), samples_of(path.read_bytes()), strict=True):
            np.testing.assert_array_equal(frame, expected, err_msg=path.name)
        assert after.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID
        assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID == copy.instance
        assert (after.StudyInstanceUID if copy.study else "") == copy.study
        for keyword in ("Rows", "Columns", "BitsStored", "PhotometricInterpretation", "Modality", "SOPClassUID"):
            assert after.get(keyword) == before.get(keyword), (path.name, keyword)
        syntaxes.add(str(before.file_meta.TransferSyntaxUID))
        (tmp_path / f"{copy.instance}.dcm").write_bytes(copy.data)
    assert len(syntaxes) >= 12
    assert syntaxes <= set(AllTransferSyntaxes)
    dcmdump(sorted(tmp_path.iterdir()))


def samples_of(data: bytes) -> list[np.ndarray]:
    """Of the first frames, as they are decoded."""
    header, body, at = read_header(data)
    pixels = pixel_data(header, body, at)
    return [pixels.samples(index)[0] for index in range(min(pixels.frames, 4))]


def dcmdump(files: list[Path]) -> None:
    """DCMTK reads them without a complaint; skipped where it is not installed, except on CI."""
    program = shutil.which("dcmdump")
    if program is None:
        assert not os.environ.get("CI"), "dcmdump of DCMTK is needed on CI"
        return
    done = subprocess.run([program, "-q", *map(str, files)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("policy", [Policy(), Policy(dates="shift"), Policy(clean_descriptors=False)])
def test_a_copy_gives_the_same_frames_as_its_source(policy: Policy, sample: Sample) -> None:
    """The pipeline sees the same pixels, and describes them no differently where descriptions are cleaned."""
    for name in (
        "CT_small.dcm",
        "MR_small_jp2klossless.dcm",
        "examples_ybr_color.dcm",
        "emri_small.dcm",
        "image_dfl.dcm",
    ):
        data = sample(name)
        before = next(open_source(data, FramePolicy("spread", 1)).frames())
        after = next(open_source(clean(data, policy).data, FramePolicy("spread", 1)).frames())
        assert after.image_id == before.image_id
        if policy.clean_descriptors:
            # An agent that is named leaves with its name.
            assert after.metadata == before.metadata.model_copy(
                update={"contrast_agent": after.metadata.contrast_agent}
            )


def test_nothing_around_the_data_set_comes_along(make_dicom: MakeDicom) -> None:
    """A second format in the preamble, the meta's titles, padding, and bytes behind the data set."""
    data = bytearray(make_dicom(PIXELS, **IDS, DataSetTrailingPadding=b"JONES "))
    data[:8] = b"MZ JONES"
    for tail in (b"", b"%PDF-1.7 JONES", b"\x10\x00\x10\x00PN\x06\x00JONES ", b"JONES" * 99):
        copy = clean(bytes(data) + tail)
        assert b"JONES" not in copy.data
        assert copy.data[:132] == bytes(128) + b"DICM"
        meta = pydicom.dcmread(BytesIO(copy.data)).file_meta
        assert {element.tag.element for element in meta} == {0, 1, 2, 3, 0x10, 0x12, 0x13}
        assert meta.ImplementationVersionName == "TRISTREAM"


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_data_set_without_preamble_becomes_a_file(make_dicom: MakeDicom, syntax: UID) -> None:
    """As some exporters write them: nothing before the first element."""
    data = make_dicom(PIXELS, **IDS, syntax=ImplicitVRLittleEndian)
    file = BytesIO()
    dataset = pydicom.dcmread(BytesIO(data))
    little = syntax == ImplicitVRLittleEndian
    pydicom.dcmwrite(file, _bare(dataset), implicit_vr=little, little_endian=little)
    copy = pydicom.dcmread(BytesIO(clean(file.getvalue()).data))
    assert copy.file_meta.TransferSyntaxUID == syntax
    assert copy.PatientIdentityRemoved == "YES"


def _bare(dataset: pydicom.Dataset) -> pydicom.Dataset:
    found = pydicom.Dataset()
    found.update({tag: dataset[tag] for tag in dataset.keys() if tag >> 16 < 0x7FE0})  # noqa: SIM118  # raw ones
    return found


@pytest.mark.parametrize(
    ("elements", "error"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.104.1"}, UncleanableObject),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66"}, UncleanableObject),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.9.4.1"}, UncleanableObject),
        ({"SOPClassUID": "1.2.840.113619.4.26"}, UncleanableObject),
        ({"SOPClassUID": "1.2.840.10008.1.2.1"}, UncleanableObject),
        ({"DirectoryRecordSequence": []}, UncleanableObject),
        ({"SOPInstanceUID": ""}, CorruptHeader),
        ({"BurnedInAnnotation": "YES"}, IdentifyingPixels),
    ],
)
def test_what_cannot_be_cleaned_is_refused(
    make_dicom: MakeDicom, elements: dict[str, object], error: type[InvalidInput]
) -> None:
    """Documents, raw data, audio, private classes, directories, and pixels that name the patient by their own word."""
    data = make_dicom(PIXELS, **IDS)
    dataset = pydicom.dcmread(BytesIO(data))
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    file = BytesIO()
    dataset.save_as(file)
    with pytest.raises(error) as caught:
        clean(file.getvalue())
    assert "JONES" not in repr(caught.value)
    assert "1.2.840" not in str(caught.value)


def test_other_formats_and_damaged_files_are_refused(make_dicom: MakeDicom, sample: Sample) -> None:
    """With an error of ours, wherever a file is cut."""
    for data, error in ((b"", EmptyFile), (b"\x89PNG\r\n\x1a\n" + bytes(99), NotDicom), (b"plain text", NotDicom)):
        with pytest.raises(error):
            clean(data)
    for data in (make_dicom(PIXELS, **IDS), sample("MR_small_RLE.dcm")):
        last = data.rindex(b"\xe0\x7f\x10\x00")
        for cut in (*range(133, last, 97), last + 6, last + 30):
            with pytest.raises(InvalidInput):
                clean(data[:cut])
        with pytest.raises(TruncatedFile):
            clean(data[: last + 40])


def test_pixels_that_were_cleaned_are_taken_and_said_to_be_clean(make_dicom: MakeDicom) -> None:
    """The caller's function sees the header as it was, changes the pixels, and answers for them."""

    def mask(dataset: pydicom.Dataset, *_: object) -> Masked:
        assert dataset.PatientName == "JONES^A"
        dataset.PixelData = bytes(len(dataset.PixelData))
        return Masked(1, complete=True)

    data = make_dicom(PIXELS, **IDS, BurnedInAnnotation="YES")
    copy = pydicom.dcmread(BytesIO(clean(data, clean_pixels=mask).data))
    assert not any(copy.PixelData)
    assert copy.BurnedInAnnotation == "NO"
    assert "113101" in [code.CodeValue for code in copy.DeidentificationMethodCodeSequence]
    for found, error in ((None, IdentifyingPixels), (Masked(1, complete=False), PartlyMaskedText)):
        with pytest.raises(error):
            clean(data, clean_pixels=lambda *_, found=found: found)


def test_an_overlay_within_the_pixels_goes_with_its_header(make_dicom: MakeDicom) -> None:
    """Retired overlays use the bits above the stored ones: those are cleared, the image's own are not."""
    elements = {"BitsStored": 12, "HighBit": 11, **IDS}
    dataset = pydicom.dcmread(BytesIO(make_dicom(PIXELS | 0xF000, **elements)))
    dataset.add_new(0x60000100, "US", 16)
    dataset.add_new(0x60000102, "US", 12)
    dataset.add_new(0x60000022, "LO", "JONES")
    file = BytesIO()
    dataset.save_as(file)
    copy = pydicom.dcmread(BytesIO(clean(file.getvalue()).data))
    np.testing.assert_array_equal(np.frombuffer(copy.PixelData, "<u2").reshape(8, 8), PIXELS)
    assert not [tag for tag in copy.keys() if tag >> 24 == 0x60]  # noqa: SIM118  # its items are elements
