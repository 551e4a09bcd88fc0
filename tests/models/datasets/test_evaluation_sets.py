"""Pictures of evaluation sets: read as they lie, and nothing near one of them trained on."""

import io
import json
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from models.datasets.audit import audit
from models.datasets.build import build
from models.datasets.evaluation import BadPicture, NoPictures, pictures_of
from models.datasets.soundness import sound_picture
from models.llava_tri.evaluation.benchmarks.files import Folder
from schemas.triplets import Triplet
from tests.models.datasets.conftest import POLICY, read, splits_of


def test_evaluation_images_are_left_out(triplet_file: Path, triplets: list[Triplet], tmp_path: Path) -> None:
    """Though they were made smaller, brighter and saved as JPEG; the audit finds them where they were not."""
    chosen = triplets[0]
    picture = np.asarray(Image.open(io.BytesIO(sound_picture(chosen))).convert("L"))
    small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    brighter = np.clip(small.astype(int) + 10, 0, 255).astype(np.uint8)
    changed = cv2.imencode(".jpg", brighter, [cv2.IMWRITE_JPEG_QUALITY, 60])[1].tobytes()
    report = build(
        lambda: read(triplet_file),
        tmp_path / "clean",
        ["parquet"],
        POLICY,
        evaluation={"VQA-RAD": [("synpic1.jpg", changed)]},
    )
    assert report.left_out["near an image of VQA-RAD"] >= 1
    assert chosen.triplet_id not in splits_of(tmp_path / "clean")
    hits = [json.loads(line) for line in (tmp_path / "clean" / "evaluation_hits.jsonl").read_text().splitlines()]
    assert {"triplet_id": chosen.triplet_id, "set": "VQA-RAD", "file": "synpic1.jpg"} in hits
    assert audit(tmp_path / "clean", {"VQA-RAD": [("synpic1.jpg", changed)]}).faults == []
    build(lambda: read(triplet_file), tmp_path / "leaking", ["parquet"], POLICY)
    assert any(
        "VQA-RAD" in fault for fault in audit(tmp_path / "leaking", {"VQA-RAD": [("synpic1.jpg", changed)]}).faults
    )


def test_evaluation_sets_are_read_as_they_lie(tmp_path: Path) -> None:
    """Of SLAKE the sources and not the masks; of PathVQA the pictures in Parquet; of others every picture."""
    png = cv2.imencode(".png", np.zeros((8, 8), np.uint8))[1].tobytes()
    for name in ("slake/imgs/xmlab0/source.jpg", "slake/imgs/xmlab0/mask.png", "vqa-rad/synpic1.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(png)
    (tmp_path / "path-vqa").mkdir()
    pq.write_table(pa.Table.from_pylist([{"image": {"bytes": png, "path": "a"}}]), tmp_path / "path-vqa" / "t.parquet")
    found = {name: list(pictures_of(name, tmp_path / name)) for name in ("slake", "vqa-rad", "path-vqa")}
    assert found["slake"] == [("imgs/xmlab0/source.jpg", png)]
    assert found["vqa-rad"] == [("synpic1.jpg", png)]
    assert found["path-vqa"] == [("t.parquet:0", png)]
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoPictures, match="evaluation set slake"):
        list(pictures_of("slake", tmp_path / "empty"))


def test_pictures_behind_links_are_pictures_too(tmp_path: Path) -> None:
    """Images often lie on another disk: overlooked, a leak would pass for none. A link to nowhere is told of."""
    png = cv2.imencode(".png", np.zeros((8, 8), np.uint8))[1].tobytes()
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "synpic1.png").write_bytes(png)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "images").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "round").symlink_to(tmp_path / "set")
    assert list(pictures_of("vqa-rad", tmp_path / "set")) == [("images/synpic1.png", png)]
    assert Folder(tmp_path / "set")("synpic1.png") == png
    (tmp_path / "set" / "synpic2.png").symlink_to(tmp_path / "gone.png")
    with pytest.raises(BadPicture, match=r"synpic2\.png"):
        list(pictures_of("vqa-rad", tmp_path / "set"))
