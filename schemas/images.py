"""One frame as quantitative pixels, with the metadata that was allowed through.

Knows nothing of regions or knowledge.
"""

from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from schemas.base import Digest, FrameMessage, Message
from schemas.codes import Code
from schemas.shapes import Box, Mask

Modality = Literal[
    "CT", "MR", "X-ray", "PET", "ultrasound", "histopathology", "dermoscopy", "fundus photography", "endoscopy",
    "microscopy", "nuclear medicine", "mammography", "OCT", "other", "unknown",
]  # fmt: skip
MODALITIES: tuple[Modality, ...] = get_args(Modality)

Plane = Literal["axial", "coronal", "sagittal", "oblique"]
Laterality = Literal["left", "right", "both"]
Side = Literal["patient left", "patient right", "anterior", "posterior", "head", "feet"]
"""A direction in the patient (DICOM PS3.3 C.7.6.1.1.1)."""


def _is_empty(value: tuple[object, ...]) -> bool:
    # Messages without neighbours, and the digests of their metadata, stay as they were before there were any.
    return not value


def _is_none(value: object) -> bool:
    return value is None


class Pixels(Message):
    """One 2-D image as PNG. A pixel's value in `unit` is stored × `slope` + `intercept`.

    Exactly one of `data` and `reference` is set: large images travel by reference under the same type.
    """

    rows: int = Field(ge=1, description="px")
    columns: int = Field(ge=1, description="px")
    channels: Literal[1, 3] = Field(description="1 grey, 3 sRGB")
    bits: Literal[8, 16] = Field(description="Bits stored per channel")
    slope: float = Field(default=1.0, description="Units a stored value")
    intercept: float = Field(default=0.0, description="Unit at a stored value of 0")
    unit: str = Field(
        description="Unit of the values: HU, SUVbw, Gy, 'stored value', or 'grey level' of a rendered view"
    )
    data: str | None = Field(default=None, repr=False, description="base64 of the PNG file")
    reference: str | None = Field(default=None, description="Content address of the PNG file in the payload store")
    perceptual_hash: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        exclude_if=_is_none,
        description="Of a rendered view: 256 bits that pictures which look nearly the same nearly share (`phash` of "
        "imagehash, 16 x 16), 64 hexadecimal digits. Not written of other pixels, nor by earlier versions",
    )

    @model_validator(mode="after")
    def _one_carrier(self) -> Self:
        if (self.data is None) == (self.reference is None):
            raise ValueError("exactly one of data and reference must be set")
        return self


class Spacing(Message):
    """Distance between the centres of neighbouring pixels."""

    row_mm: float = Field(gt=0, description="Between rows (vertical), mm")
    column_mm: float = Field(gt=0, description="Between columns (horizontal), mm")
    source: str = Field(description="DICOM keyword or sidecar field it was read from")


class Window(Message):
    """A linear VOI window (DICOM PS3.3 C.11.2.1.2), or a curve with a window near it; in the unit of the pixels."""

    center: float = Field(description="Value shown in middle grey")
    width: float = Field(gt=0, description="Values from black to white")
    source: Literal["header", "percentiles", "full range"] = Field(
        default="header", description="Where it is from: the file, or computed of its values"
    )
    curve: tuple[tuple[float, float], ...] | None = Field(
        default=None,
        min_length=2,
        description="Of a VOI LUT or sigmoid function: value and brightness (0 black, 1 white) of points by ascending "
        "value, joined by straight lines and level beyond the ends. Shown instead of the window where it is there",
    )


class Orientation(Message):
    """Where the image's axes point in the patient. Absent where the tags do not tell."""

    right: Side = Field(description="Direction in the patient of increasing column index")
    down: Side = Field(description="Direction in the patient of increasing row index")


ScanReason = Literal[
    "declared", "secondary capture", "screen capture", "ultrasound", "visible light", "projection X-ray", "derived",
    "unknown source", "policy", "not suspected",
]  # fmt: skip


class MaskedBox(Message):
    """Pixels that were masked because text was found there."""

    left: int = Field(ge=0, description="px")
    top: int = Field(ge=0, description="px")
    right: int = Field(ge=1, description="px, exclusive")
    bottom: int = Field(ge=1, description="px, exclusive")
    score: float = Field(ge=0, le=1, description="How sure it is that this is text")


