"""What an expert says of itself, read from the TOML file beside its .onnx. Knows nothing of ONNX Runtime or pixels."""

import hashlib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

from pydantic import Field, ValidationError, model_validator

from models.experts.contracts import InputContract, Sha256, Table, VolumeInput
from models.experts.decodings import Decoding, Hover, Label, Promptable
from models.experts.external import Graph, NoExternalData, read_graph
from models.experts.stated import Calibration, Precision, Recall
from schemas.expert_runs import LabelCalibration, LabelPrecision, LabelRecall, LookedFor
from schemas.failures import TristreamError
from schemas.images import ImageMetadata, Modality
from schemas.regions import Code, Region


class BrokenExpert(TristreamError):
    """An expert that cannot be loaded: a fault of the installation, never of an image."""


class Foreground(Table):
    """A map within which regions are looked for: its larger components, their holes filled. It may be a reduced one."""

    output: str = Field(description="Name of the graph's output")
    min_part_of_largest: float = Field(ge=0, le=1, description="Components below this part of the largest are left out")
    margin: float = Field(ge=0, le=0.2, description="Part of the longest side that is taken off along its outline")


class Inside(Table):
    """Another expert, in whose regions this one's have to lie: an opacity of the lungs in what is lung."""

    expert: str = Field(description="Of an earlier name. Where it did not look at an image, nothing is left out")
    part: float = Field(gt=0, le=1, description="Least part of a region within them; all go where it found none")


class Output(Table):
    """One map (1, 1, rows, columns) in [0, 1] and what its regions are called."""

    name: str = Field(description="Of the graph's output")
    label: str = Field(description="What its regions are called, in a few lower-case words")
    rule: str = Field(description="With thresholds and units")
    score: str = Field(description="What the mean of the map over a region means")
    threshold: float = Field(description="From which on a value of the map belongs to a region")
    min_area_px: int = Field(ge=1, description="Of the image as it came, or as it was resampled to a spacing")
    min_area_fraction: float = Field(ge=0, le=1, description="Of the image; the larger of both limits holds")
    max_area_fraction: float = Field(
        default=1.0,
        gt=0,
        le=1,
        exclude_if=lambda value: value == 1,
        description="Of the image; what is larger is no finding in it",
    )
    rim: float = Field(
        default=0.0,
        ge=0,
        le=0.2,
        exclude_if=lambda value: value == 0,
        description="Part of the longest side: what reaches nearer than this to the edge of [foreground], or else of "
        "the image, is left out, as air beside the patient and fat below the skin are",
    )
    max_regions: int = Field(ge=1, description="Of more, the largest")
    contrast: Literal["any", "brighter", "darker"] = Field(
        description="What the rule claims against the surroundings; a region that is not so is dropped"
    )
    code: Code | None = Field(default=None, description="Of the label, where a terminology has it")
    precision: Precision | None = Field(
        default=None, exclude_if=lambda value: value is None, description="As measured on images with readers' marks"
    )
    recall: Recall | None = Field(
        default=None, exclude_if=lambda value: value is None, description="As measured on images with readers' marks"
    )
    calibration: Calibration | None = Field(
        default=None, exclude_if=lambda value: value is None, description="Of the scores of its regions, as measured"
    )


