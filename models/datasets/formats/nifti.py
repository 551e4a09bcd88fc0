"""NIfTI-1: the view of each image and a label map of its regions, one number a label over the whole set.

<split>/<id>.nii.gz, <split>/<id>_mask.nii.gz, and labels.json. Voxels are (column, row, 1), 1 mm where the spacing is
unknown; the affine tells their size alone, for a view's place in the patient is not known.
"""

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from pycocotools import mask as coco

from models.datasets.formats.base import Example
from models.imaging import from_pixels

_RGB = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])


class Nifti:
    """Writes two files an image."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._labels: dict[str, int] = {}

    def write(self, example: Example) -> None:
        """The view in 8 bits, and its label map; where regions lie over each other, the smaller one is seen."""
        triplet = example.triplet
        stored = from_pixels(triplet.image)
        view = stored if stored.dtype == np.uint8 else (stored >> 8).astype(np.uint8)
        labels = np.zeros(view.shape[:2], np.uint16)
        outlined = [region for region in triplet.regions if region.kind != "whole image"]
        for region in sorted(outlined, key=lambda one: -one.area_px):
            number = self._labels.setdefault(region.label, len(self._labels) + 1)
            mask: Any = coco.decode(region.mask.rle)
            labels[mask > 0] = number
        spacing = triplet.metadata.spacing
        affine = np.diag([spacing.column_mm, spacing.row_mm, 1, 1] if spacing else [1, 1, 1, 1]).astype(float)
        folder = self._folder / example.split
        folder.mkdir(exist_ok=True)
        grey: Any = view if view.ndim == 2 else np.ascontiguousarray(view).view(_RGB)[..., 0]
        for name, values in ((f"{example.name}.nii.gz", grey), (f"{example.name}_mask.nii.gz", labels)):
            image: Any = nibabel.Nifti1Image(np.ascontiguousarray(values.T)[..., np.newaxis], affine)  # pyright: ignore[reportPrivateImportUsage]
            image.header.set_xyzt_units("mm" if spacing else "unknown")
            image.to_filename(folder / name)

    def close(self) -> None:
        """As Writer has it."""
        text = json.dumps({"background": 0, **self._labels}, ensure_ascii=False, indent=1)
        (self._folder / "labels.json").write_text(text + "\n", encoding="utf-8")
