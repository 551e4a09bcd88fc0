"""BM25 with every weight computed when the index is built: a query only adds up postings (Lù 2024, arXiv 2407.03618).

Knows nothing of passages; documents are numbered from 0.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

# Robertson & Zaragoza 2009, The Probabilistic Relevance Framework: usual saturation and length normalisation.
_K1, _B = 1.2, 0.75


class Bm25(NamedTuple):
    """An inverted index: postings of term i are `documents` and `weights` from `starts[i]` to `starts[i + 1]`."""

    terms: dict[str, int]
    starts: npt.NDArray[np.int64]
    documents: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]
    size: int

    @classmethod
    def of(cls, documents: Sequence[Sequence[str]]) -> Self:
        """Index documents given as lists of terms."""
        mean_length = sum(map(len, documents)) / len(documents) or 1.0
        postings: dict[str, list[tuple[int, int]]] = {}
        for number, document in enumerate(documents):
            for term, count in Counter(document).items():
                postings.setdefault(term, []).append((number, count))
        starts, numbers, weights = [0], list[int](), list[float]()
        for term in sorted(postings):
            found = postings[term]
            rarity = np.log1p((len(documents) - len(found) + 0.5) / (len(found) + 0.5))
            for number, count in found:
                saturation = _K1 * (1 - _B + _B * len(documents[number]) / mean_length)
                numbers.append(number)
                weights.append(rarity * count * (_K1 + 1) / (count + saturation))
            starts.append(len(numbers))
        terms = {term: place for place, term in enumerate(sorted(postings))}
        return cls(
            terms,
            np.asarray(starts, np.int64),
            np.asarray(numbers, np.int32),
            np.asarray(weights, np.float32),
            len(documents),
        )

    def scores(self, query: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return the BM25 score of every document, float32 (size,); 0 where it holds none of the terms.

        A term that stands in the query n times counts n times.
        """
        scores = np.zeros(self.size, np.float32)
        for term, times in sorted(Counter(query).items()):
            place = self.terms.get(term)
            if place is not None:
                postings = slice(self.starts[place], self.starts[place + 1])
                scores[self.documents[postings]] += times * self.weights[postings]
        return scores
