"""Claims → text: names, adjectives and phrases for what is claimed, in many wordings. Knows nothing of their order.

A piece of text travels with the claims that it makes, so that whoever joins pieces knows what the sentence must be
read back as.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models.statements import claims as c
from models.statements.facts import Facts
from models.statements.lexicon import lexicon
from models.statements.measures import contrast_of, share_of
from models.statements.table import PLAIN, STANDS_OUT, ImageKind, table
from models.statements.tokens import plural, spelled_out, words
from models.statements.voice import Voice
from schemas.regions import Region

COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
SURROUNDINGS = (
    "its surroundings",
    "the tissue around it",
    "the surrounding tissue",
    "what surrounds it",
    "the neighbouring tissue",
    "its immediate surroundings",
    "the area around it",
    "the adjacent tissue",
    "what lies around it",
    "the background",
)
_AN = ("mr", "x-ray", "hour", "fdg", "mlo")
WITHIN = {"image": "image", "lungs": "lungs", "brain": "brain", "body": "body", "sector": "sector", "field": "field"}
"""What places are told within, in words; other outlines of experts are the body's."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text, and what it claims."""

    text: str
    claims: tuple[c.Claim, ...] = ()

    def __add__(self, other: "Piece") -> "Piece":
        return Piece(f"{self.text} {other.text}".strip(), (*self.claims, *other.claims))


def article(noun: str) -> str:
    """With 'a' or 'an', by the sound that it begins with."""
    low = noun.lower()
    vowel = (
        low.startswith(_AN) or low[0] in "aeio" or (low.startswith("u") and not low.startswith(("uni", "use", "ure")))
    )
    vowel = vowel and not low.startswith(("one-", "eu"))
    return f"{'an' if vowel else 'a'} {noun}"


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    text = " ".join(text.split()).replace(" ,", ",").strip(" ,")
    return f"{text[0].upper()}{text[1:]}."


def joined(items: Sequence[str]) -> str:
    """a, b and c."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def count(n: int) -> str:
    """In words, as far as there are words."""
    return COUNTS[n] if n < len(COUNTS) else "many"


# ── names ──


def nouns(region: Region) -> list[str]:
    """What a region may be called in writing. A side or an organ in its label stays, in the label's own words."""
    label = region.label
    if table().bare(label) != label:
        return [label]
    return [one for pattern in table().called(label).say for one in spelled_out(pattern)]


def introduced(region: Region, noun: str) -> str:
    """With its article: 'a nodule', but of an organ 'the liver'."""
    return f"the {noun}" if table().bare(region.label) in table().organs else article(noun)


def name_of(facts: Facts, region_id: str, voice: Voice, *, tagged: bool) -> tuple[str, c.Claim]:
    """A noun for a region and the claim that it makes; `tagged`: with its id where the noun alone leaves it open."""
    noun = voice.pick(nouns(facts.region(region_id)))
    name = " ".join(words(noun))
    alone = facts.named(name) == (region_id,)
    return noun if alone and not tagged else f"{noun} ({region_id})", c.Finding(regions=(region_id,), name=name)


def counted(facts: Facts, label: str, voice: Voice) -> Piece | None:
    """How many regions have a label: 'both lung fields', 'five pockets of air density'."""
    own = next((region for _, region in facts.regions.values() if region.label == label), None)
    if own is None:
        return None
    noun = voice.pick(nouns(own))
    name = " ".join(words(noun))
    there = facts.named(name)
    n = len(there)
    if any(facts.region(one).label != label for one in there):
        return None
    if n == 1:
        return Piece(introduced(own, noun), (c.Finding(regions=there, name=name),))
    finding = c.Finding(regions=there, every=True, name=name)
    number = "both" if n == 2 and "lung field" in noun else count(n)
    said = n if n < len(COUNTS) else None
    return Piece(f"{number} {plural(noun)}", (c.Count(name=name, n=said), finding))


# ── the image ──


def image_nouns(facts: Facts) -> tuple[ImageKind, tuple[str, ...]]:
    """What the image may be called."""
    row = table().modality(facts.metadata.modality)
    return row, (*row.slices, *row.say) if facts.metadata.plane and row.slices else row.say


def image_piece(facts: Facts, voice: Voice) -> Piece:
    """'contrast-enhanced axial CT slice': what kind of image it is."""
    metadata = facts.metadata
    row, names = image_nouns(facts)
    noun = voice.pick(names)
    made: list[c.Claim] = [c.Modality(word=row.word)]
    if metadata.localizer:
        noun = f"{voice.pick(row.read[:1] or row.say).upper()} {voice.pick(table().localizers[:4])}"
        made.append(c.Localizer())
    view = next((one for one in table().views if one.word == metadata.view), None)
    if view is not None and row.word in ("X-ray", "mammography"):
        noun = f"{voice.pick(view.say)} {noun}"
        made.append(c.View(word=view.word))
    elif metadata.plane is not None:
        noun = f"{voice.pick(next(one for one in table().planes if one.word == metadata.plane).say)} {noun}"
        made.append(c.Plane(word=metadata.plane))
    if metadata.contrast_agent:
        agent = next(one for one in table().agents if one.given)
        made.append(c.ContrastAgent(given=True))
        noun = f"{voice.pick(agent.say)} {noun}" if voice.maybe(0.6) else f"{noun} {voice.pick(agent.clause)}"
    return Piece(noun, tuple(made))


