"""One region where several experts found the same. Knows nothing of how they found it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from models.experts.regions import Measured
from schemas.shapes import Box

SAME_IOU = 0.5
"""What detection counts as a match: Everingham et al., The PASCAL visual object classes challenge, IJCV 88, 2010."""
SAME_PART = 0.5
"""Of a region: where so much of it lies in what is outlined with a higher priority, it is a part of that."""


def merge(found: list[Measured], priority: Mapping[str, int]) -> tuple[list[Measured], Counter[str]]:
    """Regions without those for which one of another expert stands, and how many of each expert's went.

    Two regions are the same where they have one label and overlap by SAME_IOU, or where one was outlined for the box of
    the other. Then that of the higher priority (by name@version) stays; of equal ones that with an outline before a
    mere box, and then the earlier. A region is also the same as those of its label and a higher priority in which it
    lies by SAME_PART, as the coarse pieces of a tree of vessels in a fine outline of it: the one that holds most of it
    stands for it. What stays names the others' experts as agreeing.
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
            above = [other for other in kept if _above(found[other], one, priority)]
            stands = _holding(one, {other: found[other] for other in above})
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


def _above(one: Measured, other: Measured, priority: Mapping[str, int]) -> bool:
    first, second = one.region, other.region
    return first.label == second.label and priority.get(first.expert, 0) > priority.get(second.expert, 0)


def _holding(one: Measured, others: Mapping[int, Measured]) -> int | None:
    """Which of `others` holds most of a region, where together they hold SAME_PART of it."""
    # The form of a box is not known, and what it shares with another is not either.
    shared = {index: _shared(one, other) for index, other in others.items() if not (one.boxed or other.boxed)}
    if sum(shared.values()) < SAME_PART * one.region.area_px:
        return None
    return max(shared, key=lambda index: shared[index])


def _outlines(one: Measured, other: Measured) -> bool:
    """Whether `one` was outlined for the box of `other`, however far its outline is from that."""
    asked = one.candidate and one.candidate.proposal
    return asked is not None and (asked.expert, asked.box) == (other.region.expert, other.region.box)


def iou(one: Measured, other: Measured) -> float:
    """Of the masks, or of the boxes where the form of one of them is not known."""
    a, b = one.region.box, other.region.box
    if one.boxed or other.boxed:
        left, top, right, bottom = _common(a, b)
        shared = max(right - left, 0) * max(bottom - top, 0)
        return shared / (a.width * a.height + b.width * b.height - shared)
    shared = _shared(one, other)
    return shared / (one.region.area_px + other.region.area_px - shared)


def _shared(one: Measured, other: Measured) -> int:
    """Pixels of both masks."""
    a, b = one.region.box, other.region.box
    left, top, right, bottom = _common(a, b)
    if left >= right or top >= bottom:
        return 0
    first = one.crop[top - a.y : bottom - a.y, left - a.x : right - a.x]
    second = other.crop[top - b.y : bottom - b.y, left - b.x : right - b.x]
    return int(np.count_nonzero(first & second))


def _common(a: Box, b: Box) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what two boxes share; nothing where one is not less than its opposite."""
    return (
        max(a.x, b.x), max(a.y, b.y), min(a.x + a.width, b.x + b.width), min(a.y + a.height, b.y + b.height),
    )  # fmt: skip
