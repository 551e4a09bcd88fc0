"""Best, median and worst phantom of each modality, as a picture: `python -m benchmarks.experts_sheet JPG`.

Of the phantoms of `benchmarks.experts_quality` at one contrast, by the mean Dice of all that its experts claim:
truth in green, regions in red. Of real images `make experts-real` draws the same into out/experts-real; most of their
licences let nobody hand them on.
"""

import argparse
import statistics
from pathlib import Path

import cv2

from benchmarks.experts_quality import (
    CLAIMS,
    REGION_COLOUR,
    TRUTH_COLOUR,
    Mask,
    compare,
    decode,
    grid,
    look,
    outlined,
)
from models.experts.phantoms import DRAWN, Phantom, draw
from models.experts.registry import Registry
from schemas.images import Modality
from schemas.regions import Region, expert_name

CONTRAST, SIDE, FIRST, SEEDS = 3.0, 256, 100, 20
TILE, ACROSS, QUALITY = 216, 6, 75
"""px; tiles a row; of the JPEG."""


def three(registry: Registry, modality: Modality) -> list[Mask]:
    """Tiles of the best, the median and the worst phantom of a modality, each with its Dice."""
    phantoms = [draw(modality, seed=seed, contrast=CONTRAST, side=SIDE) for seed in range(FIRST, FIRST + SEEDS)]
    told = [(_dice(one, regions), one, regions) for one in phantoms for regions in (look(registry, one),)]
    order = sorted(told, key=lambda each: -each[0])
    return [_tile(*order[place]) for place in (0, len(order) // 2, len(order) - 1)]


def _dice(phantom: Phantom, regions: tuple[Region, ...]) -> float:
    """Mean over what is claimed."""
    return statistics.fmean(
        compare(
            [decode(r) for r in regions if (expert_name(r.expert), r.label) == (claim.expert, claim.label)],
            claim.truth(phantom),
        ).dice
        for claim in CLAIMS
        if claim.modality == phantom.metadata.modality
    )


def _tile(dice: float, phantom: Phantom, regions: tuple[Region, ...]) -> Mask:
    claims = [one for one in CLAIMS if one.modality == phantom.metadata.modality]
    named = {(one.expert, one.label) for one in claims}
    masks = [(one.truth(phantom), TRUTH_COLOUR) for one in claims]
    masks += [(decode(r), REGION_COLOUR) for r in regions if (expert_name(r.expert), r.label) in named]
    tile = outlined(phantom.values, phantom.unit, masks, TILE)
    cv2.rectangle(tile, (0, TILE - 16), (TILE, TILE), (0, 0, 0), cv2.FILLED)
    words = f"{phantom.metadata.modality} {dice:.2f}"
    cv2.putText(tile, words, (4, TILE - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
    return tile


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jpg", type=Path)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    registry = Registry.load()
    tiles = [tile for modality in DRAWN for tile in three(registry, modality)]
    cv2.imwrite(str(arguments.jpg), grid(tiles, ACROSS), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


if __name__ == "__main__":
    main()
