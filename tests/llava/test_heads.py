"""Heads that learn a data set: what is there is found, what is not is told as not shown."""

# pyright: basic, reportMissingImports=false
# torch is installed in .venv-llava only.

import dataclasses
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="needs the environment of make llava-env")

from infra.cli import main  # noqa: E402
from models.experts.training.settings import Settings  # noqa: E402
from models.llava_tri.heads.budget import within  # noqa: E402
from models.llava_tri.heads.classes import classify  # noqa: E402
from models.llava_tri.heads.masks import groups_of, segment  # noqa: E402
from models.llava_tri.heads.measuring import Plan, measure  # noqa: E402
from models.llava_tri.heads.page import page  # noqa: E402
from models.llava_tri.heads.pictures import HeadSet, Picture, parts_of, squares  # noqa: E402
from models.llava_tri.heads.result import Row, Worth  # noqa: E402

SIDE = 64
SETTINGS = Settings(side=32, width=4, depth=2, epochs=12, batch=8, learning_rate=3e-3, mirror=False, rotate=0.0)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def shape(chance: np.random.Generator, *, disc: bool) -> np.ndarray:
    """A disc or a frame of 250 to 460 px somewhere in the picture: only the shape tells which."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    y, x = (int(place) for place in chance.integers(20, SIDE - 20, 2))
    if disc:
        cv2.circle(mask, (x, y), int(chance.integers(9, 13)), 255, -1)
    else:
        half = int(chance.integers(9, 16))
        cv2.rectangle(mask, (x - half, y - half), (x + half, y + half), 255, 4)
    return mask


def grey(chance: np.random.Generator, mask: np.ndarray) -> np.ndarray:
    return np.clip(70 + 0.5 * mask + chance.normal(0, 12, mask.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty patients, in each a disc or a frame that the source marks; organs are given by the dice."""
    folder = tmp_path_factory.mktemp("heads")
    source = folder / "in"
    source.mkdir()
    chance = np.random.default_rng(0)
    for n in range(60):
        disc = n % 2 == 0
        mask = shape(chance, disc=disc)
        cv2.imwrite(str(source / f"{n}.png"), grey(chance, mask))
        cv2.imwrite(str(source / f"{n}.mask.png"), mask)
        told = {
            "source": "Drawn 1", "licence": "CC0-1.0", "patient": f"P{n}", "split": "test" if n >= 40 else "train",
            "modality": "dermoscopy", "organ": ("skin", "retina")[int(chance.integers(2))],
            "disease": "melanoma" if disc else "nevus",
            "mask": f"{n}.mask.png", "labels": {"255": "lesion"},
        }  # fmt: skip
        (source / f"{n}.png.json").write_text(json.dumps(told))
    triplets, out = folder / "triplets.jsonl", folder / "drawn"
    formats = ["--format", "parquet", "--format", "coco", "--validation", "0"]
    for arguments in (
        ["annotate", str(source), "--exclude", "*.mask.png", "--triplets", str(triplets)],
        ["dataset", "build", str(triplets), "--out", str(out), *formats],
    ):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output
    return out


@pytest.fixture(scope="module")
def worth(drawn: Path) -> Worth:
    return measure(drawn, Plan(targets=("modality", "organ")), SETTINGS)


def row(worth: Worth, of: str) -> Row:
    return next(one for one in worth.rows if one.of == of)


