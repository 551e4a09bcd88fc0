"""Coded data of JPEG 2000 that all belongs to packets costs no decoding."""

from io import BytesIO
from typing import Any

import imagecodecs
import pydicom
import pytest
from pydicom.encaps import generate_frames

from benchmarks.planted_pixels import in_j2k
from models.imaging.deidentify import jpeg2000
from models.imaging.deidentify.jpeg2000 import rewritten_j2k
from tests.models.imaging.samples import Sample


@pytest.mark.parametrize("name", ["US1_J2KR.dcm", "MR2_J2KI.dcm", "J2K_pixelrep_mismatch.dcm"])
def test_a_codestream_whose_bytes_all_belong_to_packets_is_not_decoded(
    sample: Sample, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """OpenJPEG refuses it without its last byte before it decodes anything; one byte more is found by decoding."""
    dataset = pydicom.dcmread(BytesIO(sample(name)))
    (stream,) = generate_frames(dataset.PixelData, number_of_frames=1)
    decoded: list[Any] = []

    def decode(data: bytes) -> Any:
        decoded.append(imagecodecs_decode(data))
        return decoded[-1]

    imagecodecs_decode: Any = imagecodecs.jpeg2k_decode
    monkeypatch.setattr(jpeg2000.imagecodecs, "jpeg2k_decode", decode)
    bare = rewritten_j2k(stream)
    assert decoded == []
    planted = in_j2k(bare, b"JONES" * 4)["coded data behind the last packet"]
    assert b"JONES" not in rewritten_j2k(planted)
    assert decoded
