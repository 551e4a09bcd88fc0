"""How large a region is, in words: its part of the whole, lengths, how long of its width, how it stands; its mean."""

from models.statements import claims as c
from models.statements.facts import Facts
from models.statements.measures import box_aspect, covered, share_of
from models.statements.table import table
from models.statements.tokens import words
from models.statements.voice import Voice
from models.statements.writing.facets import Facet
from models.statements.writing.names import Name, is_finding, is_smooth, is_thin
from models.statements.writing.places import WITHIN
from schemas.regions import Region

SMALL = 20.0
"""mm from which what a label calls small is not long: it is small in area, and to give its length contradicts that."""
_SIZES = (
    ("about {} {} across", "across"),
    ("about {} {} in size", "across"),
    ("about {} {} long", "longest"),
    ("about {} {} in its longest dimension", "longest"),
)
_LENGTHS = {
    "across": ("a diameter of about {} {}",),
    "longest": ("a length of about {} {}", "a long axis of about {} {}"),
}
_TIMES: dict[float, tuple[str, ...]] = {
    2.0: ("twice",), 2.5: ("two and a half times",), 3.0: ("three times",), 4.0: ("four times",),
}  # fmt: skip
_AROUND: dict[float, tuple[str, ...]] = {
    **_TIMES, 5.0: ("five times",), 6.0: ("six times",), 8.0: ("eight times",), 10.0: ("ten times",),
}  # fmt: skip
_ACTIVE = ("as active as its surroundings", "as active as the surrounding tissue")
NEAR_A_TIME = 0.1
"""How far a ratio may lie from the number that is said of it."""
_PEAKS = ("a maximum SUV of about <v>", "an SUVmax of about <v>")
_UPRIGHT = {
    "wider": ("wider than tall", "wider than it is tall"),
    "taller": ("taller than wide", "taller than it is wide"),
}
"""How a finding stands in the picture: of a mass in a sonogram, BI-RADS' orientation."""
SOLID = 0.7
"""Part of its convex hull that a region must fill for its box to tell how it stands: specks and arms stretch a box."""
PLAINLY_UPRIGHT = 1.25
"""How many times as wide as tall, or as tall as wide, is plain to the eye."""
_ITSELF = ("as long as wide", "as long as it is wide")
COVERS = (("covers", "covering"), ("occupies", "occupying"), ("takes up", "taking up"))
"""Verbs of a share of what one lies in, and their participles."""

THIRD, INSIDE = 1 / 3, 0.9
"""Part of a mark up to which what an expert finds is far smaller, and part of that which lies in the mark."""
TELLING = 20.0
"""Percent of what it lies in from which it is told what part a region covers."""
HALF = 45.0
"""Percent of an expert's outline from which the share of a finding in it is not told."""
_EACH = ("tiny", "small")
"""Words for the share of several together that each of them is too."""
_EXTENTS = {"tiny": 0.06, "small": 0.2}
"""Part of the picture's side up to which what is called so reaches: a small area may be long."""
_STANDING = {"breast", "thyroid"}
"""Organs in whose sonograms it is a term how a mass stands; in a slice of a head it tells nothing."""


def share(facts: Facts, region: Region, voice: Voice, name: Name) -> Facet | None:
    """What part of it a region covers, where that is much; else one plain word, of what has no length in mm."""
    if region.place is None or _is_drawn_wide(facts, region):
        return None
    # Of what has no name in words, the image is told.
    within = WITHIN.get(region.place.within)
    percent, _ = share_of(facts, region.region_id, region, "" if within else "image")
    if percent is None:
        return None
    row = next((row for row in table().shares if row.at_least <= percent < row.below), None)
    if row is None:
        return None
    ids = (region.region_id,)
    # "The tiny liver", "a large vessel": by its part of a picture only a finding is called small or large, and of what
    # is measured in mm the length tells it.
    finding = is_finding(region)
    told = {"small", "tiny", "large"} & set(words(name.text)) or (name.several and row.word not in _EACH)
    sized = region.size is not None and region.size.unit == "mm"
    if row.adjectives and finding and within and not (told or sized):
        reach = max(region.box.width / facts.columns, region.box.height / facts.rows)
        if not name.several and reach > _EXTENTS.get(row.word, 1.0):
            return None
        adjective = voice.pick(row.adjectives)
        made = c.Share(regions=ids, every=name.every, word=row.word)
        return Facet("share", (made,), adjective=adjective, is_=adjective)
    # What covers half of an expert's outline shows that this is too small: near the vertex, or without the tumour.
    if finding and region.place.within != "image" and percent >= HALF:
        return None
    # Outlines of many small things may take in what lies around each.
    if percent < TELLING or not within or (name.several and not name.the):
        return None
    made = c.Share(regions=ids, every=name.every, word=row.word, of="lung" if within == "lungs" else within)
    said = f"{voice.phrase(row.say)} the {within}"
    verb, ing = voice.pick(COVERS)
    return Facet("share", (made,), does=f"~{verb} {said}", doing=f"{ing} {said}")