def organ_piece(facts: Facts) -> Piece | None:
    """'the left knee': what the source says is shown."""
    metadata = facts.metadata
    if metadata.organ is None or metadata.organ not in table().organs:
        return None
    if metadata.laterality == "both":
        return Piece(f"the {metadata.organ} on both sides", (c.Structure(organ=metadata.organ), c.Sides(name="")))
    side = f"{metadata.laterality} " if metadata.laterality else ""
    return Piece(f"the {side}{metadata.organ}", (c.Structure(organ=metadata.organ, side=metadata.laterality),))


# ── regions ──


def _term(region: Region, aspect: str) -> str | None:
    return next((term.word for term in region.terms if term.aspect == aspect), None)


def _is_adjective(text: str) -> bool:
    return not text.startswith(("of ", "with ", "as ", "long ", "over ")) and not any(
        part in text for part in (" in ", " at ", "varied inside")
    )


def word_pieces(region: Region, aspect: str, voice: Voice) -> tuple[str | None, str | None, tuple[c.Claim, ...]]:
    """A term as adjective (None where it has none) and as what stands behind 'is', with its claim."""
    word = _term(region, aspect)
    row = next((row for row in table().terms if row.aspect == aspect and row.word == word), None)
    if word is None or row is None or not row.say:
        return None, None, ()
    adjectives = [one for one in row.say if _is_adjective(one)]
    claim = c.Word(regions=(region.region_id,), aspect=aspect, word=word)
    return voice.pick(adjectives) if adjectives else None, voice.pick(row.say), (claim,)


def level_adjective(facts: Facts, region: Region, voice: Voice) -> Piece | None:
    """'slightly hyperdense', where the region stands out and its label does not say so already."""
    scale = table().scale(facts.metadata.modality)
    _, value = contrast_of(facts, region.region_id, region, scale.scale)
    if value is None or abs(value) < STANDS_OUT:
        return None
    direction, word = ("high", scale.high) if value > 0 else ("low", scale.low)
    if word.startswith("of "):
        return None
    degree = "slightly" if abs(value) < PLAIN else ""
    comparative = "more" if word.endswith("er") else ""
    said = f"{voice.pick(table().degrees.slightly[:7])} " if degree else ""
    return Piece(
        said + word,
        (c.Level(regions=(region.region_id,), scale=scale.scale, direction=direction, degree=degree or comparative),),
    )


def level_comparison(facts: Facts, region: Region, voice: Voice) -> Piece | None:
    """'slightly denser than the tissue around it'."""
    scale = table().scale(facts.metadata.modality)
    _, value = contrast_of(facts, region.region_id, region, scale.scale)
    if value is None:
        return None
    claim = c.Level(regions=(region.region_id,), scale=scale.scale, direction="alike")
    if abs(value) < STANDS_OUT:
        if abs(value) > 0.9:
            return None
        return Piece(f"{voice.pick(scale.same)} {voice.pick(SURROUNDINGS)}", (claim,))
    direction, options = ("high", scale.more) if value > 0 else ("low", scale.less)
    degree = "slightly" if abs(value) < PLAIN else "plainly" if voice.maybe(0.5) else ""
    fitting = [one for one in options if not degree or not one.startswith(("of ", "taking"))]
    phrase = voice.pick(fitting)
    bare = words(phrase.removesuffix(" than").removesuffix(" to"))
    comparative = next(
        (
            one.value[2]
            for one in lexicon().meanings.get(bare, ())
            if one.kind == "level" and one.value[0] == scale.scale
        ),
        "",
    )
    said = (
        f"{voice.pick(table().degrees.slightly[:7] if degree == 'slightly' else table().degrees.plainly[:5])} "
        if degree
        else ""
    )
    made = c.Level(regions=(region.region_id,), scale=scale.scale, direction=direction, degree=degree or comparative)
    return Piece(f"{said}{phrase} {voice.pick(SURROUNDINGS)}", (made,))


def place_piece(facts: Facts, region: Region, voice: Voice) -> Piece | None:
    """'in the upper left part of the image', 'towards the patient's left, posteriorly'."""
    place = region.place
    if place is None:
        return None
    shown = {axis.towards for axis in place.axes} & {"image right", "image down"}
    frame = "patient" if not shown else "shown" if place.within == "image" else "within"
    if shown and place.within not in WITHIN:
        return None
    whole = WITHIN.get(place.within, "body")
    ends = {
        axis.towards: "low" if axis.fraction < 0.36 else "high" if axis.fraction > 0.64 else "middle"
        for axis in place.axes
    }
    ids = (region.region_id,)
    made = tuple(c.Place(regions=ids, axis=axis, end=end, frame=frame) for axis, end in ends.items() if end != "middle")
    organ = _organ_claims(whole)
    if not made:
        made = tuple(c.Place(regions=ids, axis=axis, end="middle", frame=frame) for axis in sorted(ends))
        pattern = voice.pick(
            (
                "in the centre of the {}",
                "centrally in the {}",
                "in the middle of the {}",
                "in the central part of the {}",
                "near the centre of the {}",
                "in the central region of the {}",
            )
        )
        return Piece(pattern.format(whole), (*made, *organ))
    return Piece(_worded_place(ends, whole, voice), (*made, *organ))


