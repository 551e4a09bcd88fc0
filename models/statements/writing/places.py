"""Where a region lies, in words: on the display, within what an expert outlined, or on the patient's axes."""

from models.statements import claims as c
from models.statements.facts import Facts
from models.statements.measures import (
    MANY,
    fills_the_image,
    has_specks,
    middles_across,
    outwards,
    part_left,
    parts,
    quarters,
    reach,
)
from models.statements.rows import BY_DISPLAY
from models.statements.table import table
from models.statements.voice import Voice
from models.statements.writing.names import Name, is_finding, is_implausible, is_scattered, number_of
from models.statements.writing.text import Piece
from schemas.regions import Region

WITHIN = {"image": "image", "lungs": "lungs", "brain": "brain", "body": "body", "sector": "sector", "field": "field"}
"""What places and shares are told within, in words; other outlines of experts are the body's."""
OFF_ACROSS, OFF_ALONG = 0.1, 1 / 6
"""How far off the middle a centroid lies where a side is told, and where it is told to lie high, low, in front."""
ASIDE = 0.2
"""Part of its extent by which what lies on one side of the middle may reach over it."""
NEARLY_NONE, BESIDE = 0.1, 0.03
"""Part of the area of several on one side up to which they are told on the other; part of the picture's width by which
the middles of two lie off its middle where one is on each side."""
MOSTLY = 0.8
"""Part of the area of many small things that one half of the picture holds where they lie mostly there."""
WIDE = 0.6
"""Part of the picture's side from which something lies in the middle of it in any case: that tells nothing."""
_DISPLAY = ("image right", "image down")
_WORDS = {
    ("image right", "low"): ("left",), ("image right", "high"): ("right",),
    ("image down", "low"): ("upper",), ("image down", "high"): ("lower",),
    ("patient left", "low"): ("right",), ("patient left", "high"): ("left",),
    ("posterior", "low"): ("anterior",), ("posterior", "high"): ("posterior",),
    ("feet", "low"): ("superior", "upper"), ("feet", "high"): ("inferior", "lower"),
    ("lateral", "low"): ("medial", "inner"), ("lateral", "high"): ("lateral", "outer"),
}  # fmt: skip
_ADVERBS = {
    ("posterior", "low"): "anteriorly", ("posterior", "high"): "posteriorly", ("feet", "low"): "superiorly",
    ("feet", "high"): "inferiorly", ("lateral", "low"): "medially", ("lateral", "high"): "laterally",
}  # fmt: skip
_TOP = {"low": "top", "high": "bottom"}
_EVERYWHERE = (
    ("scattered throughout the image", "multifocal"), ("scattered across the image", "multifocal"),
    ("spread out over the image", "diffuse"),
)  # fmt: skip
_MIDDLE = ("near the centre of <w>", "in the central part of <w>", "close to the centre of <w>")
_CORNER = ("in the <v> <h> part of <w>", "in the <v> <h> quadrant of <w>", "at the <v> <h> of <w>")
_SIDE = ("on the <h> side of <w>", "on the <h> of <w>", "in the <h> half of <w>")
_LEVEL = ("in the <v> part of <w>", "in the <v> half of <w>", "towards the <t> of <w>")
_BARE = {
    "middle": ("near the centre", "in the central part"),
    "corner": ("at the <v> <h>", "in the <v> <h> part", "in the <v> <h> quadrant"),
    "side": ("on the <h>", "on the <h> side", "in the <h> half"),
    "level": ("in the <v> part", "in the <v> half", "towards the <t>"),
}
"""Without the image's name, where left and right are those of the display in any case."""
_PATIENT = (
    "<adv> on the patient's <l>",
    "on the patient's <l>, <adv>",
    "in the <l> <o> part of <w>",
)
_PATIENT_SIDE = ("on the patient's <l>", "on the patient's <l> side", "in the <l> half of <w>")
_PATIENT_OTHER = ("in the <o> part of <w>", "in the <o> half of <w>", "<adv> in <w>", "<adv>")
_BREAST = ("in the <m> <o> part of <w>", "in the <o> <m> part of <w>", "<madv> and <adv> in <w>")
_BREAST_SIDE = ("in the <m> part of <w>", "in the <m> half of <w>", "<madv> in <w>")


