"""Typed claims: what a sentence can say of an image, each held against the facts. Knows nothing of words for them.

A claim of regions names them by id; where a name in a sentence fits several, `every` says whether it is said of all of
them or of one. `negated` turns it round.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from models.statements import measures
from models.statements.facts import Facts
from models.statements.judgement import Judgement, otherwise, so, untold
from models.statements.table import PLAIN, STANDS_OUT, table
from models.vocabulary import TERMS
from schemas.regions import Region

# One of a place of its own rules out another one; "cancer" or a finding may be there beside what the source says.
_DISEASES = frozenset(
    {"healthy", *(term.name for term in TERMS.values() if term.kind == "disease" and term.structure is not None)}
)
LIES_IN: dict[str, tuple[str, ...]] = {
    "chest": ("lung", "heart", "breast", "aorta", "oesophagus", "spine"),
    "abdomen": ("liver", "gallbladder", "pancreas", "spleen", "kidney", "stomach", "colon", "bowel", "aorta", "spine"),
    "pelvis": ("bladder", "prostate", "uterus", "ovary", "colon", "hip", "spine"),
    "head": ("brain", "skull", "eye", "retina", "teeth", "sinus", "ear"),
    "neck": ("thyroid", "spine", "oesophagus"),
    "eye": ("retina",), "skull": ("brain", "teeth", "sinus", "ear"),
    "arm": ("shoulder", "elbow", "forearm", "wrist", "hand"), "leg": ("hip", "knee", "ankle", "foot"),
    "extremity": ("arm", "leg", "shoulder", "elbow", "forearm", "wrist", "hand", "hip", "knee", "ankle", "foot"),
}  # fmt: skip
"""An organ lies in these parts of the body: to name one of them instead is true, the reverse is not known."""

NEAR_A_SHARE = 1.2
"""By how much a share may lie beyond the bounds of its word: the words are of the eye, and so are their bounds."""
EVERYWHERE = {"lymph node", "skin", "aorta", "spine", "blood", "skeleton"}
"""Parts that no organ's image excludes."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One thing said."""

    kind: ClassVar[str]
    negated: bool = False

    def judge(self, facts: Facts) -> Judgement:
        """Whether the facts bear it out."""
        found = self._judge(facts)
        return found.denied(f"it denies what is so: {self.kind}") if self.negated else found

    def _judge(self, facts: Facts) -> Judgement:
        raise NotImplementedError

    def turned(self) -> Self:
        """The same, with the other polarity."""
        return replace(self, negated=not self.negated)


@dataclass(frozen=True, kw_only=True)
class OfRegions(Claim):
    """One thing said of regions."""

    regions: tuple[str, ...]
    every: bool = False

    def _each(self, facts: Facts, judge: Callable[[str, Region], Judgement]) -> Judgement:
        missing = [one for one in self.regions if one not in facts.regions]
        if missing:
            return otherwise(f"there is no region {missing[0]}")
        if not self.regions:
            return untold("it speaks of what nothing outlines")
        found = [judge(one, facts.region(one)) for one in self.regions]
        wanted = not self.every
        decided = next((one for one in found if one.truth is wanted), None)
        return decided or next((one for one in found if one.truth is None), found[0])


@dataclass(frozen=True, kw_only=True)
class Modality(Claim):
    """The kind of image."""

    kind = "modality"
    word: str

    def _judge(self, facts: Facts) -> Judgement:
        found = facts.metadata.modality
        if self.word == found or self.word in table().modality(found).also:
            return so("/metadata/modality")
        if found in ("unknown", "other"):
            return untold("the source does not tell the modality", "/metadata/modality")
        return otherwise(f"the modality is {found}", "/metadata/modality")


@dataclass(frozen=True, kw_only=True)
class Plane(Claim):
    """The plane of a slice."""

    kind = "plane"
    word: str

    def _judge(self, facts: Facts) -> Judgement:
        found = facts.metadata.plane
        if found is None:
            return untold("the source does not tell the plane")
        return so("/metadata/plane") if found == self.word else otherwise(f"the plane is {found}", "/metadata/plane")


@dataclass(frozen=True, kw_only=True)
class View(Claim):
    """A radiographic view."""

    kind = "view"
    word: str

    def _judge(self, facts: Facts) -> Judgement:
        found = facts.metadata.view
        row = next((row for row in table().views if row.word == found), None)
        if found is None or row is None:
            return untold("the source does not tell the view")
        if found == self.word or self.word in row.also or (self.word == "LAT" and "lateral" in row.also):
            return so("/metadata/view")
        return otherwise(f"the view is {row.say[0]}", "/metadata/view")


