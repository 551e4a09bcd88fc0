"""A model with random weights, exported as `tristream model export` does: `python -m tests.sglang.exported FAMILY OUT`.

Runs in the environment of training. Writes the export to OUT/model, and to OUT/answers.json what Transformers itself
says of each picture: the log probability of the likeliest first token, and that token.
"""

# pyright: basic, reportMissingImports=false
# torch and transformers are installed in .venv-llava only.

import base64
import io
import json
import sys
from functools import partial
from pathlib import Path

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from benchmarks.sglang_bases import ASKED, picture
from models.llava_tri.training.export import export
from models.llava_tri.training.lineage import write_lineage
from tests.llava.small import BASES, small_tiny

LINEAGE = {
    "title": "Random weights", "base": {"name": "random", "commit": None, "digest": None}, "settings": {"boxes": None},
    "text_generation": 0, "sets": [], "stages": [],
}  # fmt: skip
SEEDS = (1, 2)


def first_token(model: object, processor: object, seed: int) -> tuple[str, float]:
    """The likeliest first token of an answer about a picture, and its log probability."""
    data = base64.b64decode(picture(seed).partition(",")[2])
    content = [
        {"type": "image", "image": Image.open(io.BytesIO(data)).convert("RGB")},
        {"type": "text", "text": ASKED},
    ]
    inputs = processor.apply_chat_template(  # pyright: ignore[reportAttributeAccessIssue]
        [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=True, return_dict=True,
        return_tensors="pt",
    )  # fmt: skip
    with torch.inference_mode():
        chances = model(**inputs).logits[0, -1].float().log_softmax(-1)  # pyright: ignore[reportCallIssue]
    token = int(chances.argmax())
    return processor.tokenizer.decode([token]), float(chances[token])  # pyright: ignore[reportAttributeAccessIssue]


def main() -> None:
    """Make it, export it, ask it."""
    family, out = sys.argv[1], Path(sys.argv[2])
    sys.path.insert(0, str(BASES))
    from bases import FAMILIES

    torch.manual_seed(0)
    {**FAMILIES, "llava-tiny": partial(small_tiny, spread=0.1)}[family](out / "trained")
    write_lineage(out / "trained", LINEAGE)
    export(out / "trained", out / "model")
    # In bfloat16, as the server computes; in float32 the tiny preset's first token is some 0.07 nats off.
    model = AutoModelForImageTextToText.from_pretrained(out / "model", dtype="auto").eval().requires_grad_(False)
    processor = AutoProcessor.from_pretrained(out / "model")
    answers = [first_token(model, processor, seed) for seed in SEEDS]
    (out / "answers.json").write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    main()
