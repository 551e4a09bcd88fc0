"""Volumes put together from the triplets of their slices: ml, parts and extents of what was outlined in each.

Regions of one label are stacked as they lie in their slices. Knows nothing of how they were found.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco

from models.experts.annotated import BY_BOX
from models.experts.solids import measured, parts_of
from schemas.base import Provenance
from schemas.images import ImageMetadata, InVolume
from schemas.regions import Code, Region, VolumeFinding
from schemas.shapes import Mask
from schemas.triplets import Triplet
from schemas.volumes import StackedLabel, VolumeRecord

Key = tuple[str, str, str]
"""Kind, label and expert of regions."""
Solid = npt.NDArray[np.bool_]


@dataclass(slots=True)
class _Stack:
    """What the triplets of one volume tell, run-length encoded until it is measured."""

    metadata: ImageMetadata
    within: InVolume
    size: tuple[int, int]
    seen: set[int] = field(default_factory=set[int])
    organs: set[str | None] = field(default_factory=set[str | None])
    provenances: list[Provenance | None] = field(default_factory=list[Provenance | None])
    masks: dict[Key, list[tuple[int, Mask]]] = field(default_factory=dict[Key, list[tuple[int, Mask]]])
    codes: dict[Key, Code | None] = field(default_factory=dict[Key, Code | None])
    boxes: int = 0
    volumes: dict[tuple[str, str], VolumeFinding] = field(default_factory=dict[tuple[str, str], VolumeFinding])


def volumes(triplets: Iterable[Triplet]) -> Iterator[VolumeRecord]:
    """A record for each volume that slices were sent with, in the order in which they first come.

    Triplets without `metadata.volume` are passed over; of two of the same slice the first counts. What an expert of
    three dimensions found is told as it measured it, and not stacked a second time.
    """
    stacks: dict[str, _Stack] = {}
    for triplet in triplets:
        within = triplet.metadata.volume
        if within is None:
            continue
        size = (triplet.image.rows, triplet.image.columns)
        stack = stacks.setdefault(within.digest, _Stack(triplet.metadata, within, size))
        if within.place not in stack.seen:
            _add(stack, triplet, within.place)
    for digest, stack in stacks.items():
        yield _record(digest, stack)


def _add(stack: _Stack, triplet: Triplet, place: int) -> None:
    stack.seen.add(place)
    stack.organs.add(triplet.metadata.organ)
    stack.provenances.append(triplet.provenance)
    stack.volumes |= {(one.expert, one.label): one for one in triplet.volumes}
    for region in triplet.regions:
        if region.kind == "whole image":
            continue
        if region.rule == BY_BOX:
            stack.boxes += 1
            continue
        key = _key(region)
        stack.masks.setdefault(key, []).append((place, region.mask))
        stack.codes.setdefault(key, region.code)


def _key(region: Region) -> Key:
    return region.kind, region.label, region.expert


def _record(digest: str, stack: _Stack) -> VolumeRecord:
    told, within = stack.metadata, stack.within
    spacing = (
        within.spacing_mm,
        told.spacing.row_mm if told.spacing else None,
        told.spacing.column_mm if told.spacing else None,
    )
    # Of what was measured in three dimensions a slice's part is no finding of its own.
    stacked = {key: masks for key, masks in stack.masks.items() if (key[2], key[1]) not in stack.volumes}
    labels = [_measured(stack, key, masks, spacing) for key, masks in stacked.items()]
    order = {"source annotation": 0, "candidate": 1}
    return VolumeRecord(
        volume=digest,
        provenance=_shared(stack.provenances),
        modality=told.modality,
        organ=next(iter(stack.organs)) if len(stack.organs) == 1 else None,
        slices=within.slices,
        seen=len(stack.seen),
        complete=len(stack.seen) == within.slices,
        rows=stack.size[0],
        columns=stack.size[1],
        spacing_mm=spacing,
        towards=within.towards,
        labels=tuple(sorted(labels, key=lambda one: (order[one.kind], -one.voxels))),
        boxes_left_out=stack.boxes,
        volumes=tuple(stack.volumes.values()),
    )


def _shared(told: list[Provenance | None]) -> Provenance | None:
    """What all slices tell, with the words of any: only those that are marked have words from annotations."""
    known = [one for one in told if one is not None]
    alike = [one.model_copy(update={"text_from": ()}) for one in known]
    if not known or len(known) < len(told) or any(one != alike[0] for one in alike):
        return None
    return alike[0].with_texts(*(text for one in known for text in one.text_from))


def _measured(
    stack: _Stack, key: Key, masks: list[tuple[int, Mask]], spacing: tuple[float | None, ...]
) -> StackedLabel:
    places = sorted({place for place, _ in masks})
    first, last = places[0], places[-1]
    solid: Solid = np.zeros((last - first + 1, *stack.size), np.bool_)
    for place, mask in masks:
        solid[place - first] |= np.asarray(coco.decode(mask.rle), np.bool_)
    _, sizes = parts_of(solid)
    rows, columns = (np.flatnonzero(solid.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    extent = (last - first + 1, int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1)
    return StackedLabel(
        kind="candidate" if key[0] == "candidate" else "source annotation",
        label=key[1],
        code=stack.codes[key],
        expert=key[2],
        slices=len(places),
        first_slice=first,
        last_slice=last,
        **measured(sizes, extent, spacing),
    )