def _is_drawn_wide(facts: Facts, region: Region) -> bool:
    """Whether an expert finds the lesion in a third of a dermoscopic mark or less: then the mark tells no size."""
    if facts.metadata.modality != "dermoscopy" or region.kind != "source annotation":
        return False
    found = [one for _, one in facts.regions.values() if one.kind == "candidate" and is_finding(one)]
    return any(one.area_px <= THIRD * region.area_px and covered([one], [region]) >= INSIDE for one in found)


def size(region: Region, voice: Voice, name: Name) -> Facet | None:
    """Its longest axis, where that is known in mm."""
    if region.size is None or region.size.unit != "mm" or region.size.longest_axis < 0.1:
        return None
    longest = region.size.longest_axis
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


def ratio(region: Region, voice: Voice, name: Name) -> Facet | None:
    """How many times as long as wide it is, where that is near a number that is said."""
    axes = region.size if is_smooth(region) and not is_thin(region) else None
    found = axes.longest_axis / axes.shortest_axis if axes is not None and axes.shortest_axis > 0 else 0.0
    said = next((one for one in _TIMES if abs(one / found - 1) <= NEAR_A_TIME), None) if found else None
    if said is None:
        return None
    made = c.Ratio(
        regions=(region.region_id,), every=name.every, measure="itself", value=said, loose=True,
        decimals=0 if said == int(said) else 1,
    )  # fmt: skip
    text = f"{voice.pick(('about', 'roughly'))} {voice.pick(_TIMES[said])} {voice.pick(_ITSELF)}"
    return Facet("ratio", (made,), is_=text, doing=text)


def times_around(facts: Facts, region: Region, voice: Voice, name: Name) -> Facet | None:
    """How many times the uptake around it a region takes up, by their means."""
    around = region.surroundings
    if around is None or around.mean <= 0:
        return None
    found = region.intensity.mean / around.mean
    said = min(_AROUND, key=lambda one: abs(one / found - 1))
    made = c.Ratio(
        regions=(region.region_id,), every=name.every, measure="level", value=said, loose=True,
        decimals=0 if said == int(said) else 1,
    )  # fmt: skip
    if not made.judge(facts).truth:  # Far beyond ten times: a sentence with it would be told without its place too.
        return None
    text = f"{voice.pick(('about', 'roughly'))} {voice.pick(_AROUND[said])} {voice.pick(_ACTIVE)}"
    return Facet("ratio", (made,), is_=text, doing=text)


def upright(facts: Facts, region: Region, voice: Voice, name: Name) -> Facet | None:
    """Whether a mass in a sonogram is plainly wider than tall, where no number tells how much longer it is."""
    term = facts.metadata.modality == "ultrasound" and facts.metadata.organ in _STANDING
    if not term or (region.shape and region.shape.solidity < SOLID):
        return None
    found = box_aspect(facts, region)
    if 1 / PLAINLY_UPRIGHT < found < PLAINLY_UPRIGHT or ratio(region, voice, name) is not None:
        return None
    wider = found > 1
    made = c.Ratio(
        regions=(region.region_id,), every=name.every, measure="box", value=1.03 if wider else 0.97,
        bound="above" if wider else "below", decimals=0,
    )  # fmt: skip
    text = voice.pick(_UPRIGHT["wider" if wider else "taller"])
    return Facet("upright", (made,), is_=text, doing=text)


def mean(region: Region, voice: Voice, name: Name) -> Facet | None:
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
    has, about = f"a mean of about {said} HU", f"about {said} HU"
    return Facet("mean", (made,), has=has, does=f"~averages {about}", doing=f"averaging {about}")


def two_figures(value: float) -> str:
    """To two significant figures, three from 100 up, without an exponent."""
    text = f"{value:.2g}" if abs(value) < 100 else f"{value:.3g}"
    return f"{float(text):g}" if "e" not in text else f"{float(text):.0f}"
