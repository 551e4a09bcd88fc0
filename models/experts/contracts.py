"""What a graph is given, and how what it gives is read, as a manifest declares it. Knows no ONNX Runtime and no px."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.regions import Code

Activation = Literal["none", "sigmoid", "softmax"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+\.onnx$")]
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
    positive: bool = Field(default=False, description="Mean and deviation of the values above 0 alone")


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
    channels: Literal[1, 3] = Field(description="1: the value, of colour its luma; 3: RGB only, or `grey_as_colour`")
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
        default=None, description="Of kind 'volume': the graph takes (1, 1, d, h, w), and images of known volume alone"
    )

    @model_validator(mode="after")
    def _agreeing(self) -> Self:
        if self.slices % 2 == 0 or (self.slices > 1 and self.channels != 1):
            raise ValueError("slices must be an odd number, of one channel each")
        if {len(self.mean), len(self.deviation)} - {0, self.depth} or not all(self.deviation):
            raise ValueError("mean and deviation must have a value for each channel, and no deviation may be 0")
        return self

    @property
    def depth(self) -> int:
        """Channels of the graph's input."""
        return self.channels * self.slices


class Precision(Table):
    """How often a classifier was right where it told a label: without it nothing is said of its opinion."""

    value: float = Field(ge=0, le=1, description="Part of the images told of that were of the label, at its threshold")
    images: int = Field(ge=1, description="That it was told of, and of which this is the part")
    of: str = Field(min_length=1, description="Which images these were, and by whom their truth was told")


class Label(Table):
    """What a number that the graph gives stands for."""

    index: int = Field(ge=0, description="Channel of a map, or number of a class")
    name: str = Field(min_length=1, description="A few lower-case words")
    code: Code | None = Field(default=None, description="Where a terminology has it")
    threshold: float | None = Field(default=None, description="In place of the one of [decoding]")
    precision: Precision | None = Field(
        default=None, exclude_if=lambda value: value is None, description="Of kind 'classifier', as measured"
    )


class _Decoding(Table):
    threshold: float = Field(default=0.5, description="Least probability, or score")
    min_area_px: int = Field(default=1, ge=1, description="Of the image as it came")
    min_area_fraction: float = Field(default=0.0, ge=0, le=1, description="Of the image; the larger limit holds")
    max_regions: int = Field(default=20, ge=1, description="Of one label; of more, the largest or best")


class Semantic(_Decoding):
    """A map (1, classes, rows, columns): connected parts of each class are regions."""

    kind: Literal["semantic"] = Field(description="Of decoding")
    output: str = Field(default="logits", description="Name of the graph's output")
    activation: Activation = Field(default="softmax", description="'softmax': the most probable class alone counts")
    background: tuple[int, ...] = Field(default=(0,), description="Channels that are no label")
    whole: bool = Field(default=False, description="All parts of a class are one region")


class Volumetric(_Decoding):
    """A map (1, classes, d, h, w) of a volume: parts of each class in a slice are regions of that slice."""

    kind: Literal["volume"] = Field(description="Of decoding")
    output: str = Field(default="logits", description="Name of the graph's output")
    activation: Activation = Field(default="softmax", description="'softmax': the most probable class alone counts")
    background: tuple[int, ...] = Field(default=(0,), description="Channels that are no label")
    min_volume_ml: float = Field(
        default=0.0, ge=0, description="Parts in three dimensions below this are left out, where spacings are known"
    )


class Boxes(_Decoding):
    """Boxes with scores: 'torchvision' (n, 4), (n,), (n,), or 'yolo' (1, 4 + classes, n) of centre, width and height.

    'yolo-objectness' is (1, n, 5 + classes), as YOLOv5 gives it.
    """

    kind: Literal["boxes"] = Field(description="Of decoding")
    layout: Literal["torchvision", "yolo", "yolo-objectness"] = Field(
        default="torchvision", description="How the outputs are laid out"
    )
    boxes: str = Field(default="boxes", description="Name of an output, of torchvision's layout")
    labels: str = Field(default="labels", description="Name of an output, of torchvision's layout")
    scores: str = Field(default="scores", description="Name of an output, of torchvision's layout")
    output: str = Field(default="output0", description="Of YOLO's layouts")
    coordinates: Literal["px", "fraction"] = Field(default="px", description="Of the graph's input, or parts of it")
    nms_iou: float = Field(default=0.5, gt=0, le=1, description="Boxes of one label that overlap more are one")
    background: tuple[int, ...] = Field(default=(), description="Classes that are no label")


class Instances(_Decoding):
    """Boxes, labels and scores as torchvision gives them, and a mask (n, 1, rows, columns) for each."""

    kind: Literal["instances"] = Field(description="Of decoding")
    boxes: str = Field(default="boxes", description="Name of an output")
    labels: str = Field(default="labels", description="Name of an output")
    scores: str = Field(default="scores", description="Name of an output")
    masks: str = Field(default="masks", description="Name of an output")
    mask_threshold: float = Field(default=0.5, description="From which on a pixel belongs to the mask")
    nms_iou: float = Field(default=0.5, gt=0, le=1, description="Boxes of one label that overlap more are one")


