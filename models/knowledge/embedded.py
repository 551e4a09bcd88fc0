"""A knowledge base in one file, searched in this process: BM25 and exact cosine, their relative scores added up.

Knows nothing of images. Why NumPy and no database: docs/decisions/0001-embedded-knowledge-store.md.
"""

import contextlib
import os
import tempfile
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from models.knowledge.base import Only, Query, modality_asked, presupposed, presuppositions, subjects
from models.knowledge.bm25 import Bm25
from models.knowledge.encoder import Encoder, LatentSemanticEncoder, Vectors, fit_encoder
from models.knowledge.passages import read_corpus
from models.knowledge.snapshots import snapshot_of
from models.knowledge.text import indexed
from models.knowledge.wording import asked, counted
from schemas.failures import InvalidInput, TristreamError, Unavailable
from schemas.knowledge import FoundPassage, Passage

DIMENSIONS = 64
_FORMAT_VERSION = 4

# Scores that differ by less are equal: the last bits depend on the machine's linear algebra, and rankings must not.
_DIGITS = 5
_DEPTH = 50
"""How many passages have a share in what vectors tell, as in Weaviate's lists."""
_KEPT_DAYS = 30
"""Days after which the index of a corpus that no one has opened is removed when another is written."""


class InvalidIndex(InvalidInput):
    """A file that is no index of this version, or a damaged one. Building it again mends it."""


