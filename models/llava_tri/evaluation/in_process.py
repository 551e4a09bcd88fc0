"""A model that transformers loads, asked in this process: for machines without a server."""

# pyright: reportMissingImports=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

import asyncio
import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from models.llava_tri.tiny.tower import FEATURES  # Transformers loads the tiny preset's model by this module


def load(folder: Path) -> tuple[Any, Any]:
    """The model in a folder, as it is kept, for answers alone; and its processor."""
    FEATURES.folder = folder.with_name(f"{folder.name}.features")
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype="auto").eval()
    return model, AutoProcessor.from_pretrained(folder)


class InProcess:
    """An `Answerer` that decodes greedily, one question at a time.

    Args:
        folder: of the model, as `tristream model export` or `save_pretrained` writes it.
        max_tokens: of an answer.
    """

    at_once = 1

    def __init__(self, folder: Path, *, max_tokens: int = 256) -> None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        model, self._processor = load(folder)
        self._model = model.to(device)
        self._max_tokens = max_tokens
        self.name = _name(folder)
        self.settings = f"max_tokens={max_tokens} greedy transformers {device}"

    async def answer(self, pictures: Sequence[bytes], text: str) -> str:
        """As Answerer has it."""
        return await asyncio.to_thread(self._answer, pictures, text)

    async def close(self) -> None:
        """As Answerer has it: the weights go with the object."""

    def _answer(self, pictures: Sequence[bytes], text: str) -> str:
        content: list[dict[str, object]] = [
            {"type": "image", "image": Image.open(io.BytesIO(one)).convert("RGB")} for one in pictures
        ]
        content.append({"type": "text", "text": text})
        inputs = self._processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        ).to(self._model.device)
        with torch.inference_mode():
            tokens = self._model.generate(**inputs, max_new_tokens=self._max_tokens, do_sample=False)
        told = tokens[0, inputs["input_ids"].shape[1] :]
        return self._processor.decode(told, skip_special_tokens=True).strip()


def _name(folder: Path) -> str:
    """As `model export` named it, else the folder's name; the digest is of its weights."""
    found = hashlib.sha256()
    for path in sorted([*folder.glob("*.safetensors"), *folder.glob("*.bin")]):
        with path.open("rb") as file:
            found.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    lineage = folder / "lineage.json"
    exported = json.loads(lineage.read_bytes()).get("model") if lineage.is_file() else None
    return exported or f"{folder.resolve().name}@{found.hexdigest()[:12]}"
