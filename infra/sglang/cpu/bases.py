"""Tiny checkpoints with random weights, one of each family that is trained or served: python bases.py FAMILY FOLDER.

They run in the environments of SGLang and of training alike. Their layouts are those of the real models; their words
are noise.
"""

import json
import sys
from pathlib import Path

import torch
from tiny import CONTEXT, SPECIAL, TEMPLATE, tokenizer
from transformers import (
    CLIPImageProcessor,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    SiglipImageProcessor,
    SiglipVisionConfig,
)

HIDDEN, LAYERS, HEADS = 64, 2, 4
PICTURE, PATCH = 112, 14
IMAGE = "<image>"
LLAVA_TEMPLATE = TEMPLATE.replace("<|vision_start|><|image_pad|><|vision_end|>", f"{IMAGE}\\n")


def _text(words: PreTrainedTokenizerFast, kind: str, **more: object) -> dict[str, object]:
    return {
        "model_type": kind, "vocab_size": (len(words) + 63) // 64 * 64, "hidden_size": HIDDEN, "intermediate_size": 128,
        "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": 2,
        "max_position_embeddings": CONTEXT, "tie_word_embeddings": False,
        "bos_token_id": words.convert_tokens_to_ids("<|endoftext|>"), "eos_token_id": words.eos_token_id, **more,
    }  # fmt: skip


def _ids(words: PreTrainedTokenizerFast) -> dict[str, int]:
    names = {"image": "image_pad", "video": "video_pad", "vision_start": "vision_start", "vision_end": "vision_end"}
    return {f"{name}_token_id": words.convert_tokens_to_ids(f"<|{token}|>") for name, token in names.items()}


def qwen2_5_vl(folder: Path) -> None:
    """Qwen2.5-VL: window attention, multimodal rotary positions."""
    words = tokenizer()
    rope = {"rope_type": "default", "type": "default", "mrope_section": [2, 3, 3], "rope_theta": 1e6}
    vision = {
        "depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "in_chans": 3, "in_channels": 3,
        "patch_size": PATCH, "spatial_merge_size": 2, "temporal_patch_size": 2, "out_hidden_size": HIDDEN,
        "fullatt_block_indexes": [1], "window_size": 112, "tokens_per_second": 2,
    }  # fmt: skip
    text = _text(words, "qwen2_5_vl_text", rope_parameters=rope, rope_theta=1e6)
    config = Qwen2_5_VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=False, **_ids(words))
    _qwen(folder, Qwen2_5_VLForConditionalGeneration(config), words, "Qwen2_5_VLProcessor", PATCH)


def qwen3_vl(folder: Path) -> None:
    """Qwen3-VL: features of several depths, interleaved multimodal rotary positions."""
    words = tokenizer()
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "mrope_interleaved": True, "rope_theta": 5e6}
    vision = {
        "depth": 3, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "in_channels": 3, "patch_size": 16,
        "spatial_merge_size": 2, "temporal_patch_size": 2, "out_hidden_size": HIDDEN, "num_position_embeddings": 64,
        "deepstack_visual_indexes": [0, 1],
    }  # fmt: skip
    text = _text(words, "qwen3_vl_text", rope_parameters=rope, rope_theta=5e6, head_dim=16)
    config = Qwen3VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=False, **_ids(words))
    _qwen(folder, Qwen3VLForConditionalGeneration(config), words, "Qwen3VLProcessor", 16)


def _qwen(folder: Path, model: object, words: PreTrainedTokenizerFast, processor: str, patch: int) -> None:
    _save(folder, model, words)
    fewest, most = (2 * patch) ** 2 * 4, (2 * patch) ** 2 * 64
    about = {
        "min_pixels": fewest, "max_pixels": most, "patch_size": patch, "temporal_patch_size": 2, "merge_size": 2,
        "image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25],
        "image_processor_type": "Qwen2VLImageProcessor", "processor_class": processor,
        "size": {"shortest_edge": fewest, "longest_edge": most},
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(about))
    videos = {"Qwen2_5_VLProcessor": "Qwen2VLVideoProcessor", "Qwen3VLProcessor": "Qwen3VLVideoProcessor"}[processor]
    about = {name: value for name, value in about.items() if name != "image_processor_type"}
    (folder / "video_preprocessor_config.json").write_text(json.dumps(about | {"video_processor_type": videos}))
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    path = folder / "tokenizer_config.json"
    told = json.loads(path.read_text()) | {"tokenizer_class": "Qwen2TokenizerFast", "processor_class": processor}
    path.write_text(json.dumps(told))


