"""How well each packaged expert finds what it claims, on drawn images whose truth is known.

    python -m benchmarks.experts_quality [--seeds N] [--first N] [--side N] [--contrast C …] [--sheet PNG] [--real PNG]
    python -m benchmarks.experts_quality --time [--before LIBRARY]

Figures are means over seeds of one image each: Dice, IoU, precision and recall of the union of the expert's regions
against the truth of the structure it claims; a region that overlaps that truth's nearest parts by an IoU below 0.1 is a
false one. `--sheet` draws one image of each modality, truth and regions outlined; `--real` the images of scikit-image
and pydicom, which have no truth. `--time` lets each expert look at 512 × 512 px beside ct-density and, with `--before`,
beside the expert of its name in another library, such as an earlier checkout's.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom.data
import skimage
from numpy.typing import NDArray
from pycocotools import mask as coco

from models.experts.adapters import look as look_at
from models.experts.inputs import Floats
from models.experts.phantoms import DRAWN, Phantom, draw
from models.experts.registry import Registry
from models.experts.running import Expert, Sight
from models.imaging import FramePolicy, open_source
from schemas.images import ImageMetadata, Modality
from schemas.regions import Region, expert_name

Mask = NDArray[np.uint8]
CONTRASTS = (2.0, 3.0, 5.0, 8.0)
FALSE_IOU = 0.1
TILE = 320
"""px"""
TRUTH_COLOUR, REGION_COLOUR = (0, 220, 0), (40, 90, 255)


def _of(name: str) -> Callable[[Phantom], Mask]:
    return lambda phantom: phantom.truth[name]


def _one_sided(phantom: Phantom) -> Mask:
    """Lesions less what has a lesion in its mirror place: drawn heads and chests are symmetric about their middle."""
    lesion = phantom.truth["lesion"]
    return lesion & (1 - lesion[:, ::-1])


def _nothing(phantom: Phantom) -> Mask:
    return np.zeros(phantom.values.shape[:2], np.uint8)


@dataclass(frozen=True)
class Claim:
    """What an expert's regions of one label claim to be in a phantom."""

    modality: Modality
    expert: str
    label: str
    truth: Callable[[Phantom], Mask]
    lesion: bool = True
    """Whether it is what is drawn at the contrast asked for; anatomy is there at any."""


