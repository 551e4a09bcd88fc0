"""Encoder and prompt decoder (SAM, MedSAM): one mask for each box of another expert, or each point of a grid."""

from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from models.experts.candidates import BinaryImage, Candidate, boxed_part, placed
from models.experts.decodings import Promptable
from models.experts.inputs import Prepared, whole_map
from models.experts.running import TYPES, Expert, Found, Prompt, Sight, UnfitOutput, bound

_POINT, _PADDING, _TOP_LEFT, _BOTTOM_RIGHT = 1.0, -1.0, 2.0, 3.0
"""Labels of points in SAM's prompt encoder."""

Given = dict[str, npt.NDArray[Any] | ort.OrtValue]


class _Outlined(NamedTuple):
    mask: BinaryImage
    quality: float
    prompt: Prompt | None


def find_prompted(expert: Expert, sight: Sight) -> Found:
    """The best masks, those that overlap a better one left out. The image is encoded once, and only if asked of."""
    decoding = cast(Promptable, expert.manifest.decoding)
    if expert.decoder is None:
        raise UnfitOutput
    if decoding.prompts == "boxes" and not sight.prompts:
        return Found([])
    prepared = expert.prepare(sight)
    embedded = expert.encode(prepared.batch)
    if decoding.prompts == "boxes":
        asked = [(_box(prompt, prepared), (_TOP_LEFT, _BOTTOM_RIGHT), prompt) for prompt in sight.prompts]
    else:
        asked = [(((x, y), (0.0, 0.0)), (_POINT, _PADDING), None) for x, y in _grid(decoding.grid, prepared)]
    outlined: list[_Outlined] = []
    for points, labels, prompt in asked:
        mask, quality = _ask(expert, decoding, prepared, embedded, points, labels)
        if quality >= decoding.threshold and mask.any():
            outlined.append(_Outlined(mask, quality, prompt))
    outlined.sort(key=lambda one: -one.quality)
    kept: list[_Outlined] = []
    for one in outlined:
        if all(_iou(one.mask, other.mask) <= decoding.nms_iou for other in kept if _same(one, other)):
            kept.append(one)
    found = [one for each in kept[: decoding.max_regions] if (one := _candidate(expert, each, prepared)) is not None]
    return Found(found, max(0, len(kept) - decoding.max_regions))


def _same(one: _Outlined, other: _Outlined) -> bool:
    return one.prompt is None or other.prompt is None or one.prompt.label == other.prompt.label


def _iou(one: BinaryImage, other: BinaryImage) -> float:
    return float(np.count_nonzero(one & other) / max(1, np.count_nonzero(one | other)))


def _box(prompt: Prompt, prepared: Prepared) -> tuple[tuple[float, float], tuple[float, float]]:
    (down, across), (top, left), box = prepared.scale, prepared.origins[0], prompt.box
    first = (box.x / across - left, box.y / down - top)
    return first, ((box.x + box.width) / across - left, (box.y + box.height) / down - top)


def _grid(side: int, prepared: Prepared) -> list[tuple[float, float]]:
    (top, left), (rows, columns) = prepared.origins[0], prepared.working
    return [
        ((column + 0.5) * columns / side - left, (row + 0.5) * rows / side - top)
        for row in range(side)
        for column in range(side)
    ]


def _ask(
    expert: Expert,
    decoding: Promptable,
    prepared: Prepared,
    embedded: dict[str, ort.OrtValue],
    points: tuple[tuple[float, float], ...],
    labels: tuple[float, ...],
) -> tuple[BinaryImage, float]:
    """The mask of the working copy that the decoder thinks best of, and what it thinks of it."""
    decoder = cast(Any, expert.decoder)
    given: Given = {
        **embedded,
        decoding.points: np.asarray([points], np.float32),
        decoding.point_labels: np.asarray([labels], np.float32),
        "mask_input": np.zeros((1, 1, 256, 256), np.float32),
        "has_mask_input": np.zeros(1, np.float32),
        "orig_im_size": np.asarray(prepared.working, np.float32),
    }
    feeds: Given = {}
    for one in decoder.get_inputs():
        if one.name not in given:
            raise UnfitOutput
        value = given[one.name]
        if one.name == "mask_input":
            value = np.zeros([side if isinstance(side, int) else 1 for side in one.shape], np.float32)
        if isinstance(value, ort.OrtValue):
            # An encoder of half precision may have a decoder of single precision.
            feeds[one.name] = value if value.data_type() == one.type else value.numpy().astype(TYPES[one.type])
        else:
            feeds[one.name] = value.astype(np.int64) if one.type == "tensor(int64)" else value
    asked = bound(decoder, feeds, [decoding.masks, decoding.quality])
    masks, qualities = (np.asarray(asked[name].numpy(), np.float32) for name in (decoding.masks, decoding.quality))
    if masks.ndim != 4 or qualities.size != masks.shape[1] or not np.isfinite(qualities).all():
        raise UnfitOutput
    best = int(qualities.argmax())
    logits = masks[:, best : best + 1]
    if np.isnan(logits).any():
        raise UnfitOutput
    # The decoder's own last step may bring the mask to the image's size; if not, it is of the padded tensor.
    whole = logits[0] if logits.shape[2:] == prepared.working else whole_map(prepared, logits)
    return cast(BinaryImage, (whole[0] > decoding.mask_threshold).astype(np.uint8)), float(qualities.flat[best])


def _candidate(expert: Expert, one: _Outlined, prepared: Prepared) -> Candidate | None:
    manifest, decoding = expert.manifest, cast(Promptable, expert.manifest.decoding)
    part = boxed_part(one.mask)
    component = part and placed(*part, prepared.working, prepared.size, min(1.0, max(0.0, one.quality)))
    smallest = max(decoding.min_area_px, decoding.min_area_fraction * prepared.size[0] * prepared.size[1])
    if component is None or component.area_px < smallest:
        return None
    (label,) = manifest.labels
    name, code = (label.name, label.code) if one.prompt is None else (one.prompt.label, one.prompt.code)
    of = _asked(one.prompt) if one.prompt else f"a point of a grid of {decoding.grid} × {decoding.grid}"
    rule = f"outlined for {of}, its predicted quality at least {decoding.threshold:g}{prepared.note}"
    return Candidate(component, name, rule, manifest.expert, code=code, proposal=one.prompt and one.prompt.proposal)


def _asked(prompt: Prompt) -> str:
    by = prompt.proposal.expert
    box = f"the box of {by}" if prompt.parts == 1 else f"the box of a part of what {by} told"
    return f"{box}, {100 * prompt.widened:g} % wider on each side" if prompt.widened else box
