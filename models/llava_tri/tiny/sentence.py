"""What the projector of the tiny preset says of a picture: one sentence with gaps, and the words that may fill each.

Here stands which words the facts of a triplet put into the gaps: the projector learns to give those. Facts are the
source's: its modality and organ, and the regions that it marks. What experts propose is left out, for some of it is
wrong. Knows nothing of networks.
"""

from dataclasses import dataclass

from models.datasets.instructions.regions import side_of
from models.imaging.vocabulary import ORGANS
from models.statements.facts import Facts
from models.statements.writing.text import COUNTS
from schemas.images import MODALITIES
from schemas.regions import Region

SENTENCE = (
    "Kind: {modality}. Organ: {organ}. Number: {count}. Side: {side}. Place: {down} {across}. "
    "Box: [0.{left}, 0.{top}, 0.{right}, 0.{bottom}]"
)
NONE = "none"
"""Fills a gap of which the source tells nothing: no organ, no regions, no side of the patient."""
_THIRDS = ("left", "centre", "right", "upper", "middle", "lower", "anterior", "posterior", "superior", "inferior")
CHOICES: dict[str, tuple[str, ...]] = {
    "modality": (*(one for one in MODALITIES if one not in ("other", "unknown")), NONE),
    "organ": (*sorted(ORGANS), NONE),
    "count": (NONE, *COUNTS[1:]),
    "side": ("left", "right", NONE),
    "down": _THIRDS,
    "across": _THIRDS,
}
"""Words of each gap. Thirds of the picture, or of the patient where its orientation is known."""
EDGES = ("left", "top", "right", "bottom")
"""Gaps of two digits each: hundredths of the width or height."""
CLEAR = 2.0
"""Times the area of every other region that a region must have for the sentence to be about it."""


@dataclass(frozen=True, slots=True)
class Words:
    """What fills the gaps: a word of each choice, or None where it is not known; edges are parts from 0 to 1."""

    choices: dict[str, str | None]
    edges: tuple[float, float, float, float] | None


def words_of(facts: Facts) -> Words:
    """The words that the facts of a picture put into the sentence.

    Side, place and box are those of the region that stands out: the only one, or one of twice the area of any other.
    Where none does they are not known, and nothing is learnt of them.
    """
    regions = sorted(
        (one for _, one in facts.regions.values() if one.kind == "source annotation"), key=lambda one: -one.area_px
    )
    told = facts.metadata
    found: dict[str, str | None] = dict.fromkeys(CHOICES)
    found["modality"] = told.modality if told.modality in CHOICES["modality"] else NONE
    found["organ"] = told.organ or NONE
    first = regions[0] if regions else None
    count = sum(first is not None and one.label == first.label for one in regions)
    found["count"] = CHOICES["count"][count] if count < len(COUNTS) else None
    if first is None or any(first.area_px < CLEAR * one.area_px for one in regions[1:]):
        return Words(found, None)
    found["side"] = side_of(first) or NONE
    if first.place is not None:
        found["across"], found["down"] = (axis.third.removeprefix("patient's ") for axis in first.place.axes)
    return Words(found, _edges(first))


def _edges(region: Region) -> tuple[float, float, float, float]:
    rows, columns = region.mask.size
    box = region.box
    return box.x / columns, box.y / rows, (box.x + box.width) / columns, (box.y + box.height) / rows
