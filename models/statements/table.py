"""The one table of what may be said, read and checked. Knows nothing of images or of sentences."""

import hashlib
import tomllib
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.images import Modality, Plane

TABLE = Path(__file__).with_suffix(".toml")
DIGEST = hashlib.sha256(TABLE.read_bytes()).hexdigest()
"""Part of what makes a triplet stale: another table says other words."""

Aspect = Literal["size", "shape", "margin", "outline", "density", "contrast", "uptake", "texture"]
Direction = Literal["high", "low", "alike"]
Role = Literal["finding", "structure", "tissue", "artefact"]
STANDS_OUT, PLAIN = 1.0, 3.0
"""Contrast-to-noise at which a region is called 'slightly' of another level, and plainly so; see the table."""
BY_DISPLAY: frozenset[str] = frozenset(
    {"dermoscopy", "fundus photography", "histopathology", "endoscopy", "microscopy"}
)
"""Modalities whose bare left and right are those of the display."""
_ROSE = "3: Rose, J Opt Soc Am 38, 1948; 1: stated here, one standard deviation of the surroundings"


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Worded(_Row):
    """A word of a closed list, and the phrases for it."""

    word: str
    say: tuple[str, ...] = ()
    read: tuple[str, ...] = ()


class ImageKind(Worded):
    """A modality: what its images are called."""

    word: Modality  # pyright: ignore[reportIncompatibleVariableOverride] - a narrower type
    slices: tuple[str, ...] = Field(default=(), description="What an image with a plane is called")
    also: tuple[Modality, ...] = Field(default=(), description="Modalities that it may be called beside its own")
    organs: tuple[str, ...] = Field(default=(), description="What such an image always shows")


class ImagePlane(Worded):
    """A plane."""

    word: Plane  # pyright: ignore[reportIncompatibleVariableOverride] - a narrower type
    clause: tuple[str, ...] = Field(default=(), description="Said behind what the image is called")


class ImageView(Worded):
    """A radiographic view, by its defined term."""

    also: tuple[str, ...] = Field(default=(), description="Coarser words that are true of it too")
    clause: tuple[str, ...] = Field(default=(), description="Said behind what the image is called")


class Agent(_Row):
    """Whether a contrast agent was given."""

    given: bool
    say: tuple[str, ...]
    clause: tuple[str, ...]
    read: tuple[str, ...]


class Called(_Row):
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
    not_beside: tuple[str, ...] = Field(
        default=(), description="Structures beside which it is not told: there it says no more than they do"
    )


class Row(_Row):
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


class Scale(_Row):
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


class Shown(_Row):
    """Words for brightness as displayed."""

    measure: str
    high: tuple[str, ...]
    low: tuple[str, ...]
    alike: tuple[str, ...]


class Degrees(_Row):
    """Words for how much."""

    slightly: tuple[str, ...]
    plainly: tuple[str, ...]


class ShareWord(_Row):
    """A share of the whole, percent, in words."""

    word: str
    at_least: float = 0.0
    below: float = 100.01
    say: tuple[str, ...]
    adjectives: tuple[str, ...] = ()
    read: tuple[str, ...] = ()


class AxisWords(_Row):
    """Words for the two ends of an axis, named by where it grows."""

    axis: Literal["patient left", "posterior", "feet", "lateral", "image right", "image down"]
    low: tuple[str, ...]
    high: tuple[str, ...]
    read_low: tuple[str, ...] = Field(default=(), description="Only understood; a word of two axes stands in both")
    read_high: tuple[str, ...] = ()


class Placing(_Row):
    """Words about places."""

    middle: tuple[str, ...]
    midline: tuple[str, ...] = Field(description="Where left and right of the patient meet")
    shown: tuple[str, ...] = Field(description="What is meant by the image as displayed")
    parts: tuple[str, ...]


class RelationWords(_Row):
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


class RatioWords(_Row):
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


class Construction(_Row):
    """Ways to say one thing of regions that takes several phrases, with slots; `word`: of ranks and comparisons."""

    claim: Literal["distance", "compared", "rank", "times", "each times", "alone", "count", "none"]
    word: str = ""
    read: tuple[str, ...]


class ExpertWords(_Row):
    """An expert, in words."""

    name: str
    say: tuple[str, ...]


