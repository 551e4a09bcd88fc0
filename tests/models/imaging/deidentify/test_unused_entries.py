"""Text in entries of tables that no sample needs: gone, and the samples are the same."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from models.imaging.deidentify.jpeg import rewritten_jpeg
from models.imaging.deidentify.jpeg2000 import rewritten_j2k
from models.imaging.deidentify.lettered import reads_as_text

TEXT = b"QXJVKWHZPFGM"
PLAIN = np.where(np.arange(64) < 32, 77, 120).astype(np.uint8) + np.zeros((64, 1), np.uint8)
NOISE = np.random.default_rng(2).integers(0, 256, (64, 64), dtype=np.uint8)
SHADES = (np.add.outer(np.arange(64), np.arange(64)) * 2 % 256).astype(np.uint8)


def jpeg(picture: np.ndarray, **options: Any) -> bytes:
    file = BytesIO()
    Image.fromarray(picture).save(file, "JPEG", **options)
    return file.getvalue()


def tables(stream: bytes, marker: int) -> list[tuple[int, int]]:
    """Start and end of what each segment of a kind holds, before the first scan."""
    at, found = 2, list[tuple[int, int]]()
    while stream[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
        if stream[at + 1] == marker:
            found.append((at + 4, end))
        at = end
    return found


def with_steps(stream: bytes) -> bytes:
    """The text for the finest steps of quantization."""
    changed = bytearray(stream)
    for _, end in tables(stream, 0xDB):
        changed[end - len(TEXT) : end] = TEXT
    return bytes(changed)


def with_codes(stream: bytes) -> bytes:
    """The text for the values of the longest codes, each value of a table still named once."""
    changed = bytearray(stream)
    for start, end in tables(stream, 0xC4):
        if stream[start] >> 4:
            kept = bytes(value for value in stream[start + 17 : end] if value not in TEXT)
            changed[start + 17 : end] = (kept + TEXT)[: len(kept)][: end - start - 17 - len(TEXT)] + TEXT
    return bytes(changed)


@pytest.mark.parametrize("plant", [with_steps, with_codes])
@pytest.mark.parametrize("picture", [PLAIN, np.dstack([PLAIN, PLAIN.T, PLAIN])], ids=["grey", "colour"])
def test_steps_and_codes_of_jpeg_that_no_block_needs(picture: np.ndarray, plant: Callable[[bytes], bytes]) -> None:
    """Frequencies that are 0 everywhere, and lengths of runs that do not occur."""
    planted = plant(jpeg(picture))
    assert TEXT in planted
    expected = imagecodecs.jpeg8_decode(planted)
    np.testing.assert_array_equal(expected, imagecodecs.jpeg8_decode(jpeg(picture)))
    found = rewritten_jpeg(planted)
    assert not any(TEXT[at : at + 6] in found for at in range(len(TEXT) - 5))
    np.testing.assert_array_equal(imagecodecs.jpeg8_decode(found), expected)
    assert rewritten_jpeg(found) == found


def test_progressive_jpeg() -> None:
    """Its scans share the tables."""
    planted = with_steps(jpeg(PLAIN, progressive=True))
    found = rewritten_jpeg(planted)
    assert TEXT in planted
    assert TEXT not in found
    np.testing.assert_array_equal(imagecodecs.jpeg8_decode(found), imagecodecs.jpeg8_decode(planted))


def test_tables_that_are_needed_stay() -> None:
    """Those of quality 50 read as text as they are, and noise has every frequency."""
    stream = jpeg(NOISE, quality=50)
    ((start, end),) = tables(stream, 0xDB)
    assert reads_as_text(stream[start + 1 : end], 1)
    assert stream[start:end] in rewritten_jpeg(stream)


@pytest.mark.parametrize("in_tile", [False, True], ids=["main header", "header of the tile-part"])
def test_steps_of_jpeg_2000_for_empty_subbands(in_tile: bool) -> None:
    """Lossy: two bytes a subband, of which those with nothing in them can say anything."""
    stream = imagecodecs.jpeg2k_encode(SHADES, level=40, reversible=False, codecformat="j2k")
    expected = imagecodecs.jpeg2k_decode(stream)
    at = stream.index(b"\xff\x5c")
    end = at + 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
    planted = [stream[:place] + TEXT + stream[place + len(TEXT) :] for place in range(at + 5, end - len(TEXT) + 1)]
    same = [one for one in planted if np.array_equal(imagecodecs.jpeg2k_decode(one), expected)]
    assert same
    bad = same[0]
    if in_tile:
        own, start = bad[at:end], bad.index(b"\xff\x90")
        length = int.from_bytes(bad[start + 6 : start + 10], "big") + len(own)
        bad = (
            stream[: start + 6]
            + length.to_bytes(4, "big")
            + stream[start + 10 : start + 12]
            + own
            + stream[start + 12 :]
        )
    assert TEXT in bad
    found = rewritten_j2k(bad)
    assert TEXT not in found
    np.testing.assert_array_equal(imagecodecs.jpeg2k_decode(found), expected)
