"""What neighbours cost: bytes of a message, and time to read and to ground a slice, with 0 to 3 on each side.

    python -m benchmarks.neighbours [--side 512] [--rounds 5]

On a drawn CT volume, read from NIfTI in this process, slice after slice, and from DICOM files of one slice each, whose
names are in another order; of these, headers that are read to know which lie beside which count to the slices. Times
are of this thread's processor; numbers of neighbours take turns. Knows nothing of Kafka and of other stages.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pydicom
from pydicom.data import get_testdata_file

from agents.ground import ground
from agents.preprocess import preprocess
from agents.reading import Reading
from agents.series import Series
from models.experts.phantoms import draw
from models.experts.registry import Registry
from models.imaging import BurnedInPolicy, FramePolicy
from schemas.images import MedicalImage
from schemas.limits import Limits
from schemas.objects import ObjectReference
from streams.buckets.references import reference_to
from streams.codec import encode
from streams.identity import Identity
from streams.isolation import Isolated
from streams.payloads import Payloads

SLICES = 8
FILES = 64
"""Of the series: its headers are read in calls of as many."""


class _Here:
    """Calls in this process."""

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)


def volume(side: int) -> bytes:
    """NIfTI-1 of slices of one drawn body, each with noise of its own, 5 mm apart (nifti1.h, sform)."""
    section = draw("CT", seed=4, contrast=6.0, side=side).values
    noise = np.random.default_rng(0)
    slices = [np.rint(section + noise.normal(0, 5, section.shape)) for _ in range(SLICES)]
    # The first axis runs to the left and the second to the back, as a picture's columns and rows do.
    voxels = np.stack(slices, axis=2).transpose(1, 0, 2).astype("<i2")
    header = np.zeros(352, np.uint8)
    header[:4] = np.frombuffer((348).to_bytes(4, "little"), np.uint8)

    def put(at: int, values: Any, kind: str) -> None:
        data = np.asarray(values, kind).view(np.uint8).ravel()
        header[at : at + data.size] = data

    put(40, [3, *voxels.shape, 1, 1, 1, 1], "<i2")
    put(70, [4, 16], "<i2")
    put(76, [1, 1, 1, 5, 1, 1, 1, 1], "<f4")
    put(108, [352], "<f4")
    put(123, [2], "u1")
    put(254, [1], "<i2")
    put(280, [[-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 5, 0]], "<f4")
    put(344, list(b"n+1\0"), "u1")
    return header.tobytes() + voxels.tobytes(order="F")


def series(folder: Path, side: int) -> list[ObjectReference]:
    """DICOM files of slices of one drawn body, each with noise of its own, 5 mm apart, under names in another order."""
    section = draw("CT", seed=4, contrast=6.0, side=side).values
    noise = np.random.default_rng(0)
    image = pydicom.dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
    image.Rows, image.Columns, image.PixelSpacing = side, side, [1, 1]
    image.RescaleIntercept, image.RescaleSlope, image.PixelRepresentation = 0, 1, 1
    names = random.Random(0).sample(range(FILES), FILES)
    for number, name in enumerate(names):
        image.SOPInstanceUID = f"1.2.3.{number}"
        image.ImagePositionPatient = [0, 0, 5 * number]
        image.PixelData = np.rint(section + noise.normal(0, 5, section.shape)).astype("<i2").tobytes()
        image.save_as(folder / f"{name}.dcm")
    return [reference_to(folder / f"{name}.dcm", folder) for name in range(FILES)]


async def measure_series(folder: Path, rounds: int, side: int) -> None:
    """Print a row for each number of neighbours."""
    payloads, references = Payloads((folder.parent / "payloads").as_uri(), 2**40), series(folder, side)
    took: dict[int, list[float]] = defaultdict(list)
    isolated = cast(Isolated, _Here())
    for _ in range(rounds + 1):
        for neighbours in range(4):
            found = Series(isolated=isolated, limits=Limits())
            started = time.process_time()
            for reference in references:
                await anext(
                    preprocess(
                        reference, isolated=isolated, identity=Identity(bytes(16)), payloads=payloads, series=found,
                        reading=Reading(FramePolicy(), BurnedInPolicy(), Limits(), neighbours),
                    )
                )  # fmt: skip
            took[neighbours].append(1000 * (time.process_time() - started) / len(references))
    print("neighbours on each side | read from files, ms a slice | ratio")
    for neighbours in range(4):
        read = statistics.median(took[neighbours][1:])
        print(f"{neighbours} | {read:.1f} | {read / statistics.median(took[0][1:]):.1f}")


async def measure(folder: Path, rounds: int) -> None:
    """Print a row for each number of neighbours."""
    registry, payloads = Registry.load(), Payloads((folder / "payloads").as_uri(), 2**40)
    reference = reference_to(folder / "volume.nii", folder)
    took: dict[tuple[str, int], list[float]] = defaultdict(list)
    sizes: dict[int, int] = {}
    for _ in range(rounds + 1):
        for neighbours in range(4):
            reading = Reading(FramePolicy(), BurnedInPolicy(), Limits(), neighbours)
            started = time.thread_time()
            images: list[MedicalImage] = [
                one
                async for one in preprocess(
                    reference, isolated=cast(Isolated, _Here()), identity=Identity(bytes(16)), payloads=payloads,
                    reading=reading,
                )
                if isinstance(one, MedicalImage)
            ]  # fmt: skip
            took["read", neighbours].append(1000 * (time.thread_time() - started) / len(images))
            # Those of the middle have all their neighbours.
            middle = images[3:-3]
            sizes[neighbours] = sum(len(encode(one)) for one in middle) // len(middle)
            started = time.process_time()
            for image in middle:
                await anext(ground(image, registry=registry, payloads=payloads))
            took["ground", neighbours].append(1000 * (time.process_time() - started) / len(middle))
    print("neighbours on each side | kB a message | ratio | read, ms | ratio | ground, ms | ratio")
    for neighbours in range(4):
        read, grounded = (statistics.median(took[step, neighbours][1:]) for step in ("read", "ground"))
        first = [statistics.median(took[step, 0][1:]) for step in ("read", "ground")]
        print(
            f"{neighbours} | {sizes[neighbours] / 1000:.0f} | {sizes[neighbours] / sizes[0]:.1f} | {read:.1f} | "
            f"{read / first[0]:.1f} | {grounded:.1f} | {grounded / first[1]:.1f}"
        )


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "volume.nii").write_bytes(volume(options.side))
        (folder / "volume.nii.json").write_text('{"modality": "CT", "unit": "HU"}')
        asyncio.run(measure(folder, options.rounds))
        files = folder / "series"
        files.mkdir()
        asyncio.run(measure_series(files, options.rounds, options.side))


if __name__ == "__main__":
    main()
