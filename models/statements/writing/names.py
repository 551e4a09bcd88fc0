"""What regions are called: nouns of the table or the source's own, with articles, in the plural, and counted."""

from dataclasses import dataclass

from models.statements import claims as c
from models.statements.facts import Facts
from models.statements.measures import left_out, parts
from models.statements.table import table
from models.statements.tokens import plural, spelled_out, words
from models.statements.voice import Voice
from models.statements.writing.text import Piece, article, count
from schemas.regions import Region

MANY, SEVERAL = 10, 3
"""Parts of a mark from which it is told that there are many, and several: those that touch are one part."""
_MANY_WORDS, _SEVERAL_WORDS, _ONE_WORDS = (
    ("numerous", "many", "multiple"),
    ("several", "a number of"),
    ("single", "solitary"),
)
BRANCHING = 0.4
"""Solidity below which the mask of a structure is a net of many."""
ONLY_ONE = {"optic disc"}
"""Structures of which an image has one: it is 'the', as an organ is."""
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
        return f"the {noun}" if self.the else noun if self.several else article(noun)


def is_scattered(region: Region) -> bool:
    """Whether a region is of several parts: it has no shape, and one word for it is false; so are branching vessels."""
    branching = region.shape is not None and region.shape.solidity < BRANCHING
    return parts(region) > 1 or (branching and table().called(region.label).role == "structure")


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
        number = "one" if n - told == 1 else count(n - told) if n - told <= 12 else "many"
        several = plural(noun) if n - told > 1 else noun
        made = c.Count(name=name, n=n - told if n - told <= 12 else None, further=True)
        kept = finding if n - told > 1 else c.Finding(regions=there, name=name)
        return Piece(f"{number} {further} {several}", (made, kept), n - told > 1)
    if n == 2 and noun in ("lung field", "lung"):
        return Piece(voice.pick(("both ", "the two ", "two ")) + plural(noun), (c.Count(name=name, n=2), finding), True)
    if left_out(facts, there):
        return Piece(plural(noun), (finding,), True)
    number = count(n) if n <= 12 else voice.pick(("many", "numerous"))
    return Piece(f"{number} {plural(noun)}", (c.Count(name=name, n=n if n <= 12 else None), finding), True)


def number_of(facts: Facts, region: Region, voice: Voice, name: Name) -> Piece | None:
    """'numerous' of a mark of many parts, 'a single' of the one finding that the source marks; None: neither tells."""
    if name.the:
        return None
    if name.several:
        n = parts(region)
        words_of = _MANY_WORDS if n >= MANY else _SEVERAL_WORDS if n >= SEVERAL else ()
        count_of = c.Count(name=name.claim.name, n=None)
    else:
        alone = facts.named(name.claim.name) == (region.region_id,) and region.kind == "source annotation"
        finding = table().called(region.label).role == "finding"
        words_of = _ONE_WORDS if alone and finding and voice.maybe(0.25) else ()
        count_of = c.Count(name=name.claim.name, n=1)
    return Piece(voice.pick(words_of), (count_of,)) if words_of else None


def is_named_alone(facts: Facts, region_id: str) -> bool:
    """Whether a noun without its id can mean this region and no other."""
    region = facts.region(region_id)
    options = nouns(region, sided=not facts.metadata.sides_contradict)
    several = is_scattered(region)
    return any(facts.named(" ".join(words(one)), several=several) == (region_id,) for one in options)
