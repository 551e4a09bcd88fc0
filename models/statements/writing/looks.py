"""What a region looks like, facet by facet, each in the forms that a sentence can hold: before the noun, behind it."""

from dataclasses import dataclass

from models.statements import claims as c
from models.statements.facts import Facts
from models.statements.lexicon import lexicon
from models.statements.measures import box_aspect, contrast_of, covered, parts, share_of
from models.statements.rows import PLAIN, STANDS_OUT, Scale
from models.statements.table import table
from models.statements.tokens import words
from models.statements.voice import Voice
from models.statements.writing.images import whole
from models.statements.writing.names import Name, is_scattered
from models.statements.writing.places import WITHIN
from models.statements.writing.text import Piece
from schemas.regions import Region

HALF = 0.5
"""Part of an outline that lies in another, from which it is of the same thing."""
HARDLY = 0.6
"""Contrast-to-noise from which a region is called darker where an expert has found its place dark too."""
SMALL = 20.0
"""mm from which what a label calls small is not long: it is small in area, and to give its length contradicts that."""
FACETS = (
    "share", "size", "shape", "margin", "outline", "level", "texture", "density", "parts", "ratio", "mean",
)  # fmt: skip
FURTHER = ("upright",)
"""Facets that are told where little else is known."""
SURROUNDINGS = (
    "{its|its immediate} surroundings",
    "the tissue {around|surrounding} it",
    "the {surrounding|adjacent|neighbouring|nearby} {tissue|tissues}",
    "the {surroundings|background}",
    "its {background|environment|vicinity}",
    "{adjacent|surrounding|neighbouring|nearby} {tissue|tissues}",
    "the {surrounding|adjacent} area",
    "the area {around|surrounding|next to} it",
    "what surrounds it",
    "the tissue {that surrounds|just outside|next to|beside} it",
)
_OF_CELLS = (
    "{its|its immediate} surroundings", "the {surroundings|background}", "its {background|environment|vicinity}",
    "what surrounds it",
)  # fmt: skip
"""In a culture there is no tissue."""
_OF_ORGAN = ("the surrounding {}", "the adjacent {}", "the {} around it", "surrounding {}", "the {} surrounding it")
"""With the organ that the image shows, where this is what lies around."""
_AROUND = {"brain", "liver", "skin", "breast", "lung", "retina", "kidney", "prostate", "thyroid"}
_MUCH = ("markedly", "clearly", "much", "considerably", "distinctly", "substantially")
_PLAINLY = ("markedly", "strongly", "clearly", "distinctly", "plainly")
"""Before a comparative, and before a word that is none: nothing is "strongly brighter", nor "much hyperdense"."""
_SIZES = (
    ("about {} {} across", "across"),
    ("some {} {} long", "longest"),
    ("roughly {} {} in length", "longest"),
    ("about {} {} in its longest dimension", "longest"),
    ("approximately {} {} in diameter", "across"),
    ("around {} {} in extent", "across"),
    ("about {} {} in size", "across"),
    ("some {} {} across", "across"),
    ("roughly {} {} along its longest axis", "longest"),
)


