"""How experts are judged on a folder of real images: what counts as found, as false, as dust."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.experts_reliability import bins, draw
from benchmarks.experts_scores import lines, look, together
from benchmarks.real_figures import agreement
from benchmarks.real_images import Mask, cases, without_dust
from models.experts.calibration import Scored, mean_interval
from models.experts.registry import Registry


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
    assert mean_interval(values, ["a", *["b"] * 10]) == (0.0, 1.0)
    low, _ = mean_interval(values, [str(n) for n in range(11)])
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


def test_scores_of_a_folder(folder: Path) -> None:
    """Candidates of an expert are judged where the source marks what it claims to be; few are not calibrated."""
    (case,) = cases(folder)
    seen = look(Registry.load(), case)
    name = "skin-colour: region of other colour than the skin around it"
    assert [one.right for one in seen[name]] == [True]
    many = {**seen, name: [Scored(0.9, True, str(n)) for n in range(24)]}
    told = list(lines(together({"ours": [many], "another": [seen]})))
    (row,) = [one for one in told if one.startswith(f"| {name}")]
    assert row.split("|")[2:6] == [" 2 ", " 25 ", " 25 ", " 1.00 (0.86 to 1.00) "]
    assert f"{name}: Calibration(slope=0.0" in told[-1]
    assert "of='another, ours'" in told[-1]
    assert list(lines(together({"ours": [seen]})))[-1] == f"{name}: too few to be calibrated"


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
