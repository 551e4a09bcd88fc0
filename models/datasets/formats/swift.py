"""ms-swift's JSON Lines: messages, images, and objects whose boxes stand for <bbox> in the text, in px.

As ms-swift's docs describe the grounding format: the trainer turns pixel corners into what each model family expects.
"""

from pathlib import Path
from typing import Any

from models.datasets.conversations import Split, corners
from models.datasets.formats.base import Example, JsonLines, put_picture
from schemas.shapes import Box


class Swift:
    """Writes <split>.jsonl and images/."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[Split, JsonLines] = {}

    def write(self, example: Example) -> None:
        """One line an image."""
        path = put_picture(self._folder / "images", example)
        file = self._files.get(example.split) or JsonLines(self._folder / f"{example.split}.jsonl")
        self._files[example.split] = file
        messages: list[dict[str, str]] = []
        boxes: list[list[int]] = []

        def box(one: Box) -> str:
            boxes.append(list(corners(one)))
            return "<bbox>"

        for turn in example.conversation.turns:
            question, answer = turn.rendered(box)
            messages.append({"role": "user", "content": question if messages else f"<image>{question}"})
            messages.append({"role": "assistant", "content": answer})
        line: dict[str, Any] = {"messages": messages, "images": [f"images/{path}"]}
        if boxes:
            line["objects"] = {"ref": [], "bbox": boxes}
        file.add(line)

    def close(self) -> None:
        """As Writer has it."""
        for file in self._files.values():
            file.close()
