"""Volumes put together from the triplets of their slices: ml, parts and extents of what was outlined in each.

Regions of one label are stacked as they lie in their slices. Knows nothing of how they were found.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco

from models.experts.annotated import BY_BOX
from models.experts.solids import measured, parts_of
from models.statements import solids
from schemas.base import Provenance
from schemas.images import ImageMetadata, InVolume
from schemas.regions import Code, Region, VolumeFinding
from schemas.shapes import Mask
from schemas.triplets import Triplet
from schemas.volumes import StackedLabel, VolumeRecord

MADE_BY = f"volumes@1-{solids.VERSION}"
"""What puts slices together: raised when the same triplets would give another record."""
Key = tuple[str, str, str]
"""Kind, label and expert of regions."""
Solid = npt.NDArray[np.bool_]


def record_id(triplet: Triplet) -> str | None:
    """The id of the record that a triplet counts in; None: it is of no volume's slice."""
    within, lineage = triplet.metadata.volume, triplet.lineage
    if within is None:
        return None
    text = f"{within.digest}:{lineage.preprocess}:{lineage.grounding}:{MADE_BY}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(slots=True)
class Stack:
    """What the triplets of one record tell, run-length encoded until it is measured."""

    record_id: str
    metadata: ImageMetadata
    within: InVolume
    size: tuple[int, int]
    preprocess: str
    grounding: str
    seen: set[int] = field(default_factory=set[int])
    organs: set[str | None] = field(default_factory=set[str | None])
    provenances: list[Provenance | None] = field(default_factory=list[Provenance | None])
    masks: dict[Key, list[tuple[int, Mask]]] = field(default_factory=dict[Key, list[tuple[int, Mask]]])
    codes: dict[Key, Code | None] = field(default_factory=dict[Key, Code | None])
    partial: set[str] = field(default_factory=set[str])
    """Experts that found more in a slice than they tell of it."""
    boxes: int = 0
    volumes: dict[tuple[str, str], VolumeFinding] = field(default_factory=dict[tuple[str, str], VolumeFinding])

    @classmethod
    def of(cls, triplet: Triplet) -> "Stack":
        """One that is still empty, for the record of a triplet that is of a volume's slice."""
        known, within = record_id(triplet), triplet.metadata.volume
        assert known is not None
        assert within is not None
        size, lineage = (triplet.image.rows, triplet.image.columns), triplet.lineage
        return cls(known, triplet.metadata, within, size, lineage.preprocess, lineage.grounding)

    @property
    def complete(self) -> bool:
        """Whether every slice is there."""
        return len(self.seen) == self.within.slices

    def add(self, triplet: Triplet) -> bool:
        """Take a slice; False: it was there before."""
        assert triplet.metadata.volume is not None
        place = triplet.metadata.volume.place
        if place in self.seen:
            return False
        self.seen.add(place)
        self.organs.add(triplet.metadata.organ)
        self.provenances.append(triplet.provenance)
        self.volumes |= {(one.expert, one.label): one for one in triplet.volumes}
        self.partial |= {run.expert for run in triplet.experts if run.left_out}
        for region in triplet.regions:
            if region.kind == "whole image":
                continue
            if region.rule == BY_BOX:
                self.boxes += 1
                continue
            key = _key(region)
            self.masks.setdefault(key, []).append((place, region.mask))
            self.codes.setdefault(key, region.code)
        return True

    def record(self) -> VolumeRecord:
        """What its slices give, with the sentences that the figures bear out."""
        told, within = self.metadata, self.within
        spacing = (
            within.spacing_mm,
            told.spacing.row_mm if told.spacing else None,
            told.spacing.column_mm if told.spacing else None,
        )
        # Of what was measured in three dimensions a slice's part is no finding of its own.
        stacked = {key: masks for key, masks in sorted(self.masks.items()) if (key[2], key[1]) not in self.volumes}
        labels = [_measured(self, key, masks, spacing) for key, masks in stacked.items()]
        order = {"source annotation": 0, "candidate": 1}
        record = VolumeRecord(
            record_id=self.record_id,
            volume=within.digest,
            provenance=_shared(self.provenances),
            modality=told.modality,
            organ=next(iter(self.organs)) if len(self.organs) == 1 else None,
            slices=within.slices,
            seen=len(self.seen),
            complete=self.complete,
            rows=self.size[0],
            columns=self.size[1],
            spacing_mm=spacing,
            towards=within.towards,
            labels=tuple(sorted(labels, key=lambda one: (order[one.kind], -one.voxels, one.label, one.expert))),
            boxes_left_out=self.boxes,
            volumes=tuple(one for _, one in sorted(self.volumes.items())),
            preprocess=self.preprocess,
            grounding=self.grounding,
            made_by=MADE_BY,
        )
        return record.model_copy(update={"statements": solids.told(record)})


def volumes(triplets: Iterable[Triplet]) -> Iterator[VolumeRecord]:
    """A record for each volume that slices were sent with, in the order in which they first come.

    Triplets without `metadata.volume` are passed over; of two of the same slice the first counts. What an expert of
    three dimensions found is told as it measured it, and not stacked a second time.
    """
    stacks: dict[str, Stack] = {}
    for triplet in triplets:
        if (known := record_id(triplet)) is None:
            continue
        if known not in stacks:
            stacks[known] = Stack.of(triplet)
        stacks[known].add(triplet)
    for stack in stacks.values():
        yield stack.record()


def _key(region: Region) -> Key:
    return region.kind, region.label, region.expert


def _shared(told: list[Provenance | None]) -> Provenance | None:
    """What all slices tell, with the words of any: only those that are marked have words from annotations."""
    known = [one for one in told if one is not None]
    alike = [one.model_copy(update={"text_from": ()}) for one in known]
    if not known or len(known) < len(told) or any(one != alike[0] for one in alike):
        return None
    return alike[0].with_texts(*sorted({text for one in known for text in one.text_from}))


def _measured(stack: Stack, key: Key, masks: list[tuple[int, Mask]], spacing: tuple[float | None, ...]) -> StackedLabel:
    places = sorted({place for place, _ in masks})
    first, last = places[0], places[-1]
    # Only what lies within all boxes: of a whole body the parts of a node are not sought in all of it.
    boxes = np.asarray([coco.toBbox(mask.rle) for _, mask in masks], np.intp)
    left, top = boxes[:, 0].min(), boxes[:, 1].min()
    right, bottom = (boxes[:, 0] + boxes[:, 2]).max(), (boxes[:, 1] + boxes[:, 3]).max()
    solid: Solid = np.zeros((last - first + 1, bottom - top, right - left), np.bool_)
    for place, mask in masks:
        solid[place - first] |= np.asarray(coco.decode(mask.rle), np.bool_)[top:bottom, left:right]
    _, sizes = parts_of(solid)
    return StackedLabel(
        kind="candidate" if key[0] == "candidate" else "source annotation",
        label=key[1],
        code=stack.codes[key],
        expert=key[2],
        slices=len(places),
        first_slice=first,
        last_slice=last,
        partial=key[2] in stack.partial,
        **measured(sizes, tuple(solid.shape), spacing),
    )
