"""What a source may say of an image in a JSON file beside it: `scan.png.json` of `scan.png`, or of all images of a
folder in its `_defaults.json`.

Knows nothing of where it lies, nor which words of free text are let through.
"""

import json
import re
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from schemas.base import Split
from schemas.images import Laterality, Modality, Plane, Side

Unit = Literal["HU", "SUVbw", "Bq/ml", "counts", "counts/s", "mg/ml", "Gy", "%", "stored value"]
View = Literal[
    "AP", "PA", "LL", "RL", "RLD", "LLD", "RLO", "LLO", "LAT", "OBL", "CC", "MLO", "ML", "LM", "LMO", "XCC", "XCCL",
    "XCCM", "FB", "SIO", "ISO", "CV", "AT", "TAN",
]  # fmt: skip
"""Defined terms of View Position (DICOM PS3.3 C.8.1.1.1.1, C.8.11.5.1.2) and acronyms of PS3.16 CID 4014."""

_Words = Annotated[str, StringConstraints(max_length=200)]
_Named = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\s\x00-\x1f][^\x00-\x1f]*$")]
_Identifier = Annotated[str, StringConstraints(min_length=1, max_length=200)]
MOST_CHANNELS = 16
"""Volumes of one file that a sidecar may name."""
_Vertical = {"head", "feet"}
_Lateral = {"patient left", "patient right"}


class NotJson(ValueError):
    """A sidecar is not JSON that says one thing. Its text is our own, and quotes nothing."""

    def __init__(self, problem: str, field: str = "the whole") -> None:
        super().__init__(problem)
        self.field = field
        """Of the input: not to be shown unless it is known."""


_TRAILING_COMMA = re.compile(r",\s*[\]}]")


def parse_json(data: bytes) -> Any:
    """The JSON of a sidecar, as editors write it: UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

    Raises:
        NotJson: it is none, or names a field twice, of which JSON does not say which holds.
    """
    try:
        text = data.decode(json.detect_encoding(data))
    except UnicodeDecodeError:
        raise NotJson("is not text in UTF-8 or UTF-16") from None
    try:
        plain = orjson.loads(text)
        json.loads(text, object_pairs_hook=_named_once)
    except orjson.JSONDecodeError as error:
        place = f"at line {error.lineno}, column {error.colno}"
        comma = any(found.start() <= error.pos <= found.end() for found in _TRAILING_COMMA.finditer(text))
        problem = "has a comma before a closing bracket, which JSON does not allow," if comma else "is not JSON"
        raise NotJson(f"{problem} {place}") from None
    except RecursionError:
        raise NotJson("nests lists or objects too deeply") from None
    return plain


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise NotJson("is there twice", name)
        found[name] = value
    return found


class _Said(BaseModel):
    """Has no fields but those that it names: whoever reads a sidecar refuses others."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class SaidSpacing(_Said):
    """Distance between the centres of neighbouring pixels, of the image as it is shown."""

    row_mm: float = Field(gt=0, lt=1000, description="Between rows (vertical), mm")
    column_mm: float = Field(gt=0, lt=1000, description="Between columns (horizontal), mm")


class SaidOrientation(_Said):
    """Where the axes of the image, as it is shown, point in the patient."""

    right: Side = Field(description="Direction in the patient of increasing column index")
    down: Side = Field(description="Direction in the patient of increasing row index")

    @model_validator(mode="after")
    def _two_axes(self) -> Self:
        kinds = [
            "vertical" if side in _Vertical else "lateral" if side in _Lateral else "depth"
            for side in (self.right, self.down)
        ]
        if kinds[0] == kinds[1]:
            raise ValueError("right and down must lie along two axes")
        return self


class SaidBox(_Said):
    """A rectangle in one frame; px, origin at the top left pixel of the image as it is shown."""

    x: int = Field(ge=0, description="Column of its left pixels")
    y: int = Field(ge=0, description="Row of its upper pixels")
    width: int = Field(ge=1, description="px")
    height: int = Field(ge=1, description="px")
    label: _Words | None = Field(default=None, description="As in `labels`")
    frame: int = Field(default=0, ge=0, description="Index of the frame in its object, from 0")


class FolderDefaults(_Said):
    """What holds for all images of a folder, where no sidecar says otherwise. All fields may be left out."""

    modality: Modality | None = Field(default=None, description="Kind of image")
    organ: _Words | None = Field(
        default=None, description="Taken where it names a body part of models/imaging/vocabulary.py"
    )
    disease: _Words | None = Field(
        default=None, description="Taken where it names a disease or a finding of models/vocabulary"
    )
    view: View | None = Field(default=None, description="Radiographic view")
    laterality: Laterality | None = Field(default=None, description="Side of a paired organ that is shown")
    channels: tuple[_Words, ...] = Field(
        default=(),
        max_length=MOST_CHANNELS,
        description="What each volume of a NIfTI file is, in their order, as FLAIR, T1, T1ce, T2: words of "
        "models/vocabulary/channels.csv, or channel 1 and so on",
    )
    plane: Plane | None = Field(default=None, description="Of the slice")
    spacing: SaidSpacing | None = Field(default=None, description="Of the pixels, where the file tells none")
    unit: Unit | None = Field(default=None, description="Unit of the values")
    orientation: SaidOrientation | None = Field(default=None, description="Where the image lies in the patient")
    labels: dict[str, _Words] = Field(
        default={},
        max_length=4096,
        description="Name of each number in the mask. Names that are no words of the vocabulary become "
        "'annotated region'",
    )
    source: _Named | None = Field(
        default=None, description="Collection and version: 'ISIC 2017'. Goes out as it stands: name no person"
    )
    licence: _Named | None = Field(
        default=None, description="SPDX identifier, or name and address of the terms. Goes out as it stands"
    )
    patient: _Identifier | None = Field(
        default=None, description="Whose image it is, in the collection's own words. Goes out as a keyed hash alone"
    )
    study: _Identifier | None = Field(default=None, description="As `patient`")
    series: _Identifier | None = Field(default=None, description="As `patient`")
    split: Split | None = Field(default=None, description="The collection's own")


class Sidecar(FolderDefaults):
    """All fields may be left out. What stands here goes before what the image file itself says.

    `unit` alone does not: it is taken where the file names none.
    """

    mask: _Words | None = Field(
        default=None,
        description="Path, below the image's folder, of a PNG, TIFF or NIfTI file of the image's size that holds 0 "
        "outside and a label's number inside; of images with several frames, one mask a frame",
    )
    boxes: tuple[SaidBox, ...] = Field(default=(), max_length=4096, description="Regions that the source marks")
    annotations: tuple[_Words, ...] = Field(
        default=(),
        max_length=64,
        description="Paths, below the image's folder, of DICOM segmentations, structure sets and structured reports "
        "that refer to this image, which must be DICOM",
    )