def place_piece(facts: Facts, region: Region, voice: Voice, name: Name | None = None) -> Piece | None:
    """'in the upper left part of the image', 'posteriorly, on the patient's left'; None where nothing tells.

    Args:
        facts: of the image.
        region: what lies there.
        voice: chooses among wordings.
        name: what the region is called beside it.
    """
    if region.place is None or is_implausible(facts, region):
        return None
    axes = {axis.towards: axis.fraction for axis in region.place.axes}
    every = name.every if name else False
    if not set(axes) & set(_DISPLAY):
        return _in_the_patient(facts, region, {str(axis): part for axis, part in axes.items()}, voice, name)
    if is_finding(region) and (is_scattered(region) or has_specks(region)):
        claim = c.Sides(name=name.claim.name if name else "", frame="shown")
        left = part_left(region)
        if is_scattered(region) and name and min(left, 1 - left) >= NEARLY_NONE and claim.judge(facts).truth:
            # "Four lesions on each side" would be eight; and what crosses the middle in two pieces is on no side.
            apart = all(abs(one / facts.columns - 0.5) >= BESIDE for one in middles_across(region))
            two = parts(region) == 2 and apart and number_of(region, name) is not None
            if parts(region) == 2 and not apart:
                return None
            return Piece(", one on each side of the image," if two else "on both sides of the image", (claim,))
        if left > 1 - NEARLY_NONE or left < NEARLY_NONE:
            return _displayed(facts, region, _on_side(facts, region, left), voice, every=every)
    if name and not is_finding(region) and parts(region) >= MANY:
        return _of_many(facts, region, voice, name)
    x, y = (region.centroid[0] + 0.5) / facts.columns, (region.centroid[1] + 0.5) / facts.rows
    ends = {
        "image right": _end(x, OFF_ACROSS, _spanned(facts, region, "image right")),
        "image down": _end(y, OFF_ALONG, _spanned(facts, region, "image down")),
    }
    # Far enough off both middles, it lies in a corner, though it reaches over one of them.
    if {"", "middle"} & set(ends.values()) and {"low", "high"} & set(ends.values()):
        beyond = {"image right": x, "image down": y}
        if all(abs(one - 0.5) >= OFF_ACROSS for one in beyond.values()):
            ends = {axis: "low" if one < 0.5 else "high" for axis, one in beyond.items()}
    return _displayed(facts, region, ends, voice, every=every)


def _of_many(facts: Facts, region: Region, voice: Voice, name: Name) -> Piece | None:
    """Where most of many small things lie, or that they are everywhere."""
    if c.Crowding(name=name.claim.name, word="crowded").judge(facts).truth:
        return None
    if fills_the_image(region):
        said, word = voice.pick(_EVERYWHERE)
        return Piece(said, (c.Spread(name=name.claim.name, word=word),))
    upper_left, upper_right, lower_left, lower_right = quarters(region)
    halves = {
        ("image down", "low"): upper_left + upper_right, ("image down", "high"): lower_left + lower_right,
        ("image right", "low"): upper_left + lower_left, ("image right", "high"): upper_right + lower_right,
    }  # fmt: skip
    (axis, end), part = max(halves.items(), key=lambda one: one[1])
    if part < MOSTLY:
        return None
    made = c.Place(regions=(region.region_id,), every=name.every, axis=axis, end=end, frame="shown")
    return Piece(f"{voice.pick(('mostly', 'mainly'))} in the {_WORDS[axis, end][0]} half of the image", (made,))


def _on_side(facts: Facts, region: Region, left: float) -> dict[str, str]:
    """The side of the picture on which nearly all of several parts lie, where their common middle lies there too."""
    x = (region.centroid[0] + 0.5) / facts.columns
    side = "low" if left > 0.5 else "high"
    return {"image right": side if (x < 0.5) == (side == "low") else "", "image down": ""}


def _spanned(facts: Facts, region: Region, axis: str) -> tuple[float, float]:
    """From where to where a region reaches along an axis of the display, of the picture's side."""
    left, top, right, bottom = reach(region)
    if axis == "image right":
        return left / facts.columns, right / facts.columns
    return top / facts.rows, bottom / facts.rows


def _end(fraction: float, off: float, span: tuple[float, float]) -> str:
    """The end of an axis at which something lies, or its middle; "": it reaches over the middle from one side."""
    over = ASIDE * (span[1] - span[0])
    if fraction <= 0.5 - off and span[1] <= 0.5 + over:
        return "low"
    if fraction >= 0.5 + off and span[0] >= 0.5 - over:
        return "high"
    # What lies on one side of the middle is in no middle.
    across = min(0.5 - span[0], span[1] - 0.5) >= over
    return "middle" if across and abs(fraction - 0.5) < off and span[1] - span[0] < WIDE else ""


def _told(ends: dict[str, str]) -> dict[str, str]:
    """The ends that are told: those off the middle, else the middle of all axes, else none."""
    off = {axis: end for axis, end in ends.items() if end not in ("", "middle")}
    return off or (ends if set(ends.values()) == {"middle"} else {})


