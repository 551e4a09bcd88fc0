"""Encoder and prompt decoder: a mask is what is bright within the box that is asked for."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.experts.candidates import Proposal
from models.experts.features import LastFeatures
from models.experts.running import Expert, Prompt
from schemas.regions import Box
from tests.models.experts.adapters.examples import disc, example, iou, mask_of, seen


@pytest.fixture
def skin() -> np.ndarray:
    """Two bright discs, in an image that fills a part of the encoder's square."""
    image = np.zeros((384, 512, 3), np.float32)
    image[disc(image.shape[:2], 120, 120, 60)] = 255.0
    image[disc(image.shape[:2], 400, 250, 40)] = 255.0
    return image


def prompt(x: int, y: int, side: int, label: str = "lesion") -> Prompt:
    box = Box(x=x, y=y, width=side, height=side)
    return Prompt(box, label, None, Proposal("detector@1", box))


def test_outlines_what_is_asked_for(skin: np.ndarray) -> None:
    """Each box gives the best of the decoder's masks, at the image's size, under the label of who asked."""
    asked = (prompt(50, 50, 140), prompt(350, 200, 100, "naevus"))
    found = {one.label: one for one in seen(example("sam"), skin, prompts=asked).candidates}
    assert iou(mask_of(found["lesion"], skin), disc(skin.shape[:2], 120, 120, 60)) > 0.9
    assert iou(mask_of(found["naevus"], skin), disc(skin.shape[:2], 400, 250, 40)) > 0.85
    assert found["lesion"].component.score == pytest.approx(0.9)
    assert found["lesion"].rule.startswith("outlined for the box of detector@1")


def test_grid(skin: np.ndarray) -> None:
    """What is bright under a point of the grid is in a region, and nothing else is."""
    grid = example("sam", decoding={"prompts": "grid", "grid": 8, "nms_iou": 0.3})
    found = seen(grid, skin).candidates
    assert {one.label for one in found} == {"outlined region"}
    bright = skin[..., 0] > 0
    masks = [mask_of(one, skin) for one in found]
    points = [(24 + 48 * row, 32 + 64 * column) for row in range(8) for column in range(8)]
    under = [point for point in points if bright[point]]
    assert len(found) >= len(under) >= 5
    assert all(any(mask[point] for mask in masks) for point in under)
    assert all((mask_of(one, skin) & bright).sum() > 0.8 * one.component.area_px for one in found)


class _Counted:
    """A session that counts its runs."""

    def __init__(self, session: Any) -> None:
        self.session, self.runs = session, 0

    def run_with_iobinding(self, *arguments: Any) -> Any:
        self.runs += 1
        return self.session.run_with_iobinding(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)


def counted() -> tuple[Expert, _Counted]:
    """An expert that remembers nothing yet, and its encoder's session."""
    sam = example("sam")
    encoder = _Counted(sam.session)
    return replace(sam, session=encoder, features=LastFeatures()), encoder  # type: ignore[arg-type]


def test_encoded_once(skin: np.ndarray) -> None:
    """However many prompts there are the image is encoded once, and without any not at all."""
    sam, encoder = counted()
    assert seen(sam, skin).candidates == []
    assert encoder.runs == 0
    seen(sam, skin, prompts=(prompt(50, 50, 140), prompt(350, 200, 100), prompt(0, 300, 60)))
    assert encoder.runs == 1


def test_encoded_once_for_later_prompts(skin: np.ndarray) -> None:
    """A prompt that comes later finds the features of its image, and outlines what it would alone."""
    sam, encoder = counted()
    seen(sam, skin, prompts=(prompt(50, 50, 140),))
    (later,) = seen(sam, skin, prompts=(prompt(350, 200, 100),)).candidates
    (alone,) = seen(counted()[0], skin, prompts=(prompt(350, 200, 100),)).candidates
    assert encoder.runs == 1
    assert np.array_equal(mask_of(later, skin), mask_of(alone, skin))


def test_what_was_forgotten_is_encoded_anew(skin: np.ndarray) -> None:
    """So that `check` times an image that was not seen before."""
    sam, encoder = counted()
    seen(sam, skin, prompts=(prompt(50, 50, 140),))
    sam.features.forget()
    seen(sam, skin, prompts=(prompt(50, 50, 140),))
    assert encoder.runs == 2


def test_other_pixels_are_encoded_anew(skin: np.ndarray) -> None:
    """One pixel more is another image, with features of its own; of images long ago none are kept."""
    sam, encoder = counted()
    asked = (prompt(50, 50, 140),)
    for number in range(5):
        other = skin.copy()
        other[300, 20 : 20 + number] = 255.0
        seen(sam, other, prompts=asked)
        seen(sam, other, prompts=asked)
    assert encoder.runs == 5
    seen(sam, skin, prompts=asked)
    assert encoder.runs == 6
