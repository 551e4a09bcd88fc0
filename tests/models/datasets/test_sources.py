"""Public collections, laid out as they are published, made into inputs that the pipeline reads."""

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np
import pydicom.data
import pytest
from click.testing import CliRunner
from PIL import Image

from infra.cli import main
from models.datasets.licences import Licences, permits_of
from models.datasets.sources import Placed, WrongLayout, collections, place
from models.imaging import FramePolicy, open_source
from models.vocabulary import read_label
from schemas.sidecars import Sidecar


def picture(path: Path, colour: bool = True) -> None:
    """A small picture of noise, of which no two are alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(abs(hash(path.name)) % 2**32).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(noise if colour else noise[..., 0]).save(path)


def mask(path: Path, column: int = 10, value: int = 255) -> None:
    """A rectangle of 8 x 8 px in nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = np.zeros((48, 64), np.uint8)
    drawn[20:28, column : column + 8] = value
    Image.fromarray(drawn).save(path)


def table(path: Path, rows: list[dict[str, Any]]) -> None:
    """A CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def made(name: str, root: Path) -> tuple[dict[str, dict[str, Any]], list[Placed], Path]:
    """What comes of a collection: sidecars by the image's path, all that was told, and the folder."""
    out = root.with_name(f"{root.name}-out")
    placed = list(place(root, collections()[name], out))
    sidecars = {
        path.relative_to(out).as_posix().removesuffix(".json"): json.loads(path.read_bytes())
        for path in out.rglob("*.json")
    }
    return sidecars, placed, out


def opened(out: Path, name: str, sidecar: dict[str, Any]) -> Any:
    """The first frame, read as preprocess reads it, with its sidecar and mask."""
    given = (out / f"{name}.json").read_bytes()
    marks = ((out / name).parent / sidecar["mask"]).read_bytes() if "mask" in sidecar else None
    opened = open_source((out / name).read_bytes(), FramePolicy(), sidecar=given, mask=marks)
    return opened.read(opened.taken[0])


def test_the_table_names_what_the_pipeline_understands() -> None:
    """At least 35 collections; every disease and label is read by the vocabulary, and every sidecar is one."""
    known = collections()
    assert len(known) >= 35
    for one in known.values():
        said = {*one.disease.values(), one.sidecar.get("disease", ""), *one.labels.values()}
        for rows in one.tables:
            said |= {*rows.values.get("disease", {}).values(), *rows.one_hot.values(), rows.box_label}
        said |= {label for mask in one.masks for label in (mask.label, *mask.labels.values())}
        for word in said - {"", "annotated region"}:
            assert read_label(word).named, (one.name, word)
        Sidecar.model_validate({"modality": one.modality, "organ": one.organ, **one.sidecar})
        assert one.access.startswith("http")


def test_masks_of_one_image_become_one(tmp_path: Path) -> None:
    """BUSI: two tumours in two files, a healthy breast without one, and masks are no images."""
    root = tmp_path / "busi"
    picture(root / "Dataset_BUSI_with_GT" / "benign" / "benign (1).png")
    mask(root / "Dataset_BUSI_with_GT" / "benign" / "benign (1)_mask.png", 4)
    mask(root / "Dataset_BUSI_with_GT" / "benign" / "benign (1)_mask_1.png", 40)
    picture(root / "Dataset_BUSI_with_GT" / "normal" / "normal (1).png")
    mask(root / "Dataset_BUSI_with_GT" / "normal" / "normal (1)_mask.png", value=0)
    picture(root / "Dataset_BUSI_with_GT" / "odd" / "x.png")
    sidecars, placed, out = made("busi", root)
    assert {Path(name).name for name in sidecars} == {"benign (1).png", "normal (1).png"}
    assert [one.reason for one in placed if one.reason] == ["its path is not one of the collection's"]
    benign = sidecars["Dataset_BUSI_with_GT/benign/benign (1).png"]
    assert benign["disease"] == "benign tumour"
    assert "mask" not in sidecars["Dataset_BUSI_with_GT/normal/normal (1).png"]
    frame = opened(out, "Dataset_BUSI_with_GT/benign/benign (1).png", benign)
    assert [annotation.label for annotation in frame.annotations] == ["tumour"]
    assert frame.metadata.modality == "ultrasound"


