"""Folders of images with masks, COCO files and triplets become the same examples; what is bad is named."""

import base64
from pathlib import Path
from typing import Any

import cv2
import nibabel as nib
import numpy as np
import orjson
import pydicom
import pytest
import tifffile
from pycocotools import mask as coco
from pydicom.data import get_testdata_file

from models.experts.datasets import BadDataset, Example, open_dataset, split, together, write_phantoms
from models.experts.datasets.phantoms import FolderInUse
from models.experts.phantoms import draw
from models.imaging import encode_png

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

MASK = np.zeros((48, 64), np.uint8)
MASK[10:20, 30:50] = 1
IMAGE = (40 + 100 * MASK).astype(np.uint8)


def folders(folder: Path, **about: object) -> Path:
    for name in ("images", "masks"):
        (folder / name).mkdir()
    if about:
        (folder / "dataset.json").write_bytes(orjson.dumps(about))
    return folder


def png(path: Path, image: np.ndarray) -> None:
    path.write_bytes(encode_png(image))


def only(folder: Path) -> Example:
    (example,) = open_dataset(folder).read()
    return example


def refused(folder: Path) -> str:
    with pytest.raises(BadDataset) as error:
        list(open_dataset(folder).read())
    return str(error.value)


def test_folders(tmp_path: Path) -> None:
    """PNG images with masks of numbers come with dataset.json's labels, modality and patient."""
    folder = folders(tmp_path, modality="MR", labels={"1": "core", "2": "oedema"}, groups={"a": "patient 1"})
    png(folder / "images/a.png", IMAGE)
    png(folder / "masks/a.png", MASK * 2)
    example = only(folder)
    assert (example.modality, example.group) == ("MR", "patient 1")
    assert not example.masks["core"].any()
    np.testing.assert_array_equal(example.masks["oedema"], MASK)
    np.testing.assert_array_equal(example.values, IMAGE.astype(np.float32))


def test_black_and_white(tmp_path: Path) -> None:
    """A mask of 0 and 255 is one of 0 and 1."""
    folder = folders(tmp_path)
    png(folder / "images/a.png", IMAGE)
    png(folder / "masks/a.png", MASK * 255)
    np.testing.assert_array_equal(only(folder).masks["region"], MASK)


def test_together(tmp_path: Path) -> None:
    """Two folders of one label are read one after the other, patients of the same name apart; other labels are not."""
    names = ("drawn", "real", "other")
    for name, about in zip(
        names, ({"unit": "stored value"}, {"source": "A, CC0"}, {"labels": {"1": "x"}}), strict=True
    ):
        (tmp_path / name).mkdir()
        folder = folders(tmp_path / name, **about)
        png(folder / "images/a.png", IMAGE)
        png(folder / "masks/a.png", MASK)
    first, second, other = (open_dataset(tmp_path / name) for name in names)
    both = together(first, second)
    examples = list(both.read())
    assert (both.files, both.source) == (2, "A, CC0")
    assert {one.unit for one in examples} == {"stored value"}
    assert len({one.group for one in examples}) == 2
    with pytest.raises(BadDataset, match=r"marks region, the other x"):
        together(first, other)


def test_nifti(tmp_path: Path) -> None:
    """Slices of a NIfTI volume and its mask stay together, turned alike, in one group."""
    folder = folders(tmp_path)
    affine = np.diag([-1.0, -1.0, 5.0, 1.0])
    marked = np.repeat(MASK[:, :, None], 3, axis=2)
    marked[..., 2] = 0
    nib.save(nib.Nifti1Image((100 * marked).astype(np.int16), affine), folder / "images/a.nii.gz")
    nib.save(nib.Nifti1Image(marked, affine), folder / "masks/a.nii.gz")
    examples = list(open_dataset(folder).read())
    assert [example.group for example in examples] == ["a"] * 3
    assert [int(example.masks["region"].sum()) for example in examples] == [200, 200, 0]
    for example in examples:
        np.testing.assert_array_equal(example.values, 100.0 * example.masks["region"])


