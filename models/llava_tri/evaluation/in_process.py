"""A model that transformers loads, asked in this process: for machines without a server."""

# pyright: reportMissingImports=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

import asyncio
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from models.llava_tri.digest import weights_digest
from models.llava_tri.tiny.tower import FEATURES  # Transformers loads the tiny preset's model by this module


def load(folder: Path) -> tuple[Any, Any]:
    """The model in a folder, as it is kept or on a CPU in float32, for answers alone; and its processor."""
    FEATURES.folder = folder.with_name(f"{folder.name}.features")
    # Most processors have no bfloat16 of their own and take six times as long in it.
    dtype = "auto" if torch.cuda.is_available() else torch.float32
    # A tower that could learn would have every picture encoded anew for every question.
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=dtype).eval().requires_grad_(False)
    return model, AutoProcessor.from_pretrained(folder)


def pictures_beside(folder: Path) -> Path:
    """Where pictures of data sets are unpacked for a model: beside it, for the sets may be read-only."""
    return folder.with_name(f"{folder.name}.pictures")


@dataclass(eq=False, slots=True)
class _Waiting:
    """A question, and what was said to it."""

    pictures: tuple[bytes, ...]
    text: str
    said: str | None = None


class InProcess:
    """An `Answerer` that decodes greedily, and answers together what waits at the same time.

    Which questions are answered together can change an answer where two tokens are equally likely but for rounding.

    Args:
        folder: of the model, as `tristream model export` or `save_pretrained` writes it.
        max_tokens: of an answer.
        at_once: questions that are answered together at most.
    """

    def __init__(self, folder: Path, *, max_tokens: int = 256, at_once: int = 8) -> None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        model, self._processor = load(folder)
        self._processor.tokenizer.padding_side = "left"
        self._model = model.to(device)
        self._max_tokens = max_tokens
        self.at_once = at_once
        self._waiting: list[_Waiting] = []
        self._busy = asyncio.Lock()
        self.name = _name(folder)
        self.settings = f"max_tokens={max_tokens} greedy transformers {device} at_once={at_once}"

    async def answer(self, pictures: Sequence[bytes], text: str) -> str:
        """As Answerer has it."""
        mine = _Waiting(tuple(pictures), text)
        self._waiting.append(mine)
        try:
            await asyncio.sleep(0)  # Whoever asks in the same turn of the loop comes to wait too.
            async with self._busy:
                if mine.said is None:
                    await self._answer_with(mine)
        finally:
            self._waiting.remove(mine)
        assert mine.said is not None
        return mine.said

    async def close(self) -> None:
        """As Answerer has it: the weights go with the object."""

    async def _answer_with(self, mine: _Waiting) -> None:
        """Answer a question, and others that wait and show as many pictures."""
        others = [
            one for one in self._waiting
            if one is not mine and one.said is None and len(one.pictures) == len(mine.pictures)
        ]  # fmt: skip
        together = [mine, *others][: self.at_once]
        for one, said in zip(together, await asyncio.to_thread(self._answers, together), strict=True):
            one.said = said

    def _answers(self, together: Sequence[_Waiting]) -> list[str]:
        inputs = self._processor.apply_chat_template(
            [[{"role": "user", "content": _content(one)}] for one in together],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            processor_kwargs={"padding": True},
        ).to(self._model.device)
        with torch.inference_mode():
            tokens = self._model.generate(**inputs, max_new_tokens=self._max_tokens, do_sample=False)
        told = tokens[:, inputs["input_ids"].shape[1] :]
        return [text.strip() for text in self._processor.batch_decode(told, skip_special_tokens=True)]


def _content(one: _Waiting) -> list[dict[str, object]]:
    pictures = [Image.open(io.BytesIO(data)).convert("RGB") for data in one.pictures]
    return [*({"type": "image", "image": picture} for picture in pictures), {"type": "text", "text": one.text}]


def _name(folder: Path) -> str:
    """As `model export` named it, else the folder's name; the digest is of its weights."""
    lineage = folder / "lineage.json"
    exported = json.loads(lineage.read_bytes()).get("model") if lineage.is_file() else None
    return exported or f"{folder.resolve().name}@{weights_digest(folder)[:12]}"
