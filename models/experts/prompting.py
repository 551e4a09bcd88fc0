"""What a promptable expert is asked: a box for each part of what was told before. Knows no graph."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from models.experts.candidates import Candidate
from models.experts.decodings import Promptable
from models.experts.manifest import Manifest
from models.experts.running import Prompt
from schemas.regions import Box, expert_name


def prompts(manifest: Manifest, told: Sequence[Candidate]) -> tuple[Prompt, ...]:
    """The boxes that an expert is prompted with; none where it is not prompted by boxes.

    What has several parts is asked for part by part: one box around four polyps outlines what lies between them. A part
    below the manifest's share of its whole is dust, and would stretch a box to wherever it lies.
    """
    decoding = manifest.decoding
    if not isinstance(decoding, Promptable) or decoding.prompts != "boxes":
        return ()
    chosen = [one for one in told if _is_chosen(one, decoding.prompted_by)]
    asked = [(area, prompt) for one in chosen for area, prompt in _parts(one, decoding.least_part)]
    if len(asked) > decoding.max_prompts:
        asked.sort(key=lambda one: -one[0])
    return tuple(prompt for _, prompt in asked[: decoding.max_prompts])


def _is_chosen(one: Candidate, by: tuple[str, ...]) -> bool:
    """`by`: names of experts, or 'name: label'."""
    name = expert_name(one.expert)
    return not by or name in by or f"{name}: {one.label}" in by


def _parts(one: Candidate, least: float) -> Iterator[tuple[int, Prompt]]:
    """Each with its area in px."""
    component = one.component
    number, _, stats, _ = cv2.connectedComponentsWithStats(component.crop, connectivity=8)
    areas = stats[1:number, cv2.CC_STAT_AREA]
    kept = np.flatnonzero(areas >= least * component.area_px)
    for part in kept:
        x, y, width, height = (int(value) for value in stats[1 + part, :4])
        box = Box(x=component.x + x, y=component.y + y, width=width, height=height)
        yield int(areas[part]), Prompt(box, one.label, one.code, one.expert, parts=len(kept))
