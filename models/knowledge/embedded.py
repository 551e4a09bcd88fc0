"""A knowledge base in one file, searched in this process: BM25 and exact cosine, fused by rank.

Knows nothing of images. Why NumPy and no database: docs/decisions/0001-embedded-knowledge-store.md.
"""

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from models.knowledge.base import Query
from models.knowledge.bm25 import Bm25
from models.knowledge.encoder import Encoder, LatentSemanticEncoder, Vectors, fit_encoder
from models.knowledge.passages import read_corpus
from models.knowledge.text import ANALYSIS_VERSION, words
from schemas.failures import InvalidInput, Unavailable
from schemas.knowledge import FoundPassage, Passage

DIMENSIONS = 64
_FORMAT_VERSION = 1

# Reciprocal rank fusion (Cormack, Clarke & Büttcher, SIGIR 2009): the paper's constant, and how deep each list is read.
_RANK_CONSTANT = 60
_DEPTH = 50
# Cosines that differ by less are equal: the last bits depend on the machine's linear algebra, and rankings must not.
_COSINE_DIGITS = 5

_ANY_MODALITY = frozenset({None, "unknown", "other"})


class InvalidIndex(InvalidInput):
    """A file that is no index of this version, or a damaged one. Building it again mends it."""


@dataclass(frozen=True, slots=True)
class _Index:
    snapshot: str
    passages: tuple[Passage, ...]
    bm25: Bm25
    vectors: Vectors
    encoder: Encoder


class EmbeddedKnowledge:
    """A `KnowledgeBase` held in memory. Nothing changes after construction, so threads need no lock."""

    def __init__(self, index: _Index) -> None:
        self._index = index
        self._fits_modality = _membership([passage.modalities for passage in index.passages])
        self._fits_organ = _membership([passage.organs for passage in index.passages])

    @property
    def snapshot(self) -> str:
        return self._index.snapshot

    def search(self, query: Query) -> tuple[FoundPassage, ...]:
        lexical = self._index.bm25.scores(words(query.text))
        semantic = self._index.vectors @ self._index.encoder.encode([query.text])[0]
        eligible = self._eligible(query)
        depth = max(_DEPTH, query.limit)
        fused = np.zeros(len(self._index.passages))
        for scores in (lexical, np.round(semantic, _COSINE_DIGITS)):
            ranked = _best(np.where(eligible, scores, 0), depth)
            fused[ranked] += 1 / (_RANK_CONSTANT + 1 + np.arange(len(ranked)))
        return tuple(
            FoundPassage(**dict(self._index.passages[place]), score=float(fused[place]))
            for place in _best(fused, query.limit)
        )

    def _eligible(self, query: Query) -> npt.NDArray[np.bool_]:
        everything = np.ones(len(self._index.passages), np.bool_)
        of_modality = everything if query.modality in _ANY_MODALITY else _fitting(self._fits_modality, query.modality)
        if query.organ is None:
            return of_modality
        of_both = of_modality & _fitting(self._fits_organ, query.organ.lower())
        return of_both if of_both.any() else of_modality


def _membership(labels: Sequence[tuple[str, ...]]) -> dict[str | None, npt.NDArray[np.bool_]]:
    """Which passages fit each label, and under None those without labels, which fit any."""
    anything = np.array([not label for label in labels])
    names = {name for label in labels for name in label}
    return {None: anything} | {name: anything | np.array([name in label for label in labels]) for name in names}


def _fitting(membership: dict[str | None, npt.NDArray[np.bool_]], label: str | None) -> npt.NDArray[np.bool_]:
    return membership.get(label, membership[None])


def _best(scores: npt.NDArray[Any], most: int) -> npt.NDArray[np.intp]:
    """Places of the highest positive scores, best first; ties by id, the order in which passages are stored."""
    floor = np.partition(scores, -most)[-most] if len(scores) > most else 0
    candidates = np.flatnonzero((scores >= floor) & (scores > 0))
    return candidates[np.argsort(-scores[candidates], kind="stable")][:most]


def snapshot_of(name: str, passages: Iterable[Passage], dimensions: int = DIMENSIONS) -> str:
    """Return name@digest over every passage and everything that decides how they are ranked."""
    digest = hashlib.sha256()
    recipe = [_FORMAT_VERSION, ANALYSIS_VERSION, LatentSemanticEncoder.name, dimensions]
    for part in (recipe, *(passage.model_dump(mode="json") for passage in passages)):
        digest.update(orjson.dumps(part, option=orjson.OPT_SORT_KEYS) + b"\n")
    return f"{name}@{digest.hexdigest()[:16]}"


def build(corpus: Path, folder: Path) -> Path:
    """Index a corpus into one file in `folder`, replacing an earlier one at once, and return its path.

    Raises InvalidCorpus for a wrong line, `schemas.failures.Unavailable` where a file cannot be read or written.
    """
    return _build(corpus.stem, read_corpus(corpus), folder)


def ensure_index(corpus: Path, folder: Path) -> Path:
    """Return the index of a corpus in `folder`, built anew only where it is missing, damaged or outdated."""
    passages = read_corpus(corpus)
    path = folder / f"{corpus.stem}.npz"
    try:
        current = open_embedded(path).snapshot == snapshot_of(corpus.stem, passages)
    except (InvalidIndex, Unavailable):
        current = False
    return path if current else _build(corpus.stem, passages, folder)


def _build(name: str, passages: tuple[Passage, ...], folder: Path) -> Path:
    texts = [f"{passage.title}. {passage.title}. {passage.text}" for passage in passages]  # a title counts twice
    encoder = fit_encoder(texts, DIMENSIONS)
    bm25 = Bm25.of([words(text) for text in texts])
    header = {
        "snapshot": snapshot_of(name, passages),
        "passages": [passage.model_dump(mode="json") for passage in passages],
        "terms": list(bm25.terms),
        "features": encoder.features,
    }
    path = folder / f"{name}.npz"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{name}-", delete=False) as file:
            try:
                np.savez(
                    file,
                    header=np.frombuffer(orjson.dumps(header), np.uint8),
                    starts=bm25.starts, documents=bm25.documents, weights=bm25.weights,
                    vectors=encoder.encode(texts), feature_weights=encoder.weights, projection=encoder.projection,
                )  # fmt: skip
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(path)
            finally:
                Path(file.name).unlink(missing_ok=True)
    except OSError as error:
        raise Unavailable(
            "the knowledge index cannot be written; check the folder's free space and permissions"
        ) from error
    return path


def open_embedded(path: Path) -> EmbeddedKnowledge:
    """Load an index that `build` wrote. Nothing in the file is executed: arrays and JSON only.

    Raises InvalidIndex for a damaged file, `schemas.failures.Unavailable` where there is none to read.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            header = orjson.loads(arrays["header"].tobytes())
            passages = tuple(Passage.model_validate(passage) for passage in header["passages"])
            terms = {term: place for place, term in enumerate(header["terms"])}
            bm25 = Bm25(terms, arrays["starts"], arrays["documents"], arrays["weights"], len(passages))
            encoder = LatentSemanticEncoder(header["features"], arrays["feature_weights"], arrays["projection"])
            return EmbeddedKnowledge(_Index(header["snapshot"], passages, bm25, arrays["vectors"], encoder))
    except OSError as error:
        raise Unavailable("the knowledge index cannot be read; build it from its corpus") from error
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InvalidIndex(
            "the knowledge index is damaged or of another version; build it again from its corpus"
        ) from error
