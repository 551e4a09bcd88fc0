"""Numbered objects of a label image as candidates. Knows no network."""

from collections.abc import Mapping
from typing import cast

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from models.experts.candidates import BinaryImage, Candidate, Component, placed
from models.experts.decodings import Flows, Hover, Label, Stardist
from models.experts.inputs import Prepared
from models.experts.running import Expert, Found

Numbers = npt.NDArray[np.int32]


def numbered(
    expert: Expert, prepared: Prepared, numbers: Numbers, of: Mapping[int, tuple[Label, float]], rule: str
) -> Found:
    """A candidate for each number from 1 of a working copy (rows, columns); `of`: its label and score."""
    decoding = cast(Hover | Stardist | Flows, expert.manifest.decoding)
    smallest = max(decoding.min_area_px, decoding.min_area_fraction * prepared.size[0] * prepared.size[1])
    parts: dict[int, list[tuple[Component, Label]]] = {}
    for number, where in enumerate(ndimage.find_objects(numbers), start=1):
        if where is None or number not in of:
            continue
        (down, across), (label, score) = where, of[number]
        crop = cast(BinaryImage, (numbers[where] == number).astype(np.uint8))
        component = placed(crop, across.start, down.start, prepared.working, prepared.size, score)
        if component is not None and component.area_px >= smallest:
            parts.setdefault(label.index, []).append((component, label))
    found: list[Candidate] = []
    left_out = 0
    for of_label in parts.values():
        of_label.sort(key=lambda one: -one[0].area_px)
        found += [
            Candidate(part, label.name, rule + prepared.note, expert.manifest.expert, code=label.code)
            for part, label in of_label[: decoding.max_regions]
        ]
        left_out += max(0, len(of_label) - decoding.max_regions)
    return Found(found, left_out)
