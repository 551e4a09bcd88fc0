"""What an expert says of itself, read from the TOML file beside its .onnx. Knows nothing of ONNX Runtime or pixels."""

import hashlib
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.failures import TristreamError
from schemas.images import ImageMetadata, Modality


class BrokenExpert(TristreamError):
    """An expert that cannot be loaded: a fault of the installation, never of an image."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InputContract(_Table):
    """What the graph's input `image`, float32 (1, channels, rows, columns), must hold."""

    units: tuple[str, ...] = Field(description="Units it accepts; empty: any")
    channels: Literal[1, 3] = Field(description="1: the value, of colour its luma; 3: RGB only")
    polarity: Literal["value", "displayed"] = Field(
        description="'displayed': negated where low values are shown bright"
    )
    shortest_side: int = Field(ge=1, description="px; smaller images are not taken")
    longest_side: int = Field(ge=1, description="px; larger images are reduced to this, keeping their shape")


class Foreground(_Table):
    """A map within which regions are looked for: its larger components, their holes filled. It may be a reduced one."""

    output: str
    min_part_of_largest: float = Field(ge=0, le=1, description="Components below this part of the largest are left out")
    margin: float = Field(ge=0, le=0.2, description="Part of the longest side that is taken off along its outline")


class Output(_Table):
    """One map (1, 1, rows, columns) in [0, 1] and what its regions are called."""

    name: str
    label: str
    rule: str = Field(description="With thresholds and units")
    score: str = Field(description="What the mean of the map over a region means")
    threshold: float
    min_area_px: int = Field(ge=1, description="Of the image as it came")
    min_area_fraction: float = Field(ge=0, le=1, description="Of the image; the larger of both limits holds")
    max_regions: int = Field(ge=1)
    contrast: Literal["any", "brighter", "darker"] = Field(
        description="What the rule claims against the surroundings; a region that is not so is dropped"
    )


class Manifest(_Table):
    """An expert's card in machine form."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    version: str
    title: str
    licence: str
    made: str = Field(description="How the weights came to be")
    source: str = Field(description="Paper or standard behind the rule")
    modalities: tuple[Modality, ...] = Field(min_length=1)
    organs: tuple[str, ...] = Field(description="Empty: any")
    views: tuple[str, ...] = Field(
        default=(), description="Planes or radiographic views; empty: any. An image that tells neither is taken"
    )
    limits: tuple[str, ...]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="Of the .onnx file")]
    input: InputContract
    foreground: Foreground | None = None
    outputs: tuple[Output, ...] = Field(min_length=1)

    @property
    def expert(self) -> str:
        """name@version, as regions and lineage name it."""
        return f"{self.name}@{self.version}"

    def fits(self, metadata: ImageMetadata, unit: str, shape: tuple[int, ...]) -> bool:
        """Whether the expert may look at an image of `shape` (rows, columns) or (rows, columns, 3)."""
        return (
            metadata.modality in self.modalities
            and (not self.organs or metadata.organ in self.organs)
            and (not self.views or {metadata.plane, metadata.view} - {None} <= set(self.views))
            and (not self.input.units or unit in self.input.units)
            and (self.input.channels == 1 or len(shape) == 3)
            and min(shape[:2]) >= self.input.shortest_side
        )


def read(path: Path) -> tuple[Manifest, bytes]:
    """The manifest at `path` (.toml) and the .onnx file beside it.

    Raises BrokenExpert where the manifest is not valid, or the .onnx is missing or not the one it was written for.
    """
    try:
        manifest = Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        graph = path.with_suffix(".onnx").read_bytes()
    except (tomllib.TOMLDecodeError, ValidationError, OSError) as error:
        raise BrokenExpert(
            f"The expert {path.stem} has no valid manifest or no .onnx file: run 'make experts'."
        ) from error
    if hashlib.sha256(graph).hexdigest() != manifest.sha256:
        raise BrokenExpert(f"The file {path.stem}.onnx is not the one of its manifest: run 'make experts'.")
    return manifest, graph
