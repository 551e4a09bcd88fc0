"""Triplets read for the first time: what is refused, what is the same as another, and what must stay together."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.datasets.duplicates import perceptual_hash
from models.datasets.evaluation import hashes_of
from models.datasets.groups import Together
from models.datasets.lines import Deleted, Glance, Read
from models.datasets.origin import origin_of
from models.datasets.policy import Policy
from models.datasets.scan import SAME, Scan, Seen
from models.datasets.soundness import PICTURE
from models.imaging import from_pixels
from models.imaging.errors import CorruptPixels
from schemas.images import Pixels


def look(
    read: Read,
    scan: Scan,
    policy: Policy,
    evaluation: Mapping[str, Iterable[tuple[str, bytes]]],
    hits: Path,
    progress: Callable[[int], None],
) -> tuple[int, int]:
    """Take down every triplet with what speaks against it, and join groups of which images are nearly the same.

    Args:
        read: the triplets.
        scan: takes them down.
        policy: what is taken.
        evaluation: file names and pictures of each evaluation set.
        hits: a file that lists what is near one of these; made where there is any.
        progress: told how many were read.

    Returns:
        How many triplets were read, and how many groups were joined to another one.
    """
    for name, pictures in evaluation.items():
        for file, value in hashes_of(name, pictures):
            scan.add_evaluation(name, file, value)
    together = Together()
    count = 0
    for given in read():
        if isinstance(given, Deleted):
            if (heir := scan.delete(given.triplet_id)) is not None:
                for _, group in scan.near(heir.hash, policy.near):
                    together.join(heir.group, group)
            continue
        count += 1
        progress(count)
        one = given.glance()
        seen, near = _seen(one, scan, policy)
        _list_hits(hits, one.triplet_id, near)
        if not seen.reason:
            for _, group in scan.near(seen.hash, policy.near):
                together.join(seen.group, group)
        scan.add(seen)
    scan.groups.join(together)
    return count, together.joined


def _seen(one: Glance, scan: Scan, policy: Policy) -> tuple[Seen, list[tuple[str, str]]]:
    """A triplet, and the evaluation images that it is near."""
    origin = origin_of(one)
    reason, value, near = policy.refuses(one), 0, list[tuple[str, str]]()
    if not reason:
        try:
            value = perceptual_hash(_shown(one.image))
        except CorruptPixels:
            reason = PICTURE
    if not reason:
        if scan.has_image(one.image_id):
            reason = SAME
        elif near := sorted(set(scan.near_evaluation(value, policy.near))):
            reason = f"near an image of {', '.join(sorted({name for name, _ in near}))}"
    seen = Seen(
        one.triplet_id, one.image_id, origin.group, origin.series, one.modality, one.disease, origin.given, value,
        reason, origin.level,
    )  # fmt: skip
    return seen, near


def _list_hits(path: Path, triplet_id: str, near: Iterable[tuple[str, str]]) -> None:
    lines = [json.dumps({"triplet_id": triplet_id, "set": name, "file": picture}) for name, picture in near]
    if lines:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)


def _shown(image: Pixels) -> npt.NDArray[np.uint8]:
    stored = from_pixels(image)
    return (stored if stored.dtype == np.uint8 else stored >> 8).astype(np.uint8, copy=False)
