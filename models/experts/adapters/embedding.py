"""Embeddings: a vector of the whole image. They make no regions, and nothing is said of them."""

from typing import cast

import numpy as np

from models.experts.decodings import Embedder
from models.experts.inputs import Floats
from models.experts.running import Expert, Found, Sight, UnfitOutput
from schemas.regions import Embedding

DECIMALS = 5
"""Of a vector of length 1. A cosine of two then errs by about 1e-5, below what half precision does."""


def find_embedding(expert: Expert, sight: Sight) -> Found:
    """The vector, brought to length 1. Raises UnfitOutput where there is none, or it has no direction."""
    decoding = cast(Embedder, expert.manifest.decoding)
    prepared = expert.prepare(sight)
    (features,) = expert.run(prepared.batch, [decoding.output], prepared.others)
    vector = pooled(features, decoding.pooling).astype(np.float64)
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0:
        raise UnfitOutput
    values = tuple(round(float(value), DECIMALS) for value in vector / length)
    return Found([], embeddings=(Embedding(expert=expert.manifest.expert, values=values),))


def pooled(features: Floats, pooling: str) -> Floats:
    """Features of one image as a vector (numbers,). Raises UnfitOutput where they are of another shape."""
    one_image, rank = len(features) == 1, features.ndim
    if pooling == "none" and rank >= 2 and features.size == features.shape[1] > 1:
        return features.reshape(-1)
    if pooling == "mean" and one_image and rank == 4:
        return features[0].mean(axis=(1, 2))
    if pooling == "mean" and one_image and rank == 3:
        return features[0].mean(axis=0)
    if pooling == "first" and one_image and rank == 3:
        return features[0, 0]
    raise UnfitOutput
