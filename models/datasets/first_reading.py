"""Triplets read for the first time: what is refused, what is the same as another, and what must stay together."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.datasets.duplicates import in_8_bits
from models.datasets.evaluation import decoded_of
from models.datasets.groups import Together
from models.datasets.kept import KeptImage
from models.datasets.lines import Deleted, Glance, Read
from models.datasets.origin import origin_of
from models.datasets.policy import WRITTEN, Policy
from models.datasets.scan import Scan, Seen
from models.datasets.soundness import OTHER, PICTURE, Flawed
from models.datasets.vectors import Vectors
from models.imaging import from_pixels
from models.imaging.errors import CorruptPixels
from models.imaging.perceptual import perceptual_hash
from schemas.images import Pixels


@dataclass
class Looked:
    """How many triplets were read, how many were unpacked for their hash, and how many groups joined.

    `alike`: of these, for their vectors alone. `without`: images that have no vector of the encoder asked for.
    """

    triplets: int = 0
    unpacked: int = 0
    joined: int = 0
    alike: int = 0
    without: int = 0


def look(
    read: Read,
    scan: Scan,
    policy: Policy,
    evaluation: Mapping[str, Iterable[tuple[str, bytes]]],
    kept: Iterable[KeptImage],
    hits: Path,
    progress: Callable[[int], None],
) -> Looked:
    """Take down every triplet with what speaks against it, and join groups of which images are nearly the same.

    Args:
        read: the triplets.
        scan: takes them down.
        policy: what is taken.
        evaluation: file names and pictures of each evaluation set.
        kept: images of an earlier data set; what is nearly one of them joins its group there.
        hits: a file that lists what is near one of these; made where there is any. Vectors lie beside it meanwhile.
        progress: told how many were read.

    Returns:
        What was read.
    """
    for name, pictures in evaluation.items():
        for file, picture in decoded_of(name, pictures):
            scan.add_evaluation(name, file, picture)
    for image in kept:
        scan.add_kept(image)
    together, looked, vectors = Together(), Looked(), Vectors(hits.parent)
    for given in read():
        if isinstance(given, Deleted):
            scan.delete(given.triplet_id)
            continue
        looked.triplets += 1
        progress(looked.triplets)
        one = given.glance()
        value, near, reason, twin = 0, list[tuple[str, str]](), policy.refuses(one), None
        if not reason:
            try:
                value, picture = _hashed(one.image, unpack=bool(evaluation))
            except Flawed as flaw:
                reason = str(flaw)
            else:
                looked.unpacked += one.image.perceptual_hash is None
                near = scan.near_evaluation(picture) if picture is not None else near
                reason = _too_near(near)
                twin = None if reason else scan.displace(one.image_id)
        _list_hits(hits, one.triplet_id, near)
        seen = _seen(one, value, reason, given.at or looked.triplets)
        if twin:
            # What is left out for this one may be what another collection tests on.
            together.join(seen.group, twin)
        if not reason:
            for _, group in scan.near(value, policy.near):
                together.join(seen.group, group)
            for group in scan.near_kept(one.image_id, value, policy.near):
                together.join(seen.group, group)
        number = scan.add(seen)
        if policy.alike and not reason:
            vector = given.embedding(policy.alike.encoder)
            looked.without += vector is None or not vectors.add(number, vector.expert, vector.values)
    # Who asks for the composer's texts alone has them, though a model described the same images later.
    for heir in scan.settle(WRITTEN):
        for _, group in scan.near(heir.hash, policy.near):
            together.join(heir.group, group)
    for one, other in scan.shared():
        together.join(one, other)
    looked.joined = together.joined
    if policy.alike:
        for one, other in vectors.alike(policy.alike.least, scan.taken()):
            together.join(one, other)
    vectors.close()
    looked.alike, looked.joined = together.joined - looked.joined, together.joined
    scan.groups.join(together)
    return looked


def _hashed(image: Pixels, *, unpack: bool) -> tuple[int, npt.NDArray[np.uint8] | None]:
    """The perceptual hash of a picture, and the picture where it was unpacked.

    Raises:
        Flawed: it cannot be unpacked, or is not the one that it is said to be.
    """
    told = int(image.perceptual_hash, 16) if image.perceptual_hash is not None else None
    if told is not None and not unpack:
        return told, None
    try:
        picture = in_8_bits(from_pixels(image))
    except CorruptPixels:
        raise Flawed(PICTURE) from None
    found = perceptual_hash(picture)
    if told not in (None, found):
        raise Flawed(OTHER)
    return found, picture


def _too_near(near: Iterable[tuple[str, str]]) -> str:
    names = sorted({name for name, _ in near})
    return f"near an image of {', '.join(names)}" if names else ""


def _seen(one: Glance, value: int, reason: str, at: int) -> Seen:
    origin = origin_of(one)
    study = one.provenance.study if one.provenance else None
    return Seen(
        one.triplet_id, one.image_id, origin.group, origin.series, one.modality, one.organ, one.disease, origin.given,
        value, reason, origin.level, study or "", one.object_id, one.frame, at,
    )  # fmt: skip


def _list_hits(path: Path, triplet_id: str, near: Iterable[tuple[str, str]]) -> None:
    lines = [json.dumps({"triplet_id": triplet_id, "set": name, "file": picture}) for name, picture in near]
    if lines:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