_LENGTHS = {
    "across": ("a diameter of about {} {}", "a diameter of some {} {}", "a diameter of roughly {} {}"),
    "longest": ("a length of about {} {}", "a long axis of some {} {}", "a longest dimension of about {} {}"),
}
_TIMES: dict[float, tuple[str, ...]] = {
    2.0: ("twice", "two times"), 2.5: ("two and a half times", "2.5 times"),
    3.0: ("three times",), 4.0: ("four times",),
}  # fmt: skip
NEAR_A_TIME = 0.1
"""How far a ratio may lie from the number that is said of it."""
_PEAKS = (
    "{a maximum|a peak|a maximal} SUV of {about|roughly|some} <v>", "an SUVmax of {about|roughly|some} <v>",
    "a {maximum|peak} SUV near <v>",
)  # fmt: skip
_UPRIGHT = {
    "wider": (
        "wider than tall", "broader than tall", "wider than it is tall", "broader than it is tall",
        "broader than high", "wider than high", "wider than it is high",
    ),
    "taller": (
        "taller than wide", "taller than broad", "taller than it is wide", "taller than it is broad",
        "higher than wide", "higher than it is wide", "higher than broad",
    ),
}  # fmt: skip
"""How a finding stands in the picture: of a mass in a sonogram, BI-RADS' orientation."""
SOLID = 0.7
"""Part of its convex hull that a region must fill for its box to tell how it stands: specks and arms stretch a box."""
PLAINLY_UPRIGHT = 1.25
"""How many times as wide as tall, or as tall as wide, is plain to the eye."""
_ITSELF = (
    "as long as wide", "as long as broad", "as long as it is wide", "as long as it is broad",
    "its {own|} width in length",
)  # fmt: skip
COVERS = (("covers", "covering"), ("occupies", "occupying"), ("takes up", "taking up"), ("fills", "filling"))
"""Verbs of a share of what one lies in, and their participles."""
_COVERS = (
    *COVERS,
    ("makes up", "making up"), ("accounts for", "accounting for"),
    ("amounts to", "amounting to"), ("constitutes", "constituting"),
)  # fmt: skip

TELLING = 20.0
"""Percent of what it lies in from which it is told what part a region covers."""
_SHADED: frozenset[str] = frozenset({"dermoscopy", "endoscopy"})
"""Modalities whose brightness and edges are the lamp's too: how sharp a drawn outline is there says nothing."""
LIT = 2.0
"""Contrast-to-noise from which it is told there that something is lighter or darker: more than folds and lamp make."""
_BLURRED: frozenset[str] = frozenset({"PET", "nuclear medicine"})
"""Modalities whose every edge is as blurred as the scanner makes it."""
SEEN, GLARING = 0.3, 1.0
"""Difference from its surroundings, in standard deviations of the whole picture, at which a region is seen to be
brighter or darker, and plainly so: beside noise alone a glaring mass among varied tissue would count as faint."""
_EXTENDS = (("spans", "spanning"), ("extends over", "extending over"), ("stretches over", "stretching over"))
_OF_SIZE = ("small", "large")
"""Words that may stand before 'in size': what is sizeable is so without it."""


@dataclass(frozen=True, slots=True)
class Facet:
    """One thing that a region looks like. Forms that it does not have are "".

    `adjective` stands before the noun; `is_` behind 'is'; `has` behind 'has' and 'with'; `does` is a verb with what
    follows it; `against` stands behind 'is' where what it is compared with, `than`, is told elsewhere.
    """

    kind: str
    claims: tuple[c.Claim, ...]
    adjective: str = ""
    is_: str = ""
    has: str = ""
    does: str = ""
    doing: str = ""
    against: str = ""
    than: str = ""


def facet(facts: Facts, region: Region, kind: str, voice: Voice, name: Name) -> Facet | None:
    """A facet of a region in one wording of each form; None where it was not measured or tells nothing.

    Args:
        facts: of the image.
        region: of it.
        kind: one of `FACETS`.
        voice: chooses among wordings.
        name: what the region is called beside it.
    """
    if is_scattered(region) and kind in ("shape", "margin", "outline", "size", "ratio", "upright"):
        return None
    # A whole organ looks as such organs do: to tell it reads as a finding.
    if name.the and kind not in ("share", "size", "parts"):
        return None
    match kind:
        case "share":
            return _share(facts, region, voice, name)
        case "size":
            return _size(region, voice, name)
        case "ratio":
            return _ratio(region, voice, name)
        case "upright":
            return _upright(facts, region, voice, name)
        case "mean":
            return _mean(region, voice, name)
        case "level":
            return _level(facts, region, voice, name)
        case "parts":
            # "Nuclei in several pieces" would be broken ones: the plural has told it.
            if parts(region) < 2 or name.several:
                return None
            made = c.Parts(regions=(region.region_id,), every=name.every)
            said = voice.phrase(table().parts[0].say)
            verb, ing = voice.pick((("lies", "lying"), ("appears", "appearing"), ("is seen", "seen"), ("is", "")))
            return Facet(kind, (made,), does=f"~{verb} {said}", doing=f"{ing} {said}".strip())
        case "margin" | "outline" | "texture" if facts.metadata.modality in (_SHADED if kind != "outline" else ()):
            return None
        case "margin" if facts.metadata.modality in _BLURRED:
            return None
        case _:
            return _word(region, kind, voice, name)


