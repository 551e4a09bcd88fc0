"""Maps in [0, 1] whose rules the manifest tells: the larger connected parts above a threshold, within an outline."""

from typing import cast

import cv2
import numpy as np

from models.experts.candidates import BinaryImage, Candidate, components, foreground
from models.experts.inputs import Floats, Prepared
from models.experts.places import Within
from models.experts.running import Expert, Found, Sight, UnfitOutput

_CONTRAST = {"any": 0, "brighter": 1, "darker": -1}


def find_in_maps(expert: Expert, sight: Sight) -> Found:
    """Regions of each of the manifest's outputs. Raises UnfitOutput where a map is not of the image's size."""
    manifest, prepared = expert.manifest, expert.prepare(sight)
    names = [output.name for output in manifest.outputs]
    within = manifest.foreground
    maps = expert.run(prepared.batch, [*names, within.output] if within else names, prepared.others)
    if any(one.shape != (1, 1, *prepared.batch.shape[2:]) for one in maps[: len(names)]):
        raise UnfitOutput
    mask = None
    if within is not None:
        body = (maps[-1][0, 0] > 0.5).view(np.uint8)
        mask = foreground(body, within.min_part_of_largest, within.margin)
        if mask.shape != prepared.batch.shape[2:]:
            mask = cast(BinaryImage, cv2.resize(mask, prepared.batch.shape[:1:-1], interpolation=cv2.INTER_NEAREST))
        mask = cast(BinaryImage, _content(mask[None], prepared)[0])

    found: list[Candidate] = []
    left_out = 0
    size = prepared.size
    # What is counted in px of a spacing is as large in each image.
    pixel = prepared.scale[0] * prepared.scale[1] if manifest.input.spacing_mm and sight.spacing else 1.0
    for output, score in zip(manifest.outputs, maps, strict=False):
        strength = _content(score[0], prepared)[0]
        inside = (strength >= output.threshold).view(np.uint8)
        if mask is not None:
            inside &= mask
        if output.rim:
            _leave_out_rim(inside, mask, round(output.rim * max(inside.shape)))
        smallest = max(output.min_area_px * pixel, output.min_area_fraction * size[0] * size[1])
        kept, more = components(strength, inside, size, smallest, output.max_regions)
        kept = [part for part in kept if part.area_px <= output.max_area_fraction * size[0] * size[1]]
        contrast = _CONTRAST[output.contrast] * (-1 if sight.negated else 1)
        rule = output.rule + prepared.note
        found += [Candidate(part, output.label, rule, manifest.expert, contrast, output.code) for part in kept]
        left_out += more
    outlined = None
    if within is not None and mask is not None:
        whole = mask if mask.shape == size else cv2.resize(mask, size[::-1], interpolation=cv2.INTER_NEAREST)
        outlined = Within.of(within.output, cast(BinaryImage, whole))
    return Found(found, left_out, outlined)


def _leave_out_rim(inside: BinaryImage, within: BinaryImage | None, reach: int) -> None:
    """Take the parts out of `inside` that come nearer than `reach` px to the edge of `within`, or of the image."""
    around = np.ones(inside.shape, np.uint8) if within is None else within
    around = cv2.copyMakeBorder(around, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    side = 2 * max(1, reach) + 1
    inner = cv2.erode(around, np.ones((side, side), np.uint8))[1:-1, 1:-1]
    number, labels = cv2.connectedComponents(inside, connectivity=8)
    if number > 1:
        inside[np.isin(labels, np.unique(labels[(inner == 0) & (inside > 0)]))] = 0


def _content(maps: Floats | BinaryImage, prepared: Prepared) -> Floats:
    """Maps (n, rows, columns) of a tensor without what was padded."""
    (top, left), (rows, columns) = prepared.origins[0], prepared.working
    return cast(Floats, maps[:, -top : rows - top, -left : columns - left])
