"""Experts on an image that slices beside it were sent with: what they are given, and what they see there."""

from dataclasses import replace

import numpy as np
import pytest

from models.experts.registry import Registry
from models.experts.running import Expert
from models.experts.slices import Slice, look_beside
from schemas.images import ImageMetadata, MaskedBox, Neighbour
from schemas.regions import Grounding
from tests.models.experts.adapters.examples import disc, example

SHAPE = (64, 96)


def image(value: float = 0.0) -> np.ndarray:
    """0 HU with a disc of `value`."""
    values = np.zeros(SHAPE, np.float32)
    values[disc(SHAPE, 40, 30, 12)] = value
    return values


def grounded(expert: Expert, around: dict[int, np.ndarray], masked: tuple[MaskedBox, ...] = ()) -> Grounding:
    """Of a disc of 750 HU."""
    neighbours = tuple(
        Neighbour(image_id="0" * 32, frame=steps + 3, steps=steps, masked=masked) for steps in sorted(around)
    )
    metadata = ImageMetadata(source_format="NIfTI", modality="CT", neighbours=neighbours)
    values = tuple(around[steps] for steps in sorted(around))
    return Registry((expert,)).ground(image(750.0), metadata, "HU", neighbours=values)


def test_an_expert_of_several_slices_is_given_them() -> None:
    """Through the registry too: what the graph finds is between true slices, and its rule says which."""
    expert = example("slices")
    for around, label in (({-1: image(), 1: image(750.0)}, "before"), ({-1: image(750.0), 1: image()}, "after")):
        (region,) = grounded(expert, around).regions
        assert region.label == f"brighter than {label}"
        assert region.rule.endswith("; given with the slices at -1 and +1")
        assert region.area_px == disc(SHAPE, 40, 30, 12).sum()
    (whole,) = grounded(expert, {}).regions
    assert whole.kind == "whole image"


def test_a_slice_is_looked_at_with_those_around_it() -> None:
    """The image is the neighbour of its neighbours: the disc ends above, and what is above is no brighter than it."""
    grounding = grounded(example("slices"), {-1: image(), 1: image(750.0), 2: image(750.0), 3: image()})
    (found,) = [one for one in grounding.continuations if one.onwards]
    # Of the next slice nothing is brighter than the image, which lies before it.
    assert (found.outcome, found.looked) == ("not seen", 3)


def test_slices_are_looked_at_by_the_same_rule() -> None:
    """A region of one slice is followed into the next, with the label and threshold of its own expert."""
    grounding = grounded(example("unet"), {-1: image(), 1: image(750.0)})
    ways = {(one.region, one.onwards): (one.outcome, one.change) for one in grounding.continuations}
    bone = [one.region_id for one in grounding.regions if one.label == "bone"]
    soft = [one.region_id for one in grounding.regions if one.label == "soft tissue"]
    assert (len(soft), len(bone)) == (1, 1)
    assert ways[bone[0], True] == ("continues", "similar in size")
    assert ways[bone[0], False] == ("not seen", None)
    assert ways[soft[0], False][0] == "continues"


def test_what_is_masked_there_is_not_missed() -> None:
    """Where text was masked over a region's place, nothing is said of it."""
    over = MaskedBox(left=30, top=20, right=50, bottom=40, score=1.0)
    grounding = grounded(example("unet"), {1: image()}, (over,))
    bone = next(one.region_id for one in grounding.regions if one.label == "bone")
    assert bone not in [one.region for one in grounding.continuations]


def test_without_neighbours_there_is_nothing_to_follow() -> None:
    """And the message says nothing of it."""
    assert "continuations" not in grounded(example("unet"), {}).model_dump_json()


def test_a_slice_that_an_expert_fails_on_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """The others are told of; the log names the expert and the kind of error alone."""
    expert = example("unet")

    class Once:
        calls = 0

        def run(self, names: list[str], given: dict[str, np.ndarray]) -> object:
            self.calls += 1
            if self.calls == 1:
                raise ValueError("DOE^JOHN")
            return expert.session.run(names, given)

    slices = {step: Slice.of(image(750.0), None) for step in (-1, 0, 1)}
    failing = replace(expert, session=Once())  # pyright: ignore[reportArgumentType]
    assert list(look_beside(failing, slices, "HU", negated=False, spacing=None)) == [1]
    assert "DOE" not in caplog.text
