"""A codestream that says another size than its header: refused before anything is decoded."""

import imagecodecs
import numpy as np
import pytest

from models.imaging.deidentify.jpeg import rewritten_jpeg
from models.imaging.deidentify.jpeg2000 import rewritten_j2k
from models.imaging.errors import WrongPixelLength

PICTURE = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)


def test_a_codestream_of_another_size_is_refused_before_it_is_decoded() -> None:
    """Decoders allocate what it says: 65,535 rows and columns were decoded for a minute, in 4 GB."""
    stream = bytes(imagecodecs.jpeg8_encode(PICTURE))
    at = stream.index(b"\xff\xc0") + 5
    assert rewritten_jpeg(stream, (64, 64)) == rewritten_jpeg(stream)
    with pytest.raises(WrongPixelLength, match="65535 rows"):
        rewritten_jpeg(stream[:at] + b"\xff\xff\xff\xff" + stream[at + 4 :], (64, 64))
    stream = bytes(imagecodecs.jpeg2k_encode(PICTURE, codecformat="j2k", level=0))
    at = stream.index(b"\xff\x51") + 6
    assert rewritten_j2k(stream, (64, 64)) == rewritten_j2k(stream)
    with pytest.raises(WrongPixelLength, match="65535 rows"):
        rewritten_j2k(stream[:at] + b"\0\0\xff\xff" * 2 + stream[at + 8 :], (64, 64))
