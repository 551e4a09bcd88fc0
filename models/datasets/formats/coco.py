"""COCO's object detection format, with masks as compressed run-length encoding, as pycocotools reads it."""

import json
from pathlib import Path
from typing import IO

from models.datasets.conversations import Split
from models.datasets.formats.base import Example, put_picture


class Coco:
    """Writes annotations/instances_<split>.json and images/. Categories are the labels of the regions."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "annotations").mkdir(parents=True, exist_ok=True)
        self._splits: dict[Split, _Instances] = {}
        self._categories: dict[str, int] = {}

    def write(self, example: Example) -> None:
        """One image, and an annotation a region."""
        split = self._splits.get(example.split)
        if split is None:
            split = self._splits[example.split] = _Instances(self._folder / "annotations", example.split)
        path = put_picture(self._folder / "images", example)
        split.add(example, path, self._categories)

    def close(self) -> None:
        """As Writer has it."""
        for split in self._splits.values():
            split.close(self._categories)


class _Instances:
    """Images stand in the file at once, annotations aside until it ends."""

    def __init__(self, folder: Path, split: Split) -> None:
        self._file = (folder / f"instances_{split}.json").open("w", encoding="utf-8")
        self._aside_path = folder / f".{split}.annotations"
        self._aside: IO[str] = self._aside_path.open("w+", encoding="utf-8")
        self._file.write('{"info": {"description": "Regions of Tristream triplets"}, "images": [')
        self._images = self._annotations = 0

    def add(self, example: Example, path: str, categories: dict[str, int]) -> None:
        self._images += 1
        triplet = example.triplet
        _, patient = (triplet.provenance and triplet.provenance.together) or ("object", triplet.object_id)
        image = {
            "id": self._images, "file_name": path, "width": triplet.image.columns, "height": triplet.image.rows,
            "triplet_id": triplet.triplet_id, "patient_id": patient,
        }  # fmt: skip
        self._file.write((",\n" if self._images > 1 else "\n") + json.dumps(image))
        for region in triplet.regions:
            if region.kind == "whole image":
                continue
            self._annotations += 1
            annotation = {
                "id": self._annotations, "image_id": self._images,
                "category_id": categories.setdefault(region.label, len(categories) + 1),
                "bbox": [region.box.x, region.box.y, region.box.width, region.box.height], "area": region.area_px,
                "segmentation": {"size": list(region.mask.size), "counts": region.mask.counts}, "iscrowd": 0,
                "region_id": region.region_id, "kind": region.kind, "expert": region.expert, "caption": region.phrase,
            }  # fmt: skip
            self._aside.write((",\n" if self._annotations > 1 else "\n") + json.dumps(annotation))

    def close(self, categories: dict[str, int]) -> None:
        self._file.write('],\n"annotations": [')
        self._aside.seek(0)
        while block := self._aside.read(1 << 20):
            self._file.write(block)
        self._aside.close()
        self._aside_path.unlink()
        rows = [{"id": number, "name": name, "supercategory": "region"} for name, number in categories.items()]
        self._file.write('],\n"categories": ' + json.dumps(rows) + "}\n")
        self._file.close()