def test_what_a_picture_shows_is_learnt() -> None:
    """A disc from a frame, better than every control; each figure with its images and patients."""
    chance = np.random.default_rng(0)
    pictures, images = [], []
    for n in range(140):
        images.append(np.stack([cv2.resize(grey(chance, shape(chance, disc=n % 2 == 0)), (32, 32))] * 3))
        disease = ("melanoma", "nevus")[n % 2]
        opened: Any = None  # Its pictures are given.
        pictures.append(Picture(f"{n}", n >= 90, n, f"P{n // 2}", "", "dermoscopy", "skin", disease, (), opened))
    bare = chance.normal(size=(140, 35)).astype(np.float32)  # Sizes and grey levels that tell nothing.
    found = classify(pictures, (np.stack(images), bare), "disease", SETTINGS, 1000)
    assert isinstance(found, Row)
    assert found.shown, found.against
    head = found.runs[0].figures["accuracy"]
    assert head.value > 0.85
    assert head.low <= head.value <= head.high
    assert (head.n, head.groups) == (50, 25), "two pictures a patient"
    assert found.classes == {"melanoma": 25, "nevus": 25}
    assert found.runs[0].figures["macro-F1"].value == pytest.approx(head.value, abs=0.1)
    assert found.parts["training"].images + found.parts["choosing the epoch"].images == 90


def test_what_no_picture_tells_is_not_shown(worth: Worth) -> None:
    """Organs that were given by chance; of one modality there is nothing to tell apart."""
    assert not row(worth, "organ").shown
    assert [(one.of, one.why) for one in worth.skipped] == [
        ("modality", "classes with 5 images to learn from: 1, 2 needed")
    ]


def test_regions_are_marked_better_than_where_they_mostly_lie(worth: Worth) -> None:
    """A U-Net against the mean mask and a box in the middle, by Dice."""
    found = row(worth, "lesion, dermoscopy")
    assert found.shown, found.against
    dice = {run.name: run.figures["Dice"] for run in found.runs}
    assert dice["the head"].value > 0.8 > dice["mean mask"].value
    assert dice["mean mask"].value >= dice["centre box"].value - 0.1
    assert list(found.beside) == ["MONAI's U-Net"]
    assert "MONAI's U-Net" not in found.against, "a baseline decides nothing"
    assert dice["the head"].n == 20


def test_the_baseline_learns_too(drawn: Path, tmp_path: Path) -> None:
    """MONAI's network learns more slowly than ours, but not nothing: at a higher rate as much as is asked of ours."""
    (group,), _ = groups_of(HeadSet(drawn, tmp_path, 4000).pictures, "source annotation")
    (found,) = segment(group, "source annotation", dataclasses.replace(SETTINGS, learning_rate=1e-2), 1000)
    assert isinstance(found, Row)
    dice = {run.name: run.figures["Dice"].value for run in found.runs}
    assert dice["MONAI's U-Net"] > dice["mean mask"] + 0.1


def test_no_patient_is_on_two_sides(drawn: Path, tmp_path: Path) -> None:
    """Nor is one of the test split learnt; a thinned set is drawn the same way each time."""
    pictures = HeadSet(drawn, tmp_path, 4000).pictures
    parts = parts_of(pictures)
    groups = [{pictures[at].group for at in some} for some in (parts.training, parts.choosing, parts.test)]
    assert not groups[0] & groups[1] | groups[0] & groups[2] | groups[1] & groups[2]
    assert {pictures[at].test for at in parts.training + parts.choosing} == {False}
    many = [dataclasses.replace(pictures[0], group="one", test=False) for _ in range(400)]
    divided = parts_of([*pictures, *many])
    assert len(divided.choosing) == len(parts.choosing), "a patient with most of the images is learnt from"
    few = [HeadSet(drawn, tmp_path, 10).pictures for _ in range(2)]
    assert [len(few[0]), sum(one.test for one in few[0])] == [20, 10]
    assert few[0] == few[1]
    assert few[0] != pictures


def test_a_label_is_learnt_from_sources_that_mark_it(drawn: Path, tmp_path: Path) -> None:
    """An image of a collection without that label teaches nothing of it; too few images are said."""

    pictures = HeadSet(drawn, tmp_path, 4000).pictures
    other = [dataclasses.replace(one, source="Other", regions=()) for one in pictures[:5]]
    (group,), skipped = groups_of([*pictures, *other], "source annotation")
    assert (group.labels, len(group.pictures), skipped) == (("lesion",), 60, [])
    rare = [dataclasses.replace(one, modality="fundus photography") for one in pictures[:6]]
    (few,) = groups_of([*pictures, *rare], "source annotation")[1]
    assert (few.of, few.why) == (
        "lesion, fundus photography", "marked in 6 images to learn from and 0 to test on: 10 and 5 are needed"
    )  # fmt: skip