def _word(region: Region, aspect: str, voice: Voice, name: Name) -> Facet | None:
    word = next((term.word for term in region.terms if term.aspect == aspect), None)
    row = next((row for row in table().terms if row.aspect == aspect and row.word == word), None)
    if word is None or row is None or not row.say:
        return None
    if aspect == "density" and {"density", "tissue", "bone", "fat", "fatty", "dense"} & set(words(region.label)):
        return None
    if set(words(word)) & set(words(name.text)):
        return None
    adjectives = [one for one in row.say if _is_adjective(one)]
    made = c.Word(regions=(region.region_id,), every=name.every, aspect=aspect, word=word)
    adjective = voice.phrase(adjectives) if adjectives else ""
    has = voice.pick(row.having) if row.having else ""
    return Facet(aspect, (made,), adjective=adjective, is_=voice.phrase(row.say), has=has)


def _is_adjective(text: str) -> bool:
    return not text.startswith(
        ("of ", "with ", "as ", "long ", "over ", "in ", "much ", "without ", "drawn ")
    ) and not any(part in text for part in (" in ", " at ", " inside", " throughout", " for "))


def _share(facts: Facts, region: Region, voice: Voice, name: Name) -> Facet | None:
    """What part of it a region covers, where that is much; else one plain word, of what has no length in mm."""
    if region.place is None:
        return None
    # Of what has no name in words, the image is told.
    within = WITHIN.get(region.place.within)
    share, _ = share_of(facts, region.region_id, region, "" if within else "image")
    if share is None:
        return None
    row = next((row for row in table().shares if row.at_least <= share < row.below), None)
    if row is None:
        return None
    ids = (region.region_id,)
    # "The tiny liver", "a large vessel": by its part of a picture only a finding is called small or large, and of what
    # is measured in mm the length tells it.
    finding = not name.the and table().called(region.label).role == "finding"
    told = name.several or {"small", "tiny", "large"} & set(words(name.text))
    sized = region.size is not None and region.size.unit == "mm"
    if row.adjectives and finding and within and not (told or sized or voice.maybe(0.3)):
        adjective = voice.pick(row.adjectives)
        made = c.Share(regions=ids, every=name.every, word=row.word)
        said = f"{adjective} in {voice.pick(('size', 'extent', 'area'))}" if adjective in _OF_SIZE else adjective
        return Facet("share", (made,), adjective=adjective, is_=said)
    if share < TELLING or not within:
        return None
    of = whole(facts, voice) if within == "image" else Piece(within)
    made = c.Share(regions=ids, every=name.every, word=row.word, of="lung" if within == "lungs" else within)
    said = f"{voice.phrase(row.say)} the {of.text}"
    verb, ing = voice.pick((*_COVERS, *_EXTENDS))
    return Facet("share", (made, *of.claims), does=f"~{verb} {said}", doing=f"{ing} {said}")


