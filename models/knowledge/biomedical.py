"""A biomedical encoder of two towers in ONNX, as MedCPT is: one for queries, one for articles (Jin et al. 2023).

Reads the folder that models/knowledge/export wrote. Knows nothing of torch, and nothing of passages beyond their words.

MedCPT: Contrastive Pre-trained Transformers with large-scale PubMed search logs, Bioinformatics 2023;39:btad651. The
embedding is the last layer at [CLS]; embeddings are compared by their dot product, not brought to length 1.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import Field
from tokenizers import Tokenizer

from models.knowledge.encoder import Vectors
from models.knowledge.folders import BrokenEncoder, Manifest, read_folder
from models.knowledge.graphs import LOAD_ERRORS, session_of, tokenizer_of

FILES = ("query.onnx", "article.onnx", "tokenizer.json")
_BATCH = 16


class TwoTowers(Manifest):
    """What the folder says of itself."""

    query_length: int = Field(ge=3, description="Most tokens of a query; what is beyond is cut off")
    article_length: int = Field(ge=4, description="Most tokens of title and text together")


class BiomedicalEncoder:
    """An `Encoder` of two ONNX towers. Sessions and tokenizers may be used in several threads at once."""

    weight = 1.0

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        """Load `folder`; `threads` of ONNX Runtime within one batch. Raises BrokenEncoder."""
        manifest, data = read_folder(folder, TwoTowers, FILES)
        try:
            self._query, self._article = (_Tower(data[name], threads) for name in FILES[:2])
            self._query_tokens, self._article_tokens = (
                tokenizer_of(data[FILES[2]], length) for length in (manifest.query_length, manifest.article_length)
            )
        except LOAD_ERRORS as error:
            raise BrokenEncoder("ONNX Runtime cannot load the encoder; export it again") from error
        self.name = manifest.versioned(FILES)
        self.dimensions = manifest.dimensions

    def encode(self, texts: Sequence[str]) -> Vectors:
        return self._embedded(self._query, self._query_tokens, list(texts))

    def encode_passages(self, passages: Sequence[tuple[str, str]]) -> Vectors:
        return self._embedded(self._article, self._article_tokens, list(passages))

    def _embedded(self, tower: "_Tower", tokenizer: Tokenizer, inputs: list[str] | list[tuple[str, str]]) -> Vectors:
        vectors = np.zeros((len(inputs), self.dimensions), np.float32)
        for start in range(0, len(inputs), _BATCH):
            batch = tokenizer.encode_batch(inputs[start : start + _BATCH])
            vectors[start : start + _BATCH] = tower.run(
                *(
                    np.array([getattr(each, field) for each in batch], np.int64)
                    for field in ("ids", "attention_mask", "type_ids")
                )
            )
        return vectors


class _Tower:
    """A graph: int64 (n, tokens) ids, mask and types → float32 (n, dimensions)."""

    def __init__(self, graph: bytes, threads: int) -> None:
        self._session = session_of(graph, threads)

    def run(self, ids: np.ndarray, mask: np.ndarray, types: np.ndarray) -> Vectors:
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        return np.asarray(self._session.run(["vector"], feed)[0], np.float32)