class Manifest(Table):
    """An expert's card in machine form."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] = Field(description="Lower-case letters, digits and hyphens")
    version: str = Field(description="Changed with the weights or the rules")
    title: str = Field(description="For a person")
    licence: str = Field(description="Of the weights: SPDX identifier, or name and address")
    made: str = Field(description="How the weights came to be")
    source: str = Field(description="Paper or standard behind the rule")
    modalities: tuple[Modality, ...] = Field(min_length=1, description="Kinds of images that it takes")
    organs: tuple[str, ...] = Field(description="Empty: any")
    except_organs: tuple[str, ...] = Field(
        default=(), description="Of these no image is taken: another expert is for them"
    )
    unknown_organ: bool = Field(default=False, description="Images whose organ is not told are taken too")
    views: tuple[str, ...] = Field(
        default=(), description="Planes or radiographic views; empty: any. An image that tells neither is taken"
    )
    limits: tuple[str, ...] = Field(description="What it cannot do, for a person")
    sha256: Annotated[Sha256, Field(description="Of the .onnx file")]
    priority: int = Field(default=0, description="Where two experts find the same, the region of the higher one stays")
    input: InputContract = Field(description="What the graph is given")
    foreground: Foreground | None = Field(
        default=None, description="Within which its regions are looked for; None: the whole image"
    )
    places_in: str | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Expert of an earlier name in whose outline places are told, where this one draws none",
    )
    inside: Inside | None = Field(
        default=None, exclude_if=lambda value: value is None, description="Where its regions have to lie"
    )
    outputs: tuple[Output, ...] = Field(default=(), description="Maps whose rules are told here; or else [decoding]")
    decoding: Decoding | None = Field(default=None, description="How the outputs of a network are read")
    labels: tuple[Label, ...] = Field(default=(), description="What [decoding] finds")

    @model_validator(mode="before")
    @classmethod
    def _sigmoid_without_background(cls, table: Any) -> Any:
        """A segmenter whose channel 0 is a label, as of the usual U-Net of one channel, has no background channel.

        With a softmax there is always one; it is told where it is not the first.
        """
        match table:
            case {
                "decoding": {"kind": "semantic" | "volume", "activation": "sigmoid" | "none"} as decoding,
                "labels": [*labels],
            }:
                first = any(isinstance(one, dict) and cast(Any, one).get("index") == 0 for one in labels)
                if first and "background" not in decoding:
                    return {**table, "decoding": {**cast(dict[str, Any], decoding), "background": ()}}
            case _:
                pass
        return table

    @model_validator(mode="after")
    def _one_way_to_read(self) -> Self:
        named = self.decoding is not None and self.decoding.kind != "embedding"
        if bool(self.outputs) == (self.decoding is not None) or bool(self.labels) != named:
            raise ValueError("either [[outputs]], or [decoding] with [[labels]]; of kind 'embedding' without labels")
        kind, tiled = self.decoding.kind if self.decoding else "maps", self.input.size.policy == "tiles"
        if tiled and kind not in ("semantic", "boxes", "hover", "stardist", "flows"):
            raise ValueError(f"tiles cannot be put together again for {kind!r}")
        if (kind == "volume") != (self.input.volume is not None):
            raise ValueError("[input.volume] and kind 'volume' belong together: add the one that is missing")
        flat = (self.input.size.policy, self.input.slices, self.input.polarity, self.input.layout)
        flat = (*flat, self.input.channels == 3, self.input.spacing_mm)
        if kind == "volume" and flat != ("keep", 1, "value", "NCHW", False, None):
            raise ValueError(
                'of kind \'volume\' size is { policy = "keep" }, channels 1 or the names of several, polarity "value", '
                "without layout and slices; spacing_mm stands in [input.volume]"
            )
        if self.input.others and kind in ("volume", "promptable"):
            raise ValueError(f"[[input.others]] cannot be given to {kind!r}")
        if self.foreground and self.decoding:
            raise ValueError("[foreground] belongs to [[outputs]]")
        if kind == "landmarks" and any(label.precision or label.recall for label in self.labels):
            raise ValueError("a landmark's precision and recall are not told: leave them out")
        if kind == "classifier" and any(label.recall for label in self.labels):
            raise ValueError("recall belongs to what is outlined: of a classifier, leave it out")
        if kind in ("landmarks", "classifier", "promptable") and any(label.calibration for label in self.labels):
            raise ValueError(
                "calibration belongs to regions that an expert finds itself; a classifier has temperature in its place"
            )
        background: tuple[int, ...] = getattr(self.decoding, "background", ())
        indices = [label.index for label in self.labels]
        if twice := [label for label in self.labels if label.index in background]:
            raise ValueError(
                f"index {twice[0].index} stands for {twice[0].name!r} and for the background, which is [0] where "
                "[decoding] tells no other: write background = [] where no class is nothing, or the index of that "
                'class; a graph of one channel has activation = "sigmoid"'
            )
        if len({*indices, *background}) < len(indices) + len(background):
            raise ValueError("an index stands twice in [[labels]], or in background")
        alone = kind in ("promptable", "stardist", "flows") or (
            isinstance(self.decoding, Hover) and not self.decoding.types
        )
        if alone and len(indices) > 1:
            raise ValueError(f"{kind!r} finds one label")
        return self

    @property
    def expert(self) -> str:
        """name@version, as regions and lineage name it."""
        return f"{self.name}@{self.version}"

    @property
    def looked_for(self) -> tuple[LookedFor, ...]:
        """What it outlines and how far that can be trusted, of the labels of which something was measured."""
        if self.decoding is not None and self.decoding.kind == "classifier":
            return ()
        return tuple(
            LookedFor(
                label=name,
                precision=one.precision and LabelPrecision(**one.precision.model_dump()),
                recall=one.recall and LabelRecall(**one.recall.model_dump()),
                calibration=one.calibration and LabelCalibration(**one.calibration.model_dump()),
            )
            for name, one in self._named
            if one.precision or one.recall or one.calibration
        )

    def probability(self, region: Region) -> float | None:
        """How likely a region of its own is right; None where its label is not calibrated."""
        of = next((one.calibration for name, one in self._named if name == region.label), None)
        return of and of.at(region.score)

    @property
    def _named(self) -> tuple[tuple[str, Output | Label], ...]:
        return (*((one.label, one) for one in self.outputs), *((one.name, one) for one in self.labels))

    @property
    def beside(self) -> dict[str, str]:
        """SHA-256 of further files, by name."""
        decoding = self.decoding
        return {decoding.decoder: decoding.decoder_sha256} if isinstance(decoding, Promptable) else {}

    def fits(self, metadata: ImageMetadata, unit: str, shape: tuple[int, ...]) -> bool:
        """Whether the expert is for an image of `shape` (rows, columns) or (rows, columns, 3); see `lacks`."""
        return (
            metadata.modality in self.modalities
            and (not self.organs or metadata.organ in self.organs or (self.unknown_organ and metadata.organ is None))
            and metadata.organ not in self.except_organs
            and (not self.views or {metadata.plane, metadata.view} - {None} <= set(self.views))
            and (not self.input.units or unit in self.input.units)
            and (self.input.channels != 3 or len(shape) == 3 or self.input.grey_as_colour)
            and min(shape[:2]) >= self.input.shortest_side
            and (self.input.size.policy != "keep" or max(shape[:2]) <= self.input.longest_side)
            and (self.input.spacing_mm is None or self.input.unknown_spacing or metadata.spacing is not None)
            and (metadata.spacing is not None or all(one.holds != "spacing" for one in self.input.others))
            and (
                self.input.volume is None
                or (len(shape) == 2 and bool(self.lacks(metadata) or self._takes_volume(self.input.volume, metadata)))
            )
        )

    def lacks(self, metadata: ImageMetadata) -> str | None:
        """What an expert of several channels lacks beside an image that is for it, in a sentence; None: nothing."""
        volume, wanted = metadata.volume, self.input.named
        there = [one.name for one in volume.channels] if volume else []
        missing = [name for name in wanted if name not in there]
        if not missing:
            return None
        if volume is None:
            but = "this image was sent without its volume"
        elif there:
            but = f"this one has {_listed(there)}, without {_listed(missing)}"
        else:
            but = "this one is a single channel that nobody names"
        return f"It takes the channels {_listed(wanted)} of one volume, and {but}."

    def _takes_volume(self, wanted: VolumeInput, metadata: ImageMetadata) -> bool:
        volume, lies = metadata.volume, metadata.orientation
        return (
            volume is not None
            and (wanted.axes is None or (lies is not None and volume.towards is not None))
            and (
                wanted.spacing_mm is None
                or self.input.unknown_spacing
                or (volume.spacing_mm is not None and metadata.spacing is not None)
            )
        )


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def parse(text: str) -> Manifest:
    """Raises tomllib.TOMLDecodeError or pydantic.ValidationError."""
    return Manifest.model_validate(tomllib.loads(text))


def read(path: Path) -> tuple[Manifest, dict[str, Graph]]:
    """The manifest at `path` (.toml), and the .onnx files beside it by name: its own, and a decoder's.

    Raises BrokenExpert where the manifest is not valid, a file is missing or not the one it was written for, or a graph
    names external data that is not below its folder.
    """
    again = "run 'make experts', or 'tristream experts check' on one of your own"
    try:
        manifest = parse(path.read_text(encoding="utf-8"))
        files = {name: read_graph(path.with_name(name)) for name in (f"{path.stem}.onnx", *manifest.beside)}
    except NoExternalData as error:
        raise BrokenExpert(f"The expert {path.stem} cannot be loaded: {error}.") from None
    except (tomllib.TOMLDecodeError, ValidationError, OSError, UnicodeDecodeError) as error:
        raise BrokenExpert(f"The expert {path.stem} has no valid manifest or no .onnx file: {again}.") from error
    for name, sha256 in ((f"{path.stem}.onnx", manifest.sha256), *manifest.beside.items()):
        if hashlib.sha256(files[name].data).hexdigest() != sha256:
            raise BrokenExpert(f"The file {name} is not the one of its manifest: {again}.")
    return manifest, files
