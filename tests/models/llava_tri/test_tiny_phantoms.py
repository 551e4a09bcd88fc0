"""The tiny preset's phantoms: what can be asked of them, and that the answers lie in their pixels."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.experts.phantoms import DRAWN
from models.llava_tri.tiny.phantoms import DIFFERENCE, SIDED, lesioned, write
from schemas.images import Modality
from schemas.sidecars import Sidecar


@pytest.mark.parametrize("modality", DRAWN)
def test_each_lesion_stands_out_of_what_surrounds_it(modality: Modality) -> None:
    """By about the difference that is promised, in every phantom; none touches another."""
    for seed in range(6):
        phantom, values, lesions = lesioned(modality, seed, 256)
        assert 1 <= len(lesions) <= 4
        low, high = np.percentile(phantom.values, (1, 99))
        for lesion in lesions:
            there = cv2.erode(lesion, np.ones((3, 3), np.uint8)) > 0
            change = np.abs(values[there] - phantom.values[there]).mean() / (high - low)
            assert change == pytest.approx(DIFFERENCE, rel=0.05)
        assert np.sum(lesions, axis=0).max() == 1


@pytest.mark.parametrize("modality", SIDED)
def test_lesions_of_a_body_lie_on_a_side(modality: Modality) -> None:
    """Their centres keep away from the midline, on both sides of it, so that left and right can be asked for."""
    centres = [
        float(np.argwhere(lesion)[:, 1].mean()) / 256
        for seed in range(20)
        for lesion in lesioned(modality, seed, 256)[2]
    ]
    assert min(abs(centre - 0.5) for centre in centres) > 0.1
    assert 0.2 < np.mean([centre < 0.5 for centre in centres]) < 0.8


def test_sidecars_tell_each_lesion_and_a_patient(tmp_path: Path) -> None:
    """A number of the mask a lesion, all called alike; no two phantoms are of one patient."""
    write(tmp_path, 1)
    told = {path: Sidecar.model_validate_json(path.read_bytes()) for path in tmp_path.glob("*/*.json")}
    assert len({one.patient for one in told.values()}) == len(told) == len(DRAWN) + len(SIDED)
    for path, one in told.items():
        mask = cv2.imread(str(path.parent / str(one.mask)), cv2.IMREAD_UNCHANGED)
        assert mask is not None
        assert {str(number) for number in np.unique(mask) if number} == set(one.labels)
        assert set(one.labels.values()) == {"lesion"}
        assert (one.orientation is not None) == (one.modality in SIDED)
