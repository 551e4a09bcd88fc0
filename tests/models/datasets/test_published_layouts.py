"""Collections as their publishers' servers and unpackers leave them, where that is not what their papers draw."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pydicom.data
import pytest
from click.testing import CliRunner
from PIL import Image

from infra.cli import main
from models.datasets.sources import Placed, WrongLayout, collections, place
from models.imaging import FramePolicy, open_source
from tests.models.datasets.test_collection_layouts import LAYOUTS
from tests.models.datasets.test_more_sources import imagescope, volume
from tests.models.datasets.test_sources import made, mask, opened, picture, table

DX = str(pydicom.data.get_testdata_file("examples_overlay.dcm", download=False))


def made_again(name: str, root: Path, out: Path) -> list[Placed]:
    """Into a folder that has some of it already."""
    return list(place(root, collections()[name], out))


def by_stem(sidecars: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Sidecars by the picture's name without its ending."""
    return {Path(name).stem: said for name, said in sidecars.items()}


@pytest.mark.parametrize("name", LAYOUTS)
def test_one_level_too_deep_is_the_same(name: str, tmp_path: Path) -> None:
    """The archive made a folder around the folder: nothing is lost of masks, tables and splits."""
    plain, deep = tmp_path / "plain", tmp_path / "deep"
    for root in (plain, deep / "download" / "archive"):
        LAYOUTS[name].lay(root)
    (deep / "__MACOSX").mkdir()
    said = [sorted(map(json.dumps, by_stem(made(name, root)[0]).values())) for root in (plain, deep)]
    assert said[0] == said[1]


