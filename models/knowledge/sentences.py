"""A sentence encoder of one tower in ONNX, as all-MiniLM-L6-v2 is: the mean over the tokens of a text, of length 1.

Reads the folder that `make encoder` writes. Knows nothing of passages beyond their words.

MiniLM: Wang et al. 2020, arXiv 2002.10957; trained for sentences as in Reimers & Gurevych 2019, arXiv 1908.10084.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from pydantic import BaseModel, ConfigDict, Field

from models.knowledge.biomedical import LOAD_ERRORS, BrokenEncoder, read_folder, tokenizer_of
from models.knowledge.encoder import Vectors

FILES = ("encoder.onnx", "tokenizer.json")
_BATCH = 16


class SentenceManifest(BaseModel):
    """What the folder says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["sentence"]
    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    source: str = Field(description="Where the weights came from, and their licence")
    dimensions: int = Field(ge=1)
    length: int = Field(ge=4, description="Most tokens of a text; what is beyond is cut off")
    sha256: dict[str, str] = Field(description="Of each file")


class SentenceEncoder:
    """An `Encoder` of one ONNX graph. Session and tokenizer may be used in several threads at once."""

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        """Load `folder`; `threads` of ONNX Runtime within one batch. Raises BrokenEncoder."""
        manifest, data = read_folder(folder, SentenceManifest, FILES)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = ort.InferenceSession(data[FILES[0]], options, providers=ort.get_available_providers())
            self._tokens = tokenizer_of(data[FILES[1]], manifest.length)
        except LOAD_ERRORS as error:
            raise BrokenEncoder("ONNX Runtime cannot load the encoder; make it again: make encoder") from error
        digest = hashlib.sha256("".join(manifest.sha256[name] for name in FILES).encode()).hexdigest()
        self.name = f"{manifest.name}@{digest[:12]}"
        self.dimensions = manifest.dimensions

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
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
            hidden = np.asarray(self._session.run(None, feed)[0], np.float32)
            vectors[places] = pooled(hidden, mask)
        return vectors

    def encode_passages(self, passages: Sequence[tuple[str, str]]) -> Vectors:
        return self.encode([f"{title}. {text}" for title, text in passages])


def pooled(hidden: Vectors, mask: npt.NDArray[np.int64]) -> Vectors:
    """float32 (n, tokens, dimensions) and its mask (n, tokens) → (n, dimensions) of length 1, padding left out."""
    weights = mask[..., None].astype(np.float32)
    means = (hidden * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)
    return (means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)).astype(np.float32)
