"""Text to unit vectors, with no weights to download: TF-IDF of character n-grams, reduced by a truncated SVD.

Knows nothing of passages or ranking. Only fitting needs SciPy; encoding is NumPy alone.
"""

import math
from collections import Counter
from collections.abc import Sequence
from io import BytesIO
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
import orjson

from models.knowledge.text import indexed, ngrams

Vectors = npt.NDArray[np.float32]

_MOST_FEATURES = 20_000


class Encoder(Protocol):
    """Turns queries and passages into vectors whose dot product tells how well they fit. Threads may share it."""

    @property
    def name(self) -> str:
        """name@version, or name@digest of its weights; part of the knowledge snapshot."""
        ...

    @property
    def dimensions(self) -> int: ...

    @property
    def weight(self) -> float:
        """How much its scores count beside BM25's, which count 1; measured by benchmarks/knowledge_check.py."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 (n, dimensions) of queries; a row is all 0 where a text holds nothing the encoder knows."""
        ...

    def encode_passages(self, passages: Sequence[tuple[str, str]]) -> Vectors:
        """Return float32 (n, dimensions) of passages, given as title and text."""
        ...


class LatentSemanticEncoder:
    """TF-IDF (log term frequency) projected on its leading singular vectors (Deerwester et al. 1990); rows of length 1.

    One is fitted to each corpus, and lies in the index beside the vectors.
    """

    name = "latent-semantic-ngrams@1"
    weight = 0.1

    def __init__(self, features: Sequence[str], weights: Vectors, projection: Vectors) -> None:
        """Take n-grams, their inverse document frequencies (features,) and the projection (features, dimensions)."""
        if not len(features) == len(weights) == len(projection):
            raise ValueError("features, weights and projection differ in length")
        self.features = tuple(features)
        self.weights = weights
        self.projection = projection
        self._column = {feature: column for column, feature in enumerate(self.features)}

    @property
    def dimensions(self) -> int:
        return int(self.projection.shape[1])

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            counts = Counter(self._column[feature] for feature in ngrams(text) if feature in self._column)
            if not counts:
                continue
            columns = np.fromiter(counts.keys(), np.intp, len(counts))
            frequencies = np.fromiter(counts.values(), np.float32, len(counts))
            vector = ((1 + np.log(frequencies)) * self.weights[columns]) @ self.projection[columns]
            length = float(np.linalg.norm(vector))
            if length > 0:
                vectors[row] = vector / length
        return vectors

    def encode_passages(self, passages: Sequence[tuple[str, str]]) -> Vectors:
        return self.encode([indexed(title, text) for title, text in passages])

    def to_bytes(self) -> bytes:
        """All that `from_bytes` needs: arrays and JSON, nothing that is executed."""
        features = np.frombuffer(orjson.dumps(self.features), np.uint8)
        buffer = BytesIO()
        np.savez(buffer, features=features, weights=self.weights, projection=self.projection)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The encoder that `to_bytes` wrote. Raises ValueError, KeyError or zipfile.BadZipFile for other bytes."""
        with np.load(BytesIO(data), allow_pickle=False) as arrays:
            return cls(orjson.loads(arrays["features"].tobytes()), arrays["weights"], arrays["projection"])


def fit_encoder(texts: Sequence[str], dimensions: int) -> LatentSemanticEncoder:
    """Fit to the texts of a corpus. The same texts give the same encoder; small corpora give fewer dimensions."""
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import svds

    counts = [Counter(ngrams(text)) for text in texts]
    holding = Counter(feature for count in counts for feature in count)
    features = sorted(sorted(holding, key=lambda feature: (-holding[feature], feature))[:_MOST_FEATURES])
    column = {feature: number for number, feature in enumerate(features)}
    weights = np.array([1 + math.log((1 + len(texts)) / (1 + holding[feature])) for feature in features], np.float32)

    values, columns, starts = list[float](), list[int](), [0]
    for count in counts:
        row = {column[feature]: 1 + math.log(many) for feature, many in count.items() if feature in column}
        length = math.sqrt(sum((value * weights[place]) ** 2 for place, value in row.items())) or 1.0
        values.extend(value * weights[place] / length for place, value in row.items())
        columns.extend(row)
        starts.append(len(columns))
    shape = (len(texts), len(features))
    matrix = csr_array((values, columns, starts), shape=shape, dtype=np.float64)

    if dimensions < min(shape):
        # A fixed start vector: ARPACK otherwise begins at random and ends in other signs and last digits.
        axes = np.asarray(svds(matrix, k=dimensions, v0=np.ones(min(shape)))[2])
    else:
        axes = np.linalg.svd(matrix.toarray(), full_matrices=False)[2]
    return LatentSemanticEncoder(features, weights, np.ascontiguousarray(axes.T, np.float32))