class OtherEncoder(TristreamError):
    """A base was built with an encoder that this process was not given."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the knowledge base was built with the encoder {name}: give its folder in TRISTREAM_ENCODER or build again"
        )


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
        passages = index.passages
        self._fits_modality = _membership([passage.modalities for passage in passages])
        self._narrowing = tuple(
            _membership([getattr(passage, field) for passage in passages]) for field in ("organs", "diseases")
        )
        # What is about nothing, or presupposes nothing, is labelled so: it is not what fits any.
        self._about = _membership([subjects(passage) or ("",) for passage in passages])
        self._kinds = _membership([(passage.kind,) if passage.kind else () for passage in passages])
        self._presupposes = _membership([(presupposed(passage.applies_when),) for passage in passages])

    @property
    def snapshot(self) -> str:
        return self._index.snapshot

    @property
    def passages(self) -> tuple[Passage, ...]:
        """All of them, by id."""
        return self._index.passages

    def search(self, query: Query) -> tuple[FoundPassage, ...]:
        encoder = self._index.encoder
        lexical = self._index.bm25.scores(asked(query.text))
        semantic = self._index.vectors @ encoder.encode([query.text])[0]
        eligible = self._eligible(query)
        meaning = _relative(semantic, eligible, floor=_nth_best(semantic[eligible]))
        fused = (_relative(lexical, eligible) + encoder.weight * meaning) / (1 + encoder.weight)
        return tuple(
            FoundPassage(**dict(self._index.passages[place]), score=float(fused[place]))
            for place in _best(np.round(fused, _DIGITS), query.limit)
        )

    def _eligible(self, query: Query) -> npt.NDArray[np.bool_]:
        found = np.ones(len(self._index.passages), np.bool_)
        modality = modality_asked(query)
        if modality is not None:
            found = _fitting(self._fits_modality, modality)
        if query.only is not None:
            found = found & self._only(query.only)
        for membership, label in zip(self._narrowing, (query.organ, query.disease), strict=True):
            if label is not None:
                narrowed = found & _fitting(membership, label.lower())
                found = narrowed if narrowed.any() else found
        return found

    def _only(self, only: Only) -> npt.NDArray[np.bool_]:
        found = _fitting_any(self._presupposes, presuppositions(only.conditions))
        found = found & _fitting_any(self._narrowing[0], only.organs)
        if only.about:
            found = found & _fitting_any(self._about, only.about)
        return found & _fitting_any(self._kinds, only.kinds) if only.kinds else found


def _membership(labels: Sequence[tuple[str, ...]]) -> dict[str | None, npt.NDArray[np.bool_]]:
    """Which passages fit each label, and under None those without labels, which fit any."""
    anything = np.array([not label for label in labels])
    names = {name.lower() for label in labels for name in label}
    folded = [{name.lower() for name in label} for label in labels]
    return {None: anything} | {name: anything | np.array([name in label for label in folded]) for name in names}


def _fitting(membership: dict[str | None, npt.NDArray[np.bool_]], label: str | None) -> npt.NDArray[np.bool_]:
    return membership.get(label, membership[None])


def _fitting_any(membership: dict[str | None, npt.NDArray[np.bool_]], labels: Sequence[str]) -> npt.NDArray[np.bool_]:
    return np.any([membership[None], *(_fitting(membership, label.lower()) for label in labels)], axis=0)


def _relative(
    scores: npt.NDArray[np.float32], eligible: npt.NDArray[np.bool_], floor: float = 0
) -> npt.NDArray[np.float64]:
    """How far each score is from `floor` to the best of those that are eligible, 0 to 1; 0 for all others."""
    kept = np.where(eligible, np.maximum(np.round(scores - floor, _DIGITS), 0), 0).astype(np.float64)
    highest = kept.max(initial=0)
    return kept / highest if highest > 0 else kept


def _nth_best(scores: npt.NDArray[np.float32]) -> float:
    """The score below which a vector tells nothing, for all texts of a field are somewhat alike; at least 0."""
    return max(0.0, float(np.partition(scores, -_DEPTH)[-_DEPTH])) if len(scores) > _DEPTH else 0.0


def _best(scores: npt.NDArray[Any], most: int) -> npt.NDArray[np.intp]:
    """Places of the highest positive scores, best first; ties by id, the order in which passages are stored."""
    floor = np.partition(scores, -most)[-most] if len(scores) > most else 0
    candidates = np.flatnonzero((scores >= floor) & (scores > 0))
    return candidates[np.argsort(-scores[candidates], kind="stable")][:most]


def build(corpus: Path, folder: Path) -> Path:
    """Index a corpus into one file in `folder`, replacing an earlier one at once, and return its path.

    Raises InvalidCorpus for a wrong line, `schemas.failures.Unavailable` where a file cannot be read or written.
    """
    path = folder / f"{corpus.stem}.npz"
    write_index(corpus.stem, read_corpus(corpus), path)
    return path


def ensure_index(corpus: Path, folder: Path, encoder: Encoder | None = None) -> Path:
    """Return the index of a corpus in `folder`, built anew only where it is missing or damaged.

    Its name holds the digest of all that decides what is in it (passages, encoder, this code's way of ranking), so that
    versions of this code that share a folder do not take turns in writing it. `encoder`: None fits one to the passages.
    """
    passages = read_corpus(corpus)
    name, dimensions = (encoder.name, encoder.dimensions) if encoder else (LatentSemanticEncoder.name, DIMENSIONS)
    snapshot = snapshot_of(corpus.stem, passages, _recipe(name, dimensions))
    path = folder / f"{snapshot.replace('@', '-')}.npz"
    try:
        current = open_embedded(path, encoder).snapshot == snapshot
    except (InvalidIndex, OtherEncoder, Unavailable):
        current = False
    if current:
        with contextlib.suppress(OSError):  # of another user
            path.touch()
    else:
        write_index(corpus.stem, passages, path, encoder)
        _remove_forgotten(folder, corpus.stem)
    return path


def _remove_forgotten(folder: Path, stem: str) -> None:
    """Remove indexes of this corpus that none has opened for long. One that cannot be removed stays."""
    for other in folder.glob(f"{stem}*.npz"):
        with contextlib.suppress(OSError):
            if time.time() - other.stat().st_mtime > _KEPT_DAYS * 86400:
                other.unlink()


def write_index(name: str, passages: Sequence[Passage], path: Path, encoder: Encoder | None = None) -> str:
    """Index passages, sorted by id and each id once, into one file, replacing an earlier one at once.

    `encoder`: None fits one to the passages, which then lies in the file; another has to be given again to open it.
    Returns the snapshot. Raises `schemas.failures.Unavailable` where the file cannot be written.
    """
    texts = [indexed(passage.title, passage.text) for passage in passages]
    fitted = fit_encoder(texts, DIMENSIONS) if encoder is None else None
    chosen = encoder or fitted
    assert chosen is not None
    bm25 = Bm25.of(list(counted(passages)))
    # The dimensions asked for: what a small corpus is reduced to follows from its passages.
    recipe = _recipe(chosen.name, DIMENSIONS if fitted else chosen.dimensions)
    snapshot = snapshot_of(name, passages, recipe)
    header = {
        "format": _FORMAT_VERSION,
        "snapshot": snapshot,
        "encoder": chosen.name,
        "passages": [passage.model_dump(mode="json") for passage in passages],
        "terms": list(bm25.terms),
        "features": fitted.features if fitted else (),
    }
    vectors = chosen.encode_passages([(passage.title, passage.text) for passage in passages])
    weights = {"feature_weights": fitted.weights, "projection": fitted.projection} if fitted else {}
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{path.stem}-", delete=False) as file:
            try:
                np.savez(
                    file,
                    header=np.frombuffer(orjson.dumps(header), np.uint8),
                    starts=bm25.starts, documents=bm25.documents, weights=bm25.weights, vectors=vectors,
                    allow_pickle=False, **weights,
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
    return snapshot


def _recipe(encoder: str, dimensions: int) -> tuple[object, ...]:
    return ("embedded", _FORMAT_VERSION, encoder, dimensions)


def open_embedded(path: Path, encoder: Encoder | None = None) -> EmbeddedKnowledge:
    """Load an index that `write_index` wrote. Nothing in the file is executed: arrays and JSON only.

    `encoder`: the one it was built with, unless that was fitted to its passages.
    Raises InvalidIndex for a damaged file, OtherEncoder where `encoder` is not the one it needs,
    `schemas.failures.Unavailable` where there is none to read.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            header = orjson.loads(arrays["header"].tobytes())
            passages = tuple(Passage.model_validate(passage) for passage in header["passages"])
            assert header["format"] == _FORMAT_VERSION
            terms = {term: place for place, term in enumerate(header["terms"])}
            bm25 = Bm25(terms, arrays["starts"], arrays["documents"], arrays["weights"], len(passages))
            if header["encoder"] == LatentSemanticEncoder.name:
                encoder = LatentSemanticEncoder(header["features"], arrays["feature_weights"], arrays["projection"])
            elif encoder is None or encoder.name != header["encoder"]:
                raise OtherEncoder(header["encoder"])
            return EmbeddedKnowledge(_Index(header["snapshot"], passages, bm25, arrays["vectors"], encoder))
    except OSError as error:
        raise Unavailable("the knowledge index cannot be read; build it from its corpus") from error
    except (ValueError, KeyError, TypeError, EOFError, AssertionError, zipfile.BadZipFile) as error:
        raise InvalidIndex(
            "the knowledge index is damaged or of another version; build it again from its corpus"
        ) from error