class Heatmap(_Decoding):
    """A classifier's scores (1, classes), and its class activation (1, classes or 1, rows, columns) as second output.

    Zhou et al., Learning deep features for discriminative localization, CVPR 2016: a region is what reaches a part of
    the map's own peak.
    """

    kind: Literal["heatmap"] = Field(description="Of decoding")
    output: str = Field(default="cam", description="Name of the output that is the map")
    scores: str = Field(default="logits", description="Name of the output that is the classes' scores")
    activation: Activation = Field(default="sigmoid", description="Of the scores")
    part_of_peak: float = Field(
        default=0.5, gt=0, le=1, description="Of the map's peak, from which on a pixel belongs to a region"
    )
    background: tuple[int, ...] = Field(default=(), description="Classes that are no label")


class Classifier(Table):
    """Scores (1, classes) of the whole image, and nothing that tells where: opinions, never regions."""

    kind: Literal["classifier"] = Field(description="Of decoding")
    output: str = Field(default="logits", description="Name of the graph's output")
    activation: Activation = Field(default="sigmoid", description="Of the scores")
    threshold: float = Field(default=0.5, ge=0, le=1, description="Probability from which on a label is told")
    temperature: float = Field(
        default=1.0, gt=0, description="By which logits are divided before the activation: Guo et al., ICML 2017"
    )
    calibration: str | None = Field(
        default=None,
        min_length=1,
        description="On what and how the probabilities were calibrated; None: they are what the graph gives",
    )
    background: tuple[int, ...] = Field(default=(), description="Classes that are no label")

    @model_validator(mode="after")
    def _calibrated(self) -> Self:
        if self.temperature != 1 and (self.calibration is None or self.activation == "none"):
            raise ValueError("a temperature needs an activation, and 'calibration' to say on what it was fitted")
        return self


class Promptable(_Decoding):
    """An encoder, run once an image, and a decoder that is asked for one mask a prompt, as SAM and MedSAM are exported.

    The encoder's outputs reach the decoder's inputs of the same name. Points and boxes are px of the encoder's input.
    Kirillov et al., Segment anything, 2023.
    """

    kind: Literal["promptable"] = Field(description="Of decoding")
    decoder: FileName = Field(description="File beside the manifest")
    decoder_sha256: Sha256 = Field(description="Of that file")
    prompts: Literal["boxes", "grid"] = Field(description="What the decoder is asked with")
    prompted_by: tuple[str, ...] = Field(
        default=(),
        description="Of 'boxes': whose regions are asked for: experts, or 'source', alone or with a label as in "
        "'source: polyp'; empty: all",
    )
    least_part: float = Field(
        default=0.0005, ge=0, le=1, description="Of 'boxes': parts below this share of a region's px are not asked for"
    )
    max_prompts: int = Field(default=64, ge=1, description="Of 'boxes': of more, those of the largest parts")
    grid: int = Field(default=8, ge=1, le=32, description="Of 'grid': points along each side")
    points: str = Field(default="point_coords", description="Name of the decoder's input")
    point_labels: str = Field(default="point_labels", description="Name of the decoder's input")
    masks: str = Field(default="masks", description="Name of the decoder's output")
    quality: str = Field(default="iou_predictions", description="Name of the decoder's output")
    mask_threshold: float = Field(default=0.0, description="Of the mask's logits")
    nms_iou: float = Field(default=0.7, gt=0, le=1, description="Masks that overlap more are one")


class Hover(_Decoding):
    """Nuclei: their probability (1, 1 or 2, r, c), offsets from their centre (1, 2, r, c), and types (1, types, r, c).

    Graham et al., HoVer-Net, Medical Image Analysis 58, 2019.
    """

    kind: Literal["hover"] = Field(description="Of decoding")
    nuclei: str = Field(default="np", description="Name of an output")
    offsets: str = Field(default="hv", description="Name of an output")
    types: str | None = Field(default=None, description="None: all are the one label")
    activation: Activation = Field(default="softmax", description="Of `nuclei`: 'softmax' where it has two channels")
    types_activation: Activation = Field(default="softmax", description="Of `types`")
    boundary: float = Field(default=0.4, gt=0, lt=1, description="Steepness of the offsets that parts two nuclei")
    kernel_px: int = Field(default=21, ge=3, le=31, description="Of the Sobel filter on the offsets; odd")
    background: tuple[int, ...] = Field(default=(0,), description="Types that are no label")


class Stardist(_Decoding):
    """Star-convex nuclei: a probability (1, 1, r, c), and distances to the outline along rays (1, rays, r, c).

    Schmidt et al., Cell detection with star-convex polygons, MICCAI 2018. Ray k points to (cos, sin) of 2πk / rays in
    (x, y), y downwards.
    """

    kind: Literal["stardist"] = Field(description="Of decoding")
    probabilities: str = Field(default="prob", description="Name of an output")
    distances: str = Field(default="dist", description="Name of an output")
    grid: int = Field(default=1, ge=1, description="px of the input from one value of the maps to the next")
    nms_overlap: float = Field(
        default=0.4, gt=0, le=1, description="Of the smaller one's area; of those that overlap more, the likelier stays"
    )


Decoding = Annotated[
    Semantic | Volumetric | Boxes | Instances | Heatmap | Classifier | Promptable | Hover | Stardist,
    Field(discriminator="kind"),
]
