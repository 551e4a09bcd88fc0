"""Regions of interest and what was measured in them. Knows nothing of who found them or how they are described."""

from typing import Literal

from pydantic import AliasChoices, Field

from schemas.base import Digest, FrameMessage, Message
from schemas.codes import Code as Code
from schemas.expert_runs import ExpertRun, Unasked
from schemas.images import ImageMetadata, Pixels, Side
from schemas.shapes import Box as Box
from schemas.shapes import Mask as Mask


class Intensity(Message):
    """Statistics of pixel values. Those that may be None are told of regions alone."""

    mean: float = Field(description="In `unit`")
    standard_deviation: float = Field(
        ge=0,
        validation_alias=AliasChoices("standard_deviation", "spread"),
        description="In `unit`; `spread` in messages of earlier versions",
    )
    minimum: float = Field(description="In `unit`")
    maximum: float = Field(description="In `unit`")
    unit: str = Field(description="Of the values: HU, SUVbw, stored value, …")
    median: float | None = Field(default=None, description="In `unit`")
    percentile_10: float | None = Field(default=None, description="In `unit`")
    percentile_90: float | None = Field(default=None, description="In `unit`")
    skewness: float | None = Field(default=None, description="IBSI KE2A; 0 where all values are the same")
    kurtosis: float | None = Field(default=None, description="Excess, IBSI IPH6; 0 where all values are the same")


class Axis(Message):
    """Where a centroid lies along one axis of the image, told in the patient where the orientation is known."""

    towards: Side | Literal["image right", "image down"] = Field(
        description="Where the fraction grows: patient left, posterior or feet; an image axis where nothing tells"
    )
    fraction: float = Field(description="Of the extent of what it lies within, from 0 to 1; beyond them, outside it")
    third: str = Field(description="In words: 'patient's right', 'anterior', 'middle', …")


class Place(Message):
    """Where a region lies within the image, or within the part of it that an expert outlined."""

    within: str = Field(description="'image', or what was outlined: 'body', 'brain', 'lungs'")
    axes: tuple[Axis, Axis] = Field(description="Left and right first, front and back before head and feet")
    quadrant: str = Field(description="By halves, in the words of the thirds")
    share_percent: float = Field(ge=0, description="Of the area it lies within that the region covers")


class Size(Message):
    """Lengths of a region."""

    unit: Literal["mm", "px"] = Field(description="px where the pixel spacing is unknown: widths of a pixel")
    longest_axis: float = Field(gt=0, description="Maximum Feret diameter")
    shortest_axis: float = Field(gt=0, description="Extent across the longest axis, at right angles to it")
    minor_axis: float = Field(gt=0, description="Of the ellipse with the same moments (IBSI P9VJ, of square pixels)")
    equivalent_diameter: float = Field(gt=0, description="Of the disc of the same area")
    perimeter: float = Field(gt=0, description="Of the outer outline")


class Shape(Message):
    """Form of a region, without a unit; measured in mm where the spacing is known."""

    sphericity: float = Field(ge=0, le=1, description="Perimeter of the disc of the same area over the perimeter")
    roundness: float = Field(ge=0, le=1, description="Area over that of the disc of the longest axis")
    solidity: float = Field(ge=0, le=1, description="Area over that of the convex hull")
    eccentricity: float = Field(ge=0, le=1, description="Of the ellipse with the same moments: 0 a circle")
    elongation: float = Field(ge=0, le=1, description="Minor over major axis of that ellipse (IBSI Q3CK)")
    filling: float = Field(gt=0, le=1, description="Area over that with its holes filled")


class Margin(Message):
    """The outline of a region, and how values change across it."""

    irregularity: float = Field(ge=0, description="Perimeter over that of the convex hull, less 1")
    gradient: float | None = Field(
        default=None, ge=0, description="Mean step across the outline in `gradient_unit`; None without surroundings"
    )
    gradient_unit: str | None = Field(default=None, description="Of `gradient`: of the values, a px or a mm")
    sharpness: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Part of the full difference that falls on one pixel across the outline; None where the region "
        "stands out from its surroundings by less than their standard deviation",
    )


class Contrast(Message):
    """A region against its surroundings."""

    difference: float = Field(description="Of the means, region less surroundings, in `unit`")
    unit: str = Field(description="Of `difference`")
    contrast_to_noise: float | None = Field(
        default=None, description="Difference over the standard deviation of the surroundings; None where that is 0"
    )
    as_displayed: float | None = Field(
        default=None, description="The same, positive where the region is shown brighter"
    )
    standard_deviation_ratio: float | None = Field(
        default=None,
        validation_alias=AliasChoices("standard_deviation_ratio", "spread_ratio"),
        description="Over that of the surroundings; None where that is 0. `spread_ratio` in earlier messages",
    )