def _save(folder: Path, model: object, words: PreTrainedTokenizerFast) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    model.generation_config.eos_token_id = words.eos_token_id
    model.generation_config.pad_token_id = words.pad_token_id
    model.to(torch.bfloat16).save_pretrained(folder)
    words.save_pretrained(folder)
    learnt = json.loads((folder / "tokenizer.json").read_text())["model"]
    (folder / "vocab.json").write_text(json.dumps(learnt["vocab"]))
    merges = (pair if isinstance(pair, str) else " ".join(pair) for pair in learnt["merges"])
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{pair}\n" for pair in merges))


def llava_clip(folder: Path) -> None:
    """Hugging Face's LLaVA-1.5 with CLIP, the class token left out."""
    vision = CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, image_size=PICTURE,
        patch_size=PATCH, projection_dim=32,
    )  # fmt: skip
    size = {"height": PICTURE, "width": PICTURE}
    pictures = CLIPImageProcessor(size=size, crop_size=size, do_center_crop=False)
    _llava(folder, vision, pictures, strategy="default", layer=-2, more=1)


def llava_siglip(folder: Path) -> None:
    """Hugging Face's LLaVA with SigLIP, which has no class token."""
    vision = SiglipVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, image_size=PICTURE,
        patch_size=PATCH, vision_use_head=False,
    )  # fmt: skip
    pictures = SiglipImageProcessor(size={"height": PICTURE, "width": PICTURE})
    _llava(folder, vision, pictures, strategy="full", layer=-1, more=0)


def _llava(folder: Path, vision: object, pictures: object, *, strategy: str, layer: int, more: int) -> None:
    words = tokenizer()
    words.add_special_tokens({"additional_special_tokens": [*SPECIAL[1:], IMAGE]})
    words.image_token = IMAGE
    text = LlamaConfig(**_text(words, "llama"))
    config = LlavaConfig(
        vision_config=vision, text_config=text, image_token_index=words.convert_tokens_to_ids(IMAGE),
        vision_feature_select_strategy=strategy, vision_feature_layer=layer, tie_word_embeddings=False,
    )  # fmt: skip
    _save(folder, LlavaForConditionalGeneration(config), words)
    LlavaProcessor(
        image_processor=pictures, tokenizer=words, patch_size=PATCH, vision_feature_select_strategy=strategy,
        num_additional_image_tokens=more, chat_template=LLAVA_TEMPLATE, image_token=IMAGE,
    ).save_pretrained(folder)  # fmt: skip
    (folder / "chat_template.jinja").write_text(LLAVA_TEMPLATE)


def llava_original(folder: Path) -> None:
    """The layout of liuhaotian/LLaVA: a Llama with `mm_` fields, and its CLIP in a folder beside it."""
    llava_clip(folder)
    from safetensors.torch import load_file, save_file
    from transformers import CLIPVisionModel

    tower = folder / "clip"  # the server knows the kind of a tower by its name
    config = json.loads((folder / "config.json").read_text())
    CLIPVisionModel(CLIPVisionConfig(**config["vision_config"])).save_pretrained(tower)
    for name in ("preprocessor_config.json", "processor_config.json"):
        if (folder / name).exists():
            told = json.loads((folder / name).read_text())
            (tower / "preprocessor_config.json").write_text(json.dumps(told.get("image_processor", told)))
    weights = {}
    for name, value in load_file(folder / "model.safetensors").items():
        if "vision_tower" in name:
            continue
        bare = name.removeprefix("model.").removeprefix("language_model.").removeprefix("model.")
        bare = bare.replace("multi_modal_projector.linear_1", "mm_projector.0")
        bare = bare.replace("multi_modal_projector.linear_2", "mm_projector.2")
        weights[bare if bare.startswith("lm_head") else f"model.{bare}"] = value.contiguous()
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    text = config["text_config"] | {
        "architectures": ["LlavaLlamaForCausalLM"], "model_type": "llava", "mm_hidden_size": 32,
        "mm_projector_type": "mlp2x_gelu", "mm_vision_select_layer": -2, "mm_vision_select_feature": "patch",
        "mm_vision_tower": str(tower.absolute()), "image_aspect_ratio": "pad", "torch_dtype": "bfloat16",
        "image_token_index": config["image_token_index"],
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(text))


FAMILIES = {
    one.__name__.replace("_", "-"): one for one in (qwen2_5_vl, qwen3_vl, llava_clip, llava_siglip, llava_original)
}

if __name__ == "__main__":
    torch.manual_seed(0)
    FAMILIES[sys.argv[1]](Path(sys.argv[2]))