def test_a_large_set_takes_no_longer() -> None:
    """Epochs beyond the steps are not begun; of a set with more images than that, one is."""
    opened: Any = None
    pictures = [Picture(f"{n}", n >= 80, n, f"P{n}", "", "dermoscopy", "skin", "", (), opened) for n in range(100)]
    parts = parts_of(pictures)  # 67 of 80 are learnt from: nine batches of eight
    assert [within(SETTINGS, parts, steps).epochs for steps in (1000, 30, 9, 2)] == [12, 3, 1, 1]


def test_who_breaks_off_goes_on(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A head that was taught is not taught again, but for other settings; half a line is no head."""
    kept, plan = tmp_path / "heads.jsonl", Plan(tasks=("classify",), targets=("disease", "organ"))
    quick = dataclasses.replace(SETTINGS, epochs=1)
    names: list[str] = []

    def told(head: str) -> Any:
        names.append(head)
        return lambda *_: lambda _: None

    def broken_off(one: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(drawn, plan, quick, kept=kept, tell=broken_off)
    with kept.open("a") as lines:
        lines.write('{"key": "broken')
    whole = measure(drawn, plan, quick, kept=kept, tell_epoch=told)
    assert names == ["classify organ"]
    assert measure(drawn, plan, quick, kept=kept, tell_epoch=told) == whole
    assert names == ["classify organ"], "nothing is left to teach"
    measure(drawn, plan, dataclasses.replace(quick, seed=1), kept=kept, tell_epoch=told)
    assert names == ["classify organ", "classify disease", "classify organ"]


def test_size_colour_and_grey_levels_are_as_numpy_has_them(drawn: Path, tmp_path: Path) -> None:
    """By OpenCV they are a tenth as dear."""
    pictures = HeadSet(drawn, tmp_path, 5).pictures
    images, bare = squares(pictures, 32)
    for one, image, told in zip(pictures, images, bare, strict=True):
        rgb = one.rgb()
        assert image.shape == (3, 32, 32)
        shares = np.histogram(rgb.mean(axis=2).round(), 32, (0, 256))[0] / rgb[..., 0].size
        assert told == pytest.approx(
            [*np.log(rgb.shape[:2]), np.ptp(rgb.astype(float), axis=2).mean() / 255, *np.sqrt(shares)], abs=1e-4
        )


def test_the_page_tells_each_verdict(worth: Worth) -> None:
    """And loads nothing."""
    text = page(worth)
    assert "1 of 2 heads shown" in text
    assert text.count(">not shown<") == 1
    assert text.count("a baseline</td>") == 1
    assert "<script" not in text
    assert "http" not in text.replace('http-equiv="', "")


def test_the_command_writes_both(drawn: Path, tmp_path: Path) -> None:
    """A page and a result that reads back; wrong sizes are refused before anything is read."""
    arguments = [
        "dataset",
        "worth",
        str(drawn),
        "--out",
        str(tmp_path / "out"),
        "--task",
        "classify",
        "--of",
        "disease",
    ]
    result = CliRunner().invoke(main, [*arguments, "--side", "32", "--epochs", "1"])
    assert result.exit_code == 0, result.output
    assert "classify disease" in result.output
    told = Worth.model_validate_json((tmp_path / "out" / "result.json").read_bytes())
    assert [one.of for one in told.rows] == ["disease"]
    assert (tmp_path / "out" / "index.html").read_text() == page(told)
    assert CliRunner().invoke(main, [*arguments, "--side", "33"]).exit_code == 2
