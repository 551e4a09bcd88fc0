"""From score maps to measured regions: components, masks, and all that is told of each. Knows no ONNX Runtime."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco

from models.experts.figures import figures
from models.experts.intensities import Across, contrast, intensity, margin, mean, statistics, surroundings
from models.experts.places import Within, place, position
from models.experts.shapes import Outline, Pixel, outline
from models.experts.textures import discretise, texture
from models.statements.terms import terms
from schemas.images import ImageMetadata, MaskedBox
from schemas.regions import Box, Code, Intensity, Mask, Region, Texture

MEASUREMENT_VERSION = "6"
"""Part of the registry's version: raise it when the same maps would be measured differently."""

FloatImage = npt.NDArray[np.float32]
BinaryImage = npt.NDArray[np.uint8]

_LABELLING = cv2.CCL_BBDT
"""The default algorithm of OpenCV 5.0 takes three times as long on one thread."""


@dataclass(frozen=True, slots=True)
class Component:
    """A connected part of a thresholded map, at the image's own size. `crop` (height, width) holds 0 and 1."""

    x: int
    y: int
    crop: BinaryImage
    area_px: int
    score: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A component with the words of the rule that found it.

    `contrast` is what these words claim of the region's mean against its surroundings: +1 higher, -1 lower, 0 nothing.
    `boxed`: nothing is known of its form, and its mask fills its box.
    """

    component: Component
    label: str
    rule: str
    expert: str
    contrast: int = 0
    code: Code | None = None
    boxed: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """A region, its mask within its box, and the outlined part of the image that its place is told in.

    `boxed`: the mask fills the box because nothing is known of the form.
    """

    region: Region
    crop: BinaryImage
    within: Within | None = None
    boxed: bool = False


def filled(crop: BinaryImage) -> BinaryImage:
    """The mask with its holes filled: background that does not reach the crop's edge (4 neighbours) is a hole."""
    around = cv2.copyMakeBorder(crop, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(around, None, (0, 0), 2)
    return (around[1:-1, 1:-1] != 2).view(np.uint8)


def foreground(mask: BinaryImage, min_part_of_largest: float, margin: float) -> BinaryImage:
    """The larger components of `mask` (rows, columns) of 0 and 1, holes filled; what touches the image's edge is none.

    `margin`: part of the longest side that is taken off along the outline, though not along the image's own edge.
    """
    # With all of OpenCV's statistics it would take twice as long.
    number, labels = cv2.connectedComponentsWithAlgorithm(mask, 8, cv2.CV_32S, _LABELLING)
    areas = np.bincount(labels[mask.view(np.bool_)], minlength=number)
    keep = areas >= max(1.0, min_part_of_largest * areas.max())
    body = filled(mask if keep[1:].all() else keep.view(np.uint8).take(cast(npt.NDArray[np.int32], labels)))
    reach = round(margin * max(mask.shape))
    if reach == 0:
        return body
    return cast(BinaryImage, cv2.erode(body, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)))


def components(
    score: FloatImage, mask: BinaryImage, size: tuple[int, int], min_area_px: float, most: int
) -> tuple[list[Component], int]:
    """The largest `most` components of `mask` of at least `min_area_px`, and how many more there are.

    `score` and `mask` share a working size (rows, columns); components come at `size`, areas are counted there.
    """
    # Most masks fill a small part of the image: only that part is labelled.
    x0, y0, filled_columns, filled_rows = cv2.boundingRect(mask)
    if filled_columns == 0:
        return [], 0
    part = mask[y0 : y0 + filled_rows, x0 : x0 + filled_columns]
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(part, 8, cv2.CV_32S, _LABELLING)
    scale = (size[0] / mask.shape[0]) * (size[1] / mask.shape[1])
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = 1 + np.flatnonzero(areas * scale >= min_area_px)
    order = kept[np.argsort(-stats[kept, cv2.CC_STAT_AREA], kind="stable")]
    found: list[Component] = []
    for label in order[:most]:
        x, y, width, height = (int(n) for n in stats[label, :4])
        part = (labels[y : y + height, x : x + width] == label).view(np.uint8)
        x, y = x + x0, y + y0
        strength = mean(score[y : y + height, x : x + width], part)
        component = placed(part, x, y, mask.shape, size, strength or 0.0)
        if component is not None:
            found.append(component)
    return found, max(len(order) - most, 0)


