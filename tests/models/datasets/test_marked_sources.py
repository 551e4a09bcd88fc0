"""Collections whose marks are boxes in tables of their own, masks in DICOM, or volumes beside volumes."""

import gzip
import json
from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np
import pydicom
import pydicom.data
import pytest
from PIL import Image

from models.datasets.sources import WrongLayout
from models.imaging import FramePolicy, open_source
from tests.models.datasets.test_sources import made, mask, opened, picture, table

LESION = {
    "File_name": "000001_01_01_109.png", "Patient_index": 1, "Study_index": 1, "Series_ID": 1,
    "Bounding_boxes": "10.4, 20.2, 30.1, 40.0", "Coarse_lesion_type": 5, "Spacing_mm_px_": "0.8, 0.7, 5",
    "DICOM_windows": "-1350, 150", "Train_Val_Test": 3,
}  # fmt: skip
MARKS = "3_Extrapolation_to_Selected_Series.csv"
VOC = """<annotation>
<object><name>WBC</name><bndbox><xmin>11</xmin><ymin>6</ymin><xmax>30</xmax><ymax>25</ymax></bndbox></object>
<object><name>Platelets</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox></object>
</annotation>"""


def mammogram(path: Path, pixels: Any) -> None:
    """A DICOM file of these pixels, (rows, columns) uint8."""
    dataset = pydicom.dcmread(str(pydicom.data.get_testdata_file("CT_small.dcm", download=False)))
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dataset.PixelData, dataset["PixelData"].VR = pixels.tobytes(), "OB"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    for name in ("RescaleSlope", "RescaleIntercept", "PixelPaddingValue", "SmallestImagePixelValue"):
        if name in dataset:
            del dataset[name]
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path)