class PixelCleaning(Message):
    """What was done about text burned into the pixels (DICOM PS3.15 E.3.1). What is masked is no finding."""

    scanned: bool = Field(description="Whether the text detector looked at the frame")
    reason: ScanReason = Field(description="What made it look, or 'not suspected'")
    policy: str = Field(description="Of text that is uncertain, as TRISTREAM_BURNED_IN has it")
    detector: str | None = Field(default=None, description="Model and version of its rules")
    complete: bool = Field(default=True, description="False where there was more detail than could be looked at")
    boxes: tuple[MaskedBox, ...] = Field(default=(), description="Masked; may overlap")
    masked_share: float = Field(default=0.0, ge=0, le=1, description="Of the pixels, by boxes and outside regions")
    outside_ultrasound_regions: bool = Field(
        default=False, description="True where all outside the Sequence of Ultrasound Regions was masked"
    )
    masked_over_regions_px: int = Field(
        default=0, ge=0, description="Pixels of regions that the source marks which were masked: text lies over them"
    )
    left_over_regions_px: int = Field(
        default=0, ge=0, description="Pixels of such regions that looked like text, or hold it, and were kept by policy"
    )
    recognizable_visual_features: bool | None = Field(
        default=None, description="Recognizable Visual Features (0028,0302): a face, for example, which is not masked"
    )


class Neighbour(Message):
    """A frame that lies beside this one in space, in the same volume or series, and was sent with it."""

    image_id: Digest = Field(description="Of its pixels, as in a message of its own")
    frame: int = Field(ge=0, description="Its index in its object: of slices that are files of their own, another one")
    steps: int = Field(description="Slices from this one: 1 the next, -1 the one before; see `towards` for the way")
    towards: Side | None = Field(
        default=None,
        description="Where it lies, seen from this one. Steps grow to patient left, posterior or head; where the "
        "source does not tell, as the frames' indices do",
    )
    distance_mm: float | None = Field(default=None, gt=0, description="From this one, at right angles to both")
    masked: tuple[MaskedBox, ...] = Field(default=(), description="Its pixels that were masked")

    @model_validator(mode="after")
    def _elsewhere(self) -> Self:
        if self.steps == 0:
            raise ValueError("a neighbour lies at least one step away")
        return self


class ChannelVolume(Message):
    """All slices of one channel of a volume, in register with those of the others."""

    name: str = Field(description="A word of models/vocabulary/channels.csv, or channel 1 and so on")
    digest: Digest = Field(description="Hash of the image_id of its slices, in their order")


class InVolume(Message):
    """The volume that a frame is a slice of, all of which was sent with it by reference."""

    digest: Digest = Field(description="Hash of the image_id of all its slices, in their order")
    slices: int = Field(ge=2, description="How many there are")
    place: int = Field(
        ge=0,
        description="Of this one among them, from 0: to patient left, posterior or head, or where the source does not "
        "tell, as the frames' indices do",
    )
    spacing_mm: float | None = Field(
        default=None, gt=0, description="From one slice to the next; None where they lie unevenly, or nothing tells"
    )
    towards: Side | None = Field(default=None, description="Where the next one lies; None where nothing tells")
    channels: tuple[ChannelVolume, ...] = Field(
        default=(),
        exclude_if=_is_empty,
        description="Of a source that names them: all that were sent, this frame's own too. Not written where it does "
        "not; the volume is then of one channel",
    )


Weighting = Literal["T1-weighted", "T2-weighted", "FLAIR", "diffusion-weighted"]
"""What the signal of an MR image mostly tells."""


