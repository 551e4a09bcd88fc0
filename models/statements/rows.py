"""Rows of the table of claims: their types, and constants of their bounds."""

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.images import Modality, Plane, Weighting

Aspect = Literal["size", "shape", "margin", "outline", "density", "contrast", "uptake", "texture", "colour"]
Direction = Literal["high", "low", "alike"]
Role = Literal["finding", "structure", "tissue", "artefact"]
STANDS_OUT, PLAIN = 1.0, 3.0
"""Contrast-to-noise at which a region is called 'slightly' of another level, and plainly so; see the table."""
BY_DISPLAY: frozenset[str] = frozenset(
    {"dermoscopy", "fundus photography", "histopathology", "endoscopy", "microscopy"}
)
"""Modalities whose bare left and right are those of the display."""
_ROSE = "3: Rose, J Opt Soc Am 38, 1948; 1: stated here, one standard deviation of the surroundings"


class TableRow(BaseModel):
    """Of any kind: frozen, and a field that is none is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Worded(TableRow):
    """A word of a closed list, and the phrases for it."""

    word: str
    say: tuple[str, ...] = ()
    read: tuple[str, ...] = ()


class ImageKind(Worded):
    """A modality: what its images are called."""

    word: Modality  # pyright: ignore[reportIncompatibleVariableOverride] - a narrower type
    slices: tuple[str, ...] = Field(default=(), description="What an image with a plane is called")
    bare: tuple[str, ...] = Field(default=(), description="What it is called without an article: 'CT of the liver'")
    compound: bool = Field(default=False, description="Whether an organ may stand before it: 'breast sonogram'")
    also: tuple[Modality, ...] = Field(default=(), description="Modalities that it may be called beside its own")
    organs: tuple[str, ...] = Field(default=(), description="What such an image always shows")


class ImagePlane(Worded):
    """A plane."""

    word: Plane  # pyright: ignore[reportIncompatibleVariableOverride] - a narrower type
    clause: tuple[str, ...] = Field(default=(), description="Said behind what the image is called")


class ImageWeighting(Worded):
    """A weighting of MR."""

    word: Weighting  # pyright: ignore[reportIncompatibleVariableOverride] - a narrower type


class ImageView(Worded):
    """A radiographic view, by its defined term."""

    also: tuple[str, ...] = Field(default=(), description="Coarser words that are true of it too")
    clause: tuple[str, ...] = Field(default=(), description="Said behind what the image is called")


class Agent(TableRow):
    """Whether a contrast agent was given."""

    given: bool
    say: tuple[str, ...]
    clause: tuple[str, ...]
    read: tuple[str, ...]


class Called(TableRow):
    """What regions of one label are called."""

    label: str
    role: Role
    rank: int = Field(default=0, description="How telling such a finding is; higher first")
    expert: str | None = Field(default=None, description="Name of the expert that looks for it")
    level: Direction | None = Field(default=None, description="The level that the label itself tells")
    say: tuple[str, ...] = Field(min_length=1)
    read: tuple[str, ...] = ()
    searches: str = ""
    organs: tuple[str, ...] = Field(default=(), description="That are there where such a region is")
    patchy: bool = Field(
        default=False, description="Whether parts of a mark that lie close together are one: a tumour cut by its slice"
    )
    within_the_frame: bool = Field(
        default=False, description="Whether a candidate is told only off the picture's edges: at them lie dark corners"
    )
    not_beside: tuple[str, ...] = Field(
        default=(), description="Structures beside which it is not told: there it says no more than they do"
    )


class Row(TableRow):
    """One word and when it holds."""

    aspect: Aspect
    word: str
    measure: str = Field(pattern=r"^(/[a-z_0-9]+){2}$", description="JSON Pointer within a region")
    at_least: float | None = None
    below: float | None = None
    modalities: tuple[Modality, ...] = ()
    units: tuple[str, ...] = Field(default=(), description="Of lengths for sizes, of pixel values for all else")
    form: Literal["adjective", "phrase"] = "adjective"
    say: tuple[str, ...] = ()
    of_edges: tuple[str, ...] = Field(default=(), description="Said of margins only: 'its edge is clear'")
    having: tuple[str, ...] = Field(default=(), description="Said behind 'with' or 'has'")
    read: tuple[str, ...] = ()
    only_read: bool = Field(
        default=False, description="Judged from its measure where it is said; never a region's term"
    )
    searches: str = ""
    source: str

    def holds(self, value: float) -> bool:
        """Whether the word is one for a measurement of that value."""
        return (self.at_least is None or value >= self.at_least) and (self.below is None or value < self.below)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.at_least is None and self.below is None:
            raise ValueError("a word needs a bound")
        return self


class Scale(TableRow):
    """Words of a level against the surroundings, for some modalities."""

    aspect: Aspect
    scale: str
    modalities: tuple[Modality, ...]
    measure: str
    high: str
    low: str
    alike: str
    more: tuple[str, ...]
    less: tuple[str, ...]
    same: tuple[str, ...]
    read_high: tuple[str, ...]
    read_low: tuple[str, ...]
    read_alike: tuple[str, ...]
    nouns: tuple[str, ...] = Field(description="What there is more or less of: 'signal', of which 'less signal' is low")
    searches_high: str
    searches_low: str

    def rows(self) -> Iterator[Row]:
        """Five words, by two bounds on each side."""
        bounds = (
            (self.high, PLAIN, None),
            (f"slightly {self.high}", STANDS_OUT, PLAIN),
            (self.alike, -STANDS_OUT, STANDS_OUT),
            (f"slightly {self.low}", -PLAIN, -STANDS_OUT),
            (self.low, None, -PLAIN),
        )
        for word, at_least, below in bounds:
            yield Row(
                aspect=self.aspect, word=word, measure=self.measure, at_least=at_least, below=below,
                modalities=self.modalities, source=_ROSE,
            )  # fmt: skip


class Shown(TableRow):
    """Words for brightness as displayed."""

    measure: str
    high: tuple[str, ...]
    low: tuple[str, ...]
    alike: tuple[str, ...]


class Degrees(TableRow):
    """Words for how much."""

    slightly: tuple[str, ...]
    plainly: tuple[str, ...]


class ShareWord(TableRow):
    """A share of the whole, percent, in words."""

    word: str
    at_least: float = 0.0
    below: float = 100.01
    say: tuple[str, ...]
    adjectives: tuple[str, ...] = ()
    read: tuple[str, ...] = ()


class CrowdingWords(Worded):
    """How crowded many small bodies are, by the part of the picture, percent, that they cover together."""

    at_least: float = 0.0
    below: float = 100.01
    source: str


class AxisWords(TableRow):
    """Words for the two ends of an axis, named by where it grows."""

    axis: Literal["patient left", "posterior", "feet", "lateral", "image right", "image down"]
    low: tuple[str, ...]
    high: tuple[str, ...]
    read_low: tuple[str, ...] = Field(default=(), description="Only understood; a word of two axes stands in both")
    read_high: tuple[str, ...] = ()


class Placing(TableRow):
    """Words about places."""

    middle: tuple[str, ...]
    midline: tuple[str, ...] = Field(description="Where left and right of the patient meet")
    shown: tuple[str, ...] = Field(description="What is meant by the image as displayed")
    parts: tuple[str, ...]


class RelationWords(TableRow):
    """Phrases for a relation, from the subject's side and turned."""

    predicate: str
    say: tuple[str, ...]
    read: tuple[str, ...]
    turned: tuple[str, ...] = ()
    read_turned: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


