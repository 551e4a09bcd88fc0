"""StarDist: each pixel proposes a star-convex polygon around itself, and the likeliest that do not overlap stay."""

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from models.experts.adapters.classes import probabilities
from models.experts.adapters.nuclei import Numbers, numbered
from models.experts.decodings import Label, Stardist
from models.experts.running import Expert, Found, Sight, UnfitOutput

MOST_PROPOSED = 20_000
"""Polygons looked at, the likeliest: beyond, the time would have no bound."""


def find_stars(expert: Expert, sight: Sight) -> Found:
    """A region for each star-convex object. Where two meet, a pixel is of the likelier one."""
    manifest, decoding = expert.manifest, cast(Stardist, expert.manifest.decoding)
    prepared = expert.prepare(sight)
    probability, distances = expert.run(prepared.batch, [decoding.probabilities, decoding.distances], prepared.others)
    if probability.ndim != 4 or distances.ndim != 4 or probability.shape[2:] != distances.shape[2:]:
        raise UnfitOutput
    tensor, row, column = np.nonzero(probabilities(probability, "none")[:, 0] >= decoding.threshold)
    scores = probability[tensor, 0, row, column]
    order = np.argsort(-scores, kind="stable")[:MOST_PROPOSED]
    tensor, row, column, scores = tensor[order], row[order], column[order], scores[order]
    origins = np.asarray(prepared.origins)[tensor]
    centres = np.stack([column, row], axis=1) * decoding.grid + origins[:, ::-1]
    reach = distances[tensor, :, row, column]
    angles = 2 * np.pi * np.arange(reach.shape[1]) / reach.shape[1]
    around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    polygons = centres[:, None] + reach[:, :, None] * around
    numbers, kept = apart(polygons, prepared.working, decoding.nms_overlap)
    (label,) = manifest.labels
    of: dict[int, tuple[Label, float]] = {n: (label, float(scores[one])) for n, one in enumerate(kept, start=1)}
    rule = (
        f"star-convex outline of probability at least {decoding.threshold:g}; of those that overlap by more than "
        f"{100 * decoding.nms_overlap:g} % of the smaller one the likeliest"
    )
    return numbered(expert, prepared, numbers, of, rule)


def apart(polygons: npt.NDArray[np.floating], size: tuple[int, int], most_overlap: float) -> tuple[Numbers, list[int]]:
    """Polygons (n, vertices, xy), the likeliest first: those kept, numbered from 1 in an image, and which they are."""
    rows, columns = size
    numbers = np.zeros(size, np.int32)
    kept: list[int] = []
    areas: list[int] = [0]
    for index, polygon in enumerate(polygons):
        corners = np.rint(polygon)
        if not np.isfinite(corners).all():
            continue
        left, top = np.maximum(corners.min(axis=0), 0).astype(int)
        right, bottom = np.minimum(corners.max(axis=0) + 1, (columns, rows)).astype(int)
        if left >= right or top >= bottom:
            continue
        inside = np.zeros((bottom - top, right - left), np.uint8)
        cv2.fillPoly(inside, [(corners - (left, top)).astype(np.int32)], (1,))
        area = int(cv2.countNonZero(inside))
        there = numbers[top:bottom, left:right]
        met = np.bincount(there[inside > 0], minlength=1)
        overlaps = met[1:] / np.minimum(area, np.asarray(areas[1 : len(met)])) if len(met) > 1 else np.zeros(0)
        if area == 0 or (overlaps > most_overlap).any():
            continue
        kept.append(index)
        areas.append(area)
        there[(inside > 0) & (there == 0)] = len(kept)
    return numbers, kept
