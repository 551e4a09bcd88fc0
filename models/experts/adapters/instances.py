"""Detectors that give a mask for each box: Mask R-CNN as torchvision exports it, YOLO with masks that boxes share."""

from typing import cast

import cv2
import numpy as np

from models.experts.adapters.boxes import Detection, box_px, chosen, detections
from models.experts.adapters.classes import least
from models.experts.adapters.rows import rows_of
from models.experts.candidates import BinaryImage, Candidate, Component, boxed_part, placed
from models.experts.decodings import Instances
from models.experts.inputs import Floats, Prepared, whole_map
from models.experts.running import Expert, Found, Sight, UnfitOutput


def find_instances(expert: Expert, sight: Sight) -> Found:
    """A region for each of the best detections whose mask is not empty."""
    decoding = cast(Instances, expert.manifest.decoding)
    prepared = expert.prepare(sight)
    *told, masks = expert.run(prepared.batch, [*decoding.named, decoding.masks], prepared.others)
    rows = rows_of(told, decoding, prepared.batch.shape[2:])
    shared = decoding.layout != "torchvision"
    masks = masks[0] if shared and masks.ndim == 4 else masks.reshape(-1, *masks.shape[-2:])
    if len(masks) != (rows.further.shape[1] if shared else len(rows.boxes)):
        raise UnfitOutput
    kept, left_out = chosen(list(detections(expert, prepared, 0, rows)), decoding, prepared)
    outlined = (
        _of_shared(expert, one, np.tensordot(rows.further[one.row], masks, axes=1), prepared)
        if shared
        else _own(expert, one, masks[one.row], prepared)
        for one in kept
    )
    return Found([one for one in outlined if one is not None], left_out)


def _own(expert: Expert, one: Detection, mask: Floats, prepared: Prepared) -> Candidate | None:
    decoding = cast(Instances, expert.manifest.decoding)
    inside = (whole_map(prepared, mask[None, None])[0] >= decoding.mask_threshold).astype(np.uint8)
    part = boxed_part(cast(BinaryImage, inside))
    return _candidate(expert, one, part and placed(*part, prepared.working, prepared.size, one.score), prepared)


def _of_shared(expert: Expert, one: Detection, logits: Floats, prepared: Prepared) -> Candidate | None:
    """What of a sum of masks lies within its box, the sum brought to the image's own size before it is cut."""
    threshold = cast(Instances, expert.manifest.decoding).mask_threshold
    left, top, right, bottom = box_px(one, prepared)
    whole = cv2.resize(
        np.ascontiguousarray(whole_map(prepared, logits[None, None])[0]),
        prepared.size[::-1],
        interpolation=cv2.INTER_LINEAR,
    )
    inside = whole[top:bottom, left:right] > np.log(threshold / (1 - threshold))
    part = boxed_part(cast(BinaryImage, inside.astype(np.uint8)))
    if part is None:
        return None
    crop, x, y = part
    component = Component(left + x, top + y, crop, int(cv2.countNonZero(crop)), one.score)
    return _candidate(expert, one, component, prepared)


def _candidate(expert: Expert, one: Detection, component: Component | None, prepared: Prepared) -> Candidate | None:
    decoding = cast(Instances, expert.manifest.decoding)
    if component is None or component.area_px < decoding.min_area_px:
        return None
    rule = (
        f"mask, at least {decoding.mask_threshold:g}, of a predicted {one.label.name}, its score at least "
        f"{least(one.label, decoding.threshold):g}{prepared.note}"
    )
    return Candidate(component, one.label.name, rule, expert.manifest.expert, code=one.label.code)