def _organ_claims(whole: str) -> tuple[c.Claim, ...]:
    """What naming the whole says besides: that it is shown."""
    organ = whole.removesuffix("s")
    return (c.Structure(organ=organ),) if organ in table().organs else ()


_AXIS_WORDS = {
    ("patient left", "low"): ("right",), ("patient left", "high"): ("left",),
    ("posterior", "low"): ("anterior", "front", "ventral"), ("posterior", "high"): ("posterior", "back", "dorsal"),
    ("feet", "low"): ("superior", "upper", "cranial"), ("feet", "high"): ("inferior", "lower", "caudal"),
    ("image right", "low"): ("left",), ("image right", "high"): ("right",),
    ("image down", "low"): ("upper", "top"), ("image down", "high"): ("lower", "bottom"),
}  # fmt: skip
_ORDERED = ("feet", "image down", "patient left", "image right", "posterior")


def _worded_place(ends: dict[str, str], whole: str, voice: Voice) -> str:
    told = [(axis, ends[axis]) for axis in _ORDERED if ends.get(axis, "middle") != "middle"]
    chosen = [voice.pick(_AXIS_WORDS[axis, end]) for axis, end in told]
    lateral = next((n for n, (axis, _) in enumerate(told) if axis == "patient left"), None)
    part = voice.pick(
        ("part", "portion", "region", "area", "zone")
        if len(told) > 1
        else ("part", "portion", "side", "third", "region")
    )
    if lateral is not None:
        chosen[lateral] = f"patient's {chosen[lateral]}"
        chosen.insert(0, chosen.pop(lateral))
        patterns = ("in the {} {} of the {}", "within the {} {} of the {}", "in the {} {} of the {}")
        if len(told) == 1:
            side = chosen[0].removeprefix("patient's ")
            patterns = (
                *patterns,
                f"on the patient's {side} side of the {whole}",
                f"to the {side} of the patient's {whole}",
                f"in the patient's {side} half of the {whole}",
            )
    else:
        patterns = (
            "in the {} {} of the {}",
            "within the {} {} of the {}",
            "in the {} {} of the {}",
            "towards the {} {} of the {}",
            "in the {} {} of this {}" if whole == "image" else "in the {} {} of the {}",
        )
    pattern = voice.pick(patterns)
    return pattern.format(" ".join(chosen), part, whole) if "{}" in pattern else pattern


def share_piece(facts: Facts, region: Region, voice: Voice) -> tuple[str | None, Piece | None]:
    """A relative size as adjective, and as a phrase: 'a small part of the image'."""
    share, _ = share_of(facts, region.region_id, region, "")
    if share is None or region.place is None:
        return None, None
    row = next(row for row in table().shares if row.at_least <= share < row.below)
    ids = (region.region_id,)
    adjective = voice.pick(row.adjectives) if row.adjectives else None
    whole = region.place.within
    phrase = None
    if whole in WITHIN:
        of = WITHIN[whole]
        phrase = Piece(f"{voice.pick(row.say)} the {of}", (c.Share(regions=ids, word=row.word, of=_share_of(of)),))
    return adjective, phrase


def _share_of(whole: str) -> str:
    return {"lungs": "lung"}.get(whole, whole)


def size_piece(region: Region, voice: Voice) -> Piece | None:
    """'about 36 mm across': the longest axis, where the spacing is known."""
    size = region.size
    if size is None or size.unit != "mm" or size.longest_axis < 0.1:
        return None
    longest = size.longest_axis
    centimetres = longest >= 20 and voice.maybe(0.4)
    value, unit = (longest / 10, "cm") if centimetres else (longest, "mm")
    said = two_figures(value)
    decimals = len(said.partition(".")[2])
    pattern, measure = voice.pick(
        (
            ("about {} {} across", "across"),
            ("some {} {} long", "longest"),
            ("roughly {} {} in length", "longest"),
            ("about {} {} in its longest dimension", "longest"),
            ("nearly {} {} in diameter", "across"),
            ("around {} {} in extent", "across"),
        )
    )
    made = c.Size(
        regions=(region.region_id,), measure=measure, values=(float(said),), unit=unit, loose=True, decimals=decimals
    )
    return Piece(pattern.format(said, unit), (made,))


def two_figures(value: float) -> str:
    """To two significant figures, three from 100 up, without an exponent."""
    text = f"{value:.2g}" if abs(value) < 100 else f"{value:.3g}"
    return f"{float(text):g}" if "e" not in text else f"{float(text):.0f}"
