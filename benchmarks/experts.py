"""What experts and the measurement of regions cost, side by side on the same images.

Knows nothing of the pipeline around the stage.

    python -m benchmarks.experts regions [--regions 10] [--side 512] [--rounds 30]

`regions`: one image with ellipses of 6 to 40 px half axis, turned and textured. `measure` is all that a region is told
of; `plain` is what stood there before it: the mask, area, box, centroid and the mean and spread of the region and of
the ring around it; `scikit-image` is regionprops and graycomatrix for the same size, shape and texture, without the
rest. The three take turns, so that a busy machine slows all alike; times are of this thread's processor.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import cast

import cv2
import numpy as np
from skimage.feature import graycomatrix, graycoprops
from skimage.measure import regionprops

from models.experts.intensities import FloatImage, intensity
from models.experts.regions import Candidate, Component, measure, run_lengths
from models.experts.textures import discretise
from schemas.images import ImageMetadata

UNIT = "stored value"


def scene(count: int, side: int) -> tuple[FloatImage, list[Candidate], ImageMetadata]:
    """A noisy image with so many ellipses on a grid, and the ellipses as an expert would hand them on."""
    random = np.random.default_rng(0)
    noise = random.normal(100, 60, (side, side)).astype(np.float32)
    image = cast(FloatImage, cv2.GaussianBlur(noise, (0, 0), 1.5))
    found: list[Candidate] = []
    across = int(np.ceil(np.sqrt(count)))
    for number, reach in enumerate(np.geomspace(6, min(40, side / (3 * across)), count)):
        mask = np.zeros((side, side), np.uint8)
        centre = [round((n + 0.5) * side / across) for n in (number % across, number // across)]
        cv2.ellipse(mask, centre, (round(reach), round(0.7 * reach)), 20 * number, 0, 360, 1, -1)
        image[mask > 0] += 80
        x, y, width, height = cv2.boundingRect(mask)
        crop = np.ascontiguousarray(mask[y : y + height, x : x + width])
        found.append(Candidate(Component(x, y, crop, int(crop.sum()), 0.8), "label", "rule", "expert@1"))
    metadata = ImageMetadata.model_validate(
        {
            "source_format": "DICOM",
            "modality": "MR",
            "orientation": {"right": "patient left", "down": "posterior"},
            "spacing": {"row_mm": 0.5, "column_mm": 0.5, "source": "benchmark"},
        }
    )
    return image, found, metadata


def plain(image: FloatImage, candidates: Sequence[Candidate]) -> None:
    """Mask, area, centroid, and intensity inside and around."""
    reach = max(2, round(max(image.shape) / 100))
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    for one in candidates:
        part = one.component
        height, width = part.crop.shape
        run_lengths(part.crop, part.x, part.y, image.shape)
        cv2.moments(part.crop, binaryImage=True)
        intensity(image[part.y : part.y + height, part.x : part.x + width], part.crop, UNIT)
        padded = cv2.copyMakeBorder(part.crop, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=0)
        ring = np.asarray(cv2.dilate(padded, kernel) - padded, np.uint8)
        top, left = part.y - reach, part.x - reach
        intensity(image[top : top + ring.shape[0], left : left + ring.shape[1]], ring, UNIT)


def by_scikit_image(image: FloatImage, candidates: Sequence[Candidate]) -> None:
    """Size, shape and co-occurrence texture alone."""
    angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    for one in candidates:
        part = one.component
        height, width = part.crop.shape
        values = image[part.y : part.y + height, part.x : part.x + width]
        (found,) = regionprops(part.crop)
        _ = found.solidity, found.eccentricity, found.feret_diameter_max, found.perimeter, found.axis_minor_length
        inside = values[part.crop > 0]
        bins = discretise(values, part.crop, float(inside.min()), float(inside.max()), UNIT)
        joint = graycomatrix(bins.bins, [1], angles, levels=bins.levels + 1, symmetric=True)[1:, 1:]
        joint = joint.sum(axis=3, keepdims=True).astype(np.float64)
        for name in ("contrast", "homogeneity", "correlation", "ASM"):
            graycoprops(joint, name)


def regions(count: int, side: int, rounds: int) -> None:
    """Print the milliseconds that so many regions take, and how that compares."""
    image, candidates, metadata = scene(count, side)
    ways: dict[str, Callable[[], object]] = {
        "measure": lambda: measure(candidates, image, metadata, UNIT),
        "plain": lambda: plain(image, candidates),
        "scikit-image": lambda: by_scikit_image(image, candidates),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 2):
        for name, run in ways.items():
            started = time.thread_time()
            run()
            taken[name].append(1000 * (time.thread_time() - started))
    print(f"{count} regions of {sum(one.component.area_px for one in candidates)} px on {side} × {side}")
    base = statistics.median(taken["measure"][2:])
    for name, times in taken.items():
        told = times[2:]  # the first calls fill caches
        middle = statistics.median(told)
        print(f"{name:14}{middle:8.2f} ms   best {min(told):7.2f} ms   {middle / base:6.2f} × measure")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    what = parser.add_subparsers(required=True)
    of_regions = what.add_parser("regions", help="the measurement of regions")
    of_regions.add_argument("--regions", type=int, default=10)
    of_regions.add_argument("--side", type=int, default=512)
    of_regions.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    regions(options.regions, options.side, options.rounds)


if __name__ == "__main__":
    main()
