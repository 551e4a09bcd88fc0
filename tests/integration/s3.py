"""A real S3 server with one bucket, and what is put there."""

import os
from collections.abc import Iterator
from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from infra.servers import VERSITYGW
from streams.buckets.store import Store

needs_s3 = pytest.mark.skipif(
    not VERSITYGW.binary().exists() and not os.environ.get("CI"),
    reason="the S3 server is not there: run 'make servers'",
)

BUCKET, PREFIX = "scans", "new arrivals"
LOCATION = Store.parse(f"s3://{BUCKET}/{PREFIX}")


def small_images(count: int) -> Iterator[bytes]:
    """Distinct DICOM files of 16 × 16 px."""
    dataset = dcmread(str(get_testdata_file("MR_small.dcm", download=False)))
    pixels = dataset.pixel_array[:16, :16].copy()
    dataset.Rows = dataset.Columns = 16
    for number in range(count):
        pixels[0, :4] = [number // 10**place % 10 for place in range(4)]
        dataset.PixelData = pixels.tobytes()
        file = BytesIO()
        dataset.save_as(file)
        yield file.getvalue()


def keys(count: int) -> list[str]:
    """Names as people give them: spaces, other scripts, and signs that mean something in URLs."""
    return [f"{PREFIX}/Núñez, 田中 {n % 7}/a+b {100 - n % 3}% #{n}&=?.dcm" for n in range(count)]