class Thirds(Message):
    """Medians of the values of a region in the upper and the lower third of its box, as the image is displayed."""

    upper: float = Field(description="In the unit of the region's intensity")
    lower: float = Field(description="In the unit of the region's intensity")


class Colour(Message):
    """Of a region in CIE 1976 L*a*b* (D65, of sRGB): medians of the half of it that differs most from its surroundings.

    That half is the lesion where an outline was drawn wide of it.
    """

    lightness: float = Field(description="L*, from 0, black, to 100")
    green_red: float = Field(description="a*: above 0 towards red, below towards green")
    blue_yellow: float = Field(description="b*: above 0 towards yellow, below towards blue")
    yellower_by: float = Field(description="b* less that of a ring around it")


class Texture(Message):
    """First-order and grey level co-occurrence features of the discretised values (IBSI, arXiv 1612.07003).

    Co-occurrences are of 8-connected neighbours at 1 px within the region, symmetric, the four directions merged.
    """

    discretisation: str = Field(description="'fixed bin number 32', or 'fixed bin width 25 HU'")
    levels: int = Field(ge=1, description="Bins from the lowest to the highest value")
    entropy: float = Field(ge=0, description="Discretised intensity entropy, bits (TLU2)")
    uniformity: float = Field(ge=0, le=1, description="Discretised intensity uniformity (BJ5W)")
    contrast: float = Field(ge=0, description="GLCM contrast (ACUI)")
    homogeneity: float = Field(ge=0, le=1, description="GLCM inverse difference moment (WF0Z)")
    correlation: float = Field(ge=-1, le=1, description="GLCM correlation (NI2N); 1 where all values are the same")
    energy: float = Field(ge=0, le=1, description="GLCM angular second moment (8ZQL)")


class Term(Message):
    """A word for a measurement, by a threshold of the table in models/statements/table.toml."""

    aspect: Literal["size", "shape", "margin", "outline", "density", "contrast", "uptake", "texture", "colour"] = Field(
        description="What the word is of"
    )
    word: str = Field(description="As descriptions say it")
    measure: str = Field(pattern=r"^/", description="JSON Pointer within the region: /shape/solidity")
    at_least: float | None = Field(default=None, description="Bound of the measurement at which the word holds")
    below: float | None = Field(default=None, description="Bound of the measurement below which the word holds")


class Region(Message):
    """A part of the image that a stated rule singled out. A candidate is never a diagnosis."""

    region_id: str = Field(pattern=r"^r\d+$", description="Unique within its image: r1, r2, …")
    kind: Literal["candidate", "source annotation", "whole image"] = Field(
        default="candidate", description="Found by an expert, marked by the source, or no region at all"
    )
    label: str = Field(description="What the rule selects, in a few lower-case words: 'air-density region'")
    code: Code | None = Field(default=None, description="Of the label, where its expert or its source tells one")
    rule: str = Field(description="The rule that found it, with its thresholds and units")
    expert: str = Field(description="name@version of the expert, or 'none' for the whole image")
    agreeing: tuple[str, ...] = Field(
        default=(), description="Other experts, by name@version, that found this label here; this region stands for all"
    )
    proposed_by: str = Field(
        default="",
        exclude_if=lambda value: not value,
        description="Whose box `expert` outlined: another expert, by name@version, or 'source'; empty: its own finding",
    )
    score: float | None = Field(default=None, description="Strength of the finding as the expert's card defines it")
    probability: float | None = Field(
        default=None,
        ge=0,
        le=1,
        exclude_if=lambda value: value is None,
        description="That it is what its label says, calibrated on images with readers' marks (`looked_for` of its "
        "expert's turn tells which); None: not calibrated",
    )
    mask: Mask = Field(description="Its pixels")
    box: Box = Field(description="Around it")
    area_px: int = Field(ge=1, description="Pixels of the mask")
    area_mm2: float | None = Field(default=None, description="None where the pixel spacing is unknown")
    centroid: tuple[float, float] = Field(description="x, y in px")
    position: str = Field(description="In words: the patient's sides where they are known, else as displayed")
    intensity: Intensity = Field(description="Of its pixels")
    surroundings: Intensity | None = Field(default=None, description="Of a ring around it; None where there is none")
    thirds: Thirds | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Along its height; None of what covers less than 1 % of the image, or nothing of a third",
    )
    colour: Colour | None = Field(
        default=None, exclude_if=lambda value: value is None, description="In dermoscopy alone; None without a ring"
    )
    place: Place | None = Field(default=None, description="None, as all that follows, for the whole image")
    size: Size | None = Field(default=None, description="Its lengths")
    shape: Shape | None = Field(default=None, description="Its form")
    margin: Margin | None = Field(default=None, description="Its outline")
    contrast: Contrast | None = Field(default=None, description="None where there are no surroundings")
    texture: Texture | None = Field(default=None, description="None too where no two pixels are neighbours")
    terms: tuple[Term, ...] = Field(default=(), description="Measurements in words, one an aspect at most")
    phrase: str | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="The region in at most 25 words, for training on; told in triplets alone",
    )

    @property
    def found_by(self) -> str:
        """Who says that something is here, by name@version or 'source'; its outline is that of `expert`."""
        return self.proposed_by or self.expert


