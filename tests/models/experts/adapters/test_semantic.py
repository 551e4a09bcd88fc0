"""Segmenters: classes by thresholds of the input, so that every mask is known."""

import numpy as np
import pytest

from models.experts.running import Sight, UnfitOutput
from tests.models.experts.adapters.examples import disc, example, iou, mask_of, seen


@pytest.fixture
def section() -> np.ndarray:
    """HU: air, three discs of soft tissue (0 HU: half of the window), in one of them bone (750 HU: seven eighths)."""
    image = np.full((200, 280), -1000.0, np.float32)
    image[disc(image.shape, 80, 100, 50)] = 0.0
    image[disc(image.shape, 200, 60, 20)] = 0.0
    image[disc(image.shape, 220, 140, 36)] = 0.0
    image[disc(image.shape, 220, 140, 24)] = 750.0
    return image


def test_classes(section: np.ndarray) -> None:
    """Each connected part of a class is a region, to the 2 px of the graph's own grid, the larger one first."""
    found = seen(example("unet"), section).candidates
    assert [one.label for one in found] == ["soft tissue", "soft tissue", "soft tissue", "bone"]
    ring = disc(section.shape, 220, 140, 36) & (section == 0.0)
    truth = disc(section.shape, 80, 100, 50), ring, disc(section.shape, 200, 60, 20), section == 750.0
    assert all(iou(mask_of(one, section), true) > 0.9 for one, true in zip(found, truth, strict=True))
    assert all(one.component.score > 0.8 for one in found)
    bone = found[3]
    assert bone.code is not None
    assert (bone.code.value, bone.rule) == ("272673000", "bone is the most probable class")


def test_odd_sizes_are_padded(section: np.ndarray) -> None:
    """An image that no U-Net takes is padded, and the masks are of the image itself."""
    odd = section[:199, :277]
    assert all(iou(mask_of(one, odd), mask_of(two, section)[:199, :277]) > 0.99 for one, two in zip(
        seen(example("unet"), odd).candidates, seen(example("unet"), section).candidates, strict=True))  # fmt: skip


def test_tiles_join_without_seams(section: np.ndarray) -> None:
    """Cut into overlapping tiles, regions that cross them are whole, and the same as of the whole image."""
    tiled = example("unet", input={"size": {"policy": "tiles", "height": 64, "width": 48, "overlap": 0.25}})
    whole, pieces = seen(example("unet"), section).candidates, seen(tiled, section).candidates
    assert [one.label for one in pieces] == [one.label for one in whole]
    assert all(iou(mask_of(one, section), mask_of(two, section)) > 0.97 for one, two in zip(pieces, whole, strict=True))


def test_resampled_to_its_spacing(section: np.ndarray) -> None:
    """An expert that wants 1 mm sees pixels of 0.5 × 0.75 mm at that, and its masks come back at the image's size."""
    coarse = example("unet", input={"spacing_mm": 1.0})
    found = seen(coarse, section, spacing=(0.5, 0.75)).candidates
    fine = seen(example("unet"), section).candidates
    assert [one.label for one in found] == [one.label for one in fine]
    assert all(iou(mask_of(one, section), mask_of(two, section)) > 0.85 for one, two in zip(found, fine, strict=True))


def test_sigmoid_and_whole(section: np.ndarray) -> None:
    """With a sigmoid each class has its own threshold; 'whole' makes one region of its parts."""
    lax = example("unet", decoding={"activation": "sigmoid", "threshold": 0.6, "whole": True})
    soft, bone = seen(lax, section).candidates
    # Logits are above 0 from a quarter of the window (-500 HU) for one class, from a half (0 HU) for the other.
    assert iou(mask_of(soft, section), section > -500) > 0.95
    assert iou(mask_of(bone, section), section > 0) > 0.9
    assert soft.rule == "predicted probability of soft tissue at least 0.6"


def test_small_parts_and_too_many(section: np.ndarray) -> None:
    """Parts below the limit are no regions, and those beyond the most are counted."""
    one = example("unet", decoding={"max_regions": 1})
    assert (len(seen(one, section).candidates), seen(one, section).left_out) == (2, 2)
    large = example("unet", decoding={"min_area_px": 3000})
    assert [one.label for one in seen(large, section).candidates] == ["soft tissue"]


def flat(value: float) -> np.ndarray:
    return np.full((64, 96), value, np.float32)


@pytest.fixture
def middle() -> np.ndarray:
    """0 HU, and a disc of 500 HU."""
    image = flat(0.0)
    image[disc(image.shape, 40, 30, 12)] = 500.0
    return image


@pytest.mark.parametrize(
    ("around", "found", "note"),
    [
        ({}, [], ""),
        ({-1: 0.0, 1: 0.0}, ["brighter than before", "brighter than after"], "; given with the slices at -1 and +1"),
        ({-1: 0.0, 1: 500.0}, ["brighter than before"], "; given with the slices at -1 and +1"),
        ({-1: 500.0, 1: 0.0}, ["brighter than after"], "; given with the slices at -1 and +1"),
        ({1: 0.0}, ["brighter than after"], "; given with the slice at +1, the nearest in place of -1"),
        ({-1: 0.0}, ["brighter than before"], "; given with the slice at -1, the nearest in place of +1"),
        ({-2: 0.0, -1: 0.0}, ["brighter than before"], "; given with the slice at -1, the nearest in place of +1"),
    ],
)
def test_neighbours_come_in_where_they_lie(
    middle: np.ndarray, around: dict[int, float], found: list[str], note: str
) -> None:
    """A 2.5D graph that compares slices finds what differs from the true ones, before and after not exchanged.

    Where none is known the slice stands for it, so nothing differs; rules say which were given.
    """
    told = seen(example("slices"), middle, around={steps: flat(value) for steps, value in around.items()}).candidates
    assert [one.label for one in told] == found
    for one in told:
        assert iou(mask_of(one, middle), middle == 500.0) == 1.0
        assert one.rule.endswith(f"at least 0.5{note}")


def test_slices_are_said_to_be_one(middle: np.ndarray) -> None:
    """Where no neighbour is known; and there is a middle one."""
    with pytest.raises(ValueError, match="odd number"):
        example("slices", input={"slices": 2})
    prepared = example("slices").prepare(Sight(middle))
    assert prepared.note == "; the slice stood for its 2 neighbours"
    np.testing.assert_array_equal(prepared.batch[0], np.stack([prepared.batch[0, 1]] * 3))


def test_slices_are_normalised_together(middle: np.ndarray) -> None:
    """By the range of all that are shown: what is brighter in one of them stays so. Negated ones are all negated."""
    expert = example("slices", input={"normalisation": {"kind": "min-max"}})
    before, _, after = expert.prepare(Sight(middle, around={-1: flat(-500.0), 1: flat(250.0)})).batch[0]
    assert (before.max(), after.min(), after.max()) == (0.0, 0.75, 0.75)
    before, _, after = expert.prepare(Sight(middle, negated=True, around={-1: flat(-500.0), 1: flat(250.0)})).batch[0]
    assert (before.min(), after.max()) == (1.0, 0.25)


def test_a_label_that_the_graph_lacks(section: np.ndarray) -> None:
    """A label of a channel that there is none of fails the expert, not the image's other experts."""
    unet = example("unet")
    label = unet.manifest.labels[0].model_copy(update={"index": 3})
    wrong = unet.manifest.model_copy(update={"labels": (label,)})
    with pytest.raises(UnfitOutput):
        seen(type(unet)(wrong, unet.session), section)