def placed(
    crop: BinaryImage, x: int, y: int, working: tuple[int, ...], size: tuple[int, int], score: float
) -> Component | None:
    """A mask at (x, y) of a working copy, brought to the image's size; None where nothing of it is left."""
    if size != working:
        y, down = _at_full_size(y, crop.shape[0], working[0], size[0])
        x, across = _at_full_size(x, crop.shape[1], working[1], size[1])
        crop = crop[:, across][down]
        if size[0] < working[0] or size[1] < working[1]:  # Its edges may have fallen between pixels.
            if (part := boxed_part(crop)) is None:
                return None
            crop, x, y = part[0], x + part[1], y + part[2]
    area = int(cv2.countNonZero(crop))
    return Component(x, y, crop, area, score) if area else None


def boxed_part(mask: BinaryImage) -> tuple[BinaryImage, int, int] | None:
    """A mask within its box, and where that lies (x, y); None where it is empty."""
    x, y, width, height = cv2.boundingRect(mask) if mask.size else (0, 0, 0, 0)
    return (np.ascontiguousarray(mask[y : y + height, x : x + width]), x, y) if width else None


def _at_full_size(start: int, length: int, working: int, full: int) -> tuple[int, npt.NDArray[np.int64]]:
    """First full-size index that falls on working pixels [start, start + length), and the working index of each."""
    first, end = -(-start * full // working), -(-(start + length) * full // working)
    return first, np.arange(first, end) * working // full - start


def unmasked(size: tuple[int, ...], metadata: ImageMetadata) -> BinaryImage | None:
    """(rows, columns) of 0 where text was masked and 1 elsewhere; None where none was.

    What is masked is no finding, and its values are not the image's.
    """
    return apart_from(metadata.pixel_cleaning.boxes if metadata.pixel_cleaning else (), size)


def apart_from(boxes: tuple[MaskedBox, ...], size: tuple[int, ...]) -> BinaryImage | None:
    """(rows, columns) of 0 in the boxes and 1 elsewhere; None without boxes, or where nothing else is."""
    if not boxes:
        return None
    visible = np.ones(size[:2], np.uint8)
    for box in boxes:
        visible[box.top : box.bottom, box.left : box.right] = 0
    return visible if visible.any() else None


def apart_from_masked(candidates: list[Candidate], visible: BinaryImage | None) -> list[Candidate]:
    """Candidates without their masked pixels; those of which more than half are masked are dropped."""
    if visible is None:
        return candidates
    kept: list[Candidate] = []
    for one in candidates:
        part = one.component
        height, width = part.crop.shape
        crop = part.crop & visible[part.y : part.y + height, part.x : part.x + width]
        area = int(cv2.countNonZero(crop))
        if area == part.area_px:
            kept.append(one)
        elif 2 * area >= part.area_px:
            x, y, width, height = cv2.boundingRect(crop)
            crop = np.ascontiguousarray(crop[y : y + height, x : x + width])
            kept.append(replace(one, component=Component(part.x + x, part.y + y, crop, area, part.score)))
    return kept


def lying_in(
    candidates: list[Candidate], others: Iterable[Candidate], size: tuple[int, ...], part: float
) -> list[Candidate]:
    """Candidates of whose pixels at least `part` lie in those of the others; of an image of `size` (rows, columns)."""
    there = np.zeros(size[:2], np.uint8)
    for one in (other.component for other in others):
        height, width = one.crop.shape
        there[one.y : one.y + height, one.x : one.x + width] |= one.crop
    kept: list[Candidate] = []
    for candidate in candidates:
        one = candidate.component
        height, width = one.crop.shape
        shared = cv2.countNonZero(there[one.y : one.y + height, one.x : one.x + width] & one.crop)
        if shared >= part * one.area_px:
            kept.append(candidate)
    return kept


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
) -> list[Measured]:
    """Regions of `luma` (rows, columns), in `unit`, not yet named, measured where `visible` is not 0.

    Those whose claim the measurement denies are dropped. `within`: the part of the image that places are told in, where
    an expert outlined one. `inverted`: low values are shown bright.
    """
    kept = apart_from_masked(candidates, visible)
    # Step by step for all regions, not region by region: the code of a step then stays in the processor's caches, which
    # saves a quarter of the time.
    inside = [statistics(_within_box(one.component, luma), one.component.crop, unit) for one in kept]
    around = [surroundings(part.crop, part.x, part.y, luma, unit, visible) for part in (one.component for one in kept)]
    told = [
        _Told(one.component, one, mine, ring, across)
        for one, mine, (ring, across) in zip(kept, inside, around, strict=True)
        if _holds(one.contrast, mine, ring)
    ]
    image = _Image(luma, metadata, unit, within, inverted)
    pixel = Pixel.of(metadata)
    moments = [cv2.moments(one.part.crop) for one in told]
    forms = [outline(one.part.crop, moment, pixel) for one, moment in zip(told, moments, strict=True)]
    binned = [
        discretise(_within_box(one.part, luma), one.part.crop, one.inside.minimum, one.inside.maximum, unit)
        for one in told
    ]
    textures = [texture(bins, one.part.area_px) for one, bins in zip(told, binned, strict=True)]
    masks = [run_lengths(one.part.crop, one.part.x, one.part.y, luma.shape) for one in told]
    steps = zip(told, moments, forms, textures, masks, strict=True)
    return [_measured(*each, pixel, image) for each in steps]