def test_several_labels_and_gifs(tmp_path: Path) -> None:
    """IDRiD's masks are five files of as many labels; DRIVE's are GIF."""
    root = tmp_path / "idrid" / "A. Segmentation"
    picture(root / "1. Original Images" / "a. Training Set" / "IDRiD_01.jpg")
    truths = root / "2. All Segmentation Groundtruths" / "a. Training Set"
    mask(truths / "5. Optic Disc" / "IDRiD_01_OD.tif", 2, 1)
    mask(truths / "1. Microaneurysms" / "IDRiD_01_MA.tif", 30, 1)
    sidecars, _, out = made("idrid", root.parent)
    (name, said), *_ = sidecars.items()
    assert said["split"] == "train"
    assert set(said["labels"].values()) == {"optic disc", "microaneurysm"}
    assert {one.label for one in opened(out, name, said).annotations} == {"optic disc", "microaneurysm"}
    drive = tmp_path / "drive"
    picture(drive / "test" / "images" / "01_test.tif")
    mask(drive / "test" / "1st_manual" / "01_manual1.gif")
    sidecars, _, out = made("drive", drive)
    (name, said), *_ = sidecars.items()
    assert said["split"] == "test"
    assert [one.label for one in opened(out, name, said).annotations] == ["vessel"]


def test_tables_tell_diseases_patients_splits_and_boxes(tmp_path: Path) -> None:
    """NIH ChestX-ray14: the official lists, one finding or none, boxes where there are some."""
    root = tmp_path / "nih"
    names = ["00000001_000.png", "00000002_000.png", "00000003_000.png"]
    for name in names:
        picture(root / "images_001" / "images" / name, colour=False)
    findings = ["Effusion", "No Finding", "Mass|Nodule"]
    table(
        root / "Data_Entry_2017_v2020.csv",
        [
            {"Image Index": name, "Finding Labels": finding, "Patient ID": n, "View Position": "PA"}
            for n, (name, finding) in enumerate(zip(names, findings, strict=True))
        ],
    )
    box = {"Bbox [x": 5, "y": 6.4, "w": 20, "h]": 10}
    table(root / "BBox_List_2017.csv", [{"Image Index": names[0], "Finding Label": "Effusion", **box}])
    (root / "train_val_list.txt").write_text("\n".join(names[:2]))
    (root / "test_list.txt").write_text(names[2])
    sidecars, _, out = made("nih-chestx-ray14", root)
    said = {Path(name).name: one for name, one in sidecars.items()}
    assert [said[name].get("disease") for name in names] == ["pleural effusion", "healthy", None]
    assert [said[name]["split"] for name in names] == ["train", "train", "test"]
    assert said[names[0]]["boxes"] == [{"x": 5, "y": 6, "width": 20, "height": 10, "label": "Effusion"}]
    frame = opened(out, f"images_001/images/{names[0]}", said[names[0]])
    assert [one.label for one in frame.annotations] == ["pleural effusion"]
    assert frame.metadata.view == "PA"


def test_one_hot_tables_and_paths_as_keys(tmp_path: Path) -> None:
    """CheXpert: uncertain (-1) is not said, and of two findings neither is the disease."""
    root = tmp_path / "chexpert"
    columns = [key for one in collections()["chexpert"].tables for key in one.one_hot]
    rows: list[dict[str, Any]] = []
    for n, values in enumerate(({"Edema": "1.0"}, {"Pneumonia": "-1.0"}, {"Edema": "1.0", "Pneumothorax": "1.0"})):
        path = f"train/patient0000{n}/study1/view1_frontal.jpg"
        picture(root / path, colour=False)
        rows.append({"Path": f"CheXpert-v1.0/{path}", "AP/PA": "AP", **dict.fromkeys(columns, ""), **values})
    table(root / "train.csv", rows)
    sidecars, _, _ = made("chexpert", root)
    assert [sidecars[name].get("disease") for name in sorted(sidecars)] == ["pulmonary oedema", None, None]
    assert {one["patient"] for one in sidecars.values()} == {"patient00000", "patient00001", "patient00002"}


