"""What a region looks like, facet by facet, each in the forms that a sentence can hold: before the noun, behind it."""

from models.statements import claims as c
from models.statements.facts import Facts
from models.statements.lexicon import lexicon
from models.statements.measures import contrast_of, covered, is_plain_uptake, parts
from models.statements.rows import PLAIN, STANDS_OUT, Scale
from models.statements.table import table
from models.statements.tokens import words
from models.statements.voice import Voice
from models.statements.writing import sizes
from models.statements.writing.facets import Facet
from models.statements.writing.names import Name, is_implausible, is_ragged, is_smooth, is_solid, is_thin
from schemas.regions import Region

HALF = 0.5
"""Part of an outline that lies in another, from which it is of the same thing."""
HARDLY = 0.6
"""Contrast-to-noise from which a region is called darker where an expert has found its place dark too."""
ALIKE = {"HU": 40.0}
"""A region's own variation, by unit, up to which it has one density: the mean of a tumour and its air is of neither."""
SPECK = 200
"""Pixels below which neither edge nor texture is seen."""
PACKED = 30
"""Parts of a mark from which it is told that they are closely packed: of five sections covered so far, the three above
it are, and two are of large loose nuclei that a mask joins."""
UNSHARP = 0.1
"""Part of the step on one pixel below which a margin is told as indistinct: above it most of it may be sharp."""
UNIFORM = 0.25
"""A region's own variation, of its contrast to what is around it, up to which it is told as homogeneous."""
FACETS = (
    "share", "size", "colour", "shape", "margin", "level", "texture", "density", "parts", "ratio", "mean",
)  # fmt: skip
FURTHER = ("upright",)
"""Facets that are told where little else is known."""
SURROUNDINGS = ("the {surrounding|adjacent} tissue", "its surroundings", "the tissue around it")
_OF_CELLS = ("its surroundings", "the background")
"""In a culture there is no tissue."""
_OF_ORGAN = ("the surrounding {}", "the adjacent {}", "the {} around it")
"""With the organ that the image shows, where this is what lies around."""
_AROUND = {"brain", "liver", "skin", "breast", "lung", "retina", "kidney", "prostate", "thyroid"}
_MUCH = ("markedly", "clearly", "much")
_PLAINLY = ("markedly", "clearly")
"""Before a comparative, and before a word that is none: nothing is "strongly brighter", nor "much hyperdense"."""
_SHADED: frozenset[str] = frozenset({"dermoscopy", "endoscopy"})
"""Modalities whose brightness and edges are the lamp's too: how sharp a drawn outline is there says nothing."""
LIT = 2.0
"""Contrast-to-noise from which it is told there that something is lighter or darker: more than folds and lamp make."""
_BLURRED: frozenset[str] = frozenset({"PET", "nuclear medicine"})
"""Modalities whose every edge is as blurred as the scanner makes it."""
SEEN, GLARING = 0.3, 1.0
"""Difference from its surroundings, in standard deviations of the whole picture, at which a region is seen to be
brighter or darker, and plainly so: beside noise alone a glaring mass among varied tissue would count as faint."""


