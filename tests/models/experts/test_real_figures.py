"""How experts are judged on a folder of real images: what counts as found, as false, as dust."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.experts_reliability import Scored, bins, draw
from benchmarks.experts_scores import calibrated, halves, is_right, judged, line, told_apart
from benchmarks.real_figures import agreement, interval
from benchmarks.real_images import Case, Mask, cases, without_dust
from schemas.images import ImageMetadata


def square(x: int, y: int, side: int) -> Mask:
    mask = np.zeros((100, 100), np.uint8)
    mask[y : y + side, x : x + side] = 1
    return mask


def test_agreement_of_two_parts() -> None:
    """One part is met, one missed, and a region lies beside both."""
    truth = square(10, 10, 20) | square(60, 60, 20)
    told = agreement([square(10, 10, 20), square(80, 5, 10)], truth)
    assert told.best == pytest.approx(2 * 400 / 1200)
    assert told.union == pytest.approx(2 * 400 / 1300)
    assert (told.recall, told.false) == (0.5, 1)
    assert told.aji == pytest.approx(400 / (400 + 400 + 100))
    assert told.f1 == pytest.approx(2 / 4)


def test_a_region_over_several_parts_is_not_false() -> None:
    """It finds the parts that it covers, and is a match of none of them."""
    truth = square(10, 10, 10) | square(22, 10, 10)
    told = agreement([square(10, 5, 22)], truth)
    assert (told.recall, told.false) == (1.0, 0)
    assert told.f1 == 0.0


def test_nothing_found() -> None:
    """An image without a region counts as nothing, not as missing."""
    told = agreement([], square(10, 10, 10))
    assert (told.best, told.union, told.recall, told.false, told.aji, told.f1) == (0, 0, 0, 0, 0, 0)


def test_interval_draws_patients() -> None:
    """Ten images of one patient tell no more of the spread than one."""
    values = [0.0, *[1.0] * 10]
    assert interval(values, ["a", *["b"] * 10]) == (0.0, 1.0)
    low, _ = interval(values, [str(n) for n in range(11)])
    assert 0.5 < low < 1.0


def test_dust_is_no_part() -> None:
    """Parts below 0.05 % of a mask are left out."""
    mask = square(0, 0, 60)
    mask[99, 99] = 1
    assert without_dust(mask).sum() == 3600


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set of two dermoscopy pictures, one with a dark lesion and its mask, one without a sidecar."""
    place = tmp_path / "skin" / "ours"
    place.mkdir(parents=True)
    draws = np.random.default_rng(0)
    picture = np.clip(draws.normal((170, 190, 220), 6, (200, 260, 3)), 0, 255)
    rows, columns = np.mgrid[:200, :260]
    lesion = np.hypot(rows - 100, columns - 130) < 40
    picture[lesion] *= 0.5
    cv2.imwrite(str(place / "patient7_001.png"), picture)
    cv2.imwrite(str(place / "other.png"), picture)
    (place / ".masks").mkdir()
    cv2.imwrite(str(place / ".masks" / "m.png"), lesion.astype(np.uint8))
    sidecar = {"modality": "dermoscopy", "mask": ".masks/m.png", "labels": {"1": "lesion"}}
    (place / "patient7_001.png.json").write_text(json.dumps(sidecar))
    return tmp_path


def test_cases_of_a_folder(folder: Path) -> None:
    """An image with a mask is a case; its group leaves the slice's number out, and fixes its half."""
    (case,) = cases(folder)
    assert (case.of, case.group, case.metadata.modality) == ("skin/ours", "patient7", "dermoscopy")
    assert case.half in ("first", "second")
    assert case.truth["lesion"].sum() == pytest.approx(np.pi * 40**2, rel=0.02)
    assert list(cases(folder, ["another"])) == []


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (("136009.png", "136016.png", "141010.png"), {"136", "141"}),
        (("patient7_001.png", "patient7_2.png", "patient8_001.png"), {"patient7", "patient8"}),
        (("ISIC_0000001.jpg", "ISIC_0000002.jpg"), {"ISIC_0000001", "ISIC_0000002"}),
        (("polyp.jpg", "lung_3.png"), {"polyp", "lung_3"}),
    ],
)
def test_slices_of_a_patient_stay_together(names: Sequence[str], groups: set[str], folder: Path) -> None:
    """By their names: a number of the slice behind the patient's, or three digits of each; others stand alone."""
    place, sidecar = folder / "skin" / "ours", (folder / "skin" / "ours" / "patient7_001.png.json").read_text()
    picture = (place / "patient7_001.png").read_bytes()
    for path in (*place.glob("*.png"), *place.glob("*.json")):
        path.unlink()
    for name in names:
        (place / name).write_bytes(picture)
        (place / f"{name}.json").write_text(sidecar)
    assert {case.group for case in cases(folder)} == groups


