"""Images that are nearly the same: hashes held against each other, all at once, and groups that stay together."""

import random
from collections.abc import Callable
from pathlib import Path

import cv2
import imagehash
import numpy as np
import pytest
from PIL import Image

from models.datasets.build import build
from models.datasets.duplicates import NEAR, Hashes
from models.datasets.policy import Policy
from models.datasets.splits import Shares
from models.imaging.perceptual import perceptual_hash
from schemas.triplets import Triplet
from tests.models.datasets.conftest import Picture, lines, real, splits_of


def test_near_hashes_are_found_and_no_others() -> None:
    """As bit by bit, among more than fit into memory at first, wherever the bits lie that differ."""
    chance = random.Random(0)
    values = [chance.getrandbits(256) for _ in range(1500)]
    for place in range(0, 1500, 50):
        flipped = chance.sample(range(256), chance.randrange(20))
        values[place + 1] = values[place] ^ sum(1 << bit for bit in flipped)
    hashes = Hashes()
    assert hashes.near(values[0], 15) == []
    for value in values:
        hashes.add(value)
    for most in (0, 5, 12, 15):
        for value in values[::50]:
            expected = [n for n, other in enumerate(values) if (value ^ other).bit_count() <= most]
            assert hashes.near(value, most) == expected
    assert any(len(hashes.near(value, 12)) == 2 for value in values[::50])
    assert any(len(hashes.near(value, 12)) == 1 for value in values[::50])


REAL = ("CT_small.dcm", "MR_small.dcm", "examples_ybr_color.dcm", "US1_J2KR.dcm", "693_J2KR.dcm", "RG1_J2KR.dcm")
SYMMETRIES: dict[str, Callable[[Picture], Picture]] = {
    "mirrored": lambda picture: picture[:, ::-1],
    "upside down": lambda picture: picture[::-1],
    "turned by a quarter": lambda picture: np.rot90(picture),
    "turned by a half": lambda picture: np.rot90(picture, 2),
    "turned by three quarters": lambda picture: np.rot90(picture, 3),
    "inverted": lambda picture: 255 - picture,
    "inverted and turned": lambda picture: 255 - np.rot90(picture),
}


@pytest.mark.parametrize("change", SYMMETRIES)
def test_a_picture_seen_another_way_is_near(change: str) -> None:
    """And is near no other one: real slices and frames."""
    pictures = [real(name) for name in REAL]
    hashes = Hashes()
    for picture in pictures:
        hashes.add(perceptual_hash(picture))
    for number, picture in enumerate(pictures):
        changed = np.ascontiguousarray(SYMMETRIES[change](picture))
        assert hashes.near(perceptual_hash(changed), NEAR) == [number]


def test_hashes_are_those_of_imagehash() -> None:
    """Bit by bit, of grey noise and of colour."""
    chance = np.random.default_rng(0)
    for shape in ((64, 64), (200, 130), (90, 90, 3)):
        noise = chance.integers(0, 256, shape).astype(np.uint8)
        picture = np.asarray(cv2.GaussianBlur(noise, (0, 0), 5), np.uint8)
        grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        small = Image.fromarray(cv2.resize(grey, (64, 64), interpolation=cv2.INTER_AREA))
        bits = np.asarray(imagehash.phash(small, hash_size=16).hash)
        assert perceptual_hash(picture) == int.from_bytes(np.packbits(bits.ravel()).tobytes())


def test_near_duplicates_of_two_objects_share_a_split(triplets: list[Triplet], tmp_path: Path) -> None:
    """One image saved again, under other ids, follows the first whatever the key."""
    first = triplets[0]
    # Nothing tells that both are of one patient.
    named = {"triplet_id": "a" * 32, "image_id": "b" * 32, "object_id": "c" * 32, "provenance": None}
    again = first.model_copy(update=named)
    for key in range(6):
        out = tmp_path / str(key)
        report = build(lambda: lines([*triplets, again]), out, [], Policy(shares=Shares(0.3, 0.3), key=str(key)))
        splits = splits_of(out)
        assert splits[first.triplet_id] == splits["a" * 32]
        assert report.joined_groups >= 1
