"""Claims about the whole image: what the source tells of it, and passages quoted beside it."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from models.statements import measures
from models.statements.claims.base import Claim
from models.statements.facts import Facts
from models.statements.judgement import Judgement, otherwise, so, untold
from models.statements.rows import ImageView
from models.statements.table import table
from models.statements.tokens import words
from models.vocabulary import TERMS

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

EVERYWHERE = {"lymph node", "skin", "aorta", "spine", "blood", "skeleton"}
"""Parts that no organ's image excludes."""


@dataclass(frozen=True, kw_only=True)
class OfField(Claim):
    """What the source tells in one field of the metadata: another value denies it, none leaves it open."""

    told_in: ClassVar[str]

    def _judge(self, facts: Facts) -> Judgement:
        found = getattr(facts.metadata, self.told_in)
        pointers = (f"/metadata/{self.told_in}",) if found is not None else ()
        if found is not None and self._fits(found):
            return so(*pointers)
        told = self._told(found) if found is not None else None
        if told is None:
            return untold(f"the source does not tell {self._asked()}", *pointers)
        return otherwise(told, *pointers)

    def _fits(self, found: Any) -> bool:
        """Whether it says what the field holds."""
        raise NotImplementedError

    def _told(self, found: Any) -> str | None:
        """What the field says instead; None where that says nothing."""
        return f"the {self.kind} is {found}"

    def _asked(self) -> str:
        return f"the {self.kind}"


@dataclass(frozen=True, kw_only=True)
class Modality(OfField):
    """The kind of image."""

    kind = told_in = "modality"
    word: str

    def _fits(self, found: Any) -> bool:
        return self.word == found or self.word in table().modality(found).also

    def _told(self, found: Any) -> str | None:
        return None if found in ("unknown", "other") else super()._told(found)


_ENDOSCOPIES = {"colonoscop": ("colon", "bowel"), "gastroscop": ("stomach", "oesophagus", "bowel"), "bronchoscop": ()}
"""What each kind of endoscopy looks at, of the organs that a source names; airways are none of them."""


@dataclass(frozen=True, kw_only=True)
class Endoscopy(Claim):
    """That an endoscopy is one of a kind, by the beginning of its name: another where the organ is another."""

    kind = "kind of endoscopy"
    name: str

    def _judge(self, facts: Facts) -> Judgement:
        organ, seen = facts.metadata.organ, Modality(word="endoscopy").judge(facts)
        if organ is None or seen.truth is not True:
            return untold("the source does not tell the kind of endoscopy") if seen.truth else seen
        if organ in _ENDOSCOPIES[self.name]:
            return so("/metadata/modality", "/metadata/organ")
        inside = any(organ in organs for organs in _ENDOSCOPIES.values())
        return otherwise(f"the source says {organ}", "/metadata/organ") if inside else untold("that may be of it")


def endoscopy(words_of: str) -> Endoscopy | None:
    """The kind of endoscopy that words tell; None for none."""
    return next((Endoscopy(name=one) for one in _ENDOSCOPIES if words_of.startswith(one)), None)


@dataclass(frozen=True, kw_only=True)
class Plane(OfField):
    """The plane of a slice."""

    kind = told_in = "plane"
    word: str

    def _fits(self, found: Any) -> bool:
        return self.word == found


@dataclass(frozen=True, kw_only=True)
class Weighting(OfField):
    """What an MR image is weighted for."""

    kind = told_in = "weighting"
    word: str

    def _fits(self, found: Any) -> bool:
        # Fluid attenuation is an inversion before a T2-weighted readout.
        return self.word == found or (self.word, found) == ("T2-weighted", "FLAIR")

    def _told(self, found: Any) -> str | None:
        # Fluid attenuation and diffusion weighting are put before a readout that is mostly T2-weighted too.
        return None if "T1-weighted" not in (self.word, found) else super()._told(found)


@dataclass(frozen=True, kw_only=True)
class View(OfField):
    """A radiographic view."""

    kind = told_in = "view"
    word: str

    def _judge(self, facts: Facts) -> Judgement:
        row = _view(self.word)
        frontal = measures.lungs_apart(facts) if facts.metadata.view is None else ()
        if row is None or not frontal:
            return super()._judge(facts)
        if self.word == "frontal":
            return so(*frontal)
        return otherwise("two lungs lie side by side", *frontal) if "lateral" in row.also else super()._judge(facts)

    def _fits(self, found: Any) -> bool:
        row = _view(found)
        return row is not None and (self.word in (found, *row.also) or (self.word == "LAT" and "lateral" in row.also))

    def _told(self, found: Any) -> str | None:
        row = _view(found)
        return super()._told(row.say[0]) if row is not None else None


def _view(word: str) -> ImageView | None:
    return next((row for row in table().views if row.word == word), None)


@dataclass(frozen=True, kw_only=True)
class ContrastAgent(OfField):
    """Whether a contrast agent was given."""

    kind = "contrast agent"
    told_in = "contrast_agent"
    given: bool

    def _fits(self, found: Any) -> bool:
        return self.given == found

    def _told(self, found: Any) -> str | None:
        return "the source says otherwise about a contrast agent"

    def _asked(self) -> str:
        return "that about a contrast agent"


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
        if facts.metadata.sides_contradict:
            return untold("what the source says of left and right contradicts itself", "/metadata/sides_contradict")
        if found is None:
            return untold("the source does not tell the side")
        if found == self.side:
            return so(*shown.pointers, "/metadata/laterality")
        if "both" in (found, self.side):
            return untold(f"the source says {found}", "/metadata/laterality")
        return otherwise(f"the source says {found}", "/metadata/laterality")

    def is_near(self, facts: Facts) -> bool:
        """Whether it lies in one part of the body with the organ that the source names, and so may be seen too."""
        shown = facts.metadata.organ
        return self.organ != shown and any({self.organ, shown} <= set(organs) for organs in LIES_IN.values())

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
        if self.name not in _DISEASES or found in table().wider.get(self.name, ()) or _is_kind_of(self.name, found):
            return untold("the source does not say so much")
        return otherwise(f"the source says {found or min(labels)}", "/metadata/disease" if found else "")


def _is_kind_of(name: str, found: str | None) -> bool:
    """Whether a name is that of a kind of what was found: 'low-grade glioma' of 'glioma'."""
    return found is not None and set(words(found)) < set(words(name))


@dataclass(frozen=True, kw_only=True)
class ImageNumber(Claim):
    """A number of the image: slice thickness, spacing, field strength."""

    kind = "image number"
    measure: str
    value: float
    unit: str
    bound: str = ""
    loose: bool = field(default=False, compare=False)
    decimals: int = field(default=0, compare=False)

    def _judge(self, facts: Facts) -> Judgement:
        said = measures.Said((self.value,), self.unit, self.bound, self.loose, self.decimals)
        return measures.of_image(facts, self.measure, said)


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
