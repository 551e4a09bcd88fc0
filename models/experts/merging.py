"""One region where several experts found the same. Knows nothing of how they found it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from models.experts.regions import Measured

SAME_IOU = 0.5
"""What detection counts as a match: Everingham et al., The PASCAL visual object classes challenge, IJCV 88, 2010."""


def merge(found: list[Measured], priority: Mapping[str, int]) -> tuple[list[Measured], Counter[str]]:
    """Regions without those for which one of another expert stands, and how many of each expert's went.

    Two regions are the same where they have one label and overlap by SAME_IOU, or where one was outlined for the box of
    the other. Then that of the higher priority (by name@version) stays; of equal ones that with an outline before a
    mere box, and then the earlier. It names the others' experts as agreeing.
    """
    if len({one.region.expert for one in found}) < 2:
        return found, Counter()
    order = sorted(range(len(found)), key=lambda n: (-priority.get(found[n].region.expert, 0), found[n].boxed, n))
    kept: list[int] = []
    agreeing: dict[int, list[str]] = {}
    gone: Counter[str] = Counter()
    for index in order:
        one = found[index]
        stands = next((other for other in kept if _same(one, found[other])), None)
        if stands is None:
            kept.append(index)
            continue
        gone[one.region.expert] += 1
        if one.region.expert not in agreeing.setdefault(stands, []):
            agreeing[stands].append(one.region.expert)
    return [
        replace(found[index], region=found[index].region.model_copy(update={"agreeing": tuple(agreeing[index])}))
        if index in agreeing
        else found[index]
        for index in sorted(kept)
    ], gone


def _same(one: Measured, other: Measured) -> bool:
    first, second = one.region, other.region
    if first.expert == second.expert or first.label != second.label:
        return False
    return _outlines(one, other) or _outlines(other, one) or iou(one, other) >= SAME_IOU


def _outlines(one: Measured, other: Measured) -> bool:
    """Whether `one` was outlined for the box of `other`, however far its outline is from that."""
    asked = one.candidate and one.candidate.proposal
    return asked is not None and (asked.expert, asked.box) == (other.region.expert, other.region.box)


def iou(one: Measured, other: Measured) -> float:
    """Of the masks, or of the boxes where the form of one of them is not known."""
    a, b = one.region.box, other.region.box
    left, top = max(a.x, b.x), max(a.y, b.y)
    right, bottom = min(a.x + a.width, b.x + b.width), min(a.y + a.height, b.y + b.height)
    if left >= right or top >= bottom:
        return 0.0
    if one.boxed or other.boxed:
        shared = (right - left) * (bottom - top)
        return shared / (a.width * a.height + b.width * b.height - shared)
    first = one.crop[top - a.y : bottom - a.y, left - a.x : right - a.x]
    second = other.crop[top - b.y : bottom - b.y, left - b.x : right - b.x]
    shared = int(np.count_nonzero(first & second))
    return shared / (one.region.area_px + other.region.area_px - shared)
