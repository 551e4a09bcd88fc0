"""From candidates to regions: all that is measured and told of each. Knows no ONNX Runtime."""

from dataclasses import dataclass, replace
from typing import Any, cast

import cv2
import numpy as np
from pycocotools import mask as coco

from models.experts.candidates import BinaryImage, Candidate, Component, FloatImage, apart_from_masked
from models.experts.colours import colour
from models.experts.figures import figures
from models.experts.intensities import Across, contrast, intensity, margin, ring_px, statistics, surroundings, thirds
from models.experts.places import Within, place, position
from models.experts.shapes import Outline, Pixel, outline
from models.experts.textures import discretise, texture
from models.experts.together import values
from models.experts.together.grains import Bins, textures
from models.experts.together.outlines import outlines
from models.experts.together.runs import Runs
from models.experts.together.strips import strips
from models.statements.terms import terms
from schemas.images import ImageMetadata
from schemas.regions import Box, Intensity, Mask, Region, Texture

MEASUREMENT_VERSION = "10"
"""Part of the registry's version: raise it when the same maps would be measured, or merged, differently."""
COLOURS_TOLD: frozenset[str] = frozenset({"dermoscopy"})
"""Modalities whose light is white enough for a colour to be told."""
CROWD, CROWD_PX = 8, 4096
"""From so many regions of at most so many px each they are measured together: below, that takes longer."""
LARGE = 0.01
"""Part of the image from which the thirds of a region are told: in small ones noise and edges make them differ."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A region, its mask within its box, and the outlined part of the image that its place is told in.

    `boxed`: the mask fills the box because nothing is known of the form. `candidate`: that was measured.
    """

    region: Region
    crop: BinaryImage
    within: Within | None = None
    boxed: bool = False
    candidate: Candidate | None = None


def standing(candidates: list[Candidate], luma: FloatImage, unit: str, visible: BinaryImage | None) -> list[Candidate]:
    """Those that `measure` would make regions of, without all else that it measures."""
    return [
        one
        for one in apart_from_masked(candidates, visible)
        for part in (one.component,)
        if one.contrast == 0
        or _holds(
            one.contrast,
            statistics(_within_box(part, luma), part.crop, unit),
            surroundings(part.crop, part.x, part.y, luma, unit, visible)[0],
        )
    ]


def measure(
    candidates: list[Candidate],
    luma: FloatImage,
    metadata: ImageMetadata,
    unit: str,
    visible: BinaryImage | None = None,
    *,
    within: Within | None = None,
    inverted: bool = False,
    colours: FloatImage | None = None,
) -> list[Measured]:
    """Regions of `luma` (rows, columns), in `unit`, not yet named, measured where `visible` is not 0.

    Those whose claim the measurement denies are dropped. `within`: the part of the image that places are told in, where
    an expert outlined one. `inverted`: low values are shown bright. `colours`: RGB (rows, columns, 3), where the colour
    of regions is told.
    """
    kept = apart_from_masked(candidates, visible)
    image = _Image(luma, metadata, unit, Pixel.of(metadata), within, inverted, colours)
    crowd = crowded(kept)
    apart = set(range(len(kept))).difference(crowd)
    told = {
        **_alone({n: kept[n] for n in sorted(apart)}, image, visible),
        **_together({n: kept[n] for n in crowd}, image, visible),
    }
    return [_measured(told[n], image) for n in sorted(told)]


def crowded(candidates: list[Candidate]) -> list[int]:
    """Which of them are measured together."""
    small = [n for n, one in enumerate(candidates) if one.component.area_px <= CROWD_PX]
    return small if len(small) >= CROWD else []