class Record(_Row):
    """How often regions that an expert told were right, on real pictures; without figures: never measured."""

    expert: str = Field(description="Name without its version")
    label: str = Field(default="", description="Of its regions")
    regions: int = Field(default=0, ge=0, description="That it told")
    right: int = Field(default=0, ge=0, description="Of these, as readers' outlines have it")
    least: float | None = Field(default=None, description="Maximum, in a calibrated unit, from which regions are told")
    denied_below: float | None = Field(
        default=None,
        description="Maximum of the whole picture, in that unit, below which it may be told that there is none",
    )

    @property
    def sure(self) -> float:
        """The share of right ones that is sure: the lower end of Wilson's 95 % interval; 0 of none."""
        n, z = self.regions, 1.96
        if not n:
            return 0.0
        share = self.right / n
        return (share + z * z / (2 * n) - z * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5) / (1 + z * z / n)


class Neutral(_Row):
    """Words that carry no claim."""

    words: str
    verbs: str = Field(description="Each stands for all its forms")


class Table(_Row):
    """All of it."""

    organs: dict[str, tuple[str, ...]]
    wider: dict[str, tuple[str, ...]]
    modalities: tuple[ImageKind, ...]
    planes: tuple[ImagePlane, ...]
    views: tuple[ImageView, ...]
    agents: tuple[Agent, ...]
    labels: tuple[Called, ...]
    terms: tuple[Row, ...]
    scales: tuple[Scale, ...]
    shown: Shown
    degrees: Degrees
    shares: tuple[ShareWord, ...]
    places: tuple[AxisWords, ...]
    placing: Placing
    relations: tuple[RelationWords, ...]
    outcomes: tuple[Worded, ...]
    ways: tuple[Worded, ...]
    parts: tuple[Worded, ...]
    experts: tuple[ExpertWords, ...]
    records: tuple[Record, ...]
    spreads: tuple[Worded, ...]
    ranks: tuple[RankWord, ...]
    measures: tuple[Worded, ...]
    ratios: RatioWords
    constructions: tuple[Construction, ...]
    units: dict[str, tuple[str, ...]]
    neutral: Neutral
    localizers: tuple[str, ...]
    marks: tuple[str, ...]
    sources: tuple[str, ...]
    around: tuple[str, ...]
    negations: tuple[str, ...]
    denials: tuple[str, ...]
    absent: tuple[str, ...]
    untrue: tuple[str, ...]

    @cached_property
    def by_label(self) -> dict[str, Called]:
        """What regions are called, by label."""
        return {row.label: row for row in self.labels}

    def record(self, expert: str, label: str) -> Record | None:
        """What an expert's regions of a label were worth, by its name with or without version; None: not ours."""
        mine = [one for one in self.records if one.expert == expert.split("@")[0]]
        return next((one for one in mine if one.label == label), Record(expert=expert)) if mine else None

    def rows(self) -> tuple[Row, ...]:
        """Words for measurements, in order."""
        return (*self.terms, *(row for scale in self.scales for row in scale.rows()))

    def called(self, label: str) -> Called:
        """What regions of a label are called; a label without a row by its own name."""
        bare = self.bare(label)
        return (
            self.by_label.get(label)
            or self.by_label.get(bare)
            or Called(label=label, role="finding", rank=8, say=(label,), searches=label)
        )

    def bare(self, label: str) -> str:
        """A label without its side and organ: 'left kidney cyst' → 'cyst'; an organ alone stays."""
        for side in ("left ", "right "):
            label = label.removeprefix(side)
        if not label.startswith(self._organs_ahead):
            return label
        return label.removeprefix(next(organ for organ in self._organs_ahead if label.startswith(organ)))

    @cached_property
    def _organs_ahead(self) -> tuple[str, ...]:
        return tuple(f"{organ} " for organ in self.organs)

    def scale(self, modality: Modality) -> Scale:
        """The words for levels in a modality."""
        return next(scale for scale in self.scales if modality in scale.modalities)

    def modality(self, word: Modality) -> ImageKind:
        """The row of a modality."""
        return next(row for row in self.modalities if row.word == word)


@lru_cache(maxsize=1)
def table() -> Table:
    """The table."""
    return Table.model_validate(tomllib.loads(TABLE.read_text(encoding="utf-8")))