@dataclass(frozen=True, kw_only=True)
class ContrastAgent(Claim):
    """Whether a contrast agent was given."""

    kind = "contrast agent"
    given: bool

    def _judge(self, facts: Facts) -> Judgement:
        found = facts.metadata.contrast_agent
        if found is None:
            return untold("the source does not tell that about a contrast agent")
        if found == self.given:
            return so("/metadata/contrast_agent")
        return otherwise("the source says otherwise about a contrast agent", "/metadata/contrast_agent")


@dataclass(frozen=True, kw_only=True)
class Structure(Claim):
    """An organ or body part that the image shows, and its side.

    `beside`: it is named as what lies around a region, which is held less strictly.
    """

    kind = "structure"
    organ: str
    side: str | None = None
    beside: bool = field(default=False, compare=False)

    def _judge(self, facts: Facts) -> Judgement:
        shown = self._shown(facts)
        if shown.truth is not True or self.side is None:
            return shown
        found = facts.metadata.laterality
        if found is None:
            return untold("the source does not tell the side")
        if found == self.side:
            return so(*shown.pointers, "/metadata/laterality")
        if "both" in (found, self.side):
            return untold(f"the source says {found}", "/metadata/laterality")
        return otherwise(f"the source says {found}", "/metadata/laterality")

    def _shown(self, facts: Facts) -> Judgement:
        metadata, said = facts.metadata, self.organ
        if said == metadata.organ or (metadata.organ is not None and metadata.organ in LIES_IN.get(said, ())):
            return so("/metadata/organ")
        for region_id, (index, region) in facts.regions.items():
            row = table().called(region.label)
            within = region.place.within.removesuffix("s") if region.place else ""
            if said in facts.names[region_id] or said in row.organs or said == within:
                return so(f"/regions/{index}/label")
        if said in table().modality(metadata.modality).organs:
            return so("/metadata/modality")
        if metadata.organ is None:
            return untold("the source names no organ")
        if (
            self.beside
            or said in EVERYWHERE
            or metadata.organ == "whole body"
            or said in LIES_IN.get(metadata.organ, ())
        ):
            return untold(f"the source says {metadata.organ} only", "/metadata/organ")
        return otherwise(f"the source says {metadata.organ}", "/metadata/organ")


@dataclass(frozen=True, kw_only=True)
class Finding(OfRegions):
    """What a region is."""

    kind = "finding"
    name: str

    def _judge(self, facts: Facts) -> Judgement:
        known = {name for names in facts.names.values() for name in names}

        def judge(region_id: str, region: Region) -> Judgement:
            pointer = f"/regions/{facts.index(region_id)}/label"
            if self.name in facts.names[region_id]:
                return so(pointer)
            if self.name in known or facts.metadata.disease not in (None, self.name):
                return otherwise(f"region {region_id} is labelled {region.label}", pointer)
            return untold(f"region {region_id} is labelled {region.label}", pointer)

        return self._each(facts, judge)


@dataclass(frozen=True, kw_only=True)
class Marked(OfRegions):
    """Who says that a region is there: the source, or an expert."""

    kind = "marked"
    by: str

    def _judge(self, facts: Facts) -> Judgement:
        def judge(region_id: str, region: Region) -> Judgement:
            pointer = f"/regions/{facts.index(region_id)}/kind"
            who = "source" if region.kind == "source annotation" else "expert"
            return so(pointer) if who == self.by else otherwise(f"region {region_id} is marked by an {who}", pointer)

        return self._each(facts, judge)


@dataclass(frozen=True, kw_only=True)
class Disease(Claim):
    """What the source says that the image shows."""

    kind = "disease"
    name: str

    def _judge(self, facts: Facts) -> Judgement:
        found = facts.metadata.disease
        if found is not None and self.name in (found, *table().wider.get(found, ())):
            return so("/metadata/disease")
        labels = {region.label for _, region in facts.regions.values()} & _DISEASES
        if found is None and not labels:
            if self.name == "healthy" and any(
                table().called(region.label).role == "finding" and region.kind == "source annotation"
                for _, region in facts.regions.values()
            ):
                return otherwise("the source marks a finding")
            return untold("the source names no such disease")
        if self.name not in _DISEASES:
            return untold("the source does not name it")
        return otherwise(f"the source says {found or min(labels)}", "/metadata/disease" if found else "")


@dataclass(frozen=True, kw_only=True)
class Absence(Claim):
    """That nothing called so is there."""

    kind = "absence"
    name: str

    def _judge(self, facts: Facts) -> Judgement:
        there = facts.named(self.name)
        if there:
            region_id = there[0]
            return otherwise(f"region {region_id} is one", f"/regions/{facts.index(region_id)}/label")
        looked = measures.looked_for(facts, self.name)
        if looked is None:
            return untold("nobody looked for that")
        return so(f"/experts/{looked}/outcome")


