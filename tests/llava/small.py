"""The tiny preset's layout with a few thousand random weights."""

# pyright: basic, reportMissingImports=false
# torch is installed in .venv-llava only.

import sys
from pathlib import Path
from typing import Any

from infra.sglang import local

BASES = Path(local.__file__).parent / "cpu"
SMALL: dict[str, Any] = {
    "image_size": 64, "widths": (8, 12, 16, 20), "heads": (2, 2, 2, 2), "windows": (7, 7, 7, 7),
    "depths": (1, 1, 1, 1), "out": 8, "grid": 4, "cells": 2,
}  # fmt: skip
"""Sizes of a tower."""


def small_tiny(out: Path, spread: float = 0.02) -> None:
    """Write the model; `spread` is the deviation of the language model's weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from models.llava_tri.tiny.base import IMAGE, TEMPLATE, assembled, speaking
    from models.llava_tri.tiny.tower import Tower

    if str(BASES) not in sys.path:
        sys.path.insert(0, str(BASES))
    from tiny import tokenizer  # beside the makers of other bases

    torch.manual_seed(0)
    words = tokenizer()
    words.add_special_tokens({"additional_special_tokens": [IMAGE]})
    words.image_token, words.chat_template = IMAGE, TEMPLATE
    text = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(words), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=2048, tie_word_embeddings=True,
            initializer_range=spread,
        )
    )  # fmt: skip
    seen = Tower(speaking(words, 64, **SMALL)).eval().requires_grad_(False)
    values = seen.encoder(torch.rand(8, 3, SMALL["image_size"], SMALL["image_size"])).transpose(0, 1).flatten(1)
    # As the preset's own, and the sentence by features: random weights would make one picture as good as another.
    seen.shift.copy_(values.mean(dim=1))
    seen.scale.copy_(1 / values.std(dim=1))
    reader = seen.reader
    reader.begin()
    for part in (reader.square[0], reader.narrow, reader.whole, reader.choice, reader.edge):
        part.weight.mul_(8)
    assembled(text, seen, words, out)