def volume(path: Path, values: Any) -> None:
    """A NIfTI file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), path)  # pyright: ignore


def test_deep_lesion_is_in_hounsfield_units(tmp_path: Path) -> None:
    """What a PNG of 16 bits stores 32768 higher is read as HU, with its spacing, boxes and split; others are left."""
    root = tmp_path / "deep"
    folder = root / "Images_png" / "000001_01_01"
    folder.mkdir(parents=True)
    stored = np.full((64, 48), 32768 - 850, np.uint16)
    stored[25:35, 15:25] = 32768 + 40
    for name in ("109.png", "110.png"):
        cv2.imwrite(str(folder / name), stored)
    second = {**LESION, "Bounding_boxes": "-2, 1, 8, 9", "Coarse_lesion_type": -1}
    table(root / "DL_info.csv", [LESION, second])
    sidecars, placed, out = made("deep-lesion", root)
    assert [one.reason for one in placed if one.reason] == ["the collection marks nothing on it"]
    ((name, said),) = sidecars.items()
    assert (said["patient"], said["split"]) == ("1", "test")
    assert said["boxes"] == [
        {"x": 10, "y": 20, "width": 20, "height": 20, "label": "lung lesion"},
        {"x": 0, "y": 1, "width": 8, "height": 8, "label": "lesion"},
    ]
    frame = opened(out, name, said)
    values = frame.stored * frame.slope + frame.intercept
    assert (frame.unit, values[0, 0], values[30, 20]) == ("HU", -850, 40)
    assert (frame.metadata.modality, frame.metadata.spacing.row_mm, frame.metadata.spacing.column_mm) == (
        "CT",
        0.7,
        0.8,
    )
    assert {one.label for one in frame.annotations} == {"lung lesion", "lesion"}


def test_bhx_finds_its_slices_by_their_uids(tmp_path: Path) -> None:
    """CQ500's files say nothing of boxes, and BHX's tables nothing of files; a line is no box."""
    root = tmp_path / "bhx"
    data = Path(str(pydicom.data.get_testdata_file("CT_small.dcm", download=False)))
    path = root / "CQ500CT0 CQ500CT0" / "Unknown Study" / "CT Plain" / "CT000001.dcm"
    path.parent.mkdir(parents=True)
    path.write_bytes(data.read_bytes())
    (path.parent / "notes.dcm").write_text("no DICOM")
    uid = str(pydicom.dcmread(path).SOPInstanceUID)
    box = "{'x': 20.6, 'y': 30.2, 'width': 40.0, 'height': 12.5}"
    rows = [
        {"SOPInstanceUID": uid, "SeriesInstanceUID": "1", "data": box, "labelName": "Subdural", "labelType": "x"},
        {"SOPInstanceUID": uid, "SeriesInstanceUID": "1", "data": "", "labelName": "Chronic", "labelType": "x"},
    ]
    table(root / MARKS, rows)
    sidecars, placed, out = made("bhx", root)
    assert [one.reason for one in placed if one.reason] == ["not a DICOM file"]
    ((name, said),) = sidecars.items()
    assert said["boxes"] == [{"x": 21, "y": 30, "width": 40, "height": 13, "label": "subdural haemorrhage"}]
    assert [one.label for one in opened(out, name, said).annotations] == ["subdural haemorrhage"]
    table(root / MARKS, [{**rows[0], "SOPInstanceUID": "1.2"}])
    with pytest.raises(WrongLayout, match=f"none that {MARKS} names"):
        made("bhx", root)


def test_voc_counts_pixels_from_one(tmp_path: Path) -> None:
    """BCCD: boxes of cells, splits by lists, and a picture without a file of marks is left."""
    root = tmp_path / "bccd" / "BCCD"
    for name in ("BloodImage_00000", "BloodImage_00001"):
        picture(root / "JPEGImages" / f"{name}.jpg")
    (root / "Annotations").mkdir()
    (root / "Annotations" / "BloodImage_00000.xml").write_text(VOC)
    (root / "ImageSets" / "Main").mkdir(parents=True)
    (root / "ImageSets" / "Main" / "val.txt").write_text("BloodImage_00000\n")
    sidecars, placed, out = made("bccd", root.parent)
    assert [one.reason for one in placed if one.reason] == ["the collection marks nothing on it"]
    ((name, said),) = sidecars.items()
    assert said["split"] == "validation"
    assert said["boxes"][0] == {"x": 10, "y": 5, "width": 20, "height": 20, "label": "WBC"}
    assert said["boxes"][1] == {"x": 0, "y": 0, "width": 5, "height": 5, "label": "Platelets"}
    assert {one.label for one in opened(out, name, said).annotations} == {"white blood cell", "platelet"}


def test_mimic_tells_by_study_and_by_image(tmp_path: Path) -> None:
    """Tables compressed as PhysioNet has them: the split and view of an image, the findings of its study."""
    root = tmp_path / "mimic"
    stem = "02aa804e-bde0afdd-112c0b34-7bc16630-4e384014"
    picture(root / "files" / "p10" / "p10000032" / "s50414267" / f"{stem}.jpg", colour=False)
    findings = ("No Finding", "Cardiomegaly", "Edema", "Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax")
    rows: dict[str, dict[str, Any]] = {
        "split": {"dicom_id": stem, "study_id": "50414267", "subject_id": "10000032", "split": "validate"},
        "metadata": {"dicom_id": stem, "subject_id": "10000032", "study_id": "50414267", "ViewPosition": "LATERAL"},
        "chexpert": {
            "subject_id": "10000032", "study_id": "50414267", **dict.fromkeys(findings, ""),
            "Pleural Effusion": "1.0", "Fracture": "-1.0",
        },
    }  # fmt: skip
    for name, row in rows.items():
        table(root / "plain.csv", [row])
        (root / f"mimic-cxr-2.0.0-{name}.csv.gz").write_bytes(gzip.compress((root / "plain.csv").read_bytes()))
    ((_, said),) = made("mimic-cxr-jpg", root)[0].items()
    told = {key: said[key] for key in ("patient", "study", "split", "view", "disease")}
    assert told == {
        "patient": "10000032", "study": "50414267", "split": "validation", "view": "LAT", "disease": "pleural effusion"
    }  # fmt: skip


def test_padchest_names_one_finding_or_none(tmp_path: Path) -> None:
    """Its labels are lists in Python's writing: one of them is the disease, of several none is."""
    root = tmp_path / "padchest"
    rows: list[dict[str, Any]] = []
    for n, said in enumerate(("['normal']", "['pneumonia']", "['pneumonia', 'pleural effusion']", "['unchanged']")):
        picture(root / "0" / f"{n}_image.png", colour=False)
        rows.append(
            {"ImageID": f"{n}_image.png", "PatientID": f"p{n}", "StudyID": f"s{n}", "Projection": "L", "Labels": said}
        )
    table(root / "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv", rows)
    sidecars, _, _ = made("padchest", root)
    assert [sidecars[name].get("disease") for name in sorted(sidecars)] == ["healthy", "pneumonia", None, None]
    assert {one["view"] for one in sidecars.values()} == {"LAT"}