def _within_box(part: Component, luma: FloatImage) -> FloatImage:
    height, width = part.crop.shape
    return luma[part.y : part.y + height, part.x : part.x + width]


@dataclass(frozen=True, slots=True)
class _Image:
    luma: FloatImage
    metadata: ImageMetadata
    unit: str
    within: Within | None
    inverted: bool


@dataclass(frozen=True, slots=True)
class _Told:
    """A candidate whose claim its values do not deny."""

    part: Component
    candidate: Candidate
    inside: Intensity
    around: Intensity | None
    across: Across | None


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


def _measured(
    told: _Told,
    moments: cv2.typing.Moments,
    form: Outline,
    grain: Texture | None,
    counts: str,
    pixel: Pixel,
    image: _Image,
) -> Measured:
    part, candidate, inside, around = told.part, told.candidate, told.inside, told.around
    metadata, luma, unit = image.metadata, image.luma, image.unit
    spacing = metadata.spacing
    height, width = part.crop.shape
    x, y = part.x + moments["m10"] / part.area_px, part.y + moments["m01"] / part.area_px
    edge = margin(form.irregularity, told.across, around, pixel, unit)
    apart = contrast(inside, around, image.inverted) if around else None
    where = place(x, y, luma.shape, metadata.orientation, image.within, _share(part, luma.shape, image.within))
    parts = {"size": form.size, "shape": form.shape, "margin": edge, "intensity": inside, "contrast": apart}
    region = Region(
        region_id="r0",
        label=candidate.label,
        code=candidate.code,
        rule=candidate.rule,
        expert=candidate.expert,
        score=figures(part.score),
        mask=Mask(size=luma.shape, counts=counts),
        box=Box(x=part.x, y=part.y, width=width, height=height),
        area_px=part.area_px,
        area_mm2=None if spacing is None else figures(part.area_px * spacing.row_mm * spacing.column_mm),
        centroid=(figures(x), figures(y)),
        position=position(where),
        intensity=inside,
        surroundings=around,
        place=where,
        size=form.size,
        shape=form.shape,
        margin=edge,
        contrast=apart,
        texture=grain,
        terms=terms(parts, metadata.modality, pixel.unit, unit),
    )
    return Measured(region, part.crop, image.within, candidate.boxed)


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
