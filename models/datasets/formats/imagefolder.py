"""Hugging Face's ImageFolder: <split>/ with pictures, and in metadata.jsonl the caption, text and objects of each."""

from pathlib import Path
from typing import Any

from models.datasets.conversations import Split
from models.datasets.formats.base import Example, JsonLines, put_picture


class ImageFolder:
    """Writes <split>/metadata.jsonl beside the split's pictures."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[Split, JsonLines] = {}

    def write(self, example: Example) -> None:
        """One line an image."""
        put_picture(self._folder, example)
        file = self._files.get(example.split) or JsonLines(self._folder / example.split / "metadata.jsonl")
        self._files[example.split] = file
        triplet = example.triplet
        # Never null and never an empty list: the type of a column is guessed from what stands in each split.
        regions = triplet.regions
        line: dict[str, Any] = {
            "file_name": f"{example.name}.png",
            "caption": triplet.description.caption.text if triplet.description.caption else "",
            "text": triplet.description.description,
            "modality": triplet.metadata.modality,
            "organ": triplet.metadata.organ or "",
            "disease": triplet.metadata.disease or "",
            "objects": {
                "bbox": [[one.box.x, one.box.y, one.box.width, one.box.height] for one in regions],
                "category": [one.label for one in regions],
                "phrase": [one.phrase or "" for one in regions],
            },
            "triplet_id": triplet.triplet_id,
        }
        file.add(line)

    def close(self) -> None:
        """As Writer has it."""
        for file in self._files.values():
            file.close()