def test_mammograms_with_masks_in_dicom(tmp_path: Path) -> None:
    """CBIS-DDSM: a mask of the film's size is taken, the crop beside it is not; a cancer is told where one mark is."""
    root = tmp_path / "cbis"
    case = "Mass-Training_P_00001_LEFT_CC"
    film = np.random.default_rng(0).integers(0, 255, (80, 60), dtype=np.uint8)
    marked = np.zeros((80, 60), np.uint8)
    marked[20:40, 10:30] = 255
    mammogram(root / "CBIS-DDSM" / case / "07-20-2016-DDSM" / "1.0-full mammogram images" / "1-1.dcm", film)
    beside = root / "CBIS-DDSM" / f"{case}_1" / "07-20-2016-DDSM" / "1.0-ROI mask images"
    mammogram(beside / "1-1.dcm", film[20:40, 10:30])
    mammogram(beside / "1-2.dcm", marked)
    rows = [
        {"image file path": f"{case}/1.3/1.4/000000.dcm", "image view": "CC", "pathology": said}
        for said in ("BENIGN", "MALIGNANT")
    ]
    table(root / "mass_case_description_train_set.csv", rows)
    sidecars, placed, out = made("cbis-ddsm", root)
    assert [one.reason for one in placed if one.reason] == []
    ((name, said),) = sidecars.items()
    assert {key: said[key] for key in ("patient", "split", "view", "disease")} == {
        "patient": "P_00001", "split": "train", "view": "CC", "disease": "breast cancer"
    }  # fmt: skip
    assert [one.label for one in opened(out, name, said).annotations] == ["mass"]
    drawn = cv2.imread(str((out / name).parent / said["mask"]), cv2.IMREAD_UNCHANGED)
    assert drawn is not None
    assert np.array_equal(drawn > 0, marked > 0)


def test_what_rows_say_differently_is_not_said(tmp_path: Path) -> None:
    """Two rows of one image name two views: neither is taken."""
    root = tmp_path / "padchest"
    picture(root / "a.png", colour=False)
    row = {"ImageID": "a.png", "PatientID": "p", "StudyID": "s", "Labels": "['normal']"}
    table(root / "PADCHEST_chest_x_ray_images_labels_1.csv", [{**row, "Projection": one} for one in ("L", "PA", "PA")])
    ((_, said),) = made("padchest", root)[0].items()
    assert "view" not in said
    assert said["disease"] == "healthy"


def test_stare_is_unpacked(tmp_path: Path) -> None:
    """Pictures and masks are compressed PPM, which become PNG."""
    root = tmp_path / "stare"
    for folder, name in (("stare-images", "im0001"), ("labels-ah", "im0001.ah")):
        plain = tmp_path / f"{name}.ppm"
        if folder == "labels-ah":
            mask(tmp_path / "mask.png")
            Image.open(tmp_path / "mask.png").convert("RGB").save(plain)
        else:
            picture(plain)
        (root / folder).mkdir(parents=True)
        (root / folder / f"{name}.ppm.gz").write_bytes(gzip.compress(plain.read_bytes()))
    sidecars, _, out = made("stare", root)
    assert list(sidecars) == ["stare-images/im0001.png"]
    assert [one.label for one in opened(out, *next(iter(sidecars.items()))).annotations] == ["vessel"]