CLAIMS = (
    Claim("CT", "ct-focal", "hypoattenuating region", _of("lesion")),
    Claim("CT", "ct-focal", "hyperattenuating region", _nothing),
    Claim("CT", "ct-density", "air-density region", _of("air"), lesion=False),
    Claim(
        "CT", "ct-density", "high-density region", lambda drawn: drawn.truth["bone"] | drawn.truth["calcification"],
        lesion=False,
    ),
    Claim("CT", "ct-density", "small high-density focus", _of("calcification"), lesion=False),
    Claim("MR", "mr-brain", "hyperintense region within the brain", _of("lesion")),
    Claim("MR", "mr-brain", "region brighter than the mirrored place", _one_sided),
    Claim("X-ray", "chest-lungs", "lung field", _of("lungs"), lesion=False),
    Claim("X-ray", "xray-chest", "opacity in a lung field", _of("lesion")),
    Claim("X-ray", "xray-chest", "region brighter than in the other lung field", _one_sided),
    Claim("PET", "pet-uptake", "high-uptake region", _of("lesion")),
    Claim("ultrasound", "ultrasound-echo", "hypoechoic region", _of("lesion")),
    Claim("histopathology", "histo-nuclei", "nucleus-like region", _of("nuclei")),
    Claim("dermoscopy", "skin-colour", "region of other colour than the skin around it", _of("lesion")),
    Claim("fundus photography", "fundus-structures", "optic disc", _of("optic disc"), lesion=False),
    Claim("fundus photography", "fundus-structures", "vessel", _of("vessels"), lesion=False),
    Claim("fundus photography", "fundus-structures", "bright spot", _of("bright spots")),
    Claim("fundus photography", "fundus-structures", "dark spot", _of("dark spots")),
    Claim("endoscopy", "endoscopy-colour", "specular highlight", _of("highlights"), lesion=False),
    Claim("endoscopy", "endoscopy-colour", "region redder than around it", _of("lesion")),
    Claim("microscopy", "microscopy-cells", "bright cell-like region", _of("cells")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quality:
    """Of one image, or means over images. Where there is neither truth nor a region, all shares are 1."""

    dice: float
    iou: float
    precision: float
    recall: float
    false: float


def decode(region: Region) -> Mask:
    """A region's mask, uint8 (rows, columns)."""
    return np.ascontiguousarray(coco.decode(region.mask.rle))


def compare(regions: Sequence[Mask], truth: Mask) -> Quality:
    """Regions of one claim against its truth, uint8 (rows, columns)."""
    union = np.zeros_like(truth)
    _, parts = cv2.connectedComponents(truth, connectivity=8)
    false = 0
    for region in regions:
        union |= region
        touched = np.unique(parts[region > 0])
        nearest = np.isin(parts, touched[touched > 0])
        overlap = np.count_nonzero(nearest & (region > 0)) / max(1, np.count_nonzero(nearest | (region > 0)))
        false += int(overlap < FALSE_IOU)
    both, found, there = (int(np.count_nonzero(one)) for one in (union & truth, union, truth))
    if found + there == 0:
        return Quality(1, 1, 1, 1, 0)
    return Quality(
        dice=2 * both / (found + there),
        iou=both / (found + there - both),
        precision=both / found if found else 1.0,
        recall=both / there if there else 1.0,
        false=false,
    )


def look(registry: Registry, phantom: Phantom) -> tuple[Region, ...]:
    """All candidates of the packaged experts; of chests, what lies within lungs is told within those that were drawn.

    For the network for lungs knows films, and this is none.
    """
    found = _candidates(registry, phantom)
    if phantom.metadata.modality != "X-ray":
        return found
    told = _candidates(lungs_as_drawn(registry, phantom), phantom)
    lungs = (one for one in found if _is_by(one, "chest-lungs"))
    return (*lungs, *(one for one in told if not _is_by(one, "chest-lungs")))


def _candidates(registry: Registry, phantom: Phantom) -> tuple[Region, ...]:
    grounding = registry.ground(phantom.values, phantom.metadata, phantom.unit)
    return tuple(region for region in grounding.regions if region.kind == "candidate")


def measure(registry: Registry, modality: Modality, seed: int, contrast: float, side: int) -> dict[str, Quality]:
    """Each claim of one phantom, by expert and label."""
    phantom = draw(modality, seed=seed, contrast=contrast, side=side)
    regions = look(registry, phantom)
    return {
        f"{claim.expert}: {claim.label}": compare(
            [decode(one) for one in regions if one.label == claim.label and _is_by(one, claim.expert)],
            claim.truth(phantom),
        )
        for claim in CLAIMS
        if claim.modality == modality
    }


def _is_by(region: Region, expert: str) -> bool:
    return expert_name(region.expert) == expert


@dataclass(frozen=True)
class DrawnLungs(Expert):
    """Tells the lungs of one phantom, whatever it is shown."""

    lungs: Mask = field(default_factory=lambda: np.zeros((1, 1), np.uint8), compare=False, repr=False)

    def run(self, batch: Floats, names: Sequence[str], others: Mapping[str, Floats] | None = None) -> list[Floats]:
        there = cv2.resize(self.lungs, batch.shape[:1:-1], interpolation=cv2.INTER_NEAREST)
        return [np.asarray(there, np.float32)[None, None]]


def lungs_as_drawn(registry: Registry, phantom: Phantom) -> Registry:
    """The registry, whose chest-lungs tells the phantom's."""

    def told(expert: Expert) -> Expert:
        if expert.manifest.name != "chest-lungs":
            return expert
        return DrawnLungs(
            **{one.name: getattr(expert, one.name) for one in fields(expert)}, lungs=phantom.truth["lungs"]
        )

    return Registry(tuple(map(told, registry.experts)))


def mean(found: Sequence[Quality]) -> Quality:
    """Mean of each measure."""
    return Quality(*(statistics.fmean(getattr(one, name) for one in found) for name in Quality.__slots__))


def table(registry: Registry, seeds: range, contrasts: Sequence[float], side: int) -> Iterator[str]:
    """A Markdown table, a line for each claim and contrast."""
    yield "| modality | expert: label | contrast | Dice | IoU | precision | recall | false regions an image |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for modality in DRAWN:
        rows = {
            contrast: [measure(registry, modality, seed, contrast, side) for seed in seeds] for contrast in contrasts
        }
        for claim in (one for one in CLAIMS if one.modality == modality):
            name = f"{claim.expert}: {claim.label}"
            for contrast in contrasts if claim.lesion else contrasts[:1]:
                q = mean([one[name] for one in rows[contrast]])
                shown = f"{contrast:g}" if claim.lesion else "as it is"
                yield (
                    f"| {modality} | {name} | {shown} | {q.dice:.2f} | {q.iou:.2f} | {q.precision:.2f} | "
                    f"{q.recall:.2f} | {q.false:.2f} |"
                )


def outlined(
    values: NDArray[np.float32], unit: str, masks: Sequence[tuple[Mask, tuple[int, int, int]]], side: int
) -> Mask:
    """The image as it is shown, `side` px on its longest side, in BGR on a black square, with outlines."""
    low, high = (0, 255) if values.ndim == 3 else (-160, 240) if unit == "HU" else np.percentile(values, (0.5, 99.5))
    view = np.clip((values - low) / max(float(high - low), 1e-6) * 255, 0, 255)
    shown = np.ascontiguousarray(np.atleast_3d(view).astype(np.uint8)[..., ::-1])
    scale = side / max(shown.shape[:2])
    size = (round(shown.shape[1] * scale), round(shown.shape[0] * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    shown = cv2.resize(shown if shown.shape[2] == 3 else np.repeat(shown, 3, axis=2), size, interpolation=how)
    for mask, colour in masks:
        large = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)
        outlines, _ = cv2.findContours(large, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(shown, outlines, -1, colour, 1)
    square = cv2.copyMakeBorder(shown, 0, side - size[1], 0, side - size[0], cv2.BORDER_CONSTANT, value=0)
    return np.asarray(square, np.uint8)


def sheet(registry: Registry, seed: int, contrast: float, side: int) -> Mask:
    """One phantom of each modality: truth of all claims in green, regions in red."""
    tiles: list[Mask] = []
    for modality in DRAWN:
        phantom = draw(modality, seed=seed, contrast=contrast, side=side)
        claims = [one for one in CLAIMS if one.modality == modality]
        named = {(one.expert, one.label) for one in claims}
        regions = [r for r in look(registry, phantom) if (expert_name(r.expert), r.label) in named]
        masks = [(one.truth(phantom), TRUTH_COLOUR) for one in claims]
        masks += [(decode(one), REGION_COLOUR) for one in regions]
        tiles.append(outlined(phantom.values, phantom.unit, masks, TILE))
    return grid(tiles, 5)


def grid(tiles: Sequence[Mask], across: int) -> Mask:
    """Squares side by side, `across` a row."""
    rows = [np.hstack(tiles[start : start + across]) for start in range(0, len(tiles), across)]
    return np.asarray(np.vstack(rows), np.uint8)


REAL: tuple[tuple[str, Modality, str | None], ...] = (
    ("CT_small.dcm", "CT", None), ("MR_small.dcm", "MR", None), ("RG1_UNCR.dcm", "X-ray", "chest"),
    ("ihc.png", "histopathology", None), ("retina.jpg", "fundus photography", "retina"),
    ("cell.png", "microscopy", None),
)  # fmt: skip
"""Files of pydicom and of scikit-image, with their modality and organ. None comes with a segmentation."""


def real(registry: Registry) -> Mask:
    """Real images with the regions that experts find in them."""
    tiles: list[Mask] = []
    for name, modality, organ in REAL:
        if name.endswith(".dcm"):
            path = Path(str(pydicom.data.get_testdata_file(name, download=False)))
            frame = next(open_source(path.read_bytes(), FramePolicy()).frames())
            values, unit, inverted = frame.values, frame.unit, frame.inverted
        else:
            image: Any = cv2.imread(str(Path(skimage.__file__).parent / "data" / name), cv2.IMREAD_UNCHANGED)
            values, unit, inverted = image[..., ::-1] if image.ndim == 3 else image, "grey level", False
        values = np.ascontiguousarray(values, np.float32)
        source = "DICOM" if name.endswith(".dcm") else "PNG"
        about = ImageMetadata(source_format=source, modality=modality, organ=organ)
        grounding = registry.ground(values, about, unit, inverted=inverted)
        shown = -values if inverted else values
        masks = [(decode(one), REGION_COLOUR) for one in grounding.regions if one.kind == "candidate"]
        tiles.append(outlined(shown, unit, masks, TILE))
    return grid(tiles, 3)


def times(registry: Registry, before: Registry | None = None, repeats: int = 30) -> Iterator[str]:
    """A Markdown table: processor time of each expert on 512 × 512 px, and its ratio to that of ct-density.

    `before`: other experts of the same names, which take turns with these; how these compare is told too.
    """
    random = np.random.default_rng(0)
    earlier = {one.manifest.name: one for one in before.experts} if before else {}
    sights: dict[str, Sight] = {}
    for expert in registry.experts:
        modality = expert.manifest.modalities[0]
        values = draw(modality if modality in DRAWN else "CT", seed=1, side=512).values
        if expert.manifest.input.channels == 1 and values.ndim == 3:
            values = np.ascontiguousarray(values.mean(axis=2))
        sights[expert.manifest.name] = Sight(values + random.normal(0, 1e-3, values.shape).astype(np.float32))

    taken, took = dict.fromkeys(sights, float("inf")), dict.fromkeys(earlier, float("inf"))
    for _ in range(repeats):
        # In turn, so that whatever else the machine does falls on all alike.
        for expert in registry.experts:
            name = expert.manifest.name
            taken[name] = min(taken[name], _seconds(expert, sights[name]))
            if name in earlier:
                took[name] = min(took[name], _seconds(earlier[name], sights[name]))
    yield "| expert | ms | × ct-density | × before |"
    yield "| --- | --- | --- | --- |"
    for name, seconds in sorted(taken.items()):
        ratio = f"{seconds / took[name]:.2f}" if name in took else ""
        yield f"| {name} | {1000 * seconds:.1f} | {seconds / taken['ct-density']:.2f} | {ratio} |"


def _seconds(expert: Expert, sight: Sight) -> float:
    """Processor time of this thread, which does all of it: whoever else has the processor is not counted."""
    start = time.thread_time()
    look_at(expert, sight)
    return time.thread_time() - start


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Quality of the packaged experts on phantoms.")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=100, help="first seed; rules were tuned on 0 to 23")
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--contrast", type=float, nargs="+", default=CONTRASTS)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--time", action="store_true")
    parser.add_argument(
        "--before", type=Path, help="with --time: a library of other experts, which take turns with these"
    )
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    registry = Registry.load()
    if arguments.time:
        lines = times(registry, Registry.load(arguments.before) if arguments.before else None)
    else:
        seeds = range(arguments.first, arguments.first + arguments.seeds)
        lines = table(registry, seeds, arguments.contrast, arguments.side)
    for line in lines:
        print(line, flush=True)
    if arguments.sheet is not None:
        cv2.imwrite(str(arguments.sheet), sheet(registry, arguments.first, 5.0, arguments.side))
    if arguments.real is not None:
        cv2.imwrite(str(arguments.real), real(registry))


if __name__ == "__main__":
    main()
