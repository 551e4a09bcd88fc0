"""COCO instances: a JSON file beside the images that it names. Segmentations as polygons or run-length encodings."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import orjson
from pycocotools import mask as coco
from pydantic import BaseModel, Field, ValidationError

from models.experts.datasets.examples import BadDataset, BinaryImage, Dataset, Example, decoded, json_of, told_group
from models.experts.datasets.folders import DESCRIPTION, described
from models.imaging import FramePolicy, open_source
from schemas.failures import InvalidInput


class _Image(BaseModel):
    id: int | str
    file_name: str
    height: int
    width: int
    patient_id: str | None = None


class _Rle(BaseModel):
    size: tuple[int, int]
    counts: str | list[int]


class _Annotation(BaseModel):
    image_id: int | str
    category_id: int
    segmentation: list[Annotated[list[float], Field(min_length=6)]] | _Rle | None = None
    bbox: tuple[float, float, float, float] | None = None
    iscrowd: int = 0


class _Category(BaseModel):
    id: int
    name: str


class _Instances(BaseModel):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category] = Field(min_length=1)


def find_instances(folder: Path) -> list[Path]:
    """JSON files of COCO's shape in `folder` or its annotations/."""
    found: list[Path] = []
    for path in sorted((*folder.glob("*.json"), *folder.glob("annotations/*.json"))):
        try:
            plain: Any = orjson.loads(path.read_bytes())
        except orjson.JSONDecodeError:
            continue
        if isinstance(plain, dict) and {"images", "annotations", "categories"} <= plain.keys():
            found.append(path)
    return found


def open_coco(folder: Path, paths: list[Path]) -> Dataset:
    """Categories by their names become labels; a box without a segmentation is filled.

    Images of one `patient_id`, where they have one, or of one patient by their files, stay together in a split.
    dataset.json may tell the modality.

    Raises:
        BadDataset: there are several instance files, or one is not valid.
    """
    if len(paths) > 1:
        raise BadDataset(f"{paths[1].name}: is a second COCO file; keep one in the folder")
    (path,) = paths
    try:
        instances = _Instances.model_validate(json_of(path.read_bytes(), path.name))
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise BadDataset(f"{path.name}: {field} does not hold what it may") from None
    names = {category.id: category.name for category in instances.categories}
    by_image: dict[int | str, list[_Annotation]] = defaultdict(list)
    for one in instances.annotations:
        if one.category_id not in names:
            raise BadDataset(f"{path.name}: an annotation is of category {one.category_id}, which is none of its own")
        by_image[one.image_id].append(one)
    about = described(folder)
    labels = tuple(dict.fromkeys(names.values()))

    def read() -> Iterator[Example]:
        for image in instances.images:
            file = _file(folder, image.file_name)
            try:
                source = open_source(file.read_bytes(), FramePolicy("spread"), burned_in=None)
                (frame,) = source.frames()
            except InvalidInput as error:
                raise BadDataset(f"{image.file_name}: {error}") from None
            if frame.stored.shape[:2] != (image.height, image.width):
                raise BadDataset(f"{image.file_name}: is not {image.height} × {image.width} px, as {path.name} says")
            masks = {label: np.zeros((image.height, image.width), np.uint8) for label in labels}
            for one in by_image[image.id]:
                masks[names[one.category_id]] |= _mask(one, image)
            yield Example(
                name=image.file_name,
                group=image.patient_id or about.groups.get(file.stem) or told_group(source) or image.file_name,
                values=frame.values,
                unit=about.unit or frame.unit,
                masks=masks,
                inverted=frame.inverted,
                modality=about.modality or frame.metadata.modality,
                organ=about.organ or frame.metadata.organ,
            )

    return Dataset("COCO", labels, len(instances.images), read, about.modality, about.organ, about.unit)


def _file(folder: Path, name: str) -> Path:
    for root in (folder / "images", folder):
        file = root / name
        if file.is_file() and file.resolve().is_relative_to(folder.resolve()):
            return file
    raise BadDataset(f"{name}: is named by the COCO file, but lies neither in images/ nor beside {DESCRIPTION}")


def _mask(one: _Annotation, image: _Image) -> BinaryImage:
    rows, columns = image.height, image.width
    shape = one.segmentation
    if isinstance(shape, _Rle):
        if shape.size != (rows, columns):
            raise BadDataset(f"{image.file_name}: a segmentation is of another size than the image")
        if isinstance(shape.counts, str):
            return decoded(shape.size, shape.counts)
        plain: Any = {"size": list(shape.size), "counts": shape.counts}
        encoded: Any = coco.frPyObjects(plain, rows, columns)
        return np.ascontiguousarray(coco.decode(encoded))
    if shape:
        polygons: Any = shape
        merged: Any = coco.merge(coco.frPyObjects(polygons, rows, columns))
        return np.ascontiguousarray(coco.decode(merged))
    mask = np.zeros((rows, columns), np.uint8)
    if one.bbox is not None:
        x, y, width, height = one.bbox
        mask[round(y) : round(y + height), round(x) : round(x + width)] = 1
    return mask
