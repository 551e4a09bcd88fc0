"""Scores of classes as probabilities, and the labels that a manifest gives them. Knows no outputs and no regions."""

import numpy as np

from models.experts.decodings import Activation, Label
from models.experts.inputs import Floats
from models.experts.manifest import Manifest
from models.experts.running import UnfitOutput


def probabilities(scores: Floats, activation: Activation) -> Floats:
    """(n, classes, …) by the activation that the graph left out.

    Raises UnfitOutput of what is no number: below every threshold, it would pass for a finding that is not there.
    """
    found = scores
    if activation == "sigmoid":
        found = (1 / (1 + np.exp(-np.clip(scores, -80, 80)))).astype(np.float32)
    if activation == "softmax":
        with np.errstate(invalid="ignore"):
            scaled = np.exp(scores - scores.max(axis=1, keepdims=True))
            found = scaled / scaled.sum(axis=1, keepdims=True)
    if found.size and not np.isfinite(found.min() + found.max()):
        raise UnfitOutput
    return found


def counted(manifest: Manifest, classes: int) -> tuple[Label, ...]:
    """The labels, each of which must be one of the graph's classes; raises UnfitOutput."""
    if any(label.index >= classes for label in manifest.labels):
        raise UnfitOutput
    return manifest.labels


def least(label: Label, otherwise: float) -> float:
    """The threshold of a label."""
    return otherwise if label.threshold is None else label.threshold