@pytest.mark.parametrize("version", [1, 2])
def test_volumes_of_both_versions_of_dataset_json(version: int, tmp_path: Path) -> None:
    """nnU-Net names labels first, the Decathlon numbers; one file a channel or one for all."""
    root = tmp_path / "volumes"
    shape = (24, 20, 6)
    for folder in ("imagesTr", "labelsTr"):
        (root / folder).mkdir(parents=True)
    values = np.random.default_rng(0).normal(0, 100, shape).astype(np.int16)
    marked = np.zeros(shape, np.uint8)
    marked[5:12, 5:12, 2:4] = 2
    stem = "liver_1_0000" if version == 2 else "liver_1"
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), root / "imagesTr" / f"{stem}.nii.gz")  # pyright: ignore
    nibabel.save(nibabel.Nifti1Image(marked, np.eye(4)), root / "labelsTr" / "liver_1.nii.gz")  # pyright: ignore
    described = (
        {"labels": {"0": "background", "1": "liver", "2": "cancer"}, "modality": {"0": "CT"}}
        if version == 1
        else {"labels": {"background": 0, "liver": 1, "tumour": 2}, "channel_names": {"0": "CT"}}
    )
    (root / "dataset.json").write_text(json.dumps(described))
    sidecars, _, out = made("nnunet", root)
    (name, said), *_ = sidecars.items()
    assert (said["modality"], said["patient"], said["split"]) == ("CT", "liver_1", "train")
    given = (out / f"{name}.json").read_bytes()
    marks = ((out / name).parent / said["mask"]).read_bytes()
    source = open_source((out / name).read_bytes(), FramePolicy.parse("all"), sidecar=given, mask=marks)
    frames = [source.read(n) for n in source.taken]
    assert sum(bool(frame.annotations) for frame in frames) == 2


def test_dicom_collections_say_for_themselves_what_they_are(tmp_path: Path) -> None:
    """Files are linked as they lie, and source and licence are those of triplets made from the folder above."""
    root = tmp_path / "tcia" / "series"
    root.mkdir(parents=True)
    data = Path(str(pydicom.data.get_testdata_file("CT_small.dcm", download=False))).read_bytes()
    (root / "1.dcm").write_bytes(data)
    (root / "LICENSE").write_text("terms")
    sidecars, placed, out = made("tcia", root.parent)
    assert sidecars["series/_defaults"]["source"] == "The Cancer Imaging Archive"
    assert [one.path.relative_to(out).as_posix() for one in placed] == ["series/1.dcm"]
    assert (out / "series" / "1.dcm").read_bytes() == data
    result = CliRunner().invoke(main, ["annotate", str(out), "--triplets", str(tmp_path / "triplets.jsonl")])
    assert result.exit_code == 0, result.output
    provenance = json.loads((tmp_path / "triplets.jsonl").read_bytes())["provenance"]
    assert provenance["source"] == "The Cancer Imaging Archive"
    assert provenance["licence"] == collections()["tcia"].licence


def test_another_layout_says_what_was_expected(tmp_path: Path) -> None:
    """No images, no table, a table without its columns, volumes without their folder."""
    picture(tmp_path / "a" / "pictures" / "0.jpg")
    with pytest.raises(WrongLayout, match=r"no image of Kvasir-SEG .* images/\*\.jpg.* paths like images/<stem>\.jpg"):
        made("kvasir-seg", tmp_path / "a")
    picture(tmp_path / "b" / "HAM10000_images_part_1" / "ISIC_1.jpg")
    with pytest.raises(WrongLayout, match=r"HAM10000 comes with HAM10000_metadata\*, which is not"):
        made("ham10000", tmp_path / "b")
    table(tmp_path / "b" / "HAM10000_metadata.csv", [{"image": "ISIC_1"}])
    with pytest.raises(WrongLayout, match="no column dx, image_id, lesion_id"):
        made("ham10000", tmp_path / "b")
    with pytest.raises(WrongLayout, match="imagesTr"):
        made("nnunet", tmp_path / "b")