def _displayed(facts: Facts, region: Region, ends: dict[str, str], voice: Voice, *, every: bool) -> Piece | None:
    told = _told(ends)
    # Of many the middle is no place.
    if not told or (is_scattered(region) and "middle" in told.values()):
        return None
    made = tuple(
        c.Place(regions=(region.region_id,), every=every, axis=axis, end=end, frame="shown")
        for axis, end in told.items()
    )
    across, down = told.get("image right", "middle"), told.get("image down", "middle")
    if across == down == "middle":
        kind, patterns = "middle", _MIDDLE
    elif "middle" not in (across, down):
        kind, patterns = "corner", _CORNER
    else:
        kind, patterns = ("side", _SIDE) if down == "middle" else ("level", _LEVEL)
    if facts.metadata.modality in BY_DISPLAY and voice.maybe(0.5):
        patterns = _BARE[kind]
    text = voice.pick(patterns)
    if across != "middle":
        text = text.replace("<h>", _WORDS["image right", across][0])
    if down != "middle":
        text = text.replace("<v>", _WORDS["image down", down][0]).replace("<t>", _TOP[down])
    return Piece(text.replace("<w>", "the image"), made)


def _in_the_patient(
    facts: Facts, region: Region, axes: dict[str, float], voice: Voice, name: Name | None
) -> Piece | None:
    assert region.place is not None
    whole = WITHIN.get(region.place.within, "body")
    sense = outwards(facts)
    if facts.metadata.sides_contradict:
        axes.pop("patient left", None)
    elif facts.metadata.modality == "mammography" and facts.metadata.view == "CC" and sense and "patient left" in axes:
        left = axes.pop("patient left")
        axes["lateral"] = left if sense > 0 else 1 - left
    ends = {
        axis: _end(part, OFF_ACROSS if axis == "patient left" else OFF_ALONG, _span(facts, region, axis, part))
        for axis, part in axes.items()
    }
    told = _told(ends)
    middle = "middle" in told.values()
    frame = "patient"
    every = name.every if name else False

    def claims(of: dict[str, str]) -> list[c.Claim]:
        return [
            c.Place(regions=(region.region_id,), every=every, axis=axis, end=end, frame=frame)
            for axis, end in of.items()
        ]

    if not told or (is_scattered(region) and middle):
        return None
    if middle and whole == "image":
        return _displayed(facts, region, dict.fromkeys(_DISPLAY, "middle"), voice, every=every)
    patterns = _pattern(told, whole, named=name is not None and whole.removesuffix("s") in name.text)
    text = voice.pick(patterns)
    made = claims(told)
    for axis, end in () if middle else told.items():
        if axis == "lateral":
            text = text.replace("<m>", voice.pick(_WORDS[axis, end])).replace("<madv>", _ADVERBS[axis, end])
        elif axis == "patient left":
            text = text.replace("<l>", _WORDS[axis, end][0])
        else:
            words = [one for one in _WORDS[axis, end] if whole != "image" or one not in ("upper", "lower")]
            text = text.replace("<o>", voice.pick(words)).replace("<adv>", _ADVERBS[axis, end])
    if "<w>" in text:
        organ = whole.removesuffix("s")
        if organ in table().organs:
            made.append(c.Structure(organ=organ))
        if whole == "image" and facts.metadata.modality == "mammography":
            whole = "breast"
            made.append(c.Structure(organ="breast"))
    return Piece(text.replace("<w>", f"the {whole}"), tuple(made))


_WIDE = 0.75
"""Part of the picture's width that what is told of in the patient takes up, about: its own box is not told."""


def _span(facts: Facts, region: Region, axis: str, fraction: float) -> tuple[float, float]:
    """From where to where a region reaches along an axis of the patient that lies in the picture, about."""
    orientation = facts.metadata.orientation
    ends = _ALONG.get(axis, ())
    for shown, towards in (("image right", "right"), ("image down", "down")):
        if orientation is not None and getattr(orientation, towards) in ends:
            low, high = _spanned(facts, region, shown)
            half = (high - low) / _WIDE / 2
            return (fraction - half, fraction + half)
    return (fraction, fraction)


_ALONG = {
    "patient left": ("patient left", "patient right"), "posterior": ("posterior", "anterior"), "feet": ("feet", "head"),
}  # fmt: skip
"""The ends of the patient's axes, as an image's orientation names them."""


def _pattern(told: dict[str, str], whole: str, *, named: bool) -> tuple[str, ...]:
    """Patterns that hold all that is told; without the whole's name where the region's own has it."""
    if "middle" in told.values():
        return _MIDDLE
    if "lateral" in told:
        return _BREAST if len(told) > 1 else _BREAST_SIDE
    sided, other = "patient left" in told, len(told) > 1 or "patient left" not in told
    if sided and whole == "image":
        # "The left of the image" would be that of the display.
        return tuple(one for one in (_PATIENT if other else _PATIENT_SIDE) if "patient's" in one)
    patterns = _PATIENT if sided and other else _PATIENT_SIDE if sided else _PATIENT_OTHER
    return tuple(one for one in patterns if "<w" not in one) or patterns if named else patterns
