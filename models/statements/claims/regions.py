"""Claims about regions, one by one: what they are, where they lie, how large they are and how they look."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from models.statements import measures
from models.statements.claims.base import OfRegions
from models.statements.facts import Facts, names_of
from models.statements.judgement import Judgement, otherwise, so, untold
from models.statements.rows import PLAIN, STANDS_OUT
from models.statements.table import table
from models.statements.tokens import PLACE_NOUNS
from schemas.regions import Region

_WIDER = {"small": ("tiny",), "large": ("most",)}
"""Words that are true of what a stronger one tells: what is tiny is small."""
BESIDE = 1.4
"""Ratio of areas from which a region is plainly large, or small, beside the others of its label."""
NEAR_A_SHARE = 1.2
"""By how much a share may lie beyond the bounds of its word: the words are of the eye, and so are their bounds."""


@dataclass(frozen=True, kw_only=True)
class Finding(OfRegions):
    """What a region is."""

    kind = "finding"
    name: str

    def _judge(self, facts: Facts) -> Judgement:
        if not self.regions and measures.looked_for(facts, self.name) is not None:
            return otherwise("an expert looked for that and found none")
        known = {name for names in facts.names.values() for name in names}

        def judge(region_id: str, region: Region) -> Judgement:
            pointer = f"/regions/{facts.index(region_id)}/label"
            if self.name in facts.names[region_id] or self._is_outlined_so(facts, region_id, region):
                return so(pointer)
            if (level := _level_told_by(self.name)) is not None:
                return Level(regions=(region_id,), scale=_scale_of(facts), direction=level).judge(facts)
            if self.name in known or facts.metadata.disease not in (None, self.name):
                return otherwise(f"region {region_id} is labelled {region.label}", pointer)
            return untold(f"region {region_id} is labelled {region.label}", pointer)

        return self._each(facts, judge)

    def _is_outlined_so(self, facts: Facts, region_id: str, region: Region) -> bool:
        """Whether the source outlines the organ that it is said to be the region of: 'the lung region'."""
        organ, _, noun = self.name.rpartition(" ")
        marked = region.kind == "source annotation" and table().bare(region.label) in table().organs
        return marked and noun in ("region", "area") and organ in facts.names[region_id]


def _level_told_by(name: str) -> str | None:
    """The level that is all a name tells, as that of 'a bright spot', which an optic disc is too; None of others."""
    first, _, noun = name.partition(" ")
    if noun not in PLACE_NOUNS:
        return None
    levels = {row.level for row in table().labels if row.level and name in names_of(row.label)}
    shown = table().shown
    told = {end for end, said in (("high", shown.high), ("low", shown.low)) if first in said}
    return next(iter(levels)) if len(levels) == 1 and (told or first.startswith(("hyper", "hypo"))) else None


def _scale_of(facts: Facts) -> str:
    return table().scale(facts.metadata.modality).scale


@dataclass(frozen=True, kw_only=True)
class Marked(OfRegions):
    """Who says that a region is there: "source", "expert", or one expert by its name.

    "candidate": an expert took it for a finding, which no structure is.
    """

    kind = "marked"
    by: str

    def _judge(self, facts: Facts) -> Judgement:
        if not self.regions and self.by == "source" and (pointers := _marks(facts)):
            return otherwise("the source marks other things", *pointers)
        nothing = not facts.metadata.annotations_left_out and not measures.regions_by(facts, "source", "")
        if not self.regions and self.by == "source" and nothing:
            return otherwise("the source marks nothing")
        return self._each(facts, lambda region_id, region: self._marked(facts, region_id, region))

    def _marked(self, facts: Facts, region_id: str, region: Region) -> Judgement:
        pointer = f"/regions/{facts.index(region_id)}/kind"
        who = "source" if region.kind == "source annotation" else "expert"
        if self.by in ("source", "expert"):
            by = "the source" if who == "source" else "an expert"
            return so(pointer) if who == self.by else otherwise(f"region {region_id} is marked by {by}", pointer)
        if self.by == "candidate":
            is_finding = who == "expert" and table().called(region.label).role == "finding"
            return so(pointer) if is_finding else otherwise(f"region {region_id} is no candidate", pointer)
        found = measures.found_by(facts, region_id, self.by)
        if found is None:
            return otherwise(f"another marked region {region_id}", pointer)
        return so(found)


def _marks(facts: Facts) -> tuple[str, ...]:
    """Where it stands what the source marks as findings, where no mark of it was left out."""
    if facts.metadata.annotations_left_out:
        return ()
    return tuple(
        f"/regions/{index}/label"
        for index, region in facts.regions.values()
        if region.kind == "source annotation" and table().called(region.label).role == "finding"
    )


@dataclass(frozen=True, kw_only=True)
class Parts(OfRegions):
    """That a region is of several parts which do not touch."""

    kind = "parts"

    def _judge(self, facts: Facts) -> Judgement:
        def judge(region_id: str, region: Region) -> Judgement:
            pointer = f"/regions/{facts.index(region_id)}/area_px"
            return (
                so(pointer) if measures.parts(region) > 1 else otherwise(f"region {region_id} is of one part", pointer)
            )

        return self._each(facts, judge)


@dataclass(frozen=True, kw_only=True)
class Place(OfRegions):
    """Where regions lie along one axis: at its low or high end, or in its middle.

    `frame`: "shown": in the image as displayed; "patient": on the patient's axes; else what it lies within.
    """

    kind = "place"
    axis: str
    end: str
    frame: str
    third: bool = field(default=False, compare=False)
    beside: str = field(default="", compare=False)
    """The other axis of a corner: what lies in the middle of both is in none."""

    def _judge(self, facts: Facts) -> Judgement:
        return self._each(
            facts,
            lambda region_id, region: measures.placed(
                facts, region_id, region, self.axis, self.end, self.frame, self.third, self.beside
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Size(OfRegions):
    """A length, area or statistic of regions, as it was said."""

    kind = "size"
    measure: str
    values: tuple[float, ...]
    unit: str
    bound: str = ""
    loose: bool = field(default=False, compare=False)
    decimals: int = field(default=0, compare=False)

    def _judge(self, facts: Facts) -> Judgement:
        said = measures.Said(self.values, self.unit, self.bound, self.loose, self.decimals)
        return self._each(facts, lambda region_id, region: measures.sized(facts, region_id, region, self.measure, said))


@dataclass(frozen=True, kw_only=True)
class Share(OfRegions):
    """The part of the whole that regions cover, in words of the table."""

    kind = "share"
    word: str
    of: str = ""

    def _judge(self, facts: Facts) -> Judgement:
        row = next(row for row in table().shares if row.word == self.word)
        order = [one.word for one in table().shares]

        def judge(region_id: str, region: Region) -> Judgement:
            share, pointer = measures.share_of(facts, region_id, region, self.of)
            if share is None:
                return untold("no share of that is told")
            if row.at_least <= share < row.below:
                return so(pointer)
            if row.at_least / NEAR_A_SHARE <= share < row.below * NEAR_A_SHARE:
                return so(pointer)
            true = next(one.word for one in table().shares if one.at_least <= share < one.below)
            if true in _WIDER.get(self.word, ()):
                return so(pointer)
            off = abs(order.index(true) - order.index(self.word))
            if off <= 2 and not self.of and _is_extreme(facts, region_id, most=self.word in ("large", "most")):
                return so(pointer)  # "The big area" is so beside the others.
            if off == 1:
                return untold("the share is near that, and not it", pointer)
            return otherwise("the share is another", pointer)

        return self._each(facts, judge)


def _is_extreme(facts: Facts, region_id: str, *, most: bool) -> bool:
    """Whether a region is the largest, or the smallest, of those of its label, plainly."""
    region = facts.region(region_id)
    others = [one.area_px for key, (_, one) in facts.regions.items() if one.label == region.label and key != region_id]
    if not others:
        return False
    return region.area_px > BESIDE * max(others) if most else BESIDE * region.area_px < min(others)


@dataclass(frozen=True, kw_only=True)
class Word(OfRegions):
    """A word for a measurement: shape, margin, outline, density, uptake, texture, size."""

    kind = "word"
    aspect: str
    word: str

    def _judge(self, facts: Facts) -> Judgement:
        return self._each(
            facts,
            lambda region_id, region: measures.worded(
                facts, region_id, region, self.aspect, self.word, denied=self.negated
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Level(OfRegions):
    """How bright, dense, echogenic or active regions are against their surroundings, or against another region.

    `scale`: of the table, or "shown": brightness as displayed.
    """

    kind = "level"
    scale: str
    direction: str
    degree: str = ""
    against: str = ""

    def _judge(self, facts: Facts) -> Judgement:
        if self.against:
            return self._each(
                facts,
                lambda region_id, region: measures.levels(facts, region_id, self.against, self.scale, self.direction),
            )
        return self._each(facts, self._contrast(facts))

    def judge(self, facts: Facts) -> Judgement:
        """Whether the facts bear it out; what hardly differs is neither brighter nor darker."""
        if self.negated and not self.against and self.direction != "alike":
            alike = replace(self, negated=False, direction="alike", degree="").judge(facts)
            if alike.truth:
                return alike
        return super().judge(facts)

    def _contrast(self, facts: Facts) -> Callable[[str, Region], Judgement]:
        def judge(region_id: str, region: Region) -> Judgement:
            pointer, value = measures.contrast_of(facts, region_id, region, self.scale)
            if value is None:
                return untold("no such contrast was measured")
            if self.direction == "alike":
                return (
                    so(pointer) if abs(value) < STANDS_OUT else otherwise("it differs from its surroundings", pointer)
                )
            signed = value if self.direction == "high" else -value
            if signed < 0:
                return otherwise(
                    f"it is {'lower' if self.direction == 'high' else 'higher'} than its surroundings", pointer
                )
            if self.degree == "slightly" and signed >= 2 * PLAIN:
                return untold("it stands out more than slightly", pointer)
            least = {"plainly": PLAIN, "more": 0.3}.get(self.degree, STANDS_OUT)
            if signed >= least:
                return so(pointer)
            return (
                otherwise("it is about as its surroundings", pointer)
                if signed < STANDS_OUT
                else untold("it stands out slightly", pointer)
            )

        return judge


@dataclass(frozen=True, kw_only=True)
class Gradient(OfRegions):
    """The end of a region, "upper" or "lower", at which it is shown brighter than at the other."""

    kind = "gradient"
    end: str

    def _judge(self, facts: Facts) -> Judgement:
        return self._each(facts, lambda region_id, region: measures.brighter_end(facts, region_id, region, self.end))


@dataclass(frozen=True, kw_only=True)
class Continues(OfRegions):
    """Whether a region goes on in the slices on one side; `way` is "" where none is said."""

    kind = "continuation"
    outcome: str
    way: str

    def _judge(self, facts: Facts) -> Judgement:
        return self._each(facts, lambda region_id, region: measures.continues(facts, region_id, self.outcome, self.way))
