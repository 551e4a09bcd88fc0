"""Boxes in texts: data sets write them in px; each family of models has a convention of its own."""

import re
from collections.abc import Callable

from models.llava_tri.training.settings import Boxes

_BOX = re.compile(r"\[(\d+), (\d+), (\d+), (\d+)\]")
Size = tuple[int, int]
"""Width and height, px."""


def rewritten(text: str, size: Size, style: Boxes, resized: Callable[[Size], Size] = lambda size: size) -> str:
    """A text with each box, `[left, top, right, bottom]` in px of the stored picture, in the convention of a model.

    Args:
        text: of a question or an answer.
        size: of the stored picture.
        style: pixels: as it stands; resized: px of the picture that the processor makes of it (Qwen2.5-VL);
            unit: parts of width and height with two decimals (LLaVA); thousandths: 0 to 1000 of both (Qwen3-VL).
        resized: the size that the processor makes of a picture.
    """
    if style == "pixels":
        return text
    width, height = size
    wide, high = {"resized": resized(size), "unit": (1, 1), "thousandths": (1000, 1000)}[style]

    def written(found: re.Match[str]) -> str:
        left, top, right, bottom = (int(value) for value in found.groups())
        values = left * wide / width, top * high / height, right * wide / width, bottom * high / height
        return "[" + ", ".join(f"{value:.2f}" if style == "unit" else f"{value:.0f}" for value in values) + "]"

    return _BOX.sub(written, text)
