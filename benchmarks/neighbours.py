"""What neighbours cost: bytes of a message, and time to read and to ground a slice, with 0 to 3 on each side.

    python -m benchmarks.neighbours [--side 512] [--rounds 5]

On a drawn CT volume, read from NIfTI in this process, slice after slice. Times are of this thread's processor; numbers
of neighbours take turns. Knows nothing of Kafka and of other stages.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from agents.ground import ground
from agents.preprocess import Reading, preprocess
from models.experts.phantoms import draw
from models.experts.registry import Registry
from models.imaging import BurnedInPolicy, FramePolicy
from schemas.images import MedicalImage
from schemas.limits import Limits
from streams.codec import encode
from streams.folder import reference_to
from streams.identity import Identity
from streams.isolation import Isolated
from streams.payloads import Payloads

SLICES = 8


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


if __name__ == "__main__":
    main()