@dataclass(frozen=True, kw_only=True)
class Count(Claim):
    """How many regions are called so; `n` is None for several."""

    kind = "count"
    name: str
    n: int | None

    def _judge(self, facts: Facts) -> Judgement:
        there = facts.named(self.name) if self.name else tuple(facts.regions)
        pointers = tuple(f"/regions/{facts.index(one)}/label" for one in there)
        if not there and self.n != 0:
            return untold("nothing is called so")
        fits = len(there) >= 2 if self.n is None else len(there) == self.n
        if not fits and self.name and self.n is not None and self.n > 1:
            # "Three lesions" may count what has several labels that the word fits.
            fits = sum(self.name in names for names in facts.names.values()) == self.n
        return so(*pointers) if fits else otherwise(f"there are {len(there)} so called", *pointers)


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

    def _judge(self, facts: Facts) -> Judgement:
        return self._each(
            facts,
            lambda region_id, region: measures.placed(
                facts, region_id, region, self.axis, self.end, self.frame, self.third
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
        return self._each(facts, lambda region_id, region: measures.sized(facts, region_id, region, self))


@dataclass(frozen=True, kw_only=True)
class ImageNumber(Claim):
    """A number of the image: slice thickness, spacing, field strength."""

    kind = "image number"
    measure: str
    value: float
    unit: str
    loose: bool = field(default=False, compare=False)
    decimals: int = field(default=0, compare=False)

    def _judge(self, facts: Facts) -> Judgement:
        return measures.of_image(facts, self.measure, self.value, self.unit, self.loose, self.decimals)


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
            if abs(order.index(true) - order.index(self.word)) == 1:
                return untold("the share is near that, and not it", pointer)
            return otherwise("the share is another", pointer)

        return self._each(facts, judge)


@dataclass(frozen=True, kw_only=True)
class Word(OfRegions):
    """A word for a measurement: shape, margin, outline, density, uptake, texture, size."""

    kind = "word"
    aspect: str
    word: str

    def _judge(self, facts: Facts) -> Judgement:
        return self._each(
            facts, lambda region_id, region: measures.worded(facts, region_id, region, self.aspect, self.word)
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
class Relation(OfRegions):
    """How regions lie to another, or compare with it."""

    kind = "relation"
    predicate: str
    object: str

    def _judge(self, facts: Facts) -> Judgement:
        if self.object not in facts.regions:
            return otherwise(f"there is no region {self.object}")
        return self._each(
            facts, lambda region_id, region: measures.related(facts, region_id, self.predicate, self.object)
        )


@dataclass(frozen=True, kw_only=True)
class Rank(OfRegions):
    """That a region is the brightest, darkest, largest or smallest of those outlined."""

    kind = "rank"
    word: str

    def _judge(self, facts: Facts) -> Judgement:
        return self._each(facts, lambda region_id, region: measures.ranked(facts, region_id, self.word))


@dataclass(frozen=True, kw_only=True)
class Spread(Claim):
    """How the regions called so are spread."""

    kind = "spread"
    name: str
    word: str

    def _judge(self, facts: Facts) -> Judgement:
        return measures.spread(facts, self.name, self.word)


@dataclass(frozen=True, kw_only=True)
class Sides(Claim):
    """That regions called so, or all, lie on both sides of the patient."""

    kind = "sides"
    name: str

    def _judge(self, facts: Facts) -> Judgement:
        return measures.both_sides(facts, self.name)


@dataclass(frozen=True, kw_only=True)
class Continues(OfRegions):
    """Whether a region goes on in the slices on one side; `way` is "" where none is said."""

    kind = "continuation"
    outcome: str
    way: str

    def _judge(self, facts: Facts) -> Judgement:
        return self._each(facts, lambda region_id, region: measures.continues(facts, region_id, self.outcome, self.way))


@dataclass(frozen=True, kw_only=True)
class Localizer(Claim):
    """That the image is a localizer, from which slices were planned."""

    kind = "localizer"

    def _judge(self, facts: Facts) -> Judgement:
        if facts.metadata.localizer:
            return so("/metadata/localizer")
        return untold("the source does not tell that it is a localizer")


@dataclass(frozen=True, kw_only=True)
class Quotation(Claim):
    """Words of a passage."""

    kind = "quotation"
    text: str

    def _judge(self, facts: Facts) -> Judgement:
        said = self.text.strip().rstrip(".")
        for index, passage in enumerate(facts.passages):
            if said and (said in passage.title or said in passage.text):
                return so(f"/passages/{index}/passage_id")
        return untold("it quotes what stands in no passage")
