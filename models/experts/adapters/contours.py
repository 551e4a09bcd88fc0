"""Outlines as points along them: what each closed line holds is a region."""

from typing import cast

import cv2
import numpy as np

from models.experts.adapters.classes import counted
from models.experts.adapters.landmarks import in_image, in_tensor
from models.experts.candidates import Candidate, Component, boxed_part
from models.experts.points import Contours
from models.experts.running import Expert, Found, Sight, UnfitOutput
from models.imaging.given.marks import filled


def find_contours(expert: Expert, sight: Sight) -> Found:
    """At most one region a label, cut to the image, without a score. Raises UnfitOutput."""
    manifest, decoding = expert.manifest, cast(Contours, expert.manifest.decoding)
    prepared = expert.prepare(sight)
    (given,) = expert.run(prepared.batch, [decoding.output], prepared.others)
    if given.size != 2 * sum(decoding.points):
        raise UnfitOutput
    outlines = np.split(in_image(in_tensor(given, decoding, prepared), prepared), np.cumsum(decoding.points)[:-1])
    found: list[Candidate] = []
    for label in counted(manifest, len(outlines)):
        # Of px, not of their edges: the centre of the first lies at 0.
        centres = outlines[label.index].astype(np.float64) - 0.5
        part = boxed_part(filled([centres], prepared.size).view(np.uint8))
        area = int(cv2.countNonZero(part[0])) if part else 0
        if part is None or area < decoding.min_area_px:
            continue
        crop, x, y = part
        rule = f"predicted outline of {label.name}, of {decoding.points[label.index]} points"
        component = Component(x, y, crop, area, None)
        found.append(Candidate(component, label.name, rule, manifest.expert, code=label.code))
    return Found(found)
