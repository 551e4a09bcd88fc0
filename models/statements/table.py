"""The one table of what may be said, read and checked. Knows nothing of images or of sentences."""

import hashlib
import tomllib
from functools import cached_property, lru_cache
from pathlib import Path

from models.statements.rows import (
    Agent,
    AxisWords,
    Called,
    Construction,
    CrowdingWords,
    Degrees,
    ExpertWords,
    ImageKind,
    ImagePlane,
    ImageView,
    ImageWeighting,
    Neutral,
    Placing,
    RankWord,
    RatioWords,
    RelationWords,
    Row,
    Scale,
    ShareWord,
    Shown,
    TableRow,
    VolumeWords,
    Worded,
)
from models.statements.tokens import inflected
from schemas.images import Modality
from schemas.regions import expert_name

TABLE = Path(__file__).with_suffix(".toml")
DIGEST = hashlib.sha256(TABLE.read_bytes()).hexdigest()
"""Part of what makes a triplet stale: another table says other words."""


class Table(TableRow):
    """All of it."""

    organs: dict[str, tuple[str, ...]]
    wider: dict[str, tuple[str, ...]]
    modalities: tuple[ImageKind, ...]
    planes: tuple[ImagePlane, ...]
    weightings: tuple[ImageWeighting, ...]
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
    spreads: tuple[Worded, ...]
    crowdings: tuple[CrowdingWords, ...]
    gradients: tuple[Worded, ...]
    ranks: tuple[RankWord, ...]
    measures: tuple[Worded, ...]
    ratios: RatioWords
    constructions: tuple[Construction, ...]
    volumes: VolumeWords
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
    acts: tuple[str, ...]
    proposed: tuple[str, ...]
    seeks: tuple[str, ...]

    @cached_property
    def acting(self) -> frozenset[str]:
        """Verbs for what experts do, in all their forms."""
        return frozenset(form for verb in (*self.acts, *self.seeks) for form in inflected(verb.split(" ")[0]))

    @cached_property
    def by_label(self) -> dict[str, Called]:
        """What regions are called, by label."""
        return {row.label: row for row in self.labels}

    def expert(self, name: str) -> ExpertWords | None:
        """The row of an expert, by its name with or without version; None: it has none."""
        return next((one for one in self.experts if one.name == expert_name(name)), None)

    def term(self, aspect: str, word: str | None) -> Row | None:
        """The row of a word for a shape, a margin and the like; None: there is none."""
        return next((row for row in self.terms if row.aspect == aspect and row.word == word), None)

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
