"""What regions are called: nouns of the table or the source's own, with articles, in the plural, and counted."""

from dataclasses import dataclass

from models.statements import claims as c
from models.statements.facts import Facts
from models.statements.measures import MANY, has_specks, is_plain_uptake, is_together, largest_part, left_out, parts
from models.statements.table import table
from models.statements.tokens import plural, spelled_out, words
from models.statements.voice import Voice
from models.statements.writing.text import COUNTS, Piece, article, count
from schemas.regions import Region

SEVERAL, FEW = 3, 4
"""Parts of a mark from which it is told that there are several, and up to which those of a finding are counted."""
SMOOTH, EVEN = 0.96, 0.04
"""Least solidity and largest irregularity of an outline that is told as round or oval: a notch or a lobe is beyond."""
DRAWN = 500
"""Pixels below which an outline is one of pixels, and no shape is irregular."""
RAGGED, UNEVEN, BAYED = 0.14, 0.1, 0.88
"""Irregularity of an outline that is told as irregular, alone or from the second with a solidity below the third. Of 27
marks of real pictures with a solidity below 0.92, looked at one by one: 17 have it, the others are small or lobed."""
OUTLINED = 0.6
"""Contrast-to-noise from which the picture, and not the hand that drew the outline, shows a shape."""
BRANCHING = 0.4
"""Solidity below which the mask of a structure is a net of many."""
SOLID = 0.95
"""Part of a region's area that its largest part makes where it has one shape, edge and texture."""
MOST_OF_TRUNK, MOST_OF_HEAD, MOST_OF_CLOSE_UP, MOST_OF_ORGAN = 3.0, 15.0, 50.0, 60.0
"""Percent of a slice of the trunk, of the head, of any other picture, and of the outline in which it lies, above which
what is marked as a finding is hardly one, but a whole organ or a box drawn by hand: 3 % of a trunk are 8 cm."""
MOST_MM2 = 5000.0
"""What such a mark measures at least where mm are known: 50 cm² are 8 cm across. A small part of the body may fill its
slice."""
_TRUNK = (
    "chest", "lung", "heart", "abdomen", "liver", "spleen", "kidney", "pancreas", "stomach", "bowel", "colon",
    "gallbladder", "aorta", "pelvis", "bladder", "whole body",
)  # fmt: skip
"""Organs and parts of which a slice of CT or MR shows the whole trunk."""
ONLY_ONE = {"optic disc", "spinal cord", "trachea"}
"""Structures of which an image has one: it is 'the', as an organ is."""
UNCOUNTED = {"oedema"}
"""Nouns without an article."""
_PLURAL_OF_ORGANS = {"lung": "lungs", "kidney": "kidneys", "breast": "breasts", "eye": "eyes", "ovary": "ovaries"}


@dataclass(frozen=True, slots=True)
class Name:
    """What a region is called; `several`: in the plural, as a region of many parts is; `the`: an organ's."""

    text: str
    claim: c.Finding
    several: bool
    the: bool

    @property
    def every(self) -> bool:
        """As claims of the region have it."""
        return self.claim.every

    def introduced(self, adjectives: str = "") -> str:
        """With its article, and adjectives before it."""
        noun = f"{adjectives} {self.text}".strip()
        bare = self.several or self.text.split()[-1] in UNCOUNTED
        return f"the {noun}" if self.the else noun if bare else article(noun)


def is_scattered(region: Region) -> bool:
    """Whether a region is of several parts: it has no shape, and one word for it is false; so are branching vessels.

    A tumour whose mask lies in pieces beside one another is one.
    """
    branching = region.shape is not None and region.shape.solidity < BRANCHING
    pieces = parts(region) > 1 and not (table().called(region.label).patchy and is_together(region))
    return pieces or (branching and table().called(region.label).role == "structure")


def is_finding(region: Region) -> bool:
    """Whether its label is one of a finding, and no organ's."""
    return table().called(region.label).role == "finding" and table().bare(region.label) not in table().organs


