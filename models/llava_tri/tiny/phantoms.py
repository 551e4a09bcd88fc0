"""Phantoms of ten modalities as a folder that `tristream annotate` takes: every one a patient of its own.

    python -m models.llava_tri.tiny.phantoms OUT --each 60

They are drawings: what a model learns from them says that it can be taught, and nothing of disease.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import tifffile

from models.experts.phantoms import DRAWN, draw

SOURCE, LICENCE = "Tristream phantoms", "Apache-2.0"


def write(out: Path, each: int, side: int = 256) -> None:
    """`each` phantoms of every modality, with sidecars and with the mask of their lesions."""
    for modality in DRAWN:
        folder = out / modality.replace(" ", "-")
        (folder / ".masks").mkdir(parents=True, exist_ok=True)
        for seed in range(each):
            phantom = draw(modality, seed=seed, side=side)
            name = f"{seed:04d}" + (".png" if phantom.values.ndim == 3 else ".tiff")
            if phantom.values.ndim == 3:
                levels = np.clip(np.rint(phantom.values), 0, 255).astype(np.uint8)
                cv2.imwrite(str(folder / name), np.ascontiguousarray(levels[..., ::-1]))
            else:
                tifffile.imwrite(folder / name, phantom.values, photometric="minisblack")
            told: dict[str, object] = {
                "source": SOURCE, "licence": LICENCE, "patient": f"{modality} {seed}",
                **phantom.metadata.model_dump(include={"modality", "organ", "plane", "laterality"}, exclude_none=True),
            }  # fmt: skip
            if phantom.unit != "grey level":  # what a file without a unit has
                told["unit"] = phantom.unit
            mask = phantom.truth[phantom.lesions]
            if mask.any():
                cv2.imwrite(str(folder / ".masks" / f"{seed:04d}.png"), mask)
                told |= {"mask": f".masks/{seed:04d}.png", "labels": {"1": phantom.lesions}}
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