def _size(region: Region, voice: Voice, name: Name) -> Facet | None:
    size = region.size
    if size is None or size.unit != "mm" or size.longest_axis < 0.1:
        return None
    longest = size.longest_axis
    if longest >= SMALL and "small" in words(region.label):
        return None
    centimetres = longest >= 20 and voice.maybe(0.4)
    value, unit = (longest / 10, voice.pick(("cm", "cm", "centimetres"))) if centimetres else (longest, "mm")
    said = two_figures(value)
    pattern, measure = voice.pick(_SIZES)
    made = c.Size(
        regions=(region.region_id,), every=name.every, measure=measure, values=(float(said),),
        unit="cm" if centimetres else "mm", loose=True, decimals=len(said.partition(".")[2]),
    )  # fmt: skip
    text = pattern.format(said, unit)
    has = voice.pick(_LENGTHS[measure]).format(said, unit)
    long = text.endswith(" long")
    does, doing = (f"~is {text}", text) if long else (f"~measures {text}", voice.pick((f"measuring {text}", text)))
    return Facet("size", (made,), is_=text, has=has, does=does, doing=doing)


def _ratio(region: Region, voice: Voice, name: Name) -> Facet | None:
    """How many times as long as wide it is, where that is near a number that is said."""
    size = region.size
    found = size.longest_axis / size.shortest_axis if size is not None and size.shortest_axis > 0 else 0.0
    said = next((one for one in _TIMES if abs(one / found - 1) <= NEAR_A_TIME), None) if found else None
    if said is None:
        return None
    made = c.Ratio(
        regions=(region.region_id,), every=name.every, measure="itself", value=said, loose=True,
        decimals=0 if said == int(said) else 1,
    )  # fmt: skip
    about, width = voice.pick(("about", "roughly", "some", "around")), voice.spin(voice.pick(_ITSELF))
    text = f"{about} {voice.pick(_TIMES[said])} {width}"
    measures = text.endswith(" in length")
    return Facet("ratio", (made,), is_=text, does=f"~measures {text}" if measures else "", doing=text)


def _upright(facts: Facts, region: Region, voice: Voice, name: Name) -> Facet | None:
    """Whether it is plainly wider than tall, or taller than wide, where no number tells how much longer it is."""
    if region.shape and region.shape.solidity < SOLID:
        return None
    found = box_aspect(facts, region)
    if 1 / PLAINLY_UPRIGHT < found < PLAINLY_UPRIGHT or _ratio(region, voice, name) is not None:
        return None
    wider = found > 1
    made = c.Ratio(
        regions=(region.region_id,), every=name.every, measure="box", value=1.03 if wider else 0.97,
        bound="above" if wider else "below", decimals=0,
    )  # fmt: skip
    text = voice.pick(_UPRIGHT["wider" if wider else "taller"])
    return Facet("upright", (made,), is_=text, doing=text)


def _mean(region: Region, voice: Voice, name: Name) -> Facet | None:
    """The mean of what is measured in units that a reader knows; of uptake the highest, by which foci are read."""
    unit = {"HU": "HU", "SUVbw": "SUV"}.get(region.intensity.unit or "")
    measure = "maximum" if unit == "SUV" else "mean"
    value = region.intensity.maximum if unit == "SUV" else region.intensity.mean
    if unit is None or abs(value) < 1:
        return None
    said = two_figures(value)
    made = c.Size(
        regions=(region.region_id,), every=name.every, measure=measure, values=(float(said),), unit=unit, loose=True,
        decimals=len(said.partition(".")[2]),
    )  # fmt: skip
    if unit == "SUV":
        return Facet("mean", (made,), has=voice.phrase(_PEAKS).replace("<v>", said))
    has = voice.pick((f"a mean of about {said} HU", f"a mean near {said} HU", f"an average of roughly {said} HU"))
    about = f"{voice.pick(('about', 'roughly', 'around'))} {said} HU"
    return Facet("mean", (made,), has=has, does=f"~averages {about}", doing=f"averaging {about}")


