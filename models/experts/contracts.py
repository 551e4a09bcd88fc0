"""What a graph is given, as a manifest declares it. Knows no ONNX Runtime and no px."""

from typing import Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from models.vocabulary import channel_of, known_channels

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Pair = tuple[float, float]


class Table(BaseModel):
    """A table of a manifest. Unknown fields are refused: a misspelt threshold must not go unseen."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AsIs(Table):
    """Values as they come."""

    kind: Literal["none"] = Field(default="none", description="Of normalisation")


class HounsfieldWindow(Table):
    """[low, high], in the image's unit, becomes `to`; what is beyond is clipped."""

    kind: Literal["window"] = Field(description="Of normalisation")
    low: float = Field(description="In the image's unit")
    high: float = Field(description="In the image's unit")
    to: Pair = Field(default=(0.0, 1.0), description="Range that the graph takes")


class MinMax(Table):
    """The image's own lowest and highest value become `to`."""

    kind: Literal["min-max"] = Field(description="Of normalisation")
    to: Pair = Field(default=(0.0, 1.0), description="Range that the graph takes")


class Percentiles(Table):
    """The image's own percentiles become `to`; what is beyond is clipped."""

    kind: Literal["percentile"] = Field(description="Of normalisation")
    low: float = Field(default=0.5, ge=0, lt=100, description="Percentile")
    high: float = Field(default=99.5, gt=0, le=100, description="Percentile")
    positive: bool = Field(default=False, description="Percentiles of the values above 0 alone")
    to: Pair = Field(default=(0.0, 1.0), description="Range that the graph takes")


class ZScore(Table):
    """(value - mean) / deviation, after clipping to [low, high] where they are given."""

    kind: Literal["z-score"] = Field(description="Of normalisation")
    mean: float | None = Field(default=None, description="Of the training data; None: of the image")
    deviation: float | None = Field(default=None, gt=0, description="Of the training data; None: of the image")
    low: float | None = Field(default=None, description="In the image's unit; None: not clipped")
    high: float | None = Field(default=None, description="In the image's unit; None: not clipped")
    positive: bool = Field(
        default=False, description="Mean and deviation of the values above 0 alone; all others become 0"
    )


class FullRange(Table):
    """0 to 255, or to 65535 where a value is above 255, becomes `to`."""

    kind: Literal["full range"] = Field(description="Of normalisation")
    to: Pair = Field(default=(0.0, 1.0), description="Range that the graph takes")


Normalisation = Annotated[
    AsIs | HounsfieldWindow | MinMax | Percentiles | ZScore | FullRange, Field(discriminator="kind")
]


class Size(Table):
    """How an image comes to the size that the graph takes."""

    policy: Literal["keep", "longest side", "letterbox", "stretch", "tiles"] = Field(
        default="longest side",
        description="'keep': as it is; 'longest side': reduced where it is larger; 'letterbox': scaled to fit, and "
        "padded; 'stretch': scaled to height and width, whatever its shape; 'tiles': cut into pieces of that size",
    )
    height: int | None = Field(default=None, ge=16, description="px, of letterbox, stretch and tiles")
    width: int | None = Field(default=None, ge=16, description="px, of letterbox, stretch and tiles")
    multiple: int = Field(default=1, ge=1, description="keep, longest side: padded below and on the right to this")
    anchor: Literal["top left", "centre"] = Field(default="top left", description="Of letterbox: where the image lies")
    overlap: float = Field(default=0.25, ge=0, le=0.75, description="Of tiles: part of a side shared with the next")
    margin: int = Field(default=0, ge=0, description="Of tiles: px along each edge that the graph's maps leave out")
    fill: float = Field(default=0.0, description="Normalised value of what is padded")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        fixed = self.policy in ("letterbox", "stretch", "tiles")
        if fixed != (self.height is not None) or fixed != (self.width is not None):
            raise ValueError("height and width belong to letterbox, stretch and tiles, which need both")
        if 2 * self.margin >= min(self.height or 2**31, self.width or 2**31):
            raise ValueError("margin leaves nothing of a tile")
        return self


def _named(text: object) -> object:
    """A channel's name as it is written here. Raises ValueError of one that is not known."""
    found = channel_of(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"{text!r} is no channel that is known: {known_channels()}")
    return found.name


def _channels(told: Any) -> object:
    if isinstance(told, list | tuple) and told:
        return tuple(_named(one) for one in cast(list[object], told))
    if told not in (1, 3):
        raise ValueError('channels is 1 or 3, or of a volume the name of each, as ["FLAIR", "T1", "T1ce", "T2"]')
    return told


ChannelName = Annotated[str, BeforeValidator(_named)]