def _alone(kept: dict[int, Candidate], image: "_Image", visible: BinaryImage | None) -> dict[int, "_Told"]:
    """What is measured of those whose claim is not denied."""
    luma, unit, pixel = image.luma, image.unit, image.pixel
    # Step by step for all regions, not region by region: the code of a step then stays in the processor's caches, which
    # saves a quarter of the time.
    inside = [statistics(_within_box(one.component, luma), one.component.crop, unit) for one in kept.values()]
    parts = [one.component for one in kept.values()]
    around = [surroundings(part.crop, part.x, part.y, luma, unit, visible) for part in parts]
    told = [
        (n, one, mine, ring, across)
        for (n, one), mine, (ring, across) in zip(kept.items(), inside, around, strict=True)
        if _holds(one.contrast, mine, ring)
    ]
    parts = [one.component for _, one, *_ in told]
    moments = [cv2.moments(part.crop) for part in parts]
    forms = [outline(part.crop, moment, pixel) for part, moment in zip(parts, moments, strict=True)]
    binned = [
        discretise(_within_box(one.component, luma), one.component.crop, mine.minimum, mine.maximum, unit)
        for _, one, mine, _, _ in told
    ]
    grains = [texture(bins, part.area_px) for part, bins in zip(parts, binned, strict=True)]
    masks = [run_lengths(part.crop, part.x, part.y, luma.shape) for part in parts]
    middles = [
        (moment["m10"] / part.area_px, moment["m01"] / part.area_px)
        for part, moment in zip(parts, moments, strict=True)
    ]
    steps = zip(told, forms, grains, masks, middles, strict=True)
    return {
        n: _Told(one, mine, ring, across, form, grain, counts, x, y)
        for (n, one, mine, ring, across), form, grain, counts, (x, y) in steps
    }


def _together(kept: dict[int, Candidate], image: "_Image", visible: BinaryImage | None) -> dict[int, "_Told"]:
    """The same, by calls that measure many."""
    luma, unit, pixel = image.luma, image.unit, image.pixel
    found: dict[int, _Told] = {}
    candidates = list(kept.items())
    for places, strip in strips([one.component for one in kept.values()], luma, visible, ring_px(luma.shape)):
        runs, sampled = Runs.of(strip, luma.shape), values.Sampled.of(strip)
        inside = values.statistics(sampled, unit)
        bins = Bins.of([(one.minimum, one.maximum) for one in inside], unit)
        steps = zip(
            (candidates[place] for place in places), inside, values.surroundings(sampled, unit),
            outlines(strip, runs, pixel), textures(strip, bins), runs.counts, runs.x.tolist(), runs.y.tolist(),
            strict=True,
        )  # fmt: skip
        for (n, one), mine, (ring, across), form, grain, counts, x, y in steps:
            if _holds(one.contrast, mine, ring):
                found[n] = _Told(one, mine, ring, across, form, grain, counts, x, y)
    return found


def _within_box(part: Component, luma: FloatImage) -> FloatImage:
    height, width = part.crop.shape
    return luma[part.y : part.y + height, part.x : part.x + width]


@dataclass(frozen=True, slots=True)
class _Image:
    luma: FloatImage
    metadata: ImageMetadata
    unit: str
    pixel: Pixel
    within: Within | None
    inverted: bool
    colours: FloatImage | None


@dataclass(frozen=True, slots=True)
class _Told:
    """What was measured of a candidate whose claim its values do not deny. `x`, `y`: from its box's first pixel."""

    candidate: Candidate
    inside: Intensity
    around: Intensity | None
    across: Across | None
    form: Outline
    grain: Texture | None
    counts: str
    x: float
    y: float


def _holds(contrast: int, inside: Intensity, around: Intensity | None) -> bool:
    return contrast == 0 or around is None or contrast * (inside.mean - around.mean) > 0


def named(*groups: list[Measured]) -> list[Measured]:
    """Group after group, in each the largest first, as r1, r2, ….

    Ties are ordered by label and place: the same image gives the same names.
    """
    ordered = [
        one
        for group in groups
        for one in sorted(group, key=lambda m: (-m.region.area_px, m.region.label, m.region.box.y, m.region.box.x))
    ]
    return [
        replace(one, region=one.region.model_copy(update={"region_id": f"r{n}"}))
        for n, one in enumerate(ordered, start=1)
    ]


def with_probability(one: Measured, probability: float | None) -> Measured:
    """The same, with how likely it is right, where that is known."""
    if probability is None:
        return one
    return replace(one, region=one.region.model_copy(update={"probability": figures(probability)}))


