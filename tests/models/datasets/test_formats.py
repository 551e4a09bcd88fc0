"""Each format read back by its own library."""

import io
import json
from pathlib import Path
from typing import Any

import cv2
import datasets
import numpy as np
import pytest
import webdataset
from PIL import Image
from pycocotools.coco import COCO

from models.datasets.report import Report
from models.datasets.soundness import sound_picture
from schemas.triplets import Triplet
from tests.models.datasets.conftest import splits_of


def test_parquet_is_what_trl_reads(built: tuple[Path, Report], triplets: list[Triplet], tmp_path: Path) -> None:
    """`datasets` decodes the pictures without being told, and roles alternate from user to assistant."""
    folder = built[0]
    by_id = {triplet.triplet_id: triplet for triplet in triplets}
    splits = splits_of(folder)
    loaded: Any = datasets.load_dataset(str(folder), cache_dir=str(tmp_path))
    assert {split: len(rows) for split, rows in loaded.items()} == {k: v for k, v in built[1].images.items() if v}
    for split, rows in loaded.items():
        for row in rows:
            assert splits[row["triplet_id"]] == split
            (image,) = row["images"]
            assert image.size == (row["width"], row["height"])
            triplet = by_id[row["triplet_id"]]
            assert np.array_equal(np.asarray(image), np.asarray(Image.open(io.BytesIO(sound_picture(triplet)))))
            assert [one["role"] for one in row["messages"]] == ["user", "assistant"] * (len(row["messages"]) // 2)
            kinds = [part["type"] for message in row["messages"] for part in message["content"]]
            assert kinds.count("image") == 1
            assert kinds[0] == "image"
            assert row["description"] == triplet.description.description


def test_llava_reads_its_json(built: tuple[Path, Report]) -> None:
    """One picture token, before the first question; pictures are where they are said to be."""
    folder = built[0] / "llava"
    for split, n in built[1].images.items():
        items = json.loads((folder / f"{split}.json").read_bytes()) if n else []
        assert len(items) == n
        for item in items:
            assert cv2.imread(str(folder / "images" / item["image"])) is not None
            said = item["conversations"]
            assert [one["from"] for one in said] == ["human", "gpt"] * (len(said) // 2)
            assert said[0]["value"].startswith("<image>\n")
            assert sum(one["value"].count("<image>") for one in said) == 1
            assert not any("<box>" in one["value"] for one in said)


def test_swift_has_a_box_for_each_place(built: tuple[Path, Report], triplets: list[Triplet]) -> None:
    """In pixels, within the picture, in the order of the text."""
    by_id = {triplet.triplet_id: triplet for triplet in triplets}
    boxes = 0
    for path in (built[0] / "swift").glob("*.jsonl"):
        for line in path.read_text().splitlines():
            item = json.loads(line)
            text = "".join(message["content"] for message in item["messages"])
            found = item.get("objects", {}).get("bbox", [])
            assert text.count("<bbox>") == len(found)
            triplet = by_id[Path(item["images"][0]).stem]
            corners = {(b.x, b.y, b.x + b.width, b.y + b.height) for b in (one.box for one in triplet.regions)}
            assert {tuple(box) for box in found} <= corners
            boxes += len(found)
    assert boxes > 3


def samples_of(path: Path) -> Any:
    """Of a shard, as webdataset decodes them."""
    library: Any = webdataset
    return library.WebDataset(str(path), shardshuffle=False).decode("rgb8")


# webdataset leaves its shards to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_webdataset_reads_its_shards(built: tuple[Path, Report], triplets: list[Triplet]) -> None:
    """Each sample has its picture, its text, and the triplet without the picture."""
    by_id = {triplet.triplet_id: triplet for triplet in triplets}
    seen = 0
    for path in (built[0] / "webdataset").glob("*.tar"):
        for sample in samples_of(path):
            triplet = by_id[sample["__key__"]]
            assert sample["txt"] == triplet.description.description
            assert sample["png"].shape[:2] == (triplet.image.rows, triplet.image.columns)
            assert "data" not in sample["json"]["triplet"]["image"]
            assert sample["json"]["triplet"]["triplet_id"] == triplet.triplet_id
            seen += 1
    assert seen == sum(built[1].images.values())


def test_coco_has_the_masks(built: tuple[Path, Report], triplets: list[Triplet]) -> None:
    """As pycocotools decodes them: of the area and box that they are said to have."""
    by_id = {triplet.triplet_id: triplet for triplet in triplets}
    seen = 0
    for split, n in built[1].images.items():
        if not n:
            continue
        coco: Any = COCO(str(built[0] / "coco" / "annotations" / f"instances_{split}.json"))
        assert len(coco.getImgIds()) == n
        for annotation in coco.loadAnns(coco.getAnnIds()):
            image = coco.loadImgs(annotation["image_id"])[0]
            mask = coco.annToMask(annotation)
            assert mask.shape == (image["height"], image["width"])
            assert mask.sum() == annotation["area"]
            x, y, width, height = (int(one) for one in annotation["bbox"])
            assert mask[y : y + height, x : x + width].sum() == annotation["area"]
            name = coco.loadCats(annotation["category_id"])[0]["name"]
            assert name in {region.label for region in by_id[image["triplet_id"]].regions}
            seen += 1
    assert seen > 10


def test_imagefolder_is_read_by_datasets(built: tuple[Path, Report], tmp_path: Path) -> None:
    """Pictures with their caption and objects."""
    loaded: Any = datasets.load_dataset("imagefolder", data_dir=str(built[0] / "imagefolder"), cache_dir=str(tmp_path))
    assert sum(len(rows) for rows in loaded.values()) == sum(built[1].images.values())
    row = next(row for row in loaded["train"] if row["objects"]["bbox"])
    assert len(row["objects"]["bbox"]) == len(row["objects"]["category"])
    assert row["image"].size[0] >= row["objects"]["bbox"][0][2]