def _level(facts: Facts, region: Region, voice: Voice, name: Name) -> Facet | None:
    scale = table().scale(facts.metadata.modality)
    _, value = contrast_of(facts, region.region_id, region, scale.scale)
    told = table().called(region.label).level
    seen = _seen(facts, region)
    found = _found_there(facts, region)
    direction = "high" if (value or 0.0) > 0 else "low"
    # Where measures disagree, none is told.
    if value is None or seen < SEEN or found - {direction}:
        return None
    shaded = facts.metadata.modality in _SHADED
    if abs(value) < (HARDLY if found and not shaded else LIT if shaded else STANDS_OUT):
        return None
    plainly_so = abs(value) >= PLAIN and seen >= GLARING
    # A label that tells a level has told it: to say that it is slightly so, or not so, only takes it back.
    if told is not None and (direction != told or not plainly_so):
        return None
    kinds = _OF_CELLS if facts.metadata.modality == "microscopy" else SURROUNDINGS
    surroundings = voice.phrase(kinds)
    beside: tuple[c.Claim, ...] = ()
    organ = facts.metadata.organ
    if organ in _AROUND and _lies_in(region, organ) and not facts.named(organ) and voice.maybe(0.35):
        surroundings, beside = voice.pick(_OF_ORGAN).format(organ), (c.Structure(organ=organ, beside=True),)
    if name.several:
        surroundings = surroundings.replace("its", "their").replace(" it", " them")
    ids = (region.region_id,)
    degree = "plainly" if plainly_so and (told or voice.maybe(0.4)) else ""
    options = scale.more if direction == "high" else scale.less
    fitting = [one for one in options if not degree or not one.startswith(("of ", "taking"))]
    # What stands out little is darker than what is around it, and not dark.
    weak = abs(value) < STANDS_OUT
    phrase = voice.pick([one for one in fitting if not weak or _comparative(one, scale) == "more"])
    comparative = _comparative(phrase, scale)
    said = f"{voice.pick(_MUCH if comparative else _PLAINLY)} " if degree else ""
    made = c.Level(
        regions=ids, every=name.every, scale=scale.scale, direction=direction, degree=degree or comparative
    )  # fmt: skip
    against = f"{said}{phrase.removesuffix(' than')}" if phrase.endswith(" than") and comparative else ""
    adjective = ""
    word = scale.high if direction == "high" else scale.low
    if not (told or weak) and degree == made.degree and not word.startswith("of ") and not word.endswith("er"):
        adjective = f"{said}{word}"
    if adjective and voice.maybe(0.65):
        return Facet("level", (made,), adjective=adjective, is_=adjective)
    return Facet(
        "level",
        (made, *beside),
        adjective="" if beside else adjective,
        is_=f"{said}{phrase} {surroundings}",
        against=against,
        than=surroundings,
    )


def _seen(facts: Facts, region: Region) -> float:
    """How far a region's mean lies from that of its surroundings, in standard deviations of the whole picture."""
    spread = facts.grounding.intensity.standard_deviation
    return abs(region.contrast.difference) / spread if region.contrast is not None and spread else 0.0


def _found_there(facts: Facts, region: Region) -> set[str]:
    """The levels that experts' labels tell of what they found at a region's place."""
    others = (one for _, one in facts.regions.values() if one is not region and one.kind == "candidate")
    return {
        level for other in others if (level := table().called(other.label).level) and covered([other], [region]) >= HALF
    }


def _lies_in(region: Region, organ: str) -> bool:
    """Whether the organ that the image shows is what surrounds a finding."""
    row = table().called(region.label)
    return row.role == "finding" and (region.kind == "source annotation" or organ in row.organs)


def _comparative(phrase: str, scale: Scale) -> str:
    bare = words(phrase.removesuffix(" than").removesuffix(" to").removesuffix(" against"))
    meanings = lexicon().meanings.get(bare, ())
    return next((one.value[2] for one in meanings if one.kind == "level" and one.value[0] == scale.scale), "")


def two_figures(value: float) -> str:
    """To two significant figures, three from 100 up, without an exponent."""
    text = f"{value:.2g}" if abs(value) < 100 else f"{value:.3g}"
    return f"{float(text):g}" if "e" not in text else f"{float(text):.0f}"
