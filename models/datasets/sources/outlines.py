"""Outlines drawn in viewers, as label maps: Aperio ImageScope's XML (MoNuSeg) and GeoJSON (QuPath, and others)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import orjson
from defusedxml import ElementTree

Points = npt.NDArray[np.float64]
"""(n, 2): x and y, px of the full image."""
Outline = tuple[str, Points, list[Points]]
"""Label (empty: none is told), outline, and its holes."""
SUFFIXES = (".xml", ".geojson", ".json")
_FRACTION = 4
"""Bits of a pixel's fraction that OpenCV is told."""


def outlines_of(path: Path) -> Iterator[Outline]:
    """Closed outlines of a file. Raises ValueError where it is no such file."""
    if path.suffix == ".xml":
        yield from _aperio(path)
    else:
        yield from _geojson(path)


def _aperio(path: Path) -> Iterator[Outline]:
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError:
        raise ValueError("no XML") from None
    if root is None or root.tag != "Annotations":
        raise ValueError("not Annotations of ImageScope")
    for layer in root.iter("Annotation"):
        name = layer.get("Name") or ""
        for region in layer.iter("Region"):
            corners = [(float(v.get("X", "nan")), float(v.get("Y", "nan"))) for v in region.iter("Vertex")]
            if len(corners) >= 3:
                yield name, np.array(corners), []


def _geojson(path: Path) -> Iterator[Outline]:
    try:
        document: Any = orjson.loads(path.read_bytes())
        features = document["features"] if isinstance(document, dict) else document
        for feature in features:
            said = feature.get("properties") or {}
            name = (said.get("classification") or {}).get("name") or said.get("name") or ""
            geometry = feature["geometry"]
            polygons = {"Polygon": [geometry["coordinates"]], "MultiPolygon": geometry["coordinates"]}
            for outer, *holes in polygons.get(geometry["type"], []):
                yield str(name), np.array(outer, float)[:, :2], [np.array(hole, float)[:, :2] for hole in holes]
    except (KeyError, TypeError, AttributeError, IndexError, orjson.JSONDecodeError):
        raise ValueError("no GeoJSON of features") from None


def drawn(
    outlines: Sequence[Outline],
    shape: tuple[int, int],
    label: str,
    origin: tuple[float, float] = (0, 0),
    scale: float = 1,
) -> tuple[npt.NDArray[np.uint8], dict[str, str]]:
    """Outlines as a label map; where two lie over each other, the later one.

    Args:
        outlines: px of the full image.
        shape: rows and columns of the map.
        label: of outlines that name none.
        origin: x and y of the map's first pixel, px of the full image.
        scale: pixels of the map a pixel of the full image.
    """
    numbers: dict[str, int] = {}
    canvas = np.zeros(shape, np.uint8)
    for name, outer, holes in outlines:
        rings = [_on(points, origin, scale) for points in (outer, *holes)]
        low, high = rings[0].min(axis=0) >> _FRACTION, rings[0].max(axis=0) >> _FRACTION
        if high[0] < 0 or high[1] < 0 or low[0] >= shape[1] or low[1] >= shape[0]:
            continue
        number = numbers.setdefault(name or label, len(numbers) + 1)
        if number > 255:
            raise ValueError("more labels than a mask holds")
        cv2.fillPoly(canvas, rings, number, shift=_FRACTION)
    return canvas, {str(number): name for name, number in numbers.items() if (canvas == number).any()}


def _on(points: Points, origin: tuple[float, float], scale: float) -> npt.NDArray[np.int32]:
    if not np.isfinite(points).all():
        raise ValueError("an outline has corners that are no numbers")
    # Viewers count from the corner of the first pixel, OpenCV from its centre.
    return np.round(((points - np.array(origin)) * scale - 0.5) * (1 << _FRACTION)).astype(np.int32)
