"""What a definition of an expert holds before export. Knows no expert."""

from dataclasses import dataclass, field
from typing import Literal

from torch import nn

from models.experts.export.focal import FRACTION

LICENCE = "Apache-2.0"
MADE = "Weights computed from the constants in models/experts/export; nothing was trained, nothing downloaded."
SCORE = "0.5 at the threshold, 1 at twice the threshold, mean over the region"


def stands_out(what: str, wide_px: float, least: float, fraction: float = FRACTION) -> str:
    """The rule of `focal` in words: `what` names the value and its direction, as in 'smoothed signal above'."""
    return (
        f"{what} its neighbourhood (sigma {wide_px:g} px) by at least {100 * fraction:g} % of the local peak, where "
        f"that is at least {least:g} x the neighbourhood's deviation"
    )


def stands_out_as_whole(
    what: str, wide_px: float, matched_px: float, least: float, fraction: float, short_px: float
) -> str:
    """The same where what is looked for is told by its mean (`focal.Matched`) and outlined by `focal.Outline`."""
    return (
        f"{what} its neighbourhood (sigma {wide_px:g} px) by at least {100 * fraction:g} % of the mean inside an "
        f"outline kept short (threshold dynamics, sigma {short_px:g} px), where the largest mean nearby (sigma "
        f"{matched_px:g} px) is at least {least:g} x such means' own deviation"
    )


@dataclass(frozen=True)
class Output:
    """One map of an expert, and what its regions are called."""

    name: str
    label: str
    rule: str
    score: str
    threshold: float = 0.5
    min_area_px: int = 12
    min_area_fraction: float = 0.0005
    max_area_fraction: float = 1.0
    rim: float = 0.0
    max_regions: int = 5
    contrast: Literal["any", "brighter", "darker"] = "any"


@dataclass(frozen=True)
class Foreground:
    """The map within which regions are looked for: its larger components, their holes filled."""

    output: str
    min_part_of_largest: float = 0.1
    margin: float = 0.0


@dataclass(frozen=True)
class Definition:
    """An expert before export."""

    name: str
    version: str
    title: str
    module: nn.Module
    source: str
    modalities: tuple[str, ...]
    outputs: tuple[Output, ...]
    limits: tuple[str, ...]
    units: tuple[str, ...] = ()
    channels: Literal[1, 3] = 1
    grey_as_colour: bool = False
    polarity: Literal["value", "displayed"] = "value"
    foreground: Foreground | None = None
    shortest_side: int = 32
    longest_side: int = 512
    spacing_mm: float | None = None
    """What px in its rules are; an image whose spacing is not told is taken as it is."""
    organs: tuple[str, ...] = field(default=())
    views: tuple[str, ...] = field(default=())
    except_organs: tuple[str, ...] = field(default=())
    """For which another expert is made."""
    priority: int = 0
    inside: tuple[str, float] | None = None
    """An expert, and what part of a region has to lie in its regions."""


def one_finding(what: str, surface: str, least: float) -> str:
    """The rule of `single` in words: `what` names the value and its direction, `surface` what it is held against."""
    return (
        f"{what} a smooth surface through {surface}: of the outlines around its strongest place, weighed towards the "
        f"image's middle, the one across which it falls most, by at least {least:g} x what is usual"
    )