def is_solid(region: Region) -> bool:
    """Whether a region is of one part, beside crumbs: what it looks like is not told of several together."""
    return not is_scattered(region) and largest_part(region) >= SOLID


def is_ragged(region: Region) -> bool:
    """Whether bays and arms are plain to the eye: neither pixels of a small outline nor smooth lobes are."""
    if region.shape is None or region.margin is None or region.area_px < DRAWN:
        return False
    uneven = region.margin.irregularity
    return uneven >= RAGGED or (uneven >= UNEVEN and region.shape.solidity < BAYED)


def is_thin(region: Region) -> bool:
    """Whether it is so much longer than wide that this is its shape, whatever bends it."""
    row = table().term("shape", "elongated")
    assert row is not None
    return region.shape is not None and row.holds(region.shape.elongation)


def is_smooth(region: Region) -> bool:
    """Whether it is convex and evenly outlined, and stands out: else it is neither round nor oval, nor has a length."""
    shape, margin, contrast = region.shape, region.margin, region.contrast
    if shape is None or margin is None or contrast is None:
        return False
    stands_out = abs(contrast.contrast_to_noise or 0.0) >= OUTLINED
    return shape.solidity >= SMOOTH and margin.irregularity <= EVEN and stands_out


def by_whom(facts: Facts, region: Region, name: Name) -> Piece:
    """Who says that it is there, where a reader should know: an expert of ours."""
    if region.kind == "candidate" and is_finding(region) and not is_plain_uptake(region):
        return Piece(", found automatically,")
    return Piece("")


def is_implausible(facts: Facts, region: Region) -> bool:
    """Whether a finding covers more than such a finding does: then its name is told and nothing else."""
    # A dermoscope is laid upon one lesion, which may fill its field.
    if not is_finding(region) or facts.metadata.modality == "dermoscopy":
        return False
    kind, organ, place = facts.metadata.modality, facts.metadata.organ, region.place
    within = place.share_percent if place is not None and place.within in table().organs else 0.0
    shown = 100 * region.area_px / (facts.rows * facts.columns)
    slices = {"head": MOST_OF_HEAD, "brain": MOST_OF_HEAD} | dict.fromkeys(_TRUNK, MOST_OF_TRUNK)
    most = slices.get(organ or "", MOST_OF_CLOSE_UP) if kind in ("CT", "MR") else MOST_OF_CLOSE_UP
    known = region.area_mm2 if most < MOST_OF_CLOSE_UP else None
    return within > MOST_OF_ORGAN or (known > MOST_MM2 if known is not None and shown > most else shown > most)


def nouns(region: Region, *, sided: bool = True) -> list[str]:
    """What a region may be called in writing. A side or an organ in its label stays, in the label's own words.

    Args:
        region: of an image.
        sided: False where what its source says of left and right contradicts itself.
    """
    label = region.label if sided else region.label.removeprefix("left ").removeprefix("right ")
    if table().bare(label) != label:
        return [label]
    return [one for pattern in table().called(label).say for one in spelled_out(pattern)]


def name_of(
    facts: Facts,
    region_id: str,
    voice: Voice,
    *,
    avoid: tuple[str, ...] = (),
    tagged: bool = False,
    indefinite: bool = False,
) -> Name:
    """A noun for a region and the claim that it makes, with the region's id where the noun alone leaves it open.

    Args:
        avoid: words that are said beside it already; another noun is taken where there is one.
        tagged: with the region's id in brackets in any case.
        indefinite: without the id: 'a nodule' may be any of them.
    """
    region = facts.region(region_id)
    options = nouns(region, sided=not facts.metadata.sides_contradict)
    options = [one for one in options if not set(avoid) & set(words(one))] or options
    several = is_scattered(region)

    def means_it(noun: str) -> bool:
        return facts.named(" ".join(words(noun)), several=several) == (region_id,)

    noun = voice.pick([one for one in options if means_it(one)] or options)
    name = " ".join(words(noun))
    organ = table().bare(region.label) in table().organs or region.label in ONLY_ONE
    alone = means_it(noun)
    said = _several(noun, organ=organ) if several else noun
    if several and said is None:
        several, said = False, noun
    patterns = ("{} ({})",) if tagged else ("{}",) if alone or indefinite else ("{} {}", "{} {}", "{} {}", "{} ({})")
    text = voice.pick(patterns).format(said, region_id)
    finding = c.Finding(regions=(region_id,), name=name, every=several and alone and not tagged)
    return Name(text, finding, several, organ)


