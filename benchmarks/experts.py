"""What experts and the measurement of regions cost, side by side on the same images.

Knows nothing of the pipeline around the stage.

    python -m benchmarks.experts regions [--regions 10] [--side 512] [--rounds 30]
    python -m benchmarks.experts stage [--side 512] [--rounds 15] [--batches 1,4] [--own DIR] [--only NAME]
    python -m benchmarks.experts picture docs/images/regions.png

`regions`: one image with ellipses of 6 to 40 px half axis, turned and textured. `measure` is all that a region is told
of; `plain` is what stood there before it: the mask, area, box, centroid and the mean and spread of the region and of
the ring around it; `scikit-image` is regionprops and graycomatrix for the same size, shape and texture, without the
rest. The three take turns, so that a busy machine slows all alike; times are of this thread's processor.
`picture`: a drawn CT slice whose lesions are marked by its source, and what is told of them, as docs/regions.md shows.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from pycocotools import mask as coco
from skimage.feature import graycomatrix, graycoprops
from skimage.measure import regionprops

from models.describers import Composer
from models.experts.adapters import look
from models.experts.candidates import Candidate, Component
from models.experts.inputs import Floats, prepare
from models.experts.intensities import BinaryImage, FloatImage, intensity
from models.experts.phantoms import DRAWN, draw
from models.experts.regions import measure, run_lengths
from models.experts.registry import Registry
from models.experts.running import Expert, Sight
from models.experts.textures import discretise
from schemas.images import ImageMetadata, Modality, Pixels, SourceAnnotation
from schemas.knowledge import EnrichedImage
from schemas.shapes import Mask

UNIT = "stored value"
# Okabe and Ito, in BGR.
_COLOURS = ((0, 159, 230), (233, 180, 86), (115, 158, 0), (66, 228, 240))


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
        top, left = max(0, part.y - reach), max(0, part.x - reach)
        seen = image[top : part.y + height + reach, left : part.x + width + reach]
        down, across = part.y - top, part.x - left
        below, beyond = seen.shape[0] - down - height, seen.shape[1] - across - width
        padded = cv2.copyMakeBorder(part.crop, down, below, across, beyond, cv2.BORDER_CONSTANT, value=0)
        intensity(seen, np.asarray(cv2.dilate(padded, kernel) - padded, np.uint8), UNIT)


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


def stage(side: int, rounds: int, batches: Sequence[int], said: argparse.Namespace) -> None:
    """Print images/s of one core by expert and batch: the bare session, the expert without and with measurement.

    The three take turns on the same phantom; times are of this thread's processor, with one thread of ONNX Runtime.
    """
    registry = Registry.load(own=cast(Path | None, said.own))
    print(f"{'expert':22}{'batch':>6}{'bare':>10}{'expert':>10}{'all':>10}   expert/bare   all/bare  (images/s)")
    for expert in registry.experts:
        modality = cast(Modality | None, next((one for one in expert.manifest.modalities if one in DRAWN), None))
        if modality is None or said.only not in ("", expert.manifest.name):
            continue
        phantom = draw(modality, side=side)
        metadata = phantom.metadata.model_copy(update={"organ": (*expert.manifest.organs, None)[0]})
        if not expert.manifest.fits(metadata, phantom.unit, phantom.values.shape):
            print(f"{expert.manifest.name:22}  does not take the phantom of {modality}")
            continue
        grey = expert.manifest.input.channels == 1 and phantom.values.ndim == 3
        image = cv2.cvtColor(phantom.values, cv2.COLOR_RGB2GRAY) if grey else phantom.values
        mm = metadata.spacing
        sight = Sight(cast(FloatImage, image), spacing=(mm.row_mm, mm.column_mm) if mm else None)
        prepared = prepare(sight.image, expert.manifest.input, sight.spacing)
        alone = Registry((expert,))
        for size in batches if expert.batched else [1]:
            fed = np.concatenate([prepared.batch] * size) if size > 1 else prepared.batch
            ways: dict[str, Callable[[], object]] = {"bare": partial(_bare, expert, fed)}
            if size == 1:
                ways["expert"] = partial(look, expert, sight)
                ways["all"] = partial(alone.ground, phantom.values, metadata, phantom.unit)
            rate = {name: size / took for name, took in _turns(ways, rounds).items()}
            told = "".join(f"{rate[name]:10.1f}" if name in rate else f"{'':10}" for name in ("bare", "expert", "all"))
            parts = "".join(f"{rate[name] / rate['bare']:14.2f}" for name in ("expert", "all") if name in rate)
            print(f"{expert.manifest.name:22}{size:6}{told}{parts}")


def _bare(expert: Expert, fed: Floats) -> None:
    expert.session.run(None, {expert.manifest.input.name: expert.given(fed)})


def _turns(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of this thread for each way, in turns."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 2):
        for name, run in ways.items():
            started = time.thread_time()
            run()
            taken[name].append(time.thread_time() - started)
    return {name: statistics.median(times[2:]) for name, times in taken.items()}


def picture(path: Path) -> None:
    """Draw the regions of a phantom, and print what is told of them."""
    phantom = draw("CT", seed=4, contrast=6.0)
    _, labels = cv2.connectedComponents(phantom.truth["lesion"])
    marks = tuple(_marked((labels == number).astype(np.uint8)) for number in range(1, int(labels.max()) + 1))
    grounding = Registry.load().ground(phantom.values, phantom.metadata, phantom.unit, annotations=marks)
    shown = np.clip((phantom.values + 160) / 400 * 255, 0, 255).astype(np.uint8)
    canvas = cv2.cvtColor(cv2.resize(shown, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC), cv2.COLOR_GRAY2BGR)
    told = [region for region in grounding.regions if region.kind == "source annotation"]
    for region, colour in zip(told, _COLOURS, strict=False):
        mask = np.asarray(coco.decode(region.mask.rle), np.uint8)
        large = cv2.resize(mask, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST)
        contours, _ = cv2.findContours(large, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(canvas, contours, -1, colour, 2, cv2.LINE_AA)
        at = (round(3 * region.centroid[0]) - 40, round(3 * region.centroid[1]) - 30)
        cv2.putText(canvas, region.region_id, at, cv2.FONT_HERSHEY_SIMPLEX, 0.7, colour, 2, cv2.LINE_AA)
    side = canvas.shape[0]
    for word, at in (
        ("patient's right", (8, side // 2)),
        ("patient's left", (side - 130, side // 2)),
        ("anterior", (side // 2 - 36, side // 10 + 24)),
        ("posterior", (side // 2 - 40, side - side // 10 - 12)),
    ):
        cv2.putText(canvas, word, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (220, 220, 220), 1, cv2.LINE_AA)
    cv2.imwrite(str(path), canvas[side // 10 : side - side // 10])
    image = EnrichedImage(
        image_id="0" * 32, object_id="0" * 32, frame=0, frames_taken=1, metadata=phantom.metadata,
        view=Pixels(rows=256, columns=256, channels=1, bits=8, unit="grey level", data="-"), grounding=grounding,
        passages=(), knowledge_snapshot="", preprocess_version="", grounding_version="",
    )  # fmt: skip
    for region in told[:1]:
        print(region.model_dump_json(indent=2, exclude={"mask"}))
    print(grounding.distributions[0].model_dump_json(indent=2))
    print(asyncio.run(Composer().describe(image)).description)


def _marked(mask: BinaryImage) -> SourceAnnotation:
    counts = cast(bytes, coco.encode(np.asfortranarray(mask))["counts"]).decode()
    return SourceAnnotation(label="annotated region", mask=Mask(size=mask.shape, counts=counts))


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    what = parser.add_subparsers(required=True)
    of_regions = what.add_parser("regions", help="the measurement of regions")
    of_regions.add_argument("--regions", type=int, default=10)
    of_regions.add_argument("--side", type=int, default=512)
    of_regions.add_argument("--rounds", type=int, default=30)
    of_regions.set_defaults(run=lambda said: regions(said.regions, said.side, said.rounds))
    of_stage = what.add_parser("stage", help="experts against a bare session on the same input")
    of_stage.add_argument("--side", type=int, default=512)
    of_stage.add_argument("--rounds", type=int, default=15)
    of_stage.add_argument("--batches", default="1,4", help="of experts with a dynamic batch")
    of_stage.add_argument("--only", default="", help="name of an expert")
    of_stage.add_argument("--own", type=Path, help="a folder of further experts")
    of_stage.set_defaults(
        run=lambda said: stage(said.side, said.rounds, [int(one) for one in said.batches.split(",")], said)
    )
    of_picture = what.add_parser("picture", help="the picture of docs/regions.md")
    of_picture.add_argument("path", type=Path)
    of_picture.set_defaults(run=lambda said: picture(said.path))
    options = parser.parse_args()
    cv2.setNumThreads(1)
    options.run(options)


if __name__ == "__main__":
    main()
