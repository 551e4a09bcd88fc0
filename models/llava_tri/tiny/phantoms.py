"""Phantoms of ten modalities as a folder that `tristream annotate` takes: every one a patient of its own.

    python -m models.llava_tri.tiny.phantoms OUT --each 60

Each holds one to four lesions, large enough for a small tower at 96 px, and each of them a region of its own: so their
number, sides and places can be asked for. They are drawings: what a model learns from them says that it can be taught,
and nothing of disease.
"""

import argparse
import json
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import tifffile

from models.experts.phantoms import DRAWN, Phantom, draw
from models.experts.phantoms.drawing import BinaryImage, FloatImage, away_from, shrunk, soft, spread_out
from schemas.images import Modality

SOURCE, LICENCE = "Tristream phantoms", "Apache-2.0"
SIDED = ("CT", "MR", "X-ray", "PET")
"""Modalities of which twice as many are drawn: only these show on which side of the patient a lesion lies."""
MANY, MANY_SIDED = (0.4, 0.2, 0.2, 0.2), (0.7, 0.1, 0.1, 0.1)
"""Chances of one lesion, two, three, four. Only one that is alone is asked for without its box."""
RADII = (0.04, 0.065)
"""Of lesions, in parts of the side."""
DIFFERENCE = 0.45
"""Of a lesion from what surrounds it, in parts of the range of values."""
MIDDLE = 0.08
"""Half width of the band around the midline that those keep free, in parts of the side."""
_BRIGHT = ("MR", "X-ray", "PET", "microscopy")
"""Modalities whose lesions are brighter than what surrounds them."""
_ROOM = {"MR": "brain", "X-ray": "aerated", "PET": "body", "ultrasound": "sector"}
"""Structure in which the lesions of a modality lie; of others, everywhere that is not black."""


def lesioned(modality: Modality, seed: int, side: int) -> tuple[Phantom, FloatImage, list[BinaryImage]]:
    """A phantom without lesions, its values with ours, and the mask of each of these."""
    phantom = draw(modality, seed=seed, contrast=0, side=side)
    # A seed of its own: the phantom's draws the anatomy.
    random = np.random.default_rng((seed, DRAWN.index(modality), 1))
    low, high = np.percentile(phantom.values, (1, 99))
    values = phantom.values.copy()
    room = _room(phantom, float(low), float(high))
    if modality in SIDED:
        room[:, round((0.5 - MIDDLE) * side) : round((0.5 + MIDDLE) * side)] = 0
    many = 1 + random.choice(len(MANY), p=MANY_SIDED if modality in SIDED else MANY)
    lesions = spread_out(random, room, tuple(random.uniform(*RADII, int(many))), 0.2)
    step = np.float32(DIFFERENCE * (high - low) * (1 if modality in _BRIGHT else -1))
    for lesion in lesions:
        raised = step * soft(lesion)
        values += raised if values.ndim == 2 else raised[..., None]
    return phantom, values, lesions


def _room(phantom: Phantom, low: float, high: float) -> BinaryImage:
    inside = phantom.truth.get(_ROOM.get(phantom.metadata.modality, ""))
    if inside is None:
        grey = phantom.values if phantom.values.ndim == 2 else phantom.values.max(axis=2)
        inside = (cv2.GaussianBlur(grey, (0, 0), 3) > low + 0.15 * (high - low)).astype(np.uint8)
    for name in ("ventricles", "lumen", "optic disc", "air", "bone"):
        if name in phantom.truth:
            inside = inside & away_from(phantom.truth[name], 2)
    return shrunk(cast(BinaryImage, inside), 2)


def write(out: Path, each: int, side: int = 256) -> None:
    """`each` phantoms of every modality, twice as many of those that have sides, with what a source says of them."""
    # Those with sides last: a data set takes what it has asked least, and sides are asked in few images.
    for number, modality in enumerate(sorted(DRAWN, key=lambda one: one in SIDED)):
        folder = out / f"{number}-{modality.replace(' ', '-')}"
        (folder / ".masks").mkdir(parents=True, exist_ok=True)
        for seed in range(2 * each if modality in SIDED else each):
            phantom, values, lesions = lesioned(modality, seed, side)
            name = f"{seed:04d}" + (".png" if values.ndim == 3 else ".tiff")
            if values.ndim == 3:
                levels = np.clip(np.rint(values), 0, 255).astype(np.uint8)
                cv2.imwrite(str(folder / name), np.ascontiguousarray(levels[..., ::-1]))
            else:
                tifffile.imwrite(folder / name, values, photometric="minisblack")
            about = {"modality", "organ", "plane", "laterality", "orientation"}
            told: dict[str, object] = {
                "source": SOURCE, "licence": LICENCE, "patient": f"{modality} {seed}",
                **phantom.metadata.model_dump(mode="json", include=about, exclude_none=True),
            }  # fmt: skip
            if phantom.unit != "grey level":  # what a file without a unit has
                told["unit"] = phantom.unit
            numbered = np.zeros((side, side), np.uint8)
            for number, lesion in enumerate(lesions, start=1):
                numbered[lesion > 0] = number
            cv2.imwrite(str(folder / ".masks" / f"{seed:04d}.png"), numbered)
            told |= {
                "mask": f".masks/{seed:04d}.png",
                "labels": {str(number): "lesion" for number in range(1, len(lesions) + 1)},
            }
            (folder / f"{name}.json").write_text(json.dumps(told), encoding="utf-8")


def main() -> None:
    """Write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--each", type=int, default=60, help="of a modality")
    given = parser.parse_args()
    write(given.out, given.each)


if __name__ == "__main__":
    main()