def test_dicom(tmp_path: Path) -> None:
    """DICOM files come in their unit and modality, grouped by patient."""
    folder = folders(tmp_path)
    path = get_testdata_file("CT_small.dcm", download=False)
    assert isinstance(path, str)
    for name in ("a", "b"):
        (folder / f"images/{name}.dcm").write_bytes(Path(path).read_bytes())
        png(folder / f"masks/{name}.png", np.eye(128, dtype=np.uint8))
    one, other = open_dataset(folder).read()
    assert (one.unit, one.modality) == ("HU", "CT")
    assert one.group == other.group
    assert one.group not in repr(one)


def test_slices_that_name_no_patient_stay_together(tmp_path: Path) -> None:
    """By their study or series, in folders and in COCO; a word that stands in a patient's place names nobody."""
    path = get_testdata_file("CT_small.dcm", download=False)
    assert isinstance(path, str)
    (tmp_path / "folders").mkdir()
    folder = folders(tmp_path / "folders")
    names = {"a": ("anonymous", "1.2"), "b": ("anonymous", "1.2"), "c": ("anonymous", "1.3"), "d": ("", "")}
    for name, (patient, study) in names.items():
        dataset = pydicom.dcmread(path)
        dataset.PatientID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID = patient, study, study and f"{study}.1"
        dataset.save_as(folder / f"images/{name}.dcm")
        png(folder / f"masks/{name}.png", np.eye(128, dtype=np.uint8))
    expected = ["1.2", "1.2", "1.3"]
    assert [one.group for one in open_dataset(folder).read()] == [*expected, "d"]
    beside = tmp_path / "coco"
    (folder / "images").rename(beside)
    images = [{"id": name, "file_name": f"{name}.dcm", "height": 128, "width": 128} for name in names]
    plain = {"images": images, "annotations": [], "categories": [{"id": 1, "name": "x"}]}
    (beside / "instances.json").write_bytes(orjson.dumps(plain))
    assert [one.group for one in open_dataset(beside).read()] == [*expected, "d.dcm"]


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda f: (f / "masks/a.png").unlink(), "images/a: has no mask"),
        (lambda f: (f / "images/b.png").write_bytes(b"no image"), "images/b: has no mask"),
        (lambda f: (f / "images/a.png").write_bytes(b"no image"), "images/a.png: the file is not"),
        (lambda f: png(f / "masks/a.png", MASK[:-1]), "masks/a.png: is not grey, or not of its image's size"),
        (lambda f: png(f / "masks/a.png", MASK * 7), "masks/a.png: holds the number 7"),
        (lambda f: (f / "dataset.json").write_text('{"modality": "CAT"}'), "dataset.json: modality"),
        (lambda f: (f / "dataset.json").write_text("{"), "dataset.json: is not JSON"),
        (lambda f: (f / "a.jsonl").touch(), "it holds images/ and masks/ and triplets"),
    ],
)
def test_bad_folders(tmp_path: Path, break_it: object, words: str) -> None:
    """What cannot be used is named, with what is wrong with it."""
    folder = folders(tmp_path)
    png(folder / "images/a.png", IMAGE)
    png(folder / "masks/a.png", MASK)
    assert callable(break_it)
    break_it(folder)
    assert words in refused(folder)


def coco_of(segmentations: list[object], **more: object) -> dict[str, object]:
    return {
        "images": [{"id": 1, "file_name": "a.png", "height": 48, "width": 64, **more}],
        "annotations": [{"id": n, "image_id": 1, "category_id": 3, **one} for n, one in enumerate(segmentations)],
        "categories": [{"id": 3, "name": "polyp"}],
    }