class RankWord(Worded):
    """A superlative; with `axis` and `end` it ranks places."""

    axis: str = ""
    end: Literal["", "low", "high"] = ""


class RatioWords(TableRow):
    """What stands behind 'twice' or 'three times', by what is compared; turned: of what is so many times less."""

    area: tuple[str, ...]
    area_turned: tuple[str, ...]
    length: tuple[str, ...]
    length_turned: tuple[str, ...]
    itself: tuple[str, ...]
    level: tuple[str, ...]
    longer: tuple[str, ...]
    upright: tuple[str, ...]
    upright_turned: tuple[str, ...]
    wider: tuple[str, ...]
    taller: tuple[str, ...]


class Construction(TableRow):
    """Ways to say one thing of regions that takes several phrases, with slots; `word`: of ranks and comparisons."""

    claim: Literal[
        "distance", "compared", "rank", "times", "each times", "count", "none", "found", "found none", "looked",
        "sole", "sole of all", "labelled", "level", "unmarked", "called", "by a factor", "shared",
    ]  # fmt: skip
    word: str = ""
    read: tuple[str, ...]


class VolumeWords(TableRow):
    """What stands around the figures of a volume, and the words there that claim nothing."""

    least: tuple[str, ...]
    about: tuple[str, ...]
    ml: tuple[str, ...]
    litres: tuple[str, ...]
    cross: tuple[str, ...]
    largest: tuple[str, ...]
    parts: tuple[str, ...]
    seen: tuple[str, ...]
    slices: tuple[str, ...]
    voxels: tuple[str, ...]
    marked: tuple[str, ...]
    found: tuple[str, ...]
    neutral: str


class ExpertWords(TableRow):
    """An expert, in words, and bounds of what it measures in a calibrated unit."""

    name: str
    say: tuple[str, ...]
    denied_below: float | None = Field(
        default=None, description="Maximum of the whole picture below which it may be told that there is none"
    )


class Neutral(TableRow):
    """Words that carry no claim."""

    words: str
    verbs: str = Field(description="Each stands for all its forms")
