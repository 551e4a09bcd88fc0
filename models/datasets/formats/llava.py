"""LLaVA's JSON: a list of {id, image, conversations}; boxes in parts of width and height, two decimals.

As liuhaotian/LLaVA reads it (docs/Finetune_Custom_Data.md there); the picture stands before the first question.
"""

from pathlib import Path
from typing import Any

from models.datasets.conversations import Split, listed, within_one
from models.datasets.formats.base import Example, JsonList, put_picture
from schemas.shapes import Box


class Llava:
    """Writes <split>.json and images/."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[Split, JsonList] = {}

    def write(self, example: Example) -> None:
        """One item an image."""
        image = example.triplet.image

        def box(one: Box) -> str:
            return listed(within_one(one, image.rows, image.columns), 2)

        path = put_picture(self._folder / "images", example)
        file = self._files.get(example.split) or JsonList(self._folder / f"{example.split}.json")
        self._files[example.split] = file
        said: list[dict[str, Any]] = []
        for turn in example.conversation.turns:
            question, answer = turn.rendered(box)
            said.append({"from": "human", "value": question if said else f"<image>\n{question}"})
            said.append({"from": "gpt", "value": answer})
        file.add({"id": example.name, "image": path, "conversations": said})

    def close(self) -> None:
        """As Writer has it."""
        for file in self._files.values():
            file.close()