def test_coco(tmp_path: Path) -> None:
    """Polygon, both run-length encodings and a bare box mark the same pixels."""
    png(tmp_path / "a.png", IMAGE)
    packed = coco.encode(np.asfortranarray(MASK))
    runs = [int(n) for n in np.diff(np.flatnonzero(np.diff(np.r_[2, MASK.T.ravel(), 2])))]
    shapes = [
        {"segmentation": [[30, 10, 50, 10, 50, 20, 30, 20]]},
        {"segmentation": {"size": [48, 64], "counts": packed["counts"].decode()}},
        {"segmentation": {"size": [48, 64], "counts": runs}},
        {"bbox": [30, 10, 20, 10]},
    ]
    for shape in shapes:
        (tmp_path / "instances.json").write_bytes(orjson.dumps(coco_of([shape], patient_id="p7")))
        example = only(tmp_path)
        assert example.group == "p7"
        np.testing.assert_array_equal(example.masks["polyp"], MASK)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"file_name": "../b.png"}, "../b.png: is named by the COCO file"),
        ({"height": 50}, "a.png: is not 50 × 64 px"),
        ({"width": "wide"}, "instances.json: images.0.width"),
    ],
)
def test_bad_coco(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    """An image that is not there, of another size, or outside the folder is named."""
    folder = tmp_path / "data"
    folder.mkdir()
    png(tmp_path / "b.png", IMAGE)
    png(folder / "a.png", IMAGE)
    (folder / "instances.json").write_bytes(orjson.dumps(coco_of([], **changes)))
    assert words in refused(folder)


def triplet(kind: str) -> dict[str, object]:
    counts = coco.encode(np.asfortranarray(MASK))["counts"].decode()
    intensity = {"mean": 1, "spread": 1, "minimum": 0, "maximum": 1, "unit": "HU"}
    statement = {"text": "CT.", "evidence": [{"kind": "metadata", "pointer": "/metadata/modality", "value": "CT"}]}
    lineage = {"preprocess": "1", "metadata_digest": "0" * 32, "grounding": "1", "experts": [], "knowledge": "1"}
    return {
        "image_id": "1" * 32, "object_id": "2" * 32, "frame": 0, "frames_taken": 1, "triplet_id": "3" * 32,
        "metadata": {"source_format": "PNG", "modality": "CT", "organ": "liver"},
        "image": {
            "rows": 48, "columns": 64, "channels": 1, "bits": 8, "slope": 2.0, "unit": "HU",
            "data": base64.b64encode(encode_png(IMAGE)).decode(),
        },
        "intensity": intensity,
        "regions": [{
            "region_id": "r1", "kind": kind, "label": "cyst", "rule": "drawn", "expert": "x@1",
            "mask": {"size": [48, 64], "counts": counts}, "box": {"x": 30, "y": 10, "width": 20, "height": 10},
            "area_px": 200, "centroid": [40, 15], "position": "here", "intensity": intensity,
        }],
        "relations": [], "experts": [], "passages": [],
        "description": {"modality": statement, "regions": [], "description": "CT."},
        "lineage": {**lineage, "describer": "x@1"},
    }  # fmt: skip


def test_triplets(tmp_path: Path) -> None:
    """A triplet's regions are its masks, its object the group; where a source marked, candidates are not learnt."""
    lines = [orjson.dumps(triplet(kind)) for kind in ("candidate", "source annotation")]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines))
    dataset = open_dataset(tmp_path)
    candidate, marked = dataset.read()
    assert (dataset.labels, dataset.files, dataset.organ) == (("cyst",), 2, "liver")
    assert not candidate.masks["cyst"].any()
    np.testing.assert_array_equal(marked.masks["cyst"], MASK)
    assert (marked.group, marked.modality, marked.unit) == ("2" * 32, "CT", "HU")
    np.testing.assert_array_equal(marked.values, 2.0 * IMAGE)


