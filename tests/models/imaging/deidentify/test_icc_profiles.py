"""ICC profiles of copies: the same colours, and no byte of the profile that came."""

import random
import struct
from pathlib import Path

import highdicom
import imagecodecs
import numpy as np
import pydicom
import pytest

from benchmarks.identities import views, words_in
from models.imaging.colour import to_srgb
from models.imaging.deidentify.icc import bare_profile

PRIMARIES = {
    "wide": [0.7347, 0.2653, 1, 0.1596, 0.8404, 1, 0.0366, 0.0001, 1],
    "P3": [0.68, 0.32, 1, 0.265, 0.69, 1, 0.15, 0.06, 1],
}
TOKEN = "BCDFGHJKLMNP"
COLOURS = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)


def profile(name: str) -> bytes:
    """One that somebody made; of primaries and a curve; or of a table."""
    if name == "crayons":
        return (Path(pydicom.__file__).parent / "data/test_files/crayons.icc").read_bytes()
    if name == "table":
        return (Path(highdicom.__file__).parent / "_icc_profiles/sRGB_v4_ICC_preference.icc").read_bytes()
    if name in PRIMARIES:
        white, gamma = [0.3127, 0.329, 1], 1.8 if name == "wide" else 2.2
        return imagecodecs.cms_profile("rgb", whitepoint=white, primaries=PRIMARIES[name], gamma=gamma)
    return imagecodecs.cms_profile(name)


@pytest.mark.parametrize(
    ("name", "most", "size"),
    [
        ("srgb", 0, 600), ("adobergb", 0, 900), ("crayons", 0, 600), ("P3", 1, 7000), ("wide", 1, 7000),
        ("table", 3, 190000),
    ],
)  # fmt: skip
def test_colours_stay_and_texts_go(name: str, most: int, size: int) -> None:
    """By at most so many levels of 255; who made it, when and on what, and unknown tags, are nowhere."""
    before = profile(name)
    bare = bare_profile(before)
    assert bare is not None
    assert len(bare) < size
    shown = [to_srgb(COLOURS, one).astype(int) for one in (before, bare)]
    assert np.abs(shown[0] - shown[1]).max() <= most
    again = bare_profile(bare)
    assert again is not None
    assert np.abs(to_srgb(COLOURS, again).astype(int) - shown[1]).max() <= 2
    for word in (b"copyright", b"crayon", b"international color"):
        assert word not in bare.lower()
    assert bare[24:36] == bytes(12)
    assert bare_profile(before + b"JONES") == bare


@pytest.mark.parametrize("name", ["crayons", "P3", "table"])
def test_a_text_in_any_byte_of_a_profile_stays_behind(name: str) -> None:
    """In the header, the texts, the curves or the table, where a profile still reads, and wherever it does not."""
    chance, before = random.Random(1), profile(name)
    for _ in range(12):
        planted = bytearray(before)
        for at in chance.sample(range(128, len(before) - 12), 30 if name == "table" else 1):
            planted[at : at + 12] = TOKEN.encode()
        bare = bare_profile(bytes(planted))
        assert not any(TOKEN in words_in(view) for view in views(bare or b""))
    (tags,) = struct.unpack_from(">I", before, 128)
    start, end = 132 + 12 * tags, len(before)
    whole = before[:start] + (TOKEN.encode() * (end // 12 + 1))[: end - start]
    assert not any(TOKEN in words_in(view) for view in views(bare_profile(whole) or b""))


def test_what_is_no_profile_is_none() -> None:
    """Nor is one of other colours than RGB, a damaged one, or one of a version that is not known."""
    before = profile("crayons")
    assert bare_profile(b"JONES " * 99) is None
    assert bare_profile(before[:200]) is None
    assert bare_profile(before[:16] + b"GRAY" + before[20:]) is None
    assert bare_profile(before[:8] + b"\5" + before[9:]) is None