class VolumeInput(Table):
    """How a volume comes to a graph of three dimensions: in windows, whose answers are blended by Gaussian weights.

    Isensee et al., nnU-Net, Nature Methods 18, 2021.
    """

    axes: Annotated[str, Field(pattern=r"^[LRAPSI]{3}$")] | None = Field(
        default=None,
        description="Where the tensor's three axes lead in the patient: 'RAS' as of MONAI's Orientationd, 'SAR' as of "
        "nnU-Net's NibabelIOWithReorient. None: slices, rows and columns as they come",
    )
    spacing_mm: tuple[float, float, float] | None = Field(
        default=None, description="Along these axes: volumes are resampled to it; None: as they come"
    )
    patch: tuple[int, int, int] = Field(description="Voxels of a window along these axes")
    overlap: float = Field(default=0.5, ge=0, lt=1, description="Part of a window that it shares with the next")
    normalisations: dict[ChannelName, Normalisation] = Field(
        default_factory=dict[str, Normalisation],
        exclude_if=lambda value: not value,
        description="Of channels by their names, where it is another than that of [input]",
    )

    @model_validator(mode="after")
    def _in_three_dimensions(self) -> Self:
        if self.axes and sorted("LRAPSI".index(letter) // 2 for letter in self.axes) != [0, 1, 2]:
            raise ValueError(f"axes must lead once each along left-right, front-back and head-feet, not {self.axes!r}")
        if min(self.patch) < 1 or min(self.spacing_mm or (1.0,)) <= 0:
            raise ValueError("patch and spacing_mm must be above 0")
        return self


class OtherInput(Table):
    """A further input of the graph, one row for each image or tile: (n, numbers), or (n, 2, rows, columns)."""

    name: str = Field(description="Of the input")
    holds: Literal["spacing", "size", "coordinates", "numbers"] = Field(
        description="'spacing': mm between rows and between columns of what the graph is given; 'size': rows and "
        "columns of the image as it came; 'coordinates': x and y of each px in the image, from -1 to 1; 'numbers': "
        "`values`, the same for every image"
    )
    values: tuple[float, ...] = Field(default=(), description="Of 'numbers'")

    @model_validator(mode="after")
    def _with_its_values(self) -> Self:
        if (self.holds == "numbers") != bool(self.values):
            raise ValueError("values belong to 'numbers', which needs them")
        return self


class InputContract(Table):
    """What the graph's input, (1, channels, rows, columns), must hold."""

    units: tuple[str, ...] = Field(description="Units it accepts; empty: any")
    channels: Annotated[Literal[1, 3] | tuple[str, ...], BeforeValidator(_channels)] = Field(
        description="1: the value, of colour its luma; 3: RGB only, or `grey_as_colour`; of kind 'volume' the names of "
        "several in the graph's order, words of models/vocabulary/channels.csv or channel 1 and so on"
    )
    polarity: Literal["value", "displayed"] = Field(
        description="'displayed': negated where low values are shown bright"
    )
    shortest_side: int = Field(ge=1, description="px; smaller images are not taken")
    longest_side: int = Field(
        ge=1,
        description="px; larger images are reduced to this, keeping their shape; with 'keep' they are not taken",
    )
    name: str = Field(default="image", description="Of the input")
    layout: Literal["NCHW", "NHWC", "CHW"] = Field(default="NCHW", description="Of the input, and of maps that come")
    grey_as_colour: bool = Field(default=False, description="Grey images are taken too: their value in each channel")
    slices: int = Field(
        default=1,
        ge=1,
        description="2.5D: an odd number of neighbouring slices as channels, in the order towards patient left, "
        "posterior or head. Where a neighbour is not known the nearest slice stands for it; the region's rule says so",
    )
    spacing_mm: float | None = Field(
        default=None, gt=0, description="Pixels are resampled to this; images of unknown spacing are not taken"
    )
    unknown_spacing: bool = Field(default=False, description="Images of unknown spacing are taken too, as they are")
    size: Size = Field(default=Size(), description="How an image comes to the graph's size")
    normalisation: Normalisation = Field(default=AsIs(), description="How values come to the graph's range")
    mean: tuple[float, ...] = Field(default=(), description="Of each channel, subtracted after normalisation")
    deviation: tuple[float, ...] = Field(default=(), description="Of each channel, by which is divided after that")

    others: tuple[OtherInput, ...] = Field(
        default=(), exclude_if=lambda value: not value, description="What the graph takes beside the image"
    )
    volume: VolumeInput | None = Field(
        default=None,
        description="Of kind 'volume': the graph takes (1, channels, d, h, w), and images of known volume alone",
    )

    @model_validator(mode="after")
    def _agreeing(self) -> Self:
        if self.named and (self.volume is None or len(set(self.named)) < len(self.named) or self.units):
            raise ValueError(
                "channels are named of kind 'volume' alone, each once; their units are their own: write units = []"
            )
        if self.volume and (strange := sorted(set(self.volume.normalisations) - set(self.named))):
            raise ValueError(f"normalisations names {', '.join(strange)}, which channels does not")
        if self.slices % 2 == 0 or (self.slices > 1 and self.channels != 1):
            raise ValueError("slices must be an odd number, of one channel each")
        if {len(self.mean), len(self.deviation)} - {0, self.depth} or not all(self.deviation):
            raise ValueError("mean and deviation must have a value for each channel, and no deviation may be 0")
        return self

    @property
    def depth(self) -> int:
        """Channels of the graph's input."""
        return len(self.channels) if isinstance(self.channels, tuple) else self.channels * self.slices

    @property
    def named(self) -> tuple[str, ...]:
        """Names of the channels of a volume, in the graph's order; empty where it has one."""
        return self.channels if isinstance(self.channels, tuple) else ()
