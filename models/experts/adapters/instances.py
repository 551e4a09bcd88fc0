"""Detectors that give a mask for each box (Mask R-CNN, as torchvision exports it)."""

from typing import cast

import numpy as np

from models.experts.adapters.boxes import Detection, chosen, detections
from models.experts.adapters.classes import least
from models.experts.candidates import BinaryImage, Candidate, boxed_part, placed
from models.experts.decodings import Instances
from models.experts.inputs import Floats, Prepared, whole_map
from models.experts.running import Expert, Found, Sight, UnfitOutput


def find_instances(expert: Expert, sight: Sight) -> Found:
    """A region for each of the best detections whose mask is not empty."""
    decoding = cast(Instances, expert.manifest.decoding)
    prepared = expert.prepare(sight)
    boxes, classes, scores, masks = expert.run(
        prepared.batch, [decoding.boxes, decoding.labels, decoding.scores, decoding.masks], prepared.others
    )
    boxes, classes, scores = boxes.reshape(-1, 4), classes.reshape(-1), scores.reshape(-1)
    masks = masks.reshape(-1, *masks.shape[-2:])
    if len(masks) != len(boxes):
        raise UnfitOutput
    found = list(detections(expert, prepared, 0, boxes, classes, scores))
    kept, left_out = chosen(found, decoding, prepared)
    outlined = (_candidate(expert, one, masks[one.row], prepared) for one in kept)
    return Found([one for one in outlined if one is not None], left_out)


def _candidate(expert: Expert, one: Detection, mask: Floats, prepared: Prepared) -> Candidate | None:
    decoding = cast(Instances, expert.manifest.decoding)
    inside = (whole_map(prepared, mask[None, None])[0] >= decoding.mask_threshold).astype(np.uint8)
    part = boxed_part(cast(BinaryImage, inside))
    component = part and placed(*part, prepared.working, prepared.size, one.score)
    if component is None or component.area_px < decoding.min_area_px:
        return None
    rule = (
        f"mask, at least {decoding.mask_threshold:g}, of a predicted {one.label.name}, its score at least "
        f"{least(one.label, decoding.threshold):g}{prepared.note}"
    )
    return Candidate(component, one.label.name, rule, expert.manifest.expert, code=one.label.code)
