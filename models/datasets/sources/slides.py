"""Folders of whole slides with outlines beside them: tiles with tissue, as preprocess takes them, and their marks."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from models.datasets.sources.collections import Collection
from models.datasets.sources.found import Drawn, Found, LeftOut, WrongLayout
from models.datasets.sources.outlines import Outline, drawn, outlines_of
from models.imaging import FramePolicy, open_source
from models.imaging.slides import grid_of, levels_of
from models.imaging.tiff import Pages
from schemas.failures import InvalidInput

SUFFIXES = (".svs", ".tif", ".tiff")
MOST_TILES = 64
"""Of a slide, evenly over its tissue; slides have thousands that are alike."""


def find(root: Path, collection: Collection) -> Iterator[Found | LeftOut]:
    """Tiles of every slide; outlines lie beside it, or in any folder under its name, as .geojson, .json or .xml.

    Raises:
        WrongLayout: there is no slide.
    """
    slides = [path for path in sorted(root.rglob("*")) if path.suffix.lower() in SUFFIXES and path.is_file()]
    if not slides:
        raise WrongLayout(f"{collection.title} is of slides ({', '.join(SUFFIXES)}), and none is below the folder")
    marks: dict[str, Path] = {}
    for suffix in (".xml", ".json", ".geojson"):
        marks |= {path.stem: path for path in sorted(root.rglob(f"*{suffix}"))}
    for path in slides:
        try:
            yield from _tiles(path, root, collection, marks.get(path.stem))
        except InvalidInput as error:
            yield LeftOut(path, f"not a slide that is read: {type(error).__name__}")
        except ValueError:
            yield LeftOut(path, "the outlines beside the slide cannot be read")


def _tiles(path: Path, root: Path, collection: Collection, marks: Path | None) -> Iterator[Found | LeftOut]:
    data = path.read_bytes()
    pages = Pages(data)
    levels = levels_of(pages)
    if not levels:
        yield LeftOut(path, "a TIFF file that is no slide")
        return
    outlines = list(outlines_of(marks)) if marks is not None else []
    level, grid = grid_of(levels)
    scale = level.imagewidth / levels[0].imagewidth
    source = open_source(data, FramePolicy.parse(f"spread:{MOST_TILES}"))
    for index in source.taken:
        frame = source.read(index)
        top, left, _, _ = grid.place(index)
        told = collection.said(modality="histopathology", patient=path.stem, series=path.stem)
        if (spacing := frame.metadata.spacing) is not None:
            told["spacing"] = {"row_mm": spacing.row_mm, "column_mm": spacing.column_mm}
        draw = partial(_marked, frame.stored, outlines, collection.outlined, (left / scale, top / scale), scale)
        name = path.relative_to(root).with_suffix("") / f"{top}-{left}.png"
        yield Found(path, name.as_posix(), told, draw=draw)


def _marked(pixels: Any, outlines: list[Outline], label: str, origin: tuple[float, float], scale: float) -> Drawn:
    numbers, labels = drawn(outlines, pixels.shape[:2], label, origin, scale)
    return Drawn(np.asarray(pixels), numbers if labels else None, labels)
