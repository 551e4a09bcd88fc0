"""What it costs to take marks from DICOM annotation objects: `python -m benchmarks.given`.

What a decoding process would import beside its decoders for highdicom, or for pydicom's tables of codes; how long a
segmentation of a whole series takes of each image, first and later; and how far other ways to fill an outline are from
counting pixel centres.
"""

import argparse
import subprocess
import sys
import time
from io import BytesIO
from typing import Any, cast

import cv2
import highdicom as hd
import numpy as np
import pydicom
from pycocotools import mask as coco
from pydicom.data import get_testdata_file
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from models.imaging import FramePolicy, open_source
from models.imaging.given.marking import marked
from models.imaging.given.marks import filled

_IMPORT = """
import time, models.imaging, psutil
started, held = time.perf_counter(), psutil.Process().memory_info().rss
import {modules}
print(time.perf_counter() - started, (psutil.Process().memory_info().rss - held) / 2**20)
"""


def imports() -> None:
    """Beyond what a decoding process has, our reading of annotation objects included."""
    for modules in ("pydicom.sr.codedict, pydicom.sr._snomed_dict", "highdicom"):
        command = [sys.executable, "-c", _IMPORT.format(modules=modules)]
        runs = [tuple(map(float, subprocess.check_output(command, text=True).split())) for _ in range(3)]
        print(f"import {modules}: {min(run[0] for run in runs):.2f} s, {min(run[1] for run in runs):.0f} MiB")


def reading(slices: int, segments: int) -> None:
    """A series of 512 × 512, segmented whole."""
    images: list[Any] = []
    for number in range(slices):
        image = pydicom.dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
        image.PixelData = np.tile(image.pixel_array, (4, 4)).tobytes()
        image.Rows = image.Columns = 512
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        image.ImagePositionPatient = [*image.ImagePositionPatient[:2], number]
        images.append(image)
    disc = np.hypot(*(np.mgrid[:512, :512] - 256)) < 100
    masks = np.broadcast_to(disc[None, ..., None], (slices, 512, 512, segments)).astype(np.uint8)
    segmentation: Any = hd.seg.Segmentation(
        images, masks, "BINARY",
        [
            hd.seg.SegmentDescription(number, "x", codes.SCT.Organ, codes.SCT.Liver, "MANUAL")
            for number in range(1, segments + 1)
        ],
        generate_uid(), 1, generate_uid(), 1, "x", "x", "x", "x",
    )  # fmt: skip
    data = _written(segmentation)
    taken: list[float] = []
    for image in images[:5]:
        source = open_source(_written(image), FramePolicy())
        started = time.perf_counter()
        frame = marked(source, [data]).read(0)
        taken.append(time.perf_counter() - started)
        assert len(frame.annotations) == segments
    print(
        f"{slices * segments} frames, {len(data) / 2**20:.0f} MiB: {taken[0]:.2f} s with the first image, "
        f"{min(taken[1:]) * 1000:.0f} ms with a later one, reading it included"
    )


def _written(dataset: Any) -> bytes:
    file = BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def filling() -> None:
    """Areas of discs against π r²."""
    for radius in (3, 10, 50):
        angles = np.linspace(0, 2 * np.pi, 360, endpoint=False)
        outline = 60.3 + radius * np.stack((np.cos(angles), np.sin(angles)), 1)
        drawn = cv2.fillPoly(np.zeros((128, 128), np.uint8), [np.rint(outline).astype(np.int32)], 1)
        encoded = cast(Any, coco).frPyObjects([outline.ravel().tolist()], 128, 128)
        areas = (filled([outline], (128, 128)).sum(), drawn.sum(), cast(Any, coco).area(encoded)[0])
        shares = (f"{100 * (float(area) / (np.pi * radius**2) - 1):+.1f} %" for area in areas)
        print(f"disc of radius {radius} px, area of centres, OpenCV, pycocotools: {', '.join(shares)}")


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--slices", type=int, default=200)
    parser.add_argument("--segments", type=int, default=3)
    arguments = parser.parse_args()
    imports()
    reading(arguments.slices, arguments.segments)
    filling()


if __name__ == "__main__":
    main()
