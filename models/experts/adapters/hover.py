"""HoVer-Net: nuclei parted where the offsets from their centres change steeply."""

from typing import cast

import cv2
import numpy as np
from scipy import ndimage

from models.experts.adapters.classes import probabilities
from models.experts.adapters.nuclei import Numbers, numbered
from models.experts.candidates import BinaryImage
from models.experts.decodings import Hover, Label
from models.experts.inputs import Floats, whole_map
from models.experts.running import Expert, Found, Sight, UnfitOutput


def find_nuclei(expert: Expert, sight: Sight) -> Found:
    """A region for each nucleus, of the type that most of its pixels tell."""
    manifest, decoding = expert.manifest, cast(Hover, expert.manifest.decoding)
    prepared = expert.prepare(sight)
    names = [decoding.nuclei, decoding.offsets, *([decoding.types] if decoding.types else [])]
    outputs = expert.run(prepared.batch, names, prepared.others)
    if any(one.ndim != 4 for one in outputs) or outputs[1].shape[1] != 2:
        raise UnfitOutput
    margin = manifest.input.size.margin
    probability = whole_map(prepared, probabilities(outputs[0], decoding.activation)[:, -1:], margin)[0]
    offsets = whole_map(prepared, outputs[1], margin)
    mask = cast(BinaryImage, (probability >= decoding.threshold).astype(np.uint8))
    numbers = parted(mask, offsets, decoding.boundary, decoding.kernel_px)
    types = None
    if len(outputs) > 2:
        types = whole_map(prepared, probabilities(outputs[2], decoding.types_activation), margin)
    rule = (
        f"nucleus of probability at least {decoding.threshold:g}, parted from others where the predicted offsets from "
        f"their centres change by at least {decoding.boundary:g} of the steepest change"
    )
    return numbered(expert, prepared, numbers, _labels(expert, numbers, probability, types), rule)


def parted(mask: BinaryImage, offsets: Floats, boundary: float, kernel_px: int) -> Numbers:
    """Nuclei of `mask` (rows, columns), numbered from 1, by horizontal and vertical offsets (2, rows, columns).

    Offsets rise from -1 to 1 across each nucleus, and so fall from one to the next. What is left of the mask without
    those steps marks the nuclei, and a watershed gives each pixel of the mask to one. Graham et al. 2019, 3.2.
    """
    if not mask.any():
        return np.zeros(mask.shape, np.int32)
    falls = [
        cast(Floats, cv2.Sobel(one, cv2.CV_64F, axis, 1 - axis, ksize=kernel_px))
        for axis, one in zip((1, 0), (_unit(offsets[0]), _unit(offsets[1])), strict=True)
    ]
    steep = np.maximum(*(1 - _unit(one) for one in falls))
    steep = np.where(mask > 0, steep, 0.0)
    marks = ((mask > 0) & (steep < boundary)).astype(np.uint8)
    marks = cast(BinaryImage, ndimage.binary_fill_holes(marks)).astype(np.uint8)
    marks = cv2.morphologyEx(marks, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)))
    # An erosion can take a small nucleus's mark away: the whole of it is its mark then.
    whole, count = cast(tuple[Numbers, int], ndimage.label(mask, np.ones((3, 3))))
    unmarked = np.setdiff1d(np.arange(1, count + 1), np.unique(whole[marks > 0]))
    marks[np.isin(whole, unmarked)] = 1
    seeds = cast(tuple[Numbers, int], ndimage.label(marks, np.ones((3, 3))))[0].astype(np.int32)
    height = np.clip(65535 * cv2.GaussianBlur(steep, (3, 3), 0), 0, 65535).astype(np.uint16)
    height[mask == 0] = 65535
    seeds[mask == 0] = -1
    return np.where(mask > 0, ndimage.watershed_ift(height, seeds, np.ones((3, 3), np.uint8)), 0).astype(np.int32)


def _unit(values: Floats) -> Floats:
    low, high = float(values.min()), float(values.max())
    return (values - low) / max(high - low, 1e-8)


def _labels(
    expert: Expert, numbers: Numbers, probability: Floats, types: Floats | None
) -> dict[int, tuple[Label, float]]:
    """Label and score of each nucleus; those of a type that is no label are left out."""
    count = int(numbers.max(initial=0))
    scores = np.atleast_1d(ndimage.mean(probability, numbers, np.arange(1, count + 1))) if count else np.zeros(0)
    if types is None:
        (label,) = expert.manifest.labels
        return {n: (label, float(scores[n - 1])) for n in range(1, count + 1)}
    labels = {label.index: label for label in expert.manifest.labels}
    told = np.zeros((count + 1, len(types)), np.int64)
    np.add.at(told, (numbers, types.argmax(axis=0)), 1)
    # A type counts before the background, of which there is some at the edge of every nucleus.
    told[:, list(cast(Hover, expert.manifest.decoding).background)] = 0
    first = told.argmax(axis=1)
    return {
        n: (labels[int(first[n])], float(scores[n - 1]))
        for n in range(1, count + 1)
        if told[n].any() and int(first[n]) in labels
    }
