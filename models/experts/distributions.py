"""How regions are spread over the image or over what was outlined in it, and what they do to its symmetry.

Knows nothing of experts.
"""

from collections import defaultdict
from typing import Literal

from models.experts.candidates import FloatImage, mean
from models.experts.figures import figures
from models.experts.places import BinaryImage, Within, directions
from models.experts.regions import Measured
from schemas.images import Orientation
from schemas.regions import Distribution

DIFFUSE_PERCENT, DIFFUSE_NINTHS = 50.0, 6
"""Diffuse: they cover half of it, or lie in two thirds of its nine fields. Stated here: the radiology lexicons define
focal, multifocal and diffuse without bounds."""
ONE_SIDE = 0.95
"""Part of the area on one side from which the regions are said to lie on that side."""

Side = Literal["patient left", "patient right", "both sides"]


def distribute(
    measured: list[Measured], luma: FloatImage, orientation: Orientation | None, unit: str
) -> tuple[Distribution, ...]:
    """One distribution for each kind and label of region, in the order of the first of them."""
    groups: dict[tuple[str, str], list[Measured]] = defaultdict(list)
    for one in measured:
        groups[one.region.kind, one.region.label].append(one)
    wholes: dict[int, float | None] = {}
    return tuple(_of(group, luma, orientation, unit, wholes) for group in groups.values())


def _of(
    group: list[Measured],
    luma: FloatImage,
    orientation: Orientation | None,
    unit: str,
    wholes: dict[int, float | None],
) -> Distribution:
    places = [one.region.place for one in group if one.region.place is not None]
    share = figures(min(100.0, sum(place.share_percent for place in places)))
    ninths = len({tuple(axis.third for axis in place.axes) for place in places})
    diffuse = share >= DIFFUSE_PERCENT or ninths >= DIFFUSE_NINTHS
    first = group[0].region
    return Distribution.model_validate(
        {
            "kind": first.kind,
            "label": first.label,
            "spread": "diffuse" if diffuse else "multifocal" if len(group) > 1 else "focal",
            "within": places[0].within,
            "regions": len(group),
            "share_percent": share,
            "ninths": ninths,
            **_sides(group, luma, orientation, unit, wholes),
        }
    )


def _sides(
    group: list[Measured],
    luma: FloatImage,
    orientation: Orientation | None,
    unit: str,
    wholes: dict[int, float | None],
) -> dict[str, str | float | None]:
    """Of left and right, where both the patient's left and the middle of what was outlined are known.

    `wholes`: differences between the sides of all that was outlined, by the `id` of the outline, once needed.
    """
    within = group[0].within
    lateral = next(
        ((n, grows) for n, (towards, grows) in enumerate(directions(orientation)) if towards == "patient left"), None
    )
    if within is None or lateral is None or any(one.within is not within for one in group):
        return {}
    axis, grows = lateral
    middle = within.box[axis] + within.box[2 + axis] / 2
    halves = [sum(counts) for counts in zip(*(_split(one, axis, middle) for one in group), strict=True)]
    right, left = halves if grows else halves[::-1]
    side: Side = "both sides"
    if max(left, right) >= ONE_SIDE * (left + right):
        side = "patient left" if left > right else "patient right"
    rest = within.mask.copy()
    for one in group:
        box = one.region.box
        rest[box.y : box.y + box.height, box.x : box.x + box.width] &= 1 - one.crop
    found: dict[str, str | float | None] = {"side": side, "asymmetry": figures((left - right) / (left + right))}
    if id(within) not in wholes:
        wholes[id(within)] = _difference(luma, within.mask, within, axis, grows)
    whole, without = wholes[id(within)], _difference(luma, rest, within, axis, grows)
    if whole is not None and without is not None:
        found |= {"side_difference": whole, "side_difference_without": without, "unit": unit}
    return found


def _split(one: Measured, axis: int, middle: float) -> tuple[float, float]:
    """Pixels before and after the middle, along columns (0) or rows (1); those on it count half to each."""
    box, mask = one.region.box, one.crop if axis == 0 else one.crop.T
    cut = middle - (box.x if axis == 0 else box.y)
    whole = min(max(int(cut), 0), mask.shape[1])
    before = float(mask[:, :whole].sum(dtype="int64"))
    if 0 <= cut < mask.shape[1]:
        before += (cut - whole) * float(mask[:, whole].sum(dtype="int64"))
    return before, one.region.area_px - before


def _difference(luma: FloatImage, mask: BinaryImage, within: Within, axis: int, grows: bool) -> float | None:
    """Mean of the patient's left half less that of the right; None where a half is empty."""
    x, y, width, height = within.box
    half = (width if axis == 0 else height) // 2
    # The middle row or column of an odd extent belongs to neither half.
    if axis == 0:
        parts = [(slice(y, y + height), slice(start, start + half)) for start in (x, x + width - half)]
    else:
        parts = [(slice(start, start + half), slice(x, x + width)) for start in (y, y + height - half)]
    before, after = (mean(luma[part], mask[part]) if half else None for part in parts)
    if before is None or after is None:
        return None
    return figures(after - before if grows else before - after)