def _measured(told: _Told, image: _Image) -> Measured:
    candidate, inside, around, form = told.candidate, told.inside, told.around, told.form
    metadata, luma, unit, pixel, part = image.metadata, image.luma, image.unit, image.pixel, candidate.component
    spacing = metadata.spacing
    x, y = part.x + told.x, part.y + told.y
    edge = margin(form.irregularity, told.across, around, pixel, unit)
    apart = contrast(inside, around, image.inverted) if around else None
    where = place(x, y, luma.shape, metadata.orientation, image.within, _share(part, luma.shape, image.within))
    tint = colour(part.crop, part.x, part.y, image.colours) if image.colours is not None else None
    parts = {
        "colour": tint,
        "size": form.size,
        "shape": form.shape,
        "margin": edge,
        "intensity": inside,
        "contrast": apart,
    }
    region = Region(
        region_id="r0",
        label=candidate.label,
        code=candidate.code,
        rule=candidate.rule,
        expert=candidate.expert,
        proposed_by=candidate.proposal.expert if candidate.proposal else "",
        score=None if part.score is None else figures(part.score),
        mask=Mask(size=luma.shape, counts=told.counts),
        box=part.box,
        area_px=part.area_px,
        area_mm2=None if spacing is None else figures(part.area_px * spacing.row_mm * spacing.column_mm),
        centroid=(figures(x), figures(y)),
        position=position(where),
        intensity=inside,
        surroundings=around,
        thirds=thirds(_within_box(part, luma), part.crop) if part.area_px >= LARGE * luma.size else None,
        colour=tint,
        place=where,
        size=form.size,
        shape=form.shape,
        margin=edge,
        contrast=apart,
        texture=told.grain,
        terms=terms(parts, metadata.modality, pixel.unit, unit),
    )
    return Measured(region, part.crop, image.within, candidate.boxed, candidate)


def _share(part: Component, size: tuple[int, ...], within: Within | None) -> float:
    if within is None:
        return figures(100 * part.area_px / (size[0] * size[1]))
    height, width = part.crop.shape
    inside = within.mask[part.y : part.y + height, part.x : part.x + width] & part.crop
    return figures(100 * int(cv2.countNonZero(inside)) / within.area_px)


_TRUE = np.ones(1, np.bool_)


def run_lengths(crop: BinaryImage, x: int, y: int, size: tuple[int, ...]) -> str:
    """COCO compressed run lengths of a mask of `size` (rows, columns) that is 0 outside `crop` at (x, y).

    Runs are counted in the crop alone, which for a small region in a large image is far less than all its pixels.
    """
    rows, columns = size
    height, width = crop.shape
    edged = np.zeros((width, height + 2), np.uint8)
    edged[:, 1:-1] = crop.T
    flat = edged.ravel()
    # Columns are kept apart by a 0 at each end, so changes are in turn the start of a run and the end of it.
    column, row = np.divmod(np.flatnonzero(flat[1:] != flat[:-1]), height + 2)
    changes = (x + column) * rows + y + row
    if height == rows:
        # A run down to the last row goes on at the first row of the next column.
        starts, ends = changes[::2], changes[1::2]
        apart = starts[1:] != ends[:-1]
        starts, ends = starts[np.concatenate((_TRUE, apart))], ends[np.concatenate((apart, _TRUE))]
        changes = np.stack((starts, ends), axis=1).ravel()
    edges = np.empty(len(changes) + 2, np.int64)
    edges[0], edges[1:-1], edges[-1] = 0, changes, rows * columns
    counts = edges[1:] - edges[:-1]
    if counts[-1] == 0:
        counts = counts[:-1]
    plain: Any = {"size": [rows, columns], "counts": counts}
    return cast(bytes, coco.frPyObjects(plain, rows, columns)["counts"]).decode("ascii")


def whole_image(
    luma: FloatImage, metadata: ImageMetadata, unit: str, rule: str, visible: BinaryImage | None = None
) -> Region:
    """The one region of an image in which no expert found anything. Its intensity is that of `visible` pixels."""
    rows, columns = luma.shape
    spacing = metadata.spacing
    everything = np.ones((rows, columns), np.uint8)
    return Region(
        region_id="r1",
        kind="whole image",
        label="whole image",
        rule=rule,
        expert="none",
        mask=Mask(size=(rows, columns), counts=run_lengths(everything, 0, 0, (rows, columns))),
        box=Box(x=0, y=0, width=columns, height=rows),
        area_px=rows * columns,
        area_mm2=None if spacing is None else figures(rows * columns * spacing.row_mm * spacing.column_mm),
        centroid=((columns - 1) / 2, (rows - 1) / 2),
        position="the whole image",
        intensity=intensity(luma, visible, unit),
    )