def facet(facts: Facts, region: Region, kind: str, voice: Voice, name: Name) -> Facet | None:
    """A facet of a region in one wording of each form; None where it was not measured or tells nothing.

    Args:
        facts: of the image.
        region: of it.
        kind: one of `FACETS`.
        voice: chooses among wordings.
        name: what the region is called beside it.
    """
    if is_implausible(facts, region):
        return None
    if kind in ("margin", "texture") and region.area_px < SPECK:
        return None
    if kind in ("mean", "density") and region.intensity.standard_deviation > ALIKE.get(
        region.intensity.unit or "", 1e9
    ):
        return None
    if kind in ("shape", "margin", "texture", "size", "ratio", "upright") and not is_solid(region):
        return None
    # Its outline is a threshold's, and its SUV has a unit that tells nothing beside a heart's.
    if region.kind == "candidate" and is_plain_uptake(region):
        return sizes.times_around(facts, region, voice, name) if kind == "ratio" else None
    # A whole organ looks as such organs do: to tell it reads as a finding.
    if name.the and kind not in ("share", "size", "parts"):
        return None
    match kind:
        case "share":
            return sizes.share(facts, region, voice, name)
        case "size":
            return sizes.size(region, voice, name)
        case "ratio":
            return sizes.ratio(region, voice, name)
        case "upright":
            return sizes.upright(facts, region, voice, name)
        case "mean":
            return sizes.mean(region, voice, name)
        case "level":
            return _level(facts, region, voice, name)
        case "crowding":
            return _crowding(facts, region, voice, name)
        case "parts":
            # "Nuclei in several pieces" would be broken ones: the plural has told it.
            if parts(region) < 2 or name.several:
                return None
            made = c.Parts(regions=(region.region_id,), every=name.every)
            said = voice.phrase(table().parts[0].say)
            return Facet(kind, (made,), does=f"~lies {said}", doing=said)
        case "margin" | "texture" if facts.metadata.modality in _SHADED:
            return None
        case "margin" if facts.metadata.modality in _BLURRED:
            return None
        case "shape" if facts.metadata.modality == "dermoscopy" and not is_ragged(region):
            return None  # Who outlines a mole draws a smooth curve round it, whatever its border is.
        case _:
            return _word(region, kind, voice, name)


def _crowding(facts: Facts, region: Region, voice: Voice, name: Name) -> Facet | None:
    """How crowded many small bodies are; a few large ones that touch are not."""
    for row in table().crowdings if name.several else ():
        if row.at_least and parts(region) < PACKED:
            continue
        made = c.Crowding(name=name.claim.name, word=row.word)
        if made.judge(facts).truth:
            said = voice.phrase(row.say)
            return Facet("crowding", (made,), adjective=said, is_=said)
    return None


def _word(region: Region, aspect: str, voice: Voice, name: Name) -> Facet | None:
    word = next((term.word for term in region.terms if term.aspect == aspect), None)
    if aspect == "shape" and word == "irregular" and is_thin(region):
        word = "elongated"
    row = table().term(aspect, word)
    if word is None or row is None or not row.say or not _is_plain(region, word):
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


def _is_plain(region: Region, word: str) -> bool:
    """Whether what is measured bears the word so clearly that a reader sees it too."""
    if word in ("round", "oval"):
        return is_smooth(region)
    if word == "irregular":
        return is_ragged(region)
    if word == "reddish":
        return False  # A brown mole on pink skin is so too.
    if word == "indistinct":
        return region.margin is not None and (region.margin.sharpness or 0.0) < UNSHARP
    if word == "homogeneous" and region.contrast is not None:
        spread, contrast = region.contrast.standard_deviation_ratio, region.contrast.contrast_to_noise
        return spread is not None and contrast is not None and spread <= UNIFORM * abs(contrast)
    return True


def _is_adjective(text: str) -> bool:
    return not text.startswith(
        ("of ", "with ", "as ", "long ", "over ", "in ", "much ", "without ", "drawn ")
    ) and not any(part in text for part in (" in ", " at ", " inside", " throughout", " for "))


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
    # Stains darken nuclei: what is marked as one and brighter is of something else.
    if direction == "high" and facts.metadata.modality == "histopathology" and table().bare(region.label) == "nucleus":
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
    fitting = [one for one in fitting if not weak or _comparative(one, scale) == "more"]
    if not fitting:
        return None
    phrase = voice.pick(fitting)
    comparative = _comparative(phrase, scale)
    said = f"{voice.pick(_MUCH if comparative else _PLAINLY)} " if degree else ""
    made = c.Level(
        regions=ids, every=name.every, scale=scale.scale, direction=direction, degree=degree or comparative
    )  # fmt: skip
    against = f"{said}{phrase.removesuffix(' than')}" if phrase.endswith(" than") and comparative else ""
    adjective = ""
    word = scale.high if direction == "high" else scale.low
    if not (told or weak) and degree == made.degree and not word.startswith("of ") and not word.endswith("er"):
        adjective = f"{voice.pick(_PLAINLY)} {word}" if degree else word
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
