"""What a promptable expert is asked: a box for each part of what was told before. Knows no graph."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from models.experts.candidates import Candidate, Proposal
from models.experts.decodings import Promptable
from models.experts.manifest import Manifest
from models.experts.running import Prompt
from schemas.regions import Box, expert_name


def prompts(manifest: Manifest, told: Sequence[Candidate], size: tuple[int, int]) -> tuple[Prompt, ...]:
    """The boxes that an expert is prompted with; none where it is not prompted by boxes.

    What has several parts is asked for part by part: one box around four polyps outlines what lies between them. A part
    below the manifest's share of its whole is dust, and would stretch a box to wherever it lies. `size`: rows and
    columns of the image, which no box is widened beyond.
    """
    decoding = manifest.decoding
    if not isinstance(decoding, Promptable) or decoding.prompts != "boxes":
        return ()
    asked: list[tuple[int, Prompt]] = []
    for one in told:
        names = _names(one)
        if decoding.prompted_by and not any(name in decoding.prompted_by for name in names):
            continue
        share = next((decoding.widened[name] for name in names if name in decoding.widened), 0.0)
        proposal, parts = Proposal(one.expert, one.component.box), list(_parts(one, decoding.least_part))
        asked += [
            (area, Prompt(_wider(box, share, size), one.label, one.code, proposal, len(parts), share))
            for area, box in parts
        ]
    if len(asked) > decoding.max_prompts:
        asked.sort(key=lambda one: -one[0])
    return tuple(prompt for _, prompt in asked[: decoding.max_prompts])


def _names(one: Candidate) -> tuple[str, str]:
    """What a manifest can call it by, the narrower first."""
    name = expert_name(one.expert)
    return f"{name}: {one.label}", name


def _wider(box: Box, share: float, size: tuple[int, int]) -> Box:
    across, down = round(share * box.width), round(share * box.height)
    left, top = max(0, box.x - across), max(0, box.y - down)
    right, bottom = min(size[1], box.x + box.width + across), min(size[0], box.y + box.height + down)
    return Box(x=left, y=top, width=right - left, height=bottom - top)


def _parts(one: Candidate, least: float) -> Iterator[tuple[int, Box]]:
    """Each with its area in px."""
    component = one.component
    number, _, stats, _ = cv2.connectedComponentsWithStats(component.crop, connectivity=8)
    areas = stats[1:number, cv2.CC_STAT_AREA]
    for part in np.flatnonzero(areas >= least * component.area_px):
        x, y, width, height = (int(value) for value in stats[1 + part, :4])
        yield int(areas[part]), Box(x=component.x + x, y=component.y + y, width=width, height=height)
