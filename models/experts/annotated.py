"""Regions that the source itself marked, as candidates to be measured. Knows nothing of experts."""

import warnings

import cv2
import numpy as np
from pycocotools import mask as coco

from models.experts.candidates import Candidate, Component
from schemas.expert_runs import ExpertRun
from schemas.images import SourceAnnotation
from schemas.regions import Region

SOURCE = "source"
BY_BOX = "marked in the source by a box"
"""Rule of a region whose mask is a box that was filled."""
MOST = 50
"""Regions told of one image; of more, the largest."""

# pycocotools 2.0.11 decodes through an __array__ of the old kind.
warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)


def marked(annotations: tuple[SourceAnnotation, ...], size: tuple[int, ...]) -> tuple[list[Candidate], ExpertRun]:
    """The largest annotations of an image of `size` (rows, columns), a box as the mask that fills it."""
    found = [candidate for one in annotations if (candidate := _candidate(one, size)) is not None]
    found.sort(key=lambda candidate: -candidate.component.area_px)
    kept = found[:MOST]
    outcome = "regions" if kept else "failed"
    return kept, ExpertRun(expert=SOURCE, outcome=outcome, regions=len(kept), left_out=len(annotations) - len(kept))


def as_annotated(region: Region) -> Region:
    """A measured annotation: not a candidate, and without a score."""
    return region.model_copy(update={"kind": "source annotation", "score": None})


def _candidate(one: SourceAnnotation, size: tuple[int, ...]) -> Candidate | None:
    """None where an annotation lies outside the image, or is of another size."""
    rows, columns = size[:2]
    if one.box is not None:
        x, y = one.box.x, one.box.y
        if x >= columns or y >= rows:
            return None
        crop = np.ones((min(one.box.height, rows - y), min(one.box.width, columns - x)), np.uint8)
    elif one.mask is not None and one.mask.size == (rows, columns):
        whole = np.ascontiguousarray(coco.decode(one.mask.rle))
        x, y, width, height = cv2.boundingRect(whole)
        crop = whole[y : y + height, x : x + width]
    else:
        return None
    area = int(cv2.countNonZero(crop))
    rule = BY_BOX if one.box is not None else "marked in the source by a mask"
    component = Component(x, y, np.ascontiguousarray(crop), area, 1.0)
    return Candidate(component, one.label, rule, SOURCE, code=one.code) if area else None
