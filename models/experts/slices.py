"""The slices beside an image, and what its experts see in them. Knows nothing of what is made of that."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from models.experts.adapters import look
from models.experts.candidates import BinaryImage, Candidate, FloatImage, apart_from
from models.experts.regions import standing
from models.experts.running import RUN_ERRORS, Expert, Found, Sight
from schemas.images import ImageMetadata

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice: its values as they came, their luma (rows, columns), and 0 where it is masked."""

    values: FloatImage
    luma: FloatImage
    visible: BinaryImage | None

    @classmethod
    def of(cls, values: FloatImage, visible: BinaryImage | None) -> "Slice":
        """`values`: float32 (rows, columns), or (rows, columns, 3) in RGB: their luma is that of ITU-R BT.601."""
        grey = values.ndim == 2
        luma = np.ascontiguousarray(values) if grey else cast(FloatImage, cv2.cvtColor(values, cv2.COLOR_RGB2GRAY))
        return cls(values, luma, visible)


@dataclass(frozen=True, slots=True)
class Seen:
    """What an expert sees in a slice. `complete`: nothing that it found was left out. `visible`: as of the slice."""

    candidates: list[Candidate]
    complete: bool
    visible: BinaryImage | None


def beside(values: tuple[FloatImage, ...], metadata: ImageMetadata) -> dict[int, Slice]:
    """The slices that were sent with an image, by their steps from it."""
    told = zip(metadata.neighbours, values, strict=True)
    return {one.steps: Slice.of(each, apart_from(one.masked, each.shape)) for one, each in told}


def shown(expert: Expert, slices: Mapping[int, Slice], at: int = 0) -> tuple[FloatImage, dict[int, FloatImage]]:
    """A slice as an expert takes it, and those around it by their steps from it."""
    grey = expert.manifest.input.channels != 3
    images = {steps: one.luma if grey else one.values for steps, one in slices.items()}
    return images[at], {steps - at: one for steps, one in images.items() if steps != at}


def look_beside(
    expert: Expert, slices: Mapping[int, Slice], unit: str, *, negated: bool, spacing: tuple[float, float] | None
) -> dict[int, Seen]:
    """What an expert sees in the slices beside the image, which is at 0; one that it fails on is left out.

    Where images are batched, they go through the graph together.
    """
    steps = sorted(step for step in slices if step)

    def at(step: int) -> Found | None:
        image, around = shown(expert, slices, step)
        try:
            return look(expert, Sight(image, negated, spacing, around=around))
        except RUN_ERRORS as error:
            extra = {"expert": expert.manifest.expert, "error": type(error).__name__}
            _log.warning("expert failed on a neighbouring slice", extra=extra)
            return None

    found = _together(at, steps) if expert.batcher is not None else map(at, steps)
    return {
        step: Seen(
            standing(one.candidates, slices[step].luma, unit, slices[step].visible),
            one.left_out == 0,
            slices[step].visible,
        )
        for step, one in zip(steps, found, strict=True)
        if one is not None
    }


def _together(at: Callable[[int], Found | None], steps: list[int]) -> list[Found | None]:
    """Batches are made of images that wait at the same time."""
    with ThreadPoolExecutor(max(1, len(steps)), thread_name_prefix="slices") as threads:
        return list(threads.map(at, steps))
