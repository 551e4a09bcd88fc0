"""Pictures of evaluation sets are known again though they were edited, and others are not taken for them."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.datasets.audit import audit
from models.datasets.build import build
from models.datasets.copies import Originals
from models.datasets.policy import Policy
from models.datasets.soundness import sound_picture
from models.imaging import as_view, decode_png
from schemas.triplets import Triplet
from tests.models.datasets.conftest import Picture, lines, real, splits_of


def cut(left: float, top: float, right: float, bottom: float) -> Callable[[Picture], Picture]:
    """Parts of the edges away."""

    def change(picture: Picture) -> Picture:
        rows, columns = picture.shape[:2]
        return picture[
            round(top * rows) : rows - round(bottom * rows), round(left * columns) : columns - round(right * columns)
        ]

    return change


def bent(power: float) -> Callable[[Picture], Picture]:
    """Another gamma."""
    return lambda picture: (255 * (picture / 255.0) ** power).astype(np.uint8)


def as_jpeg(picture: Picture) -> Picture:
    """Saved at a low quality."""
    saved = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
    return np.asarray(cv2.imdecode(saved, cv2.IMREAD_UNCHANGED), np.uint8)


EDITS: dict[str, Callable[[Picture], Picture]] = {
    "as it is": lambda picture: picture,
    "cropped by a hundredth": cut(0.01, 0.01, 0.01, 0.01),
    "cropped by a twentieth": cut(0.05, 0.05, 0.05, 0.05),
    "cropped by a tenth": cut(0.1, 0.1, 0.1, 0.1),
    "one edge away": cut(0, 0.08, 0, 0),
    "a corner away": cut(0.05, 0.05, 0, 0),
    "brighter": bent(0.7),
    "darker": bent(1.4),
    "with more contrast": lambda picture: np.clip(picture * 1.5 - 50, 0, 255).astype(np.uint8),
    "inverted": lambda picture: 255 - picture,
    "mirrored": lambda picture: np.ascontiguousarray(picture[:, ::-1]),
    "upside down": lambda picture: np.ascontiguousarray(picture[::-1]),
    "turned by a quarter": lambda picture: np.ascontiguousarray(np.rot90(picture)),
    "cropped, darker, JPEG": lambda picture: as_jpeg(bent(1.3)(cut(0.04, 0.04, 0.04, 0.04)(picture))),
}


def shown(triplet: Triplet) -> Picture:
    """The view that was described."""
    return np.asarray(decode_png(sound_picture(triplet)), np.uint8)


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    """CT, MR and ultrasound."""
    return [real(name) for name in ("CT_small.dcm", "MR_small.dcm", "examples_ybr_color.dcm", "US1_J2KR.dcm")]


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_copy_is_known(edit: str, pictures: list[Picture]) -> None:
    """Whichever of both was edited, and by no other's picture."""
    originals, edited = Originals(), Originals()
    for picture in pictures:
        originals.add(picture)
        edited.add(EDITS[edit](picture))
    for number, picture in enumerate(pictures):
        assert originals.near(EDITS[edit](picture)) == [number]
        assert edited.near(picture) == [number]


def test_of_no_originals_nothing_is_a_copy(pictures: list[Picture]) -> None:
    """Nor is a picture of noise one of any."""
    originals = Originals()
    assert originals.near(pictures[0]) == []
    for picture in pictures:
        originals.add(picture)
    noise = np.random.default_rng(0).integers(0, 256, (200, 200)).astype(np.uint8)
    assert originals.near(noise) == []


def test_no_hash_that_is_told_hides_a_copy(triplets: list[Triplet], tmp_path: Path) -> None:
    """Where there are evaluation sets pictures are looked at; without them an audit sees what a line told wrongly."""
    first, second = [one for one in triplets if one.image.perceptual_hash is not None][:2]
    other = first.image.model_copy(update={"perceptual_hash": second.image.perceptual_hash})
    lying = first.model_copy(update={"image": other})
    data = cv2.imencode(".png", EDITS["cropped by a twentieth"](shown(first)))[1].tobytes()
    sets = {"vqa-rad": [("synpic1.png", data)]}
    told = [lying, *(one for one in triplets if one.triplet_id != first.triplet_id)]
    report = build(lambda: lines(told), tmp_path / "held", ["parquet"], Policy(), evaluation=sets)
    assert report.left_out["its perceptual hash is of another picture"] == 1
    assert first.triplet_id not in splits_of(tmp_path / "held")
    build(lambda: lines(told), tmp_path / "set", ["parquet"], Policy())
    assert any(f"the picture of {first.triplet_id}" in fault for fault in audit(tmp_path / "set").faults)


def test_a_hash_that_is_told_is_the_one_that_would_be_found(triplets: list[Triplet], tmp_path: Path) -> None:
    """So the same sets are made of triplets of earlier versions, which are unpacked for it."""
    assert all(one.image == as_view(shown(one)) for one in triplets)
    plain = [
        one.model_copy(update={"image": one.image.model_copy(update={"perceptual_hash": None})}) for one in triplets
    ]
    reports = [
        build(lambda given=given: lines(given), tmp_path / name, ["llava"], Policy())
        for name, given in (("told", triplets), ("plain", plain))
    ]
    assert [report.unpacked for report in reports] == [0, len(triplets)]
    index, other = ((tmp_path / name / "index.jsonl").read_text() for name in ("told", "plain"))
    assert index == other