class Relation(Message):
    """A measured relation between two regions."""

    subject: str = Field(description="region_id")
    predicate: Literal[
        "larger than", "brighter than", "inside", "left of", "above", "similar in size to", "touching", "overlapping",
        "mirror of", "same texture as", "patient left of", "anterior to", "superior to",
    ] = Field(description="'left of' and 'above' are as displayed, of images whose orientation is unknown")  # fmt: skip
    object: str = Field(description="region_id")
    value: float | None = Field(default=None, description="The measurement behind it, in `unit`")
    unit: str | None = Field(default=None, description="Of `value`")


class Continuation(Message):
    """Whether a region goes on in the slices on one side of the image: what the same expert finds there."""

    region: str = Field(description="region_id")
    neighbour: int = Field(ge=0, description="Index of the nearest of these slices in `metadata.neighbours`")
    towards: Side | None = Field(default=None, description="Where they lie; None where the source does not tell")
    onwards: bool = Field(description="Whether steps grow that way")
    outcome: Literal["continues", "not seen"] = Field(
        description="continues: a region of the same label and expert overlaps it by 10 % of the smaller one's area"
    )
    distance_mm: float | None = Field(default=None, gt=0, description="To the nearest of them")
    looked: int = Field(ge=1, description="Slices that were looked at there")
    slices: int = Field(ge=0, description="How many of them, without a gap, it goes on in")
    reach_mm: float | None = Field(default=None, gt=0, description="To the last of these")
    regions: int = Field(default=0, ge=0, description="Of the nearest slice, that overlap it: more where it parts")
    area_px: int | None = Field(default=None, ge=1, description="Of those together")
    area_mm2: float | None = Field(default=None, description="None where the pixel spacing is unknown")
    shared_px: int | None = Field(default=None, ge=1, description="Of that area, over or under the region itself")
    shared_mm2: float | None = Field(default=None, description="None where the pixel spacing is unknown")
    iou: float | None = Field(
        default=None, ge=0, le=1, description="Intersection over union of that area and the region"
    )
    ratio: float | None = Field(default=None, gt=0, description="That area over the region's")
    change: Literal["grows", "shrinks", "similar in size"] | None = Field(
        default=None, description="Ratio from 1.15 up, down to 1/1.15, or between"
    )


class VolumeFinding(Message):
    """What an expert of three dimensions found of one label in the whole volume: the same for each of its slices."""

    volume: Digest = Field(
        description="`digest` of `metadata.volume`; of an expert of several channels one of them all. Findings of one "
        "volume share it"
    )
    channels: tuple[str, ...] = Field(
        default=(), exclude_if=lambda value: not value, description="That its expert was given, where it takes several"
    )
    label: str = Field(description="Of the regions that are its parts in a slice")
    code: Code | None = Field(default=None, description="Of the label, where its expert tells one")
    expert: str = Field(description="name@version")
    voxels: int = Field(ge=1, description="Of the slices as they came")
    volume_ml: float | None = Field(default=None, gt=0, description="None where a spacing is unknown")
    parts: int = Field(ge=1, description="Connected in three dimensions (26 neighbours)")
    largest_part_ml: float | None = Field(default=None, gt=0, description="None where a spacing is unknown")
    slices: int = Field(ge=1, description="From the first to the last that hold some of it")
    first_slice: int = Field(ge=0, description="By `place`")
    extent_mm: tuple[float, float, float] | None = Field(
        default=None, description="Across slices, down and across within them; None where a spacing is unknown"
    )
    score: float = Field(ge=0, le=1, description="Mean probability of its voxels, as the expert has it")


class OpinionPrecision(Message):
    """How often a classifier was right where it told a label, as its manifest states it."""

    value: float = Field(ge=0, le=1, description="Part of the images that it was told of that were of the label")
    images: int = Field(ge=1, description="That it was told of")
    of: str = Field(description="Which images these were, and by whom their truth was told")


