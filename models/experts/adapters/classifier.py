"""Classifiers that tell no place: what they think of the whole image. They make no regions."""

from typing import cast

import numpy as np

from models.experts.adapters.classes import counted, least, probabilities
from models.experts.decodings import Classifier
from models.experts.figures import figures
from models.experts.running import Expert, Found, Sight, UnfitOutput
from models.experts.stated import Precision
from schemas.regions import Opinion, OpinionPrecision


def find_opinions(expert: Expert, sight: Sight) -> Found:
    """The probability of each label, and which of them are told. Raises UnfitOutput."""
    manifest, decoding = expert.manifest, cast(Classifier, expert.manifest.decoding)
    prepared = expert.prepare(sight)
    (scores,) = expert.run(prepared.batch, [decoding.output], prepared.others)
    # Some exports keep the axes over which they averaged: (1, classes, 1, 1).
    if scores.ndim < 2 or len(scores) != 1 or scores.size != scores.shape[1]:
        raise UnfitOutput
    of_image = probabilities(scores.reshape(1, -1) / np.float32(decoding.temperature), decoding.activation)[0]
    if not (np.isfinite(of_image).all() and of_image.min() >= -1e-4 and of_image.max() <= 1 + 1e-4):
        raise UnfitOutput
    opinions: list[Opinion] = []
    for label in counted(manifest, len(of_image)):
        score, threshold = figures(min(1.0, max(0.0, float(of_image[label.index])))), least(label, decoding.threshold)
        opinions.append(
            Opinion(
                label=label.name,
                code=label.code,
                expert=manifest.expert,
                score=score,
                threshold=threshold,
                told=bool(of_image[label.index] >= threshold),
                calibration=decoding.calibration,
                precision=_stated(label.precision),
            )
        )
    return Found([], opinions=tuple(opinions))


def _stated(precision: Precision | None) -> OpinionPrecision | None:
    return None if precision is None else OpinionPrecision(**precision.model_dump(include={"value", "images", "of"}))