def test_a_run_that_was_broken_off_goes_on(tmp_path: Path) -> None:
    """What has its sidecar is passed by; what has none is made anew."""
    root = tmp_path / "kvasir"
    for n in range(3):
        picture(root / "images" / f"{n}.jpg")
        mask(root / "masks" / f"{n}.jpg")
    _, placed, out = made("kvasir-seg", root)
    assert [one.new for one in placed] == [True] * 3
    (out / "images" / "1.jpg.json").unlink()
    _, placed, _ = made("kvasir-seg", root)
    assert [one.new for one in placed] == [False, True, False]
    assert (root / "images" / "1.jpg").exists()


def test_a_damaged_mask_costs_its_image(tmp_path: Path) -> None:
    """And no other."""
    root = tmp_path / "kvasir"
    for n in range(2):
        picture(root / "images" / f"{n}.jpg")
        mask(root / "masks" / f"{n}.jpg")
    (root / "masks" / "0.jpg").write_bytes(b"not a picture")
    sidecars, placed, out = made("kvasir-seg", root)
    assert list(sidecars) == ["images/1.jpg"]
    assert [one.reason for one in placed if one.reason] == ["it cannot be read: UnidentifiedImageError"]
    assert not (out / "images" / "0.jpg").exists()


@pytest.mark.parametrize(
    ("licence", "permits"),
    [
        ("CC0-1.0", "commercial"), ("CC-BY-4.0", "commercial"), ("CC-BY-SA-4.0", "commercial"), ("MIT", "commercial"),
        ("CC-BY-NC-4.0", "research"), ("CC-BY-NC-SA-4.0", "research"), ("CC-BY-ND-4.0", "research"),
        ("unknown", "unknown"), ("ask us", "unknown"),
    ],
)  # fmt: skip
def test_licences_permit_what_they_say(licence: str, permits: str) -> None:
    """And what is not known permits nothing, unless it is named."""
    assert permits_of(licence) == permits
    assert Licences(["permissive"]).permit(licence) is (permits == "commercial")
    assert Licences(["research"]).permit(licence) is (permits != "unknown")
    assert Licences([licence]).permit(licence)
    assert not Licences(["permissive"]).permit(None)


def test_the_command_refuses_and_counts(tmp_path: Path) -> None:
    """A licence that is not permitted, an unknown collection; else counts for a person and for scripts."""
    root, out = tmp_path / "kvasir", tmp_path / "out"
    picture(root / "images" / "0.jpg")
    runner = CliRunner()
    refused = runner.invoke(main, ["source", "kvasir-seg", str(root), "--out", str(out), "--licences", "permissive"])
    assert refused.exit_code == 1
    assert "Kvasir-SEG permits research use" in refused.output
    assert runner.invoke(main, ["source", "nope", str(root), "--out", str(out)]).exit_code == 2
    assert runner.invoke(main, ["source", "kvasir-seg", str(root), "--out", str(root / "in")]).exit_code == 2
    result = runner.invoke(main, ["source", "kvasir-seg", str(root), "--out", str(out), "--json"])
    assert json.loads(result.output) == {
        "images": {"new": 1},
        "left_out": {},
        "without": {"a mask at masks/<stem>.jpg": 1},
    }
    assert cv2.imread(str(out / "images" / "0.jpg")) is not None
    assert "kvasir-seg" in runner.invoke(main, ["source", "list"]).output


def test_the_page_names_every_collection() -> None:
    """With its terms, as the table has them."""
    page = (Path(__file__).parents[3] / "docs" / "sources.md").read_text()
    for one in collections().values():
        assert (
            f"| `{one.name}` | [{one.title}]({one.access}) | {one.modality or 'as it says'} | {one.licence} |" in page
        )
