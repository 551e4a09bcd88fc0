"""What the packaged experts find of lesions that readers outlined: the volumes of PyRadiomics' source archive.

    make real-data
    python -m benchmarks.experts_real out/real/pyradiomics-3.0.1.tar.gz [--sheet JPG]

Two heads with enhancing tumours, a breast (both MR), and two chests (CT), slice by slice. A lesion is found on a slice
where a region of one label overlaps its outline there by an IoU of 0.1; `Dice` is that of the best such region, mean
over all slices with an outline, 0 where there is none. `others` are that label's other regions, an image.
Slices without an outline are looked at too: what is told there is told of nothing that the readers marked.
"""

import argparse
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import nrrd
import numpy as np
from numpy.typing import NDArray

from benchmarks.experts_quality import FALSE_IOU, REGION_COLOUR, TRUTH_COLOUR, Mask, decode, grid, outlined
from benchmarks.experts_sets import named
from models.experts.registry import Registry
from schemas.images import ImageMetadata, Modality, Orientation, Spacing

LEAST_PX = 10
"""Of an outline: what is smaller is the edge of one on the slice beside it."""
TILE = 300
"""px"""


@dataclass(frozen=True)
class Volume:
    """A volume of the archive, and what it shows."""

    name: str
    modality: Modality
    organ: str
    lesion: str

    @property
    def unit(self) -> str:
        """Of its values."""
        return "HU" if self.modality == "CT" else "stored value"


VOLUMES = (
    Volume("brain1", "MR", "brain", "enhancing tumour"),
    Volume("brain2", "MR", "brain", "enhancing tumour"),
    Volume("breast1", "MR", "breast", "enhancing lesion"),
    Volume("lung1", "CT", "chest", "nodule"),
    Volume("lung2", "CT", "chest", "mass at the chest wall"),
)


@dataclass(frozen=True)
class Slice:
    """One slice: values, outline, and what the experts told."""

    values: NDArray[np.float32]
    truth: Mask
    regions: dict[str, list[Mask]]
    """By expert and label."""

    @property
    def outlined(self) -> bool:
        """Whether readers marked something here."""
        return int(self.truth.sum()) >= LEAST_PX

    def best(self, name: str) -> float:
        """Dice of the best region of a label; 0 where none overlaps."""
        ious = (iou(mask, self.truth) for mask in self.regions.get(name, []))
        return max((2 * one / (1 + one) for one in ious if one >= FALSE_IOU), default=0.0)


def iou(first: Mask, second: Mask) -> float:
    """Of two masks."""
    return np.count_nonzero(first & second) / max(np.count_nonzero(first | second), 1)


def slices(volume: Volume, folder: Path, registry: Registry) -> Iterator[Slice]:
    """Axial, the patient's left on the right, posterior below."""
    values, header = nrrd.read(str(folder / f"{volume.name}_image.nrrd"))
    truth, _ = nrrd.read(str(folder / f"{volume.name}_label.nrrd"))
    axes = np.asarray(header["space directions"], float)
    if header["space"] != "left-posterior-superior" or axes[0, 0] <= 0 or np.count_nonzero(axes) != 3:
        raise SystemExit(f"{volume.name} lies otherwise than the volumes that this was written for")
    down = slice(None, None, 1 if axes[1, 1] > 0 else -1)
    about = ImageMetadata(
        source_format="NIfTI", modality=volume.modality, organ=volume.organ, plane="axial",
        orientation=Orientation(right="patient left", down="posterior"),
        spacing=Spacing(row_mm=abs(axes[1, 1]), column_mm=axes[0, 0], source="test"),
    )  # fmt: skip
    for index in range(values.shape[2]):
        image = np.ascontiguousarray(values[:, down, index].T, np.float32)
        told: dict[str, list[Mask]] = {}
        for region in registry.ground(image, about, volume.unit).regions:
            if region.kind == "candidate":
                told.setdefault(named(region), []).append(decode(region))
        yield Slice(image, np.ascontiguousarray(truth[:, down, index].T, np.uint8), told)


def best_label(seen: Sequence[Slice]) -> str:
    """The expert and label that come nearest to the outlines; none where no region overlaps them."""
    marked = [one for one in seen if one.outlined]
    sums = {name: sum(one.best(name) for one in marked) for one in marked for name in one.regions}
    return max((name for name in sums if sums[name]), key=lambda name: sums[name], default="none")


def row(volume: Volume, seen: Sequence[Slice], name: str) -> str:
    """A line of the table, of the label that comes nearest."""
    marked = [one for one in seen if one.outlined]
    dice = [one.best(name) for one in marked]
    found = sum(one > 0 for one in dice)
    rest = sum(len(one.regions.get(name, [])) for one in seen) - found
    others = f"{rest / len(seen):.1f}" if found else ""
    return (
        f"| {volume.name}, {volume.modality} {volume.organ} | {volume.lesion} | {name} | {found} of {len(marked)} | "
        f"{np.mean(dice):.2f} | {others} |"
    )


def shown(volume: Volume, seen: Sequence[Slice], name: str) -> Mask:
    """The slice with the largest outline: outline in green, regions of that label in red."""
    one = max(seen, key=lambda each: int(each.truth.sum()))
    masks = [(mask, REGION_COLOUR) for mask in one.regions.get(name, [])]
    values = np.clip((one.values + 1000) / 6, 0, 255).astype(np.float32) if volume.modality == "CT" else one.values
    return outlined(values, "grey level", [*masks, (one.truth, TRUTH_COLOUR)], TILE)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--sheet", type=Path)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    registry = Registry.load()
    tiles: list[Mask] = []
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(arguments.archive) as archive:
            wanted = [one for one in archive.getmembers() if one.name.endswith(".nrrd")]
            archive.extractall(folder, wanted, filter="data")
        (data,) = Path(folder).glob("*/data")
        print(f"rules: {registry.version}\n")
        print("| volume | lesion | nearest expert: label | slices found | Dice | others |")
        print("| --- | --- | --- | --- | --- | --- |")
        for volume in VOLUMES:
            seen = list(slices(volume, data, registry))
            name = best_label(seen)
            print(row(volume, seen, name), flush=True)
            tiles.append(shown(volume, seen, name))
    if arguments.sheet is not None:
        cv2.imwrite(str(arguments.sheet), grid(tiles, len(tiles)))


if __name__ == "__main__":
    main()
