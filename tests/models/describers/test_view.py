"""What the model sees: regions outlined and named, or enlarged beside the image; pixels inside stay as they were."""

import base64
import random
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco

from models.describers.settings import Shown
from models.describers.view import COLOURS, LONGEST, SHORTEST, free_place, picture
from models.imaging.png import decode_png, encode_png
from schemas.images import Pixels
from schemas.regions import Region


def view(rows: int, columns: int) -> Pixels:
    grey = np.full((rows, columns), 90, np.uint8)
    data = base64.b64encode(encode_png(grey)).decode()
    return Pixels(rows=rows, columns=columns, channels=1, bits=8, unit="grey level", data=data)


def box(rows: int, columns: int, x: int, y: int, side: int, kind: str = "candidate", name: str = "r1") -> Region:
    mask = np.zeros((rows, columns), np.uint8, order="F")
    mask[y : y + side, x : x + side] = 1
    runs: Any = coco.encode(mask)
    intensity: dict[str, Any] = {"mean": 90, "standard_deviation": 0, "minimum": 90, "maximum": 90, "unit": "HU"}
    return Region.model_validate(
        {
            "region_id": name, "kind": kind, "label": "box", "rule": "-", "expert": "t@1",
            "mask": {"size": (rows, columns), "counts": runs["counts"].decode()},
            "box": {"x": x, "y": y, "width": side, "height": side}, "area_px": side * side,
            "centroid": (x + side / 2, y + side / 2), "position": "centre of the image", "intensity": intensity,
        }
    )  # fmt: skip


def seen(pixels: Pixels, regions: tuple[Region, ...], shown: Shown) -> np.ndarray[Any, Any]:
    return decode_png(picture(pixels, regions, shown))


def test_an_outline_lies_around_its_region() -> None:
    """Coloured beside the region, grey inside it, and not everywhere."""
    image = seen(view(400, 400), (box(400, 400, 150, 150, 100),), "outlines")
    assert image.shape == (400, 400, 3)
    coloured = (image != 90).any(axis=2)
    assert not coloured[150:250, 150:250].any()
    assert coloured[148, 150:250].all()
    assert coloured.mean() < 0.02


def test_names_cover_no_region_and_no_other_name() -> None:
    """Wherever regions lie, also where they touch, hold one another, or leave no room: then names stand below."""
    draw = random.Random(0)
    for turn in range(30):
        side = draw.choice((60, 150, 400, 900))
        regions = tuple(
            box(400, 400, draw.randrange(400), draw.randrange(400), draw.randrange(1, side), name=f"r{n}")
            for n in range(1, 7)
        )
        masks = [coco.decode({"size": [400, 400], "counts": one.mask.counts.encode()}) > 0 for one in regions]
        covered = np.any(masks, axis=0)
        image = seen(view(400, 400), regions, "outlines")
        assert image.shape[1] == 400
        around = cv2.dilate(covered.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        drawn = [(image[:400] == colour).all(axis=2) & ~around for colour in COLOURS]
        below = [(image[400:] == colour).all(axis=2).any() for colour in COLOURS]
        for n, mask in enumerate(masks):
            inside = mask & ~np.any([other for m, other in enumerate(masks) if m != n], axis=0)
            own = cv2.erode(inside.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
            assert (image[:400][own] == 90).all(), turn
            assert drawn[n].any() != below[n], (turn, n)


def test_a_name_stands_as_near_as_there_is_room() -> None:
    """And where there is none at all, that is said."""
    covered = np.zeros((100, 100), np.uint8)
    covered[40:60, 40:60] = 1
    place = free_place(covered, (40, 40, 20, 20), (20, 10))
    assert place is not None
    x, y, width, height = place
    assert not covered[y : y + height, x : x + width].any()
    assert x + width >= 40
    assert x <= 60
    assert y + height in (40, 60 + height)
    assert free_place(np.ones((100, 100), np.uint8), (0, 0, 100, 100), (20, 10)) is None
    assert free_place(covered, (40, 40, 20, 20), (101, 10)) is None


@pytest.mark.parametrize("kind", ["whole image", "candidate"])
@pytest.mark.parametrize("shown", ["outlines", "crops", "plain"])
def test_the_whole_image_is_not_outlined(kind: str, shown: Shown) -> None:
    """Nor is anything drawn into a plain picture."""
    image = seen(view(400, 400), (box(400, 400, 0, 0, 400 if kind == "whole image" else 40, kind),), shown)
    assert ((image == 90).all() and image.shape == (400, 400, 3)) == (kind == "whole image" or shown == "plain")


def test_crops_stand_beside_the_image() -> None:
    """Which itself is as it was."""
    image = seen(view(400, 400), (box(400, 400, 150, 150, 100),), "crops")
    assert image.shape[0] == 400
    assert 500 < image.shape[1] <= 600
    assert (image[:, :400] == 90).all()
    assert (image[:, 400:] == 90).any()


@pytest.mark.parametrize(("rows", "columns"), [(3000, 2000), (20, 30), (5, 4000), (1, 1)])
@pytest.mark.parametrize("shown", ["outlines", "crops"])
def test_sizes_are_bounded(rows: int, columns: int, shown: Shown) -> None:
    """Large images are reduced, small ones enlarged, and narrow ones stay within the bound."""
    image = seen(view(rows, columns), (box(rows, columns, 0, 0, 1),), shown)
    height, width = image.shape[:2]
    assert height <= LONGEST
    assert (width if shown == "outlines" else height) <= LONGEST
    assert max(height, width) >= min(SHORTEST, LONGEST)


def test_sixteen_bits_and_colour_are_shown() -> None:
    """Whatever the view is stored as, the model gets 8 bits of RGB."""
    colour = np.zeros((400, 400, 3), np.uint8)
    colour[..., 0] = 200
    data = base64.b64encode(cv2.imencode(".png", colour[..., ::-1])[1].tobytes()).decode()
    image = seen(view(400, 400).model_copy(update={"data": data, "channels": 3}), (), "outlines")
    assert (image == (200, 0, 0)).all()