def _several(noun: str, *, organ: bool) -> str | None:
    return _PLURAL_OF_ORGANS.get(noun) if organ else plural(noun)


def counted(
    facts: Facts, label: str, voice: Voice, *, told: int = 0, doubled: frozenset[str] = frozenset()
) -> Piece | None:
    """How many regions have a label: 'both lung fields', 'five pockets of air density', 'three further opacities'.

    Counts are of all that is there: an expert that reports only its largest regions leaves them open.

    Args:
        told: regions of that label that were told of one by one: the rest is counted.
        doubled: ids of regions that tell others again: with one of these, nothing is counted.
    """
    labelled = (region for _, region in facts.regions.values() if region.label == label)
    own = next((one for one in labelled if one.region_id not in doubled), None)
    if own is None:
        return None
    noun = voice.pick(nouns(own, sided=not facts.metadata.sides_contradict))
    name = " ".join(words(noun))
    there = facts.named(name)
    n = len(there)
    if any(facts.region(one).label != label for one in there) or n <= told:
        return None
    if n - told > 1 and facts.named(name, several=True) != there:
        return None
    finding = c.Finding(regions=there, every=True, name=name)
    own_ones = [one for one in there if one not in doubled]
    if len(own_ones) == 1:
        named = name_of(facts, own_ones[0], voice, indefinite=True)
        return Piece(named.introduced(), (named.claim,), named.several)
    if len(own_ones) < n:
        return Piece(plural(noun), (finding,), True)
    if told:
        further = voice.pick(("further", "more", "additional", "other"))
        number = count(n - told)
        several = plural(noun) if n - told > 1 else noun
        made = c.Count(name=name, n=n - told if n - told <= 12 else None, further=True)
        kept = finding if n - told > 1 else c.Finding(regions=there, name=name)
        return Piece(f"{number} {further} {several}", (made, kept), n - told > 1)
    if n == 2 and noun in ("lung field", "lung"):
        return Piece(f"both {plural(noun)}", (c.Count(name=name, n=2), finding), True)
    if left_out(facts, there):
        return Piece(plural(noun), (finding,), True)
    return Piece(f"{count(n)} {plural(noun)}", (c.Count(name=name, n=n if n <= 12 else None), finding), True)


def number_of(region: Region, name: Name) -> Piece | None:
    """'numerous' of a mark of many parts, 'two' of a finding of two; None of any other.

    Of one nothing is told: "a single lesion" would deny those that the source has not marked.
    """
    if name.several and not name.the:
        n = parts(region)
        few = is_finding(region) and 2 <= n <= FEW and not has_specks(region)
        said = count(n) if few else count(max(n, len(COUNTS))) if n >= MANY else "several" if n >= SEVERAL else ""
        if said:
            return Piece(said, (c.Count(name=name.claim.name, n=n if few else None),))
    return None


def is_named_alone(facts: Facts, region_id: str) -> bool:
    """Whether a noun without its id can mean this region and no other."""
    region = facts.region(region_id)
    options = nouns(region, sided=not facts.metadata.sides_contradict)
    several = is_scattered(region)
    return any(facts.named(" ".join(words(one)), several=several) == (region_id,) for one in options)
