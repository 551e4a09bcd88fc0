"""Collections in arrays, lists, outlines and slides, and image–text sets: laid out as published, read by preprocess."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import h5py
import nibabel
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tifffile

from models.datasets.sources import WrongLayout
from models.datasets.sources.listed import LESIONS
from models.datasets.sources.outlines import outlines_of
from models.imaging import FramePolicy, open_source
from models.vocabulary import read_label
from tests.models.datasets.test_sources import made, mask, opened, picture, table

CHANCE = np.random.default_rng(0)


def labels(out: Path, sidecars: dict[str, dict[str, Any]], name: str) -> set[str]:
    """Of what is marked in an image."""
    return {one.label for one in opened(out, name, sidecars[name]).annotations}


def texts(out: Path) -> dict[str, str]:
    """What the source says, by image."""
    lines = (out / "source_text.jsonl").read_text().splitlines()
    return {said["image"]: said["source_text"] for said in map(json.loads, lines)}


def imagescope(path: Path, corners: Iterable[tuple[float, float]]) -> None:
    """One region, as ImageScope writes it."""
    vertices = "".join(f'<Vertex X="{x}" Y="{y}" Z="0"/>' for x, y in corners)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'<Annotations MicronsPerPixel="0.252"><Annotation Id="1" Name=""><Regions><Region Id="1"><Vertices>{vertices}'
        "</Vertices></Region></Regions></Annotation></Annotations>"
    )


def test_outlines_of_imagescope(tmp_path: Path) -> None:
    """MoNuSeg: corners count from the corner of the first pixel, so a square of 8 px has 8 x 8 of them."""
    root = tmp_path / "monuseg"
    stem = "TCGA-18-5592-01Z-00-DX1"
    picture(root / "MoNuSeg 2018 Training Data" / "Tissue Images" / f"{stem}.tif")
    square = [(10, 20), (18, 20), (18, 28), (10, 28)]
    imagescope(root / "MoNuSeg 2018 Training Data" / "Annotations" / f"{stem}.xml", square)
    sidecars, _, out = made("monuseg", root)
    ((name, said),) = sidecars.items()
    assert said["patient"] == "TCGA-18-5592"
    assert labels(out, sidecars, name) == {"nucleus"}
    marks = cv2.imread(str((out / name).parent / said["mask"]), cv2.IMREAD_UNCHANGED)
    assert marks is not None
    rows, columns = np.nonzero(marks)
    assert (rows.min(), columns.min()) == (20, 10)
    assert abs(int((marks > 0).sum()) - 64) <= 20
    imagescope(root / "MoNuSeg 2018 Training Data" / "Annotations" / f"{stem}.xml", [(float("nan"), 1)] * 3)
    _, placed, _ = made("monuseg", root.rename(tmp_path / "again"))
    assert [one.reason for one in placed] == ["it cannot be read: ValueError"]


def test_outlines_of_geojson(tmp_path: Path) -> None:
    """Names of QuPath's classes, holes, and several parts."""
    root = tmp_path / "geo"
    picture(root / "a.png")
    ring = [[4, 4], [30, 4], [30, 30], [4, 30], [4, 4]]
    hole = [[10, 10], [20, 10], [20, 20], [10, 20], [10, 10]]
    features = [
        {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring, hole]},
         "properties": {"classification": {"name": "Tumor"}}},
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 1]}, "properties": {}},
    ]  # fmt: skip
    (root / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    sidecars, _, out = made("geojson", root)
    assert labels(out, sidecars, "a.png") == {"tumour"}
    marks = cv2.imread(str(out / sidecars["a.png"]["mask"]), cv2.IMREAD_UNCHANGED)
    assert marks is not None
    assert marks[8, 8] > 0 == marks[15, 15]
    (root / "b.geojson").write_text("{}")
    with pytest.raises(ValueError, match="GeoJSON"):
        list(outlines_of(root / "b.geojson"))


def test_pannuke(tmp_path: Path) -> None:
    """A channel a kind of nucleus; the organ is told by types.npy."""
    root = tmp_path / "pannuke" / "Fold 1"
    for folder in ("images", "masks"):
        (root / folder / "fold1").mkdir(parents=True)
    np.save(root / "images" / "fold1" / "images.npy", CHANCE.uniform(0, 255, (2, 64, 64, 3)))
    np.save(root / "images" / "fold1" / "types.npy", np.array(["Breast", "HeadNeck"]))
    marks = np.zeros((2, 64, 64, 6))
    marks[0, 5:20, 5:20, 0], marks[0, 30:40, 30:40, 1] = 1, 7
    np.save(root / "masks" / "fold1" / "masks.npy", marks)
    sidecars, _, out = made("pannuke", root.parent)
    assert [sidecars[f"fold1/{n:05}.png"].get("organ") for n in range(2)] == ["breast", "head and neck"]
    assert len(labels(out, sidecars, "fold1/00000.png")) == 2
    assert opened(out, "fold1/00001.png", sidecars["fold1/00001.png"]).annotations == ()
    np.save(root / "masks" / "fold1" / "masks.npy", marks[:1])
    with pytest.raises(WrongLayout, match=r"fold1 of PanNuke: expected images.npy"):
        made("pannuke", root.parent)
    with pytest.raises(WrongLayout, match=r"images/fold1/images\.npy"):
        made("pannuke", tmp_path / "nothing")


def test_patchcamelyon(tmp_path: Path) -> None:
    """Slides are patients, and its splits are kept."""
    root = tmp_path / "pcam"
    root.mkdir()
    for split, n in (("train", 3), ("test", 1)):
        name = f"camelyonpatch_level_2_split_{split}"
        with h5py.File(root / f"{name}_x.h5", "w") as file:
            file["x"] = CHANCE.integers(0, 255, (n, 96, 96, 3), dtype=np.uint8)
        with h5py.File(root / f"{name}_y.h5", "w") as file:
            file["y"] = np.arange(n).reshape(n, 1, 1, 1) % 2
        table(root / f"{name}_meta.csv", [{"wsi": f"slide_{k // 2}"} for k in range(n)])
    sidecars, _, out = made("patchcamelyon", root)
    assert [sidecars[f"train/{n:06}.png"]["disease"] for n in range(3)] == ["healthy", "metastasis", "healthy"]
    assert [sidecars[f"train/{n:06}.png"]["patient"] for n in range(3)] == ["slide_0", "slide_0", "slide_1"]
    assert sidecars["test/000000.png"]["split"] == "test"
    assert opened(out, "train/000001.png", sidecars["train/000001.png"]).stored.shape == (96, 96, 3)
    (root / "camelyonpatch_level_2_split_test_x.h5").write_bytes(b"no")
    with pytest.raises(WrongLayout, match=r"split_test_x.h5 of PatchCamelyon is no HDF5"):
        made("patchcamelyon", root)


def test_npz(tmp_path: Path) -> None:
    """Slices with a mark of a volume, and a picture; numbers that nothing names are annotated regions."""
    root = tmp_path / "npz"
    (root / "CT_Abd").mkdir(parents=True)
    marks = np.zeros((4, 32, 32), np.uint8)
    marks[2, 4:12, 4:12] = 3
    np.savez(root / "CT_Abd" / "case.npz", imgs=CHANCE.integers(0, 255, (4, 32, 32), dtype=np.uint8), gts=marks)
    colour = CHANCE.integers(0, 255, (32, 32, 3), dtype=np.uint8)
    np.savez(root / "Dermoscopy_1.npz", imgs=colour, gts=marks[2])
    (root / "broken.npz").write_bytes(b"no")
    sidecars, placed, out = made("medsam-npz", root)
    assert set(sidecars) == {"CT_Abd/case-0002.png", "Dermoscopy_1.png"}
    assert sidecars["CT_Abd/case-0002.png"]["modality"] == "CT"
    assert labels(out, sidecars, "Dermoscopy_1.png") == {"annotated region"}
    assert [one.reason for one in placed if one.reason] == ["not an npz file with imgs and gts"]


def test_sa_med2d(tmp_path: Path) -> None:
    """Masks by image, classes by number."""
    root = tmp_path / "sa" / "SAMed2Dv1"
    name = "ct_00--AbdomenCT1K--Case_00011--x_0040"
    picture(root / "images" / f"{name}.png", colour=False)
    mask(root / "masks" / f"{name}--0001_000.png")
    mask(root / "masks" / f"{name}--0002_000.png", 30)
    listed = {f"images/{name}.png": [f"masks/{name}--000{n}_000.png" for n in (1, 2)], "images/gone.png": []}
    (root / "SAMed2D_v1.json").write_text(json.dumps(listed))
    with pytest.raises(WrongLayout, match="class_mapping_id"):
        made("sa-med2d", root.parent)
    mapping = {"AbdomenCT1K": {"liver": "0001", "right_kidney": "0002"}}
    (root / "SAMed2D_v1_class_mapping_id.json").write_text(json.dumps(mapping))
    sidecars, placed, out = made("sa-med2d", root.parent)
    said = sidecars[f"images/{name}.png"]
    assert (said["modality"], said["patient"]) == ("CT", "AbdomenCT1K:Case_00011")
    assert labels(out, sidecars, f"images/{name}.png") == {"liver", "right kidney"}
    assert [one.reason for one in placed if one.reason] == [
        "the image is not in the folder, or not named as the collection's are"
    ]


def test_biomedparse(tmp_path: Path) -> None:
    """What is marked stands in the mask's name, and of what kind the picture is in its own."""
    root = tmp_path / "bio" / "amos22" / "CT"
    picture(root / "train" / "amos_0004_CT_abdomen.png")
    mask(root / "train_mask" / "amos_0004_CT_abdomen_right+kidney.png")
    mask(root / "train_mask" / "amos_0004_CT_abdomen_spleen.png", 30)
    picture(tmp_path / "bio" / "LGG" / "test" / "TCGA_HT_7856_19950831_8_MRI-FLAIR_brain.png")
    sidecars, _, out = made("biomedparse", tmp_path / "bio")
    other, name = sorted(sidecars)
    assert (sidecars[name]["modality"], sidecars[other]["modality"]) == ("CT", "MR")
    assert labels(out, sidecars, name) == {"right kidney", "spleen"}


def volume(path: Path, values: np.ndarray) -> None:
    """A NIfTI file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), path)  # pyright: ignore


def test_sat_ds(tmp_path: Path) -> None:
    """One schema for its sets: the n-th label is number n + 1; paths are those of another machine."""
    root = tmp_path / "sat"
    values = CHANCE.normal(0, 100, (24, 20, 5)).astype(np.int16)
    marks = np.zeros((24, 20, 5), np.uint8)
    marks[5:12, 5:12, 2:4] = 2
    volume(root / "nii" / "CHAOS" / "1.nii.gz", values)
    volume(root / "nii" / "CHAOS" / "1_seg.nii.gz", marks)
    row = {
        "image": "/mnt/data/nii/CHAOS/1.nii.gz", "mask": "/mnt/data/nii/CHAOS/1_seg.nii.gz",
        "label": ["liver", "spleen"], "modality": "CT", "dataset": "CHAOS", "official_split": "test", "patient_id": "1",
    }  # fmt: skip
    (root / "jsonl").mkdir()
    listed = root / "jsonl" / "CHAOS.jsonl"
    listed.write_text(json.dumps(row) + "\n" + json.dumps({**row, "image": "nii/gone.nii.gz"}) + "\n")
    sidecars, placed, _ = made("sat-ds", root)
    said = sidecars["nii/CHAOS/1.nii.gz"]
    assert (said["source"], said["modality"], said["split"]) == ("CHAOS (by SAT-DS)", "CT", "test")
    assert said["labels"] == {"1": "liver", "2": "spleen"}
    assert [one.reason for one in placed if one.reason] == ["the image is not in the folder"]
    listed.write_text(json.dumps({"picture": "x"}))
    with pytest.raises(WrongLayout, match=r"CHAOS.jsonl, line 1: expected an object with image"):
        made("sat-ds", root)


def test_lld_mmri(tmp_path: Path) -> None:
    """Boxes by slice, and the lesion's category as the disease."""
    root = tmp_path / "lld"
    values = CHANCE.normal(0, 100, (24, 20, 5)).astype(np.int16)
    values[3:9, 4:12, 1] = 1000
    path = root / "images" / "MR1" / "1.2" / "1.2.3.nii.gz"
    path.parent.mkdir(parents=True)
    # As SimpleITK writes it where nothing is known; and turned over on every axis.
    nibabel.save(nibabel.Nifti1Image(values, np.diag([-1, -1, 1, 1])), path)  # pyright: ignore
    volume(root / "images" / "MR2_1.2_InPhase_0000.nii", values)
    box = {"x_min": 3, "y_min": 4, "x_max": 9, "y_max": 12, "slice_idx": 1}
    lesion = {"annotation": {"lesion": {"0": {"category": 6, "bbox": {"2D_box": [box]}}}}}
    phases = [{"phase": "C+A", "studyUID": "1.2", "seriesUID": "1.2.3", **lesion}, {"phase": "DWI"}]
    told = {"Annotation_info": {"MR1": phases, "MR2": [{"phase": "In Phase", **lesion}]}}
    (root / "labels.json").write_text(json.dumps(told))
    sidecars, placed, out = made("lld-mmri", root)
    assert sum(bool(one.reason) for one in placed) == 1
    assert {one["disease"] for one in sidecars.values()} == {"hepatocellular carcinoma"}
    assert len(sidecars) == 2
    for name, said in sidecars.items():
        source = open_source((out / name).read_bytes(), FramePolicy("all"), sidecar=json.dumps(said).encode())
        ((bright, marked),) = [
            (frame.values == 1000, one.box) for frame in source.frames() for one in frame.annotations
        ]
        assert marked is not None
        assert bright.sum() == marked.width * marked.height
        assert bright[marked.y : marked.y + marked.height, marked.x : marked.x + marked.width].all()
    assert all(read_label(name).named for name in LESIONS)
    (root / "labels.json").unlink()
    with pytest.raises(WrongLayout, match="Annotation_info"):
        made("lld-mmri", root)


def test_slides_become_tiles_with_their_marks(tmp_path: Path) -> None:
    """Tissue only, at about 1 µm a pixel, outlines scaled to the tile."""
    root = tmp_path / "slides"
    root.mkdir()
    base = np.full((2048, 2048, 3), 240, np.uint8)
    base[:1024, :1024] = CHANCE.integers(0, 255, (1024, 1024, 3), dtype=np.uint8)
    with tifffile.TiffWriter(root / "a.tif") as file:
        for level in (base, base[::2, ::2], base[::4, ::4]):
            file.write(level, tile=(256, 256), photometric="rgb", resolution=(20_000, 20_000), resolutionunit=3)
    ring = [[100, 100], [300, 100], [300, 300], [100, 300], [100, 100]]
    feature = {
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"classification": {"name": "tumor"}},
    }
    (root / "a.geojson").write_text(json.dumps({"features": [feature]}))
    sidecars, _, out = made("slides", root)
    assert "a/0-0.png" in sidecars
    assert not any(name.startswith("a/512-512") for name in sidecars)
    said = sidecars["a/0-0.png"]
    assert said["patient"] == "a"
    assert labels(out, sidecars, "a/0-0.png") == {"tumour"}
    marks = cv2.imread(str(out / "a" / said["mask"]), cv2.IMREAD_UNCHANGED)
    assert marks is not None
    assert (marks > 0).sum() == pytest.approx((200 * 0.5 / (said["spacing"]["row_mm"] * 1000)) ** 2, rel=0.1)
    with pytest.raises(WrongLayout, match=r"\.svs"):
        made("slides", tmp_path / "nothing")


