"""How what a graph gives is read, as a manifest declares it. Knows no ONNX Runtime and no px."""

from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from models.experts.contracts import Sha256, Table
from models.experts.points import Contours, Landmarks
from models.experts.stated import Calibration, Precision, Recall
from schemas.regions import Code

Activation = Literal["none", "sigmoid", "softmax"]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+\.onnx$")]


def _at(default: object) -> Callable[[object], bool]:
    """Whether a value is the default, and so left out: digests of manifests stay when a field is added."""
    return lambda value: value == default


class Label(Table):
    """What a number that the graph gives stands for."""

    index: int = Field(ge=0, description="Channel of a map, or number of a class")
    name: str = Field(min_length=1, description="A few lower-case words")
    code: Code | None = Field(default=None, description="Where a terminology has it")
    threshold: float | None = Field(default=None, description="In place of the one of [decoding]")
    precision: Precision | None = Field(default=None, exclude_if=_at(None), description="As measured")
    recall: Recall | None = Field(default=None, exclude_if=_at(None), description="As measured, of what is outlined")
    calibration: Calibration | None = Field(
        default=None, exclude_if=_at(None), description="Of the scores of its regions, as measured"
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
    numbers: bool = Field(
        default=False,
        exclude_if=_at(False),
        description="The graph gives the number of each px's class, (1, rows, columns) or (1, 1, rows, columns)",
    )


class Volumetric(_Decoding):
    """A map (1, classes, d, h, w) of a volume: parts of each class in a slice are regions of that slice."""

    kind: Literal["volume"] = Field(description="Of decoding")
    output: str = Field(default="logits", description="Name of the graph's output")
    activation: Activation = Field(default="softmax", description="'softmax': the most probable class alone counts")
    background: tuple[int, ...] = Field(default=(0,), description="Channels that are no label")
    min_volume_ml: float = Field(
        default=0.0, ge=0, description="Parts in three dimensions below this are left out, where spacings are known"
    )


class _Detected(_Decoding):
    """Boxes with a class and a score each, as detectors lay them out.

    'torchvision': (n, 4) of left, top, right, bottom, (n,), (n,). 'yolo': (1, 4 + classes + further, n) of centre,
    width, height, and a score of each class; 'yolo-objectness': (1, n, 5 + classes), as YOLOv5 gives it. 'rows':
    (1, n, 6 + further) of box, score, class, as graphs give them that suppress by themselves. 'queries': (1, n, 4) of
    centre, width, height, and scores (1, n, classes), as DETR and those after it give them.
    """

    layout: Literal["torchvision", "yolo", "yolo-objectness", "rows", "queries"] = Field(
        default="torchvision", description="How the outputs are laid out"
    )
    boxes: str = Field(default="boxes", description="Name of an output, of torchvision's layout and of queries")
    labels: str = Field(default="labels", description="Name of an output, of torchvision's layout")
    scores: str = Field(default="scores", description="Name of an output, of torchvision's layout and of queries")
    output: str = Field(default="output0", description="Of YOLO's layouts and of rows")
    further: int = Field(
        default=0, ge=0, exclude_if=_at(0), description="Of 'yolo' and 'rows': numbers of each box after these"
    )
    corners: bool = Field(
        default=True, exclude_if=_at(True), description="Of 'rows': left, top, right, bottom; or centre, width, height"
    )
    activation: Activation = Field(
        default="none", exclude_if=_at("none"), description="Of the scores of queries; 'softmax': of all classes"
    )
    coordinates: Literal["px", "fraction"] = Field(default="px", description="Of the graph's input, or parts of it")
    nms_iou: float = Field(default=0.5, gt=0, le=1, description="Boxes of one label that overlap more are one")
    background: tuple[int, ...] = Field(default=(), description="Classes that are no label")

    @property
    def named(self) -> tuple[str, ...]:
        """The outputs that tell of boxes."""
        if self.layout == "torchvision":
            return (self.boxes, self.labels, self.scores)
        return (self.boxes, self.scores) if self.layout == "queries" else (self.output,)

    @model_validator(mode="after")
    def _of_its_layout(self) -> Self:
        if self.further and self.layout not in ("yolo", "rows"):
            raise ValueError("further belongs to layouts 'yolo' and 'rows'")
        if not self.corners and self.layout != "rows":
            raise ValueError("corners belongs to layout 'rows'")
        if self.activation != "none" and self.layout != "queries":
            raise ValueError("an activation belongs to layout 'queries'")
        return self


class Boxes(_Detected):
    """Boxes and no masks: each is the region that fills it."""

    kind: Literal["boxes"] = Field(description="Of decoding")
    turned: bool = Field(
        default=False,
        exclude_if=_at(False),
        description="The last of `further` is the angle by which a box is turned about its centre, clockwise, radians",
    )

    @model_validator(mode="after")
    def _with_its_angle(self) -> Self:
        if self.turned and (not self.further or (self.layout == "rows" and self.corners)):
            raise ValueError("a turned box has its angle in further, and of 'rows' corners = false")
        return self


class Instances(_Detected):
    """A mask beside each box: (n, 1, rows, columns) of torchvision's layout.

    Of 'yolo' and 'rows' the masks are (1, further, rows, columns), which all boxes share: a box's own is their sum,
    weighted by its further numbers, within the box. Bolya et al., YOLACT, ICCV 2019.
    """

    kind: Literal["instances"] = Field(description="Of decoding")
    masks: str = Field(default="masks", description="Name of an output")
    mask_threshold: float = Field(default=0.5, gt=0, lt=1, description="From which on a pixel belongs to the mask")

    @model_validator(mode="after")
    def _with_its_masks(self) -> Self:
        if self.layout not in ("torchvision", "yolo", "rows") or (self.layout != "torchvision") != bool(self.further):
            raise ValueError("masks belong to layout 'torchvision', and to 'yolo' and 'rows' with further")
        return self


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


class Embedder(Table):
    """A vector of the whole image, for search and near duplicates: (1, numbers), or features that are brought to it."""

    kind: Literal["embedding"] = Field(description="Of decoding")
    output: str = Field(default="embedding", description="Name of the graph's output")
    pooling: Literal["none", "mean", "first"] = Field(
        default="none",
        description="'mean': over a map of features (1, numbers, r, c), or over tokens (1, tokens, numbers); "
        "'first': the first of the tokens",
    )


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
    widened: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=dict[str, float],
        description="Of 'boxes': part of its width and height by which a box is moved out on each side, by whose "
        "box it is, as in `prompted_by`; of others 0",
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

    @model_validator(mode="after")
    def _widened_are_prompts(self) -> Self:
        if self.prompted_by and (strange := sorted(set(self.widened) - set(self.prompted_by))):
            raise ValueError(f"'widened' names {', '.join(strange)}, which 'prompted_by' does not: write both alike")
        return self


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


class Flows(_Decoding):
    """Cells: flows down and across (channels 0 and 1), five times a px, and the logit of a cell (channel 2).

    Stringer et al., Cellpose, Nature Methods 18, 2021.
    """

    kind: Literal["flows"] = Field(description="Of decoding")
    output: str = Field(default="output", description="Name of the graph's output, (1, 3, rows, columns)")
    activation: Activation = Field(default="sigmoid", description="Of the logit")


Decoding = Annotated[
    Semantic
    | Volumetric
    | Boxes
    | Instances
    | Heatmap
    | Classifier
    | Landmarks
    | Contours
    | Embedder
    | Promptable
    | Hover
    | Stardist
    | Flows,
    Field(discriminator="kind"),
]
