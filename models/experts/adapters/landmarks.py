"""Landmarks: points that have a name. They make no regions."""

import math
from typing import cast

import numpy as np

from models.experts.adapters.classes import counted, least, probabilities
from models.experts.figures import figures
from models.experts.inputs import Floats, Prepared
from models.experts.points import Contours, Landmarks
from models.experts.running import Expert, Found, Sight, UnfitOutput
from schemas.regions import Landmark


def find_landmarks(expert: Expert, sight: Sight) -> Found:
    """Points of a sufficient score that lie within the image, at most one a label. Raises UnfitOutput."""
    manifest, decoding = expert.manifest, cast(Landmarks, expert.manifest.decoding)
    prepared = expert.prepare(sight)
    of_heatmaps = decoding.layout == "heatmaps"
    points, scores = (_peaks if of_heatmaps else _coordinates)(expert, decoding, prepared)
    if not np.isfinite(points).all() or (scores is not None and not np.isfinite(scores).all()):
        raise UnfitOutput
    if scores is not None and not of_heatmaps and not (scores.min() >= -1e-4 and scores.max() <= 1 + 1e-4):
        raise UnfitOutput
    found: list[Landmark] = []
    for label in counted(manifest, len(points)):
        score = None if scores is None else float(scores[label.index])
        if score is not None and score < least(label, decoding.threshold):
            continue
        x, y = (float(one) for one in in_image(points[label.index], prepared))
        if not (0 <= x < prepared.size[1] and 0 <= y < prepared.size[0]):
            continue
        found.append(
            Landmark(
                label=label.name,
                code=label.code,
                expert=manifest.expert,
                x=math.floor(100 * x) / 100,
                y=math.floor(100 * y) / 100,
                # A Gaussian that a network draws may be a little higher than 1.
                score=None if score is None else figures(min(1.0, max(0.0, score))),
            )
        )
    return Found([], landmarks=tuple(found))


def in_image(points: Floats, prepared: Prepared) -> Floats:
    """From px of the tensor, (…, 2) with x first and 0 at its edge, to px of the image."""
    (top, left), (down, across) = prepared.origins[0], prepared.scale
    return (points + np.asarray([left, top], np.float32)) * np.asarray([across, down], np.float32)


def in_tensor(given: Floats, decoding: Landmarks | Contours, prepared: Prepared) -> Floats:
    """Points (n, 2) in px of the tensor. Raises UnfitOutput where an output does not hold such."""
    if given.size % 2 or not np.isfinite(given).all():
        raise UnfitOutput
    sides = np.asarray(prepared.batch.shape[:1:-1] if decoding.coordinates == "fraction" else (1, 1), np.float32)
    return given.reshape(-1, 2) * sides


def _coordinates(expert: Expert, decoding: Landmarks, prepared: Prepared) -> tuple[Floats, Floats | None]:
    """Points (n, 2) in px of the tensor, and their scores (n,)."""
    names = [decoding.output, *([decoding.scores] if decoding.scores else [])]
    given, *scored = expert.run(prepared.batch, names, prepared.others)
    if scored and scored[0].size * 2 != given.size:
        raise UnfitOutput
    return in_tensor(given, decoding, prepared), scored[0].reshape(-1) if scored else None


def _peaks(expert: Expert, decoding: Landmarks, prepared: Prepared) -> tuple[Floats, Floats]:
    """The highest place of each map (n, 2) in px of the tensor, and its height (n,)."""
    (maps,) = expert.run(prepared.batch, [decoding.output], prepared.others)
    if maps.ndim != 4 or len(maps) != 1:
        raise UnfitOutput
    heat = probabilities(maps, decoding.activation)[0]
    rows, columns = heat.shape[1:]
    (height, width) = prepared.batch.shape[2:]
    points = np.empty((len(heat), 2), np.float32)
    for n, one in enumerate(heat):
        row, column = divmod(int(one.argmax()), columns)
        points[n, 0] = (column + 0.5 + _between(one[row], column)) * width / columns
        points[n, 1] = (row + 0.5 + _between(one[:, column], row)) * height / rows
    return points, heat.reshape(len(heat), -1).max(axis=1)


def _between(line: Floats, at: int) -> float:
    """How far from its highest value the peak of a line lies: of the parabola through three logarithms."""
    if not 0 < at < len(line) - 1 or not (line[at - 1 : at + 2] > 0).all():
        return 0.0
    before, highest, after = (math.log(float(value)) for value in line[at - 1 : at + 2])
    curvature = before - 2 * highest + after
    return 0.0 if curvature >= 0 else min(0.5, max(-0.5, (before - after) / (2 * curvature)))