class ImageMetadata(Message):
    """The allowlist: nothing else from a source file leaves preprocess. None means that the source does not tell."""

    source_format: Literal["DICOM", "PNG", "JPEG", "TIFF", "NIfTI"] = Field(description="Of the file")
    modality: Modality = Field(default="unknown", description="Kind of image")
    modality_code: str | None = Field(default=None, description="DICOM Modality (0008,0060), a defined term of PS3.3")
    organ: str | None = Field(
        default=None, description="Body part or organ, a word of the vocabulary in models/imaging"
    )
    disease: str | None = Field(
        default=None, description="What a sidecar says the image shows, in words of models/vocabulary"
    )
    plane: Plane | None = Field(default=None, description="Of a slice")
    view: str | None = Field(default=None, description="Radiographic view, a defined term (AP, PA, LL, …)")
    laterality: Laterality | None = Field(default=None, description="Side of a paired organ that is shown")
    sides_contradict: bool | None = Field(
        default=None,
        exclude_if=_is_none,
        description="True where what the source says of left and right contradicts itself: a view, or a mark named by "
        "its side that lies on the other one. Nothing is then said of the patient's left and right",
    )
    orientation: Orientation | None = Field(default=None, description="Where the image lies in the patient")
    spacing: Spacing | None = Field(default=None, description="Between the centres of pixels, at the patient")
    pixel_aspect_ratio: float | None = Field(
        default=None, gt=0, description="Height of a pixel over its width, where the source says that it is not 1"
    )
    slice_thickness_mm: float | None = Field(default=None, description="Slice Thickness (0018,0050)")
    contrast_agent: bool | None = Field(default=None, description="True where the source names an agent given")
    localizer: bool | None = Field(
        default=None,
        description="True where the source says that the image was made to plan others (scout, topogram, survey). "
        "Of CT it is a projection: without plane or HU",
    )
    repetition_time_ms: float | None = Field(default=None, description="Repetition Time (0018,0080)")
    echo_time_ms: float | None = Field(default=None, description="Echo Time (0018,0081)")
    weighting: Weighting | None = Field(
        default=None,
        exclude_if=_is_none,
        description="What an MR image is weighted for, where Acquisition Contrast (0008,9209), a diffusion weight, an "
        "inversion that nulls fluid, or a description that the times bear out tells it",
    )
    channel: str | None = Field(
        default=None,
        exclude_if=_is_none,
        description="Which of the source's channels this is a picture of, where a sidecar names them",
    )
    magnetic_field_t: float | None = Field(default=None, description="Magnetic Field Strength (0018,0087)")
    tube_voltage_kv: float | None = Field(default=None, description="KVP (0018,0060)")
    frames_in_object: int = Field(default=1, ge=1, description="Frames, slices or pages of the source file")
    lossy_compression: bool | None = Field(default=None, description="Lossy Image Compression (0028,2110)")
    transfer_syntax: str | None = Field(default=None, description="Name of the DICOM transfer syntax of the source")
    pixel_cleaning: PixelCleaning | None = Field(
        default=None, description="What was done about text in the pixels; None of a message of an earlier version"
    )
    annotations_digest: Digest | None = Field(
        default=None, description="Hash of the regions that the source itself marked; None where it marked none"
    )
    sidecar_fields_left_out: int | None = Field(
        default=None,
        ge=0,
        description="Fields of the sidecar that were not taken: unknown ones, and words outside the vocabulary. "
        "None where there is no sidecar",
    )
    annotations_left_out: int | None = Field(
        default=None,
        ge=0,
        description="Marks of DICOM segmentations, structure sets and reports on this frame that are no areas: points, "
        "open lines. None where none of these objects is of this image",
    )
    neighbours: tuple[Neighbour, ...] = Field(
        default=(),
        exclude_if=_is_empty,
        description="Sent with the frame, by ascending steps, without a gap. Not written where there are none",
    )
    volume: InVolume | None = Field(
        default=None, exclude_if=_is_none, description="That was sent with the frame. Not written where there is none"
    )


class SourceAnnotation(Message):
    """A region that the source itself marked. Exactly one of `mask` and `box` is set."""

    label: str = Field(description="Words of models/vocabulary, or 'annotated region'")
    code: Code | None = Field(default=None, description="Of the label, where the source gives one that is known")
    mask: Mask | None = Field(default=None, description="Its pixels")
    box: Box | None = Field(default=None, description="Around it, where the source gives no more")

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        if (self.mask is None) == (self.box is None):
            raise ValueError("exactly one of mask and box must be set")
        return self


class MedicalImage(FrameMessage):
    """One frame, de-identified, in quantitative pixels."""

    metadata: ImageMetadata = Field(description="What the source tells of the image")
    pixels: Pixels = Field(description="The frame, in quantitative values")
    window: Window = Field(description="How to render it; in the unit of the pixels")
    inverted: bool = Field(default=False, description="True for MONOCHROME1: low values are shown bright")
    annotations: tuple[SourceAnnotation, ...] = Field(default=(), description="Regions that the source itself marked")
    neighbours: tuple[Pixels, ...] = Field(
        default=(),
        exclude_if=_is_empty,
        description="Of `metadata.neighbours`, in their order; of this image's size, unit and meaning",
    )
    volume: tuple[Pixels, ...] = Field(
        default=(),
        exclude_if=_is_empty,
        description="All slices of `metadata.volume`, this one too, in their order; of this image's size and unit. Of "
        "several channels the slices of each together, in the order of `metadata.volume.channels`, units of their own",
    )
    preprocess_version: str = Field(description="Of what read the image")

    @model_validator(mode="after")
    def _neighbours_are_told(self) -> Self:
        if len(self.neighbours) != len(self.metadata.neighbours):
            raise ValueError("each neighbour has its pixels and its metadata")
        within = self.metadata.volume
        if len(self.volume) != (within.slices * max(1, len(within.channels)) if within else 0):
            raise ValueError("each slice of a volume has its pixels")
        return self