def test_triplets_of_a_patient_stay_together(tmp_path: Path) -> None:
    """Whatever objects they are of; without a patient those of a study, a series, an object.

    A patient that was made of a file alone is less than its series.
    """
    told: list[dict[str, str]] = [
        {"patient": "a" * 32, "study": "c" * 32}, {"patient": "a" * 32}, {"study": "c" * 32, "series": "d" * 32},
        {"series": "d" * 32}, {"patient": "b" * 32, "patient_by": "file", "series": "d" * 32, "split": "test"}, {},
    ]  # fmt: skip
    lines = [triplet("candidate") | {"object_id": f"{n}" * 32, "provenance": said} for n, said in enumerate(told)]
    del lines[-1]["provenance"]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(map(orjson.dumps, lines)))
    examples = [*open_dataset(tmp_path).read()]
    assert [one.group[0] for one in examples] == ["a", "a", "c", "d", "d", "5"]
    assert [one.split for one in examples] == [None] * 4 + ["test", None]


def test_bad_triplets(tmp_path: Path) -> None:
    """A line that is no triplet is named by its number, and triplets without regions teach nothing."""
    (tmp_path / "a.jsonl").write_bytes(orjson.dumps(triplet("candidate")) + b"\n{}\n")
    assert "a.jsonl line 2" in refused(tmp_path)
    (tmp_path / "a.jsonl").write_bytes(orjson.dumps(triplet("whole image")))
    assert "no triplet has a region" in refused(tmp_path)


def test_split() -> None:
    """No group is on two sides, the same seed splits alike whatever the order of images, another seed otherwise."""
    groups = [f"p{n // 4}" for n in range(80)]
    parts = split(groups, seed=1)
    sides = [{groups[at] for at in one} for one in (parts.training, parts.validation, parts.held_out)]
    assert sum(map(len, sides)) == len(set(groups)) == 20
    assert [len(side) for side in sides] == [14, 3, 3]
    turned = groups[::-1]
    assert {turned[at] for at in split(turned, seed=1).held_out} == sides[2]
    assert split(groups, seed=2) != parts
    with pytest.raises(BadDataset, match="at least 3"):
        split(["a", "b", "a"], seed=0)


def test_a_given_split_is_kept() -> None:
    """What the collection tests on is held out with all of its patient, whatever the seed; the rest is shared out."""
    groups = [f"p{n // 4}" for n in range(80)]
    given: list[Any] = [None] * 80
    given[3], given[4], given[5] = "test", "train", "test"
    given[8:12] = ["validation"] * 4
    for seed in range(5):
        parts = split(groups, seed, given=given)
        assert {*range(8)} <= {*parts.held_out}, "all of a patient, though other images of it are given for training"
        assert {*range(8, 12)} <= {*parts.validation}
        assert [len(part) for part in (parts.training, parts.validation, parts.held_out)] == [56, 12, 12]
    no_validation = split(groups, 0, given=["test"] * 40 + ["train"] * 40)
    assert no_validation.held_out == (*range(40),)
    assert len(no_validation.validation) == 12, "taken from what may be trained on"
    with pytest.raises(BadDataset, match="no image to train on"):
        split(groups, 0, given=["test"] * 80)


def test_phantoms(tmp_path: Path) -> None:
    """Phantoms come back from their folder as they were drawn: grey values in their unit, colours, masks."""
    for modality in ("CT", "dermoscopy"):
        folder = tmp_path / modality
        write_phantoms(folder, modality, count=2, contrast=4, side=128, first_seed=5)
        _, example = open_dataset(folder).read()
        phantom = draw(modality, seed=6, contrast=4, side=128)
        assert (example.modality, example.organ, example.unit) == (modality, phantom.metadata.organ, phantom.unit)
        np.testing.assert_array_equal(example.masks["lesion"], phantom.truth["lesion"])
        np.testing.assert_allclose(example.values, phantom.values, atol=0.1)
    with pytest.raises(FolderInUse):
        write_phantoms(folder, "CT", count=1)


def test_unreadable_mask(tmp_path: Path) -> None:
    """A colour mask is refused by name."""
    folder = folders(tmp_path)
    tifffile.imwrite(folder / "images/a.tif", IMAGE)
    cv2.imwrite(str(folder / "masks/a.png"), np.repeat(MASK[..., None], 3, axis=2))
    assert "masks/a.png: is not grey" in refused(folder)
