"""Triplets that have all their fields and do not hold together: each left out under its reason, and nothing stops."""

import base64
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco

from models.datasets.build import build
from models.datasets.formats import FORMATS
from models.datasets.policy import Policy
from models.datasets.soundness import Flawed, sound_picture
from models.datasets.streaming import Arrived, triplet_stream
from models.imaging import decode_png, encode_png
from schemas.shapes import Box, Mask
from schemas.triplets import Triplet
from tests.models.datasets.conftest import lines

PICTURE, SHAPE = "its picture is no whole PNG of its size", "a mask or a box that is not of its picture"
LACKING, TOKEN = "a text or a relation of a region that it lacks", "a text with a token of a model"
UNTOLD = "a text that is not of its statements"


def of_region(**more: object) -> Callable[[Triplet], Triplet]:
    """A change of the first region."""

    def change(triplet: Triplet) -> Triplet:
        first, *others = triplet.regions
        return triplet.model_copy(update={"regions": (first.model_copy(update=more), *others)})

    return change


def saying(text: str) -> Callable[[Triplet], Triplet]:
    """A change of the description."""

    def change(triplet: Triplet) -> Triplet:
        said = triplet.description
        return triplet.model_copy(
            update={"description": said.model_copy(update={"description": f"{said.description} {text}"})}
        )

    return change


def showing(make: Callable[[bytes], bytes]) -> Callable[[Triplet], Triplet]:
    """A change of the picture's file."""

    def change(triplet: Triplet) -> Triplet:
        data = base64.b64encode(make(base64.b64decode(triplet.image.data or ""))).decode()
        return triplet.model_copy(update={"image": triplet.image.model_copy(update={"data": data})})

    return change


def masked(make: Callable[[Mask], Mask]) -> Callable[[Triplet], Triplet]:
    """A change of the first region's mask."""
    return lambda triplet: of_region(mask=make(triplet.regions[0].mask))(triplet)


def without_regions(triplet: Triplet) -> Triplet:
    """The relations and the text stay."""
    whole = triplet.regions[0].model_copy(update={"kind": "whole image"})
    return triplet.model_copy(update={"regions": (whole,)})


def twice(triplet: Triplet) -> Triplet:
    """Two regions of one name."""
    return triplet.model_copy(update={"regions": (*triplet.regions, triplet.regions[0])})


CHANGES: dict[str, tuple[Callable[[Triplet], Triplet], str]] = {
    "a region that is not there": (saying("A lesion (r99) is seen."), LACKING),
    "no region at all": (without_regions, LACKING),
    "a place for a box": (saying("It lies at <box>."), TOKEN),
    "a picture in an answer": (saying("<image>"), TOKEN),
    "a sentence that was never verified": (saying("A tumour of 5 cm with metastases."), UNTOLD),
    "another speaker": (saying("<|im_start|>system"), TOKEN),
    "a label that is a token": (of_region(label="<image>"), TOKEN),
    "two regions of one name": (twice, "two regions of one name"),
    "a box beyond the picture": (of_region(box=Box(x=0, y=0, width=10**6, height=1)), SHAPE),
    "a mask of another size": (masked(lambda mask: mask.model_copy(update={"size": (8, 8)})), SHAPE),
    "a mask that ends early": (masked(lambda mask: mask.model_copy(update={"counts": "05"})), SHAPE),
    "a mask without runs": (masked(lambda mask: mask.model_copy(update={"counts": ""})), SHAPE),
    "a mask of other letters": (masked(lambda mask: mask.model_copy(update={"counts": "~~!"})), SHAPE),
    "a picture cut off": (showing(lambda png: png[:-20]), PICTURE),
    "a damaged picture": (showing(lambda png: png[:60] + bytes([png[60] ^ 1]) + png[61:]), PICTURE),
    "a picture of another size": (showing(lambda png: encode_png(np.ascontiguousarray(decode_png(png)[1:]))), PICTURE),
    "no picture": (showing(lambda png: b"GIF89a"), PICTURE),
}


@pytest.fixture(scope="module")
def marked_ones(triplets: list[Triplet]) -> list[Triplet]:
    """Those of which regions are compared, of several patients."""
    found = [one for one in triplets if one.relations]
    assert len(found) >= 4
    return found


@pytest.mark.parametrize("name", CHANGES)
def test_what_does_not_hold_together_is_left_out(name: str, marked_ones: list[Triplet], tmp_path: Path) -> None:
    """And counted, whether the first reading finds it or the second; the others are written."""
    change, reason = CHANGES[name]
    first, *others = marked_ones
    formats = [name for name in FORMATS if name != "dicom"]
    report = build(lambda: lines([*others, change(first)]), tmp_path / "set", formats, Policy())
    assert report.left_out == {reason: 1}
    assert sum(report.images.values()) == len(others)
    assert sum(report.groups.values()) <= len(others)


@pytest.mark.parametrize("name", CHANGES)
def test_it_does_not_stop_training_from_the_topic(name: str, marked_ones: list[Triplet]) -> None:
    """It is passed over."""
    change, _ = CHANGES[name]
    sent = [change(marked_ones[0]), *marked_ones[1:3]]
    stream = triplet_stream(lambda first: (Arrived(0, n, one) for n, one in enumerate(sent)), [0])
    assert {row["triplet_id"] for row in stream} == {one.triplet_id for one in sent[1:]}


def test_what_the_pipeline_makes_holds_together(triplets: list[Triplet]) -> None:
    """All of it, and the picture is the one that travels."""
    for triplet in triplets:
        assert sound_picture(triplet) == base64.b64decode(triplet.image.data or "")


@pytest.mark.parametrize("seed", range(4))
def test_runs_are_counted_as_pycocotools_writes_them(seed: int, marked_ones: list[Triplet]) -> None:
    """Of masks empty, full and ragged; one pixel more or less is seen."""
    chance = np.random.default_rng(seed)
    triplet = marked_ones[0]
    shape = (triplet.image.rows, triplet.image.columns)
    for share in (0.0, 0.001, 0.4, 1.0):
        drawn = coco.encode(np.asfortranarray(chance.random(shape) < share, np.uint8))
        mask = Mask(size=shape, counts=str(drawn["counts"], "ascii"))  # pyright: ignore[reportArgumentType]
        assert sound_picture(masked(lambda _, mask=mask: mask)(triplet))
        smaller = coco.encode(np.asfortranarray(chance.random((shape[0] - 1, shape[1])) < share, np.uint8))
        other = Mask(size=shape, counts=str(smaller["counts"], "ascii"))  # pyright: ignore[reportArgumentType]
        with pytest.raises(Flawed, match=SHAPE):
            sound_picture(masked(lambda _, mask=other: mask)(triplet))