def test_mama_mia_holds_its_own_test_patients_back(tmp_path: Path) -> None:
    """One table with a column a split, under the folders' names, which are written otherwise than the files'."""
    root = tmp_path / "mama-mia"
    drawn = np.zeros((24, 20, 4), np.uint8)
    drawn[5:12, 5:12, 1:3] = 1
    for name in ("DUKE_001", "ISPY1_1001"):
        volume(
            root / "images" / name / f"{name.lower()}_0001.nii.gz", np.arange(1920, dtype=np.int16).reshape(24, 20, 4)
        )
        volume(root / "segmentations" / "expert" / f"{name.lower()}.nii.gz", drawn)
    table(root / "train_test_splits.csv", [{"train_split": "DUKE_001", "test_split": "ISPY1_1001"}])
    sidecars, _, _ = made("mama-mia", root)
    assert {one["patient"]: one["split"] for one in sidecars.values()} == {"DUKE_001": "train", "ISPY1_1001": "test"}
    assert all(one["labels"] == {"1": "tumour"} for one in sidecars.values())
    (root / "train_test_splits.csv").unlink()
    with pytest.raises(WrongLayout, match=r"comes with \*\*/train_test_splits\.csv"):
        made("mama-mia", root)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("deep-lesion", r"DL_info\.csv"), ("bhx", "3_Extrapolation"), ("bccd", "JPEGImages"), ("cbis-ddsm", "case_descr")],
)
def test_an_empty_folder_says_what_was_expected(name: str, expected: str, tmp_path: Path) -> None:
    """By the file that the collection comes with."""
    with pytest.raises(WrongLayout, match=expected):
        made(name, tmp_path)


@pytest.mark.parametrize(
    ("name", "image", "marks", "number", "label"),
    [
        ("brats-2021", "BraTS2021_00000/BraTS2021_00000_t1ce.nii.gz", "BraTS2021_00000/BraTS2021_00000_seg.nii.gz", 4,
         "enhancing tumour"),
        ("brats-2023", "BraTS-GLI-00000-000/BraTS-GLI-00000-000-t2f.nii.gz",
         "BraTS-GLI-00000-000/BraTS-GLI-00000-000-seg.nii.gz", 3, "enhancing tumour"),
        ("ct-ich", "ct_scans/049.nii", "masks/049.nii", 255, "haemorrhage"),
        ("kits", "case_00000/imaging.nii.gz", "case_00000/segmentation.nii.gz", 2, "tumour"),
        ("flare-22", "images/FLARE22_Tr_0001_0000.nii.gz", "labels/FLARE22_Tr_0001.nii.gz", 10, "oesophagus"),
        ("uls23", "novel_data/ULS23_Radboudumc_Bone/images/a_lesion_01.nii.gz",
         "novel_data/ULS23_Radboudumc_Bone/labels/a_lesion_01.nii.gz", 1, "lesion"),
    ],
)  # fmt: skip
def test_volumes_in_their_own_layouts(
    name: str, image: str, marks: str, number: int, label: str, tmp_path: Path
) -> None:
    """The volume's mask, by its own numbers, on the slices that hold a mark."""
    root = tmp_path / name
    drawn = np.zeros((24, 20, 4), np.uint8)
    drawn[5:12, 5:12, 1:3] = number
    volume(root / image, np.random.default_rng(0).normal(0, 100, drawn.shape).astype(np.int16))
    volume(root / marks, drawn)
    sidecars, _, out = made(name, root)
    ((placed, said),) = sidecars.items()
    given = json.dumps(said).encode()
    source = open_source(
        (out / placed).read_bytes(), FramePolicy.parse("all"), sidecar=given,
        mask=((out / placed).parent / said["mask"]).read_bytes(),
    )  # fmt: skip
    frames = [source.read(n) for n in source.taken]
    assert sorted(filter(None, ([one.label for one in frame.annotations] for frame in frames))) == [[label], [label]]
    sequence = {"brats-2021": ("T1ce", "T1-weighted", True), "brats-2023": ("FLAIR", "FLAIR", None)}.get(name)
    told = {(one.metadata.channel, one.metadata.weighting, one.metadata.contrast_agent) for one in frames}
    assert told == {sequence or (None, None, None)}
