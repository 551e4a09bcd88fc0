"""Real films and numbered masks, put together by the table of which is which."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.experts.datasets import BadDataset, open_dataset, real_films, split
from models.experts.datasets.real_films import TABLE, write_real_films


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "films.csv"
    path.write_text("film,mask,patient\na-1,7,a\nb-1,8,b\n", encoding="utf-8")
    monkeypatch.setattr(real_films, "TABLE", path)
    for name in ("images/deep", "masks"):
        (tmp_path / name).mkdir(parents=True)
    for film, number in (("a-1", 7), ("b-1", 8)):
        cv2.imwrite(str(tmp_path / f"images/deep/{film}.jpeg"), np.full((224, 224), 90, np.uint8))
        mask = np.zeros((300, 400), np.uint8)
        mask[50:250, 40:180] = 255
        mask[100:120, 60:90] = 127
        cv2.imwrite(str(tmp_path / f"masks/{number}.png"), mask)
    return tmp_path


def test_films_take_the_shape_of_their_masks(table: Path) -> None:
    """A square copy is given its mask's shape, a device within a lung is lung, and source and patients are told."""
    assert write_real_films(table / "images", table / "masks", table / "out") == 2
    dataset = open_dataset(table / "out")
    examples = list(dataset.read())
    assert dataset.source is not None
    assert "CC BY 4.0" in dataset.source
    assert {one.group for one in examples} == {"a", "b"}
    for one in examples:
        assert one.values.shape == one.masks["lung field"].shape == (120, 160)
        assert one.masks["lung field"].sum() == pytest.approx(80 * 56, rel=0.03)


def test_what_is_not_there_is_named(table: Path) -> None:
    """A film or a mask of the table that is missing stops it, by its name."""
    (table / "masks/8.png").unlink()
    with pytest.raises(BadDataset, match=r"8\.png"):
        write_real_films(table / "images", table / "masks", table / "out")
    (table / "images/deep/a-1.jpeg").unlink()
    with pytest.raises(BadDataset, match=r"a-1\.jpeg"):
        write_real_films(table / "images", table / "masks", table / "other")


def test_table() -> None:
    """One film a patient, no mask of two films, and enough of them to be parted."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for column in ("film", "mask", "patient"):
        assert len({row[column] for row in rows}) == len(rows)
    assert len(split([row["patient"] for row in rows], 0).held_out) == 180
