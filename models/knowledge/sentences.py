"""A sentence encoder of one tower in ONNX, as all-MiniLM-L6-v2 is: a vector of length 1, the mean
over the tokens of a text or the first token's.

Reads the folder that `make encoder` writes. Knows nothing of passages beyond their words.

MiniLM: Wang et al. 2020, arXiv 2002.10957; trained for sentences as in Reimers & Gurevych 2019, arXiv 1908.10084.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field
from tokenizers import Encoding

from models.knowledge.encoder import Vectors
from models.knowledge.folders import BrokenEncoder, Manifest, read_folder
from models.knowledge.graphs import LOAD_ERRORS, session_of, tokenizer_of

FILES = ("encoder.onnx", "tokenizer.json")
_BATCH = 16


class Sentence(Manifest):
    """What the folder says of itself."""

    kind: Literal["sentence"]
    length: int = Field(ge=4, description="Most tokens of a text; what is beyond is cut off")
    pooling: Literal["mean", "first"] = Field(default="mean", description="Over all tokens, or the first token's")
    asks_with: str = Field(default="", description="What is put before a query, not before a passage")


class SentenceEncoder:
    """An `Encoder` of one ONNX graph. Session and tokenizer may be used in several threads at once."""

    weight = 0.5

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        """Load `folder`; `threads` of ONNX Runtime within one batch. Raises BrokenEncoder."""
        manifest, data = read_folder(folder, Sentence, FILES)
        try:
            self._session = session_of(data[FILES[0]], threads)
            self._tokens = tokenizer_of(data[FILES[1]], manifest.length)
        except LOAD_ERRORS as error:
            raise BrokenEncoder("ONNX Runtime cannot load the encoder; make it again: make encoder") from error
        self.name = manifest.versioned(FILES)
        self.dimensions = manifest.dimensions
        self._pooled = pooled if manifest.pooling == "mean" else first
        self._asks_with = manifest.asks_with

    def encode(self, texts: Sequence[str]) -> Vectors:
        return self._encoded([self._asks_with + text for text in texts])

    def encode_passages(self, passages: Sequence[tuple[str, str]]) -> Vectors:
        return self._encoded([f"{title}. {text}" for title, text in passages])

    def encode_tokens(self, texts: Sequence[str]) -> list[tuple[Vectors, npt.NDArray[np.bool_]]]:
        """Of each text the vectors of its tokens, float32 (tokens, dimensions), and which of them are its own."""
        found: dict[int, tuple[Vectors, npt.NDArray[np.bool_]]] = {}
        for places, batch, hidden, mask in self._batches(texts):
            for place, one, row, here in zip(places, batch, hidden, mask.astype(bool), strict=True):
                found[place] = row[here], ~np.array(one.special_tokens_mask, bool)[here]
        return [found[place] for place in range(len(texts))]

    def _encoded(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for places, _, hidden, mask in self._batches(texts):
            vectors[places] = self._pooled(hidden, mask)
        return vectors

    def _batches(
        self, texts: Sequence[str]
    ) -> Iterator[tuple[list[int], list[Encoding], Vectors, npt.NDArray[np.int64]]]:
        # Texts of like length together: a batch is padded to its longest.
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        for start in range(0, len(order), _BATCH):
            places = order[start : start + _BATCH]
            batch = self._tokens.encode_batch([texts[place] for place in places])
            ids, mask, types = (
                np.array([getattr(each, field) for each in batch], np.int64)
                for field in ("ids", "attention_mask", "type_ids")
            )
            feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
            yield places, batch, np.asarray(self._session.run(None, feed)[0], np.float32), mask


def pooled(hidden: Vectors, mask: npt.NDArray[np.int64]) -> Vectors:
    """float32 (n, tokens, dimensions) and its mask (n, tokens) → (n, dimensions) of length 1, padding left out."""
    weights = mask[..., None].astype(np.float32)
    return _of_length_1((hidden * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1))


def first(hidden: Vectors, mask: npt.NDArray[np.int64]) -> Vectors:
    """float32 (n, tokens, dimensions) → (n, dimensions) of length 1: the first token's, as BGE is trained."""
    return _of_length_1(hidden[:, 0])


def _of_length_1(vectors: Vectors) -> Vectors:
    return (vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)).astype(np.float32)