def test_glands_are_numbered(tmp_path: Path) -> None:
    """GlaS: each gland of a mask has its own number, and the patient stands in a table with spaces before its names."""
    root = tmp_path / "Warwick QU Dataset (Released 2016_07_08)"
    picture(root / "train_1.bmp")
    numbers = np.zeros((48, 64), np.uint8)
    for n in range(12):
        numbers[4 * (n % 4) * 3 : 4 * (n % 4) * 3 + 4, 20 * (n // 4) : 20 * (n // 4) + 10] = n + 1
    Image.fromarray(numbers).save(root / "train_1_anno.bmp")
    (root / "Grade.csv").write_text(
        "name,patient ID, grade (GlaS), grade (Sirinukunwattana et al. 2015)\ntrain_1,5, malignant, moderate\n"
    )
    sidecars, _, out = made("glas", root.parent)
    ((name, said),) = sidecars.items()
    assert (said["patient"], said["disease"], said["split"]) == ("5", "colorectal cancer", "train")
    marks = np.asarray(Image.open((out / name).parent / said["mask"]))
    assert np.array_equal(marks > 0, numbers > 0)


def test_grey_edges_of_a_white_mask_are_halved(tmp_path: Path) -> None:
    """PNG in black and white, drawn with soft edges; and JPEG, of which black is not 0."""
    root = tmp_path / "kvasir"
    drawn = np.full((48, 64), 3, np.uint8)
    drawn[20:28, 10:18], drawn[20:28, 18] = 250, 90
    picture(root / "images" / "a.jpg")
    (root / "masks").mkdir()
    Image.fromarray(drawn).save(root / "masks" / "a.jpg", quality=95)
    sidecars, _, out = made("kvasir-seg", root)
    ((name, said),) = sidecars.items()
    marks = np.asarray(Image.open((out / name).parent / said["mask"]))
    assert 56 <= (marks > 0).sum() <= 72


def test_the_test_parts_of_the_publishers_are_told(tmp_path: Path) -> None:
    """Each in a folder of its own name, beside what is trained on."""
    ham = tmp_path / "ham"
    for path in ("HAM10000_images_part_1/ISIC_1.jpg", "ISIC2018_Task3_Test_Images/ISIC_2.jpg", "ISIC_3.jpg"):
        picture(ham / path)
    # Harvard's Dataverse hands the table out with tabs, with or without an ending.
    (ham / "HAM10000_metadata.tab").write_text('lesion_id\timage_id\tdx\tage\nHAM_1\tISIC_1\t"mel"\t50.0\n')
    said = by_stem(made("ham10000", ham)[0])
    assert [said[name].get("split") for name in ("ISIC_1", "ISIC_2", "ISIC_3")] == [None, "test", None]
    assert (said["ISIC_1"]["patient"], said["ISIC_1"]["disease"]) == ("HAM_1", "melanoma")
    colon = tmp_path / "colon"
    for folder in ("NCT-CRC-HE-100K-NONORM", "CRC-VAL-HE-7K"):
        picture(colon / folder / "TUM" / f"TUM-{folder}.tif")
    said = by_stem(made("nct-crc-he", colon)[0])
    assert [said[f"TUM-{name}"]["split"] for name in ("NCT-CRC-HE-100K-NONORM", "CRC-VAL-HE-7K")] == ["train", "test"]
    nuclei = tmp_path / "monuseg"
    corners = [(10.0, 10.0), (30.0, 10.0), (30.0, 30.0)]
    for folder, name, marks in (
        ("MoNuSeg 2018 Training Data/Tissue Images", "TCGA-18-5592-01Z", "MoNuSeg 2018 Training Data/Annotations"),
        ("MoNuSegTestData", "TCGA-2Z-A9J9-01A", "MoNuSegTestData"),
    ):
        picture(nuclei / folder / f"{name}.tif")
        (nuclei / marks).mkdir(parents=True, exist_ok=True)
        imagescope(nuclei / marks / f"{name}.xml", corners)
    said = by_stem(made("monuseg", nuclei)[0])
    assert [said[name]["split"] for name in ("TCGA-18-5592-01Z", "TCGA-2Z-A9J9-01A")] == ["train", "test"]
    assert all("mask" in one for one in said.values())


def test_covid_ct_has_splits_of_its_own(tmp_path: Path) -> None:
    """In lists of file names."""
    root = tmp_path / "COVID-CT"
    picture(root / "Images-processed" / "CT_COVID" / "2020.01.24-p27-132.png")
    picture(root / "Images-processed" / "CT_NonCOVID" / "1%0.jpg")
    for folder, name, line in (
        ("COVID", "testCT_COVID", "2020.01.24-p27-132.png"),
        ("NonCOVID", "valCT_Non", "1%0.jpg"),
    ):
        (root / "Data-split" / folder).mkdir(parents=True)
        (root / "Data-split" / folder / f"{name}.txt").write_text(f"{line}\n")
    said = by_stem(made("covid-ct", root)[0])
    assert {name: one["split"] for name, one in said.items()} == {"2020.01.24-p27-132": "test", "1%0": "validation"}


def test_chexpert_in_the_batches_that_stanford_hands_out(tmp_path: Path) -> None:
    """Patients lie in folders of batches, and the tables in the first of them name other folders."""
    root = tmp_path / "chexpertchestxrays-u20210408"
    first = root / "CheXpert-v1.0 batch 1 (validate & csv)"
    picture(first / "valid/patient64541/study1/view1_frontal.jpg", colour=False)
    picture(root / "CheXpert-v1.0 batch 2 (train 1)/patient00001/study2/view1_frontal.jpg", colour=False)
    findings = (
        "No Finding", "Cardiomegaly", "Edema", "Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax",
        "Pleural Effusion", "Fracture",
    )  # fmt: skip
    for split, path in (("train", "patient00001/study2"), ("valid", "patient64541/study1")):
        row = {"Path": f"CheXpert-v1.0/{split}/{path}/view1_frontal.jpg", "AP/PA": "PA", **dict.fromkeys(findings, "")}
        table(first / f"{split}.csv", [{**row, "Edema": "1.0"}])
    said = {one["patient"]: one for one in made("chexpert", root)[0].values()}
    assert {name: one["split"] for name, one in said.items()} == {"patient00001": "train", "patient64541": "validation"}
    assert {(one["disease"], one["view"]) for one in said.values()} == {("pulmonary oedema", "PA")}


@pytest.mark.parametrize("labelled", [True, False])
def test_amos_numbers_cases_where_others_number_channels(labelled: bool, tmp_path: Path) -> None:
    """Each file is a patient; MR from 0507 on, whatever its dataset.json says; and it writes imagesVa."""
    root = tmp_path / "amos22"
    drawn = np.zeros((24, 20, 4), np.uint8)
    drawn[5:12, 5:12, 1:3] = 6
    for folder, name in (("Tr", "amos_0001"), ("Tr", "amos_0507"), ("Va", "amos_0008"), ("Ts", "amos_0540")):
        volume(root / f"images{folder}" / f"{name}.nii.gz", np.arange(1920, dtype=np.int16).reshape(24, 20, 4))
        if labelled and folder != "Ts":
            volume(root / f"labels{folder}" / f"{name}.nii.gz", drawn)
    (root / "dataset.json").write_text(
        json.dumps({"modality": {"0": "CT"}, "labels": {"0": "background", "6": "liver"}})
    )
    said = {one["patient"]: one for one in made("amos", root)[0].values()}
    assert {name: (one["modality"], one["split"]) for name, one in said.items()} == {
        "amos_0001": ("CT", "train"), "amos_0507": ("MR", "train"), "amos_0008": ("CT", "validation"),
        "amos_0540": ("MR", "test"),
    }  # fmt: skip
    assert sum(one.get("labels") == {"6": "liver"} for one in said.values()) == 3 * labelled


def test_names_of_sat_ds_are_those_of_the_numbers_that_its_loader_reads(tmp_path: Path) -> None:
    """Unions at the end are no numbers; ACDC's order is another; frames of one heart are of one patient."""
    root = tmp_path / "sat"
    drawn = np.zeros((24, 20, 4), np.uint8)
    for path in ("acdc/patient138_frame01", "acdc/patient138_frame12", "amos/amos_0001", "ts/ct"):
        volume(root / f"{path}.nii.gz", np.arange(1920, dtype=np.int16).reshape(24, 20, 4))
        volume(root / f"{path}_gt.nii.gz", drawn)
    hearts = ["left heart ventricle", "right heart ventricle", "myocardium", "heart ventricle"]
    organs = [f"organ {n}" for n in range(1, 15)]
    rows = [
        ("acdc/patient138_frame01", "ACDC", hearts), ("acdc/patient138_frame12", "ACDC", hearts),
        ("amos/amos_0001", "AMOS22_CT", [*organs, "kidney", "adrenal gland"]),
        ("ts/ct", "TotalSegmentator_Organs", ["left kidney", "right kidney"]),
    ]  # fmt: skip
    (root / "all.jsonl").write_text(
        "\n".join(
            json.dumps(
                {"image": f"data/nii/{path}.nii.gz", "mask": f"data/nii/{path}_gt.nii.gz", "label": labels,
                 "modality": "MRI", "dataset": dataset, "patient_id": f"{Path(path).name}.nii.gz"}
            )
            for path, dataset, labels in rows
        )
    )  # fmt: skip
    said = by_stem(made("sat-ds", root)[0])
    first, second, amos, untold = (said[f"{Path(path).name}.nii"] for path, *_ in rows)
    assert first["labels"] == {"3": "left heart ventricle", "1": "right heart ventricle", "2": "myocardium"}
    assert first["patient"] == second["patient"] == "ACDC:patient138"
    assert list(amos["labels"]) == [str(n) for n in range(1, 15)]
    assert "labels" not in untold


def film(path: Path) -> None:
    """A real DICOM file under another name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(Path(DX).read_bytes())


def test_vindr_counts_what_three_readers_drew_once(tmp_path: Path) -> None:
    """Of PhysioNet's layout; without a finding there is no box; another finding at the same place is another box."""
    root = tmp_path / "vindr-cxr" / "1.0.0"
    for path in ("train/0a1b.dicom", "test/2c3d.dicom"):
        film(root / path)
    columns = ("image_id", "rad_id", "class_name", "x_min", "y_min", "x_max", "y_max")
    drawn = [
        ("0a1b", "R1", "Cardiomegaly", 10, 20, 110, 80), ("0a1b", "R2", "Cardiomegaly", 12, 22, 112, 84),
        ("0a1b", "R3", "Cardiomegaly", 11, 19, 108, 80), ("0a1b", "R3", "Pleural effusion", 11, 19, 108, 80),
        ("0a1b", "R1", "Nodule/Mass", 10, 10, 20, 20), ("0a1b", "R1", "Nodule/Mass", 12, 12, 22, 22),
    ]  # fmt: skip
    table(root / "annotations/annotations_train.csv", [dict(zip(columns, row, strict=True)) for row in drawn])
    healthy = ("2c3d", "No finding", "", "", "", "")
    names = [name for name in columns if name != "rad_id"]
    table(root / "annotations/annotations_test.csv", [dict(zip(names, healthy, strict=True))])
    sidecars, _, out = made("vindr-cxr", root.parent)
    said = by_stem(sidecars)
    assert [one["label"] for one in said["0a1b"]["boxes"]] == ["Cardiomegaly", "Pleural effusion", *["Nodule/Mass"] * 2]
    assert (said["0a1b"]["split"], said["2c3d"]["split"], "boxes" in said["2c3d"]) == ("train", "test", False)
    ((name, marked),) = [(name, one) for name, one in sidecars.items() if "boxes" in one]
    assert len(opened(out, name, marked).annotations) == 4
    kaggle = tmp_path / "kaggle"
    film(kaggle / "train/0a1b.dicom")
    table(kaggle / "train.csv", [dict(zip((*columns, "class_id"), (*drawn[0], 3), strict=True))])
    assert len(by_stem(made("vindr-cxr", kaggle)[0])["0a1b"]["boxes"]) == 1


def test_rsna_pneumonia(tmp_path: Path) -> None:
    """A row a box; one without a box is of an image without opacity, whose class tells whether it is healthy."""
    root = tmp_path / "rsna-pneumonia-detection-challenge"
    for name in ("a", "b", "c"):
        film(root / "stage_2_train_images" / f"{name}.dcm")
    film(root / "stage_2_test_images" / "d.dcm")
    box = {"x": "10.0", "y": "20.0", "width": "30.0", "height": "40.0", "Target": 1}
    none = {**dict.fromkeys(("x", "y", "width", "height"), ""), "Target": 0}
    rows = [("a", box), ("a", {**box, "x": "60.0"}), ("b", none), ("c", none)]
    table(root / "stage_2_train_labels.csv", [{"patientId": name, **row} for name, row in rows])
    classes = [("a", "Lung Opacity"), ("b", "Normal"), ("c", "No Lung Opacity / Not Normal")]
    table(root / "stage_2_detailed_class_info.csv", [{"patientId": name, "class": said} for name, said in classes])
    sidecars, _, out = made("rsna-pneumonia", root.parent)
    said = by_stem(sidecars)
    assert {name: (len(one.get("boxes", [])), one.get("disease")) for name, one in said.items()} == {
        "a": (2, None), "b": (0, "healthy"), "c": (0, None),
    }  # fmt: skip
    frame = opened(out, *next((name, one) for name, one in sidecars.items() if "boxes" in one))
    assert [one.label for one in frame.annotations] == ["opacity", "opacity"]


def test_kits_21_names_its_masks_otherwise(tmp_path: Path) -> None:
    """And ULS23's masks are in another archive than its images, several lesions a patient."""
    drawn = np.zeros((24, 20, 4), np.uint8)
    drawn[5:12, 5:12, 1:3] = 1
    values = np.arange(1920, dtype=np.int16).reshape(24, 20, 4)
    kits = tmp_path / "kits21"
    volume(kits / "data/case_00000/imaging.nii.gz", values)
    volume(kits / "data/case_00000/aggregated_MAND_seg.nii.gz", drawn)
    ((name, said),) = made("kits", kits)[0].items()
    assert said["labels"]["1"] == "kidney"
    uls = tmp_path / "uls"
    below = "ULS23/novel_data/ULS23_DeepLesion3D"
    for case in ("000037_11_01_109_lesion_01", "000037_02_01_020_lesion_02"):
        volume(uls / below / "images" / f"{case}.nii.gz", values)
        volume(uls / "annotations" / below / "labels" / f"{case}.nii.gz", drawn)
    sidecars, _, out = made("uls23", uls)
    assert {one["patient"] for one in sidecars.values()} == {"000037"}
    name, said = next(iter(sidecars.items()))
    marks = ((out / name).parent / said["mask"]).read_bytes()
    source = open_source(
        (out / name).read_bytes(), FramePolicy.parse("all"), sidecar=json.dumps(said).encode(), mask=marks
    )
    assert sum(bool(source.read(n).annotations) for n in source.taken) == 2


def test_frames_of_one_video_and_films_of_one_child_belong_together(tmp_path: Path) -> None:
    """CVC-ClinicDB by Kaggle's table, Kermany's films by their names."""
    videos = tmp_path / "cvc"
    rows: list[dict[str, Any]] = []
    for n in (1, 2, 26):
        picture(videos / "PNG/Original" / f"{n}.png")
        mask(videos / "PNG/Ground Truth" / f"{n}.png")
        rows.append({"frame_id": n, "sequence_id": 1 + n // 26, "png_image_path": f"PNG/Original/{n}.png"})
    table(videos / "metadata.csv", rows)
    said = by_stem(made("cvc-clinicdb", videos)[0])
    assert [said[n]["patient"] for n in ("1", "2", "26")] == ["1", "1", "2"]
    films = tmp_path / "films"
    for name in ("person1946_bacteria_4874", "person1946_virus_1", "BACTERIA-7422-0001", "IM-0115-0001"):
        picture(films / "chest_xray/train/PNEUMONIA" / f"{name}.jpeg", colour=False)
    said = by_stem(made("chest-pneumonia", films)[0])
    assert [said[name].get("patient") for name in sorted(said)] == ["BACTERIA-7422", None, "person1946", "person1946"]


def test_what_masks_were_looked_for_is_said(tmp_path: Path) -> None:
    """Where the masks' archive was left out, the images come, and nobody is left to guess why nothing is marked."""
    root = tmp_path / "kvasir"
    for n in range(3):
        picture(root / "images" / f"{n}.jpg")
    mask(root / "masks" / "0.jpg")
    result = CliRunner().invoke(main, ["source", "kvasir-seg", str(root), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0
    assert "taken, without       2: a mask at masks/<stem>.jpg" in result.output
    for n in (1, 2):  # Unpacked since: what was made without them is made anew, and nothing else.
        mask(root / "masks" / f"{n}.jpg")
    told = [one.new for one in made_again("kvasir-seg", root, tmp_path / "out")]
    assert told == [False, True, True]
    assert [one.new for one in made_again("kvasir-seg", root, tmp_path / "out")] == [False] * 3


def test_a_table_that_was_cut_off_is_seen(tmp_path: Path) -> None:
    """Images of which it has no row are taken and counted; what is made anew once it is whole tells all."""
    root = tmp_path / "ham"
    for n in range(3):
        picture(root / "HAM10000_images_part_1" / f"ISIC_{n}.jpg")
        mask(root / "HAM10000_segmentations_lesion_tschandl" / f"ISIC_{n}_segmentation.png", value=0)
    rows = [{"lesion_id": f"HAM_{n}", "image_id": f"ISIC_{n}", "dx": "nv"} for n in range(3)]
    table(root / "HAM10000_metadata.csv", rows[:1])
    command = ["source", "ham10000", str(root), "--out", str(tmp_path / "out"), "--json"]
    first = json.loads(CliRunner().invoke(main, command).stdout)
    assert (first["images"], first["without"]) == ({"new": 3}, {"a row in HAM10000_metadata*": 2})
    table(root / "HAM10000_metadata.csv", rows)
    assert json.loads(CliRunner().invoke(main, command).stdout)["images"] == {"new": 2, "there already": 1}


def test_where_it_lies_and_what_is_packed_still_is_said(tmp_path: Path) -> None:
    """Beside other folders none is chosen; an archive that lies there is named."""
    picture(tmp_path / "a" / "Kvasir-SEG" / "deep" / "images" / "0.jpg")
    picture(tmp_path / "a" / "other" / "0.jpg")
    with pytest.raises(WrongLayout, match=r"It seems to lie in Kvasir-SEG: give that folder$"):
        made("kvasir-seg", tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "kvasir-seg.zip").write_bytes(b"PK")
    with pytest.raises(WrongLayout, match=r"unpack kvasir-seg\.zip first$"):
        made("kvasir-seg", tmp_path / "b")