def test_texts_are_kept_apart(tmp_path: Path) -> None:
    """Of tables, JSON, JSON Lines, reports and Parquet; nothing of them is in a sidecar."""
    said = "A mass in the left lower lobe."
    rocov2 = tmp_path / "rocov2"
    picture(rocov2 / "test" / "ROCOv2_test_1.jpg")
    table(rocov2 / "test_captions.csv", [{"ID": "ROCOv2_test_1", "Caption": said}, {"ID": "gone", "Caption": said}])
    sidecars, placed, out = made("rocov2", rocov2)
    assert sidecars["test/ROCOv2_test_1.jpg"]["split"] == "test"
    assert texts(out) == {"test/ROCOv2_test_1.jpg": said}
    assert said not in (out / "test" / "ROCOv2_test_1.jpg.json").read_text()
    assert [one.reason for one in placed if one.reason] == ["a picture that the list names is not in the folder"]

    roco = tmp_path / "roco"
    picture(roco / "train" / "radiology" / "images" / "PMC1_f1.jpg")
    (roco / "train" / "radiology" / "captions.txt").write_text(f"PMC1_f1\t{said}\n")
    sidecars, _, out = made("roco", roco)
    assert texts(out) == {"train/radiology/images/PMC1_f1.jpg": said}

    pmc = tmp_path / "pmc"
    picture(pmc / "images" / "PMC1_f1.jpg")
    (pmc / "train.jsonl").write_text(json.dumps({"image": "PMC1_f1.jpg", "caption": said}))
    assert texts(made("pmc-oa", pmc)[2]) == {"images/PMC1_f1.jpg": said}
    (pmc / "train.jsonl").rename(pmc / "test.jsonl")
    (pmc / "pmc_oa.jsonl").write_bytes((pmc / "test.jsonl").read_bytes())
    for new in (True, False):  # Of a list of all beside the splits' own nothing is taken twice.
        sidecars, placed, _ = made("pmc-oa", pmc)
        assert ([one.new for one in placed], sidecars["images/PMC1_f1.jpg"]["split"]) == ([new], "test")

    llava = tmp_path / "llava"
    picture(llava / "images" / "1.jpg")
    turns = [{"from": "human", "value": "What is seen?"}, {"from": "gpt", "value": said}]
    (llava / "instruct.json").write_text(json.dumps([{"id": "1", "image": "1.jpg", "turns": []}]))
    with pytest.raises(WrongLayout, match=r"instruct.json of LLaVA-Med.* has no image and conversations"):
        made("llava-med", llava)
    picture(llava / "images" / "2.jpg")
    # As the publisher spells it in some of its files.
    listed = [{"image": "1.jpg", "conversations": turns}, {"image": "2.jpg", "conversatons": turns}]
    (llava / "instruct.json").write_text(json.dumps(listed))
    assert texts(made("llava-med", llava)[2]) == {"images/1.jpg": said, "images/2.jpg": said}

    openi = tmp_path / "openi"
    picture(openi / "NLMCXR_png" / "CXR1_1_IM-0001-3001.png", colour=False)
    (openi / "ecgen-radiology").mkdir()
    (openi / "ecgen-radiology" / "1.xml").write_text(
        f'<eCitation><AbstractText Label="INDICATION">cough</AbstractText><AbstractText Label="FINDINGS">{said}'
        '</AbstractText><parentImage id="CXR1_1_IM-0001-3001"/></eCitation>'
    )
    sidecars, _, out = made("open-i", openi)
    assert texts(out) == {"NLMCXR_png/CXR1_1_IM-0001-3001.png": said}
    assert sidecars["NLMCXR_png/CXR1_1_IM-0001-3001.png"]["study"] == "1"

    quilt = tmp_path / "quilt"
    picture(quilt / "images" / "v_1.jpg")
    table(quilt / "quilt_1M_lookup.csv", [{"image_path": "v_1.jpg", "caption": said}])
    assert texts(made("quilt-1m", quilt)[2]) == {"images/v_1.jpg": said}
    rows = [{"image_path": "v_1.jpg", "caption": text} for text in (said, "Another.")]
    table(quilt / "quilt_1M_lookup.csv", rows)
    for _ in range(2):  # Of several captions of a picture each is kept, and once.
        lines = (made("quilt-1m", quilt)[2] / "source_text.jsonl").read_text().splitlines()
        assert [json.loads(line)["source_text"] for line in lines] == [said, "Another."]


