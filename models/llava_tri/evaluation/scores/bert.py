"""BERTScore by an encoder that is named: each token's vector held against the likest one of the other text.

Zhang et al. 2020, arXiv 1904.09675: F1 of greedy likeness, every token of the same weight (no idf), not rescaled. As in
their package, what marks a text's ends is matched with but counts for nothing. What a figure means depends on the
encoder, so its name stands beside it, and what right answers to other questions come to by it.
"""

# pyright: reportMissingImports=false
# torch and transformers are installed in .venv-llava only.

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from models.knowledge.folders import MANIFEST, BrokenEncoder
from models.knowledge.sentences import SentenceEncoder
from models.llava_tri.digest import weights_digest
from schemas.failures import InvalidInput

BATCH = 64
"""Pairs of texts whose vectors are held at once."""


class NoEncoder(InvalidInput):
    """What was named is no encoder that can be had here; the message says what would be."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A text by its tokens: vectors of length 1, float32 (tokens, dimensions), and which of them count, (tokens,)."""

    vectors: npt.NDArray[np.float32]
    counts: npt.NDArray[np.bool_]


class TokenEncoder(Protocol):
    """Vectors of the tokens of texts."""

    @property
    def name(self) -> str:
        """name@revision, and the layer that vectors are of."""
        ...

    def embed(self, texts: Sequence[str]) -> list[Embedded]:
        """One each, in their order."""
        ...


class OfKnowledge:
    """The encoder that `make encoder` installs, in its folder: ONNX, its last layer."""

    def __init__(self, folder: Path) -> None:
        self._encoder = SentenceEncoder(folder)
        self.name = f"{self._encoder.name}, last layer"

    def embed(self, texts: Sequence[str]) -> list[Embedded]:
        """As TokenEncoder has it."""
        return [Embedded(_of_length_1(hidden), counts) for hidden, counts in self._encoder.encode_tokens(texts)]


class OfTransformers:
    """An encoder of transformers: a folder, or NAME@COMMIT of the hub.

    Args:
        named: which.
        layer: whose vectors are taken, from 1; None: the last one.
    """

    def __init__(self, named: str, layer: int | None = None) -> None:
        import torch
        from transformers import AutoModel, AutoTokenizer

        folder = Path(named).is_dir()
        name, _, commit = (named, "", "") if folder else named.partition("@")
        if not folder and not commit:
            raise NoEncoder(f"{named}: of an encoder on the hub name the commit too, as NAME@COMMIT")
        told: dict[str, Any] = {} if folder else {"revision": commit}
        try:
            self._tokens = AutoTokenizer.from_pretrained(name, **told)
            self._model = AutoModel.from_pretrained(name, **told).eval()
        except (OSError, ValueError) as error:
            raise NoEncoder(f"{named}: no encoder that transformers loads: {str(error).splitlines()[0]}") from None
        layers = int(self._model.config.num_hidden_layers)
        if layer is not None and not 1 <= layer <= layers:
            raise NoEncoder(f"{named} has layers 1 to {layers}, and none {layer}")
        self._layer, self._no_grad = layer or layers, torch.inference_mode
        which = f"{Path(named).resolve().name}@{weights_digest(Path(named))[:12]}" if folder else named
        self.name = f"{which}, layer {self._layer} of {layers}"

    def embed(self, texts: Sequence[str]) -> list[Embedded]:
        """As TokenEncoder has it."""
        batch = self._tokens(
            list(texts), padding=True, truncation=True, return_tensors="pt", return_special_tokens_mask=True
        )
        special = batch.pop("special_tokens_mask").bool().numpy()
        with self._no_grad():
            hidden = self._model(**batch, output_hidden_states=True).hidden_states[self._layer].float().numpy()
        there = batch["attention_mask"].bool().numpy()
        return [
            Embedded(_of_length_1(row[here]), ~marks[here])
            for row, here, marks in zip(hidden, there, special, strict=True)
        ]


def encoder_of(named: str, layer: int | None = None) -> TokenEncoder:
    """The encoder that is named: a folder of `make encoder`, one of transformers, or NAME@COMMIT of the hub.

    Raises:
        NoEncoder: there is none, or transformers is not installed.
    """
    if (Path(named) / MANIFEST).is_file():
        if layer is not None:
            raise NoEncoder(f"{named}: of this encoder the last layer alone can be had")
        try:
            return OfKnowledge(Path(named))
        except BrokenEncoder as error:
            raise NoEncoder(f"{named}: {error}") from None
    if find_spec("transformers") is None:
        raise NoEncoder(
            f"{named}: no folder with {MANIFEST}, and transformers is not installed: take the folder that `make "
            "encoder` writes, or run it from .venv-llava"
        )
    return OfTransformers(named, layer)


def bert_score(answers: Sequence[str], right: Sequence[Sequence[str]], encoder: TokenEncoder) -> list[float]:
    """F1 of each answer with its best right one; 0 of texts without a token.

    Args:
        answers: texts.
        right: of each answer one right text at least.
        encoder: of their tokens.
    """
    pairs = [(answer, one) for answer, some in zip(answers, right, strict=True) for one in some]
    each: list[float] = []
    for start in range(0, len(pairs), BATCH):
        some = pairs[start : start + BATCH]
        texts = list(dict.fromkeys(text for pair in some for text in pair))
        known = dict(zip(texts, encoder.embed(texts), strict=True))
        each += [_f1(known[answer], known[one]) for answer, one in some]
    found = iter(each)
    return [max(next(found) for _ in some) for some in right]


def _f1(answer: Embedded, right: Embedded) -> float:
    if not answer.counts.any() or not right.counts.any():
        return 0.0
    likeness = answer.vectors @ right.vectors.T
    precision = float(likeness.max(axis=1)[answer.counts].mean())
    recall = float(likeness.max(axis=0)[right.counts].mean())
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def _of_length_1(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