class Opinion(Message):
    """What a classifier thinks of the whole image. It says nothing of where, and nothing of it was measured."""

    label: str = Field(description="In a few lower-case words")
    code: Code | None = Field(default=None, description="Of the label, where its expert tells one")
    expert: str = Field(description="name@version of whose opinion it is")
    score: float = Field(ge=0, le=1, description="Probability as the expert has it; of all its labels, told or not")
    threshold: float = Field(ge=0, le=1, description="Of the score, from which on the expert tells the label")
    told: bool = Field(description="Whether the score reaches it. Below it nothing follows: the label is not denied")
    calibration: str | None = Field(default=None, description="On what and how scores were calibrated; None: not")
    precision: OpinionPrecision | None = Field(
        default=None, description="At this threshold; None where its manifest states none, and then no text tells it"
    )


class Landmark(Message):
    """A point that an expert names. Nothing is outlined, and nothing is measured at it."""

    label: str = Field(description="In a few lower-case words")
    code: Code | None = Field(default=None, description="Of the label, where its expert tells one")
    expert: str = Field(description="name@version of who found it")
    x: float = Field(ge=0, description="Columns; px of the image, 0 at the left edge of the first pixel")
    y: float = Field(ge=0, description="Rows; px of the image, 0 at the upper edge of the first pixel")
    score: float | None = Field(
        default=None, ge=0, le=1, description="As the expert has it, and not calibrated; None where it tells none"
    )


class Embedding(Message):
    """A vector of the whole image, for search and near duplicates. To be compared with those of one expert alone."""

    expert: str = Field(description="name@version of whose it is")
    values: tuple[float, ...] = Field(
        min_length=2, description="Of length 1: the cosine of two images is the sum of products"
    )


class Distribution(Message):
    """How the regions of one kind and label are spread over the image, or over what they lie within."""

    kind: Literal["candidate", "source annotation"] = Field(description="Of the regions")
    label: str = Field(description="Of the regions")
    spread: Literal["focal", "multifocal", "diffuse"] = Field(
        description="focal: one; multifocal: several; diffuse: over most of what they lie within"
    )
    within: str = Field(description="As in `Place`")
    regions: int = Field(ge=1, description="How many there are")
    share_percent: float = Field(ge=0, description="Of the area within which they lie that they cover together")
    ninths: int = Field(ge=1, le=9, description="Of its thirds by thirds, how many hold a centroid")
    side: Literal["patient left", "patient right", "both sides"] | None = Field(
        default=None, description="Where their area lies; None where left and right are unknown, or nothing is outlined"
    )
    asymmetry: float | None = Field(
        default=None, ge=-1, le=1, description="(left - right) / (left + right) of their area: 1 is all on patient left"
    )
    side_difference: float | None = Field(
        default=None, description="Mean of the outlined part's patient left half less that of its right half, in `unit`"
    )
    side_difference_without: float | None = Field(
        default=None, description="The same without these regions: what they do to the symmetry is the difference"
    )
    unit: str | None = Field(default=None, description="Of the side differences")


def expert_name(expert: str) -> str:
    """An expert's name, of name or name@version."""
    return expert.partition("@")[0]


class Grounding(Message):
    """All that grounding learnt of one image."""

    regions: tuple[Region, ...] = Field(
        min_length=1, description="Found and marked, those of the source first; where there are none, the whole image"
    )
    relations: tuple[Relation, ...] = Field(default=(), description="Between regions")
    distributions: tuple[Distribution, ...] = Field(default=(), description="Of the regions of one kind and label")
    continuations: tuple[Continuation, ...] = Field(
        default=(), exclude_if=lambda value: not value, description="Of images that neighbours were sent with"
    )
    volumes: tuple[VolumeFinding, ...] = Field(
        default=(), exclude_if=lambda value: not value, description="Of images that a volume was sent with"
    )
    opinions: tuple[Opinion, ...] = Field(
        default=(), exclude_if=lambda value: not value, description="Of classifiers, on the whole image"
    )
    landmarks: tuple[Landmark, ...] = Field(
        default=(), exclude_if=lambda value: not value, description="Points that experts named"
    )
    embeddings: tuple[Embedding, ...] = Field(
        default=(), exclude_if=lambda value: not value, description="Vectors of the whole image, one an expert"
    )
    experts: tuple[ExpertRun, ...] = Field(default=(), description="Those that ran")
    unasked: tuple[Unasked, ...] = Field(
        default=(), exclude_if=lambda value: not value, description="Experts of such images that lack something here"
    )
    intensity: Intensity = Field(description="Of the whole image")


class GroundedImage(FrameMessage):
    """An image with its regions. From here on the pixels are the rendered view that the describer sees."""

    metadata: ImageMetadata = Field(description="What the source tells of the image")
    view: Pixels = Field(description="The image as the describer sees it")
    grounding: Grounding = Field(description="What the experts found")
    preprocess_version: str = Field(description="Of what read the image")
    grounding_version: str = Field(description="Of the experts and what runs them")