def test_a_run_that_broke_off_tells_each_text_once(tmp_path: Path) -> None:
    """Between a text and its image, or within the line."""
    root = tmp_path / "pmc"
    for n in range(2):
        picture(root / "images" / f"{n}.jpg")
    (root / "train.jsonl").write_text(
        "".join(json.dumps({"image": f"{n}.jpg", "caption": f"Said of {n}."}) + "\n" for n in range(2))
    )
    out = made("pmc-oa", root)[2]
    whole = (out / "source_text.jsonl").read_bytes()
    for left in (whole, whole[:-7]):
        (out / "source_text.jsonl").write_bytes(left)
        (out / "images" / "1.jpg.json").unlink()
        made("pmc-oa", root)
        assert (out / "source_text.jsonl").read_bytes() == whole


def test_pictures_in_parquet(tmp_path: Path) -> None:
    """MedTrinity as it is published; its text is not taken for ours."""
    root = tmp_path / "medtrinity" / "25M_demo"
    root.mkdir(parents=True)
    png = cv2.imencode(".png", CHANCE.integers(0, 255, (40, 50, 3), dtype=np.uint8))[1].tobytes()
    rows = [{"image": {"bytes": png, "path": "a.jpg"}, "id": "a", "caption": "Said."}]
    pq.write_table(pa.Table.from_pylist(rows), root / "train-0.parquet")
    sidecars, _, out = made("medtrinity", root.parent)
    ((name, said),) = sidecars.items()
    assert texts(out) == {name: "Said."}
    assert "Said." not in json.dumps(said)
    assert opened(out, name, said).stored.shape == (40, 50, 3)