def test_table_and_sheet(folder: Path) -> None:
    """The command prints a row a set, and draws its images."""
    command = [sys.executable, "-m", "benchmarks.experts_sets", str(folder), "--sheets", str(folder / "sheets")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    (row,) = [line for line in printed.splitlines() if line.startswith("| skin/ours |")]
    assert float(row.split("|")[5].split()[0]) > 0.8
    assert (folder / "sheets" / "skin-ours-lesion.jpg").exists()


def scored(right: list[float], wrong: list[float]) -> list[Scored]:
    return [Scored(one, kind, "a") for kind, of in ((True, right), (False, wrong)) for one in of]


def test_right_regions() -> None:
    """By an IoU of 0.1, or as a piece of what is marked; not by a corner."""
    assert is_right(square(12, 12, 20), square(10, 10, 20))
    assert is_right(square(20, 20, 4), square(0, 0, 60))
    assert is_right(square(20, 20, 60), square(40, 40, 25))
    assert not is_right(square(55, 55, 20), square(0, 0, 60))


def test_a_score_tells_right_from_wrong() -> None:
    """All above, half of the pairs, all alike, and nothing to compare with."""
    assert told_apart(scored([0.8, 0.9], [0.5, 0.6])) == 1.0
    assert told_apart(scored([0.5, 0.9], [0.6, 0.6])) == 0.5
    assert told_apart(scored([0.7, 0.7], [0.7, 0.9])) == 0.25
    assert told_apart(scored([1.0, 1.0], [1.0])) is None
    assert told_apart(scored([0.5, 0.9], [])) is None


def test_halves_by_score() -> None:
    """Of five regions the lower two and the upper three; none where all score alike."""
    assert halves(scored([0.9, 0.8, 0.5], [0.7, 0.6])) == (0.5, pytest.approx(2 / 3))
    assert halves(scored([1.0, 1.0], [1.0])) is None
    assert halves(scored([0.9], [])) is None


def test_scores_worth_calibrating() -> None:
    """Where scores tell right from wrong in each patient they beat the share of right ones; where at random, not."""
    patients = [str(n) for n in range(8)]
    telling = [Scored(score, score > 0.8, one) for one in patients for score in (0.7, 0.75, 0.85)]
    found = calibrated(telling)
    assert found is not None
    assert max(found.isotonic) == 0.0
    assert np.mean(found.raw) == pytest.approx((0.7**2 + 0.75**2 + 0.15**2) / 3)
    assert found.gain[1] > 0.2
    draws = np.random.default_rng(0)
    noise = calibrated([Scored(draws.random(), bool(draws.random() < 0.5), str(n)) for n in range(40)])
    assert noise is not None
    assert noise.gain[1] < 0


def test_too_little_to_calibrate_on() -> None:
    """Four patients, or regions that are all right."""
    assert calibrated([Scored(0.1 * n, n % 2 == 0, str(n)) for n in range(4)]) is None
    assert calibrated([Scored(0.1 * n, True, str(n)) for n in range(9)]) is None


def test_lines_of_a_set() -> None:
    """The nearest label's regions are judged one by one; other labels of it are not."""
    about = ImageMetadata(source_format="PNG", modality="CT")
    truth = square(10, 10, 20)
    case = Case("set", "one", "a", truth.astype(np.float32), about, "grey level", False, (), {"lesion": truth})
    found = {"x: dense": [(0.9, square(10, 10, 18)), (0.6, square(60, 60, 10))], "x: dark": [(0.5, square(80, 0, 5))]}
    assert [line(*each) for each in judged([(case, found)])] == [
        "| set | lesion | x: dense | 1 | 2 | 0.50 (0.50 to 0.50) | 0.75 | 0.00 | 1.00 | 1.00 |  | | | |"
    ]
    assert [line(*each) for each in judged([(case, {})])] == ["| set | lesion | none | 1 | 0 |  | | | | | | | | |"]


def test_bins_of_scores() -> None:
    """Of about equal numbers, one score never in two of them, and an interval that holds the share."""
    told = scored([0.9] * 20 + [0.95, 0.97, 0.98], [0.5, 0.6, 0.7, 0.55, 0.65])
    found = bins(told)
    assert sum(one.regions for one in found) == len(told)
    assert [one.right for one in found] == [0.0, 1.0]
    assert found[0].interval == (0.0, pytest.approx(0.5218, abs=1e-4))
    assert found[1].interval[1] == 1.0
    assert [one.regions for one in bins(scored([1.0] * 12, []))] == [12]


def test_reliability_is_drawn(tmp_path: Path) -> None:
    """Labels of ten regions or more; with none of these it says so."""
    path = tmp_path / "scores.svg"
    draw({"x: dense": scored([0.5, 0.9] * 6, [0.7]), "x: dark": scored([0.9], [])}, path)
    drawn = path.read_text(encoding="utf-8")
    assert "13 regions" in drawn
    assert "x: dark" not in drawn
    with pytest.raises(SystemExit, match="no label has 10 regions"):
        draw({"x: dark": scored([0.9], [])}, path)
