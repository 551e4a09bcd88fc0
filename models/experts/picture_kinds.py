"""What kind of image a bare picture is: a linear layer on an image encoder's features, and how often it is right.

Whole sources are held out: pictures of one collection share a frame, a size, a scanner, and a layer that has seen some
of them tells the collection, not the kind of image. Knows no encoder and no file.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

COMPONENTS = 96
"""Of the features that are kept: with fewer pictures than features, the others only tell the pictures apart."""
STEPS, RATE, MOMENTUM, DECAY = 250, 0.05, 0.9, 1e-3
TEMPERATURES = np.geomspace(0.05, 5.0, 60)
LEAST = 0.95
"""Probability from which on a kind is told. Fixed beforehand, so that the precision there is measured, not chosen."""
LEAST_TOLD = 10
"""Held-out pictures that a kind must have been told of for its precision to be stated."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Logits are features @ weights + bias: (features, kinds) and (kinds,)."""

    kinds: tuple[str, ...]
    weights: Floats
    bias: Floats

    def logits(self, features: NDArray[np.floating]) -> Floats:
        """Of (pictures, features): (pictures, kinds)."""
        return np.asarray(features, np.float64) @ self.weights + self.bias


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What was told of pictures of sources that the layer had not seen.

    Args:
        kinds: of the columns.
        logits: (pictures, kinds); -inf for a kind that no other source shows.
        truth: column of each picture's own kind.
        temperature: by which logits are divided so that the pictures' own kinds are likeliest.
    """

    kinds: tuple[str, ...]
    logits: Floats
    truth: NDArray[np.int64]
    temperature: float

    @property
    def told(self) -> NDArray[np.int64]:
        """The column that is told of each picture; -1: none is likely enough."""
        chances = likelihoods(self.logits / self.temperature)
        return np.where(chances.max(axis=1) >= LEAST, chances.argmax(axis=1), -1)

    def precision(self, kind: str) -> tuple[int, int]:
        """Of how many pictures the kind was told, and of how many of these it was right."""
        of = self.told == self.kinds.index(kind)
        return int(of.sum()), int((of & (self.truth == self.kinds.index(kind))).sum())

    def is_borne_out(self, kind: str) -> bool:
        """Whether the kind was told often enough, and as often rightly as its likelihood says."""
        count, right = self.precision(kind)
        return count >= LEAST_TOLD and right >= LEAST * count


def fit(features: NDArray[np.floating], kinds: Sequence[str]) -> Layer:
    """Softmax regression on the features' principal components.

    Args:
        features: (pictures, features).
        kinds: of each picture. Each kind weighs by the root of how many pictures it has.
    """
    names = tuple(sorted(set(kinds)))
    truth = np.asarray([names.index(kind) for kind in kinds])
    mean, spread = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64) + 1e-3
    scaled = (features - mean) / spread
    # By the pictures' products: there are fewer pictures than features, mostly.
    values, vectors = np.linalg.eigh(scaled @ scaled.T)
    kept = np.argsort(-values)[:COMPONENTS]
    kept = kept[values[kept] > 1e-9 * values.max()]
    lengths = np.sqrt(values[kept])
    components = scaled.T @ (vectors[:, kept] / lengths)
    unit = 3.0 * np.sqrt((lengths**2).sum() / (len(kept) * len(scaled)))
    inputs = np.c_[vectors[:, kept] * lengths / unit, np.ones(len(scaled))]
    share = 1.0 / np.sqrt(np.bincount(truth)[truth])
    share /= share.sum()
    wanted = np.eye(len(names))[truth]
    learnt, speed = np.zeros((inputs.shape[1], len(names))), np.zeros((inputs.shape[1], len(names)))
    for _ in range(STEPS):
        slope = inputs.T @ ((likelihoods(inputs @ learnt) - wanted) * share[:, None]) + DECAY * learnt
        speed = MOMENTUM * speed - RATE * slope
        learnt = learnt + speed
    weights = components @ learnt[:-1] / unit / spread[:, None]
    return Layer(names, weights, learnt[-1] - mean @ weights)


def held_out(features: NDArray[np.floating], kinds: Sequence[str], sources: Sequence[str]) -> HeldOut:
    """Logits of each source's pictures by a layer fitted to all other sources.

    Args:
        features: (pictures, features).
        kinds: of each picture.
        sources: that each picture is from: at least two.
    """
    names = tuple(sorted(set(kinds)))
    truth = np.asarray([names.index(kind) for kind in kinds])
    logits = np.full((len(truth), len(names)), -np.inf)
    of = np.asarray(sources)
    for source in sorted(set(sources)):
        rest = np.flatnonzero(of != source)
        layer = fit(features[rest], [kinds[int(n)] for n in rest])
        columns = [names.index(kind) for kind in layer.kinds]
        mine = np.flatnonzero(of == source)
        logits[mine[:, None], np.asarray(columns)] = layer.logits(features[mine])
    return HeldOut(names, logits, truth, _temperature(logits, truth))


def _temperature(logits: Floats, truth: NDArray[np.int64]) -> float:
    """The one of least cross entropy, over pictures whose own kind could be told: Guo et al., ICML 2017."""
    rows = np.flatnonzero(np.isfinite(logits[np.arange(len(truth)), truth]))
    losses = [
        -np.log(likelihoods(logits[rows] / one)[np.arange(len(rows)), truth[rows]] + 1e-12).mean()
        for one in TEMPERATURES
    ]
    return float(TEMPERATURES[int(np.argmin(losses))])


def likelihoods(logits: Floats) -> Floats:
    """Softmax of each row."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)
