"""Real images with readers' masks, from a folder as `annotate` reads it: image and truth by label. Knows no expert.

A set is a folder that holds images; its images are those whose sidecar names a mask, or that an annotation object
(DICOM segmentation, structure set, report) in a folder `.marks` beside them means. A sidecar is `NAME.json`.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from models.imaging.frames import Source
from models.imaging.given.marking import marked
from models.imaging.policy import FramePolicy
from models.imaging.source import open_source
from schemas.failures import InvalidInput
from schemas.images import ImageMetadata, SourceAnnotation
from streams.buckets.companions import DEFAULTS, is_wanted, named_in, sidecar_of

Mask = NDArray[np.uint8]
NOISE = 0.0005
"""Part of a mask below which a part of it is dust: what lossy copies leave, not what a reader drew."""
LEAST_PX = 10
"""Of a truth: what is smaller is the edge of one on the slice beside it."""


@dataclass(frozen=True)
class Case:
    """An image. `truth`: by the source's words, uint8 (rows, columns); `group`: of one patient, as far as known."""

    of: str
    name: str
    group: str
    values: NDArray[np.float32] = field(repr=False)
    metadata: ImageMetadata = field(repr=False)
    unit: str
    inverted: bool
    annotations: tuple[SourceAnnotation, ...] = field(repr=False)
    truth: dict[str, Mask] = field(repr=False)

    @property
    def half(self) -> str:
        """'first' or 'second', by a hash of set and group: a rule is fitted to one, and reported on the other."""
        digest = hashlib.sha256(f"{self.of} {self.group}".encode()).digest()
        return "first" if digest[0] < 128 else "second"


def cases(folder: Path, sets: Sequence[str] = ()) -> Iterator[Case]:
    """Each image below `folder` with a truth, set by set in the order of their names. `sets`: these alone."""
    for place in sorted({path.parent for path in folder.rglob("*") if path.is_file()}):
        name = place.relative_to(folder).as_posix()
        if not any(part.startswith(".") for part in place.relative_to(folder).parts) and (not sets or name in sets):
            yield from _of_set(place, name)


def _of_set(place: Path, name: str) -> Iterator[Case]:
    marks = [path.read_bytes() for path in sorted(place.glob(".marks/*")) if path.is_file()]
    defaults = [path.read_bytes() for path in (place / DEFAULTS,) if path.exists()]
    for path in sorted(place.iterdir()):
        if not path.is_file() or not is_wanted(path.name) or path.suffix in (".json", ".csv", ".txt", ".md"):
            continue
        sidecar = place / (sidecar_of(path.name) or path.name)
        described = sidecar.read_bytes() if sidecar != path and sidecar.exists() else None
        named = named_in(described) if described else {}
        if not named and not marks:
            continue
        beside = {role: (place / file).read_bytes() for role, file in named.items()}
        try:
            source = open_source(
                path.read_bytes(), FramePolicy(), sidecar=described, mask=beside.pop("mask", None),
                annotations=list(beside.values()), defaults=defaults,
            )  # fmt: skip
            yield from _of_file(marked(source, marks) if marks else source, name, path.name)
        except InvalidInput as error:
            print(f"{name}/{path.name} is left out: {error}")


def _of_file(source: Source, of: str, name: str) -> Iterator[Case]:
    patient = source.belonging.sidecar.patient or source.belonging.header.patient
    for frame in source.frames():
        truth = truth_of(frame.annotations, frame.values.shape[:2])
        if truth:
            yield Case(
                of, name, patient or _stem(name), frame.values, frame.metadata, frame.unit, frame.inverted,
                frame.annotations, truth,
            )  # fmt: skip


def _stem(name: str) -> str:
    """What images of one patient share, where file names end with the number of a slice after that of a patient."""
    stem = name.partition(".")[0]
    if re.fullmatch(r"\d{6}", stem):  # Of MBH-Seg and MS-FLAIR: three digits of the patient, three of the slice.
        return stem[:3]
    shared = re.sub(r"[_-]\d{1,4}$", "", stem)
    return shared if re.search(r"\d", shared) else stem


def truth_of(annotations: Sequence[SourceAnnotation], size: tuple[int, ...]) -> dict[str, Mask]:
    """All that is marked of each label, without dust; labels of which nothing is left are not there."""
    found: dict[str, Mask] = {}
    for one in annotations:
        mask = found.setdefault(one.label, np.zeros(size, np.uint8))
        if one.mask is not None:
            mask |= np.asarray(coco.decode(one.mask.rle), np.uint8)
        elif one.box is not None:
            mask[one.box.y : one.box.y + one.box.height, one.box.x : one.box.x + one.box.width] = 1
    return {label: kept for label, mask in found.items() if int((kept := without_dust(mask)).sum()) >= LEAST_PX}


def without_dust(mask: Mask) -> Mask:
    """A mask without its parts below NOISE of it."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    kept = stats[:, cv2.CC_STAT_AREA] >= NOISE * mask.sum()
    kept[0] = False
    return kept[parts].astype(np.uint8)
