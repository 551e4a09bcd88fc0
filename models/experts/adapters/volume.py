"""Segmenters of three dimensions: a volume is looked at once, and each of its slices is given what lies in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from models.experts.adapters.classes import counted, least, probabilities
from models.experts.candidates import BinaryImage, Candidate, components
from models.experts.decodings import Label, Volumetric
from models.experts.figures import figures
from models.experts.running import RUN_ERRORS, Expert, Found, Sight, UnfitOutput
from models.experts.solids import measured, parts_of, voxel_ml
from models.experts.volumes import Given, class_maps
from schemas.regions import VolumeFinding


@dataclass(frozen=True, slots=True)
class Solid:
    """What was found of one label: its mask (slices, rows, columns) of 0 and 1 from `corner` on, and probabilities."""

    label: Label
    rule: str
    corner: tuple[int, int, int]
    mask: npt.NDArray[np.uint8]
    score: npt.NDArray[np.float16]
    finding: VolumeFinding


def find_in_volume(expert: Expert, sight: Sight) -> Found:
    """The connected parts of each class in the image's own slice. Raises UnfitOutput where its volume is not there."""
    named = expert.manifest.input.named
    if sight.volume is None or not sight.volume.channels.keys() >= set(named):
        raise UnfitOutput
    given, decoding = sight.volume, cast(Volumetric, expert.manifest.decoding)
    size = given.shape[1:]
    smallest = max(decoding.min_area_px, decoding.min_area_fraction * size[0] * size[1])
    found: list[Candidate] = []
    left_out = 0
    looked = expert.volumes.get(given.digest_of(named), lambda: _looked(expert, given), _bytes)
    solids = cast(tuple[Solid, ...] | Exception, looked)
    if isinstance(solids, Exception):
        raise solids
    for solid in solids:
        place = given.place - solid.corner[0]
        if not 0 <= place < len(solid.mask):
            continue
        mask, score = np.zeros(size, np.uint8), np.zeros(size, np.float32)
        (top, left), (height, width) = solid.corner[1:], solid.mask.shape[1:]
        window = np.s_[top : top + height, left : left + width]
        mask[window], score[window] = solid.mask[place], solid.score[place]
        kept, more = components(score, cast(BinaryImage, mask), size, smallest, decoding.max_regions)
        found += [
            Candidate(part, solid.label.name, solid.rule, expert.manifest.expert, code=solid.label.code)
            for part in kept
        ]
        left_out += more
    return Found(found, left_out, volumes=tuple(solid.finding for solid in solids))


def _looked(expert: Expert, given: Given) -> tuple[Solid, ...] | Exception:
    """What it found, or why it cannot: it is not asked again for each slice."""
    try:
        return tuple(_solids(expert, given))
    except RUN_ERRORS as error:
        return error


def _bytes(looked: object) -> int:
    """Of what `_looked` gave: an error counts too, so that there are never endlessly many."""
    solids = looked if isinstance(looked, tuple) else ()
    return 2**16 + sum(one.mask.nbytes + one.score.nbytes for one in cast(tuple[Solid, ...], solids))


def _solids(expert: Expert, given: Given) -> Iterator[Solid]:
    manifest, decoding = expert.manifest, cast(Volumetric, expert.manifest.decoding)
    softmax = decoding.activation == "softmax"
    best, first = np.full(given.shape, -1, np.float32), np.zeros(given.shape, np.uint8)
    inside: dict[int, tuple[npt.NDArray[np.bool_], npt.NDArray[np.float16]]] = {}
    wanted = {label.index: label for label in manifest.labels}
    classes = 0

    def run(batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        (scores,) = expert.run(batch, [decoding.output])
        return scores

    # One class at a time at the volume's own size: all of them might not fit into memory.
    for index, score in enumerate(
        class_maps(given, manifest.input, run, lambda scores: probabilities(scores, decoding.activation))
    ):
        classes = index + 1
        if softmax:
            better = score > best
            first[better], best[better] = index, score[better]
        elif index in wanted:
            inside[index] = score >= least(wanted[index], decoding.threshold), score.astype(np.float16)
    for label in counted(manifest, classes):
        if softmax:
            where, score = first == label.index, best
            if label.threshold is not None:
                where &= best >= label.threshold
            rule = f"{label.name} is the most probable class"
            rule += "" if label.threshold is None else f", its probability at least {label.threshold:g}"
        else:
            where, score = inside.pop(label.index)
            rule = f"predicted probability of {label.name} at least {least(label, decoding.threshold):g}"
        rule += f", in three dimensions, of the volume of {given.shape[0]} slices"
        rule += f", of which it was given {', '.join(manifest.input.named)}" if manifest.input.named else ""
        solid = _solid(where, score, label, rule, expert, given)
        if solid is not None:
            yield solid


def _solid(
    where: npt.NDArray[np.bool_],
    score: npt.NDArray[np.float32] | npt.NDArray[np.float16],
    label: Label,
    rule: str,
    expert: Expert,
    given: Given,
) -> Solid | None:
    box = _box(where)
    if box is None:
        return None
    decoding = cast(Volumetric, expert.manifest.decoding)
    voxel = voxel_ml(given.spacing)
    labelled, sizes = parts_of(where[box])
    keep = np.full(len(sizes), True) if voxel is None else sizes * voxel >= decoding.min_volume_ml
    if not keep.any():
        return None
    mask = np.concatenate([[False], keep])[labelled]
    inner = _box(mask)
    assert inner is not None
    corner = tuple(outer.start + one.start for outer, one in zip(box, inner, strict=True))
    mask, probability = mask[inner], score[box][inner].astype(np.float16)
    finding = VolumeFinding(
        volume=given.digest_of(expert.manifest.input.named),
        channels=expert.manifest.input.named,
        label=label.name,
        code=label.code,
        expert=expert.manifest.expert,
        slices=len(mask),
        first_slice=corner[0],
        **measured(sizes[keep], mask.shape, given.spacing),
        score=figures(min(1.0, max(0.0, float(probability[mask].mean(dtype=np.float64))))),
    )
    return Solid(label, rule, (corner[0], corner[1], corner[2]), mask.view(np.uint8), probability, finding)


def _box(where: npt.NDArray[np.bool_]) -> tuple[slice, slice, slice] | None:
    """Around what is true; None where nothing is."""
    ends: list[slice] = []
    for axis in range(3):
        others = tuple(one for one in range(3) if one != axis)
        hit = np.flatnonzero(where.any(axis=others))
        if not hit.size:
            return None
        ends.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return ends[0], ends[1], ends[2]
