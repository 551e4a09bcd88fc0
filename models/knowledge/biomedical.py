"""A biomedical encoder of two towers in ONNX, as MedCPT is: one for queries, one for articles (Jin et al. 2023).

Reads the folder that models/knowledge/export wrote. Knows nothing of torch, and nothing of passages beyond their words.

MedCPT: Contrastive Pre-trained Transformers with large-scale PubMed search logs, Bioinformatics 2023;39:btad651. The
embedding is the last layer at [CLS]; embeddings are compared by their dot product, not brought to length 1.
"""

import hashlib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import numpy as np
import onnxruntime as ort
from onnxruntime.capi import (
    onnxruntime_pybind11_state as ort_errors,  # pyright: ignore[reportAttributeAccessIssue]  # an extension, no stubs
)
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tokenizers import Tokenizer

from models.knowledge.encoder import Vectors
from schemas.failures import TristreamError

MANIFEST = "encoder.toml"
FILES = ("query.onnx", "article.onnx", "tokenizer.json")
_BATCH = 16

LOAD_ERRORS: tuple[type[Exception], ...] = (
    ort_errors.Fail, ort_errors.InvalidArgument, ort_errors.InvalidGraph, ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented, ort_errors.RuntimeException,
)  # fmt: skip


class BrokenEncoder(TristreamError):
    """An encoder that cannot be loaded: a fault of the installation."""


class Manifest(BaseModel):
    """What the folder says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    source: str = Field(description="Where the weights came from")
    dimensions: int = Field(ge=1)
    query_length: int = Field(ge=3, description="Most tokens of a query; what is beyond is cut off")
    article_length: int = Field(ge=4, description="Most tokens of title and text together")
    sha256: dict[str, str] = Field(description="Of each file")


class BiomedicalEncoder:
    """An `Encoder` of two ONNX towers. Sessions and tokenizers may be used in several threads at once."""

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        """Load `folder`; `threads` of ONNX Runtime within one batch. Raises BrokenEncoder."""
        manifest, data = read_folder(folder, Manifest, FILES)
        try:
            self._query, self._article = (_Tower(data[name], threads) for name in FILES[:2])
            self._query_tokens, self._article_tokens = (
                tokenizer_of(data[FILES[2]], length) for length in (manifest.query_length, manifest.article_length)
            )
        except LOAD_ERRORS as error:
            raise BrokenEncoder("ONNX Runtime cannot load the encoder; export it again") from error
        digest = hashlib.sha256("".join(manifest.sha256[name] for name in FILES).encode()).hexdigest()
        self.name = f"{manifest.name}@{digest[:12]}"
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
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self._session = ort.InferenceSession(graph, options, providers=ort.get_available_providers())

    def run(self, ids: np.ndarray, mask: np.ndarray, types: np.ndarray) -> Vectors:
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        return np.asarray(self._session.run(["vector"], feed)[0], np.float32)


_M = TypeVar("_M", bound=BaseModel)


def read_folder(folder: Path, manifest_type: type[_M], files: Sequence[str]) -> tuple[_M, dict[str, bytes]]:
    """The manifest of an encoder's folder and its files, each of which is the one named. Raises BrokenEncoder."""
    try:
        manifest = manifest_type.model_validate(tomllib.loads((folder / MANIFEST).read_text(encoding="utf-8")))
        data = {name: (folder / name).read_bytes() for name in files}
    except (tomllib.TOMLDecodeError, ValidationError, OSError, UnicodeDecodeError) as error:
        raise BrokenEncoder(
            f"TRISTREAM_ENCODER names no folder with {MANIFEST}, {', '.join(files)}; see docs/knowledge.md"
        ) from error
    named: dict[str, str] = getattr(manifest, "sha256", {})
    for name, content in data.items():
        if hashlib.sha256(content).hexdigest() != named.get(name):
            raise BrokenEncoder(f"{name} of the encoder is not the file that its manifest names; export it again")
    return manifest, data


def tokenizer_of(data: bytes, length: int) -> Tokenizer:
    """A tokenizer that pads and cuts to `length` tokens."""
    tokenizer = Tokenizer.from_buffer(data)
    # Of a title and its text, the longer gives way, as in the original's truncation.
    tokenizer.enable_truncation(length, strategy="longest_first")
    tokenizer.enable_padding(pad_id=tokenizer.token_to_id("[PAD]") or 0, pad_token="[PAD]")  # noqa: S106 - no password
    return tokenizer
