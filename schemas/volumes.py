"""What a whole volume holds, put together from the triplets of its slices: the record beside them, one a volume.

Knows nothing of how they came about.
"""

from typing import Literal

from pydantic import Field

from schemas.base import Digest, Message, Provenance
from schemas.images import Modality, Side
from schemas.regions import Code, VolumeFinding
from schemas.triplets import Verdict


class StackedLabel(Message):
    """All regions of one label that one source or expert outlined in the slices of a volume, one upon the other."""

    kind: Literal["candidate", "source annotation"] = Field(description="Of the regions")
    label: str = Field(description="Of the regions")
    code: Code | None = Field(default=None, description="Of the label, where it is told")
    expert: str = Field(description="name@version, or 'source'")
    voxels: int = Field(ge=1, description="Pixels of all slices; where regions overlap they count once")
    volume_ml: float | None = Field(default=None, gt=0, description="None where a spacing is unknown")
    parts: int = Field(ge=1, description="Connected in three dimensions (26 neighbours)")
    largest_part_ml: float | None = Field(default=None, gt=0, description="None where a spacing is unknown")
    slices: int = Field(ge=1, description="That hold some of it")
    first_slice: int = Field(ge=0, description="By `place`")
    last_slice: int = Field(ge=0, description="By `place`")
    extent_mm: tuple[float, float, float] | None = Field(
        default=None, description="Across slices, down and across within them; None where a spacing is unknown"
    )
    partial: bool = Field(
        default=False,
        description="Whether its expert left smaller regions of a slice untold: all figures are then lower bounds",
    )


class VolumeStatement(Message):
    """One sentence on a volume, written from the record's figures and read back before it was kept."""

    text: str = Field(description="One sentence")
    pointers: tuple[str, ...] = Field(
        min_length=1, description="JSON Pointers (RFC 6901) into the record of all that it rests on"
    )
    verdict: Verdict = Field(description="Of the verifier that read it; what it does not bear out is not kept")


class VolumeRecord(Message):
    """A volume: what was outlined in its slices, in ml, and what experts of three dimensions found in it."""

    record_id: Digest = Field(
        description="Hash of the volume and of the versions that read and grounded it: of two of one id, that of more "
        "slices stands"
    )
    volume: Digest = Field(description="`digest` of `metadata.volume` of its triplets")
    provenance: Provenance | None = Field(default=None, description="That all its slices share; None where they do not")
    modality: Modality = Field(description="Of its slices")
    organ: str | None = Field(default=None, description="Of its slices; None where they tell several, or none")
    slices: int = Field(ge=2, description="Of the volume")
    seen: int = Field(ge=1, description="Of these, those whose triplet was there")
    complete: bool = Field(description="Whether all were; of an incomplete volume all figures are lower bounds")
    rows: int = Field(ge=1, description="Of a slice")
    columns: int = Field(ge=1, description="Of a slice")
    spacing_mm: tuple[float | None, float | None, float | None] = Field(
        description="Between slices, rows, columns; None where nothing tells"
    )
    towards: Side | None = Field(default=None, description="Where the next slice lies")
    labels: tuple[StackedLabel, ...] = Field(default=(), description="What the source marked first, then experts'")
    boxes_left_out: int = Field(default=0, ge=0, description="Marks of the source that are boxes: they have no volume")
    volumes: tuple[VolumeFinding, ...] = Field(default=(), description="As the triplets have them, each once")
    statements: tuple[VolumeStatement, ...] = Field(
        default=(), description="The volume in words: what was looked at, then a sentence a finding"
    )
    preprocess: str = Field(description="Version of what read the slices")
    grounding: str = Field(description="Version of the experts and what runs them")
    made_by: str = Field(description="name@version of what put the slices together and wrote the statements")
