"""Phantoms as image and mask folders: something to try training on at once."""

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import orjson
import tifffile

from models.experts.datasets.folders import DESCRIPTION
from models.experts.phantoms import draw
from schemas.failures import TristreamError
from schemas.images import Modality


class FolderInUse(TristreamError):
    """Nothing is written over, and no two sets are mixed."""

    def __init__(self) -> None:
        super().__init__("the output folder is not empty: take another, or empty it")


def begin(out: Path) -> None:
    """Make the folders of a set. Raises FolderInUse where `out` holds files."""
    if out.exists() and any(out.iterdir()):
        raise FolderInUse
    for name in ("images", "masks"):
        (out / name).mkdir(parents=True, exist_ok=True)


def describe(out: Path, about: Mapping[str, object]) -> None:
    """Write what a set holds beside it."""
    (out / DESCRIPTION).write_bytes(orjson.dumps(about, option=orjson.OPT_INDENT_2) + b"\n")


def write_phantoms(
    out: Path,
    modality: Modality,
    *,
    count: int,
    contrast: float = 5.0,
    side: int = 256,
    first_seed: int = 0,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> str:
    """`count` phantoms of seeds from `first_seed` on; returns the label of their lesions.

    Grey values are written as float32 TIFF in their unit, colours as PNG, masks as PNG of 0 and 1.

    Raises:
        FolderInUse: `out` holds files.
    """
    begin(out)
    about: dict[str, object] = {}
    label = ""
    for done in range(count):
        phantom = draw(modality, seed=first_seed + done, contrast=contrast, side=side)
        label = phantom.lesions
        stem = f"{modality.replace(' ', '-').lower()}-{first_seed + done:05d}"
        if phantom.values.ndim == 3:
            levels = np.clip(np.rint(phantom.values), 0, 255).astype(np.uint8)
            cv2.imwrite(str(out / "images" / f"{stem}.png"), np.ascontiguousarray(levels[..., ::-1]))
        else:
            tifffile.imwrite(out / "images" / f"{stem}.tiff", phantom.values, photometric="minisblack")
        cv2.imwrite(str(out / "masks" / f"{stem}.png"), phantom.truth[label])
        about = {"modality": modality, "organ": phantom.metadata.organ, "unit": phantom.unit, "labels": {"1": label}}
        tell(done + 1, count)
    describe(out, about)
    return label
