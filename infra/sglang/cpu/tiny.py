"""A tiny Qwen2.5-VL with random weights, tokenizer and chat template, made on the spot: python tiny.py FOLDER.

It runs in the environment of SGLang (torch, transformers). Its words are noise; it is made to be brief: a constant in
the values of its attention reaches every hidden state, and the rows of tokens that end things answer to that constant,
so that an answer under a grammar ends after some dozens of tokens.
"""

import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

SPECIAL = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>",
    "<|video_pad|>",
]  # fmt: skip
TEMPLATE = """\
{% for message in messages %}<|im_start|>{{ message['role'] }}
{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for part in message['content'] %}\
{% if part['type'] in ('image', 'image_url') %}<|vision_start|><|image_pad|><|vision_end|>\
{% elif 'text' in part %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
CONTEXT = 16_384
HIDDEN = 64
PATCH, MERGED = 14, 28
PROMPTS = Path(__file__).parents[3] / "models/describers/prompts"


def tokenizer() -> PreTrainedTokenizerFast:
    """Byte pairs learnt from the prompts, so that these are short in tokens."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2048,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    corpus = [path.read_text() for path in sorted(PROMPTS.glob("*.*")) if path.suffix != ".py"]
    raw.train_from_iterator(
        [*corpus, "/regions/0/intensity/mean = -92.2 /regions/1/surroundings/standard_deviation = 12.5"] * 20, trainer
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token="<|im_end|>", pad_token="<|endoftext|>",
        additional_special_tokens=SPECIAL[1:], model_max_length=CONTEXT, chat_template=TEMPLATE,
    )  # fmt: skip


def model(words: PreTrainedTokenizerFast) -> Qwen2_5_VLForConditionalGeneration:
    """The model, with its bias for tokens that end things."""
    torch.manual_seed(0)
    ids = {name: words.convert_tokens_to_ids(name) for name in SPECIAL}
    size = (len(words) + 63) // 64 * 64
    rope = {"rope_type": "default", "type": "default", "mrope_section": [2, 3, 3], "rope_theta": 1e6}
    config = Qwen2_5_VLConfig(
        text_config={
            "model_type": "qwen2_5_vl_text",
            "vocab_size": size,
            "hidden_size": HIDDEN,
            "intermediate_size": 64,
            "num_hidden_layers": 1,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": CONTEXT,
            "rope_theta": 1e6,
            "rope_parameters": rope,
            "bos_token_id": ids["<|endoftext|>"],
            "eos_token_id": ids["<|im_end|>"],
            "tie_word_embeddings": False,
        },
        vision_config={
            "depth": 1,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "in_chans": 3,
            "in_channels": 3,
            "patch_size": PATCH,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "out_hidden_size": HIDDEN,
            "fullatt_block_indexes": [0],
            "window_size": 112,
            "tokens_per_second": 2,
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=False,
    )
    config.architectures = ["Qwen2_5_VLForConditionalGeneration"]
    made = Qwen2_5_VLForConditionalGeneration(config)
    attention = made.model.language_model.layers[0].self_attn
    with torch.no_grad():
        attention.v_proj.bias.fill_(4.0)
        constant = attention.o_proj.weight.sum(dim=1)
        constant = constant / constant.norm()
        for token, place in words.get_vocab().items():
            made.lm_head.weight[place] += {'"': 8.0, "]": 4.0, "}": 4.0}.get(token[:1], 0.0) * constant
    made.generation_config.eos_token_id = ids["<|im_end|>"]
    made.generation_config.pad_token_id = ids["<|endoftext|>"]
    return made.to(torch.bfloat16)


def write(folder: Path) -> None:
    """All files that a server loads."""
    folder.mkdir(parents=True, exist_ok=True)
    words = tokenizer()
    model(words).save_pretrained(folder)
    words.save_pretrained(folder)
    fewest, most = MERGED * MERGED * 4, MERGED * MERGED * 64
    pixels = {
        "min_pixels": fewest,
        "max_pixels": most,
        "patch_size": PATCH,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.25, 0.25, 0.25],
        "image_processor_type": "Qwen2VLImageProcessor",
        "processor_class": "Qwen2_5_VLProcessor",
        "size": {"shortest_edge": fewest, "longest_edge": most},
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(pixels))
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": TEMPLATE}))
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings |= {"tokenizer_class": "Qwen2TokenizerFast", "processor_class": "Qwen2_5_VLProcessor"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    # The tokenizer's older form, which some loaders of Qwen ask for.
    learnt = json.loads((folder / "tokenizer.json").read_text())["model"]
    (folder / "vocab.json").write_text(json.dumps(learnt["vocab"]))
    merges = (pair if isinstance(pair, str) else " ".join(pair) for pair in learnt["merges"])
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{pair}\n" for pair in merges))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
