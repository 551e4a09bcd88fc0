"""Whether what a source says of left and right agrees with itself. Knows nothing of how it was read."""

import numpy as np
from pycocotools import mask as coco

from schemas.images import ImageMetadata, SourceAnnotation

_VIEWS = {"LL": "left", "RL": "right"}
"""Lateral views by the side that lies at the detector (PS3.3 C.8.1.2.1.1)."""
_NAMED = ("left", "right")


def sides_contradict(metadata: ImageMetadata, annotations: tuple[SourceAnnotation, ...]) -> bool:
    """Whether a view or a mark names another side than the image's, or two marks lie on each other's sides.

    Marks are compared with each other, not with the middle of the image: it can be of one side alone.
    """
    side = metadata.laterality if metadata.laterality in _NAMED else None
    if side is not None and _VIEWS.get(metadata.view or "", side) != side:
        return True
    sided = [(*one.label.split(" ", 1), one) for one in annotations if one.label.startswith(("left ", "right "))]
    if side is not None and any(named != side for named, _, _ in sided):
        return True
    orientation = metadata.orientation
    axes = (orientation.right, orientation.down) if orientation else ()
    across = next((n for n, towards in enumerate(axes) if towards in ("patient left", "patient right")), None)
    if across is None:
        return False
    grows = 1 if axes[across] == "patient left" else -1
    places: dict[tuple[str, str], list[float]] = {}
    for named, what, mark in sided:
        places.setdefault((named, what), []).append(grows * _centroid(mark)[across])
    return any(
        float(np.mean(found)) < float(np.mean(places["right", what]))
        for (named, what), found in places.items()
        if named == "left" and ("right", what) in places
    )


def _centroid(mark: SourceAnnotation) -> tuple[float, float]:
    """x and y, px."""
    if mark.mask is None:
        assert mark.box is not None
        return mark.box.x + mark.box.width / 2, mark.box.y + mark.box.height / 2
    rows, columns = np.nonzero(np.asarray(coco.decode(mark.mask.rle)))
    return float(columns.mean()), float(rows.mean())
