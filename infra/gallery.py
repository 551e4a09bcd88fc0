"""A gallery of triplets as one HTML file: image, regions over it, description, evidence. Needs no network to open."""

import base64
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from jinja2 import Environment, FileSystemLoader, select_autoescape
from pycocotools import mask as coco

from schemas.dead_letters import DeadLetter
from schemas.images import MaskedBox, PixelCleaning
from schemas.regions import Mask, Region
from schemas.triplets import Statement, Triplet

# Okabe & Ito's palette: told apart with any colour vision, and on grey images.
COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
LARGEST_SIDE = 640


@dataclass(frozen=True, slots=True)
class _Shape:
    """A region as the page draws it."""

    region: Region
    path: str
    colour: str
    tag: tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Card:
    triplet: Triplet
    picture: str
    shapes: Sequence[_Shape]
    tag_size: float
    stroke: float
    parts: Sequence[tuple[str, Sequence[Statement]]]
    masked: Sequence[MaskedBox]
    masking: str | None
    """What was done about text in the pixels; None where nothing is told."""


def write_gallery(triplets: Iterable[Triplet], dead_letters: Sequence[DeadLetter], path: Path) -> None:
    """Write the page; it appears under its name only when it is whole.

    Args:
        triplets: with their pixels inline.
        dead_letters: listed below them.
        path: of the HTML file.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    cards = [_card(triplet) for triplet in triplets]
    modalities = Counter(card.triplet.metadata.modality for card in cards)
    page = environment.get_template("gallery.html.j2").render(
        cards=cards, dead_letters=dead_letters, modalities=modalities.most_common()
    )
    part = path.with_name(path.name + ".part")
    part.write_text(page, encoding="utf-8")
    part.replace(path)


def _card(triplet: Triplet) -> _Card:
    if triplet.image.data is None:
        raise ValueError("a triplet's pixels must be inline: fetch them from the payload store first")
    picture = _preview(base64.b64decode(triplet.image.data))
    side = max(triplet.image.rows, triplet.image.columns)
    description, cleaning = triplet.description, triplet.metadata.pixel_cleaning
    parts = (
        ("Caption", (description.caption,) if description.caption else ()),
        ("Modality", (description.modality,)),
        ("Regions", description.regions),
        ("Texture", description.texture),
        ("Relations", description.relations),
        ("Structures", (description.organ,) if description.organ else ()),
        ("Looked for, not found", description.absences),
        ("Context", description.context),
        ("Measurements", description.measurements),
    )
    drawn = [region for region in triplet.regions if region.kind != "whole image"]
    return _Card(
        triplet=triplet,
        picture=picture,
        shapes=[
            _Shape(region, _outline(region.mask), COLOURS[number % len(COLOURS)], region.centroid)
            for number, region in enumerate(drawn)
        ],
        tag_size=side / 24,
        stroke=side / 320,
        parts=[(name, statements) for name, statements in parts if statements],
        masked=cleaning.boxes if cleaning else (),
        masking=_masking(cleaning) if cleaning else None,
    )


def _masking(cleaning: PixelCleaning) -> str:
    """Share, number of boxes, and why the pixels were looked at."""
    if not cleaning.scanned:
        return f"Text in the pixels: not looked for ({cleaning.reason})."
    if cleaning.masked_share == 0:
        return f"Text in the pixels: none found ({cleaning.reason})."
    where = [f"{len(cleaning.boxes)} box{'' if len(cleaning.boxes) == 1 else 'es'} of text"] if cleaning.boxes else []
    where += ["all outside the ultrasound regions"] if cleaning.outside_ultrasound_regions else []
    # Two digits that count: a marker on a film is less than a thousandth of it.
    return f"Masked: {cleaning.masked_share * 100:.2g} % of the pixels, {' and '.join(where)} ({cleaning.reason})."


def _preview(png: bytes) -> str:
    """The picture as base64 PNG, made smaller where it is large: a page of full radiographs would be megabytes."""
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError("a triplet's image is not a PNG file")
    scale = min(1.0, LARGEST_SIDE / max(image.shape[:2]))
    if scale < 1.0:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        png = cv2.imencode(".png", image)[1].tobytes()
    return base64.b64encode(png).decode()


def _outline(mask: Mask) -> str:
    """A mask's outlines as an SVG path, in px of the image."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pycocotools decodes through numpy's old __array__
        array = cast(Any, coco).decode({"size": list(mask.size), "counts": mask.counts.encode()})
    contours, _ = cv2.findContours(np.ascontiguousarray(array), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return " ".join("M" + "L".join(f"{x + 0.5:g} {y + 0.5:g}" for x, y in contour[:, 0]) + "Z" for contour in contours)
